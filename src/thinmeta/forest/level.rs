//! The nodes of one height while the nodes above them are read: who reaches each, and the keys that
//! all of them allow.
//!
//! A node that is reached once, as most are, takes the set of whoever reaches it. One that more reach
//! gathers their runs until the height is complete, and gets its name in `Sets` only then: the many
//! sets on the way there are never made. What would take too much is "many".

use super::Leaf;
use crate::thinmeta::sets::{MANY, Run, SetId, Sets};

/// Runs that come in any order and may stand beside those that are joined already.
const SLACK: usize = 64;

/// The nodes of one height so far.
pub(super) struct Level {
    /// By metadata block, the node's place plus one.
    slots: Vec<u32>,
    nodes: Vec<Leaf>,
    /// By node, the place of its runs plus one.
    joined: Vec<u32>,
    joints: Vec<Joint>,
    /// Runs that may still be gathered in all.
    room: usize,
    /// Nodes that somebody reaches twice.
    twice: Vec<u32>,
}

/// The runs of everybody who reaches one node.
#[derive(Default)]
struct Joint {
    runs: Vec<Run>,
    /// Runs that are sorted and joined, from the front.
    clean: usize,
    sorted: bool,
    twice: bool,
}

/// The nodes of one height, and those that one device reaches by two ways.
pub(super) struct Complete {
    pub(super) nodes: Vec<Leaf>,
    pub(super) twice: Vec<(u32, SetId)>,
}

impl Level {
    /// For so many metadata blocks, with room for so many runs.
    pub(super) fn new(blocks: u32, room: usize) -> Self {
        let (nodes, joined, joints, twice) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { slots: vec![0; blocks as usize], nodes, joined, joints, room, twice }
    }

    /// Somebody reaches a node.
    pub(super) fn reach(&mut self, sets: &mut Sets, reach: Leaf) {
        let Some(slot) = self.slots.get_mut(reach.block as usize) else { return };
        let Some(at) = slot.checked_sub(1) else {
            self.nodes.push(reach);
            self.joined.push(0);
            *slot = u32::try_from(self.nodes.len()).unwrap_or(0);
            return;
        };
        let Some(node) = self.nodes.get_mut(at as usize) else { return };
        node.low = node.low.max(reach.low);
        node.high = node.high.min(reach.high);
        self.join(sets, at as usize, reach.set);
    }

    fn join(&mut self, sets: &mut Sets, at: usize, set: SetId) {
        let (Some(node), Some(joined)) = (self.nodes.get_mut(at), self.joined.get_mut(at)) else {
            return;
        };
        if node.set == MANY || set == MANY {
            node.set = MANY;
            *joined = 0;
            return;
        }
        if *joined == 0 {
            // a device with the metadata snapshot is no sharing and must stay itself, so that it
            // has a name at once
            if sets.held().is_some_and(|held| set == held || node.set == held) {
                let union = sets.union(&[node.set, set]);
                node.set = union.set;
                if union.overlap {
                    self.twice.push(node.block);
                }
                return;
            }
            self.joints.push(Joint { sorted: true, ..Joint::default() });
            *joined = u32::try_from(self.joints.len()).unwrap_or(0);
            let first = node.set;
            self.gather(sets, at, first);
        }
        self.gather(sets, at, set);
    }

    /// Adds the runs of a set to those of a node.
    fn gather(&mut self, sets: &mut Sets, at: usize, set: SetId) {
        let place = self.joined.get(at).and_then(|joined| joined.checked_sub(1));
        let joint = place.and_then(|place| self.joints.get_mut(place as usize));
        let (Some(joint), Some(node)) = (joint, self.nodes.get_mut(at)) else { return };
        let count = sets.runs(set).as_slice().len();
        let before = joint.runs.len();
        let fits = sets.afford(count) && {
            joint.add(sets, set);
            joint.runs.len().saturating_sub(before) <= self.room
        };
        self.room = self.room.saturating_sub(joint.runs.len().saturating_sub(before));
        self.room += before.saturating_sub(joint.runs.len());
        if !fits {
            self.room += joint.runs.len();
            *joint = Joint::default();
            node.set = MANY;
            if let Some(joined) = self.joined.get_mut(at) {
                *joined = 0;
            }
        }
    }

    /// All nodes by ascending block, and none left here.
    pub(super) fn complete(&mut self, sets: &mut Sets) -> Complete {
        let mut nodes = std::mem::take(&mut self.nodes);
        let mut twice = std::mem::take(&mut self.twice);
        for (node, joined) in nodes.iter_mut().zip(std::mem::take(&mut self.joined)) {
            if let Some(slot) = self.slots.get_mut(node.block as usize) {
                *slot = 0;
            }
            let place = joined.checked_sub(1).map(|place| place as usize);
            let Some(joint) = place.and_then(|place| self.joints.get_mut(place)) else { continue };
            joint.clean_up(sets);
            self.room += joint.runs.len();
            node.set = sets.intern(&joint.runs);
            if joint.twice {
                twice.push(node.block);
            }
        }
        self.joints.clear();
        nodes.sort_unstable_by_key(|node| node.block);
        let set_of = |block: u32| {
            let at = nodes.binary_search_by_key(&block, |node| node.block).ok()?;
            Some((block, nodes.get(at)?.set))
        };
        twice.sort_unstable();
        twice.dedup();
        let twice = twice.into_iter().filter_map(set_of).collect();
        Complete { nodes, twice }
    }
}

impl Joint {
    fn add(&mut self, sets: &Sets, set: SetId) {
        for run in sets.runs(set).as_slice() {
            match self.runs.last_mut() {
                Some(last) if last.end == run.start => last.end = run.end,
                Some(last) if last.end > run.start => {
                    self.sorted = false;
                    self.runs.push(*run);
                }
                _ => self.runs.push(*run),
            }
        }
        if !self.sorted && self.runs.len() > 2 * self.clean + SLACK {
            self.clean_up(sets);
        }
    }

    /// Sorts the runs and joins those that touch.
    fn clean_up(&mut self, sets: &Sets) {
        if !self.sorted {
            self.runs.sort_unstable();
            self.twice |= sets.merge(&mut self.runs);
            self.sorted = true;
        }
        self.clean = self.runs.len();
    }
}
