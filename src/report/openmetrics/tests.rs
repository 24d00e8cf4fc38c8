//! Figures of sample hosts, line by line.

use super::write_metrics;
use crate::model::sample::{Parts, direct_lvm, status};
use crate::model::{Finding, Gap, Mode, PoolState, Severity, Snapshot, SourceAge};
use crate::text::Printable;

const CODES: [&str; 2] = ["pool-failed", "device-leaked"];

fn metrics(snapshot: &Snapshot) -> String {
    let mut out = Vec::new();
    write_metrics(&mut out, snapshot, &CODES).expect("a vector takes everything");
    String::from_utf8(out).expect("it is text")
}

/// The value of a series, as it is printed.
fn value(text: &str, series: &str) -> Option<String> {
    let line =
        text.lines().find(|line| line.strip_prefix(series).is_some_and(|l| l.starts_with(' ')))?;
    line.rsplit_once(' ').map(|(_, value)| value.to_owned())
}

fn of(parts: Parts, series: &str) -> Option<String> {
    value(&metrics(&parts.snapshot()), series)
}

#[test]
fn a_pool_s_figures_are_in_bytes_and_ratios() {
    let text = metrics(&direct_lvm().snapshot());
    for (series, expected) in [
        // 19456 of 194560 blocks of 512 KiB, 5222 of 261120 of 4 KiB
        ("thinscope_pool_data_used_bytes", "10200547328"),
        ("thinscope_pool_data_size_bytes", "102005473280"),
        ("thinscope_pool_data_used_ratio", "0.1"),
        ("thinscope_pool_metadata_used_bytes", "21389312"),
        ("thinscope_pool_metadata_size_bytes", "1069547520"),
        ("thinscope_pool_chunk_size_bytes", "524288"),
        ("thinscope_pool_low_water_bytes", "20401094656"),
        ("thinscope_pool_transaction_id", "24"),
        ("thinscope_pool_needs_check", "0"),
        ("thinscope_pool_suspended", "0"),
        ("thinscope_pool_monitored", "1"),
    ] {
        let series = format!("{series}{{pool=\"docker-thinpool\"}}");
        assert_eq!(value(&text, &series).as_deref(), Some(expected), "{series}");
    }
    assert!(text.ends_with("\n# EOF\n"));
}

#[test]
fn the_mode_is_one_of_all_modes() {
    let mode = |mode: Mode, word: &str| {
        let mut parts = direct_lvm();
        parts.pool.state = PoolState::Active(crate::model::PoolStatus { mode, ..status() });
        of(parts, &format!("thinscope_pool_mode{{pool=\"docker-thinpool\",mode=\"{word}\"}}"))
    };
    assert_eq!(mode(Mode::Rw, "rw").as_deref(), Some("1"));
    assert_eq!(mode(Mode::Rw, "fail").as_deref(), Some("0"));
    assert_eq!(mode(Mode::OutOfDataSpace, "out_of_data_space").as_deref(), Some("1"));
    assert_eq!(mode(Mode::Unknown("new".into()), "new").as_deref(), Some("1"));
    assert_eq!(mode(Mode::Rw, "new"), None);
}

#[test]
fn what_was_not_seen_has_no_sample_and_never_a_zero() {
    let mut parts = direct_lvm();
    parts.pool.state = PoolState::Unseen { why: "no answer".into() };
    parts.pool.monitor = None;
    let text = metrics(&parts.snapshot());
    for name in ["data_used_bytes", "data_used_ratio", "mode", "needs_check", "monitored"] {
        assert!(!text.contains(&format!("thinscope_pool_{name}")), "{name}");
    }
    assert!(text.contains("thinscope_pool_info{"), "it is there all the same");
}

