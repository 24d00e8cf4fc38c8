//! The plan before it runs: what is shown, and what agrees.

use super::{Desk, commands, host, node, put_away};
use crate::model::{Origin, Snapshot};
use crate::tui::event::Effect;
use crate::tui::testing::{GIB, Host};

/// Grows the data by what is suggested, up to the review.
fn reviewed(size: (u16, u16)) -> Desk {
    let mut desk = Desk::new(host(), size);
    desk.press("]w<home><enter><up><enter>");
    desk
}

/// The host with its pool away.
fn away() -> Host {
    let mut host = host();
    put_away(&mut host);
    host
}

#[test]
fn at_80x24_steps_commands_and_what_is_lost_for_good_are_seen_without_scrolling() {
    let desk = reviewed((80, 24));
    for text in [
        "ask [review] run done",
        "data 95.0 GiB to 97.0 GiB (+2.0 GiB)",
        "free in docker 3.0 GiB to 1020 MiB",
        "1. grow the data of docker/thinpool",
        "$ lvextend -l +513 docker/thinpool",
        "cannot be taken back by a command:",
        "a thin pool cannot shrink",
        "type docker-thinpool to agree: [",
        ">[ Back ]   [ Run it ]",
    ] {
        desk.must_show(text);
    }
    let lines = desk.stage.lines();
    assert!(lines.iter().all(|line| line.chars().count() <= 80));
    assert!(lines[23].contains("c checks  t trees  d dry run  ? help  q quit"), "{}", lines[23]);
}

#[test]
fn at_120x40_and_at_the_smallest_size_the_same_is_reached() {
    let desk = reviewed((120, 40));
    desk.must_show("should all else fail: thinscope activate docker/thinpool");
    let mut desk = reviewed((60, 15));
    desk.must_show(">[ Back ]   [ Run it ]");
    desk.must_show("type docker-thinpool to agree: [");
    desk.press("<end>");
    desk.must_show("should all else fail: thinscope activate");
}

#[test]
fn checks_and_undo_are_at_a_key() {
    let mut desk = reviewed((80, 40));
    desk.must_not_show("then:");
    desk.press("c");
    desk.must_show("before: docker-thinpool is active and not suspended");
    // 97 GiB less 4 MiB more than 1020 MiB: 95 GiB + 513 extents of 4 MiB, in blocks of 512 KiB
    desk.must_show("then:   the kernel's status of docker-thinpool has 198664 data blocks or");
    desk.must_show("undo:   never: a thin pool cannot shrink");
}

#[test]
fn the_storage_is_seen_before_and_after() {
    let mut desk = reviewed((80, 24));
    desk.press("t");
    let line = |text: &str| desk.stage.line(text).replace(['├', '└', '│'], "");
    assert_eq!(
        line("thinpool_tdata").split_whitespace().collect::<Vec<_>>(),
        ["*", "thinpool_tdata", "tdata", "95.0G", "97.0G", "+2.0G"]
    );
    assert_eq!(
        line("thinpool_tmeta").split_whitespace().collect::<Vec<_>>(),
        ["thinpool_tmeta", "tmeta", "1020M", "1020M"]
    );
    // what has nothing to do with it is not there
    desk.must_not_show("xvda");
    desk.must_not_show("loop0");
    desk.press("<esc>");
    desk.must_show("$ lvextend");
}

#[test]
fn a_disk_that_joins_is_new_in_the_tree_and_pointed_at_from_its_group() {
    let mut desk = Desk::new(host(), (80, 24));
    desk.press("]w<home><enter><down><down><space><down><down><enter>t");
    desk.must_show("pv      not there");
    let line = desk.stage.line("not there");
    assert!(line.starts_with('*') && line.contains("xvdh"), "{line}");
}

#[test]
fn enter_goes_back_as_long_as_nothing_else_was_chosen() {
    let mut desk = reviewed((80, 24));
    desk.press("<enter>");
    desk.must_show("[ask]");
    desk.must_show("[ Review the plan ]");
    assert!(desk.ordered().is_none());
}

