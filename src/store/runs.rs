//! What was done to this host: one journal a run, lines that are on the disk before anything
//! happens, and the lock that lets one run at a time.
//!
//! Knows files and lines, nothing of what stands in them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// A journal longer than this is none of ours.
const LONGEST_JOURNAL: u64 = 64 << 20;
/// Ids that are looked at, at most.
const MOST_RUNS: usize = 10_000;

/// The folder of all runs.
#[derive(Clone, Debug)]
pub struct Runs {
    state: PathBuf,
}

/// The lock on changes to this host. It is held until it is released, or until this process and
/// all that inherited it have ended: dropping it lets nobody in, for an effect may still run.
#[derive(Debug)]
pub struct Lock(ManuallyDrop<Flock<File>>);

impl Lock {
    /// The same lock, for a process that outlives this one.
    pub fn share(&self) -> io::Result<OwnedFd> {
        self.0.as_fd().try_clone_to_owned()
    }

    /// Lets the next one in; only when nothing of ours runs any more.
    pub fn release(self) {
        drop(ManuallyDrop::into_inner(self.0));
    }
}

/// One run's journal, open for appending.
#[derive(Debug)]
pub struct RunFile {
    file: File,
    /// A line was begun and not ended, as where there was no room: the next one begins anew.
    torn: bool,
}

impl Runs {
    /// Below a state folder.
    pub fn below(state: &Path) -> Self {
        Self { state: state.to_owned() }
    }

    /// The state folder.
    pub fn state(&self) -> &Path {
        &self.state
    }

    fn folder(&self) -> PathBuf {
        self.state.join("journal")
    }

    fn path(&self, id: &str) -> PathBuf {
        self.folder().join(format!("{id}.jsonl"))
    }

    /// Makes the folders, for root alone, and proves that a line can be kept there.
    pub fn prepare(&self) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(self.folder())?;
        let probe = self.folder().join(".probe");
        let mut file = private().create(true).write(true).truncate(true).open(&probe)?;
        file.write_all(&[b'x'; 4096])?;
        file.sync_all()?;
        drop(file);
        fs::remove_file(&probe)
    }

    /// The lock, unless somebody has it.
    pub fn lock(&self) -> io::Result<Option<Lock>> {
        let file = private().create(true).append(true).open(self.state.join("lock"))?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => Ok(Some(Lock(ManuallyDrop::new(lock)))),
            Err((_, Errno::EWOULDBLOCK)) => Ok(None),
            Err((_, errno)) => Err(errno.into()),
        }
    }

    /// A new run. Its id must be new, and it is on the disk when this returns.
    pub fn create(&self, id: &str) -> io::Result<RunFile> {
        let file = private().create_new(true).append(true).open(self.path(id))?;
        File::open(self.folder())?.sync_all()?;
        Ok(RunFile { file, torn: false })
    }

    /// A run that goes on. A line that was cut off when the machine died is ended before
    /// the next one.
    pub fn open(&self, id: &str) -> io::Result<RunFile> {
        let cut = self.read(id)?.last().is_some_and(|byte| *byte != b'\n');
        let file = private().append(true).open(self.path(id))?;
        Ok(RunFile { file, torn: cut })
    }

    /// A run's lines.
    pub fn read(&self, id: &str) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(self.path(id))?.take(LONGEST_JOURNAL).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// How long a run's lines are: it only grows.
    pub fn length(&self, id: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.path(id))?.len())
    }

    /// All runs, oldest first: ids begin with the time.
    pub fn ids(&self) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.folder()) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut ids: Vec<String> = entries
            .filter_map(|entry| {
                let name = entry.ok()?.file_name().into_string().ok()?;
                name.strip_suffix(".jsonl").map(str::to_owned)
            })
            .filter(|id| is_id(id))
            .collect();
        ids.sort();
        let old = ids.len().saturating_sub(MOST_RUNS);
        Ok(ids.split_off(old))
    }

    /// An id that sorts behind those that are there, as what came later does. A clock may be set
    /// back, and a machine may begin in the past after a boot; a run that was cut off then must not
    /// look as if an earlier one had overtaken it.
    pub fn later(&self, id: &str) -> String {
        match self.ids().ok().and_then(|mut ids| ids.pop()) {
            Some(last) if last.as_str() >= id => behind(&last, id),
            _ => id.to_owned(),
        }
    }

    /// Where the effects of a run left what they printed; `None` where none did.
    pub fn printed(&self, id: &str) -> Option<PathBuf> {
        let folder = self.folder().join(format!("{id}.effects"));
        folder.is_dir().then_some(folder)
    }

    /// Where a run's effects leave what they printed and how they ended.
    pub fn effects(&self, id: &str) -> io::Result<PathBuf> {
        let folder = self.folder().join(format!("{id}.effects"));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        Ok(folder)
    }
}

