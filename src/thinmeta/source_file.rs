//! A file or a block device as a source of metadata: the one file of the room that opens
//! anything.
//!
//! Opened for reading only, and past the page cache, because the page cache of a metadata device
//! does not see what the kernel's own buffers write (`formats.md` 5.6).
#![allow(clippy::disallowed_methods, reason = "the source of this room that is a file")]

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use nix::fcntl::OFlag;

use super::source::BlockSource;

/// A file or block device that is open for reading.
#[derive(Debug)]
pub struct FileSource {
    file: File,
    bytes: u64,
    direct: bool,
    /// Where it may be opened again without direct I/O, should a read refuse it.
    fallback: Option<PathBuf>,
    buffered: OnceLock<File>,
}

impl FileSource {
    /// Opens it with direct I/O, or through the page cache where that is refused (tmpfs).
    pub fn open(path: &Path) -> io::Result<Self> {
        match Self::open_direct(path) {
            Err(error) if refuses_direct(&error) => Self::open_buffered(path),
            opened => opened.map(|source| Self { fallback: Some(path.to_owned()), ..source }),
        }
    }

    /// Opens it with direct I/O or not at all, as the device of an active pool needs.
    pub fn open_direct(path: &Path) -> io::Result<Self> {
        Self::open_with(path, OFlag::O_DIRECT)
    }

    /// Opens it through the page cache: right for a plain file that nobody writes.
    pub fn open_buffered(path: &Path) -> io::Result<Self> {
        Self::open_with(path, OFlag::empty())
    }

    fn open_with(path: &Path, flags: OFlag) -> io::Result<Self> {
        let mut file = open_for_reading(path, flags)?;
        let bytes = file.seek(SeekFrom::End(0))?;
        let direct = flags.contains(OFlag::O_DIRECT);
        Ok(Self { file, bytes, direct, fallback: None, buffered: OnceLock::new() })
    }

    /// Whether reads go past the page cache.
    pub fn is_direct(&self) -> bool {
        self.direct && self.buffered.get().is_none()
    }

    /// Reads through the page cache after direct I/O was refused by the read itself.
    fn read_buffered(&self, path: &Path, offset: u64, into: &mut [u8]) -> io::Result<()> {
        if let Some(file) = self.buffered.get() {
            return file.read_exact_at(into, offset);
        }
        let file = open_for_reading(path, OFlag::empty())?;
        self.buffered.get_or_init(|| file).read_exact_at(into, offset)
    }
}

/// Non-blocking, so that a path that turns out to be a pipe cannot hold us.
fn open_for_reading(path: &Path, flags: OFlag) -> io::Result<File> {
    let flags = flags | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC | OFlag::O_NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)
}

fn refuses_direct(error: &io::Error) -> bool {
    error.raw_os_error() == Some(nix::errno::Errno::EINVAL as i32)
}

impl BlockSource for FileSource {
    fn len_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let read = if self.buffered.get().is_none() {
            self.file.read_exact_at(into, offset)
        } else {
            Err(nix::errno::Errno::EINVAL.into())
        };
        match (read, &self.fallback) {
            // some filesystems take the flag at open and refuse the read
            (Err(error), Some(path)) if refuses_direct(&error) => {
                self.read_buffered(path, offset, into)
            }
            (read, _) => read,
        }
    }
}
