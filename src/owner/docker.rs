//! (being built)

use super::Owned;
use crate::model::{Gap, Pool, Topology};
use crate::probe::LookOptions;
use crate::sys::ReadHost;

/// What Docker's files say.
#[derive(Clone, Debug, Default)]
pub struct DockerFacts {
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

/// Reads all data roots of Docker.
pub fn read_docker(_host: &dyn ReadHost, _options: &LookOptions) -> DockerFacts {
    DockerFacts::default()
}

/// Pools and devices that Docker's files name.
pub fn owned(_facts: &DockerFacts) -> Owned {
    Owned::default()
}

/// `docker info`'s driver section.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriverStatus {
    /// Key and value in docker's order.
    pub lines: Vec<(String, String)>,
    /// Keys that only a living daemon can know.
    pub unknown: Vec<String>,
}

/// The driver section for one pool of one root, computed without the daemon.
pub fn driver_status(
    _facts: &DockerFacts,
    _root_index: usize,
    _pool: &Pool,
    _topology: &Topology,
) -> DriverStatus {
    DriverStatus::default()
}
