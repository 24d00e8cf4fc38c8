//! Slips of paper for metadata snapshots that a run of ours reserved: written before it does, torn up
//! after it released. What lies here with nobody holding its lock was left by a run that was killed.
//!
//! Knows files and locks, and nothing of pools: who may release what is for others to judge.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg, OFlag};
use serde::{Deserialize, Serialize};

/// Where the slips lie below the state folder.
const FOLDER: &str = "reserved";
/// A slip is a few hundred bytes.
const LONGEST: u64 = 64 << 10;
/// Slips that are looked at; there is one for each pool at most.
const MOST: usize = 256;

/// What a run is about to reserve, or has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reserved {
    /// The pool's device-mapper name.
    pub pool: String,
    /// Its device-mapper uuid; empty where it has none.
    pub uuid: String,
    /// Seconds since 1970 when it was reserved.
    pub time: i64,
    /// The kernel's own name of the time since it was booted.
    pub boot_id: String,
    /// The block that the kernel gave; `None` as long as it has not answered.
    pub held_root: Option<u64>,
}

/// One slip, which nobody else may touch while this lives.
#[derive(Debug)]
pub struct Slip {
    file: Flock<File>,
    path: PathBuf,
}

impl Slip {
    /// Writes a slip down for good. Fails where another run has one for the same pool.
    pub fn write(state: &Path, reserved: &Reserved) -> io::Result<Self> {
        let folder = state.join(FOLDER);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let path = folder.join(name_of(&reserved.pool));
        let mut slip = Self::lock(path)?.ok_or_else(|| {
            io::Error::new(io::ErrorKind::WouldBlock, "another run has reserved there")
        })?;
        slip.put(reserved)?;
        File::open(&folder)?.sync_all()?;
        Ok(slip)
    }

    /// Opens and locks a slip; `None` while another run holds it.
    fn lock(path: PathBuf) -> io::Result<Option<Self>> {
        loop {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .custom_flags(OFlag::O_NOFOLLOW.bits() | OFlag::O_NONBLOCK.bits())
                .open(&path)?;
            let file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(file) => file,
                Err((_, Errno::EWOULDBLOCK)) => return Ok(None),
                Err((_, errno)) => return Err(errno.into()),
            };
            // whoever held the lock before may have torn the slip up
            let (mine, there) = (file.metadata()?, fs::symlink_metadata(&path));
            if there.is_ok_and(|there| (there.dev(), there.ino()) == (mine.dev(), mine.ino())) {
                return Ok(Some(Self { file, path }));
            }
        }
    }

    /// Writes down what is reserved now; it is on disk when this returns.
    pub fn put(&mut self, reserved: &Reserved) -> io::Result<()> {
        let text = serde_json::to_vec(reserved)?;
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&text)?;
        self.file.sync_all()
    }

    /// What is written on it; `None` where a run was killed while it wrote.
    pub fn read(&mut self) -> io::Result<Option<Reserved>> {
        let mut text = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        Read::by_ref(&mut *self.file).take(LONGEST).read_to_end(&mut text)?;
        Ok(serde_json::from_slice(&text).ok())
    }

    /// Nothing is reserved any more.
    pub fn tear_up(self) -> io::Result<()> {
        fs::remove_file(&self.path)?;
        match self.path.parent() {
            Some(folder) => File::open(folder)?.sync_all(),
            None => Ok(()),
        }
    }
}

/// The slips that runs left which are no more; none where there is no such folder.
pub fn left(state: &Path) -> io::Result<Vec<Slip>> {
    let entries = match fs::read_dir(state.join(FOLDER)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut slips = Vec::new();
    for entry in entries.take(MOST) {
        slips.extend(Slip::lock(entry?.path())?);
    }
    Ok(slips)
}

/// A file name that any pool's name can be.
fn name_of(pool: &str) -> String {
    use std::fmt::Write as _;
    pool.bytes().fold(String::new(), |mut name, byte| {
        // a string takes everything
        let _ = if byte.is_ascii_alphanumeric() || byte == b'-' {
            write!(name, "{}", char::from(byte))
        } else {
            write!(name, "_{byte:02x}")
        };
        name
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reserved(pool: &str) -> Reserved {
        Reserved {
            pool: pool.to_owned(),
            uuid: "LVM-x-tpool".to_owned(),
            time: 1_700_000_000,
            boot_id: "b".to_owned(),
            held_root: None,
        }
    }

    #[test]
    fn a_slip_belongs_to_the_run_that_wrote_it_until_that_ends() {
        let state = tempfile::tempdir().expect("a temporary folder");
        let mut slip = Slip::write(state.path(), &reserved("a/../b \n")).expect("a new folder");
        assert!(left(state.path()).expect("readable").is_empty(), "its run lives");
        let second = Slip::write(state.path(), &reserved("a/../b \n")).expect_err("held");
        assert_eq!(second.kind(), io::ErrorKind::WouldBlock);
        slip.put(&Reserved { held_root: Some(77), ..reserved("a/../b \n") }).expect("written");
        drop(slip);
        let mut found = left(state.path()).expect("readable");
        assert_eq!(found.len(), 1);
        let said = found[0].read().expect("readable").expect("whole");
        assert_eq!((said.held_root, said.pool.as_str()), (Some(77), "a/../b \n"));
        found.remove(0).tear_up().expect("it is ours");
        assert!(left(state.path()).expect("readable").is_empty());
    }

    #[test]
    fn a_slip_that_was_half_written_is_there_and_says_nothing() {
        let state = tempfile::tempdir().expect("a temporary folder");
        drop(Slip::write(state.path(), &reserved("pool")).expect("a new folder"));
        let path = state.path().join(FOLDER).join("pool");
        fs::write(&path, "{\"pool\":\"po").expect("our own file");
        let mut found = left(state.path()).expect("readable");
        assert_eq!(found[0].read().expect("readable"), None);
    }

    #[test]
    fn without_a_folder_nothing_was_left() {
        let state = tempfile::tempdir().expect("a temporary folder");
        assert!(left(&state.path().join("none")).expect("no folder").is_empty());
    }
}
