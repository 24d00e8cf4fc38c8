//! Asks for Docker's files and turns what could not be had into gaps that say what to do.
//!
//! Knows paths and failures, and nothing of what the files mean.

use crate::model::Gap;
use crate::sys::{
    DirEntry, FailKind, Failure, FileStat, FsSpace, HostPath, Keep, Question, ReadHost, Reply,
    TreeFile,
};
use crate::text::Printable;

/// The source's name in gaps.
const SOURCE: &str = "docker";

/// An answer of another kind than the question: only a damaged recording does that.
const ANOTHER: &str = "the recording answers another question";

/// A host being asked for Docker's files, with the gaps so far.
pub(super) struct Asker<'a> {
    host: &'a dyn ReadHost,
    gaps: Vec<Gap>,
    /// A place where a data root is looked for could not be looked at.
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

    /// Notes that `path` could not be read. What is not there is no gap.
    pub(super) fn failed(&mut self, path: &HostPath, failure: &Failure) {
        if failure.kind != FailKind::NotFound {
            self.gap(sentence(path, failure));
        }
    }

    /// Notes that several files of one folder could not be read, in one gap.
    pub(super) fn several_failed(&mut self, dir: &HostPath, failures: &[(Printable, Failure)]) {
        let Some((name, failure)) = failures.first() else { return };
        let first = sentence(&dir.join(name.as_str()), failure);
        match failures.len() - 1 {
            0 => self.gap(first),
            others => self.gap(format!("{first} (and {others} more files in that folder)")),
        }
    }

    /// A file's bytes; `None` when it is not there or could not be read (then with a gap).
    pub(super) fn file(
        &mut self,
        path: HostPath,
        keep: Keep,
        within: Option<&HostPath>,
    ) -> Option<Vec<u8>> {
        let question = Question::File { path, keep, within: within.cloned() };
        let answer = self.host.ask(&question);
        let Question::File { path, .. } = question else { return None };
        match answer.result {
            Ok(Reply::Bytes(bytes)) => Some(bytes.0),
            Ok(_) => self.nothing(&path),
            Err(failure) => {
                self.failed(&path, &failure);
                None
            }
        }
    }

    /// All files of a folder; `None` when the folder could not be read (then with a gap), empty
    /// when it is not there.
    pub(super) fn tree(
        &mut self,
        dir: &HostPath,
        depth: u8,
        names: &[&str],
        keep: Keep,
    ) -> Option<Vec<TreeFile>> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let answer = self.host.ask(&Question::Tree { dir: dir.clone(), depth, names, keep });
        match answer.result {
            Ok(Reply::Tree(files)) => Some(files),
            Ok(_) => self.nothing(dir),
            Err(failure) if failure.kind == FailKind::NotFound => Some(Vec::new()),
            Err(failure) => {
                self.failed(dir, &failure);
                None
            }
        }
    }

    /// The entries of a folder; empty when it is not there or could not be read (then with a
    /// gap).
    pub(super) fn entries(&mut self, dir: &HostPath) -> Vec<DirEntry> {
        match self.host.ask(&Question::Dir(dir.clone())).result {
            Ok(Reply::Entries(entries)) => entries,
            Ok(_) => self.nothing(dir).unwrap_or_default(),
            Err(failure) => {
                self.failed(dir, &failure);
                Vec::new()
            }
        }
    }

    /// A file's or folder's inode; `None` when it is not there or could not be read (then with
    /// a gap).
    pub(super) fn stat(&mut self, path: &HostPath) -> Option<FileStat> {
        self.try_stat(path).map_err(|failure| self.failed(path, &failure)).ok()
    }

    /// The same, for who says for himself what a failure means.
    pub(super) fn try_stat(&self, path: &HostPath) -> Result<FileStat, Failure> {
        match self.host.ask(&Question::Stat(path.clone())).result? {
            Reply::Stat(stat) => Ok(stat),
            _ => Err(Failure { kind: FailKind::NotRecorded, why: ANOTHER.to_owned() }),
        }
    }

    /// What only helps to advise: without an answer nothing is missing that was promised.
    pub(super) fn quietly(&self, question: &Question) -> Option<Reply> {
        self.host.ask(question).result.ok()
    }

    /// Where a symbolic link points; `None` for what is no link.
    pub(super) fn link(&mut self, path: &HostPath) -> Option<Vec<u8>> {
        match self.host.ask(&Question::Link(path.clone())).result {
            Ok(Reply::Bytes(target)) => Some(target.0),
            // what is not a link, or cannot be looked at, is taken as it is written
            _ => None,
        }
    }

    /// Room on the filesystem of a file.
    pub(super) fn space(&mut self, path: &HostPath) -> Option<FsSpace> {
        match self.host.ask(&Question::Space(path.clone())).result {
            Ok(Reply::Space(space)) => Some(space),
            Ok(_) => self.nothing(path),
            Err(failure) => {
                self.failed(path, &failure);
                None
            }
        }
    }

    fn nothing<T>(&mut self, path: &HostPath) -> Option<T> {
        self.failed(path, &Failure { kind: FailKind::NotRecorded, why: ANOTHER.to_owned() });
        None
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
        FailKind::Malformed => "docker refuses it too; restore it, or remove what it belongs to",
        FailKind::TooLarge => {
            "what it says is missing here; nothing of docker's is usually that large"
        }
        FailKind::LeadsOut => "put what it leads to in its place, or name it with --docker-root",
        FailKind::NotRecorded => "record the host again with this version",
        FailKind::NotFound | FailKind::Other => "look at the kernel log and at the filesystem",
    };
    format!("{fact}; {advice}")
}
