//! Frames at fixed sizes. What must stand on a line is written from what the example host is.

use ratatui::style::{Color, Modifier};

use super::Stage;
use crate::model::{Engine, EngineFacts, Kind, Origin, PoolTrend, Snapshot, Trend, Trends};
use crate::tui::Look;
use crate::tui::testing::{ANSWERED_MS, Host, web_3};
use crate::units::Bytes;

fn recorded() -> std::sync::Arc<Snapshot> {
    let snapshot = web_3().snapshot();
    let name = "demo".into();
    std::sync::Arc::new(Snapshot { origin: Origin::Recorded { name }, ..(*snapshot).clone() })
}

#[test]
fn at_120x40_the_whole_host_is_seen_with_details_beside() {
    let mut stage = Stage::web_3(120, 40);
    stage.press("]");
    let lines = stage.lines();
    assert_eq!(lines.len(), 40);
    assert_eq!(lines[0], " thinscope  web-3   2 pools   oldest look 2 s");
    assert!(
        lines[1]
            .starts_with(" ! warning: docker-thinpool cannot grow by itself: 80% asks 19.0 GiB")
    );
    assert!(lines[1].contains("f why") && lines[1].ends_with("+1 more (4)"), "{}", lines[1]);
    assert!(lines[2].starts_with("   NAME ") && lines[2].contains(" MAPPED STATE "));
    // the diamond: metadata, data and pool once each, joined by the bracket
    assert!(lines[9].contains("├ thinpool_tmeta") && lines[9].contains("1020M ┐"), "{}", lines[9]);
    assert!(lines[10].contains("├ thinpool_tdata") && lines[10].contains("95.0G ┤"));
    assert!(lines[11].contains("└ thinpool ") && lines[11].contains("95.0G ┘"));
    // 61% of 194,560 blocks of 512 KiB are 118,681 blocks, 57.9 GiB
    assert!(lines[11].contains("57.9G rw"), "{}", lines[11]);
    assert!(lines.iter().any(|line| line.contains("data ▕██████░░░░▏ 60%")), "{}", stage.text());
    assert!(stage.shows("57.9 GiB of 95.0 GiB") && stage.shows("24 (LVM: 0)"));
    assert!(lines[39].contains("? help  q quit"));
}

#[test]
fn a_pool_opens_with_what_runs_and_what_is_wrong_then_a_line_per_image() {
    let stage = Stage::web_3(120, 40);
    let names: Vec<String> = stage
        .lines()
        .iter()
        .filter(|line| line.starts_with("         ├") || line.starts_with(" .       ├"))
        .chain(stage.lines().iter().filter(|line| line.starts_with("         └")))
        .map(|line| line.chars().skip(10).take(28).collect::<String>().trim().to_owned())
        .collect();
    assert_eq!(
        names,
        [
            "base",
            "api",
            "* evil\\x1b[31m\\u{202e}name?",
            "gone",
            "* web",
            "x (no owner)",
            "x dddddddddddd",
            "▸app:one  7 layers",
            "▸registry.local…usybox:stabl",
            "▸ubuntu:16.04  5 layers",
            "▸layers without an image",
            "▸build cache",
            "▸owner not known",
        ]
    );
}

#[test]
fn at_80x24_everything_needed_is_there() {
    let mut stage = Stage::web_3(80, 24);
    stage.press("/ web<enter>");
    assert_eq!(stage.line("cont."), "> │ ├ * web cont. 11 10.0G 170M running".replace("│ ", ""));
    let lines = stage.lines();
    assert_eq!(lines.len(), 24);
    assert!(lines.iter().all(|line| line.chars().count() <= 80));
    // four lines of details: the name, then facts
    assert!(lines[18].starts_with("── web ─────"), "{}", lines[18]);
    assert!(
        stage.shows("container, of docker   device id 11   state running   image ubuntu:16.04")
    );
    assert!(lines[23].contains("? help  q quit") && lines[23].contains("↑↓ move"));
}

#[test]
fn at_60x15_names_sizes_and_states_are_left_and_help_and_quit() {
    let stage = Stage::web_3(60, 15);
    let lines = stage.lines();
    assert_eq!(
        lines[2].split_whitespace().collect::<Vec<_>>(),
        ["NAME", "SIZE", "MAPPED", "STATE"]
    );
    assert!(lines.iter().all(|line| line.chars().count() <= 60));
    assert!(lines[14].ends_with("? help  q quit"), "{}", lines[14]);
    assert!(stage.shows("xvdf") && stage.shows("100G"));
}

