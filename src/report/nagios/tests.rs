//! Verdicts on sample hosts: the state, the line and the figures.

use super::{Range, State, Thresholds, Verdict, judge};
use crate::model::sample::{Parts, direct_lvm, status};
use crate::model::{
    Finding, Forecast, Gap, PoolState, PoolTrend, Severity, Snapshot, SourceAge, Trends,
};
use crate::units::{DataBlocks, MetadataBlocks};

fn thresholds(warn: &str, crit: &str) -> Thresholds {
    let range = |text| Range::parse(text).expect("a range");
    Thresholds { warn: range(warn), crit: range(crit) }
}

fn verdict(snapshot: &Snapshot) -> Verdict {
    judge(snapshot, &thresholds("80", "90"))
}

fn printed(verdict: &Verdict, verbosity: u8) -> String {
    let mut out = Vec::new();
    verdict.write(&mut out, verbosity).expect("a vector takes everything");
    String::from_utf8(out).expect("it is text")
}

/// Data of 1,000 blocks and metadata of 1,000, so much of each used.
fn filled(data: u64, metadata: u64) -> Parts {
    let mut parts = direct_lvm();
    let mut status = status();
    (status.data.used, status.data.total) = (DataBlocks(data), DataBlocks(1000));
    (status.metadata.used, status.metadata.total) =
        (MetadataBlocks(metadata), MetadataBlocks(1000));
    parts.pool.state = PoolState::Active(status);
    parts
}

fn finding(code: &'static str, severity: Severity) -> Finding {
    Finding {
        code,
        severity,
        subject: "docker-thinpool".into(),
        node: None,
        summary: format!("a sentence about {code}"),
        evidence: vec!["a | raw\nline".to_owned()],
        remedy: String::new(),
        cure: crate::model::Cure::AsItsPage,
    }
}

fn silent(source: &'static str) -> SourceAge {
    SourceAge {
        source,
        answered_at_ms: None,
        asking_since_ms: None,
        silent: true,
        failed: false,
        progress: None,
    }
}

#[test]
fn a_healthy_host_is_ok_in_one_line_with_all_its_figures() {
    let verdict = verdict(&direct_lvm().snapshot());
    assert_eq!(verdict.state(), State::Ok);
    // 19456 of 194560 blocks of 512 KiB, 5222 of 261120 of 4 KiB
    assert_eq!(
        printed(&verdict, 0),
        "THINSCOPE OK: docker-thinpool data 10% metadata 1% | \
         'docker-thinpool data'=10%;80;90;0;100 \
         'docker-thinpool data used'=10200547328B;;;0;102005473280 \
         'docker-thinpool metadata'=1.99%;80;90;0;100 \
         'docker-thinpool metadata used'=21389312B;;;0;1069547520 \
         'docker-thinpool data full in'=U;86400:;3600:;0 \
         'docker-thinpool metadata full in'=U;86400:;3600:;0\n"
    );
}

#[test]
fn a_pool_that_is_full_within_a_day_is_a_warning_and_within_an_hour_critical() {
    for (seconds, state) in [
        (86_400, State::Ok),
        (86_399, State::Warning),
        (3600, State::Warning),
        (3599, State::Critical),
        (0, State::Critical),
    ] {
        let mut snapshot = direct_lvm().snapshot();
        let forecast = Forecast {
            full_in_seconds: seconds,
            earliest_seconds: seconds / 2,
            latest_seconds: seconds * 2,
            looks: 36,
            over_seconds: 86_400,
        };
        let mut trend = PoolTrend::default();
        trend.metadata.forecast = Some(forecast);
        let pools = [("docker-thinpool".into(), trend)].into();
        snapshot.trends = std::sync::Arc::new(Trends { pools, place: None });
        let verdict = verdict(&snapshot);
        assert_eq!(verdict.state(), state, "{seconds}");
        let figure = format!("'docker-thinpool metadata full in'={seconds}s;86400:;3600:;0\n");
        assert!(printed(&verdict, 0).ends_with(&figure), "{}", printed(&verdict, 0));
    }
}

#[test]
fn data_and_metadata_are_judged_alike_at_the_ranges_bounds() {
    for (data, metadata, state) in [
        (800, 0, State::Ok),
        (801, 0, State::Warning),
        (900, 0, State::Warning),
        (901, 0, State::Critical),
        (0, 800, State::Ok),
        (0, 801, State::Warning),
        (0, 901, State::Critical),
        (801, 901, State::Critical),
    ] {
        let verdict = verdict(&filled(data, metadata).snapshot());
        assert_eq!(verdict.state(), state, "{data} {metadata}");
    }
}

#[test]
fn the_ranges_alone_say_how_full_is_too_full() {
    let mut snapshot = filled(850, 850).snapshot();
    snapshot.findings = vec![
        finding("pool-data-near-full", Severity::Warning),
        finding("pool-metadata-near-full", Severity::Warning),
    ];
    assert_eq!(judge(&snapshot, &thresholds("95", "98")).state(), State::Ok);
    assert_eq!(judge(&snapshot, &thresholds("@80:90", "98")).state(), State::Warning);
    assert_eq!(judge(&snapshot, &thresholds("0:", "90:")).state(), State::Critical);
}

