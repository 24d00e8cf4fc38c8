//! Two pictures of a sample host after one another, and what is told of them.

use std::sync::Arc;

use super::{Differ, LogLine, LogSource};
use crate::model::engine::{Pending, Transaction};
use crate::model::sample::{Parts, direct_lvm, status};
use crate::model::{
    ContainerState, Engine, EngineFacts, Event, EventKind, Finding, Gap, Mode, Pool, PoolState,
    PoolStatus, Severity, Snapshot, SourceAge,
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
        failed: false,
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

#[test]
fn a_device_whose_size_was_once_not_seen_has_grown_since_it_was() {
    let mapped = |mapped: Option<u64>| {
        let mut parts = direct_lvm();
        parts.thins[4].mapped = mapped.map(Bytes);
        parts.snapshot()
    };
    let mut differ = Differ::default();
    differ.take(&mapped(Some(1 << 30)), 0);
    assert_eq!(differ.take(&mapped(None), 20_000), []);
    let told = differ.take(&mapped(Some(2 << 30)), 40_000);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].kind, EventKind::Growth);
    assert!(told[0].text.as_str().starts_with("grew by 1.0 GiB in 40 s"), "{}", told[0].text);
}

/// What is told when Docker's own facts change from one to the other.
fn engine(before: impl FnOnce(&mut EngineFacts), now: impl FnOnce(&mut EngineFacts)) -> Vec<Event> {
    let with = |change: &mut dyn FnMut(&mut EngineFacts)| {
        let mut facts = EngineFacts::new(Engine::Docker, "/var/lib/docker".into());
        change(&mut facts);
        let mut parts = direct_lvm();
        parts.pool.engine_facts = vec![facts];
        parts
    };
    let (mut before, mut now) = (Some(before), Some(now));
    let mut once = |facts: &mut EngineFacts| before.take().into_iter().for_each(|f| f(facts));
    let mut differ = begun(with(&mut once));
    let mut once = |facts: &mut EngineFacts| now.take().into_iter().for_each(|f| f(facts));
    differ.take(&with(&mut once).snapshot(), 1000)
}

#[test]
fn a_daemon_that_dies_and_what_it_leaves_is_told() {
    let told = engine(
        |facts| facts.daemon_runs = Some(true),
        |facts| {
            facts.daemon_runs = Some(false);
            let (id, name) = (crate::ids::ThinId::new(17).expect("small"), "abc".into());
            facts.pending.push(Pending { name, id, seconds: Some(4) });
        },
    );
    let docker = "docker in /var/lib/docker";
    assert_eq!(
        lines(&told),
        [
            (EventKind::Engine, format!("{docker}: its daemon does not run any more")),
            (EventKind::Engine, format!("{docker}: device 17 (abc) waits to be deleted")),
        ]
    );
    assert!(told.iter().all(|event| event.node.is_some()), "to its pool");
}

#[test]
fn an_open_transaction_is_told_when_it_opens_and_when_it_closes_and_not_when_it_was_not_seen() {
    let transaction = |engine| {
        let id = crate::ids::ThinId::new(9);
        Some(Transaction { engine, pool: 24, name: "layer".into(), id })
    };
    let told = |before: Option<u64>, now: Option<u64>| {
        let told = engine(
            |facts| facts.transaction = before.and_then(transaction),
            |facts| facts.transaction = now.and_then(transaction),
        );
        told.iter().map(|event| event.text.to_string()).collect::<Vec<_>>()
    };
    let open = "has an open transaction: number 25 for device 9 (layer)";
    assert_eq!(told(Some(24), Some(25)), [open]);
    assert_eq!(told(Some(25), Some(24)), ["has closed its transaction"]);
    assert_eq!(told(None, Some(25)), [""; 0]);
    assert_eq!(told(Some(25), None), [""; 0]);
}

#[test]
fn monitoring_that_ends_and_a_profile_that_changes_are_told() {
    let told = then(
        |parts| {
            parts.pool.monitor = Some("not monitored".into());
            parts.pool.profile = Some("".into());
        },
        1000,
    );
    assert_eq!(
        lines(&told),
        [
            (EventKind::Monitor, "docker-thinpool: from monitored to not monitored".to_owned()),
            (
                EventKind::Monitor,
                "docker-thinpool: its profile is none now, before docker-thinpool".to_owned()
            ),
        ]
    );
    let unseen = then(|parts| (parts.pool.monitor, parts.pool.profile) = (None, None), 1000);
    assert_eq!(unseen, [], "LVM was not asked, or did not answer");
}

#[test]
fn a_daemon_s_two_pools_of_one_root_are_not_taken_for_each_other() {
    let said = |runs| {
        let mut facts = EngineFacts::new(Engine::Containerd, "/c".into());
        facts.daemon_runs = Some(runs);
        vec![facts]
    };
    let mut snapshot = direct_lvm().snapshot();
    let mut topology = (*snapshot.topology).clone();
    let mut other = Pool::unknown(topology.pools[0].node, "other".into());
    other.engine_facts = said(false);
    topology.pools[0].engine_facts = said(true);
    topology.pools.push(other);
    snapshot.topology = std::sync::Arc::new(topology);
    let mut differ = Differ::default();
    differ.take(&snapshot, 0);
    // the same topology again would not be looked into
    snapshot.topology = std::sync::Arc::new((*snapshot.topology).clone());
    assert_eq!(differ.take(&snapshot, 1000), []);
}
