//! The tables of pools that LVM does not own, kept beside the history: after a boot nothing else
//! knows how such a pool was made. Written only when one is new or has changed, and never while a
//! pool is in trouble.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::model::Snapshot;
use crate::plan::recall::Recalled;
use crate::store;

/// Its name in the folder of our own files.
const NAME: &str = "pools";
/// Who may read it: it names files and devices.
const MODE: u32 = 0o600;
/// No larger file is read.
const LARGEST: u64 = 1 << 20;
/// Pools that are kept; the one that was not seen for longest goes first.
const MOST: usize = 64;
/// The version of the file.
const FORMAT: u32 = 1;
/// A pool that is as it was is written again after so many seconds, so that its age is known.
const AGAIN: i64 = 86_400;

#[derive(Serialize, Deserialize)]
struct File {
    format: u32,
    pools: Vec<Recalled>,
}

/// Keeps what this look shows.
pub(super) fn keep(state: &Path, snapshot: &Snapshot, now: i64) -> Result<(), String> {
    let seen = Recalled::all(&snapshot.topology, now);
    if seen.is_empty() {
        return Ok(());
    }
    let known = read(state)?;
    let Some(pools) = merged(known, seen) else { return Ok(()) };
    let failed = |error: std::io::Error| error.to_string();
    store::make_folder(state).map_err(failed)?;
    let text = serde_json::to_string(&File { format: FORMAT, pools })
        .map_err(|error| error.to_string())?;
    store::replace(&state.join(NAME), format!("{text}\n").as_bytes(), MODE).map_err(failed)
}

/// What was kept; nothing where there is no file.
pub(super) fn read(state: &Path) -> Result<Vec<Recalled>, String> {
    let path = state.join(NAME);
    let wrong = |why: String| format!("{}: {why}", path.display());
    let Some(bytes) =
        store::read_bytes(&path, LARGEST).map_err(|error| wrong(error.to_string()))?
    else {
        return Ok(Vec::new());
    };
    let file: File = serde_json::from_slice(&bytes)
        .map_err(|error| wrong(format!("it is damaged or another version's: {error}")))?;
    if file.format == FORMAT {
        Ok(file.pools)
    } else {
        Err(wrong(format!("it has format {}, and this program reads {FORMAT}", file.format)))
    }
}

/// The list to be written; `None` where it says nothing new.
fn merged(mut known: Vec<Recalled>, seen: Vec<Recalled>) -> Option<Vec<Recalled>> {
    let mut news = false;
    for one in seen {
        let at = known.iter().position(|old| old.pool == one.pool);
        if let Some(old) = at.and_then(|at| known.get_mut(at)) {
            let same = Recalled { seen: one.seen, ..old.clone() } == one;
            news |= !same || one.seen.saturating_sub(old.seen) >= AGAIN;
            *old = one;
        } else {
            known.push(one);
            news = true;
        }
    }
    known.sort_by_key(|one| std::cmp::Reverse(one.seen));
    known.truncate(MOST);
    news.then_some(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::recall::PartWas;
    use crate::units::Bytes;

    fn pool(name: &str, seen: i64, length: u64) -> Recalled {
        let part = |file: &str| PartWas {
            id: format!("file:{file}"),
            name: file.to_owned(),
            file: Some(file.to_owned()),
            size: Bytes(1 << 20),
        };
        let table = format!("0 {length} thin-pool 7:1 7:0 128 0 1 skip_block_zeroing");
        let (metadata, data) = (part("/m"), part("/d"));
        Recalled { pool: name.to_owned(), seen, table, metadata, data }
    }

    #[test]
    fn a_pool_is_written_when_it_is_new_or_changed_or_a_day_has_passed() {
        let known = vec![pool("a", 0, 8)];
        assert_eq!(merged(known.clone(), vec![pool("a", 60, 8)]), None);
        assert_eq!(merged(known.clone(), vec![pool("a", 60, 16)]), Some(vec![pool("a", 60, 16)]));
        let day = pool("a", AGAIN, 8);
        assert_eq!(merged(known.clone(), vec![day.clone()]), Some(vec![day]));
        let both = merged(known, vec![pool("b", 60, 8)]).expect("a new one");
        assert_eq!(both, [pool("b", 60, 8), pool("a", 0, 8)], "the other is not forgotten");
    }

    #[test]
    fn the_one_that_was_not_seen_for_longest_goes_first() {
        let known = (0..64).map(|at| pool(&format!("p{at}"), at, 8)).collect();
        let kept = merged(known, vec![pool("new", 100, 8)]).expect("a new one");
        assert_eq!(kept.len(), MOST);
        assert!(kept.iter().all(|one| one.pool != "p0"));
        assert!(kept.iter().any(|one| one.pool == "p1"));
    }

    #[test]
    fn a_damaged_file_and_one_of_another_version_are_told_and_left_as_they_are() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(read(dir.path()), Ok(Vec::new()));
        let snapshot = crate::model::sample::direct_lvm().snapshot();
        for text in ["{\"format\":1,\"pools\":[{", "{\"format\":9,\"pools\":[]}"] {
            std::fs::write(dir.path().join(NAME), text).expect("written");
            let why = read(dir.path()).expect_err("it is no list of pools");
            assert!(why.contains("damaged") || why.contains("format 9"), "{why}");
            // LVM's pools are not remembered: nothing is written
            assert_eq!(keep(dir.path(), &snapshot, 1), Ok(()));
            assert_eq!(std::fs::read_to_string(dir.path().join(NAME)).expect("there"), text);
        }
    }
}
