//! The history in its file: read once, added to at each look, written now and then.
//!
//! Touched only where no pool is in trouble: its file may lie on one, and whoever waits for a full
//! or suspended pool waits for ever.

use std::path::PathBuf;
use std::sync::Arc;

use super::remember;
use crate::format;
use crate::history::{Damage, History, LARGEST};
use crate::model::trend::Trend;
use crate::model::{Mode, Pool, PoolState, Snapshot, Trends, Usage};
use crate::settings::{HostChoice, Settings};
use crate::store;
use crate::sys::Source;
use crate::text::Printable;
use crate::units::Bytes;

/// Its name in the folder of our own files.
const NAME: &str = "history";
/// Who may read it: it names pools.
const MODE: u32 = 0o600;
/// Between two writes of a run that goes on, in seconds.
const PAUSE: i64 = 60;

/// The history of this host, as far as this run knows it.
#[derive(Debug)]
pub(super) struct Keeper {
    folder: PathBuf,
    /// As read, with what was added.
    history: History,
    read: bool,
    /// Samples that are not in the file.
    unsaved: usize,
    saved_at: i64,
    size: u64,
    /// Why nothing is read or kept, or what is wrong with what was read.
    trouble: Option<String>,
    /// Another version's file: never written over.
    foreign: bool,
}

impl Keeper {
    /// Of the host that is looked at; none where that is not this one.
    pub(super) fn of(settings: &Settings) -> Option<Self> {
        let here = settings.host == HostChoice::Live { root: None };
        here.then(|| Self {
            folder: settings.state_dir.clone(),
            history: History::default(),
            read: false,
            unsaved: 0,
            saved_at: 0,
            size: 0,
            trouble: None,
            foreign: false,
        })
    }

    /// Adds a look and tells what the past says.
    pub(super) fn look(&mut self, snapshot: &Snapshot, now: i64) -> Arc<Trends> {
        if !is_troubled(snapshot) {
            self.read(now);
        }
        self.unsaved += self.history.look(&snapshot.topology, now);
        self.trends(snapshot, now)
    }

    /// What the past says, nothing added.
    pub(super) fn recall(&mut self, snapshot: &Snapshot, now: i64) -> Arc<Trends> {
        if !is_troubled(snapshot) {
            self.read(now);
        }
        self.trends(snapshot, now)
    }

    /// Writes what is new, unless that was done a moment ago or a pool is in trouble; what is
    /// wrong, once.
    pub(super) fn keep(&mut self, snapshot: &Snapshot, now: i64) -> Option<String> {
        let rested = !(0..PAUSE).contains(&now.saturating_sub(self.saved_at));
        if self.unsaved == 0 || !rested || self.foreign || is_troubled(snapshot) {
            return None;
        }
        self.saved_at = now;
        let before = self.trouble.take();
        let saved = self.save(now).and_then(|()| {
            remember::keep(&self.folder, snapshot, now)
                .map_err(|why| format!("the tables of pools are not kept: {why}"))
        });
        self.trouble = saved.err();
        self.trouble.clone().filter(|trouble| before.as_ref() != Some(trouble))
    }

    fn trends(&self, snapshot: &Snapshot, now: i64) -> Arc<Trends> {
        let kept = !self.history.is_empty() || self.trouble.is_some();
        let place = kept.then(|| Printable::from(self.place()));
        let mut trends = Trends { place, ..self.history.trends(now) };
        for pool in &snapshot.topology.pools {
            if let Some(trend) = trends.pools.get_mut(&pool.name) {
                only_ahead(&mut trend.data, pool.data_usage());
                only_ahead(&mut trend.metadata, pool.metadata_usage());
            }
        }
        Arc::new(trends)
    }

    /// Where it is and how large, and what is wrong with it.
    fn place(&self) -> String {
        let file = self.folder.join(NAME);
        let (looks, size) = (self.history.len(), format::long(Bytes(self.size)));
        let most = format::long(Bytes(LARGEST));
        let place = format!("{}: {looks} looks, {size} of at most {most}", file.display());
        match &self.trouble {
            Some(trouble) => format!("{place}; {trouble}"),
            None => place,
        }
    }

    fn read(&mut self, now: i64) {
        if std::mem::replace(&mut self.read, true) {
            return;
        }
        match self.load() {
            Ok(history) => self.history.merge(&history, now),
            Err(why) => self.trouble = Some(why),
        }
    }