#[test]
fn below_60x15_one_line_says_so() {
    for (width, height) in [(59, 40), (120, 14), (40, 10)] {
        let stage = Stage::web_3(width, height);
        let text = stage.text();
        let said: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(said, [format!("thinscope needs 60x15, this is {width}x{height}")]);
    }
}

#[test]
fn a_size_of_nothing_is_taken_for_80x24() {
    let mut stage = Stage::web_3(120, 40);
    stage.resize(0, 0);
    let lines = stage.lines();
    assert_eq!(lines.len(), 24);
    assert!(lines[23].contains("q quit"));
}

#[test]
fn in_ascii_nothing_else_is_drawn() {
    for keys in [
        "",
        "]l",
        "2",
        "4",
        "?",
        "?<pgdn>",
        ":",
        "s",
        "]y",
        "y<enter>",
        "/a",
        "i<right>",
        "t",
        "]w",
        "]w<enter>",
    ] {
        for size in [(120, 40), (80, 24)] {
            let mut stage = Stage::with(web_3().snapshot(), size, Look::new(true, true));
            stage.press(keys);
            let text = stage.text();
            let wrong: String = text.chars().filter(|c| !c.is_ascii()).collect();
            assert_eq!(wrong, "", "{keys}\n{text}");
        }
    }
}

#[test]
fn without_colours_no_cell_has_one() {
    for keys in ["", "]<space>", "4", "?", ":", "/web", "]<enter>", "]w", "]w<enter>"] {
        let mut stage = Stage::with(web_3().snapshot(), (120, 40), Look::new(false, false));
        stage.press(keys);
        let buffer = stage.buffer();
        for cell in buffer.content() {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset), "{keys}");
        }
    }
}

#[test]
fn state_and_selection_are_never_by_colour_alone() {
    let mut stage = Stage::with(web_3().snapshot(), (80, 24), Look::new(true, false));
    stage.press("]<space>");
    assert!(stage.shows("running") && stage.shows("no owner") && stage.shows("1 marked"));
    assert!(stage.lines().iter().any(|line| line.starts_with("+~ ")), "{}", stage.text());
    let buffer = stage.buffer();
    let row = (0..24).find(|y| buffer[(0, *y)].symbol() == ">").expect("a row is selected");
    assert!(buffer[(30, row)].modifier.contains(Modifier::REVERSED));
}

#[test]
fn a_recorded_host_says_so_on_every_screen() {
    for keys in ["", "2", "4", "?", ":", "s", "]y", "y<enter>", "<enter>", "/a"] {
        for size in [(120, 40), (80, 24), (60, 15), (50, 12)] {
            let mut stage = Stage::with(recorded(), size, Look::new(false, true));
            stage.press(keys);
            assert!(
                stage.shows("recorded 2026-11-21 10:00 UTC"),
                "{keys} {size:?}\n{}",
                stage.text()
            );
            assert!(!stage.shows("oldest look"));
        }
    }
}

#[test]
fn a_silent_source_is_named_with_its_age_and_a_first_look_is_loading_not_zero() {
    let mut host = web_3();
    host.sources[1].silent = true;
    host.sources[1].answered_at_ms = Some(ANSWERED_MS - 10_000);
    let stage = Stage::of(host.snapshot(), 120, 40);
    assert_eq!(
        stage.line("thinscope"),
        "thinscope web-3 2 pools oldest look 12 s lvm: no answer 12 s"
    );

    let mut host = web_3();
    host.sources[2].answered_at_ms = None;
    host.sources[2].asking_since_ms = Some(ANSWERED_MS);
    for device in &mut host.thins {
        device.mapped = None;
    }
    let mut stage = Stage::of(host.snapshot(), 120, 40);
    assert!(stage.line("thinscope").ends_with("docker: reading"));
    assert!(stage.press("]").line(" base ").starts_with("├ base base 1 10.0G … inactive │"));
}

