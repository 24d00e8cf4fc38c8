//! Two pictures of a sample host after one another, and what is told of them.

use std::sync::Arc;

use super::{Differ, LogLine, LogSource};
use crate::model::sample::{Parts, direct_lvm, status};
use crate::model::{
    ContainerState, Event, EventKind, Finding, Gap, Mode, PoolState, PoolStatus, Severity,
    Snapshot, SourceAge,
};
use crate::units::{Bytes, DataBlocks};

/// The differ after a first picture at 0 s, and what it said.
fn begun(parts: Parts) -> Differ {
    let mut differ = Differ::default();
    let told = differ.take(&parts.snapshot(), 0);
    assert!(told.iter().all(|event| event.kind == EventKind::Begin), "{told:?}");
    differ
}

/// What a second picture, so many milliseconds after the first, adds.
fn then(change: impl FnOnce(&mut Parts), after_ms: i64) -> Vec<Event> {
    let mut parts = direct_lvm();
    change(&mut parts);
    begun(direct_lvm()).take(&parts.snapshot(), after_ms)
}

fn with_status(change: impl FnOnce(&mut PoolStatus)) -> impl FnOnce(&mut Parts) {
    |parts| {
        let mut status = status();
        change(&mut status);
        parts.pool.state = PoolState::Active(status);
    }
}

/// Kind, subject and text of each.
fn lines(events: &[Event]) -> Vec<(EventKind, String)> {
    events.iter().map(|e| (e.kind, format!("{}: {}", e.subject, e.text))).collect()
}

fn finding(severity: Severity) -> Finding {
    Finding {
        code: "pool-data-full",
        severity,
        subject: "docker-thinpool".into(),
        node: None,
        summary: "it is full".to_owned(),
        evidence: Vec::new(),
        remedy: String::new(),
        cure: crate::model::Cure::AsItsPage,
    }
}

fn loading(source: &'static str) -> SourceAge {
    SourceAge {
        source,
        answered_at_ms: None,
        asking_since_ms: Some(1),
        silent: false,
        progress: None,
    }
}

#[test]
fn the_first_picture_says_what_is_there_and_the_same_again_says_nothing() {
    let mut differ = Differ::default();
    let snapshot = direct_lvm().snapshot();
    let told = differ.take(&snapshot, 0);
    assert_eq!(
        lines(&told),
        [
            (
                EventKind::Begin,
                "web-3: watching: pools 1, thin devices 5, findings 0, gaps 0".to_owned()
            ),
            (
                EventKind::Begin,
                "docker-thinpool: rw, data 10.0% of 95.0 GiB, metadata 1.9% of 1020 MiB".to_owned()
            ),
        ]
    );
    assert_eq!(differ.take(&snapshot, 60_000), []);
    assert_eq!(differ.take(&direct_lvm().snapshot(), 120_000), []);
}

#[test]
fn nothing_comes_or_goes_before_every_source_has_answered() {
    let mut empty = direct_lvm().snapshot();
    empty.topology = Arc::default();
    empty.sources = vec![loading("lvm")];
    let mut differ = Differ::default();
    assert_eq!(differ.take(&empty, 0), []);
    let mut half = direct_lvm().snapshot();
    half.sources = vec![loading("lvm")];
    assert_eq!(differ.take(&half, 100), []);
    let told = differ.take(&direct_lvm().snapshot(), 200);
    assert_eq!(told.len(), 2, "the first whole picture: {told:?}");
    assert!(told.iter().all(|event| event.kind == EventKind::Begin));
}

#[test]
fn a_mode_change_is_told_while_sources_still_load() {
    let mut first = direct_lvm().snapshot();
    first.sources = vec![loading("lvm")];
    let mut parts = direct_lvm();
    with_status(|status| status.mode = Mode::OutOfDataSpace)(&mut parts);
    let mut second = parts.snapshot();
    second.sources = vec![loading("lvm")];
    let mut differ = Differ::default();
    assert_eq!(differ.take(&first, 0), []);
    let told = differ.take(&second, 100);
    let expected = "docker-thinpool: from rw to out_of_data_space".to_owned();
    assert_eq!(lines(&told), [(EventKind::Mode, expected)]);
}

#[test]
fn fill_is_told_by_the_percent_at_once_and_by_the_block_after_a_while() {
    let used = |blocks| with_status(move |status| status.data.used = DataBlocks(blocks));
    // 19456 of 194560 blocks of 512 KiB are used
    let fill = |text: &str| vec![(EventKind::Fill, format!("docker-thinpool: {text}"))];
    assert_eq!(lines(&then(used(19_456 + 1946), 2000)), fill("data 11.0% (+973 MiB in 2 s)"));
    assert_eq!(lines(&then(used(19_456 + 1945), 2000)), []);
    assert_eq!(lines(&then(used(19_457), 9_999)), []);
    assert_eq!(lines(&then(used(19_457), 10_000)), fill("data 10.0% (+512 KiB in 10 s)"));
    assert_eq!(lines(&then(used(0), 300_000)), fill("data 0.0% (-9.5 GiB in 5 min)"));
    assert_eq!(lines(&then(used(19_457), -50)), fill("data 10.0% (+512 KiB)"));
}

