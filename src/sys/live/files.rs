//! Questions to files: read, list, stat, follow a link, ask for room.
//!
//! Regular files only, never through a link that leads out of the folder an engine owns, never
//! more than a limit, never waiting on a fifo. With `--root DIR` every path is looked for below
//! DIR, links resolved inside it, except what is the running kernel's own. Knows nothing of what
//! a file means; `keep.rs` says what is let through.

mod database;
mod mentions;
mod resolve;
mod tree;

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;

use super::keep;
use crate::ids::DevNo;
use crate::sys::{
    BoltKeep, BoltSeen, DirEntry, EntryKind, FailKind, Failure, FileStat, FsSpace, HostPath, Keep,
    Raw, TreeFile,
};
use resolve::{Last, Root};

/// Most entries of one folder that are listed; no engine keeps a tenth of that.
const MOST_ENTRIES: usize = 1 << 20;

/// The files of a host, or of a mounted tree.
#[derive(Debug)]
pub(super) struct Files {
    root: Root,
}

impl Files {
    pub(super) const fn new(root: Option<PathBuf>) -> Self {
        Self { root: Root(root) }
    }

    /// One file, as much of it as `keep` lets through.
    pub(super) fn file(
        &self,
        path: &HostPath,
        keep: Keep,
        within: Option<&HostPath>,
    ) -> Result<Raw, Failure> {
        let asked = path.as_path();
        let found = self.root.resolve(asked, Last::Follow).map_err(|error| fail(asked, &error))?;
        if let Some(folder) = within.map(HostPath::as_path) {
            let bound =
                self.root.resolve(folder, Last::Follow).map_err(|error| fail(folder, &error))?;
            if !found.starts_with(&bound) {
                return Err(leads_out(asked, &found, &bound));
            }
        }
        let real = self.root.real(&found);
        let named = fs::symlink_metadata(&real).map_err(|error| fail(asked, &error))?;
        regular(asked, &named)?;
        let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW | OFlag::O_NOCTTY;
        let open = OpenOptions::new().read(true).custom_flags(flags.bits()).open(&real);
        read(asked, open.map_err(|error| fail(asked, &error))?, keep)
    }

    /// Which of these words a file holds.
    pub(super) fn mentions(&self, path: &HostPath, words: &[String]) -> Result<Vec<bool>, Failure> {
        let asked = path.as_path();
        let file = self.open(asked)?;
        mentions::find_words(file, words).map_err(|error| fail(asked, &error))
    }

    /// A bolt database, as much of it as `keep` lets through.
    pub(super) fn bolt(&self, path: &HostPath, keep: BoltKeep) -> Result<BoltSeen, Failure> {
        let asked = path.as_path();
        database::read(asked, self.open(asked)?, keep)
    }

    /// Opens a regular file, wherever its links lead.
    fn open(&self, asked: &Path) -> Result<File, Failure> {
        let fail = |error: io::Error| fail(asked, &error);
        let real = self.root.real(&self.root.resolve(asked, Last::Follow).map_err(fail)?);
        regular(asked, &fs::symlink_metadata(&real).map_err(fail)?)?;
        let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW | OFlag::O_NOCTTY;
        OpenOptions::new().read(true).custom_flags(flags.bits()).open(&real).map_err(fail)
    }

    /// Where a path really is, links resolved and any root in front of it.
    pub(super) fn real(&self, path: &HostPath) -> io::Result<PathBuf> {
        self.root.resolve(path.as_path(), Last::Follow).map(|found| self.root.real(&found))
    }

    /// The files of a folder.
    pub(super) fn tree(
        &self,
        dir: &HostPath,
        depth: u8,
        names: &[String],
        keep: Keep,
    ) -> Result<Vec<TreeFile>, Failure> {
        let asked = dir.as_path();
        let found = self.root.resolve(asked, Last::Follow).map_err(|error| fail(asked, &error))?;
        tree::read_tree(asked, &self.root.real(&found), tree::Wanted { depth, names, keep })
    }

    /// The entries of a folder, sorted.
    pub(super) fn dir(&self, path: &HostPath) -> Result<Vec<DirEntry>, Failure> {
        let asked = path.as_path();
        let fail = |error: io::Error| fail(asked, &error);
        let found = self.root.resolve(asked, Last::Follow).map_err(fail)?;
        let mut entries = Vec::new();
        for entry in fs::read_dir(self.root.real(&found)).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            if entries.len() >= MOST_ENTRIES {
                return Err(too_many(asked));
            }
            let kind = entry.file_type().map_or(EntryKind::Other, kind_of);
            entries.push(DirEntry { name: Raw(entry.file_name().as_bytes().to_vec()), kind });
        }
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// How many entries a folder has, as far as they are counted.
    pub(super) fn count(&self, path: &HostPath) -> Result<u64, Failure> {
        let asked = path.as_path();
        let found = self.root.resolve(asked, Last::Follow).map_err(|error| fail(asked, &error))?;
        let entries = fs::read_dir(self.root.real(&found)).map_err(|error| fail(asked, &error))?;
        let whole = entries.take(MOST_ENTRIES).flatten().count();
        Ok(u64::try_from(whole).unwrap_or(u64::MAX))
    }

    /// The inode behind a path.
    pub(super) fn stat(&self, path: &HostPath) -> Result<FileStat, Failure> {
        let asked = path.as_path();
        let found = self.root.resolve(asked, Last::Follow);
        let seen = found.and_then(|found| fs::symlink_metadata(self.root.real(&found)));
        seen.map(|seen| stat_of(&seen)).map_err(|error| fail(asked, &error))
    }

