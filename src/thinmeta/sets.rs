//! Sets of devices: who reaches a node, who uses a block.
//!
//! A set is kept once, as runs of device indices, because layers that share something were
//! mostly made one after another. Memory is bounded: beyond the budget a set becomes [`MANY`],
//! which still says "two or more" but no longer which.

use std::collections::HashMap;
use std::sync::Arc;

/// The name of a set: a device's own index for the set of that device alone, or a number given
/// by [`Sets`].
pub(super) type SetId = u32;

/// Two or more devices that are not known one by one.
pub(super) const MANY: SetId = u32::MAX;

/// An index that no device has: ids, and so indices, have 24 bits.
const NO_DEVICE: u32 = 1 << 31;

/// Device indices from `start` up to, and without, `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Run {
    /// The first index.
    pub start: u32,
    /// The index behind the last.
    pub end: u32,
}

/// All sets that were met.
#[derive(Clone)]
pub struct Sets {
    /// Devices, the sets of one.
    singles: u32,
    /// The index that counts but is no device: the metadata snapshot's.
    held: Option<u32>,
    runs: Vec<Arc<[Run]>>,
    ids: HashMap<Arc<[Run]>, SetId>,
    /// Runs that may still be kept.
    budget: usize,
    /// Runs that may still be looked at, of so many at first.
    work: usize,
    allowed: usize,
}

/// How often the runs that may be kept may be looked at, on the average: a hostile image could
/// else have a set of a million runs joined with each of a million leaves.
const LOOKS: usize = 16;
/// Runs in a union that are looked at for nothing: a set of one device with the metadata snapshot
/// has two, and is never to be lumped with others.
const FEW: usize = 8;

/// A union, and whether a device was in more than one of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Union {
    /// The union.
    pub set: SetId,
    /// Whether the parts overlap in a device.
    pub overlap: bool,
}

impl Sets {
    /// For so many devices, with the index of the metadata snapshot behind them if there is one.
    pub fn new(devices: u32, held: bool, budget: usize) -> Self {
        let held = held.then_some(devices);
        let singles = devices + u32::from(held.is_some());
        let work = budget.saturating_mul(LOOKS);
        Self { singles, held, runs: Vec::new(), ids: HashMap::new(), budget, work, allowed: work }
    }

    /// The same sets, for another piece of work.
    pub fn rested(&self) -> Self {
        Self { work: self.allowed, ..self.clone() }
    }

    /// The index of the metadata snapshot.
    pub fn held(&self) -> Option<u32> {
        self.held
    }

    /// The runs of a set; of [`MANY`], none.
    pub fn runs(&self, set: SetId) -> Runs<'_> {
        if set < self.singles {
            return Runs::One(Run { start: set, end: set + 1 });
        }
        let runs = self.runs.get((set - self.singles) as usize);
        Runs::Some(runs.map_or(&[], |runs| runs))
    }

    /// The one device of a set that has only one, the metadata snapshot not counted.
    pub fn only_device(&self, set: SetId) -> Option<u32> {
        let held = self.held.unwrap_or(NO_DEVICE);
        if set < self.singles {
            return (set != held).then_some(set);
        }
        match self.runs(set).as_slice() {
            [one] if one.end - one.start == 1 + u32::from(one.end == held + 1) => Some(one.start),
            [one, last] if one.end - one.start == 1 && last.start == held => Some(one.start),
            _ => None,
        }
    }

    /// The lowest device of a set.
    pub fn first_device(&self, set: SetId) -> Option<u32> {
        let first = self.runs(set).as_slice().first()?.start;
        (Some(first) != self.held).then_some(first)
    }

    /// The union of several sets.
    pub fn union(&mut self, parts: &[SetId]) -> Union {
        if let [set] = parts {
            return Union { set: *set, overlap: false };
        }
        if parts.contains(&MANY) {
            return Union { set: MANY, overlap: false };
        }
        let cost: usize = parts.iter().map(|part| self.runs(*part).as_slice().len()).sum();
        if !self.afford(cost) {
            return Union { set: MANY, overlap: false };
        }
        let mut runs: Vec<Run> = Vec::with_capacity(cost);
        for part in parts {
            runs.extend_from_slice(self.runs(*part).as_slice());
        }
        runs.sort_unstable();
        let overlap = self.merge(&mut runs);
        Union { set: self.intern(&runs), overlap }
    }

    /// Whether so many runs may be looked at once more, which they then were.
    pub(super) fn afford(&mut self, cost: usize) -> bool {
        if cost <= FEW {
            return true;
        }
        let left = self.work.checked_sub(cost);
        self.work = left.unwrap_or(self.work);
        left.is_some()
    }

    /// Joins sorted runs in place; whether any device was in two.
    pub(super) fn merge(&self, runs: &mut Vec<Run>) -> bool {
        let held = self.held.unwrap_or(NO_DEVICE);
        let mut overlap = false;
        runs.dedup_by(|next, run| {
            let joins = next.start <= run.end;
            if joins {
                overlap |= next.start < run.end.min(held);
                run.end = run.end.max(next.end);
            }
            joins
        });
        overlap
    }

    /// The name of joined runs.
    pub(super) fn intern(&mut self, runs: &[Run]) -> SetId {
        match runs {
            [one] if one.end - one.start == 1 => return one.start,
            _ => {}
        }
        if let Some(set) = self.ids.get(runs) {
            return *set;
        }
        // a device and the metadata snapshot: one such set a device at most, and never lumped
        // with others, for it is not shared
        let lone = matches!(runs, [one] | [one, _] if one.end - one.start <= 2)
            && runs.last().is_some_and(|last| Some(last.end - 1) == self.held)
            && runs.iter().map(|run| run.end - run.start).sum::<u32>() == 2;
        // a set costs its runs, and about eight of them for the bookkeeping
        let cost = runs.len() + 8;
        let next = u32::try_from(self.runs.len()).ok().and_then(|n| n.checked_add(self.singles));
        let left = self.budget.checked_sub(cost).or(lone.then_some(self.budget));
        let (Some(set), Some(left)) = (next.filter(|n| *n < MANY), left) else {
            return MANY;
        };
        self.budget = left;
        let runs: Arc<[Run]> = runs.into();
        self.runs.push(Arc::clone(&runs));
        self.ids.insert(runs, set);
        set
    }
}

