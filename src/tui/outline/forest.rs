//! Devices under their parents, with long chains kept in one column.
//!
//! A run is a chain of only children of one role. It is drawn as siblings under what it hangs on:
//! 127 layers then take 127 rows and no more columns than one.

use super::{Brood, What};
use crate::model::{ThinIx, Topology};

/// Which devices hang under which.
#[derive(Debug, Default)]
pub(crate) struct Forest {
    pairs: Vec<(u32, u32)>,
    placed: Vec<bool>,
}

impl Forest {
    /// From pairs of parent and child, among `count` devices.
    pub(crate) fn new(mut pairs: Vec<(u32, u32)>, count: usize) -> Self {
        pairs.sort_unstable();
        Self { pairs, placed: vec![false; count] }
    }

    fn kids(&self, parent: u32) -> &[(u32, u32)] {
        let from = self.pairs.partition_point(|(p, _)| *p < parent);
        let len = self.pairs[from..].partition_point(|(p, _)| *p == parent);
        &self.pairs[from..from + len]
    }

    /// What is drawn under a device: its one child with the run that begins there, or all.
    pub(crate) fn children(&mut self, topology: &Topology, of: ThinIx, brood: &mut Brood) {
        let heads: Vec<u32> = self.kids(of.0).iter().map(|(_, child)| *child).collect();
        self.place(topology, &heads, brood);
    }

    /// Draws heads: one alone with its run, several as they are.
    pub(crate) fn place(&mut self, topology: &Topology, heads: &[u32], brood: &mut Brood) {
        match heads {
            [one] => {
                brood.fixed = true;
                self.run(topology, *one, brood);
            }
            many => many.iter().for_each(|head| self.put(topology, *head, brood)),
        }
    }

    fn run(&mut self, topology: &Topology, head: u32, brood: &mut Brood) {
        let role = |at: u32| topology.thins.get(at as usize).map(|device| device.role);
        let mut at = head;
        loop {
            self.put(topology, at, brood);
            match self.kids(at) {
                [(_, next)] if role(*next) == role(at) => at = *next,
                _ => break,
            }
        }
    }

    fn put(&mut self, topology: &Topology, at: u32, brood: &mut Brood) {
        let (Some(placed), Some(device)) =
            (self.placed.get_mut(at as usize), topology.thins.get(at as usize))
        else {
            return;
        };
        if !std::mem::replace(placed, true) {
            brood.push(What::Node(device.node), true);
        }
    }
}
