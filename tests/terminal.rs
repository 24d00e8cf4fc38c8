//! The real program in a pseudo-terminal: it opens, it can be left in every way, and the terminal
//! is given back each time.

#[path = "common/pty.rs"]
#[allow(dead_code, reason = "shared with the benchmarks")]
mod pty;

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use pty::{Screen, Start};

const LONG: Duration = Duration::from_secs(30);

/// The alternate screen, and the way back from it (xterm's `?1049`).
const OPENED: &str = "\x1b[?1049h";
const LEFT: &str = "\x1b[?1049l";

fn in_a_terminal(args: &[&str], size: (u16, u16)) -> Screen {
    let env = [("TERM", "xterm-256color"), ("LC_ALL", "C.UTF-8")];
    let program = env!("CARGO_BIN_EXE_thinscope");
    Screen::start(Start { program, args, env: &env, size }).expect("a terminal can be had")
}

/// The program on a recording of this machine.
fn start(folder: &tempfile::TempDir, size: (u16, u16)) -> Screen {
    let file = folder.path().join("host");
    let file = file.to_str().expect("an ASCII name");
    let program = env!("CARGO_BIN_EXE_thinscope");
    let recorded = std::process::Command::new(program).args(["capture", "-o", file]).output();
    assert!(recorded.expect("the program was built").status.success());
    let mut screen = in_a_terminal(&["--from", file], size);
    screen.wait_for(OPENED, LONG).expect("the screen opens");
    screen
}

/// The same, drawn.
fn open(folder: &tempfile::TempDir) -> Screen {
    let mut screen = start(folder, (24, 80));
    screen.wait_for("quit", LONG).expect("the key bar is drawn");
    screen
}

/// How it ended, and whether the last thing that the terminal was told is to be as before.
fn ending(screen: &mut Screen) -> Option<i32> {
    let status = screen.wait_for_end(LONG).expect("it ends");
    let seen = screen.seen();
    let seen = String::from_utf8_lossy(seen);
    let last = |part: &str| seen.rfind(part);
    assert!(last(LEFT) > last(OPENED), "the alternate screen is left");
    assert!(last("\x1b[?25h") > last("\x1b[?25l"), "the cursor is shown again");
    status.code()
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

#[test]
fn q_leaves_with_0_and_gives_the_terminal_back() {
    let folder = folder();
    let mut screen = open(&folder);
    screen.press("q").expect("it reads keys");
    assert_eq!(ending(&mut screen), Some(0));
}

#[test]
fn sigterm_and_sighup_end_it_with_5_and_give_the_terminal_back() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
        let folder = folder();
        let mut screen = open(&folder);
        let pid = i32::try_from(screen.pid()).expect("process ids are small");
        kill(Pid::from_raw(pid), signal).expect("it is ours");
        assert_eq!(ending(&mut screen), Some(5), "{signal}");
    }
}

#[test]
fn a_tiny_terminal_and_one_of_no_size_are_no_reason_to_fail() {
    for size in [(1, 1), (15, 60), (0, 0)] {
        let folder = folder();
        let mut screen = start(&folder, size);
        screen.press("q").expect("it reads keys");
        assert_eq!(ending(&mut screen), Some(0), "{size:?}");
    }
}

#[test]
fn what_cannot_be_opened_leaves_the_terminal_alone_and_says_why() {
    let mut screen = in_a_terminal(&["--from", "/no/such/file"], (24, 80));
    let status = screen.wait_for_end(LONG).expect("it ends");
    assert_eq!(status.code(), Some(3));
    let seen = String::from_utf8_lossy(screen.seen()).into_owned();
    assert!(seen.contains("/no/such/file") && !seen.contains("\u{1b}[?1049h"), "{seen:?}");
}
