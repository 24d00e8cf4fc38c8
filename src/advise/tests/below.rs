//! Rules about what a pool rests on.

use super::{codes_after, findings_after, only, with_status};
use crate::model::sample::Parts;
use crate::model::{Kind, QueueFacts};
use crate::units::Bytes;

/// The sample's places of disk and tdata.
const DISK: usize = 0;
const TDATA: usize = 5;

fn takes(bytes: u64) -> QueueFacts {
    QueueFacts { discard_max: Some(Bytes(bytes)), ..QueueFacts::default() }
}

/// The pool says `word`, its table asks `option`, disk and tdata take so many bytes.
fn discards(word: &str, option: Option<&str>, limits: [Option<u64>; 2]) -> Vec<&'static str> {
    let (word, option) = (word.to_owned(), option.map(str::to_owned));
    codes_after(move |parts| {
        set(parts, &word, option.as_deref(), limits);
    })
}

fn set(parts: &mut Parts, word: &str, option: Option<&str>, [disk, tdata]: [Option<u64>; 2]) {
    let word = word.into();
    with_status(|status| status.discard = Some(word))(parts);
    parts.pool.options.extend(option.map(Into::into));
    parts.nodes[DISK].facts.queue = disk.map(takes).map(Box::new);
    parts.nodes[TDATA].facts.queue = tdata.map(takes).map(Box::new);
}

const FOUND: [&str; 1] = ["discards-not-passed"];
const NOTHING: [&str; 0] = [];

#[test]
fn a_pool_that_ignores_discards_is_told_whatever_is_below() {
    assert_eq!(discards("ignore_discard", Some("ignore_discard"), [None, None]), FOUND);
    assert_eq!(discards("discard_passdown", None, [Some(0), Some(0)]), NOTHING);
}

#[test]
fn passing_down_is_missed_only_where_something_below_could_take_it() {
    let asked = Some("no_discard_passdown");
    let word = "no_discard_passdown";
    assert_eq!(discards(word, asked, [Some(4096), Some(4096)]), FOUND);
    // a disk that takes none is as it is
    assert_eq!(discards(word, asked, [Some(0), Some(0)]), NOTHING);
    assert_eq!(discards(word, None, [Some(0), Some(0)]), NOTHING);
    assert_eq!(discards(word, None, [Some(4096), Some(0)]), FOUND);
    // not asked: nothing is known
    assert_eq!(discards(word, None, [None, Some(0)]), NOTHING);
    assert_eq!(discards(word, None, [Some(4096), None]), NOTHING);
}

#[test]
fn the_level_that_loses_discards_is_named() {
    let found = findings_after(|parts| {
        set(parts, "no_discard_passdown", None, [Some(4096), Some(0)]);
    });
    let finding = only(&found, "discards-not-passed");
    assert!(finding.summary.contains("because docker-thinpool_tdata takes none"));
    assert!(
        finding.evidence.contains(&"discard_max_bytes of docker-thinpool_tdata: 0".to_owned()),
        "{finding:?}"
    );
}

#[test]
fn a_loop_device_without_holes_is_no_disk_that_is_as_it_is() {
    let found = findings_after(|parts| {
        set(parts, "no_discard_passdown", None, [Some(0), Some(0)]);
        parts.nodes[DISK].kind = Kind::Loop;
    });
    assert!(only(&found, "discards-not-passed").summary.contains("without holes"));
}

/// A second disk under the metadata; whether each turns.
fn turning(data: Option<bool>, metadata: Option<bool>) -> Vec<&'static str> {
    codes_after(move |parts| {
        let queue = |rotational| Some(Box::new(QueueFacts { rotational, ..QueueFacts::default() }));
        let mut other = crate::model::sample::node(Kind::Disk, "vdc", 1 << 30);
        other.device = Some(crate::ids::DevNo::new(254, 32));
        other.facts.queue = queue(metadata);
        parts.nodes.push(other);
        parts.nodes[DISK].facts.queue = queue(data);
        let tmeta = parts.nodes[4].facts.dm.as_mut().expect("tmeta is active");
        tmeta.table = vec!["0 8 linear 254:32 2048".into()];
    })
}

#[test]
fn metadata_is_slow_on_a_turning_disk_beside_data_on_one_that_does_not() {
    assert_eq!(turning(Some(false), Some(true)), ["metadata-device-slow"]);
    assert_eq!(turning(Some(true), Some(true)), NOTHING);
    assert_eq!(turning(Some(false), Some(false)), NOTHING);
    assert_eq!(turning(None, Some(true)), NOTHING);
}
