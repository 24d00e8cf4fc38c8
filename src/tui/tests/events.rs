//! View 5: what happened, filtered, and from an event to its device.

use crate::model::{self, EventKind, PoolTrend, Severity, Trends};
use crate::tui::event::{Event, Notice};
use crate::tui::tests::Stage;

const NOON: i64 = 1_795_262_400_000;

fn event(nth: i64, kind: EventKind, subject: &str, text: &str) -> model::Event {
    model::Event {
        time_ms: NOON + nth * 1000,
        kind,
        subject: subject.into(),
        text: text.into(),
        node: None,
        severity: None,
    }
}

/// A screen that was told of these.
fn told(events: Vec<model::Event>) -> Stage {
    let mut stage = Stage::web_3(100, 24);
    stage.tell(Event::Notice(Notice::Events(events)));
    stage
}

fn three() -> Vec<model::Event> {
    vec![
        event(1, EventKind::Fill, "docker-thinpool", "data 61.0% (+1.2 GiB in 10 s)"),
        event(2, EventKind::Container, "shop-web-1", "from running to exited"),
        model::Event {
            severity: Some(Severity::Critical),
            ..event(3, EventKind::Kernel, "docker-thinpool", "switching pool to \u{1b}[2J mode")
        },
    ]
}

#[test]
fn the_newest_event_stands_first_with_its_time() {
    let mut stage = told(three());
    let lines = stage.press("5").lines();
    let at = |text: &str| {
        lines
            .iter()
            .position(|line| line.contains(text))
            .unwrap_or_else(|| panic!("{text}: {lines:#?}"))
    };
    assert!(at("switching pool") < at("from running to exited"));
    assert!(at("from running to exited") < at("data 61.0%"));
    assert!(lines[at("data 61.0%")].contains("12:00:01"), "{lines:#?}");
    assert!(lines[at("data 61.0%")].contains("fill"), "{lines:#?}");
    assert!(lines.iter().any(|line| line.contains("\\x1b[2J")), "{lines:#?}");
}

#[test]
fn a_quiet_host_says_so() {
    let mut stage = Stage::web_3(80, 24);
    let lines = stage.press("5").lines();
    assert!(lines.iter().any(|line| line.contains("nothing has happened yet")), "{lines:#?}");
}

#[test]
fn words_filter_events_and_escape_clears_them() {
    let mut stage = told(three());
    let rows = |stage: &mut Stage| {
        // the list's part of each line: the details name the time too
        let list = |line: &String| line.chars().take(20).collect::<String>();
        stage.lines().iter().filter(|line| list(line).contains("12:00:0")).count()
    };
    stage.press("5");
    assert_eq!(rows(&mut stage), 3);
    stage.press("/SHOP exit");
    assert!(stage.lines().iter().any(|line| line.contains("1 of 3 events")));
    stage.press("<enter>");
    assert_eq!(rows(&mut stage), 1);
    stage.press("/nothing<enter>");
    assert!(stage.lines().iter().any(|line| line.contains("matches the filter")));
    stage.press("<esc>");
    assert_eq!(rows(&mut stage), 3);
    stage.press("<esc>");
    assert!(stage.lines().iter().any(|line| line.contains("NAME")), "back to the tree");
}

#[test]
fn what_is_half_typed_can_be_taken_back() {
    let mut stage = told(three());
    stage.press("5/fill<enter>/shop<esc>");
    let lines = stage.lines();
    assert!(lines.iter().any(|line| line.contains("data 61.0%")), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.contains("shop-web-1: from")), "{lines:#?}");
}

#[test]
fn an_event_leads_to_its_device() {
    let mut stage = Stage::web_3(100, 24);
    let topology = &stage.app.seen.snapshot.topology;
    let pool = topology.node(topology.pools[0].node);
    let (id, name) = (pool.id.clone(), pool.name.to_string());
    let mode = model::Event { node: Some(id), ..event(1, EventKind::Mode, &name, "from rw to ro") };
    stage.tell(Event::Notice(Notice::Events(vec![mode])));
    stage.press("5<right>");
    let selected = stage.app.table().selected_node().expect("something is selected");
    let node = stage.app.seen.topology().node(selected);
    assert_eq!(node.name.to_string(), name);
}

#[test]
fn whoever_reads_an_older_event_stays_on_it_while_others_come() {
    let mut stage = told(three());
    stage.press("5jj");
    for _ in 0..50 {
        stage.tell(Event::Notice(Notice::Events(three())));
    }
    let selected = stage.app.events.selected().expect("one is selected");
    assert_eq!((selected.kind, selected.time_ms), (EventKind::Fill, NOON + 1000));
    stage.press("g");
    let newest = stage.app.events.selected().expect("one is selected");
    assert_eq!(newest.kind, EventKind::Kernel);
}

#[test]
fn thousands_of_events_are_bounded_and_the_selection_holds() {
    let mut stage = told(three());
    stage.press("5G");
    for nth in 0..5000 {
        let one = vec![event(nth, EventKind::Growth, "web", "grew")];
        stage.tell(Event::Notice(Notice::Events(one)));
    }
    assert_eq!(stage.app.events.len(), 2000);
    assert!(stage.app.events.selected().is_some());
    let lines = stage.lines();
    assert!(lines.iter().any(|line| line.contains("3003 older ones dropped")), "{lines:#?}");
}

#[test]
fn a_pool_s_pane_shows_its_past_and_when_it_would_be_full() {
    let mut stage = Stage::web_3(120, 40);
    let name = stage.app.seen.topology().pools[0].name.clone();
    let mut trend = PoolTrend::default();
    trend.data.steps = vec![Some(0.1), None, Some(0.5), Some(1.0)];
    trend.data.over_seconds = 3 * 86_400;
    trend.data.forecast = Some(model::Forecast {
        full_in_seconds: 9 * 86_400,
        earliest_seconds: 7 * 86_400,
        latest_seconds: 14 * 86_400,
        looks: 36,
        over_seconds: 3 * 86_400,
    });
    let trends = Trends { pools: [(name, trend)].into(), place: Some("/state/history".into()) };
    stage.tell(Event::Notice(Notice::Trends(trends.into())));
    let pool = stage.app.seen.topology().pools[0].node;
    assert!(stage.app.go_to_node(pool), "the pool is in the tree");
    let text = stage.lines().join("\n");
    assert!(text.contains("over 3 days"), "{text}");
    assert!(text.contains("is full in about 9 days"), "{text}");
    // the next picture does not take it away
    let again = stage.app.seen.snapshot.clone();
    stage.tell(Event::Snapshot(again));
    assert!(stage.lines().join("\n").contains("is full in about 9 days"));
}