#[test]
fn a_wrong_word_agrees_to_nothing_and_the_right_one_runs_the_plan_that_was_shown() {
    let mut desk = reviewed((80, 24));
    desk.press("<tab>docker<enter>");
    desk.must_show("that is not docker-thinpool");
    // the way on, with the word wrong
    desk.press("<tab><enter>");
    desk.must_show("that is not docker-thinpool");
    assert!(desk.ordered().is_none());
    desk.press("<c-u>docker-thinpool");
    desk.must_show("] given");
    desk.press("<enter><enter>");
    let plan = desk.ordered().expect("it is ordered");
    assert_eq!(commands(plan), ["lvextend -l +513 docker/thinpool"]);
    desk.must_show("ask review [run] done");
}

#[test]
fn letters_of_the_word_are_typed_though_they_are_keys_elsewhere() {
    let mut desk = reviewed((80, 24));
    desk.press("<tab>qtdc? ");
    desk.must_show("to agree: [qtdc? ");
    assert!(!desk.stage.effects.contains(&Effect::Quit));
    desk.press("<c-c>");
    assert!(desk.stage.effects.contains(&Effect::Quit));
}

#[test]
fn lvms_name_of_the_pool_agrees_too() {
    let mut desk = reviewed((80, 24));
    desk.press("<tab>docker/thinpool<enter><enter>");
    assert!(desk.ordered().is_some());
}

#[test]
fn a_paste_agrees_to_nothing() {
    let mut desk = reviewed((80, 24));
    desk.press("<tab>");
    desk.stage.paste("docker-thinpool\n");
    desk.must_show("a paste agrees to nothing: type it");
    desk.must_not_show("] given");
    desk.press("<enter><tab><enter>");
    assert!(desk.ordered().is_none());
}

#[test]
fn what_was_typed_before_the_review_was_drawn_is_thrown_away() {
    let mut desk = Desk::new(away(), (80, 24));
    desk.press("/thinpool<enter><esc>w<enter>");
    desk.must_show("[review]");
    // typed ahead: to the way on, and on. Nobody has seen it yet
    let keys = crate::tui::picture::parse_keys("<tab><enter>").expect("keys");
    for key in keys {
        let event = crossterm::event::Event::Key(key);
        desk.stage.app.update(crate::tui::Event::Terminal(event));
    }
    desk.must_show(">[ Back ]   [ Run it ]");
    assert!(desk.stage.app.waits_to_be_drawn());
    // seen, it is agreed to by the same keys
    desk.press("<tab><enter>");
    assert_eq!(desk.ordered().map(commands), Some(vec!["lvchange -ay docker/thinpool".to_owned()]));
}

#[test]
fn what_can_be_taken_back_is_agreed_to_by_enter() {
    let mut desk = Desk::new(away(), (80, 24));
    desk.press("/thinpool<enter><esc>w<enter>");
    desk.must_not_show("to agree");
    desk.press("<tab><enter>");
    assert!(desk.ordered().is_some());
}

#[test]
fn a_disk_with_something_on_it_is_agreed_to_by_its_path() {
    let mut desk = Desk::new(host(), (80, 24));
    desk.press("]w<home><enter><down><down><down><space><down><enter>");
    desk.must_show("! /dev/xvdi holds ext4 (label backup), which is lost (53687091200 B (50.0");
    desk.must_show("type /dev/xvdi to agree: [");
    desk.must_show("type docker-thinpool to agree: [");
    desk.press("<tab>/dev/xvdi<enter>");
    // one of two words is not enough
    desk.press("<tab><enter>");
    desk.must_show("that is not docker-thinpool");
    assert!(desk.ordered().is_none());
    desk.press("docker-thinpool<enter><enter>");
    let plan = desk.ordered().expect("it is ordered");
    assert_eq!(commands(plan)[..2], ["pvcreate -y /dev/xvdi", "vgextend docker /dev/xvdi"]);
}

#[test]
fn a_screen_too_small_to_show_the_plan_agrees_to_nothing() {
    let mut desk = reviewed((80, 24));
    desk.stage.resize(50, 10);
    desk.press("<tab>docker-thinpool<enter><enter>");
    desk.stage.resize(80, 24);
    desk.must_show(">[ Back ]   [ Run it ]");
    assert!(desk.ordered().is_none());
}

