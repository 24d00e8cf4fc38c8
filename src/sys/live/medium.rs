//! Bytes of a device or a file at an offset, past the page cache: the page cache of a metadata
//! device does not see what the kernel's own buffers write (`formats.md` 5.6).
//!
//! Opened for reading only and never exclusively. A device is opened by its number, so that a
//! name that moved to another device meanwhile cannot mislead.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use nix::fcntl::OFlag;

use super::files::Files;
use crate::ids::DevNo;
use crate::sys::{FailKind, Failure, Medium, Raw};

/// Direct I/O wants memory and offsets at multiples of the largest logical block.
const ALIGN: usize = 4096;
/// Most of one read.
const MOST: u32 = 4 << 20;
/// Media that stay open: the metadata of a volume lies on few.
const OPEN: usize = 8;

/// The media that were asked for last.
#[derive(Debug, Default)]
pub(super) struct Media(Mutex<Vec<(Medium, Opened)>>);

#[derive(Debug)]
struct Opened {
    file: File,
    bytes: u64,
}

impl Media {
    /// Its size in bytes.
    pub(super) fn size(&self, files: &Files, medium: &Medium) -> Result<u64, Failure> {
        self.with(files, medium, |opened| Ok(opened.bytes))
    }

    /// Bytes from an offset; what lies behind the end is an error.
    pub(super) fn read(
        &self,
        files: &Files,
        medium: &Medium,
        (offset, length): (u64, u32),
    ) -> Result<Raw, Failure> {
        if length > MOST {
            let why = format!("{}: {length} bytes are too many at a time", medium.describe());
            return Err(Failure { kind: FailKind::TooLarge, why });
        }
        self.with(files, medium, |opened| opened.read(offset, length as usize))
    }

    /// The same into memory that is there; what direct I/O cannot fill is filled by a copy.
    pub(super) fn read_into(
        &self,
        files: &Files,
        medium: &Medium,
        (offset, into): (u64, &mut [u8]),
    ) -> Result<(), Failure> {
        if into.as_ptr().align_offset(ALIGN) == 0 {
            return self.with(files, medium, |opened| opened.file.read_exact_at(into, offset));
        }
        let length = u32::try_from(into.len()).unwrap_or(u32::MAX);
        let bytes = self.read(files, medium, (offset, length))?;
        into.copy_from_slice(&bytes.0);
        Ok(())
    }

    fn with<T>(
        &self,
        files: &Files,
        medium: &Medium,
        act: impl FnOnce(&Opened) -> io::Result<T>,
    ) -> Result<T, Failure> {
        // a thread that panicked left whole entries
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fail = |error: &io::Error| failure(medium, error);
        if let Some((_, opened)) = list.iter().find(|(known, _)| known == medium) {
            return act(opened).map_err(|error| fail(&error));
        }
        let opened = open(files, medium).map_err(|error| fail(&error))?;
        if list.len() >= OPEN {
            list.remove(0);
        }
        let result = act(&opened).map_err(|error| fail(&error));
        list.push((medium.clone(), opened));
        result
    }
}

impl Opened {
    fn read(&self, offset: u64, length: usize) -> io::Result<Raw> {
        let mut room = vec![0_u8; length + ALIGN];
        let start = room.as_ptr().align_offset(ALIGN).min(ALIGN);
        let into = room.get_mut(start..start + length).unwrap_or_default();
        self.file.read_exact_at(into, offset)?;
        room.truncate(start + length);
        room.drain(..start);
        Ok(Raw(room))
    }
}

fn open(files: &Files, medium: &Medium) -> io::Result<Opened> {
    let mut file = match medium {
        Medium::Device(dev) => open_device(*dev)?,
        Medium::File(path) => open_file(&files.real(path)?)?,
    };
    let bytes = file.seek(SeekFrom::End(0))?;
    Ok(Opened { file, bytes })
}

/// The node that the kernel itself makes for a device.
fn open_device(dev: DevNo) -> io::Result<File> {
    let told = std::fs::read_to_string(format!("/sys/dev/block/{dev}/uevent"))?;
    let name = told.lines().find_map(|line| line.strip_prefix("DEVNAME="));
    let name = name.ok_or_else(|| io::Error::other("the kernel does not tell its name"))?;
    let file = open_with(&PathBuf::from("/dev").join(name), OFlag::O_DIRECT)?;
    let seen = file.metadata()?;
    if !seen.file_type().is_block_device() || DevNo::from_huge(seen.rdev()) != dev {
        return Err(io::Error::other(format!("/dev/{name} is another device")));
    }
    Ok(file)
}

