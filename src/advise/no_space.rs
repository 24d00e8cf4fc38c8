//! What becomes of a write that needs a new block where a pool has none: by its status, its table
//! and the kernel's time to wait.

use crate::model::{Mode, NoSpace, Pool, PoolStatus, Topology};

/// What the kernel does with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The pool is read-only, whatever else is said.
    ReadOnly,
    /// It waits for so many seconds at most, where that was read, and fails then.
    Waits(Option<u64>),
    /// It waits until the pool is grown.
    WaitsForEver,
    /// It waited, and has failed; the next ones fail at once.
    HasFailed,
    /// It fails at once, because the table asks for that.
    FailsAsAsked,
    /// It fails at once by the status, and the table was not seen to ask for it.
    Fails,
    /// A word of the kernel's that nobody knows.
    Unknown(String),
    /// The status says nothing of it.
    NotSaid,
}

/// The status says what is in force, the table what was asked for; where they differ the wait
/// has ended (`formats.md` 5.1).
pub(super) fn fate(topology: &Topology, pool: &Pool, status: &PoolStatus) -> Fate {
    let asked_to_fail = pool.options.iter().any(|option| option == "error_if_no_space");
    match &status.no_space {
        _ if status.mode == Mode::Ro => Fate::ReadOnly,
        Some(NoSpace::Error) if asked_to_fail => Fate::FailsAsAsked,
        Some(NoSpace::Error) if status.mode == Mode::OutOfDataSpace => Fate::HasFailed,
        Some(NoSpace::Error) => Fate::Fails,
        Some(NoSpace::Queue) if topology.host.no_space_timeout == Some(0) => Fate::WaitsForEver,
        Some(NoSpace::Queue) => Fate::Waits(topology.host.no_space_timeout),
        Some(NoSpace::Unknown(word)) => Fate::Unknown(word.to_string()),
        None => Fate::NotSaid,
    }
}

impl Fate {
    /// Of a pool that is full now: the second half of a sentence.
    pub(super) fn now(&self) -> String {
        match self {
            Self::ReadOnly => {
                "the pool is read-only as well, and a write that needs a new one fails".to_owned()
            }
            Self::Waits(_) => "the next write that needs a new one waits, then fails".to_owned(),
            Self::WaitsForEver => {
                "the next write that needs a new one waits until the pool is grown, without end"
                    .to_owned()
            }
            Self::HasFailed => {
                "writes that needed a new one have waited in vain, and the next ones fail at once"
                    .to_owned()
            }
            Self::FailsAsAsked => {
                "a write that needs a new one fails at once, as its table asks".to_owned()
            }
            Self::Fails => "a write that needs a new one fails at once".to_owned(),
            Self::Unknown(word) => {
                format!("the kernel says {word} of what happens to a write that needs a new one")
            }
            Self::NotSaid => "a write that needs a new one waits or fails".to_owned(),
        }
    }

    /// Of a pool that will be full: the end of a sentence.
    pub(super) fn when_full(&self) -> String {
        let writes = match self {
            Self::ReadOnly => {
                return "it is read-only, so that writes that need a new block fail already"
                    .to_owned();
            }
            Self::Waits(_) => "writes wait and then fail",
            Self::WaitsForEver => "writes wait until it is grown, without end",
            Self::FailsAsAsked => "writes fail at once, as its table asks",
            Self::Fails | Self::HasFailed => "writes fail at once",
            Self::Unknown(_) | Self::NotSaid => "writes wait or fail",
        };
        format!("when it is full, {writes}")
    }

    /// Whether somebody's write may be waiting.
    pub(super) const fn may_wait(&self) -> bool {
        !matches!(self, Self::ReadOnly | Self::HasFailed | Self::FailsAsAsked | Self::Fails)
    }
}
