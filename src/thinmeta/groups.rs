//! Every data block's group: the set of devices that use it.
//!
//! One pass gives all that is asked again and again: what every device holds alone, what any marked
//! set would free, with whom a device shares, whose a block is. It costs four bytes a data block and some more where
//! devices share in many different ways; past the limit there are no groups, and the questions
//! are answered by a pass each (`freed`, `uses`).

use std::collections::HashMap;
use std::ops::Range;

use super::btree::check_range;
use super::damage::{Damages, MetaError};
use super::forest::{Forest, Leaf};
use super::leaves::{Leaves, node_beyond};
use super::scan::SeenLeaf;
use super::sets::{MANY, Run, SetId, Sets};
use super::sharing::{Ledger, add_all, sum_up};
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
}

impl Groups {
    /// Works out the groups, and with them what every device shares; `None` where they take too
    /// much.
    pub(super) fn read(
        leaves: &Leaves<'_>,
        forest: &Forest,
        (seen, mut chains): (&[SeenLeaf], Chains),
    ) -> Result<Option<(Self, Tally)>, MetaError> {
        let mut judged = Judged::read(leaves, forest, (seen, &mut chains))?;
        chains.settle();
        if chains.full {
            return Ok(None);
        }
        let reached = std::mem::take(&mut judged.reached);
        let mut tally = Tally::new(forest.devices().len(), reached);
        tally.damages = std::mem::take(&mut judged.damages);
        Ok(Some((Self::finish(chains, (forest, &judged), &mut tally), tally)))
    }

    fn finish(chains: Chains, (forest, judged): (&Forest, &Judged), tally: &mut Tally) -> Self {
        let mut sets = forest.sets().rested();
        let (mut ids, mut groups) = (HashMap::new(), Vec::new());
        let mut parts = Vec::new();
        let mut of_link = vec![NO_GROUP; chains.links.len()];
        let mut steps = MOST_STEPS;
        for (at, group) in of_link.iter_mut().enumerate() {
            let blocks = chains.links.get(at).map_or(0, |link| link.blocks);
            if at == 0 || blocks == 0 {
                continue;
            }
            let whole = chains.parts(at, &mut parts, (&mut steps, |leaf| judged.set(forest, leaf)));
            if parts.is_empty() {
                // nothing but leaves that nobody reaches
                continue;
            }
            tally.add(&sets, &parts, blocks);
            parts.sort_unstable();
            parts.dedup();
            let set = if whole { sets.union(&parts).set } else { MANY };
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
        Self { devices, sets, groups, of_link, links }
    }

    /// All groups; the index of each is its id.
    pub fn all(&self) -> &[Group] {
        &self.groups
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
        self.of_link.get(link as usize).copied().filter(|group| *group != NO_GROUP)
    }

    /// The groups of a range of data blocks, `None` for blocks that nobody uses.
    pub fn range(&self, blocks: Range<u64>) -> impl Iterator<Item = Option<GroupId>> + '_ {
        blocks.map(|block| self.of(block))
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
}

/// The group of blocks that nobody reaches.
const NO_GROUP: GroupId = u32::MAX;
/// Leaves that are looked at in all histories together: a thousand layers that each rewrote the same
/// leaves have long ones.
const MOST_STEPS: u64 = 1 << 28;

/// Which leaves count.
struct Judged {
    /// Leaves that hold keys which those above them do not allow, by ascending block.
    bad: Vec<u32>,
    reached: Vec<(SetId, u64)>,
    damages: Damages,
}

impl Judged {
    /// Judges the leaves that devices reach by what a scan saw of them; those that it did not see
    /// are read.
    fn read(
        leaves: &Leaves<'_>,
        forest: &Forest,
        (seen, chains): (&[SeenLeaf], &mut Chains),
    ) -> Result<Self, MetaError> {
        let mut judged = Self { bad: Vec::new(), reached: Vec::new(), damages: Damages::default() };
        let (mut seen, mut unseen) = (seen.iter().copied().peekable(), Vec::new());
        for (index, leaf) in (0_u32..).zip(forest.leaves()) {
            while seen.next_if(|one| one.block < leaf.block).is_some() {}
            match seen.next_if(|one| one.block == leaf.block) {
                Some(one) => judged.judge(leaves, leaf, one),
                None => unseen.push(index),
            }
        }
        let mut damages = Damages::default();
        let pool = 0..leaves.end().get();
        leaves.each(&unseen, &mut damages, &mut |_, leaf, entries| {
            chains.begin_leaf(leaf.block);
            let (inside, bad) = add_all(entries, &pool, pool.end, chains);
            judged.reached.push((leaf.set, inside));
            if bad {
                let kind = node_beyond(entries, pool.end);
                judged.damages.push(leaf.block.into(), leaves.part(leaf), kind);
            }
        })?;
        judged.damages.append(damages);
        judged.damages = std::mem::take(&mut judged.damages).by_block();
        judged.reached = sum_up(std::mem::take(&mut judged.reached));
        Ok(judged)
    }

    fn judge(&mut self, leaves: &Leaves<'_>, leaf: &Leaf, seen: SeenLeaf) {
        let (block, part) = (u64::from(leaf.block), leaves.part(leaf));
        if let Err(kind) = check_range(seen.range(), leaf.low, leaf.high) {
            self.bad.push(leaf.block);
            self.damages.push(block, part, kind);
            return;
        }
        self.reached.push((leaf.set, seen.inside.into()));
        if seen.inside < seen.entries {
            let kind = match leaves.one(leaf) {
                Ok(kind) | Err(kind) => kind,
            };
            self.damages.push(block, part, kind);
        }
    }

