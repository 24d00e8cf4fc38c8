//! The made-up host alone, for programs that share nothing else with the benchmarks.

pub(crate) mod files;
pub(crate) mod synthetic;
