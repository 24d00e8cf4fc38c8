//! All files of an engine's folder in one answer, ten thousand of them in tenths of a second:
//! every folder is opened once and its files by name below it, so that no link inside is ever
//! followed.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;

use nix::dir::{Dir, Type};
use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, SFlag, fstatat};

use super::{MOST_ENTRIES, fail, read, too_many};
use crate::sys::{FailKind, Failure, Keep, Raw, TreeFile};

/// Most bytes of files in one answer; 100,000 layers need a quarter.
const MOST_BYTES: usize = 64 << 20;

/// Deepest folder that is looked into.
const MOST_DEPTH: u8 = 4;

/// Which files are wanted.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub depth: u8,
    pub names: &'a [String],
    pub keep: Keep,
}

/// Reads the wanted files below `real`, which is named `asked` in messages.
pub(super) fn read_tree(
    asked: &Path,
    real: &Path,
    wanted: Wanted<'_>,
) -> Result<Vec<TreeFile>, Failure> {
    let dir = Dir::open(real, folder_flags(), Mode::empty())
        .map_err(|errno| fail(asked, &errno.into()))?;
    let mut walk = Walk { asked, wanted, files: Vec::new(), bytes: 0 };
    walk.folder(dir, &[], wanted.depth.clamp(1, MOST_DEPTH))?;
    walk.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(walk.files)
}

fn folder_flags() -> OFlag {
    OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC
}

fn file_flags() -> OFlag {
    OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW | OFlag::O_NOCTTY | OFlag::O_CLOEXEC
}

/// An entry's name and kind.
type Named = (Vec<u8>, Option<Type>);

struct Walk<'a> {
    asked: &'a Path,
    wanted: Wanted<'a>,
    files: Vec<TreeFile>,
    bytes: usize,
}

impl Walk<'_> {
    /// `below` is the folder's path from the top; `depth` 1 is the level of the files.
    fn folder(&mut self, mut dir: Dir, below: &[u8], depth: u8) -> Result<(), Failure> {
        if depth == 1 && !self.wanted.names.is_empty() {
            for name in self.wanted.names {
                self.file(&dir, below, name.as_bytes())?;
            }
            return Ok(());
        }
        for (name, kind) in self.entries(&mut dir)? {
            match (kind, depth) {
                (Some(Type::Directory), 1) => {}
                (Some(Type::Directory), _) => self.sub_folder(&dir, below, &name, depth)?,
                (_, 1) => self.file(&dir, below, &name)?,
                (Some(Type::Symlink), _) => self.keep_link(join(below, &name))?,
                _ => {}
            }
        }
        Ok(())
    }

    fn sub_folder(
        &mut self,
        dir: &Dir,
        below: &[u8],
        name: &[u8],
        depth: u8,
    ) -> Result<(), Failure> {
        let path = join(below, name);
        match Dir::openat(dir, name, folder_flags(), Mode::empty()) {
            Ok(sub) => self.folder(sub, &path, depth - 1),
            // it went away between the listing and now
            Err(Errno::ENOENT) => Ok(()),
            Err(errno) => self.keep_failure(path, errno),
        }
    }

    /// Names and kinds, `.` and `..` left out; a kind that the filesystem does not tell is asked.
    fn entries(&self, dir: &mut Dir) -> Result<Vec<Named>, Failure> {
        let mut entries = Vec::new();
        for entry in dir.iter() {
            let entry = entry.map_err(|errno| fail(self.asked, &errno.into()))?;
            let name = entry.file_name().to_bytes();
            if name == b"." || name == b".." {
                continue;
            }
            if entries.len() >= MOST_ENTRIES {
                return Err(too_many(self.asked));
            }
            entries.push((name.to_vec(), entry.file_type()));
        }
        for (name, kind) in entries.iter_mut().filter(|(_, kind)| kind.is_none()) {
            *kind = stat_kind(dir, name);
        }
        Ok(entries)
    }

    fn file(&mut self, dir: &Dir, below: &[u8], name: &[u8]) -> Result<(), Failure> {
        let path = join(below, name);
        match stat_kind(dir, name) {
            None => return Ok(()),
            Some(Type::Symlink) => return self.keep_link(path),
            Some(_) => {}
        }
        let shown = self.shown(&path);
        let content = match open_file(dir, name) {
            Ok(file) => read(&shown, file, self.wanted.keep),
            Err(Errno::ENOENT) => return Ok(()),
            Err(errno) => Err(fail(&shown, &errno.into())),
        };
        self.push(path, content)
    }

    fn keep_link(&mut self, path: Vec<u8>) -> Result<(), Failure> {
        let why = format!(
            "{}: a symbolic link within an engine's folder is not followed",
            self.shown(&path).display()
        );
        self.push(path, Err(Failure { kind: FailKind::LeadsOut, why }))
    }

    fn keep_failure(&mut self, path: Vec<u8>, errno: Errno) -> Result<(), Failure> {
        let failure = fail(&self.shown(&path), &errno.into());
        self.push(path, Err(failure))
    }

    fn push(&mut self, path: Vec<u8>, content: Result<Raw, Failure>) -> Result<(), Failure> {
        self.bytes += content.as_ref().map_or(0, |raw| raw.0.len());
        if self.bytes > MOST_BYTES {
            let why = format!(
                "{}: its files hold more than the {} MiB that are read of them",
                self.asked.display(),
                MOST_BYTES >> 20
            );
            return Err(Failure { kind: FailKind::TooLarge, why });
        }
        if self.files.len() >= MOST_ENTRIES {
            return Err(too_many(self.asked));
        }
        self.files.push(TreeFile { path: Raw(path), content });
        Ok(())
    }

    fn shown(&self, path: &[u8]) -> std::path::PathBuf {
        use std::os::unix::ffi::OsStrExt;
        self.asked.join(std::ffi::OsStr::from_bytes(path))
    }
}

/// A regular file only: the inode is looked at first, so that no device node is ever opened.
fn open_file(dir: &Dir, name: &[u8]) -> Result<File, Errno> {
    openat(dir.as_fd(), name, file_flags(), Mode::empty()).map(File::from)
}

fn stat_kind(dir: &Dir, name: &[u8]) -> Option<Type> {
    let seen = fstatat(dir.as_fd(), name, AtFlags::AT_SYMLINK_NOFOLLOW).ok()?;
    Some(match SFlag::from_bits_truncate(seen.st_mode) & SFlag::S_IFMT {
        SFlag::S_IFREG => Type::File,
        SFlag::S_IFDIR => Type::Directory,
        SFlag::S_IFLNK => Type::Symlink,
        SFlag::S_IFIFO => Type::Fifo,
        SFlag::S_IFBLK => Type::BlockDevice,
        SFlag::S_IFSOCK => Type::Socket,
        _ => Type::CharacterDevice,
    })
}

fn join(below: &[u8], name: &[u8]) -> Vec<u8> {
    if below.is_empty() { name.to_vec() } else { [below, name].join(&b'/') }
}
