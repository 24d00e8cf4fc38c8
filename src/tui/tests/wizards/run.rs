//! A run as it is watched, left, and ended.

use super::{Desk, host};
use crate::exec::desk::{News, Order};
use crate::exec::{Ending, Told};
use crate::tui::event::{Effect, Event};
use crate::tui::testing::ANSWERED_MS;

/// A disk joins and the data grows: three steps, ordered to run.
fn running(size: (u16, u16)) -> Desk {
    let mut desk = Desk::new(host(), size);
    desk.press(
        "]w<home><enter><down><down><space><down><down><enter><tab>docker-thinpool<enter><enter>",
    );
    assert!(desk.ordered().is_some(), "{}", desk.stage.text());
    desk
}

fn step(desk: &mut Desk, step: usize) {
    desk.told(Told::Begins { step }).told(Told::Ready { step }).told(Told::Verified { step });
}

#[test]
fn every_step_is_seen_to_begin_to_print_and_to_be_verified() {
    let mut desk = running((80, 24));
    desk.must_show("1. waits     make /dev/xvdh a physical volume");
    desk.told(Told::Begins { step: 0 });
    desk.must_show("1. looks     make /dev/xvdh a physical volume");
    desk.told(Told::Ready { step: 0 });
    desk.told(Told::Line("  Physical volume \"/dev/xvdh\" successfully created.".to_owned()));
    desk.must_show("1. runs      make /dev/xvdh a physical volume");
    desk.must_show("$ pvcreate /dev/xvdh");
    desk.must_show("Physical volume \"/dev/xvdh\" successfully created.");
    desk.told(Told::Verified { step: 0 });
    desk.must_show("1. verified  make /dev/xvdh a physical volume");
    desk.must_show("2. waits     add /dev/xvdh to docker");
}

#[test]
fn the_rescue_command_is_seen_while_a_step_suspends() {
    let mut desk = running((80, 24));
    step(&mut desk, 0);
    step(&mut desk, 1);
    desk.must_not_show("should all else fail");
    desk.told(Told::Begins { step: 2 }).told(Told::Ready { step: 2 });
    desk.must_show("should all else fail: thinscope activate docker/thinpool");
}

#[test]
fn a_step_that_takes_long_shows_for_how_long() {
    let mut desk = running((80, 24));
    desk.told(Told::Begins { step: 0 }).told(Told::Ready { step: 0 });
    desk.stage.app.update(Event::Tick(ANSWERED_MS + 2000 + 61_000));
    desk.must_show("for 61 s");
}

#[test]
fn what_a_program_prints_moves_no_cursor() {
    let mut desk = running((80, 24));
    desk.told(Told::Begins { step: 0 });
    desk.told(Told::Line("evil\x1b[2J\rline".to_owned()));
    desk.must_show("evil\\x1b[2J\\x0dline");
}

#[test]
fn leaving_asks_and_staying_is_what_enter_and_escape_mean() {
    for leave in ["q", "<c-c>", "<esc>"] {
        let mut desk = running((80, 24));
        desk.told(Told::Begins { step: 0 });
        desk.press(leave);
        desk.must_show("It runs. s: finish this step and stop; esc or enter: stay.");
        assert!(!desk.stage.effects.contains(&Effect::Quit), "{leave}");
        desk.press("<enter>");
        desk.must_not_show("It runs.");
        desk.press(leave).press("<esc>");
        desk.must_not_show("It runs.");
        assert!(!desk.orders().any(|order| *order == Order::Stop), "{leave}");
    }
}

#[test]
fn stopping_is_asked_for_once_and_what_stands_is_told() {
    let mut desk = running((80, 24));
    desk.told(Told::Begins { step: 0 }).told(Told::Ready { step: 0 });
    desk.press("qss");
    desk.must_show("This step is finished, then it stops.");
    assert_eq!(desk.orders().filter(|order| **order == Order::Stop).count(), 1);
    desk.told(Told::Verified { step: 0 }).ends(Ending::Stopped { done: 1 });
    desk.must_show("stopped, as asked, after 1 of 3 steps; `thinscope resume` goes on");
    desk.must_show("1. verified");
    desk.must_show("2. waits");
    // now the screen can be left
    desk.press("q");
    assert!(desk.stage.effects.contains(&Effect::Quit));
}

