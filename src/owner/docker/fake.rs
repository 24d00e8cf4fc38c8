//! A host of files in memory, for tests of what is made of Docker's files.

use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::ids::DevNo;
use crate::sys::{
    Answer, DirEntry, EntryKind, FailKind, FileStat, FsSpace, HostPath, Question, Raw, ReadHost,
    Reply, TreeFile,
};

/// Files by path; folders are there because something is in them.
#[derive(Default)]
pub(super) struct FakeHost {
    files: BTreeMap<PathBuf, Vec<u8>>,
    links: BTreeMap<PathBuf, PathBuf>,
    failing: Vec<(PathBuf, FailKind)>,
    home: Option<(DevNo, u64)>,
    free: Option<u64>,
    now: Option<u64>,
    asked: AtomicUsize,
    moving: AtomicUsize,
}

impl FakeHost {
    /// With a file.
    #[must_use]
    pub(super) fn with(mut self, path: impl AsRef<Path>, content: impl AsRef<[u8]>) -> Self {
        self.files.insert(path.as_ref().to_owned(), content.as_ref().to_vec());
        self
    }

    /// With a symbolic link.
    #[must_use]
    pub(super) fn link(mut self, path: &str, target: &str) -> Self {
        self.links.insert(path.into(), target.into());
        self
    }

    /// With a path that cannot be read.
    #[must_use]
    pub(super) fn failing(mut self, path: &str, kind: FailKind) -> Self {
        self.failing.push((path.into(), kind));
        self
    }

    /// With a transaction file that moves at each of the next `times` looks at it.
    #[must_use]
    pub(super) fn moving(self, times: usize) -> Self {
        self.moving.store(times, Ordering::Relaxed);
        self
    }

    /// With that device and inode for everything.
    #[must_use]
    pub(super) fn home(mut self, device: DevNo, inode: u64) -> Self {
        self.home = Some((device, inode));
        self
    }

    /// With that much room on its filesystem.
    #[must_use]
    pub(super) fn free(mut self, bytes: u64) -> Self {
        self.free = Some(bytes);
        self
    }

    /// So many seconds after every file was written.
    #[must_use]
    pub(super) fn now(mut self, seconds: u64) -> Self {
        self.now = Some(seconds);
        self
    }

    /// How many questions were asked.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        let mut path = path.to_owned();
        for _ in 0..8 {
            let Some((link, target)) = self.links.iter().find(|(link, _)| path.starts_with(link))
            else {
                break;
            };
            let rest = path.strip_prefix(link).map(Path::to_owned).unwrap_or_default();
            let target = link.parent().unwrap_or(Path::new("/")).join(target);
            path = if rest.as_os_str().is_empty() { target } else { target.join(rest) };
        }
        path
    }

    fn failure(&self, path: &Path) -> Option<Answer> {
        let (_, kind) = self.failing.iter().find(|(failing, _)| path == failing)?;
        Some(Answer::failed(*kind, "this test says so"))
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.files.keys().any(|file| file != path && file.starts_with(path))
    }

    fn file(&self, path: &Path) -> Answer {
        if path.ends_with("transaction-metadata") && self.moving.load(Ordering::Relaxed) > 0 {
            let left = self.moving.fetch_sub(1, Ordering::Relaxed);
            let text = format!(r#"{{"open_transaction_id":{left}}}"#);
            return Answer::ok(Reply::Bytes(Raw(text.into_bytes())));
        }
        match self.files.get(path) {
            Some(content) => Answer::ok(Reply::Bytes(Raw(content.clone()))),
            None => not_found(),
        }
    }

    fn tree(&self, dir: &Path, depth: u8, names: &[String]) -> Answer {
        if !self.is_dir(dir) {
            return not_found();
        }
        let below = self.files.iter().filter_map(|(path, content)| {
            let path = path.strip_prefix(dir).ok()?;
            let name = path.file_name()?.to_string_lossy().into_owned();
            let wanted = names.is_empty() || names.contains(&name);
            let level = path.components().count() == usize::from(depth);
            (wanted && level).then(|| {
                let failing = self.failing.iter().find(|(failing, _)| *failing == dir.join(path));
                TreeFile {
                    path: Raw(path.as_os_str().as_bytes().to_vec()),
                    content: match failing {
                        Some((_, kind)) => Err(crate::sys::Failure {
                            kind: *kind,
                            why: "this test says so".to_owned(),
                        }),
                        None => Ok(Raw(content.clone())),
                    },
                }
            })
        });
        Answer::ok(Reply::Tree(below.collect()))
    }

    fn dir(&self, dir: &Path) -> Answer {
        let mut entries = BTreeMap::new();
        for path in self.files.keys().filter_map(|path| path.strip_prefix(dir).ok()) {
            let mut parts = path.iter();
            let Some(name) = parts.next() else { continue };
            let kind = if parts.next().is_some() { EntryKind::Dir } else { EntryKind::File };
            entries.insert(name.as_bytes().to_vec(), kind);
        }
        let entries: Vec<_> =
            entries.into_iter().map(|(name, kind)| DirEntry { name: Raw(name), kind }).collect();
        if entries.is_empty() { not_found() } else { Answer::ok(Reply::Entries(entries)) }
    }

    fn stat(&self, path: &Path) -> Answer {
        let size = self.files.get(path).map(Vec::len);
        let kind = match size {
            Some(_) => EntryKind::File,
            None if self.is_dir(path) => EntryKind::Dir,
            None => return not_found(),
        };
        let (dev, ino) = self.home.unwrap_or((DevNo::new(254, 1), 131_077));
        Answer::ok(Reply::Stat(FileStat {
            kind,
            dev,
            rdev: DevNo::new(0, 0),
            ino,
            size: 100 << 30,
            allocated: 1 << 30,
            mtime: 0,
        }))
    }
}

fn not_found() -> Answer {
    Answer::failed(FailKind::NotFound, "No such file or directory")
}

impl ReadHost for FakeHost {
    fn ask(&self, question: &Question) -> Answer {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let path = |path: &HostPath| self.resolve(path.as_path());
        match question {
            Question::File { path: at, .. }
            | Question::Tree { dir: at, .. }
            | Question::Dir(at)
            | Question::Stat(at)
                if self.failure(&path(at)).is_some() =>
            {
                self.failure(&path(at)).unwrap_or_else(not_found)
            }
            Question::File { path: at, .. } => self.file(&path(at)),
            Question::Tree { dir, depth, names, .. } => self.tree(&path(dir), *depth, names),
            Question::Dir(at) => self.dir(&path(at)),
            Question::Stat(at) => self.stat(&path(at)),
            Question::Link(at) => match self.links.get(at.as_path()) {
                Some(target) => {
                    Answer::ok(Reply::Bytes(Raw(target.as_os_str().as_bytes().to_vec())))
                }
                None => Answer::failed(FailKind::Other, "not a symbolic link"),
            },
            Question::Space(_) => Answer::ok(Reply::Space(FsSpace {
                magic: 0xef53,
                total: 40 << 30,
                free: self.free.unwrap_or(20 << 30),
                available: 18 << 30,
            })),
            Question::Time if self.now.is_some() => {
                Answer::ok(Reply::Number(self.now.unwrap_or_default()))
            }
            _ => Answer::failed(FailKind::NotRecorded, "not in this test"),
        }
    }
}
