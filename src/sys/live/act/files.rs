//! The files that one effect leaves in its folder: what it printed and how it ended.
//!
//! All are their owner's only. The room for the result is taken before anything is done.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;

use super::order::Outcome;

/// Room for a result: the words of a failure are a few kilobytes.
const ROOM: usize = 64 << 10;

/// Where the files of one effect are.
#[derive(Debug)]
pub(super) struct Files {
    folder: PathBuf,
    stem: String,
}

impl Files {
    /// Refused when the stem could lead out of the folder.
    pub(super) fn new(folder: &Path, stem: &str) -> Result<Self, String> {
        if !folder.is_absolute() || folder.to_str().is_none() {
            return Err(format!(
                "the folder for what is printed, {}, must be an absolute path in UTF-8",
                folder.display()
            ));
        }
        if stem.is_empty() || stem.starts_with('.') || stem.contains(['/', '\0']) {
            return Err(format!("{stem:?} cannot be the beginning of a file's name"));
        }
        Ok(Self { folder: folder.to_owned(), stem: stem.to_owned() })
    }

    fn path(&self, kind: &str) -> PathBuf {
        self.folder.join(format!("{}.{kind}", self.stem))
    }

    /// What was printed.
    pub(super) fn out(&self) -> PathBuf {
        self.path("out")
    }

    /// What was printed on standard error.
    pub(super) fn err(&self) -> PathBuf {
        self.path("err")
    }

    /// Makes both outputs anew, after the result of an earlier effect has gone for good.
    pub(super) fn create_outputs(&self) -> Result<(File, File), String> {
        let made = self.forget_result().and_then(|()| {
            let outputs = (create(&self.out())?, create(&self.err())?);
            File::open(&self.folder)?.sync_all()?;
            Ok(outputs)
        });
        made.map_err(|error| {
            format!("{} cannot be written to: {error}; nothing was done", self.folder.display())
        })
    }

    fn forget_result(&self) -> io::Result<()> {
        match fs::remove_file(self.path("result")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// Takes the room for the result.
    pub(super) fn reserve(&self) -> io::Result<Reserved> {
        let path = self.path("result.new");
        let mut file = create(&path)?;
        file.write_all(&vec![b' '; ROOM])?;
        file.sync_all()?;
        Ok(Reserved { file, path, last: self.path("result"), folder: self.folder.clone() })
    }

    /// How the effect ended, as far as anybody lived to tell.
    pub(super) fn read_outcome(&self) -> Option<Outcome> {
        let mut bytes = Vec::new();
        let most = u64::try_from(2 * ROOM).unwrap_or(u64::MAX);
        File::open(self.path("result")).ok()?.take(most).read_to_end(&mut bytes).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

/// A new file of ours; never through a link that somebody put there.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NOCTTY).bits())
        .open(path)
}

/// The result's place, with room in it.
#[derive(Debug)]
pub(super) struct Reserved {
    file: File,
    path: PathBuf,
    last: PathBuf,
    folder: PathBuf,
}

impl Reserved {
    /// Puts the result there: whole or not at all, and still there after a power failure.
    pub(super) fn fill(mut self, outcome: &Outcome) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(outcome)?;
        bytes.push(b'\n');
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&bytes)?;
        self.file.set_len(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
        self.file.sync_all()?;
        fs::rename(&self.path, &self.last)?;
        File::open(&self.folder)?.sync_all()
    }
}
