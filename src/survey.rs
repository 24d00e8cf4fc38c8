//! When and how a host is looked at: every source in a child process of its own, each with its
//! own time limit, put together into one [`Snapshot`](crate::model::Snapshot) after another.
//!
//! [`look_once`] serves the commands, [`Survey`] the screen, [`capture`] writes a recording. A
//! recorded host goes the same way without children. Knows nothing of what is asked (`probe`,
//! `owner`) or drawn.
//!
//! The pools' metadata is looked at last, because only the others tell where it lies. Its child
//! reads and counts, and prints what it found instead of what it read: that may be gigabytes.
//!
//! ```text
//!  look_once ─┐             ┌─ child: host ─▶ lines ─┐
//!  Survey ────┼─▶ ask ─▶ ───┼─ child: dm ───▶ lines ─┼─▶ facts ─▶ picture ─▶ Snapshot
//!  capture ───┘             └─ child: lvm … over its limit: killed, a gap
//! ```

mod ask;
mod child;
mod common;
mod follow;
mod look;
mod order;
mod picture;
mod questions;
mod recorded;
mod signs;
mod turn;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::Duration;

use crate::probe::metadata::{Depth, Wish};
use crate::probe::{LookOptions, lvm};
use crate::sys::live::child::THIS_PROGRAM;
use crate::sys::{Question, Source};

pub use child::{child_main, is_child};
pub use follow::{Pause, Survey, Watched};
pub use look::{Looked, capture, capture_name, hatch, look_once, look_with};
pub use questions::ask_questions;

/// Where to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// This host, or a file tree mounted on it.
    Live {
        /// The tree, absolute.
        root: Option<PathBuf>,
    },
    /// A recorded host.
    File(PathBuf),
    /// A recorded host that is built in.
    Demo {
        /// Its name.
        name: &'static str,
        /// The recording.
        bytes: &'static [u8],
    },
}

/// How long a source may be silent: one that is merely slow, or large, is seen whole.
const SILENCE: Duration = Duration::from_secs(20);

/// How long each source is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Device-mapper: again for every device that hangs, three times at most.
    pub dm: Duration,
    /// Block devices.
    pub block: Duration,
    /// Mounts.
    pub mounts: Duration,
    /// LVM, all of its calls together: each has a limit of its own, and is silent until it ends.
    pub lvm: Duration,
    /// Docker's files.
    pub docker: Duration,
    /// containerd's databases.
    pub containerd: Duration,
    /// The pools' metadata.
    pub metadata: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            dm: seconds(10),
            block: seconds(10),
            mounts: seconds(10),
            lvm: lvm::LONGEST,
            docker: SILENCE,
            containerd: SILENCE,
            metadata: SILENCE,
        }
    }
}

impl Limits {
    /// The limit of one source.
    pub const fn of(&self, source: Source) -> Duration {
        match source {
            Source::Dm => self.dm,
            Source::Block | Source::Host => self.block,
            Source::Mounts => self.mounts,
            Source::Lvm => self.lvm,
            Source::Docker => self.docker,
            Source::Containerd => self.containerd,
            Source::Metadata => self.metadata,
        }
    }
}

/// How long a look with this limit waits for the answer to a question: for a program's all of it.
fn silence(limit: Duration, asking: Option<&Question>) -> Duration {
    match asking {
        Some(Question::Run(_)) => limit,
        _ => limit.min(SILENCE),
    }
}

/// Where, at what and for how long to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookPlan {
    /// Where.
    pub place: Place,
    /// What a person said about it. A recording's own options win.
    pub options: LookOptions,
    /// Which sources; all of them unless somebody needs fewer.
    pub sources: Vec<Source>,
    /// How much of the pools' metadata, and what is asked of it.
    pub metadata: Wish,
    /// For how long.
    pub limits: Limits,
    /// The program that is started as probe child: this one.
    pub program: PathBuf,
}

impl LookPlan {
    /// A look at everything.
    pub fn new(place: Place, options: LookOptions) -> Self {
        Self {
            place,
            options,
            sources: Source::ALL.to_vec(),
            metadata: Wish::of(Depth::Details),
            limits: Limits::default(),
            program: PathBuf::from(THIS_PROGRAM),
        }
    }
}

/// Why there is nothing to see at all, in words.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// The recording cannot be read.
    #[error("{name}: {why}")]
    Recording {
        /// The file or demo.
        name: String,
        /// Why.
        why: String,
    },
    /// A recording where a live host is needed.
    #[error("{0} is a recorded host already: `thinscope capture` records a live one")]
    AlreadyRecorded(String),
    /// The system refused something that every look needs.
    #[error("{what}: {error}")]
    System {
        /// What was to be done.
        what: &'static str,
        /// The system's words.
        error: std::io::Error,
    },
}
