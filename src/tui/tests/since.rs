//! The line of trouble where time counts: it says how long there is, or since when.

use std::sync::Arc;

use super::Stage;
use crate::ids::NodeId;
use crate::model::{
    self, EventKind, Finding, Mode, NoSpace, PoolState, Severity, Snapshot, Topology,
};
use crate::tui::event::{Event, Notice};
use crate::tui::testing::{ANSWERED_MS, web_3};

/// The example host's pool, suspended or full, with a finding of this code about it.
fn trouble(code: &'static str, timeout: Option<u64>, change: fn(&mut Topology)) -> Arc<Snapshot> {
    let mut seen = (*web_3().snapshot()).clone();
    let old = &seen.topology;
    let mut topology = Topology::new(old.nodes.clone(), old.pools.clone(), old.thins.clone());
    topology.host.no_space_timeout = timeout;
    change(&mut topology);
    seen.findings = vec![Finding {
        cure: crate::model::Cure::AsItsPage,
        code,
        severity: Severity::Critical,
        subject: topology.pools[0].name.clone(),
        node: Some(pool_of(&topology)),
        summary: "the summary of the rule".to_owned(),
        evidence: Vec::new(),
        remedy: String::new(),
    }];
    seen.topology = Arc::new(topology);
    Arc::new(seen)
}

fn pool_of(topology: &Topology) -> NodeId {
    topology.node(topology.pools[0].node).id.clone()
}

fn full(topology: &mut Topology) {
    let PoolState::Active(status) = &mut topology.pools[0].state else { panic!("it is active") };
    (status.mode, status.no_space) = (Mode::OutOfDataSpace, Some(NoSpace::Queue));
}

fn waiting(timeout: Option<u64>) -> Stage {
    Stage::of(trouble("pool-out-of-data-space", timeout, full), 120, 30)
}

fn after(stage: &mut Stage, seconds: i64) -> String {
    stage.tell(Event::Tick(ANSWERED_MS + seconds * 1000));
    stage.line("! critical")
}

#[test]
fn a_full_pool_counts_down_from_the_look_that_saw_it() {
    let mut stage = waiting(Some(60));
    let line = after(&mut stage, 19);
    let wanted = "! critical: docker-thinpool is full: writes wait, fail in 41 s at most f why";
    assert!(line.starts_with(wanted), "{line}");
    // a later look sees the same wait
    stage.see(trouble("pool-out-of-data-space", Some(60), full));
    assert!(after(&mut stage, 50).contains("fail in 10 s at most"));
    assert!(after(&mut stage, 61).contains("fail now: 60 s are over"));
}

#[test]
fn it_changes_once_a_second_and_not_at_all_when_it_is_over() {
    let mut stage = waiting(Some(60));
    after(&mut stage, 19);
    let words = |stage: &Stage| {
        let seen = &stage.app.seen;
        let gravest = seen.gravest().expect("it is full");
        stage.app.since.words(gravest, &seen.snapshot, stage.app.now_ms).expect("time counts").1
    };
    stage.tell(Event::Tick(ANSWERED_MS + 19_300));
    assert_eq!(words(&stage), Some(700));
    stage.tell(Event::Tick(ANSWERED_MS + 70_000));
    assert_eq!(words(&stage), None);
}

#[test]
fn the_kernel_s_log_makes_it_exact() {
    let mut stage = waiting(Some(30));
    let event = |node| model::Event {
        time_ms: ANSWERED_MS - 5000,
        kind: EventKind::Kernel,
        subject: "docker-thinpool".into(),
        text: "device-mapper: thin: 253:4: switching pool to out-of-data-space (queue IO) mode"
            .into(),
        node,
        severity: None,
    };
    let node = stage.app.seen.snapshot.findings[0].node.clone();
    stage.tell(Event::Notice(Notice::Events(vec![event(None), event(node)])));
    let line = after(&mut stage, 10);
    assert!(line.contains("writes wait, fail in 15 s f why"), "{line}");
}

#[test]
fn a_kernel_that_waits_for_ever_or_was_not_asked_is_no_countdown_to_rest_on() {
    let line = after(&mut waiting(Some(0)), 10);
    assert!(line.contains("writes wait, without end (no_space_timeout is 0)"), "{line}");
    let line = after(&mut waiting(None), 10);
    assert!(line.contains("fail in 50 s at most, unless that time was changed"), "{line}");
}

#[test]
fn what_is_suspended_says_since_when_it_was_seen_so() {
    let suspended = |topology: &mut Topology| {
        let at = topology.pools[0].node.0 as usize;
        topology.pools[0].suspended = true;
        topology.nodes[at].facts.dm.as_mut().expect("it is a device").suspended = true;
    };
    let mut stage = Stage::of(trouble("pool-suspended", None, suspended), 120, 30);
    let line = after(&mut stage, 42);
    assert!(line.contains("docker-thinpool is SUSPENDED, 42 s since we saw it"), "{line}");
    // resumed and suspended again: from the beginning
    stage.see(web_3().snapshot());
    let mut again = (*trouble("pool-suspended", None, suspended)).clone();
    again.sources[0].answered_at_ms = Some(ANSWERED_MS + 60_000);
    stage.see(Arc::new(again));
    assert!(after(&mut stage, 63).contains("SUSPENDED, 3 s since we saw it"));
}
