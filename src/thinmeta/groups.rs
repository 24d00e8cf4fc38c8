//! Every data block's group: the set of devices that use it.
//!
//! One pass gives all that the screen asks again and again: what any marked set would free, with
//! whom a device shares, whose a block is. It costs four bytes a data block and some more where
//! devices share in many different ways; past the limit there are no groups, and the questions
//! are answered by a pass each (`freed`, `uses`).

use std::collections::HashMap;
use std::ops::Range;

use super::damage::{Damages, MetaError};
use super::forest::{Forest, Leaf};
use super::freed::{Freed, Marked};
use super::leaves::Leaves;
use super::sets::{MANY, Run, SetId, Sets, Spans};
use super::sharing::{Ledger, run};
use crate::ids::ThinId;
use crate::units::DataBlocks;

/// The index of a group.
pub type GroupId = u32;

/// Data blocks that are used by the same devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    set: SetId,
    /// How many there are.
    pub blocks: DataBlocks,
}

/// The groups of a pool's data blocks.
#[expect(clippy::struct_field_names, reason = "the groups themselves are what it holds")]
pub struct Groups {
    devices: Vec<ThinId>,
    sets: Sets,
    groups: Vec<Group>,
    /// The group of a link, and the link of every data block.
    of_link: Vec<GroupId>,
    links: Vec<u32>,
    damages: Damages,
}

impl Groups {
    /// Works out the groups; `None` where they would take more than `memory`.
    pub(super) fn read(
        leaves: &Leaves<'_>,
        forest: &Forest,
        memory: u64,
    ) -> Result<Option<Self>, MetaError> {
        let end = leaves.end().get();
        let Some(left) = memory.checked_sub(end.saturating_mul(4)) else { return Ok(None) };
        let size = usize::try_from(end).unwrap_or(usize::MAX);
        let mut chains = Chains::new(size, left / LINK_BYTES);
        let (damages, _) = run(leaves, forest, 0..end, end, &mut chains)?;
        Ok((!chains.full).then(|| Self::finish(chains, forest, damages)))
    }

    fn finish(chains: Chains, forest: &Forest, damages: Damages) -> Self {
        let mut sets = forest.sets().rested();
        let (mut ids, mut groups) = (HashMap::new(), Vec::new());
        let mut parts = Vec::new();
        let mut of_link = vec![0; chains.links.len()];
        for (at, group) in of_link.iter_mut().enumerate() {
            let blocks = chains.links.get(at).map_or(0, |link| link.blocks);
            if at == 0 || blocks == 0 {
                continue;
            }
            chains.parts(at, &mut parts);
            let set = sets.union(&parts).set;
            let next = u32::try_from(groups.len()).unwrap_or(u32::MAX);
            *group = *ids.entry(set).or_insert(next);
            if *group == next {
                groups.push(Group { set, blocks: DataBlocks(0) });
            }
            if let Some(found) = groups.get_mut(*group as usize) {
                found.blocks = found.blocks.plus(DataBlocks(blocks));
            }
        }
        let (devices, links) = (forest.devices().to_vec(), chains.table);
        Self { devices, sets, groups, of_link, links, damages }
    }

    /// All groups; the index of each is its id.
    pub fn all(&self) -> &[Group] {
        &self.groups
    }

    /// What was damaged. Unless empty, more devices may use a block than its group says.
    pub fn damages(&self) -> &Damages {
        &self.damages
    }