#[test]
fn an_empty_host_says_what_is_missing() {
    let mut stage = Stage::of(Host::default().snapshot(), 80, 24);
    assert!(stage.shows("no block device was seen on this host"));
    assert!(stage.press("2").shows("no thin pool was seen on this host"));
    assert!(stage.press("4").shows("nothing is wrong as far as was seen"));
}

#[test]
fn sizes_are_exact_at_a_key() {
    let mut stage = Stage::web_3(120, 40);
    stage.press("b");
    // 95 GiB
    assert!(stage.line("thinpool_tdata").contains("102005473280"));
    assert!(stage.press("b").line("thinpool_tdata").contains("95.0G"));
}

/// What this thread has had of a processor.
fn cpu_time() -> std::time::Duration {
    use nix::time::{ClockId, clock_gettime};
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Into::into).expect("Linux tells")
}

#[test]
fn ten_thousand_findings_are_walked_through_as_quickly_as_a_few() {
    let mut host = web_3();
    host.findings = (0..10_000)
        .map(|nth| {
            let mut one = host.findings[0].clone();
            one.summary = format!("the finding number {nth}");
            one
        })
        .collect();
    let mut stage = Stage::of(host.snapshot(), 120, 40);
    stage.press("4");
    assert!(stage.shows("the finding number 0") && stage.shows("the finding number 30"));
    let began = cpu_time();
    for _ in 0..20 {
        stage.press("<pgdn>");
        assert!(stage.shows("the finding number "));
    }
    stage.press("G");
    // the host's gaps come after them
    assert!(stage.shows("the finding number 9999"), "{}", stage.text());
    stage.press("g");
    assert!(stage.shows("the finding number 0"));
    // less than a second unoptimised; what grows with the square would take minutes
    let took = cpu_time().saturating_sub(began);
    assert!(took.as_secs() < 5, "{took:?}");
}

#[test]
fn a_volume_group_s_pane_shows_how_much_longer_lvm_s_text_may_become_and_its_archive() {
    let mut host = web_3();
    let at = host.nodes.iter().position(|node| node.kind == Kind::Vg).expect("it has one");
    let vg = host.nodes[at].facts.vg.as_mut().expect("a VG has its facts");
    (vg.mda_size, vg.mda_free) = (Some(Bytes(1_044_480)), Some(Bytes(83_456)));
    let mut snapshot = (*host.snapshot()).clone();
    let topology = std::sync::Arc::make_mut(&mut snapshot.topology);
    topology.host.lvm_archive = Some(("/etc/lvm/archive".into(), 120_412));
    let mut stage = Stage::of(std::sync::Arc::new(snapshot), 220, 40);
    stage.press("<home>");
    while !stage.selected().starts_with("docker vg") {
        stage.press("<down>");
    }
    assert!(stage.shows("81.5 KiB of 510 KiB free"), "{}", stage.text());
    assert!(stage.shows("120412 files in /etc/lvm"), "{}", stage.text());
}

#[test]
fn docker_s_minimum_of_free_blocks_is_a_mark_on_both_gauges_and_named_as_its_own() {
    let mut host = web_3();
    let mut docker = EngineFacts::new(Engine::Docker, "/var/lib/docker".into());
    docker.min_free_percent = Some(10);
    host.pools[0].engine_facts = vec![docker];
    let mut stage = Stage::of(host.snapshot(), 120, 40);
    stage.press("]");
    assert!(stage.shows("data ▕██████░░░|▏ 60%"), "{}", stage.text());
    let named = stage.text().matches("| at 90% docker refuses").count();
    assert_eq!(named, 2, "{}", stage.text());
}

#[test]
fn how_a_pool_filled_is_a_line_of_bars_as_high_as_it_was_full() {
    let mut snapshot = (*web_3().snapshot()).clone();
    let steps = vec![Some(0.0), Some(0.3), None, Some(0.61), Some(1.0)];
    let data = Trend { steps, over_seconds: 86_400, forecast: None };
    let trend = PoolTrend { data, metadata: Trend::default() };
    let pools = [("docker-thinpool".into(), trend)].into_iter().collect();
    snapshot.trends = std::sync::Arc::new(Trends { pools, place: None });
    let mut stage = Stage::of(std::sync::Arc::new(snapshot), 120, 40);
    stage.press("]");
    assert!(stage.shows("▁▃ ▅█"), "{}", stage.text());
}