    /// Where a symbolic link points.
    pub(super) fn link(&self, path: &HostPath) -> Result<Raw, Failure> {
        let asked = path.as_path();
        let found = self.root.resolve(asked, Last::Keep);
        let target = found.and_then(|found| fs::read_link(self.root.real(&found)));
        target
            .map(|target| Raw(target.as_os_str().as_bytes().to_vec()))
            .map_err(|error| fail(asked, &error))
    }

    /// Room on the filesystem of a path.
    pub(super) fn space(&self, path: &HostPath) -> Result<FsSpace, Failure> {
        let asked = path.as_path();
        let found = self.root.resolve(asked, Last::Follow).map_err(|error| fail(asked, &error))?;
        let seen = nix::sys::statfs::statfs(&self.root.real(&found))
            .map_err(|errno| fail(asked, &errno.into()))?;
        let block = u64::try_from(seen.block_size()).unwrap_or(0);
        Ok(FsSpace {
            magic: magic(&seen),
            total: seen.blocks().saturating_mul(block),
            free: seen.blocks_free().saturating_mul(block),
            available: seen.blocks_available().saturating_mul(block),
        })
    }
}

#[allow(clippy::cast_sign_loss, reason = "a bit pattern, which C keeps in a signed long")]
fn magic(seen: &nix::sys::statfs::Statfs) -> u64 {
    // on 32-bit machines the type is narrower; upper bits are never set
    (seen.filesystem_type().0 as u64) & 0xffff_ffff
}

/// Reads an opened file up to what `keep` allows; one that is larger is not read at all.
fn read(path: &Path, file: File, keep: Keep) -> Result<Raw, Failure> {
    let seen = file.metadata().map_err(|error| fail(path, &error))?;
    regular(path, &seen)?;
    let limit = keep::limit(keep, path);
    if seen.len() > limit {
        return Err(too_large(path, seen.len(), limit));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(seen.len()).unwrap_or(0));
    // it may grow while it is read, and below /proc every size is 0
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| fail(path, &error))?;
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    if length > limit {
        return Err(too_large(path, length, limit));
    }
    keep::project(keep, bytes).map_err(|why| Failure {
        kind: FailKind::Malformed,
        why: format!("{}: {why} (a file of {length} bytes)", path.display()),
    })
}

fn regular(path: &Path, seen: &Metadata) -> Result<(), Failure> {
    if seen.is_file() {
        return Ok(());
    }
    let is = match kind_of(seen.file_type()) {
        EntryKind::Dir => "a folder",
        EntryKind::Link => "a symbolic link",
        EntryKind::File => "a file",
        EntryKind::Other if seen.file_type().is_fifo() => "a fifo",
        EntryKind::Other => "a device or socket",
    };
    let why = format!("{}: it is {is}, not a regular file, and was not opened", path.display());
    Err(Failure { kind: FailKind::Malformed, why })
}

fn kind_of(kind: fs::FileType) -> EntryKind {
    if kind.is_file() {
        EntryKind::File
    } else if kind.is_dir() {
        EntryKind::Dir
    } else if kind.is_symlink() {
        EntryKind::Link
    } else {
        EntryKind::Other
    }
}

/// What is kept of an inode.
pub(super) fn stat_of(seen: &Metadata) -> FileStat {
    FileStat {
        kind: kind_of(seen.file_type()),
        dev: DevNo::from_huge(seen.dev()),
        rdev: DevNo::from_huge(seen.rdev()),
        ino: seen.ino(),
        size: seen.len(),
        allocated: seen.blocks().saturating_mul(512),
        mtime: seen.mtime(),
    }
}

/// Words for what the system said about a path.
pub(super) fn fail(path: &Path, error: &io::Error) -> Failure {
    let errno = error.raw_os_error().map(Errno::from_raw);
    let kind = match errno {
        Some(Errno::ENOENT | Errno::ENOTDIR) => FailKind::NotFound,
        Some(Errno::EACCES | Errno::EPERM) => FailKind::Denied,
        Some(Errno::ENAMETOOLONG | Errno::EINVAL | Errno::ELOOP) => FailKind::Malformed,
        _ => FailKind::Other,
    };
    let said = errno.map_or_else(|| error.to_string(), |errno| errno.desc().to_owned());
    let hint = if kind == FailKind::Denied && !nix::unistd::geteuid().is_root() {
        "; root may read it, run thinscope with sudo"
    } else {
        ""
    };
    Failure { kind, why: format!("{}: {said}{hint}", path.display()) }
}

fn too_large(path: &Path, size: u64, limit: u64) -> Failure {
    let mib = limit >> 20;
    let why =
        format!("{}: {size} bytes, more than the {mib} MiB that are read of it", path.display());
    Failure { kind: FailKind::TooLarge, why }
}

fn too_many(path: &Path) -> Failure {
    let why = format!("{}: more than {MOST_ENTRIES} entries", path.display());
    Failure { kind: FailKind::TooLarge, why }
}

fn leads_out(path: &Path, found: &Path, bound: &Path) -> Failure {
    let (path, found, bound) = (path.display(), found.display(), bound.display());
    let why = format!("{path}: a link leads to {found}, out of {bound}; it was not read");
    Failure { kind: FailKind::LeadsOut, why }
}

#[cfg(test)]
mod tests;
