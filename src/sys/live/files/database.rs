//! A bolt database of a running engine, read by its pages: never locked, never mapped (a file
//! that shrinks would kill), never whole.

use std::borrow::Cow;
use std::cell::Cell;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::fail;
use crate::sys::bolt::{BoltError, Pages};
use crate::sys::live::keep;
use crate::sys::{BoltKeep, BoltSeen, FailKind, Failure};

/// How often a database that is committed to while it is read is read again.
const MOST_READINGS: usize = 3;

/// The kept keys of a database, all of one transaction.
pub(super) fn read(path: &Path, file: File, keep: BoltKeep) -> Result<BoltSeen, Failure> {
    let failed = |error: &io::Error| fail(path, error);
    let mut file = FilePages { length: 0, file, left: Cell::new(0), error: Cell::new(None) };
    let mut why = None;
    for _ in 0..MOST_READINGS {
        file.begin().map_err(|error| failed(&error))?;
        let seen = keep::bolt::project(&file, keep);
        if let Some(error) = file.error.take() {
            return Err(failed(&error));
        }
        file.begin().map_err(|error| failed(&error))?;
        let after = keep::bolt::project(&file, BoltKeep::Transaction);
        match (seen, after) {
            (Ok(seen), Ok(after)) if seen.transaction == after.transaction => return Ok(seen),
            (Ok(_), _) => why = None,
            // damage may be a page that was written anew meanwhile
            (Err(error), _) => why = Some(error),
        }
    }
    Err(why.map_or_else(|| too_fast(path), |error| damaged(path, &error)))
}

fn too_fast(path: &Path) -> Failure {
    let why = format!("{}: it is committed to faster than it can be read", path.display());
    Failure { kind: FailKind::Other, why }
}

fn damaged(path: &Path, error: &BoltError) -> Failure {
    let kind = if *error == BoltError::TooMuch { FailKind::TooLarge } else { FailKind::Malformed };
    Failure { kind, why: format!("{}: {error}", path.display()) }
}

/// The pages of a file, and how many bytes may still be read of it: a walk of a sound database
/// reads none twice.
struct FilePages {
    file: File,
    length: usize,
    left: Cell<usize>,
    error: Cell<Option<io::Error>>,
}

impl FilePages {
    fn begin(&mut self) -> io::Result<()> {
        self.length = usize::try_from(self.file.metadata()?.len()).unwrap_or(usize::MAX);
        // headers are read once more than their pages
        self.left.set(self.length.saturating_mul(2).saturating_add(1 << 16));
        Ok(())
    }
}

impl Pages for FilePages {
    fn length(&self) -> usize {
        self.length
    }

    fn read(&self, at: usize, length: usize) -> Option<Cow<'_, [u8]>> {
        if at.checked_add(length)? > self.length {
            return None;
        }
        self.left.set(self.left.get().checked_sub(length)?);
        let mut bytes = vec![0; length];
        match self.file.read_exact_at(&mut bytes, u64::try_from(at).ok()?) {
            Ok(()) => Some(Cow::Owned(bytes)),
            // it was cut meanwhile
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => None,
            Err(error) => {
                self.error.set(Some(error));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