/// Amounts added to whole runs of devices, each at the cost of its two ends.
pub(super) struct Spans(Vec<i64>);

impl Spans {
    /// Nothing yet for so many devices.
    pub(super) fn new(devices: usize) -> Self {
        Self(vec![0; devices + 2])
    }

    /// Adds `amount` to every device of the run.
    pub(super) fn add(&mut self, run: Run, amount: i64) {
        if let Some(start) = self.0.get_mut(run.start as usize) {
            *start = start.saturating_add(amount);
        }
        if let Some(end) = self.0.get_mut(run.end as usize) {
            *end = end.saturating_sub(amount);
        }
    }

    /// What every device got.
    pub(super) fn sums(&self) -> impl Iterator<Item = i64> + '_ {
        let devices = self.0.len().saturating_sub(2);
        let running = self.0.iter().scan(0_i64, |sum, step| {
            *sum = sum.saturating_add(*step);
            Some(*sum)
        });
        running.take(devices)
    }
}

/// The runs of one set.
pub enum Runs<'a> {
    /// Of a single device.
    One(Run),
    /// Of a set that is kept.
    Some(&'a [Run]),
}

impl Runs<'_> {
    /// As a slice.
    pub fn as_slice(&self) -> &[Run] {
        match self {
            Self::One(run) => std::slice::from_ref(run),
            Self::Some(runs) => runs,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(sets: &Sets, set: SetId) -> Vec<u32> {
        sets.runs(set).as_slice().iter().flat_map(|run| run.start..run.end).collect()
    }

    #[test]
    fn equal_sets_have_one_name_however_they_came_about() {
        let mut sets = Sets::new(10, false, 1000);
        let low = sets.union(&[1, 2]).set;
        let high = sets.union(&[3, 7]).set;
        let one = sets.union(&[low, high]);
        let other = sets.union(&[7, 3, 2, 1]);
        assert_eq!(one, other);
        assert!(!one.overlap);
        assert_eq!(members(&sets, one.set), [1, 2, 3, 7]);
        assert_eq!(sets.union(&[4, 4]), Union { set: 4, overlap: true });
    }

    #[test]
    fn the_metadata_snapshot_makes_nothing_shared_and_nothing_double() {
        let mut sets = Sets::new(4, true, 1000);
        let held = sets.held().expect("there is one");
        for device in 0..4 {
            let both = sets.union(&[device, held]).set;
            assert_eq!(sets.only_device(both), Some(device));
            assert!(!sets.union(&[both, held]).overlap);
        }
        let two = sets.union(&[2, 3]).set;
        assert_eq!(sets.only_device(two), None);
        let apart = sets.union(&[0, 3, held]).set;
        assert_eq!(sets.only_device(apart), None);
        assert_eq!((sets.only_device(held), sets.first_device(held)), (None, None));
    }

    #[test]
    fn unions_that_cost_more_than_may_be_looked_at_are_many_and_small_ones_are_not() {
        let mut sets = Sets::new(1000, true, 100);
        let odd: Vec<u32> = (0..50).map(|n| n * 2 + 1).collect();
        let wide = sets.union(&odd).set;
        assert_eq!(sets.runs(wide).as_slice().len(), 50);
        // sixteen hundred runs in all, of which fifty were looked at
        let looked = (0..200).take_while(|_| sets.union(&[wide, 3]).set == wide).count();
        assert_eq!(looked, 1550 / 51);
        assert_eq!(sets.union(&[wide, 3]).set, MANY);
        assert_eq!(sets.rested().union(&[wide, 3]).set, wide);
        let held = sets.held().expect("there is one");
        let lone = sets.union(&[7, held]).set;
        assert_eq!(sets.only_device(lone), Some(7));
    }

    #[test]
    fn beyond_the_budget_a_set_is_many_and_stays_it() {
        let mut sets = Sets::new(10, false, 12);
        let kept = sets.union(&[1, 3]).set;
        assert_ne!(kept, MANY);
        assert_eq!(sets.union(&[2, 5]).set, MANY);
        assert_eq!(sets.union(&[1, 3]).set, kept);
        assert_eq!(sets.union(&[kept, MANY]).set, MANY);
        assert!(members(&sets, MANY).is_empty());
        assert_eq!(sets.only_device(MANY), None);
    }
}
