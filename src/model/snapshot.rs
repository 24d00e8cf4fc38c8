//! One immutable picture of a host, which screens and reports are drawn from.

use std::sync::Arc;

use super::finding::{Finding, Gap};
use super::topology::Topology;
use super::trend::Trends;
use crate::text::Printable;

/// Where a picture comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This host, now.
    Live,
    /// A recording.
    Recorded {
        /// The file, or the name of the demo.
        name: Printable,
    },
}

/// The host, in a line.
#[derive(Clone, Debug)]
pub struct HostLine {
    /// Its name.
    pub name: Printable,
    /// Its kernel.
    pub kernel: Printable,
    /// Seconds since 1970 when it was looked at.
    pub time: i64,
    /// Whether it was looked at as root.
    pub root: bool,
}

/// How old one source's answer is, or that there is none yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceAge {
    /// The source's name.
    pub source: &'static str,
    /// Milliseconds since 1970 of the newest whole answer; `None` while loading or when it never
    /// answered.
    pub answered_at_ms: Option<i64>,
    /// It is being asked since this moment.
    pub asking_since_ms: Option<i64>,
    /// The newest attempt failed.
    pub silent: bool,
    /// It was asked to the end, and could not be read: a gap says why. One file or device of it
    /// that gave no answer does not make it so, nor does an engine that is not installed.
    pub failed: bool,
    /// How far a long look has come: parts done, and of how many.
    pub progress: Option<(u64, u64)>,
}

/// All that was seen.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Counts up with each published picture.
    pub generation: u64,
    /// From where.
    pub origin: Origin,
    /// Whose.
    pub host: HostLine,
    /// How old each source is.
    pub sources: Vec<SourceAge>,
    /// The storage; the same one as before when nothing of it changed.
    pub topology: Arc<Topology>,
    /// What is wrong, gravest first.
    pub findings: Vec<Finding>,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
    /// What earlier looks tell of the pools; nothing where nobody kept them.
    pub trends: Arc<Trends>,
}

impl Snapshot {
    /// When a source last answered, in milliseconds since 1970.
    pub fn answered_at_ms(&self, source: &str) -> Option<i64> {
        self.sources.iter().find(|one| one.source == source)?.answered_at_ms
    }
}
