//! Exclusive and shared blocks of every device, as `thin_ls` counts them: a data block that is
//! reached from two places or more is shared, all others are what deleting the device gives back.
//!
//! Every leaf is read once, however many devices reach it. Memory is four bytes for a data block
//! of the pool; a pool too large for that is counted in several windows, a pass for each. A
//! metadata snapshot that is held is walked too, but makes nothing shared.

use std::ops::Range;

use super::damage::{Damages, MetaError};
use super::details::Details;
use super::forest::{Forest, Leaf};
use super::groups::Tally;
use super::leaves::{Leaves, node_beyond};
use super::node::Entries;
use super::sets::{MANY, Runs, SetId, Sets, Spans};
use crate::ids::ThinId;
use crate::units::DataBlocks;

/// What one device holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceSharing {
    /// The device.
    pub id: ThinId,
    /// Blocks it maps, by its details; by its tree where it has none.
    pub mapped: DataBlocks,
    /// Blocks its tree maps; `None` where too many devices share in too many ways to tell.
    pub reached: Option<DataBlocks>,
    /// Blocks that nothing else in the pool reaches.
    pub exclusive: DataBlocks,
    /// Whether all of its tree could be read.
    pub whole: bool,
}

impl DeviceSharing {
    /// Blocks that something else reaches as well.
    pub fn shared(&self) -> DataBlocks {
        self.mapped.minus(self.exclusive)
    }
}

/// Exclusive and shared blocks of a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sharing {
    /// Every device, by ascending id.
    pub devices: Vec<DeviceSharing>,
    /// Distinct data blocks that are reached, from the metadata snapshot too.
    pub reached: DataBlocks,
    /// Of these, the ones that only the metadata snapshot reaches.
    pub held_only: DataBlocks,
    /// What was damaged. Unless empty, `exclusive` is an upper bound, for what could not be
    /// read may share.
    pub damages: Damages,
}

/// Something that takes note of every data block a leaf reaches.
pub(super) trait Ledger {
    /// The leaf that the following blocks are in.
    fn begin(&mut self, sets: &Sets, leaf: &Leaf);
    /// One block, counted from the start of the window.
    fn add(&mut self, block: usize);
}

/// Runs a ledger over all leaves, for the data blocks of one window. Returned beside the damages
/// are the blocks that each set of devices reaches.
pub(super) fn run(
    leaves: &Leaves<'_>,
    forest: &Forest,
    window: Range<u64>,
    end: u64,
    ledger: &mut impl Ledger,
) -> Result<(Damages, Vec<(SetId, u64)>), MetaError> {
    let wanted: Vec<u32> = (0..).take(forest.leaves().len()).collect();
    let (mut damages, mut beyond) = (Damages::default(), Damages::default());
    let mut reached: Vec<(SetId, u64)> = Vec::new();
    leaves.each(&wanted, &mut damages, &mut |_, leaf, node| {
        ledger.begin(forest.sets(), leaf);
        let (inside, bad) = add_all(node, &window, end, ledger);
        if bad {
            beyond.push(leaf.block.into(), leaves.part(leaf), node_beyond(node, end));
        }
        match reached.last_mut() {
            Some((set, count)) if *set == leaf.set => *count += inside,
            _ => reached.push((leaf.set, inside)),
        }
    })?;
    damages.append(beyond);
    Ok((damages.by_block(), sum_up(reached)))
}

/// A set is added up once, however many leaves it reaches: it may have many runs.
pub(super) fn sum_up(mut reached: Vec<(SetId, u64)>) -> Vec<(SetId, u64)> {
    reached.sort_unstable_by_key(|(set, _)| *set);
    reached.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        kept.1 += if same { next.1 } else { 0 };
        same
    });
    reached
}

/// Notes the blocks of a leaf; how many were in the window, and whether any was behind the end.
pub(super) fn add_all(
    node: Entries<'_>,
    window: &Range<u64>,
    end: u64,
    ledger: &mut impl Ledger,
) -> (u64, bool) {
    let size = window.end.saturating_sub(window.start);
    let (mut inside, mut bad) = (0, false);
    for value in node.numbers() {
        let block = value >> 24;
        let at = block.wrapping_sub(window.start);
        if at < size {
            // below the size of the window, which is that of a table in memory
            ledger.add(usize::try_from(at).unwrap_or(usize::MAX));
            inside += 1;
        } else {
            bad |= block >= end;
        }
    }
    (inside, bad)
}

/// Who owns each block of a window, as far as one device does.
struct Owners {
    table: Vec<u32>,
    exclusive: Vec<u64>,
    distinct: u64,
    held_only: u64,
    leaf: Owner,
}

/// Who reaches a leaf.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Device(u32),
    Several,
    Held,
}

/// No leaf so far.
const NOBODY: u32 = 0;
/// Two places or more.
const SEVERAL: u32 = u32::MAX;
/// Only the metadata snapshot.
const HELD: u32 = u32::MAX - 1;

impl Owners {
    fn new(devices: usize, window: usize) -> Self {
        // zeroed memory that is not touched costs nothing: only blocks in use do
        let (table, exclusive) = (vec![NOBODY; window], vec![0; devices]);
        Self { table, exclusive, distinct: 0, held_only: 0, leaf: Owner::Several }
    }

    fn count(&mut self, owner: u32, more: bool) {
        // device ids have 24 bits, so an index never meets the two marks above
        if let Some(count) = self.exclusive.get_mut(owner.wrapping_sub(1) as usize) {
            *count = if more { *count + 1 } else { count.saturating_sub(1) };
        }
    }