    /// The file's history, as far as it can be read.
    fn load(&mut self) -> Result<History, String> {
        let file = self.folder.join(NAME);
        let bytes = match store::read_bytes(&file, LARGEST) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(History::default()),
            Err(error) => return Err(format!("it cannot be read: {error}")),
        };
        self.size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let (history, damage) = History::parse(&bytes);
        match damage {
            Some(Damage::OfAnotherVersion) => {
                self.foreign = true;
                return Err("another version wrote it: it is left as it is, and nothing is kept; \
                            move it away to begin a new one"
                    .to_owned());
            }
            Some(Damage::Cut) => {
                self.trouble = Some(format!("it was cut: {} looks could be read", history.len()));
            }
            None => {}
        }
        Ok(history)
    }

    /// Together with what other runs have written meanwhile.
    fn save(&mut self, now: i64) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("it is not kept: {error}");
        store::make_folder(&self.folder).map_err(failed)?;
        let lock = store::lock(&self.folder.join("history.lock")).map_err(failed)?;
        // another run is writing: the next time will do
        let Some(_lock) = lock else { return Ok(()) };
        let theirs = self.load()?;
        self.history.merge(&theirs, now);
        let text = self.history.write();
        store::replace(&self.folder.join(NAME), text.as_bytes(), MODE).map_err(failed)?;
        self.size = u64::try_from(text.len()).unwrap_or(u64::MAX);
        self.unsaved = 0;
        Ok(())
    }
}

/// Whether something on this host may wait for a pool, by what was seen of it: where
/// device-mapper did not tell, everything may.
pub(super) fn is_troubled(snapshot: &Snapshot) -> bool {
    let dm = Source::Dm.name();
    let unseen = snapshot
        .sources
        .iter()
        .any(|source| source.source == dm && (source.silent || source.answered_at_ms.is_none()));
    if unseen || snapshot.gaps.iter().any(|gap| gap.source == *dm) {
        return true;
    }
    let topology = &snapshot.topology;
    let suspended =
        topology.nodes.iter().any(|node| node.facts.dm.as_ref().is_some_and(|dm| dm.suspended));
    suspended || topology.pools.iter().any(cannot_be_written)
}

fn cannot_be_written(pool: &Pool) -> bool {
    match &pool.state {
        PoolState::Active(status) => pool.suspended || status.mode != Mode::Rw,
        PoolState::Failed | PoolState::Unseen { .. } => true,
        PoolState::Inactive => false,
    }
}

/// What a command's look added to the history, not yet in its file.
pub(super) struct Unkept(Option<(Keeper, Snapshot)>);

impl Unkept {
    /// Writes it, and says what is wrong; whoever waits for the command has its answer by then.
    pub(super) fn keep(self) -> Option<Printable> {
        let (mut keeper, snapshot) = self.0?;
        let why = keeper.keep(&snapshot, snapshot.host.time)?;
        Some(format!("{}: {why}", keeper.folder.join(NAME).display()).into())
    }
}

/// What is full now will not be: the last sample may be from when it was not yet, for while a pool is
/// in trouble nothing is added.
fn only_ahead(trend: &mut Trend, usage: Option<Usage<Bytes>>) {
    if usage.is_some_and(|usage| usage.used >= usage.total) {
        trend.forecast = None;
    }
}

/// One look of a command: what the past says, the look added to it.
pub(super) fn look_once(settings: &Settings, snapshot: &mut Snapshot) -> Unkept {
    Unkept(Keeper::of(settings).map(|mut keeper| {
        snapshot.trends = keeper.look(snapshot, snapshot.host.time);
        (keeper, snapshot.clone())
    }))
}

