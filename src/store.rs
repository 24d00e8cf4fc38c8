//! Our own files, and nothing of the host that is looked at: the configuration, the log, figures
//! for a collector, the history, what a run must give back, the journals of what was done.
//!
//! Beside the door (`sys`) the only place that touches files.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "our own files")]

pub mod reserved;
pub mod runs;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// A configuration file larger than this is not one.
const TEXT_LIMIT: u64 = 1 << 20;

/// Reads a small text file of ours.
pub fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?.take(TEXT_LIMIT + 1).read_to_string(&mut text)?;
    if read as u64 > TEXT_LIMIT {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}

/// Reads a file of ours of at most so many bytes; `None` where there is none.
pub fn read_bytes(path: &Path, most: u64) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    let mut bytes = Vec::new();
    let read = file.take(most + 1).read_to_end(&mut bytes)?;
    if read as u64 > most {
        return Err(io::Error::other(format!("it is larger than {most} bytes")));
    }
    Ok(Some(bytes))
}

/// Whether there is a folder, and why not.
pub fn is_folder(path: &Path) -> io::Result<()> {
    if fs::metadata(path)?.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// Makes the folder for our own files, for its owner only.
pub fn make_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// A lock on a file, until it is dropped; `None` where another run holds it. The file stays.
pub fn lock(path: &Path) -> io::Result<Option<Flock<File>>> {
    use std::os::unix::fs::OpenOptionsExt;
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(lock) => Ok(Some(lock)),
        Err((_, Errno::EWOULDBLOCK)) => Ok(None),
        Err((_, errno)) => Err(errno.into()),
    }
}

/// Puts a new file in the place of one: a reader sees the old one or the new one, never a part,
/// also when the disk is full or the power goes. What is there and is no file is left alone.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    // a link stays one: what it points at is replaced
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(io::Error::other("it is there and is no regular file"));
    }
    let name = path.file_name().ok_or_else(|| io::Error::other("it has no name"))?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.new", std::process::id()));
    let new = folder.join(hidden);
    let written = write_new(&new, bytes, mode).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
        return written;
    }
    // the new name itself, where the filesystem can be asked for that
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    // one that a killed run with the same number left behind
    let _ = fs::remove_file(path);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The log: lines are appended, so that several runs may share a file.
#[derive(Debug)]
pub struct Log(File);

impl Log {
    /// Opens it for appending, readable by its owner only: it names the host's devices.
    pub fn open(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt;
        OpenOptions::new().create(true).append(true).mode(0o600).open(path).map(Self)
    }

    /// Adds a line in one write.
    pub fn line(&mut self, line: &str) -> io::Result<()> {
        self.0.write_all(format!("{line}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_keeps_what_was_there() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("log");
        for line in ["first", "second"] {
            Log::open(&path).and_then(|mut log| log.line(line)).expect("a new file can be written");
        }
        assert_eq!(read_text(&path).expect("just written"), "first\nsecond\n");
    }

    #[test]
    fn a_file_is_replaced_whole_with_the_mode_that_is_asked_for() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("figures.prom");
        for text in ["one and more", "two"] {
            replace(&path, text.as_bytes(), 0o644).expect("a new file can be written");
            assert_eq!(fs::read_to_string(&path).expect("it is there"), text);
            let mode = fs::metadata(&path).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o644);
        }
        let names = fs::read_dir(dir.path()).expect("it is there").count();
        assert_eq!(names, 1, "nothing else is left");
    }

    #[test]
    fn what_cannot_be_replaced_is_left_as_it_was() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folder = dir.path().join("folder");
        fs::create_dir(&folder).expect("a new folder");
        assert!(replace(&folder, b"x", 0o644).is_err());
        assert!(folder.is_dir());
        assert!(replace(Path::new("/dev/null"), b"x", 0o644).is_err(), "no device is replaced");
        assert!(replace(&dir.path().join("missing/file"), b"x", 0o644).is_err());
        assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 1);
    }

    #[test]
    fn a_link_stays_one_and_its_file_is_replaced() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "old").expect("written");
        std::os::unix::fs::symlink(&file, &link).expect("linked");
        replace(&link, b"new", 0o600).expect("replaced");
        assert_eq!(fs::read_to_string(&file).expect("it is there"), "new");
        assert!(fs::symlink_metadata(&link).expect("it is there").is_symlink());
    }

    #[test]
    fn a_lock_is_held_by_one_at_a_time() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("lock");
        let first = lock(&path).expect("a new file").expect("nobody holds it");
        assert!(lock(&path).expect("it is there").is_none());
        drop(first);
        assert!(lock(&path).expect("it is there").is_some());
    }

    #[test]
    fn what_is_not_there_is_told_apart_from_what_is_too_large() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let path = dir.path().join("file");
        assert_eq!(read_bytes(&path, 3).expect("nothing is no error"), None);
        fs::write(&path, "four").expect("written");
        assert!(read_bytes(&path, 3).is_err());
        assert_eq!(read_bytes(&path, 4).expect("it fits"), Some(b"four".to_vec()));
    }

    #[test]
    fn a_file_without_end_is_not_read_to_its_end() {
        assert!(read_text(Path::new("/dev/zero")).is_err());
    }
}
