//! What deleting a set of devices would give back, exactly.

use std::collections::HashMap;

use super::damage::{Damages, MetaError};
use super::forest::{Forest, Leaf};
use super::leaves::Leaves;
use super::sets::{Run, SetId, Sets};
use super::sharing::{Ledger, TableBounds, run};
use crate::units::DataBlocks;

/// What a deletion would give back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    /// Data blocks that nothing else reaches.
    pub blocks: DataBlocks,
    /// Of these, the ones that a metadata snapshot keeps until it is released.
    pub held: DataBlocks,
    /// Unless empty, `blocks` is an upper bound.
    pub damages: Damages,
}

/// A set of devices that is asked about, with how many of them lie below each index.
pub(super) struct Marked(Vec<u32>);

impl Marked {
    pub(super) fn new(devices: usize, marked: impl IntoIterator<Item = u32>) -> Self {
        let mut flags = vec![0; devices + 1];
        for device in marked {
            if let Some(flag) = flags.get_mut(device as usize + 1) {
                *flag = 1;
            }
        }
        let sums = flags.into_iter().scan(0_u32, |sum, flag| {
            *sum += flag;
            Some(*sum)
        });
        Self(sums.collect())
    }

    fn below(&self, index: u32) -> u32 {
        self.0.get(index as usize).or(self.0.last()).copied().unwrap_or(0)
    }

    /// How many of the run are marked.
    pub(super) fn of(&self, run: Run) -> u32 {
        self.below(run.end).saturating_sub(self.below(run.start))
    }
}

/// Blocks by who reaches them: bit by bit.
struct Kept {
    marked: Marked,
    table: Vec<u8>,
    leaf: u8,
    /// What was worked out for sets of many runs.
    known: HashMap<SetId, u8>,
}

/// Runs that are sooner looked through again than remembered.
const FEW: usize = 8;

/// Reached from a marked device.
const MARKED: u8 = 1;
/// Reached from a device that stays.
const STAYS: u8 = 2;
/// Reached from the metadata snapshot.
const HELD: u8 = 4;

impl Ledger for Kept {
    fn begin(&mut self, sets: &Sets, leaf: &Leaf) {
        let runs = sets.runs(leaf.set);
        let reach = || reach(&self.marked, sets.held(), runs.as_slice());
        self.leaf = if runs.as_slice().len() <= FEW {
            reach()
        } else {
            *self.known.entry(leaf.set).or_insert_with(reach)
        };
    }

    fn add(&mut self, block: usize) {
        if let Some(flags) = self.table.get_mut(block) {
            *flags |= self.leaf;
        }
    }
}

fn reach(marked: &Marked, held: Option<u32>, runs: &[Run]) -> u8 {
    let held = held.unwrap_or(1 << 31);
    // who reaches a leaf of too many devices is not known one by one: it stays
    let mut flags = if runs.is_empty() { STAYS } else { 0 };
    for run in runs {
        let devices = Run { start: run.start, end: run.end.min(held) };
        let (count, hit) = (devices.end - devices.start.min(devices.end), marked.of(devices));
        flags |= if hit > 0 { MARKED } else { 0 };
        flags |= if hit < count { STAYS } else { 0 };
        flags |= if run.end > held { HELD } else { 0 };
    }
    flags
}

/// Counts what would be freed, in one pass over all leaves for each window of data blocks.
pub(super) fn count(
    leaves: &Leaves<'_>,
    forest: &Forest,
    marked: &[u32],
    bounds: TableBounds,
) -> Result<Freed, MetaError> {
    let end = leaves.end().get();
    let mut freed = Freed::default();
    for (pass, window) in bounds.windows(end)?.into_iter().enumerate() {
        let size = usize::try_from(window.end - window.start).unwrap_or(usize::MAX);
        let marked = Marked::new(forest.devices().len(), marked.iter().copied());
        let mut kept = Kept { marked, table: vec![0; size], leaf: 0, known: HashMap::new() };
        let (damages, _) = run(leaves, forest, window, end, &mut kept)?;
        if pass == 0 {
            freed.damages.append(damages);
        }
        #[expect(clippy::naive_bytecount, reason = "once a pass; not worth a crate")]
        let of = |flags: u8| kept.table.iter().filter(|found| **found == flags).count() as u64;
        let held = DataBlocks(of(MARKED | HELD));
        freed.blocks = freed.blocks.plus(DataBlocks(of(MARKED))).plus(held);
        freed.held = freed.held.plus(held);
    }
    Ok(freed)
}