    /// A block that something reached before.
    fn again(&mut self, before: u32) -> u32 {
        match (before, self.leaf) {
            (before, Owner::Held) => before,
            (HELD, _) => {
                self.held_only -= 1;
                self.first_real()
            }
            (SEVERAL, _) => SEVERAL,
            (owner, _) => {
                self.count(owner, false);
                SEVERAL
            }
        }
    }

    fn first(&mut self) -> u32 {
        self.distinct += 1;
        if self.leaf == Owner::Held {
            self.held_only += 1;
            return HELD;
        }
        self.first_real()
    }

    fn first_real(&mut self) -> u32 {
        match self.leaf {
            Owner::Device(device) => {
                self.count(device + 1, true);
                device + 1
            }
            _ => SEVERAL,
        }
    }
}

impl Ledger for Owners {
    fn begin(&mut self, sets: &Sets, leaf: &Leaf) {
        self.leaf = match (sets.only_device(leaf.set), sets.held()) {
            (Some(device), _) => Owner::Device(device),
            (None, Some(held)) if leaf.set == held => Owner::Held,
            _ => Owner::Several,
        };
    }

    fn add(&mut self, block: usize) {
        let Some(before) = self.table.get(block).copied() else { return };
        let after = if before == NOBODY { self.first() } else { self.again(before) };
        self.table[block] = after;
    }
}

/// Bounds on the memory of the table of data blocks.
#[derive(Clone, Copy)]
pub(super) struct TableBounds {
    /// Bytes that it may take at once.
    pub memory: u64,
    /// Passes over the leaves that a large pool may take.
    pub passes: u64,
}

impl TableBounds {
    /// The windows of a pool with so many blocks: one at least, for in a pool that is said to have
    /// none every mapping leads nowhere, which a pass tells.
    pub(super) fn windows(self, end: u64) -> Result<Vec<Range<u64>>, MetaError> {
        let window = (self.memory / 4).max(1);
        if end.div_ceil(window) > self.passes {
            let bytes = |blocks: u64| crate::units::Bytes(blocks.saturating_mul(4));
            let limit = bytes(window.saturating_mul(self.passes));
            let what = "the table of data blocks";
            return Err(MetaError::TooLarge { what, needs: bytes(end), limit });
        }
        let starts = (0..end.div_ceil(window).max(1)).map(|at| at * window);
        Ok(starts.map(|start| start..(start + window).min(end)).collect())
    }
}

/// The sharing of a pool whose groups were worked out, without another pass.
pub(super) fn of_groups(forest: &Forest, details: &Details, tally: Tally) -> Sharing {
    let mut reached = Spans::new(forest.devices().len());
    let mut crowded = false;
    for (set, count) in &tally.reached {
        crowded |= *set == MANY;
        add_reached(&mut reached, &forest.sets().runs(*set), *count);
    }
    let mut reached = reached.sums();
    let devices = rows(forest, details, tally.exclusive, |_| {
        let sum = reached.next().and_then(|sum| u64::try_from(sum).ok());
        sum.filter(|_| !crowded).map(DataBlocks)
    });
    let (distinct, held_only) = (DataBlocks(tally.distinct), DataBlocks(tally.held_only));
    Sharing { devices, reached: distinct, held_only, damages: tally.damages }
}

/// Counts the whole pool.
pub(super) fn count(
    leaves: &Leaves<'_>,
    forest: &Forest,
    details: &Details,
    bounds: TableBounds,
) -> Result<Sharing, MetaError> {
    let end = leaves.end().get();
    let mut sharing = Sharing::default();
    let devices = forest.devices().len();
    let mut exclusive = vec![0_u64; devices];
    let mut reached = Spans::new(devices);
    let mut crowded = false;
    for (pass, window) in bounds.windows(end)?.into_iter().enumerate() {
        let size = usize::try_from(window.end - window.start).unwrap_or(usize::MAX);
        let mut owners = Owners::new(devices, size);
        let (damages, counts) = run(leaves, forest, window, end, &mut owners)?;
        if pass == 0 {
            sharing.damages.append(damages);
        }
        for (set, count) in counts {
            crowded |= set == MANY;
            add_reached(&mut reached, &forest.sets().runs(set), count);
        }
        exclusive.iter_mut().zip(&owners.exclusive).for_each(|(sum, here)| *sum += here);
        sharing.reached = sharing.reached.plus(DataBlocks(owners.distinct));
        sharing.held_only = sharing.held_only.plus(DataBlocks(owners.held_only));
    }
    let mut reached = reached.sums();
    sharing.devices = rows(forest, details, exclusive, |_| {
        let sum = reached.next().and_then(|sum| u64::try_from(sum).ok());
        sum.filter(|_| !crowded).map(DataBlocks)
    });
    Ok(sharing)
}

fn add_reached(reached: &mut Spans, runs: &Runs<'_>, count: u64) {
    let amount = i64::try_from(count).unwrap_or(i64::MAX);
    runs.as_slice().iter().for_each(|run| reached.add(*run, amount));
}

fn rows(
    forest: &Forest,
    details: &Details,
    exclusive: Vec<u64>,
    mut reached: impl FnMut(u32) -> Option<DataBlocks>,
) -> Vec<DeviceSharing> {
    let devices = (0_u32..).zip(forest.devices()).zip(exclusive);
    let row = |((index, id), exclusive): ((u32, &ThinId), u64)| {
        let reached = reached(index);
        let said = details.get(*id).map(|detail| detail.mapped);
        let mapped = said.or(reached).unwrap_or_default();
        let whole = forest.is_whole(index);
        DeviceSharing { id: *id, mapped, reached, exclusive: DataBlocks(exclusive), whole }
    };
    devices.map(row).collect()
}
