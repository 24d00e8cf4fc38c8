//! Orders and results as they are written down, and what stands in the way of a file.

use std::os::unix::fs::symlink;

use super::*;
use crate::command::Tool;
use crate::ids::DevNo;
use crate::sys::write::{Suspended, Window};
use crate::sys::{DmTarget, Raw};

fn line(params: &str) -> DmTarget {
    DmTarget { start: 0, length: 8, kind: "linear".to_owned(), params: Raw::from(params) }
}

fn window(name: &str, old: &[DmTarget]) -> Window {
    Window {
        device: DevNo::new(253, 7),
        name: name.to_owned(),
        uuid: String::new(),
        old: old.to_vec(),
        new: vec![line("8:16 2048"), DmTarget { params: Raw(vec![0xff, 0x1b]), ..line("") }],
    }
}

#[test]
fn an_order_is_read_again_as_it_was_whatever_is_in_it() {
    let hostile = "a\x1b[31m\n\"}{\u{202e}'";
    let effects = [
        Effect::Run { tool: Tool::Losetup, args: vec!["-c".to_owned(), hostile.to_owned()] },
        Effect::Window(window(hostile, &[line("8:16 0")])),
        Effect::Resume(vec![Suspended {
            device: DevNo::new(253, 7),
            name: hostile.to_owned(),
            clear: true,
        }]),
    ];
    for effect in effects {
        let how = How {
            lock: None,
            folder: PathBuf::from("/var/lib/\u{e9}\n"),
            stem: hostile.to_owned(),
            limit: Duration::MAX,
        };
        let order = Order::new(&effect, &how);
        let bytes = order.to_bytes();
        assert_eq!(Order::parse(&bytes), Some(order));
        for length in 0..bytes.len() {
            assert_eq!(Order::parse(&bytes[..length]), None, "{length}");
        }
    }
}

#[test]
fn a_result_is_read_again_as_it_was_and_one_that_was_cut_off_is_none() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let files = Files::new(folder.path(), "step-1").expect("a plain name");
    let why = "\x1b\n\"".repeat(5000);
    let outcome = Outcome::now(Acted::Failed { why }, Some(Duration::from_micros(4711)));
    let reserved = files.reserve().expect("there is room");
    assert_eq!(files.read_outcome(), None);
    reserved.fill(&outcome).expect("it can be written");
    assert_eq!(files.read_outcome(), Some(outcome));
    let path = folder.path().join("step-1.result");
    let bytes = std::fs::read(&path).expect("it is there");
    for length in [0, 1, bytes.len() / 2, bytes.len() - 2] {
        std::fs::write(&path, &bytes[..length]).expect("it can be written");
        assert_eq!(files.read_outcome(), None, "{length}");
    }
}

#[test]
fn a_link_in_the_place_of_an_output_is_not_followed() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let elsewhere = folder.path().join("elsewhere");
    std::fs::write(&elsewhere, "kept").expect("it can be written");
    symlink(&elsewhere, folder.path().join("step-1.out")).expect("it can be made");
    let files = Files::new(folder.path(), "step-1").expect("a plain name");
    assert!(files.create_outputs().is_err());
    assert_eq!(std::fs::read_to_string(&elsewhere).expect("it is there"), "kept");
}

#[test]
fn the_way_back_by_hand_is_one_line_for_a_shell_and_safe_to_print() {
    let rescue = window("pool", &[line("8:16 0"), line("it's\x1b 1")]).rescue();
    assert_eq!(
        rescue,
        "printf '%s\\n' '0 8 linear 8:16 0' '0 8 linear it'\\''s\\x1b 1' | \
         dmsetup load -j 253 -m 7 && dmsetup resume -j 253 -m 7"
    );
}