#[test]
fn nothing_takes_a_run_from_the_screen() {
    let mut desk = running((80, 24));
    desk.told(Told::Begins { step: 0 });
    desk.press("w1234:<c-z>");
    desk.must_show("ask review [run] done");
    assert!(!desk.stage.effects.contains(&Effect::Suspend));
    desk.must_show("not while a plan runs");
}

#[test]
fn help_opens_over_a_run_and_leaving_still_asks() {
    let mut desk = running((80, 24));
    desk.told(Told::Begins { step: 0 });
    desk.press("?q");
    assert!(!desk.stage.effects.contains(&Effect::Quit));
    desk.must_show("It runs. s: finish");
}

#[test]
fn done_tells_what_was_seen_the_next_hints_and_the_journal() {
    let mut desk = running((80, 40));
    (0..3).for_each(|at| step(&mut desk, at));
    desk.ends(Ending::Done);
    desk.must_show("ask review run [done]");
    desk.must_show("done and verified in 3.2 s");
    desk.must_show("3. verified  grow the data of docker/thinpool");
    desk.must_show("/dev/xvdh is a PV of docker");
    desk.must_show("docker-thinpool is active and not suspended");
    desk.must_show("journal: thinscope journal 20261126-1-grow");
    desk.press("<enter>");
    desk.must_show("MAPPED");
}

#[test]
fn a_failing_step_is_shown_with_what_stands() {
    let mut desk = running((80, 24));
    step(&mut desk, 0);
    desk.told(Told::Begins { step: 1 }).told(Told::Ready { step: 1 });
    desk.told(Told::Line("Can't open /dev/xvdh exclusively.".to_owned()));
    desk.ends(Ending::Failed { step: 1, why: "lvm exited with 5".to_owned() });
    desk.must_show("step 2 (add /dev/xvdh to docker) failed: lvm exited with 5; 1 of 3 steps");
    desk.must_show("1. verified  make /dev/xvdh a physical volume");
    desk.must_show("2. FAILED    add /dev/xvdh to docker");
    desk.must_show("3. waits     grow the data of docker/thinpool");
    desk.must_show("Can't open /dev/xvdh exclusively.");
}

#[test]
fn a_refused_first_step_did_nothing_and_a_run_that_never_began_says_so() {
    let mut desk = running((80, 24));
    desk.told(Told::Begins { step: 0 });
    desk.ends(Ending::Refused { step: 0, why: "/dev/xvdh is mounted at /mnt".to_owned() });
    desk.must_show("nothing was done: /dev/xvdh is mounted at /mnt");
    desk.must_show("1. refused");

    let mut desk = running((80, 24));
    let report = crate::exec::desk::Report {
        id: None,
        ending: Err("nothing was done: no journal can be kept below /x: read-only".to_owned()),
        took: std::time::Duration::ZERO,
    };
    desk.stage.hear(News::Ended(Box::new(report)));
    desk.must_show("nothing was done: no journal can be kept below /x: read-only");
    desk.must_not_show("nothing was done: nothing was done");
    desk.must_show("no journal was begun");
}

#[test]
fn on_a_screen_that_became_too_small_the_run_is_a_line_and_leaving_still_asks() {
    let mut desk = running((80, 24));
    desk.told(Told::Begins { step: 1 });
    desk.stage.resize(50, 10);
    desk.must_show("runs: step 2 of 3");
    desk.press("q");
    assert!(!desk.stage.effects.contains(&Effect::Quit));
}

#[test]
fn pictures_of_the_host_that_come_meanwhile_change_nothing_of_the_run() {
    let mut desk = running((80, 24));
    desk.told(Told::Begins { step: 0 });
    desk.stage.see(host().snapshot());
    desk.must_show("1. looks     make /dev/xvdh a physical volume");
}
