//! What is said of a window, from how it ended.

use nix::errno::Errno;

use super::*;
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

fn why(ended: Ended, suspended: Option<bool>) -> (bool, String) {
    match told(&window(), ended, suspended) {
        Acted::Refused { why } => (false, why),
        Acted::Failed { why } => (true, why),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_device_that_runs_on_its_old_table_was_refused_and_one_that_may_not_has_failed() {
    let (failed, said) = why(Ended::NotLoaded(Errno::EINVAL), Some(false));
    assert!(
        !failed && said.contains("refused the new table of device 253:7 (pool\\x1b)"),
        "{said}"
    );
    let (failed, said) = why(Ended::NotSuspended(Errno::EINTR), Some(false));
    assert!(!failed && said.contains("runs on its old table"), "{said}");
    let (failed, said) = why(Ended::PutBack(Errno::EINVAL), Some(false));
    assert!(!failed && said.contains("was put back"), "{said}");
    let (failed, said) = why(Ended::Unclear(Errno::ENOMEM), Some(false));
    assert!(failed && said.contains("looking again tells"), "{said}");
    assert_eq!(told(&window(), Ended::Swapped, Some(false)), Acted::Done);
}

#[test]
fn a_device_that_is_suspended_has_failed_whatever_was_answered_and_the_way_back_is_told() {
    let stuck = Ended::Stuck { new: Errno::EINVAL, old: Errno::EIO };
    let seen = [(stuck, None), (stuck, Some(true)), (Ended::Swapped, Some(true))];
    for (ended, suspended) in seen {
        let (failed, said) = why(ended, suspended);
        assert!(failed, "{said}");
        assert!(said.ends_with(&window().rescue()), "{said}");
    }
}
