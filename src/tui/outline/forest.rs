//! Devices under their parents, with long chains kept in one column.
//!
//! A run is a chain of only children of one role. It is drawn as siblings under what it hangs on:
//! 127 layers then take 127 rows and no more columns than one.

use std::ops::Range;

use super::{Brood, What};
use crate::model::{NodeIx, Role, ThinIx, Topology};

/// Which devices hang under which.
#[derive(Debug, Default)]
pub(crate) struct Forest {
    /// Children of the first, of the second and so on, each list by number.
    kids: Vec<u32>,
    /// Where the list of each begins, and an end.
    starts: Vec<u32>,
    /// The node of each and what it is for: devices are come to in the order of rows, and the
    /// topology's own are too large to be at hand in any order.
    devices: Vec<(NodeIx, Role)>,
    placed: Vec<bool>,
}

impl Forest {
    /// From pairs of parent and child.
    pub(crate) fn new(mut pairs: Vec<(u32, u32)>, topology: &Topology) -> Self {
        let count = topology.thins.len();
        let devices = topology.thins.iter().map(|device| (device.node, device.role)).collect();
        pairs.sort_unstable();
        let mut starts = Vec::with_capacity(count + 1);
        for (at, (parent, _)) in (0_u32..).zip(&pairs) {
            starts.resize((*parent as usize + 1).max(starts.len()), at);
        }
        starts.resize(count + 1, u32::try_from(pairs.len()).unwrap_or(u32::MAX));
        let kids = pairs.into_iter().map(|(_, child)| child).collect();
        Self { kids, starts, devices, placed: vec![false; count] }
    }

    fn range(&self, parent: u32) -> Range<usize> {
        match (self.starts.get(parent as usize), self.starts.get(parent as usize + 1)) {
            (Some(from), Some(to)) => *from as usize..*to as usize,
            _ => 0..0,
        }
    }

    /// What is drawn under a device: its one child with the run that begins there, or all.
    pub(crate) fn children(&mut self, of: ThinIx, brood: &mut Brood) {
        match self.range(of.0) {
            one if one.len() == 1 => {
                brood.fixed = true;
                self.run(self.kids[one.start], brood);
            }
            many => many.for_each(|at| self.put(self.kids[at], brood)),
        }
    }

    /// Draws heads: one alone with its run, several as they are.
    pub(crate) fn place(&mut self, heads: &[u32], brood: &mut Brood) {
        match heads {
            [one] => {
                brood.fixed = true;
                self.run(*one, brood);
            }
            many => many.iter().for_each(|head| self.put(*head, brood)),
        }
    }

    fn run(&mut self, head: u32, brood: &mut Brood) {
        let mut at = head;
        loop {
            self.put(at, brood);
            match &self.kids[self.range(at)] {
                [next] if self.role(*next) == self.role(at) => at = *next,
                _ => break,
            }
        }
    }

    fn put(&mut self, at: u32, brood: &mut Brood) {
        let Some((node, _)) = self.devices.get(at as usize) else { return };
        if !std::mem::replace(&mut self.placed[at as usize], true) {
            brood.push(What::Node(*node), true);
        }
    }

    /// The node of a device.
    pub(crate) fn node(&self, of: ThinIx) -> Option<NodeIx> {
        self.devices.get(of.0 as usize).map(|(node, _)| *node)
    }

    fn role(&self, at: u32) -> Option<Role> {
        self.devices.get(at as usize).map(|(_, role)| *role)
    }
}
