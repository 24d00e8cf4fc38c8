//! Our own files, and nothing of the host that is looked at: the configuration and the log.
//!
//! Beside the door (`sys`) the only place that touches files.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "our own files")]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

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
    fn a_file_without_end_is_not_read_to_its_end() {
        assert!(read_text(Path::new("/dev/zero")).is_err());
    }
}
