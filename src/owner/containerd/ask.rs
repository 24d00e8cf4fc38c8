//! Asks for containerd's files and turns what could not be had into gaps that say what to do.
//!
//! Knows paths and failures, and nothing of what the files mean.

use crate::model::Gap;
use crate::sys::{
    BoltKeep, BoltSeen, DirEntry, FailKind, Failure, FileStat, HostPath, Keep, Question, ReadHost,
    Reply,
};
use crate::text::Printable;

/// The source's name in gaps.
const SOURCE: &str = "containerd";

/// A host being asked for containerd's files, with the gaps so far.
pub(super) struct Asker<'a> {
    host: &'a dyn ReadHost,
    gaps: Vec<Gap>,
    /// Something is there without which nothing is known, and it could not be read.
    pub(super) closed: bool,
}

impl<'a> Asker<'a> {
    /// Nothing asked yet.
    pub(super) fn new(host: &'a dyn ReadHost) -> Self {
        Self { host, gaps: Vec::new(), closed: false }
    }

    /// The gaps in the order in which they were met, none twice.
    pub(super) fn into_gaps(self) -> Vec<Gap> {
        self.gaps
    }

    /// Notes something that could not be seen; the same is noted once.
    pub(super) fn gap(&mut self, why: impl AsRef<str>) {
        let gap = Gap::new(SOURCE, why);
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }

    /// Notes that `path` could not be read. What is not there is no gap; of what is not recorded
    /// tells who replays the recording.
    fn failed(&mut self, path: &HostPath, failure: &Failure) {
        if !matches!(failure.kind, FailKind::NotFound | FailKind::NotRecorded) {
            self.gap(sentence(path, failure));
        }
    }

    /// What nothing is known without: noted where it is there and could not be read.
    pub(super) fn essential<T>(&mut self, ask: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let before = self.gaps.len();
        let answer = ask(self);
        self.closed |= answer.is_none() && self.gaps.len() > before;
        answer
    }

    /// What is asked, where the answer is of the form that it must have.
    fn reply(&mut self, path: &HostPath, question: &Question) -> Option<Reply> {
        match self.host.ask(question).result {
            Ok(reply) => Some(reply),
            Err(failure) => {
                self.failed(path, &failure);
                None
            }
        }
    }

    /// A configuration's kept keys as JSON.
    pub(super) fn config(&mut self, path: &HostPath) -> Option<Vec<u8>> {
        let keep = Keep::ContainerdConfig;
        let question = Question::File { path: path.clone(), keep, within: None };
        match self.reply(path, &question)? {
            Reply::Bytes(bytes) => Some(bytes.0),
            _ => None,
        }
    }

    /// The kept keys of a database.
    pub(super) fn database(&mut self, path: &HostPath, keep: BoltKeep) -> Option<BoltSeen> {
        match self.reply(path, &Question::Bolt { path: path.clone(), keep })? {
            Reply::Bolt(seen) => Some(seen),
            _ => None,
        }
    }

    /// The newest transaction of a database.
    pub(super) fn transaction(&mut self, path: &HostPath) -> Option<u64> {
        self.database(path, BoltKeep::Transaction).map(|seen| seen.transaction)
    }

    /// The entries of a folder; `None` when it is not there or could not be read (then with a
    /// gap).
    pub(super) fn entries(&mut self, dir: &HostPath) -> Option<Vec<DirEntry>> {
        match self.reply(dir, &Question::Dir(dir.clone()))? {
            Reply::Entries(entries) => Some(entries),
            _ => None,
        }
    }

    /// What only helps to judge: without an answer nothing is missing that was promised.
    pub(super) fn quietly(&self, question: &Question) -> Option<Reply> {
        self.host.ask(question).result.ok()
    }

    /// A file's inode, where it can be had.
    pub(super) fn stat(&self, path: &HostPath) -> Option<FileStat> {
        match self.quietly(&Question::Stat(path.clone()))? {
            Reply::Stat(stat) => Some(stat),
            _ => None,
        }
    }
}

/// The fact, the cause, what can be done. The door's words begin with the path where they come
/// from a file, and then say for themselves who may read it.
fn sentence(path: &HostPath, failure: &Failure) -> String {
    let path = Printable::from_bytes(&path.0.0);
    let why = &failure.why;
    let fact = if why.contains(path.as_str()) { why.clone() } else { format!("{path}: {why}") };
    let advice = match failure.kind {
        FailKind::Denied if why.contains("sudo") => return fact,
        FailKind::Denied => "look as root to see it",
        FailKind::TimedOut => "the filesystem under it does not answer; look at the kernel log",
        FailKind::Malformed => "containerd refuses it too; what it says is missing here",
        FailKind::TooLarge => "what it says is missing here",
        FailKind::LeadsOut | FailKind::NotRecorded | FailKind::NotFound | FailKind::Other => {
            "look again"
        }
    };
    format!("{fact}; {advice}")
}
