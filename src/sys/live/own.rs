//! Recordings as files: opened to be read, made to be written. Not the host that is looked at.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use nix::fcntl::OFlag;

/// Opens a recording; what is no regular file (a fifo, a terminal) could wait for ever and is
/// refused, except a pipe that a shell made (`<(zcat …)`).
pub fn open(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).custom_flags(OFlag::O_NOCTTY.bits()).open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    Ok(file)
}

/// Makes a new recording, readable by its owner only from its first moment: it holds the names
/// of everything on the host. One that is there already is written over, with the same mode.
pub fn create(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .custom_flags(OFlag::O_NOCTTY.bits())
        .open(path)?;
    if file.metadata()?.is_file() {
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_recording_is_its_owner_s_only_also_where_a_file_was_before() {
        let dir = tempfile::tempdir().expect("a temporary folder can be made");
        let path = dir.path().join("-host.capture");
        std::fs::write(&path, "older and longer").expect("written");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
        for text in ["first", "2nd"] {
            create(&path).and_then(|mut file| file.write_all(text.as_bytes())).expect("written");
            let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text);
        }
    }

    #[test]
    fn a_folder_is_no_recording() {
        let error = open(Path::new("/tmp")).expect_err("it is a folder");
        assert_eq!(error.kind(), io::ErrorKind::IsADirectory);
    }
}
