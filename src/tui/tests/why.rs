//! "Why is it full?": one key on a pool, from its page to a holder and back.

use std::sync::Arc;

use super::Stage;
use crate::ids::ThinId;
use crate::model::{Forecast, Origin, PoolTrend, Severity, Snapshot, Trend, Trends};
use crate::tui::Look;
use crate::tui::event::{Effect, Event, Notice, Request};
use crate::tui::testing::{ANSWERED_MS, GIB, Host, MIB, web_3};
use crate::tui::why::tests::{USED, hold};
use crate::units::Bytes;

fn host() -> Host {
    let mut host = web_3();
    hold(&mut host, USED);
    host
}

/// The page of the example host, opened from the tree: `]` goes to the pool, for it has a finding.
fn page(width: u16, height: u16) -> Stage {
    let mut stage = Stage::of(host().snapshot(), width, height);
    stage.press("]f");
    stage
}

/// The lines between the head of the columns and what is below the list.
fn rows(stage: &Stage) -> Vec<String> {
    let lines = stage.lines();
    let head = lines.iter().position(|line| line.trim_start().starts_with("NAME"));
    let from = head.expect("there is the head of the columns") + 1;
    lines[from..].iter().map(|line| line.trim_end().to_owned()).collect()
}

/// What stands beside the list, its runs of spaces made one.
fn pane(stage: &Stage) -> String {
    let lines = stage.lines();
    let beside = lines.iter().filter_map(|line| Some(line.split_once('│')?.1));
    beside.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

#[test]
fn at_80x24_the_ten_largest_stand_over_what_else_is_in_use_and_what_is_wrong() {
    let stage = page(80, 24);
    assert!(stage.lines().iter().all(|line| line.chars().count() <= 80), "{}", stage.text());
    assert!(stage.lines()[2].starts_with(" WHAT FILLS docker-thinpool "), "{}", stage.text());
    let said = "57.9 GiB of 95.0 GiB of data are in use, 37.1 GiB are free; metadata";
    assert!(stage.shows(said), "{}", stage.text());
    assert!(stage.shows("EXCL: used by nothing else; FREES: by deleting it"));
    let expected = [
        ">. device 17000                        1.0G    1.0G    1.0G leaked",
        "   layers without an image            50.0M   50.0M    100M nothing uses it",
        "   web                                31.0M   31.0M    170M running",
        "   ubuntu:16.04                       25.0M       0    160M 3 made from it",
        "   app:one                            15.0M       0    200M 2 containers use it",
        "   gone                                6.0M    6.0M    170M dead",
        "   eeeeeeeeeeee                        4.0M    4.0M       ? owner not known",
        "   build cache                         3.0M    3.0M       ? nothing uses it",
        "   base                                1.5M       –   49.0M base device",
        "   api                                 512K    512K    170M paused",
        "   4 smaller holders                   1.5M",
    ];
    assert_eq!(rows(&stage)[..expected.len()], expected, "{}", stage.text());
    let foot = stage.lines();
    assert!(foot[18..].iter().any(|line| line.contains("deleting it frees 1.0 GiB")));
    assert!(foot[23].contains("esc back") && foot[23].contains("q quit"), "{}", foot[23]);
}

#[test]
fn what_is_below_is_reached_by_moving_on() {
    let mut stage = page(80, 24);
    stage.press("G");
    assert!(stage.selected().starts_with("~ warning docker-thinpool cannot grow"));
    assert!(stage.shows("code autoextend-cannot-act"), "{}", stage.text());
    stage.press("k");
    assert_eq!(stage.selected(), "not committed yet 56.6G");
    stage.press("k");
    // 9 blocks that nothing reaches
    assert_eq!(stage.selected(), "lost to everybody 4.5M");
    assert!(stage.shows("no device reaches"), "{}", stage.text());
    stage.press("kkk");
    assert_eq!(stage.selected(), "shared by several 206M");
}

#[test]
fn at_120x40_the_holder_stands_beside_with_what_stands_in_its_way() {
    let mut stage = page(120, 40);
    assert!(stage.lines().iter().all(|line| line.chars().count() <= 120));
    stage.press("jjj");
    assert!(stage.selected().starts_with("ubuntu:16.04 25.0M 0 160M"), "{}", stage.text());
    let way = "frees nothing by itself: 2 containers and 1 image made from it";
    assert!(pane(&stage).contains(way), "{}", pane(&stage));
    assert!(pane(&stage).contains("its uppermost layer"), "{}", pane(&stage));
    stage.press("jj");
    let held = "frees 6.0 MiB, 6.0 MiB of it when the metadata snapshot is released";
    assert!(pane(&stage).contains(held), "{}", pane(&stage));
    stage.press("kkk");
    assert!(pane(&stage).contains("frees 31.0 MiB, once it is stopped"), "{}", pane(&stage));
}

#[test]
fn enter_leads_to_a_holder_in_the_tree_and_esc_back_to_the_page() {
    let mut stage = page(80, 24);
    stage.press("jj");
    assert!(stage.selected().starts_with("web 31.0M"), "{}", stage.text());
    stage.press("<enter>");
    assert!(stage.selected().starts_with("* web cont. 11"), "{}", stage.text());
    stage.press("<esc>");
    assert!(stage.selected().starts_with("web 31.0M"), "{}", stage.text());
    stage.press("l");
    assert!(stage.selected().starts_with("* web cont. 11"), "{}", stage.text());
    // whoever goes elsewhere in between has left
    stage.press("21<esc>");
    assert!(!stage.shows("WHAT FILLS"), "{}", stage.text());
    // from the page esc leads to where it was opened
    stage.press("g]f<esc>");
    assert!(stage.selected().starts_with("~ thinpool pool"), "{}", stage.text());
}

#[test]
fn a_finding_about_a_pool_and_its_halves_lead_to_the_same_page() {
    let mut stage = Stage::of(host().snapshot(), 80, 24);
    stage.press("4f");
    assert!(stage.shows("WHAT FILLS docker-thinpool"), "{}", stage.text());
    // the same key again: the findings alone
    stage.press("f");
    assert!(stage.shows("FINDINGS OF THIS DEVICE"), "{}", stage.text());
    // no finding, so that nothing but the half leads there
    let mut well = host();
    well.findings.clear();
    let well = well.snapshot();
    for half in ["tdata", "tmeta"] {
        let mut stage = Stage::of(Arc::clone(&well), 80, 24);
        stage.press(&format!("/thinpool_{half}<enter><esc>f"));
        assert!(stage.shows("WHAT FILLS docker-thinpool"), "{half}: {}", stage.text());
    }
    // esc goes back to the findings, and on to the tree
    let mut stage = Stage::of(host().snapshot(), 80, 24);
    stage.press("4f<esc>");
    assert!(stage.shows("FINDINGS, AND WHAT COULD NOT BE SEEN"), "{}", stage.text());
    stage.press("jf");
    assert!(stage.shows("FINDINGS OF THIS DEVICE"), "{}", stage.text());
}

#[test]
fn a_pool_that_is_well_has_the_page_too() {
    let mut host = host();
    host.findings.clear();
    let mut stage = Stage::of(host.snapshot(), 80, 24);
    stage.press("/:kind pool<enter><esc>f");
    assert!(stage.shows("WHAT FILLS docker-thinpool"), "{}", stage.text());
    stage.press("<esc>gf");
    assert!(stage.shows("nothing is wrong with it as far as was seen"), "{}", stage.text());
}

#[test]
fn a_full_pool_says_so_and_a_filling_one_says_when() {
    let mut full = host();
    let crate::model::PoolState::Active(status) = &mut full.pools[0].state else { panic!() };
    status.data.used = status.data.total;
    let mut stage = Stage::of(full.snapshot(), 80, 24);
    assert!(stage.press("]f").shows("it is full: all 95.0 GiB of data are in use"));

    let day = 86_400;
    let forecast = Some(Forecast {
        full_in_seconds: 9 * day,
        earliest_seconds: 7 * day,
        latest_seconds: 14 * day,
        looks: 36,
        over_seconds: 3 * day,
    });
    let trend = Trend { forecast, ..Trend::default() };
    let pool = PoolTrend { data: trend, metadata: Trend::default() };
    let pools = [("docker-thinpool".into(), pool)].into();
    let mut stage = page(120, 40);
    stage.tell(Event::Notice(Notice::Trends(Arc::new(Trends { pools, place: None }))));
    let said = "at this pace it is full in about 9 days (7 days to 14 days; 36 looks";
    assert!(stage.text().replace('\n', " ").contains("at this pace it"), "{}", stage.text());
    let left: Vec<String> =
        stage.lines().iter().map(|line| line.split('│').next().unwrap_or("").into()).collect();
    let left = left.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(left.contains(said), "{left}");
}

/// The example host at a later moment, with what the container's device maps then.
fn later(seconds: i64, mapped: u64) -> Arc<Snapshot> {
    let mut host = host();
    host.sources[0].answered_at_ms = Some(ANSWERED_MS + seconds * 1000);
    let device = host.thins.iter_mut().find(|thin| thin.id == ThinId::new(11)).expect("web's");
    device.mapped = Some(Bytes(mapped * MIB));
    host.snapshot()
}

#[test]
fn what_grew_since_the_screen_opened_is_told_and_nothing_before() {
    let mut stage = Stage::of(later(0, 170), 120, 40);
    stage.press("]fjj");
    assert!(!stage.shows("GREW"), "{}", stage.text());
    stage.see(later(3600, 194));
    assert!(
        stage.selected().starts_with("web 31.0M 31.0M +24.0M 194M running"),
        "{}",
        stage.text()
    );
    assert!(stage.shows("GREW") && stage.shows("60 minutes"), "{}", stage.text());
    // 24 MiB an hour are 576 MiB a day
    let pace = "grew by 24.0 MiB in 60 minutes, 576 MiB a day at that pace";
    assert!(pane(&stage).contains(pace), "{}", pane(&stage));
    // a recording is one moment
    let recorded = |seconds, mapped| {
        let origin = Origin::Recorded { name: "x".into() };
        Arc::new(Snapshot { origin, ..(*later(seconds, mapped)).clone() })
    };
    let mut stage = Stage::of(recorded(0, 170), 120, 40);
    stage.press("]f").see(recorded(3600, 194));
    assert!(!stage.shows("GREW"), "{}", stage.text());
}

#[test]
fn what_a_container_wrote_since_it_was_made_is_told_where_nothing_else_is_known() {
    let mut host = host();
    for device in &mut host.thins {
        device.delta = Some(Bytes(40 * MIB));
    }
    let mut stage = Stage::of(host.snapshot(), 120, 40);
    stage.press("]fjj");
    let text = pane(&stage);
    assert!(text.contains("web container: running"), "{text}");
    assert!(text.contains("grew by 40.0 MiB since it was made"), "{text}");
    // an image does not grow
    stage.press("j");
    assert!(!pane(&stage).contains("grew"), "{}", pane(&stage));
}

#[test]
fn whoever_reads_about_a_holder_stays_on_it_when_another_overtakes_it() {
    let mut stage = page(80, 24);
    stage.press("jjj");
    assert!(stage.selected().starts_with("ubuntu:16.04"));
    let mut host = web_3();
    let mut used = USED.to_vec();
    used.push((&[30], false, 500));
    hold(&mut host, &used);
    stage.see(host.snapshot());
    assert!(stage.selected().starts_with("ubuntu:16.04"), "{}", stage.text());
    assert!(stage.line("busybox:stable").contains("250M 0"), "{}", stage.text());
    // the pool goes
    let mut host = web_3();
    host.pools.clear();
    host.thins.clear();
    host.findings.clear();
    host.nodes.retain(|node| node.facts.pool.is_none() && node.facts.thin.is_none());
    for node in &mut host.nodes {
        node.parents.clear();
    }
    stage.see(host.snapshot());
    assert!(stage.shows("the pool is not there any more"), "{}", stage.text());
    stage.press("jGg<enter> wm<esc><esc>");
}

#[test]
fn where_sharing_was_not_read_the_page_says_so_and_which_key_reads_it() {
    let mut stage = Stage::web_3(80, 24);
    stage.press("]f");
    assert!(stage.shows("by MAPPED, shared blocks counted for each: m reads who shares what"));
    assert!(stage.selected().starts_with(". device 17000 ? ? 1.0G leaked"), "{}", stage.text());
    assert!(stage.shows("deleting it frees what it does not share"), "{}", stage.text());
    stage.press("m");
    assert_eq!(stage.effects, [Effect::Ask(Request::ReadMappings)]);
}

#[test]
fn marked_on_the_page_all_devices_of_a_holder_count() {
    let mut stage = page(80, 24);
    stage.press("jj<space>");
    // its init layer is one of them
    assert!(stage.shows("2 marked, deleting them frees 31.0 MiB"), "{}", stage.text());
    assert!(stage.lines().iter().any(|line| line.starts_with("+  web ")), "{}", stage.text());
    stage.press("kk<space>");
    assert!(stage.shows("4 marked, deleting them frees 81.0 MiB"), "{}", stage.text());
    stage.press("*G<space>");
    assert!(stage.shows("it is no device that could be marked"), "{}", stage.text());
}

#[test]
fn a_wizard_on_the_page_is_about_the_pool_whatever_holder_is_selected() {
    let mut host = host();
    let node = host.pools[0].node;
    host.finding(Severity::Critical, "pool-data-near-full", node, "docker-thinpool is 99% full");
    let mut stage = Stage::of(host.snapshot(), 80, 24);
    stage.press("fjj<enter>");
    assert!(stage.selected().starts_with("* web cont. 11"), "{}", stage.text());
    assert!(!stage.shows("w cure"), "{}", stage.text());
    stage.press("<esc>");
    assert!(stage.selected().starts_with("web 31.0M") && stage.shows("w cure"), "{}", stage.text());
}

#[test]
fn the_page_is_drawn_in_ascii_without_colours_and_at_every_size() {
    for size in [(60, 15), (80, 24), (99, 20), (120, 40), (300, 100)] {
        for keys in ["]f", "]fjjb", "]fG", "]fj<tab>", "]fj", "]fj<space>", "]f?"] {
            let mut stage = Stage::with(host().snapshot(), size, Look::new(true, false));
            stage.press(keys);
            let text = stage.text();
            let wrong: String = text.chars().filter(|c| !c.is_ascii()).collect();
            assert_eq!(wrong, "", "{keys}\n{text}");
            let coloured = stage.buffer().content().iter().any(|cell| {
                cell.fg != ratatui::style::Color::Reset || cell.bg != ratatui::style::Color::Reset
            });
            assert!(!coloured, "{keys} {size:?}");
            if !keys.contains(['?', 'G', '<']) {
                assert!(stage.shows("device 17000"), "{keys} {size:?}\n{text}");
            }
        }
    }
}

#[test]
fn names_from_outside_keep_to_their_column() {
    let mut host = host();
    let names =
        ["a\x1b]0;owned\x07b", "\u{202e}reversed", "漢字の名前", "e\u{301}\u{301}", "\u{1f468}"];
    let containers = [11_u64, 13, 15, 17, 21];
    let mut used = USED.to_vec();
    for ids in [&[11_u32][..], &[13], &[15], &[17], &[21]] {
        used.push((ids, false, 9000));
    }
    for (name, id) in names.iter().zip(containers) {
        let device = host.thins.iter_mut().find(|thin| thin.id == ThinId::new(id));
        let name = format!("{name}{}", "x".repeat(300));
        device.and_then(|thin| thin.container.as_mut()).expect("one").name = name.as_str().into();
    }
    host.pools[0].name = format!("pool\u{202e}\x1b[31m{}", "y".repeat(200)).as_str().into();
    hold(&mut host, &used);
    let snapshot = host.snapshot();
    for (width, height) in [(80, 24), (60, 15), (120, 40)] {
        let mut stage = Stage::of(Arc::clone(&snapshot), width, height);
        stage.press("]f");
        let text = stage.text();
        assert!(!text.contains(['\x1b', '\x07', '\u{202e}', '\u{301}', '\u{1f468}']), "{text}");
        assert!(stage.shows("WHAT FILLS pool\\u{202e}\\x1b[31myyy"), "{text}");
        let buffer = stage.buffer();
        let column = |y: u16| (0..width).find(|x| *x > 20 && buffer[(*x, y)].symbol() == "G");
        let head =
            stage.lines().iter().position(|line| line.contains("NAME")).expect("it is there");
        let first = u16::try_from(head + 1).expect("low");
        let last = if height > 20 { 5 } else { 2 };
        let ends: Vec<_> = (first..first + last).map(column).collect();
        assert!(ends.iter().all(|end| end.is_some() && *end == ends[0]), "{ends:?}\n{text}");
    }
}

#[test]
fn ten_thousand_devices_are_counted_once_for_a_picture_and_not_for_a_frame() {
    let mut host = Host::default();
    let disk = host.node(crate::model::Kind::Disk, "sda", &[], 100 * GIB);
    let node = host.node(crate::model::Kind::Pool, "pool", &[disk], 100 * GIB);
    let pool = host.pool(node, (disk, disk), crate::model::PoolKind::Raw);
    for id in 0..10_000_u32 {
        let device = host.thin(pool, id, crate::model::Role::Unknown, &format!("thin{id}"));
        device.mapped = Some(Bytes(u64::from(id) * MIB));
    }
    host.finding(Severity::Warning, "pool-data-near-full", node, "it fills");
    let mut stage = Stage::of(host.snapshot(), 80, 24);
    stage.press("/:kind pool<enter><esc>f");
    assert!(stage.selected().starts_with("thin9999"), "{}", stage.text());
    assert!(stage.shows("9990 smaller holders"), "{}", stage.text());
    // a debug build makes the page in tens of milliseconds: 400 keys would take many seconds
    let begun = std::time::Instant::now();
    for _ in 0..200 {
        stage.press("jk");
    }
    let made = stage.app.why.made().map(std::ptr::from_ref);
    stage.press("j");
    assert_eq!(made, stage.app.why.made().map(std::ptr::from_ref));
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
}