#[test]
fn slow_growth_adds_up_until_it_is_told() {
    let mut differ = begun(direct_lvm());
    let mut told = Vec::new();
    for second in 1..=12_u64 {
        let mut parts = direct_lvm();
        with_status(|status| status.data.used = DataBlocks(19_456 + second))(&mut parts);
        let at = i64::try_from(second * 1000).expect("small");
        told.extend(lines(&differ.take(&parts.snapshot(), at)));
    }
    let expected = "docker-thinpool: data 10.0% (+5.0 MiB in 10 s)".to_owned();
    assert_eq!(told, [(EventKind::Fill, expected)]);
}

#[test]
fn low_water_is_told_when_free_data_falls_to_the_mark_and_not_again_below_it() {
    // the mark is 38912 of 194560 blocks
    let at = |free: u64| {
        let mut parts = direct_lvm();
        with_status(move |status| status.data.used = DataBlocks(194_560 - free))(&mut parts);
        parts
    };
    let mut differ = begun(at(38_913));
    let low = |events: Vec<Event>| {
        events.into_iter().filter(|event| event.kind == EventKind::LowWater).collect::<Vec<_>>()
    };
    let told = low(differ.take(&at(38_912).snapshot(), 100));
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].text.as_str(), "19.0 GiB of data are free, the low water mark is 19.0 GiB");
    assert_eq!(low(differ.take(&at(30_000).snapshot(), 200)), []);
    assert_eq!(low(differ.take(&at(39_000).snapshot(), 300)), [], "it was grown");
    assert_eq!(low(differ.take(&at(38_000).snapshot(), 400)).len(), 1);
}

#[test]
fn an_event_counter_that_wraps_counts_on() {
    let with_events = |number: u32| {
        let mut parts = direct_lvm();
        let node = parts.pool.node.0 as usize;
        parts.nodes[node].facts.dm.as_mut().expect("the pool is active").event_nr = number;
        parts
    };
    let mut differ = begun(with_events(u32::MAX - 1));
    assert_eq!(differ.take(&with_events(u32::MAX - 1).snapshot(), 10), []);
    let told = differ.take(&with_events(1).snapshot(), 20);
    let expected = "docker-thinpool: the kernel raised 3 events".to_owned();
    assert_eq!(lines(&told), [(EventKind::DmEvent, expected)]);
}

#[test]
fn suspending_growing_and_going_are_told() {
    let told = then(|parts| parts.pool.suspended = true, 10);
    let expected = "docker-thinpool: suspended: whoever touches it waits".to_owned();
    assert_eq!(lines(&told), [(EventKind::Suspend, expected)]);
    let told = then(with_status(|status| status.data.total = DataBlocks(400_000)), 10);
    let expected = "docker-thinpool: data grew from 95.0 GiB to 195 GiB".to_owned();
    assert_eq!(lines(&told), [(EventKind::Pool, expected)]);
    let mut gone = direct_lvm().snapshot();
    gone.topology = Arc::default();
    let told = begun(direct_lvm()).take(&gone, 10);
    assert!(lines(&told).contains(&(EventKind::Pool, "docker-thinpool: is gone".to_owned())));
    assert!(lines(&told).contains(&(EventKind::Container, "web: is gone".to_owned())));
    assert!(lines(&told).contains(&(EventKind::Image, "app:1: is gone".to_owned())));
}

#[test]
fn which_device_grows_and_how_fast() {
    let grown = |mib: u64| {
        move |parts: &mut Parts| {
            let web = parts.thins.last_mut().expect("the container");
            web.mapped = Some(Bytes((160 + mib) << 20));
        }
    };
    let told = then(grown(128), 2000);
    let expected = "web: grew by 128 MiB in 2 s, 64.0 MiB/s".to_owned();
    assert_eq!(lines(&told), [(EventKind::Growth, expected)]);
    assert_eq!(lines(&then(grown(1), 2000)), []);
    let expected = "web: grew by 1.0 MiB in 10 s, 102 KiB/s".to_owned();
    assert_eq!(lines(&then(grown(1), 10_000)), [(EventKind::Growth, expected)]);
    let told = then(grown(128), 2000);
    assert!(told[0].node.is_some(), "it can be gone to");
}

