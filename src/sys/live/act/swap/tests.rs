//! What is said of a window, from how it ended.

use super::*;
use crate::ids::DevNo;
use crate::sys::{DmTarget, Raw};

fn window() -> Window {
    let line = |length| DmTarget {
        start: 0,
        length,
        kind: "thin-pool".to_owned(),
        params: Raw::from("7:0 7:1 128 0"),
    };
    Window {
        device: DevNo::new(253, 7),
        name: "pool\x1b".to_owned(),
        uuid: String::new(),
        old: vec![line(8)],
        new: vec![line(16)],
    }
}

/// Whether it failed, rather than being refused, and why.
fn why(ended: Ended, after: After) -> (bool, String) {
    match told(&window(), ended, false, after) {
        Acted::Refused { why } => (false, why),
        Acted::Failed { why } => (true, why),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_device_that_runs_on_its_old_table_was_refused() {
    let (failed, said) = why(Ended::NotLoaded(Errno::EINVAL), After::RunsOld);
    assert!(
        !failed && said.contains("refused the new table of device 253:7 (pool\\x1b)"),
        "{said}"
    );
    let stuck = Ended::Stuck { new: Errno::EINTR, old: Errno::EINTR };
    let (failed, said) = why(stuck, After::RunsOld);
    assert!(!failed && said.contains("it runs on its old table"), "{said}");
    for ended in [Ended::PutBack(Errno::EINVAL), Ended::Unclear(Errno::EINVAL)] {
        let (failed, said) = why(ended, After::RunsOld);
        assert!(!failed && said.contains("was put back"), "{said}");
    }
}

#[test]
fn what_runs_on_the_new_table_is_done_also_where_it_was_refused_at_first() {
    for ended in [Ended::Swapped, Ended::Unclear(Errno::ENOMEM)] {
        assert_eq!(told(&window(), ended, false, After::Runs), Acted::Done);
    }
    // old and new may be the same
    assert_eq!(told(&window(), Ended::Swapped, false, After::RunsOld), Acted::Done);
}

#[test]
fn a_device_found_suspended_whose_old_table_waited_was_refused() {
    assert_eq!(told(&window(), Ended::Swapped, true, After::Runs), Acted::Done);
    let acted = told(&window(), Ended::Swapped, true, After::RunsOld);
    let Acted::Refused { why } = acted else { panic!("{acted:?}") };
    assert!(why.contains("it runs on its old table again"), "{why}");
}

#[test]
fn over_its_own_new_table_a_window_loads_again_and_over_no_other() {
    let window = window();
    assert!(may_load_over(&window, &window.new));
    // the kernel ends some parameters with a space
    let mut printed = window.new.clone();
    printed[0].params = Raw::from("7:0 7:1 128 0 ");
    assert!(may_load_over(&window, &printed));
    let mut foreign = window.new.clone();
    foreign[0].length += 1;
    for other in [foreign, window.old.clone(), Vec::new()] {
        assert!(!may_load_over(&window, &other), "{other:?}");
    }
}

#[test]
fn a_device_that_is_suspended_has_failed_whatever_was_answered_and_the_way_back_is_told() {
    let stuck = Ended::Stuck { new: Errno::EINVAL, old: Errno::EIO };
    let seen =
        [(stuck, After::Unseen), (stuck, After::Suspended), (Ended::Swapped, After::Suspended)];
    for (ended, after) in seen {
        let (failed, said) = why(ended, after);
        assert!(failed, "{said}");
        assert!(said.ends_with(&window().rescue()), "{said}");
    }
    let (failed, said) = why(stuck, After::Runs);
    assert!(failed && said.ends_with("look again"), "{said}");
}
