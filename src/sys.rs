//! The door: everything thinscope learns of a host is a [`Question`] answered through
//! [`ReadHost`].
//!
//! Answers are raw: what the kernel, a file or a tool said, with the time it took. A recording
//! is the list of questions and answers, and replaying it is answering from that list, so that
//! all code behind the door runs the same on a live host, on a recording and in a test. Knows
//! nothing of what an answer means.

pub mod bolt;
pub mod capture;
pub mod live;
pub mod medium;
pub mod question;
pub mod raw;
pub mod write;

use std::time::Duration;

pub use bolt::{BoltBucket, BoltKeep, BoltSeen, BoltValue};
pub use medium::Medium;
pub use question::{
    Answer, DirEntry, DmDevice, DmListed, DmTarget, EntryKind, FailKind, Failure, FileStat,
    FsSpace, HeldBy, HolderSeen, HoldersSeen, HostInfo, Keep, Question, Reply, RunOutput, Source,
    SysBlockDevice, TreeFile,
};
pub use raw::{HostPath, Raw};

/// A host that can be asked, live or recorded. Asking never changes the host.
///
/// Shared between threads: the metadata of a pool is read by one and looked at by another.
pub trait ReadHost: Sync {
    /// Answers one question. What cannot be answered is a [`Failure`] inside the answer, never a
    /// panic.
    fn ask(&self, question: &Question) -> Answer;

    /// Lets time pass before the next question. A recording, which holds what was answered then,
    /// need not.
    fn wait(&self, _time: Duration) {}

    /// Fills `into` from an offset, as [`Question::Read`] does: right there, where a host can. Of
    /// one page and more of whole blocks at a time, where `into` begins at a page.
    fn read_into(&self, of: &Medium, offset: u64, into: &mut [u8]) -> Result<(), Failure> {
        let length = u32::try_from(into.len()).unwrap_or(u32::MAX);
        match self.ask(&Question::Read { of: of.clone(), offset, length }).result? {
            Reply::Bytes(bytes) if bytes.0.len() == into.len() => {
                into.copy_from_slice(&bytes.0);
                Ok(())
            }
            _ => {
                let why = format!("{}: the answer is of another form", of.describe());
                Err(Failure { kind: FailKind::Malformed, why })
            }
        }
    }
}