/// With direct I/O where the filesystem takes it (tmpfs does not).
fn open_file(path: &Path) -> io::Result<File> {
    let file = match open_with(path, OFlag::O_DIRECT) {
        Err(error) if error.raw_os_error() == Some(nix::errno::Errno::EINVAL as i32) => {
            open_with(path, OFlag::empty())?
        }
        opened => opened?,
    };
    let kind = file.metadata()?.file_type();
    if kind.is_file() || kind.is_block_device() {
        Ok(file)
    } else {
        Err(io::Error::other("it is neither a file nor a block device"))
    }
}

/// Non-blocking, so that a path that turns out to be a pipe cannot hold us.
fn open_with(path: &Path, flags: OFlag) -> io::Result<File> {
    let flags = flags | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)
}

fn failure(medium: &Medium, error: &io::Error) -> Failure {
    let (kind, hint) = match error.kind() {
        io::ErrorKind::NotFound => (FailKind::NotFound, ""),
        io::ErrorKind::PermissionDenied => {
            (FailKind::Denied, "; only root may read devices: try sudo")
        }
        io::ErrorKind::UnexpectedEof => (FailKind::Other, "; the read goes past its end"),
        _ => (FailKind::Other, ""),
    };
    Failure { kind, why: format!("{}: {error}{hint}", medium.describe()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::HostPath;

    fn media(root: Option<&Path>) -> (Media, Files) {
        (Media::default(), Files::new(root.map(Path::to_owned)))
    }

    #[test]
    fn a_file_gives_its_size_and_the_bytes_asked_for() {
        for folder in ["/var/tmp", "/dev/shm"] {
            let dir = tempfile::tempdir_in(folder).expect("a temporary folder can be made");
            let path = dir.path().join("image");
            let bytes: Vec<u8> =
                (0..12288_u32).map(|n| n.to_le_bytes()[usize::from(n > 4095)]).collect();
            std::fs::write(&path, &bytes).expect("written");
            let (media, files) = media(None);
            let medium = Medium::File(HostPath::new(&path));
            assert_eq!(media.size(&files, &medium).ok(), Some(12288));
            let read = media.read(&files, &medium, (4096, 8192)).expect("inside");
            assert!(read.0 == bytes[4096..], "{folder}");
            let mut room = vec![0; 3 * 4096];
            let page = room.as_ptr().align_offset(4096);
            for start in [page, page + 1] {
                let into = &mut room[start..start + 4096];
                media.read_into(&files, &medium, (8192, into)).expect("inside");
                assert!(room[start..start + 4096] == bytes[8192..], "{folder} {start}");
            }
            let error = media.read(&files, &medium, (8192, 8192)).expect_err("past the end");
            assert!(error.why.contains("past its end"), "{}", error.why);
        }
    }

    #[test]
    fn a_file_below_a_mounted_tree_is_found_there() {
        let dir = tempfile::tempdir().expect("a temporary folder can be made");
        std::fs::write(dir.path().join("image"), [7; 4096]).expect("written");
        let (media, files) = media(Some(dir.path()));
        let medium = Medium::File(HostPath::new("/image"));
        assert_eq!(media.size(&files, &medium).ok(), Some(4096));
    }

    #[test]
    fn what_is_no_medium_is_refused_by_name() {
        let (media, files) = media(None);
        for (path, word) in [("/dev/null", "neither"), ("/none", "No such"), ("/tmp", "neither")] {
            let error = media.size(&files, &Medium::File(HostPath::new(path)));
            let why = error.expect_err("it is none").why;
            assert!(why.contains(path) && why.contains(word), "{why}");
        }
        let error = media.size(&files, &Medium::Device(DevNo::new(4000, 1))).expect_err("none");
        assert_eq!(error.kind, FailKind::NotFound);
    }

    #[test]
    fn a_read_is_bounded() {
        let (media, files) = media(None);
        let medium = Medium::File(HostPath::new("/dev/zero"));
        let error = media.read(&files, &medium, (0, u32::MAX)).expect_err("too much");
        assert_eq!(error.kind, FailKind::TooLarge);
    }
}