#[test]
fn a_container_that_dies_and_one_that_comes_are_told() {
    let told = then(
        |parts| {
            let web = parts.thins.last_mut().expect("the container");
            let container = web.container.as_mut().expect("it has one");
            container.state = Some(ContainerState::Exited);
        },
        10,
    );
    let expected = "web: from running to exited".to_owned();
    assert_eq!(lines(&told), [(EventKind::Container, expected)]);
    let mut without = direct_lvm();
    without.thins.pop();
    let told = begun(without).take(&direct_lvm().snapshot(), 10);
    assert_eq!(lines(&told), [(EventKind::Container, "web: came: running".to_owned())]);
}

#[test]
fn findings_and_gaps_come_change_and_go() {
    let with = |findings: Vec<Finding>, gaps: Vec<Gap>| {
        let mut snapshot: Snapshot = direct_lvm().snapshot();
        (snapshot.findings, snapshot.gaps) = (findings, gaps);
        snapshot
    };
    let mut differ = begun(direct_lvm());
    let gap = || vec![Gap::new("lvm", "no answer within 2 s")];
    let told = differ.take(&with(vec![finding(Severity::Warning)], gap()), 10);
    assert_eq!(
        lines(&told),
        [
            (EventKind::Finding, "docker-thinpool: pool-data-full: it is full".to_owned()),
            (EventKind::Gap, "lvm: not seen: no answer within 2 s".to_owned()),
        ]
    );
    let again = vec![Gap::new("lvm", "no answer within 7 s")];
    assert_eq!(differ.take(&with(vec![finding(Severity::Warning)], again), 20), []);
    let told = differ.take(&with(vec![finding(Severity::Critical)], Vec::new()), 30);
    assert_eq!(told[0].severity, Some(Severity::Critical));
    assert_eq!(told[1].kind, EventKind::GapGone);
    let told = differ.take(&with(Vec::new(), Vec::new()), 40);
    let expected = "docker-thinpool: pool-data-full".to_owned();
    assert_eq!(lines(&told), [(EventKind::FindingGone, expected)]);
}

#[test]
fn thousands_of_findings_at_once_are_told_in_numbers() {
    let mut differ = begun(direct_lvm());
    let mut snapshot = direct_lvm().snapshot();
    snapshot.findings = (0..5000)
        .map(|n| Finding { subject: format!("device-{n}").into(), ..finding(Severity::Warning) })
        .collect();
    let told = differ.take(&snapshot, 10);
    assert_eq!(told.len(), 201);
    assert_eq!(told[200].kind, EventKind::Missed);
    assert_eq!(told[200].text.as_str(), "4800 more at the same time");
    assert_eq!(differ.take(&snapshot, 20), [], "they are known now");
}

#[test]
fn a_log_line_is_told_of_the_pool_that_it_names() {
    let differ = begun(direct_lvm());
    let line = |source, text: &str| differ.line(&LogLine::Line(source, text.into()), 7);
    // lines as the kernel and dmeventd write them; the pool is 253:2
    for (source, text, kind, subject) in [
        (
            LogSource::Kernel,
            "device-mapper: thin: 253:2: reached low water mark for data device: sending event.",
            EventKind::LowWater,
            "docker-thinpool",
        ),
        (
            LogSource::Kernel,
            "device-mapper: thin: 253:2: switching pool to out-of-data-space (queue IO) mode",
            EventKind::Kernel,
            "docker-thinpool",
        ),
        (
            LogSource::Kernel,
            "device-mapper: thin: 253:21: no free data space available.",
            EventKind::Kernel,
            "kernel log",
        ),
        (
            LogSource::Lvm,
            "WARNING: Thin pool docker-thinpool data is now 85.00% full.",
            EventKind::Lvm,
            "docker-thinpool",
        ),
        (
            LogSource::Lvm,
            "Monitoring thin pool docker-thinpool2-tpool.",
            EventKind::Lvm,
            "LVM's journal",
        ),
        (
            LogSource::Lvm,
            "Logical volume docker/thinpool successfully resized.",
            EventKind::Lvm,
            "docker-thinpool",
        ),
        (
            LogSource::Lvm,
            "No longer monitoring thin pool docker-thinpool.",
            EventKind::Lvm,
            "docker-thinpool",
        ),
    ] {
        let event = line(source, text);
        assert_eq!((event.kind, event.subject.as_str()), (kind, subject), "{text}");
        assert_eq!(event.text.as_str(), text);
    }
    let full =
        line(LogSource::Kernel, "device-mapper: thin: 253:2: switching pool to read-only mode");
    assert_eq!(full.severity, Some(Severity::Critical));
    let missed = differ.line(&LogLine::Missed(LogSource::Lvm, 9), 7);
    assert_eq!(missed.kind, EventKind::Missed);
}
