//! How a pool's fill has moved, and when it would be full.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::text::Printable;

/// Where it goes on as it went: when what is free now would be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Forecast {
    /// Seconds until it is full at the middle pace.
    pub full_in_seconds: u64,
    /// At the pace of the fastest quarter.
    pub earliest_seconds: u64,
    /// At the pace of the slowest quarter.
    pub latest_seconds: u64,
    /// From how many looks.
    pub looks: u32,
    /// Over how many seconds.
    pub over_seconds: u64,
}

/// One thing that fills.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trend {
    /// How full it was, 0 to 1, in equal steps up to now; `None` where nobody looked.
    pub steps: Vec<Option<f64>>,
    /// Seconds that the steps are long together.
    pub over_seconds: u64,
    /// When it would be full, where that can be said.
    pub forecast: Option<Forecast>,
}

/// Data and metadata of a pool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PoolTrend {
    /// Data.
    pub data: Trend,
    /// Metadata.
    pub metadata: Trend,
}

/// What earlier looks tell, pool by pool.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trends {
    /// By the pool's device-mapper name.
    pub pools: BTreeMap<Printable, PoolTrend>,
    /// Where the history is kept and how large it is, or why there is none.
    pub place: Option<Printable>,
}

impl Trends {
    /// A pool's.
    pub fn of(&self, pool: &Printable) -> Option<&PoolTrend> {
        self.pools.get(pool)
    }
}