/// What the past says, for a command that only looks.
pub(super) fn recall(settings: &Settings, snapshot: &mut Snapshot) {
    if let Some(mut keeper) = Keeper::of(settings) {
        snapshot.trends = keeper.recall(snapshot, snapshot.host.time);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sample::{direct_lvm, status};
    use crate::model::{Gap, SourceAge};
    use std::path::Path;

    const NOW: i64 = 1_795_255_200;

    fn keeper(folder: &Path) -> Keeper {
        Keeper {
            folder: folder.to_owned(),
            history: History::default(),
            read: false,
            unsaved: 0,
            saved_at: 0,
            size: 0,
            trouble: None,
            foreign: false,
        }
    }

    fn place(keeper: &Keeper) -> String {
        keeper
            .trends(&direct_lvm().snapshot(), NOW)
            .place
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default()
    }

    /// A run that looks once at this moment; what is wrong.
    fn run(folder: &Path, now: i64) -> (Keeper, Option<String>) {
        let mut keeper = keeper(folder);
        let snapshot = direct_lvm().snapshot();
        keeper.look(&snapshot, now);
        let wrong = keeper.keep(&snapshot, now);
        (keeper, wrong)
    }

    #[test]
    fn runs_add_to_one_another_and_say_where() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folder = dir.path().join("state");
        for nth in 0..3 {
            let (keeper, wrong) = run(&folder, NOW + nth * 600);
            assert_eq!(wrong, None);
            let looks = format!("{}/history: {} looks, ", folder.display(), nth + 1);
            assert!(place(&keeper).starts_with(&looks), "{}", place(&keeper));
            assert!(place(&keeper).ends_with(" of at most 4.0 MiB"), "{}", place(&keeper));
        }
    }

    #[test]
    fn of_a_pool_that_is_full_no_forecast_is_made() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut keeper = keeper(dir.path());
        let used = |hundredths: u64| {
            let mut parts = direct_lvm();
            let mut full = status();
            full.data.used.0 = full.data.total.0 * hundredths / 100;
            parts.pool.state = PoolState::Active(full);
            parts.snapshot()
        };
        for nth in 0..10 {
            keeper.look(&used(10 + 8 * nth), NOW + 60 * i64::try_from(nth).expect("few"));
        }
        let data = |keeper: &mut Keeper, blocks, now| {
            let trends = keeper.recall(&used(blocks), now);
            trends.pools.values().next().expect("its pool").data.forecast
        };
        assert!(data(&mut keeper, 90, NOW + 600).is_some());
        assert_eq!(data(&mut keeper, 100, NOW + 620), None);
    }

    #[test]
    fn two_runs_at_the_same_time_lose_nothing() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let snapshot = direct_lvm().snapshot();
        let (mut one, mut other) = (keeper(dir.path()), keeper(dir.path()));
        one.look(&snapshot, NOW);
        other.look(&snapshot, NOW + 700);
        assert_eq!((one.keep(&snapshot, NOW), other.keep(&snapshot, NOW + 700)), (None, None));
        assert_eq!(run(dir.path(), NOW + 1400).0.history.len(), 3);
    }

    #[test]
    fn a_cut_file_is_said_and_mended() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for nth in 0..5 {
            run(dir.path(), NOW + nth * 120);
        }
        let file = dir.path().join(NAME);
        let text = std::fs::read(&file).expect("it was written");
        std::fs::write(&file, &text[..text.len() - 40]).expect("cut");
        let mut reading = keeper(dir.path());
        reading.recall(&direct_lvm().snapshot(), NOW + 700);
        assert!(place(&reading).contains("it was cut: 4 looks"), "{}", place(&reading));
        run(dir.path(), NOW + 1000);
        let (keeper, wrong) = run(dir.path(), NOW + 1200);
        assert_eq!((wrong, keeper.history.len()), (None, 6));
        assert!(!place(&keeper).contains("cut"));
    }

    #[test]
    fn another_version_s_file_is_never_written_over() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join(NAME);
        std::fs::write(&file, "{\"thinscope_history\":9}\n").expect("written");
        let (keeper, _) = run(dir.path(), NOW);
        assert!(place(&keeper).contains("another version"), "{}", place(&keeper));
        assert_eq!(std::fs::read(&file).expect("there"), b"{\"thinscope_history\":9}\n");
    }

    #[test]
    fn where_nothing_can_be_written_that_is_said_once_and_the_look_goes_on() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let file = dir.path().join("file");
        std::fs::write(&file, "").expect("written");
        let mut keeper = keeper(&file.join("below"));
        let snapshot = direct_lvm().snapshot();
        let trends = keeper.look(&snapshot, NOW);
        assert_eq!(trends.pools.len(), 1, "what was seen in this run counts");
        keeper.trouble = None;
        assert!(keeper.keep(&snapshot, NOW).expect("it is said").starts_with("it is not kept: "));
        keeper.look(&snapshot, NOW + 600);
        assert_eq!(keeper.keep(&snapshot, NOW + 600), None, "once");
    }

    /// What names the disk to the test that is run again with one.
    const SMALL_DISK: &str = "THINSCOPE_TEST_SMALL_DISK";

    /// Runs a test again in a mount namespace of its own, with a disk of 64 KiB.
    fn with_a_small_disk(test: &str) {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let program = std::env::current_exe().expect("Linux tells");
        let script = "mount -t tmpfs -o size=64k none \"$1\" && exec \"$2\" --exact \"$3\"";
        let mut inside = std::process::Command::new("unshare");
        inside.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]);
        inside.args([dir.path(), &program, Path::new(test)]).env(SMALL_DISK, dir.path());
        let output = inside.output().expect("util-linux has unshare");
        let said = String::from_utf8_lossy(&output.stdout);
        let wrong = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("1 passed"), "{said}{wrong}");
    }

    #[test]
    fn on_a_full_disk_the_file_stays_whole_that_is_said_once_and_nothing_seen_is_lost() {
        let Some(disk) = std::env::var_os(SMALL_DISK) else {
            let own =
                "on_a_full_disk_the_file_stays_whole_that_is_said_once_and_nothing_seen_is_lost";
            return with_a_small_disk(&format!("run::keeper::tests::{own}"));
        };
        let (disk, snapshot) = (Path::new(&disk), direct_lvm().snapshot());
        for nth in 0..3 {
            assert_eq!(run(disk, NOW + nth * 600).1, None);
        }
        let (file, filler) = (disk.join(NAME), disk.join("filler"));
        let before = std::fs::read(&file).expect("it was written");
        let full = std::fs::write(&filler, vec![b'x'; 1 << 20]).expect_err("64 KiB are full");
        assert_eq!(full.raw_os_error(), Some(nix::libc::ENOSPC));
        let mut keeper = keeper(disk);
        for nth in 3..6 {
            let now = NOW + nth * 600;
            let trends = keeper.look(&snapshot, now);
            assert_eq!(trends.pools.len(), 1, "the look goes on");
            let said = keeper.keep(&snapshot, now);
            let once = "it is not kept: No space left on device (os error 28)".to_owned();
            assert_eq!(said, (nth == 3).then_some(once));
        }
        assert_eq!(std::fs::read(&file).expect("it is there"), before, "what was there stays");
        let beside = std::fs::read_dir(disk).expect("it is there").flatten();
        let names: Vec<_> = beside.map(|entry| entry.file_name()).collect();
        assert!(!names.iter().any(|name| name.to_string_lossy().ends_with(".new")), "{names:?}");
        std::fs::remove_file(&filler).expect("it was written");
        assert_eq!(keeper.keep(&snapshot, NOW + 3600), None);
        let (kept, damage) = History::parse(&std::fs::read(&file).expect("it is there"));
        assert_eq!((kept.len(), damage), (6, None), "with what was seen meanwhile");
    }

    #[test]
    fn nothing_is_read_or_written_while_a_pool_is_in_trouble() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let folder = dir.path().join("state");
        for mode in [Mode::OutOfDataSpace, Mode::Ro] {
            let mut parts = direct_lvm();
            parts.pool.state = PoolState::Active(crate::model::PoolStatus { mode, ..status() });
            let snapshot = parts.snapshot();
            let mut keeper = keeper(&folder);
            keeper.look(&snapshot, NOW);
            assert_eq!(keeper.keep(&snapshot, NOW), None);
            assert!(!keeper.read && !folder.exists());
        }
        let mut parts = direct_lvm();
        parts.pool.suspended = true;
        assert!(is_troubled(&parts.snapshot()));
        assert!(!is_troubled(&direct_lvm().snapshot()));
    }

    #[test]
    fn where_device_mapper_was_not_seen_nothing_is_touched() {
        let dm = |answered_at_ms, silent| SourceAge {
            source: "dm",
            answered_at_ms,
            asking_since_ms: None,
            silent,
            failed: false,
            progress: None,
        };
        let seen = |dm, gaps| Snapshot { sources: vec![dm], gaps, ..direct_lvm().snapshot() };
        assert!(!is_troubled(&seen(dm(Some(1), false), Vec::new())));
        assert!(is_troubled(&seen(dm(None, false), Vec::new())), "not yet");
        assert!(is_troubled(&seen(dm(Some(1), true), Vec::new())), "not any more");
        let stuck = Gap::new("dm", "device 253:3 does not tell its status");
        assert!(is_troubled(&seen(dm(Some(1), false), vec![stuck])), "not all of it");
    }

    #[test]
    fn a_clock_that_was_once_set_ahead_does_not_end_the_history() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for nth in 0..3 {
            run(dir.path(), NOW + nth * 600);
        }
        let ahead = NOW + 30 * 86_400;
        run(dir.path(), ahead);
        let text = std::fs::read_to_string(dir.path().join(NAME)).expect("written");
        assert!(text.contains(&ahead.to_string()), "the clock said so");
        for nth in 3..6 {
            run(dir.path(), NOW + nth * 600);
        }
        let text = std::fs::read_to_string(dir.path().join(NAME)).expect("written");
        assert!(!text.contains(&ahead.to_string()), "{text}");
        for nth in 3..6 {
            assert!(text.contains(&(NOW + nth * 600).to_string()), "{text}");
        }
    }
}