#[test]
fn findings_alert_by_their_gravity_and_advice_does_not() {
    for (severity, state) in [
        (Severity::Critical, State::Critical),
        (Severity::Warning, State::Warning),
        (Severity::Advice, State::Ok),
    ] {
        let mut snapshot = direct_lvm().snapshot();
        snapshot.findings = vec![finding("autoextend-cannot-act", severity)];
        let verdict = verdict(&snapshot);
        assert_eq!(verdict.state(), state, "{severity:?}");
        let named = printed(&verdict, 0).contains("docker-thinpool autoextend-cannot-act");
        assert_eq!(named, severity != Severity::Advice);
        assert!(printed(&verdict, 2).contains("a sentence about autoextend-cannot-act"));
    }
}

#[test]
fn a_host_without_a_pool_is_unknown() {
    let mut snapshot = direct_lvm().snapshot();
    snapshot.topology = std::sync::Arc::default();
    let verdict = verdict(&snapshot);
    assert_eq!(printed(&verdict, 0), "THINSCOPE UNKNOWN: no thin pool was seen\n");
    assert_eq!(verdict.state().code(), 3);
}

#[test]
fn a_source_without_an_answer_is_unknown_where_the_state_rests_on_it() {
    for (source, state) in [
        ("host", State::Unknown),
        ("dm", State::Unknown),
        ("block", State::Unknown),
        ("docker", State::Ok),
        ("mounts", State::Ok),
        ("metadata", State::Ok),
    ] {
        let mut snapshot = direct_lvm().snapshot();
        snapshot.sources = vec![silent(source)];
        assert_eq!(verdict(&snapshot).state(), state, "{source}");
    }
}

#[test]
fn a_gap_hides_nothing_worse_that_was_seen() {
    let mut snapshot = filled(901, 0).snapshot();
    snapshot.gaps = vec![Gap::new("lvm", "no answer within 5 s"), Gap::new("docker", "denied")];
    let verdict = verdict(&snapshot);
    assert_eq!(verdict.state(), State::Critical);
    let line = printed(&verdict, 0);
    assert!(line.contains("data 90.1% used, lvm is not known, docker-thinpool"), "{line}");
    let lines = printed(&verdict, 2);
    assert!(lines.contains("\nUNKNOWN: no answer within 5 s\n"), "{lines}");
    assert!(lines.ends_with("\nnot seen: docker: denied\n"), "{lines}");
}

#[test]
fn an_lvm_that_hangs_is_unknown_and_one_that_warns_is_not() {
    for (why, state) in [
        ("LVM gave no answer within 2 s: its lock is held", State::Unknown),
        ("`lvm` is not installed", State::Unknown),
        ("LVM says: WARNING: something about a PV", State::Ok),
    ] {
        let mut snapshot = direct_lvm().snapshot();
        snapshot.gaps = vec![Gap::new("lvm", why)];
        assert_eq!(verdict(&snapshot).state(), state, "{why}");
    }
}

#[test]
fn an_lvm_pool_of_which_lvm_says_nothing_is_unknown() {
    let mut parts = direct_lvm();
    parts.pool.monitor = None;
    let verdict = verdict(&parts.snapshot());
    assert_eq!(verdict.state(), State::Unknown);
    assert!(printed(&verdict, 0).contains("LVM does not say"), "{}", printed(&verdict, 0));
}

#[test]
fn a_pool_whose_status_was_not_seen_is_unknown_and_its_figures_are_u() {
    let mut parts = direct_lvm();
    parts.pool.state = PoolState::Unseen { why: "no answer".into() };
    let verdict = verdict(&parts.snapshot());
    assert_eq!(verdict.state(), State::Unknown);
    let line = printed(&verdict, 0);
    assert!(line.contains("'docker-thinpool data'=U;80;90;0;100 "), "{line}");
    assert!(line.contains("'docker-thinpool data used'=U;;;0 "), "{line}");
}

#[test]
fn nothing_cuts_the_line_in_two_whatever_was_found() {
    let mut snapshot = direct_lvm().snapshot();
    let mut found = finding("pool-failed", Severity::Critical);
    found.summary = "one | two\nthree".to_owned();
    snapshot.findings = vec![found];
    for verbosity in 0..=3 {
        let text = printed(&verdict(&snapshot), verbosity);
        assert_eq!(text.matches('|').count(), 1, "{text}");
        let lines = [1, 1, 2, 3][usize::from(verbosity)];
        assert_eq!(text.lines().count(), lines, "{text}");
    }
}

#[test]
fn thousands_of_problems_are_named_by_number() {
    let mut snapshot = direct_lvm().snapshot();
    snapshot.findings = vec![finding("device-leaked", Severity::Warning); 5000];
    let line = printed(&verdict(&snapshot), 0);
    assert!(line.contains(", 4998 more, "), "{line}");
    assert!(line.len() < 500);
}