    /// The devices of a group. Empty when only the metadata snapshot uses its blocks, or when
    /// they are too many to tell.
    pub fn devices(&self, group: &Group) -> impl Iterator<Item = ThinId> + use<'_> {
        let runs = self.sets.runs(group.set).as_slice().to_vec();
        let indices = runs.into_iter().flat_map(|run| run.start..run.end);
        indices.filter_map(|index| self.devices.get(index as usize).copied())
    }

    /// How many devices use the blocks of a group; `None` when they are too many to tell.
    pub fn device_count(&self, group: &Group) -> Option<u32> {
        let count = |run: &Run| self.clipped(*run).map_or(0, |run| run.end - run.start);
        (group.set != MANY).then(|| self.sets.runs(group.set).as_slice().iter().map(count).sum())
    }

    /// The group of a data block, if anything uses it.
    pub fn of(&self, block: u64) -> Option<GroupId> {
        let link = *usize::try_from(block).ok().and_then(|at| self.links.get(at))?;
        (link != 0).then(|| self.of_link.get(link as usize).copied()).flatten()
    }

    /// The groups of a range of data blocks, `None` for blocks that nobody uses.
    pub fn range(&self, blocks: Range<u64>) -> impl Iterator<Item = Option<GroupId>> + '_ {
        blocks.map(|block| self.of(block))
    }

    /// What deleting these devices would give back; ids that the pool does not have give
    /// nothing.
    pub fn freed_by(&self, ids: &[ThinId]) -> Freed {
        let index = |id: &ThinId| self.devices.binary_search(id).ok();
        let marked = ids.iter().filter_map(index).filter_map(|at| u32::try_from(at).ok());
        let marked = Marked::new(self.devices.len(), marked);
        let mut freed = Freed { damages: self.damages.clone(), ..Freed::default() };
        for group in self.groups.iter().filter(|group| self.is_freed(&marked, group)) {
            freed.blocks = freed.blocks.plus(group.blocks);
            if self.is_held(group) {
                freed.held = freed.held.plus(group.blocks);
            }
        }
        freed
    }

    /// Whether all devices of a group are marked, and there is one.
    fn is_freed(&self, marked: &Marked, group: &Group) -> bool {
        let runs = self.sets.runs(group.set);
        let mut devices = runs.as_slice().iter().filter_map(|run| self.clipped(*run)).peekable();
        devices.peek().is_some() && devices.all(|run| marked.of(run) == run.end - run.start)
    }

    /// A run without the metadata snapshot.
    fn clipped(&self, run: Run) -> Option<Run> {
        let end = run.end.min(self.sets.held().unwrap_or(run.end));
        (run.start < end).then_some(Run { end, ..run })
    }

    /// Whether the metadata snapshot uses the blocks of a group too.
    pub fn is_held(&self, group: &Group) -> bool {
        let last = self.sets.runs(group.set).as_slice().last().map(|run| run.end - 1);
        last.is_some() && last == self.sets.held()
    }

    /// The devices that share blocks with one, and how many, the most first.
    pub fn shared_with(&self, id: ThinId) -> Vec<(ThinId, DataBlocks)> {
        let index = self.devices.binary_search(&id).ok().and_then(|at| u32::try_from(at).ok());
        let Some(index) = index else { return Vec::new() };
        let mut shared = Spans::new(self.devices.len());
        for group in &self.groups {
            let runs = self.sets.runs(group.set);
            let before = runs.as_slice().partition_point(|run| run.end <= index);
            if runs.as_slice().get(before).is_some_and(|run| run.start <= index) {
                let blocks = i64::try_from(group.blocks.get()).unwrap_or(i64::MAX);
                let runs = runs.as_slice().iter().filter_map(|run| self.clipped(*run));
                runs.for_each(|run| shared.add(run, blocks));
            }
        }
        let sums = shared.sums().map(|sum| DataBlocks(u64::try_from(sum).unwrap_or(0)));
        let all = self.devices.iter().copied().zip(sums);
        let mut list: Vec<_> = all.filter(|(other, n)| *other != id && n.get() > 0).collect();
        list.sort_unstable_by_key(|(id, blocks)| (std::cmp::Reverse(*blocks), *id));
        list
    }
}

/// What reached a block so far: a leaf's devices, after what reached it before.
struct Link {
    before: u32,
    set: SetId,
    blocks: u64,
}

/// Bytes that a link takes, its place in the table of steps included.
const LINK_BYTES: u64 = 48;

/// The links of all data blocks while the leaves are read: a step leads from what reached a
/// block to that and one leaf more, so that blocks with one history share their link.
struct Chains {
    table: Vec<u32>,
    links: Vec<Link>,
    steps: HashMap<(u32, SetId), u32>,
    room: u64,
    full: bool,
    leaf: SetId,
    /// The last step, which the next block of a leaf mostly repeats.
    last: (u32, u32),
}

/// Reached by nothing.
const NOTHING: u32 = 0;

impl Chains {
    fn new(blocks: usize, room: u64) -> Self {
        let nothing = Link { before: NOTHING, set: MANY, blocks: 0 };
        let (table, links) = (vec![NOTHING; blocks], vec![nothing]);
        let (steps, last) = (HashMap::new(), (u32::MAX, NOTHING));
        Self { table, links, steps, room, full: false, leaf: MANY, last }
    }

    fn step(&mut self, from: u32) -> u32 {
        let next = u32::try_from(self.links.len()).unwrap_or(u32::MAX);
        let to = *self.steps.entry((from, self.leaf)).or_insert(next);
        if to == next {
            self.links.push(Link { before: from, set: self.leaf, blocks: 0 });
            self.full = u64::from(next) >= self.room;
        }
        self.last = (from, to);
        to
    }

    fn count(&mut self, link: u32, more: bool) {
        if let Some(link) = self.links.get_mut(link as usize) {
            link.blocks = if more { link.blocks + 1 } else { link.blocks.saturating_sub(1) };
        }
    }

    /// The sets of all leaves of a link's history.
    fn parts(&self, link: usize, parts: &mut Vec<SetId>) {
        parts.clear();
        let mut at = link;
        while let Some(link) = self.links.get(at).filter(|_| at != 0) {
            parts.push(link.set);
            at = link.before as usize;
        }
        parts.sort_unstable();
        parts.dedup();
    }
}

impl Ledger for Chains {
    fn begin(&mut self, _: &Sets, leaf: &Leaf) {
        self.leaf = leaf.set;
        self.last = (u32::MAX, NOTHING);
    }

    fn add(&mut self, block: usize) {
        let Some(from) = self.table.get(block).copied().filter(|_| !self.full) else { return };
        let to = if self.last.0 == from { self.last.1 } else { self.step(from) };
        self.table[block] = to;
        self.count(to, true);
        if from != NOTHING {
            self.count(from, false);
        }
    }
}