    /// Who reaches the leaf in a block; nobody one that does not count.
    fn set(&self, forest: &Forest, block: u32) -> Option<SetId> {
        let leaf = forest.leaves().get(forest.leaf_at(block)? as usize)?;
        self.bad.binary_search(&block).is_err().then_some(leaf.set)
    }
}

/// What reached a block so far: a leaf, after what reached it before.
struct Link {
    before: u32,
    leaf: u32,
    blocks: u64,
}

/// Bytes that a link takes, its place in the table of steps included.
const LINK_BYTES: u64 = 48;

/// The links of all data blocks while the leaves are read: a step leads from what reached a
/// block to that and one leaf more, so that blocks with one history share their link.
pub(super) struct Chains {
    table: Vec<u32>,
    links: Vec<Link>,
    steps: HashMap<(u32, u32), u32>,
    room: u64,
    full: bool,
    leaf: u32,
    /// The last step, which the next block of a leaf mostly repeats, and how many took it.
    last: (u32, u32),
    taken: u64,
}

/// Reached by nothing.
const NOTHING: u32 = 0;
/// Before the first step of a leaf.
const NO_STEP: (u32, u32) = (u32::MAX, NOTHING);

impl Chains {
    /// For so many data blocks; `None` where that takes more than `memory`.
    pub(super) fn within(memory: u64, end: u64) -> Option<Self> {
        let left = memory.checked_sub(end.saturating_mul(4))?;
        usize::try_from(end).ok().map(|blocks| Self::new(blocks, left / LINK_BYTES))
    }

    fn new(blocks: usize, room: u64) -> Self {
        let nothing = Link { before: NOTHING, leaf: 0, blocks: 0 };
        let (table, links) = (vec![NOTHING; blocks], vec![nothing]);
        let (steps, last) = (HashMap::new(), NO_STEP);
        Self { table, links, steps, room, full: false, leaf: 0, last, taken: 0 }
    }

    fn step(&mut self, from: u32) -> u32 {
        let next = u32::try_from(self.links.len()).unwrap_or(u32::MAX);
        let to = *self.steps.entry((from, self.leaf)).or_insert(next);
        if to == next {
            self.links.push(Link { before: from, leaf: self.leaf, blocks: 0 });
            self.full = u64::from(next) >= self.room;
        }
        to
    }

    /// The sets of all leaves of a link's history that count; whether all of it was looked at.
    fn parts(
        &self,
        link: usize,
        parts: &mut Vec<SetId>,
        (steps, set_of): (&mut u64, impl Fn(u32) -> Option<SetId>),
    ) -> bool {
        parts.clear();
        let mut at = link;
        while let Some(link) = self.links.get(at).filter(|_| at != 0) {
            // two leaves are enough to tell that it is shared
            if *steps == 0 && parts.len() > 2 {
                return false;
            }
            *steps = steps.saturating_sub(1);
            parts.extend(set_of(link.leaf));
            at = link.before as usize;
        }
        true
    }

    /// The leaf that the following blocks are in.
    pub(super) fn begin_leaf(&mut self, block: u32) {
        self.settle();
        self.leaf = block;
        self.last = NO_STEP;
    }

    /// Counts the blocks that took the last step.
    fn settle(&mut self) {
        let (from, to) = self.last;
        let taken = std::mem::take(&mut self.taken);
        if let Some(link) = self.links.get_mut(to as usize) {
            link.blocks += taken;
        }
        if let Some(link) = self.links.get_mut(from as usize).filter(|_| from != NOTHING) {
            link.blocks = link.blocks.saturating_sub(taken);
        }
    }
}

impl Ledger for Chains {
    fn begin(&mut self, _: &Sets, leaf: &Leaf) {
        self.begin_leaf(leaf.block);
    }

    fn add(&mut self, block: usize) {
        let Some(link) = self.table.get_mut(block) else { return };
        let from = *link;
        if from != self.last.0 {
            self.settle();
            self.last = (from, if self.full { from } else { self.step(from) });
        }
        self.table[block] = self.last.1;
        self.taken += 1;
    }
}

/// What devices share, as far as groups tell.
pub(super) struct Tally {
    /// By device, the blocks that nothing else reaches.
    pub(super) exclusive: Vec<u64>,
    /// Blocks that each set of devices reaches.
    pub(super) reached: Vec<(SetId, u64)>,
    /// Distinct blocks.
    pub(super) distinct: u64,
    /// Of these, those that only the metadata snapshot reaches.
    pub(super) held_only: u64,
    /// What was damaged.
    pub(super) damages: Damages,
}

impl Tally {
    fn new(devices: usize, reached: Vec<(SetId, u64)>) -> Self {
        let (exclusive, damages) = (vec![0; devices], Damages::default());
        Self { exclusive, reached, distinct: 0, held_only: 0, damages }
    }

    /// Adds blocks with one history: the sets of the leaves that map them. They are one device's own
    /// when one leaf does, which only that device reaches; the metadata snapshot does not count.
    fn add(&mut self, sets: &Sets, leaves: &[SetId], blocks: u64) {
        self.distinct += blocks;
        let mut real = leaves.iter().filter(|set| Some(**set) != sets.held());
        match (real.next(), real.next()) {
            (None, _) => self.held_only += blocks,
            (Some(set), None) => {
                let device = sets.only_device(*set).map(|device| device as usize);
                if let Some(count) = device.and_then(|device| self.exclusive.get_mut(device)) {
                    *count += blocks;
                }
            }
            _ => {}
        }
    }
}
