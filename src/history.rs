//! How full the pools were at earlier looks: kept small, read back whatever became of the file, and
//! continued into a forecast.
//!
//! Pure: samples and moments in, text and trends out. Knows nothing of files or clocks.

mod file;
mod forecast;
mod keep;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::trend::{PoolTrend, Trend, Trends};
use crate::model::{Pool, Topology, Usage};
use crate::text::Printable;
use crate::units::Bytes;

pub use file::{Damage, LARGEST};

/// Pools of which a history is kept.
const MOST_POOLS: usize = 64;
/// A clock that says less has not been set: 2020.
const CLOCK_IS_SET: i64 = 1_577_836_800;
/// How far ahead a sample of another run may lie that looked a moment later, in seconds.
const AHEAD: i64 = 120;
/// Where nothing moved, a sample is taken this often, in seconds.
const QUIET: i64 = 60;
/// Where something did, this often.
const BUSY: i64 = 10;

/// How full a pool was at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Seconds since 1970.
    pub time: i64,
    /// Data.
    pub data: Usage<Bytes>,
    /// Metadata.
    pub metadata: Usage<Bytes>,
}

/// Samples of all pools, each in the order of time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    pools: BTreeMap<Printable, Vec<Sample>>,
}

impl History {
    /// Notes how full each pool is now; how many samples that added. A clock that was set back
    /// takes what now lies ahead of it out, one that was never set changes nothing.
    pub fn look(&mut self, topology: &Topology, now: i64) -> usize {
        if now < CLOCK_IS_SET {
            return 0;
        }
        self.forget_after(now);
        self.make_room(topology);
        let seen = topology.pools.iter().filter_map(|pool| Some((&pool.name, sample(pool, now)?)));
        let mut added = 0;
        for (name, sample) in seen {
            added += usize::from(self.add(name, sample));
        }
        added
    }

    /// Adds one, unless there is one that is as good; whether it was added.
    pub fn add(&mut self, pool: &Printable, sample: Sample) -> bool {
        if self.pools.len() >= MOST_POOLS && !self.pools.contains_key(pool) {
            return false;
        }
        let samples = self.pools.entry(pool.clone()).or_default();
        if let Some(last) = samples.last() {
            let moved = (last.data, last.metadata) != (sample.data, sample.metadata);
            let since = sample.time.saturating_sub(last.time);
            if since < if moved { BUSY } else { QUIET } {
                return false;
            }
        }
        samples.push(sample);
        keep::thin_out(samples, sample.time);
        true
    }

    /// Takes in what another run has kept, seen from now: what lies ahead was noted by a clock that
    /// was wrong, and would make all that is true look too old to be kept.
    pub fn merge(&mut self, other: &Self, now: i64) {
        for (pool, samples) in &other.pools {
            let own = self.pools.entry(pool.clone()).or_default();
            own.extend(samples);
            own.sort_by_key(|sample| sample.time);
            own.dedup_by_key(|sample| sample.time);
        }
        if now >= CLOCK_IS_SET {
            self.forget_after(now.saturating_add(AHEAD));
        }
        for samples in self.pools.values_mut() {
            if let Some(newest) = samples.last().map(|sample| sample.time) {
                keep::thin_out(samples, newest);
            }
        }
        self.evict(|_| true, MOST_POOLS);
    }

    fn forget_after(&mut self, moment: i64) {
        self.pools.retain(|_, samples| {
            samples.retain(|sample| sample.time <= moment);
            !samples.is_empty()
        });
    }

    /// Pools that are not there any more go where new ones need their place.
    fn make_room(&mut self, topology: &Topology) {
        let there: BTreeSet<&Printable> = topology.pools.iter().map(|pool| &pool.name).collect();
        let new = there.iter().filter(|name| !self.pools.contains_key(**name)).count();
        self.evict(|name| !there.contains(name), MOST_POOLS.saturating_sub(new));
    }

    /// Takes out the pools that nobody has seen for longest until no more than these are left, or
    /// none of those that may go.
    fn evict(&mut self, may_go: impl Fn(&Printable) -> bool, most: usize) {
        while self.pools.len() > most {
            let newest = |samples: &Vec<Sample>| samples.last().map(|sample| sample.time);
            let gone = self.pools.iter().filter(|(name, _)| may_go(name));
            let oldest = gone.min_by_key(|(_, samples)| newest(samples));
            let Some(name) = oldest.map(|(name, _)| name.clone()) else { return };
            self.pools.remove(&name);
        }
    }

    /// How many samples there are.
    pub fn len(&self) -> usize {
        self.pools.values().map(Vec::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What it tells of each pool, seen from now.
    pub fn trends(&self, now: i64) -> Trends {
        let trend = |samples: &[Sample], usage: fn(&Sample) -> Usage<Bytes>| {
            let (steps, over_seconds) = steps::steps(samples, usage, now);
            Trend { steps, over_seconds, forecast: forecast::forecast(samples, usage, now) }
        };
        let pools = self.pools.iter().map(|(pool, samples)| {
            let (data, metadata) =
                (trend(samples, |sample| sample.data), trend(samples, |sample| sample.metadata));
            (pool.clone(), PoolTrend { data, metadata })
        });
        Trends { pools: pools.collect(), place: None }
    }
}

fn sample(pool: &Pool, time: i64) -> Option<Sample> {
    Some(Sample { time, data: pool.data_usage()?, metadata: pool.metadata_usage()? })
}

#[cfg(test)]
mod tests;