impl RunFile {
    /// Adds a line; it is on the disk when this returns.
    pub fn append(&mut self, line: &str) -> io::Result<()> {
        let begin = if self.torn { "\n" } else { "" };
        self.torn = true;
        self.file.write_all(format!("{begin}{line}\n").as_bytes())?;
        self.torn = false;
        self.file.sync_data()
    }
}

/// The moment of the last id with a count behind it: `MOMENT-MS.000001-VERB`.
fn behind(last: &str, id: &str) -> String {
    let verb = id.rsplit('-').next().unwrap_or("run");
    let mut words = last.splitn(3, '-');
    let (Some(moment), Some(ms)) = (words.next(), words.next()) else {
        return format!("{last}.{verb}");
    };
    let (ms, count) = ms.split_once('.').unwrap_or((ms, "0"));
    let count = count.parse::<u32>().unwrap_or(0).saturating_add(1);
    format!("{moment}-{ms}.{count:06}-{verb}")
}

/// Letters, digits, `-`, `_` and `.`, so that an id is a file's name and nothing else.
pub fn is_id(id: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !id.is_empty() && id.len() <= 200 && !id.starts_with('.') && id.bytes().all(fits)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

/// Reads a saved plan; writes one whole or not at all, and never over another file.
pub fn save_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = private().write(true).create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs() -> (tempfile::TempDir, Runs) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let runs = Runs::below(&dir.path().join("state"));
        runs.prepare().expect("a new folder can be made");
        (dir, runs)
    }

    #[test]
    fn lines_are_kept_in_order_and_a_cut_one_does_not_swallow_the_next() {
        let (_dir, runs) = runs();
        let mut run = runs.create("20261126-1").expect("new");
        run.append("one").expect("written");
        fs::OpenOptions::new()
            .append(true)
            .open(runs.path("20261126-1"))
            .and_then(|mut file| file.write_all(b"tw"))
            .expect("a line without its end");
        runs.open("20261126-1").and_then(|mut run| run.append("three")).expect("goes on");
        assert_eq!(runs.read("20261126-1").expect("readable"), b"one\ntw\nthree\n");
    }

    #[test]
    fn an_id_is_used_once_and_ids_come_oldest_first() {
        let (_dir, runs) = runs();
        for id in ["20261126-2", "20251126-9"] {
            runs.create(id).expect("new");
        }
        assert!(runs.create("20261126-2").is_err());
        assert_eq!(runs.ids().expect("readable"), ["20251126-9", "20261126-2"]);
    }

    #[test]
    fn what_comes_later_sorts_behind_also_where_the_clock_was_set_back() {
        let (_dir, runs) = runs();
        let first = runs.later("20261128T053509Z-547-grow");
        assert_eq!(first, "20261128T053509Z-547-grow");
        let mut made = vec![first];
        for id in [
            "20261128T053448Z-721-grow",
            "20261128T053448Z-900-activate",
            "20261128T053509Z-547-grow",
        ] {
            runs.create(made.last().expect("one")).expect("a new run");
            made.push(runs.later(id));
        }
        assert_eq!(made[1], "20261128T053509Z-547.000001-grow");
        assert_eq!(made[2], "20261128T053509Z-547.000002-activate");
        let mut sorted = made.clone();
        sorted.sort();
        assert_eq!(sorted, made);
        assert!(made.iter().all(|id| is_id(id)));
        assert_eq!(runs.later("20261128T053510Z-001-grow"), "20261128T053510Z-001-grow");
    }

    #[test]
    fn one_at_a_time_holds_the_lock_until_it_is_released() {
        let (_dir, runs) = runs();
        let begun = |runs: &Runs| {
            let lock = runs.lock().expect("works").expect("free");
            drop(lock.share().expect("a second descriptor"));
            // leaves without releasing: an effect may still run
        };
        begun(&runs);
        assert!(runs.lock().expect("works").is_none());
    }

    #[test]
    fn a_lock_that_is_released_lets_the_next_one_in() {
        let (_dir, runs) = runs();
        runs.lock().expect("works").expect("free").release();
        assert!(runs.lock().expect("works").is_some());
    }

    #[test]
    fn an_id_never_leads_out_of_its_folder() {
        for bad in ["", "../x", "a/b", ".hidden", "a b", "x\n"] {
            assert!(!is_id(bad), "{bad:?}");
        }
        assert!(is_id("20261126-141700-grow-docker-thinpool"));
    }

    #[test]
    fn a_state_folder_that_cannot_be_written_is_told_before_anything_begins() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("file");
        fs::write(&file, b"").expect("writable");
        assert!(Runs::below(&file).prepare().is_err());
    }
}
