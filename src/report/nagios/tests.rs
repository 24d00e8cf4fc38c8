//! Verdicts on sample hosts: the state, the line and the figures.

use super::{Range, State, Thresholds, Verdict, judge};
use crate::model::sample::{Parts, direct_lvm, status};
use crate::model::{
    Finding, Forecast, Gap, Mode, PoolState, PoolTrend, Severity, Snapshot, SourceAge, Trends,
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
    assert!(
        line.starts_with(
            "THINSCOPE CRITICAL: docker-thinpool data 90.1% used, lvm is not known | "
        ),
        "{line}"
    );
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
    let words = "THINSCOPE UNKNOWN: docker-thinpool monitoring unknown, ";
    assert!(printed(&verdict, 0).starts_with(words), "{}", printed(&verdict, 0));
    assert!(
        printed(&verdict, 1).contains(": LVM does not say whether docker-thinpool is monitored")
    );
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
    let words = "THINSCOPE WARNING: docker-thinpool device-leaked, device-leaked, 4998 more | ";
    assert!(line.starts_with(words), "{line}");
    assert!(line.len() < 500);
}

#[test]
fn a_mode_or_a_fill_that_is_not_known_is_unknown() {
    let change = |change: fn(&mut crate::model::PoolStatus)| {
        let mut parts = direct_lvm();
        let mut status = status();
        change(&mut status);
        parts.pool.state = PoolState::Active(status);
        verdict(&parts.snapshot())
    };
    let mode = change(|status| status.mode = Mode::Unknown("newmode".into()));
    assert_eq!(mode.state(), State::Unknown);
    assert!(
        printed(&mode, 0).starts_with(
            "THINSCOPE UNKNOWN: docker-thinpool mode newmode unknown, data 10% metadata 1% | "
        ),
        "{}",
        printed(&mode, 0)
    );
    let data = change(|status| status.data.total = DataBlocks(0));
    assert_eq!(data.state(), State::Unknown);
    assert!(
        printed(&data, 0)
            .starts_with("THINSCOPE UNKNOWN: docker-thinpool data fill unknown, metadata 1% | "),
        "{}",
        printed(&data, 0)
    );
    let metadata = change(|status| status.metadata.total = MetadataBlocks(0));
    assert_eq!(metadata.state(), State::Unknown);
}

#[test]
fn a_pool_whose_growth_a_file_hides_is_unknown_and_one_of_an_old_recording_is_not() {
    let hidden_in = |file: Option<&str>| {
        let mut parts = direct_lvm();
        parts.pool.policy = None;
        parts.pool.policy_hidden_in = file.map(Into::into);
        verdict(&parts.snapshot())
    };
    // a recording from before profiles were asked for
    assert_eq!(hidden_in(None).state(), State::Ok);
    let verdict = hidden_in(Some("/etc/lvm/lvm.conf"));
    assert_eq!(verdict.state(), State::Unknown);
    let line = printed(&verdict, 1);
    assert!(
        line.starts_with(
            "THINSCOPE UNKNOWN: whether LVM grows docker-thinpool is not known: /etc/lvm/lvm.conf \
             could not be read, "
        ),
        "{line}"
    );
}

#[test]
fn a_source_that_could_not_be_read_is_told_once() {
    let failed = |source, gap: Option<Gap>| {
        let mut snapshot = direct_lvm().snapshot();
        snapshot.sources = vec![SourceAge {
            silent: false,
            failed: true,
            answered_at_ms: Some(1),
            ..silent(source)
        }];
        snapshot.gaps = gap.into_iter().collect();
        verdict(&snapshot)
    };
    let block = failed("block", Some(Gap::new("block", "permission denied")));
    assert!(printed(&block, 0).starts_with("THINSCOPE UNKNOWN: block gives no answer, docker"));
    let dm = failed("dm", Some(Gap::new("dm", "permission denied")));
    assert!(printed(&dm, 0).starts_with("THINSCOPE UNKNOWN: dm is not known, docker"));
    assert_eq!(failed("docker", None).state(), State::Ok);
}

#[test]
fn the_line_fits_and_says_the_gravest_first() {
    let words = |snapshot: &Snapshot| {
        let line = printed(&verdict(snapshot), 0);
        line.split_once(" | ").expect("figures").0.to_owned()
    };
    let with = |parts: Parts, codes: &[&'static str]| {
        let mut snapshot = parts.snapshot();
        snapshot.findings = codes.iter().map(|code| finding(code, Severity::Critical)).collect();
        snapshot
    };
    // a name once, and no figure twice
    assert_eq!(
        words(&with(filled(950, 0), &["pool-failed"])),
        "THINSCOPE CRITICAL: docker-thinpool data 95% used, pool-failed, metadata 0%"
    );
    assert_eq!(
        words(&with(filled(0, 950), &["pool-failed", "pool-read-only"])),
        "THINSCOPE CRITICAL: docker-thinpool metadata 95% used, pool-failed, 1 more"
    );
    assert_eq!(
        words(&with(filled(950, 950), &[])),
        "THINSCOPE CRITICAL: docker-thinpool data 95% used, metadata 95% used"
    );
    // where two have no room, one is named
    let long = "device-busy-in-a-namespace-of-somebody-s";
    assert_eq!(
        words(&with(filled(950, 0), &[long, long])),
        "THINSCOPE CRITICAL: docker-thinpool data 95% used, 2 more, metadata 0%"
    );
    // and a name of any length leaves room for what is wrong
    let mut parts = filled(950, 0);
    parts.pool.name = "docker-254:0-11586-a-name-that-somebody-thought-about-for-long-pool".into();
    let snapshot = parts.snapshot();
    assert_eq!(
        words(&snapshot),
        "THINSCOPE CRITICAL: docker-254:0...for-long-pool data 95% used, metadata 0%"
    );
    assert!(
        printed(&verdict(&snapshot), 0).contains(
            " | 'docker-254:0-11586-a-name-that-somebody-thought-about-for-long-pool data'=95%;80;"
        ),
        "figures keep their labels"
    );
}
