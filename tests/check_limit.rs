//! `check` on a host whose LVM hangs: one line, UNKNOWN, and within its own limit. The real program
//! finds a stand-in where LVM's is, in a mount namespace of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Starting the namespace and the program, on a machine that is busy with other tests.
const MARGIN: Duration = Duration::from_secs(4);

/// Hangs in itself, deaf to what asks it to end.
const DEAF: &str = "#!/bin/sh\ntrap '' TERM INT HUP\nwhile :; do sleep 60; done\n";
/// Hangs in a child that keeps its output open.
const CHILD: &str = "#!/bin/sh\nsleep 60 &\nwait\n";
/// Has begun to answer and hangs then.
const HALF: &str = "#!/bin/sh\necho '{ \"report\": [ { \"vg\": ['\nsleep 60\n";

/// The check with a folder over `/usr/sbin` in which there is nothing but this LVM, and how long
/// it took.
fn check(lvm: &str, arguments: &[&str]) -> (Output, Duration) {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let program = dir.path().join("lvm");
    fs::write(&program, lvm).expect("written");
    fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("set");
    let script = "mount --bind \"$1\" /usr/sbin && shift && exec \"$@\"";
    let mut inside = Command::new("unshare");
    inside.args(["--map-root-user", "--mount", "sh", "-c", script, "sh"]).arg(dir.path());
    inside.args([env!("CARGO_BIN_EXE_thinscope"), "check"]).args(arguments);
    inside.stdin(Stdio::null()).env("LANG", "C.UTF-8");
    let since = Instant::now();
    let output = inside.output().expect("util-linux has unshare");
    (output, since.elapsed())
}

#[test]
fn an_lvm_that_hangs_is_unknown_within_the_limit_and_says_what_was_not_seen() {
    for (lvm, limit) in [(DEAF, 1), (DEAF, 3), (CHILD, 3), (HALF, 3)] {
        let (output, took) = check(lvm, &["-t", &limit.to_string()]);
        let line = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(3), "{line}");
        assert!(line.starts_with("THINSCOPE UNKNOWN: "), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        assert!(line.contains("lvm"), "it names what hung: {line}");
        let most = Duration::from_secs(limit) + MARGIN;
        assert!(took < most, "{took:?} of {most:?}: {line}");
        // LVM was waited for: it is what was not seen, and not something else
        assert!(took > Duration::from_secs(limit) / 3, "{took:?}: {line}");
    }
}

#[test]
fn a_second_call_of_lvm_s_does_not_outlast_the_limit() {
    // the first is given up after ten seconds, and the second would take six
    let (output, took) = check(DEAF, &["-t", "16"]);
    let line = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{line}");
    assert!(took > Duration::from_secs(10), "{took:?}: {line}");
    assert!(line.contains("lvm"), "the rest was seen: {line}");
    assert!(took < Duration::from_secs(16), "{took:?}: {line}");
}

#[test]
fn more_is_said_of_what_hung_where_more_is_asked_for() {
    let (output, _) = check(DEAF, &["-t", "3", "-vv"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains(" to the lvm fullreport; LVM may wait for"), "{text}");
}

#[test]
fn what_hung_is_not_left_behind() {
    // its own sleeping time is its name: nothing else on this machine sleeps so long
    let own = format!("{}.25", 100_000 + std::process::id());
    let lvm = format!("#!/bin/sh\nsleep {own} &\nwait\n");
    let (output, _) = check(&lvm, &["-t", "1"]);
    assert_eq!(output.status.code(), Some(3));
    let running = || {
        fs::read_dir("/proc").expect("Linux has it").flatten().any(|entry| {
            let line = fs::read(entry.path().join("cmdline")).unwrap_or_default();
            line.ends_with(format!("sleep\0{own}\0").as_bytes())
        })
    };
    let until = Instant::now() + Duration::from_secs(5);
    while running() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(!running(), "a child of the killed LVM still runs");
}