#[test]
fn a_plan_that_nobody_would_make_any_more_cannot_be_run() {
    let mut desk = reviewed((80, 24));
    desk.press("<tab>docker-thinpool<enter>");
    let mut changed = host();
    let vg = node(&changed, "docker");
    if let Some(vg) = changed.at(vg).facts.vg.as_mut() {
        vg.free = Some(crate::units::Bytes(GIB));
    }
    desk.stage.see(changed.snapshot());
    desk.must_show("The host has changed since: go back, and review a new plan.");
    desk.must_not_show("Run it");
    desk.press("<enter>");
    desk.must_show("[ask]");
    assert!(desk.ordered().is_none());
}

#[test]
fn a_picture_that_says_the_same_leaves_the_review_as_it_is() {
    let mut desk = reviewed((80, 24));
    desk.press("<tab>docker-thin");
    desk.stage.see(host().snapshot());
    desk.must_show("to agree: [docker-thin");
    desk.must_show("Run it");
}

#[test]
fn the_dry_run_walks_the_plan_and_comes_back_to_it() {
    let mut desk = reviewed((80, 24));
    desk.press("d");
    desk.must_show("rehearsed on predictions to its end; nothing was changed");
    desk.must_show("would run: lvextend -l +513 docker/thinpool");
    assert!(desk.ordered().is_none());
    desk.press("<esc>");
    desk.must_show("[review]");
    // it was seen anew, and nothing is agreed to
    desk.must_show(">[ Back ]   [ Run it ]");
}

#[test]
fn where_nothing_may_run_it_is_rehearsed_and_the_reason_is_told() {
    let mut desk = Desk::new(host(), (80, 24));
    desk.forbidden = Some("--read-only was given");
    desk.press("]w<home><enter>");
    desk.must_show("nothing will run: --read-only was given");
    desk.press("<up><enter>");
    desk.must_show("Nothing runs: --read-only was given. It can be rehearsed.");
    desk.must_not_show("to agree");
    desk.press("<tab><enter>");
    desk.must_show("rehearsed on predictions to its end");
    assert!(desk.ordered().is_none());
}

#[test]
fn on_a_recorded_host_a_disk_is_rehearsed_with_as_if_it_were_empty_and_that_is_said() {
    let snapshot = host().snapshot();
    let recorded =
        Snapshot { origin: Origin::Recorded { name: "demo".into() }, ..(*snapshot).clone() };
    let mut desk = Desk::new(host(), (80, 24));
    desk.around = crate::plan::Around::default();
    desk.forbidden = Some("this is a recorded host");
    desk.stage.see(std::sync::Arc::new(recorded));
    desk.press("]w<home><enter>");
    desk.must_show("[ ] /dev/xvdi  50.0 GiB disk  what lies on it was not recorded");
    desk.press("<down><down><down><space><down><enter>");
    desk.must_show("what lies on /dev/xvdi was not recorded: rehearsed as if it were empty");
    desk.must_show("recorded 2026-11-21 10:00 UTC, nothing runs");
}

#[test]
fn earlier_runs_that_were_cut_off_are_told_of() {
    let mut desk = Desk::new(host(), (80, 24));
    desk.unfinished = vec![("20261125-1-grow".to_owned(), "grow docker-thinpool".to_owned())];
    desk.press("]w<home><enter><up><enter>");
    desk.must_show("! 20261125-1-grow was cut off (grow docker-thinpool): it is completed first");
}

#[test]
fn in_ascii_and_without_colours_every_stage_is_the_same() {
    let look = crate::tui::Look::new(true, false);
    let mut desk = Desk::new(host(), (80, 24));
    desk.stage.app.look = look;
    for keys in [
        "]w<home><enter>",
        "<up><enter>",
        "t",
        "<esc>c",
        "d",
        "<esc><tab>",
        "docker-thinpool<enter><enter>",
    ] {
        desk.press(keys);
        let text = desk.stage.text();
        let wrong: String = text.chars().filter(|c| !c.is_ascii()).collect();
        assert_eq!(wrong, "", "{keys}\n{text}");
        let cells = desk.stage.buffer();
        let plain = ratatui::style::Color::Reset;
        assert!(cells.content().iter().all(|cell| (cell.fg, cell.bg) == (plain, plain)), "{keys}");
    }
    desk.must_show("ask review [run] done");
}
