//! The files of a host that exists in memory only. Answers questions of files as the door does on
//! a live host; knows nothing of what the files mean.

use std::collections::BTreeMap;
use std::ops::Bound;

use thinscope::ids::DevNo;
use thinscope::sys::{
    Answer, DirEntry, EntryKind, FailKind, FileStat, FsSpace, HostPath, Question, Raw, Reply,
    TreeFile,
};

/// Files by absolute path. Folders are there because something is in them.
#[derive(Default)]
pub(crate) struct Files {
    by_path: BTreeMap<String, Vec<u8>>,
    inodes: BTreeMap<String, u64>,
}

/// The filesystem they are all on.
const FILESYSTEM: DevNo = DevNo::new(254, 1);

impl Files {
    /// Adds a file.
    pub(crate) fn put(&mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.by_path.insert(path.into(), content.into());
    }

    /// Gives a file or folder an inode that something depends on.
    pub(crate) fn set_inode(&mut self, path: &str, inode: u64) {
        self.inodes.insert(path.to_owned(), inode);
    }

    /// Answers what is asked of files; `None` for any other question.
    pub(crate) fn answer(&self, question: &Question) -> Option<Answer> {
        let result = match question {
            Question::File { path, .. } => {
                self.by_path.get(text(path)).map(|content| Reply::Bytes(Raw(content.clone())))
            }
            Question::Tree { dir, depth, names, .. } => self.tree(text(dir), *depth, names),
            Question::Dir(dir) => self.entries(text(dir)),
            Question::Stat(path) => self.stat(text(path)),
            Question::Link(path) => return Some(self.no_link(text(path))),
            Question::Space(path) => self.stat(text(path)).map(|_| Reply::Space(space())),
            _ => return None,
        };
        Some(result.map_or_else(not_found, Answer::ok))
    }

    /// What is below a folder, each with its path from there.
    fn below<'a>(&'a self, dir: &str) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        let dir = format!("{}/", dir.trim_end_matches('/'));
        let from = (Bound::Excluded(dir.clone()), Bound::Unbounded);
        self.by_path
            .range::<String, _>(from)
            .map_while(move |(path, content)| Some((path.strip_prefix(&dir)?, &content[..])))
    }

    fn is_dir(&self, path: &str) -> bool {
        self.below(path).next().is_some()
    }

    fn tree(&self, dir: &str, depth: u8, names: &[String]) -> Option<Reply> {
        let wanted = |path: &str| {
            let name = path.rsplit('/').next().unwrap_or(path);
            path.matches('/').count() + 1 == usize::from(depth)
                && (names.is_empty() || names.iter().any(|wanted| wanted == name))
        };
        let files = self.below(dir).filter(|(path, _)| wanted(path)).map(|(path, content)| {
            TreeFile { path: Raw::from(path), content: Ok(Raw(content.to_vec())) }
        });
        self.is_dir(dir).then(|| Reply::Tree(files.collect()))
    }

    fn entries(&self, dir: &str) -> Option<Reply> {
        let mut entries: Vec<DirEntry> = Vec::new();
        for (path, _) in self.below(dir) {
            let (name, kind) = match path.split_once('/') {
                Some((name, _)) => (name, EntryKind::Dir),
                None => (path, EntryKind::File),
            };
            if entries.last().is_none_or(|last| last.name.0 != name.as_bytes()) {
                entries.push(DirEntry { name: Raw::from(name), kind });
            }
        }
        (!entries.is_empty()).then_some(Reply::Entries(entries))
    }

    fn stat(&self, path: &str) -> Option<Reply> {
        let content = self.by_path.get(path);
        let kind = match content {
            Some(_) => EntryKind::File,
            None if self.is_dir(path) => EntryKind::Dir,
            None => return None,
        };
        let size = content.map_or(4096, |content| content.len() as u64);
        let ino = self.inodes.get(path).copied().unwrap_or(12);
        let (dev, rdev) = (FILESYSTEM, DevNo::default());
        let allocated = size.next_multiple_of(4096);
        Some(Reply::Stat(FileStat { kind, dev, rdev, ino, size, allocated, mtime: 1_700_000_000 }))
    }

    fn no_link(&self, path: &str) -> Answer {
        match self.stat(path) {
            Some(_) => Answer::failed(FailKind::Other, format!("{path}: Invalid argument")),
            None => not_found(),
        }
    }
}

fn text(path: &HostPath) -> &str {
    path.as_path().to_str().unwrap_or_default()
}

fn space() -> FsSpace {
    FsSpace { magic: 0xef53, total: 40 << 30, free: 21 << 30, available: 19 << 30 }
}

fn not_found() -> Answer {
    Answer::failed(FailKind::NotFound, "No such file or directory")
}
