//! Several sources asked by one copy of this process: what hangs in it and what falls in it is as
//! far from the others as in processes of their own. Without the harness of other tests, whose
//! threads no copy can be made of.

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use thinscope::model::Snapshot;
use thinscope::probe::LookOptions;
use thinscope::survey::{LookPlan, Place, look_with};
use thinscope::sys::live::brood::{Brood, Ends};

const NAMES: [&str; 7] = ["dm", "block", "mounts", "lvm", "docker", "containerd", "metadata"];

fn main() {
    a_member_that_hangs_is_given_up_and_the_others_are_seen();
    when_one_falls_all_are_asked_again_each_in_a_process_of_its_own();
    no_member_outlives_the_look();
    println!("brood: 3 passed");
}

fn a_member_that_hangs_is_given_up_and_the_others_are_seen() {
    let brood = Brood::hatch(&NAMES, |name, mut ends| {
        hear(&mut ends);
        if name == "lvm" {
            let asking = r#"{"asking":{"run":{"tool":"lvm","args":["fullreport"],"limit":{"secs":8,"nanos":0}}}}"#;
            let _ = writeln!(ends.output, "{asking}");
            std::thread::sleep(Duration::from_secs(60));
        }
        answer(name, &mut ends);
    });
    let since = Instant::now();
    let seen = look(brood, "/nonexistent");
    assert!(since.elapsed() < Duration::from_secs(20), "{:?}", since.elapsed());
    assert_eq!(silent(&seen), ["lvm"]);
    let why = seen.gaps.iter().find(|gap| gap.source == *"lvm").map(|gap| gap.why.as_str());
    assert!(why.is_some_and(|why| why.starts_with("no answer within 1 s to the lvm fullreport")));
}

fn when_one_falls_all_are_asked_again_each_in_a_process_of_its_own() {
    let brood = Brood::hatch(&NAMES, |name, mut ends| {
        hear(&mut ends);
        if name == "docker" {
            std::process::abort();
        }
        std::thread::sleep(Duration::from_secs(60));
    });
    let dir = tempfile::tempdir().expect("a temporary folder can be made");
    let program = dir.path().join("program");
    let script =
        "#!/bin/sh\ncat >/dev/null\n[ $2 = block ] && exit 7\necho '{\"end\":{\"records\":0}}'\n";
    std::fs::write(&program, script).expect("written");
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("set");
    let seen = look(brood, &program.display().to_string());
    assert_eq!(silent(&seen), ["block"], "only what falls by itself is not seen");
}

fn no_member_outlives_the_look() {
    let brood = Brood::hatch(&["dm"], |_, _| std::thread::sleep(Duration::from_secs(60)));
    let children = || std::fs::read_to_string("/proc/thread-self/children").unwrap_or_default();
    let before = children();
    assert!(brood.is_some());
    drop(brood);
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until && is_running(&before) {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(!is_running(&before), "{before}");
}

/// Whether one of these processes is there and no zombie.
fn is_running(children: &str) -> bool {
    children.split_whitespace().any(|pid| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(") ").next().is_some_and(|rest| !rest.is_empty() && !rest.starts_with('Z'))
    })
}

fn look(brood: Option<Brood>, program: &str) -> Snapshot {
    assert!(brood.is_some(), "this process has one thread");
    let mut plan = LookPlan::new(Place::Live { root: None }, LookOptions::default());
    plan.limits.lvm = Duration::from_secs(1);
    plan.program = PathBuf::from(program);
    look_with(&plan, brood).expect("a look has an end").snapshot
}

fn silent(seen: &Snapshot) -> Vec<&'static str> {
    seen.sources.iter().filter(|source| source.silent).map(|source| source.source).collect()
}

/// Waits for the order, which ends with its pipe.
fn hear(ends: &mut Ends) {
    let mut order = Vec::new();
    let _ = ends.input.read_to_end(&mut order);
}

fn answer(name: &str, ends: &mut Ends) {
    let _ = writeln!(
        ends.output,
        r#"{{"source":"{name}","question":{{"dir":"/x"}},"answer":{{"ms":0,"result":{{"Err":{{"kind":"not-found","why":"/x: gone"}}}}}}}}"#
    );
    let _ = writeln!(ends.output, r#"{{"end":{{"records":1}}}}"#);
}