#[test]
fn devices_are_counted_by_role_and_bytes_are_those_of_all_or_none() {
    let text = metrics(&direct_lvm().snapshot());
    let series = |name: &str, role: &str| {
        value(&text, &format!("thinscope_pool_{name}{{pool=\"docker-thinpool\",role=\"{role}\"}}"))
    };
    assert_eq!(series("devices", "image-layer").as_deref(), Some("2"));
    assert_eq!(series("devices", "container").as_deref(), Some("1"));
    assert_eq!(series("devices", "leaked").as_deref(), Some("0"));
    assert_eq!(series("mapped_bytes", "container").as_deref(), Some("167772160"));
    assert_eq!(series("mapped_bytes", "image-layer"), None, "of one of them it is not known");
}

#[test]
fn every_code_is_there_and_what_was_found_is_counted() {
    let mut snapshot = direct_lvm().snapshot();
    snapshot.gaps = vec![Gap::new("lvm", "gone")];
    snapshot.findings = vec![
        Finding {
            code: "pool-failed",
            severity: Severity::Critical,
            subject: "p".into(),
            node: None,
            summary: String::new(),
            evidence: Vec::new(),
            remedy: String::new(),
            cure: crate::model::Cure::AsItsPage,
        };
        3
    ];
    let text = metrics(&snapshot);
    let is = |series: &str, expected: &str| {
        assert_eq!(value(&text, series).as_deref(), Some(expected), "{series}");
    };
    is("thinscope_findings{code=\"pool-failed\"}", "3");
    is("thinscope_findings{code=\"device-leaked\"}", "0");
    is("thinscope_findings_by_severity{severity=\"critical\"}", "3");
    is("thinscope_findings_by_severity{severity=\"advice\"}", "0");
    is("thinscope_gaps", "1");
}

#[test]
fn each_source_has_its_moment_and_its_age() {
    let mut snapshot = direct_lvm().snapshot();
    let source = |source, answered_at_ms, silent| SourceAge {
        source,
        answered_at_ms,
        asking_since_ms: None,
        silent,
        failed: source == "block",
        progress: None,
    };
    let now = snapshot.host.time * 1000;
    snapshot.sources = vec![
        source("dm", Some(now - 1500), false),
        source("lvm", None, true),
        source("docker", Some(now + 9000), true),
        source("block", Some(now - 1500), false),
    ];
    let text = metrics(&snapshot);
    let of = |name: &str, source: &str| {
        value(&text, &format!("thinscope_source_{name}{{source=\"{source}\"}}"))
    };
    assert_eq!(of("age_seconds", "dm").as_deref(), Some("1.5"));
    assert_eq!(of("answered_timestamp_seconds", "dm").as_deref(), Some("1699999998.5"));
    assert_eq!(of("up", "dm").as_deref(), Some("1"));
    assert_eq!(of("up", "lvm").as_deref(), Some("0"));
    assert_eq!(of("age_seconds", "lvm"), None);
    // it answered, and the answer was that it cannot be read
    assert_eq!(of("up", "block").as_deref(), Some("0"));
    assert_eq!(of("age_seconds", "block"), None);
    assert_eq!(of("answered_timestamp_seconds", "block"), None);
    assert_eq!(of("age_seconds", "docker").as_deref(), Some("0"), "the clock was set back");
}

#[test]
fn two_pools_of_one_name_do_not_make_the_file_unreadable() {
    let mut snapshot = direct_lvm().snapshot();
    let mut topology = (*snapshot.topology).clone();
    let twin = topology.pools[0].clone();
    topology.pools.push(twin);
    topology.pools[0].name = Printable::from_text("a\"b\\c\nd");
    topology.pools[1].name = topology.pools[0].name.clone();
    snapshot.topology = std::sync::Arc::new(topology);
    let text = metrics(&snapshot);
    let mut series: Vec<&str> = text
        .lines()
        .filter(|l| !l.starts_with('#'))
        .filter_map(|l| Some(l.rsplit_once(' ')?.0))
        .collect();
    let all = series.len();
    series.sort_unstable();
    series.dedup();
    assert_eq!(series.len(), all);
    assert!(text.contains("{pool=\"a\\\"b\\\\c\\\\x0ad\"}"), "{text}");
}
