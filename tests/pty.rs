//! The real binary in a real terminal: taken over, given back, resized, stopped, hung up.
//!
//! What is drawn is seen through tmux, a terminal with a mind of its own; what is sent is seen as
//! bytes, through a bare pseudo-terminal.

#[path = "common/all.rs"]
mod common;
#[path = "common/meta_writer.rs"]
mod meta_writer;
#[path = "pty/tmux.rs"]
mod tmux;

use std::io;
use std::process::ExitStatus;
use std::sync::LazyLock;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use common::keys::random_keys;
use common::pty::{Screen, Start};
use tmux::{LIMIT, Terminal};

const THINSCOPE: &str = env!("CARGO_BIN_EXE_thinscope");
const POOL: &str = "thinpool";
const UTF8: [(&str, &str); 2] = [("TERM", "xterm-256color"), ("LC_ALL", "C.UTF-8")];

/// A recorded host with a pool and sixty thin devices.
static RECORDING: LazyLock<(TempDir, String)> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a temporary folder can be made");
    let file = dir.path().join("host.capture");
    let host = common::synthetic::Synthetic::new(60);
    let bytes = common::record::record(&host).expect("a host in memory can be recorded");
    std::fs::write(&file, bytes).expect("the temporary folder takes a file");
    let file = file.to_str().expect("a temporary folder has a plain name").to_owned();
    (dir, file)
});

fn recording() -> &'static str {
    &RECORDING.1
}

fn command() -> String {
    format!("{THINSCOPE} --from {}", recording())
}

/// The screen on the recorded host, its pool drawn.
fn screen(env: &[(&str, &str)], size: (u16, u16)) -> io::Result<Screen> {
    let args = ["--from", recording()];
    let mut screen = Screen::start(Start { program: THINSCOPE, args: &args, env, size })?;
    screen.wait_for(POOL, LIMIT)?;
    Ok(screen)
}

fn leave(screen: &mut Screen) -> io::Result<ExitStatus> {
    screen.press("q")?;
    screen.wait_for_end(LIMIT)
}

fn holds(bytes: &[u8], part: &str) -> bool {
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}

/// Numbers of every escape sequence that sets how text looks.
fn looks(bytes: &[u8]) -> Vec<u32> {
    let text = String::from_utf8_lossy(bytes);
    let sequences = text.split("\x1b[").skip(1).filter_map(|rest| {
        let (numbers, _) = rest.split_once('m')?;
        numbers.bytes().all(|byte| byte.is_ascii_digit() || byte == b';').then_some(numbers)
    });
    sequences.flat_map(|numbers| numbers.split(';')).filter_map(|one| one.parse().ok()).collect()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "a predicate over an iterator of numbers")]
fn is_colour(look: &u32) -> bool {
    matches!(*look, 30..=38 | 40..=48 | 90..=97 | 100..=107)
}

#[test]
fn q_ends_it_with_0_and_gives_everything_back() -> io::Result<()> {
    let mut screen = screen(&UTF8, (24, 80))?;
    assert!(leave(&mut screen)?.success());
    let seen = screen.seen();
    for (taken, given_back) in
        [("\x1b[?1049h", "\x1b[?1049l"), ("\x1b[?25l", "\x1b[?25h"), ("\x1b[?2004h", "\x1b[?2004l")]
    {
        assert!(holds(seen, taken), "{taken:?} was sent");
        let last = |part: &str| String::from_utf8_lossy(seen).rfind(part);
        assert!(last(given_back) > last(taken), "{given_back:?} came after {taken:?}");
    }
    Ok(())
}

#[test]
fn it_opens_on_a_saved_metadata_image_and_claims_nothing_of_a_host() -> io::Result<()> {
    let mut pool = meta_writer::Pool::new(1000, 252);
    pool.create(7);
    (0..32).for_each(|block| pool.write(7, block));
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("saved-tmeta");
    std::fs::write(&file, pool.image(40))?;
    let file = file.to_str().expect("a temporary folder has a plain name");
    let terminal = Terminal::start(120, 40)?;
    terminal.enter(&format!("{THINSCOPE} --metadata {file}"))?;
    let shown = terminal.wait_for("device 7")?;
    for expected in ["64.0 KiB blocks", "2.0M", "status not seen: only its metadata is", "1 pool"] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    assert!(!shown.contains("warning") && !shown.contains("inactive"), "{shown}");
    terminal.press("q")
}

#[test]
fn what_stood_in_the_terminal_stands_there_again() -> io::Result<()> {
    let terminal = Terminal::start(80, 24)?;
    terminal.enter("echo as it was")?;
    terminal.enter(&format!("{}; echo ended with $?", command()))?;
    terminal.wait_for("? help")?;
    assert!(terminal.is_taken()?);
    terminal.press("q")?;
    let shown = terminal.wait_for("ended with 0")?;
    assert!(shown.contains("as it was"), "{shown}");
    assert!(!shown.contains("? help"), "{shown}");
    assert!(!terminal.is_taken()?);
    // the shell gets its keys and its echo again
    terminal.enter("echo $((6 * 7))")?;
    terminal.wait_for("\n42\n").map(drop)
}

#[test]
fn a_signal_ends_it_and_gives_the_terminal_back() -> io::Result<()> {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let mut screen = screen(&UTF8, (24, 80))?;
        let pid = i32::try_from(screen.pid()).expect("a process id of Linux is small");
        kill(Pid::from_raw(pid), signal)?;
        screen.wait_for_end(LIMIT)?;
        assert!(holds(screen.seen(), "\x1b[?1049l"), "{signal}: the alternate screen is left");
        assert!(holds(screen.seen(), "\x1b[?25h"), "{signal}: the cursor is shown");
    }
    Ok(())
}

#[test]
fn a_lost_connection_ends_it_in_order_whatever_cannot_be_said_any_more() -> io::Result<()> {
    let mut screen = screen(&UTF8, (24, 80))?;
    screen.hang_up();
    // stopped, as by a signal: one that aborts would leave a step of a plan in doubt
    assert_eq!(screen.wait_for_end(LIMIT)?.code(), Some(5));
    Ok(())
}

#[test]
fn ctrl_c_leaves_like_q() -> io::Result<()> {
    let mut screen = screen(&UTF8, (24, 80))?;
    screen.press("\x03")?;
    assert!(screen.wait_for_end(LIMIT)?.success());
    Ok(())
}

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_comes_back() -> io::Result<()> {
    let terminal = Terminal::start(80, 24)?;
    terminal.enter(&command())?;
    terminal.wait_for("? help")?;
    for _ in 0..2 {
        terminal.press("C-z")?;
        terminal.wait_until("the shell", |shown| shown.contains("Stopped"))?;
        assert!(!terminal.is_taken()?);
        terminal.enter("clear; echo shell $((6 * 7))")?;
        terminal.wait_for("shell 42")?;
        terminal.enter("fg")?;
        terminal.wait_for("? help")?;
        assert!(terminal.is_taken()?);
    }
    terminal.press("q")?;
    terminal.wait_until("the shell", |shown| !shown.contains("? help"))?;
    Ok(())
}

#[test]
fn every_size_is_filled_and_a_tiny_one_says_so() -> io::Result<()> {
    let terminal = Terminal::start(80, 24)?;
    terminal.enter(&command())?;
    for (columns, rows) in [(80, 24), (120, 40), (60, 15), (200, 60), (80, 24)] {
        terminal.resize(columns, rows)?;
        let what = format!("a screen of {columns}x{rows}");
        terminal.wait_until(&what, |shown| {
            let lines: Vec<&str> = shown.lines().collect();
            let bar = lines.get(usize::from(rows) - 1).copied().unwrap_or_default();
            lines.first().is_some_and(|line| line.contains("thinscope"))
                && bar.contains("? help")
                && bar.contains("q quit")
                && shown.contains(POOL)
        })?;
    }
    terminal.resize(40, 10)?;
    let shown = terminal.wait_until("one line that says so", |shown| shown.contains("60"))?;
    assert!(!shown.contains(POOL), "{shown}");
    terminal.resize(80, 24)?;
    terminal.wait_for("? help")?;
    Ok(())
}

#[test]
fn a_terminal_of_no_size_is_taken_for_80_by_24() -> io::Result<()> {
    let terminal = Terminal::start(80, 24)?;
    terminal.enter(&format!("stty rows 0 columns 0; {}", command()))?;
    let shown = terminal.wait_for("? help")?;
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].contains("thinscope") && lines[23].contains("q quit"), "{shown}");
    terminal.press("q")?;
    terminal.wait_until("the shell", |shown| !shown.contains("? help"))?;
    Ok(())
}

#[test]
fn the_mouse_is_the_terminal_s_own() -> io::Result<()> {
    let mut screen = screen(&UTF8, (40, 120))?;
    leave(&mut screen)?;
    for mode in ["1000", "1001", "1002", "1003", "1005", "1006", "1015"] {
        assert!(!holds(screen.seen(), &format!("\x1b[?{mode}h")), "mode {mode}");
    }
    Ok(())
}

#[test]
fn no_color_means_none_and_otherwise_there_is_some() -> io::Result<()> {
    let mut plain = screen(&[UTF8[0], UTF8[1], ("NO_COLOR", "1")], (40, 120))?;
    leave(&mut plain)?;
    let coloured: Vec<u32> = looks(plain.seen()).into_iter().filter(is_colour).collect();
    assert!(coloured.is_empty(), "{coloured:?}");
    let mut colour = screen(&UTF8, (40, 120))?;
    leave(&mut colour)?;
    assert!(looks(colour.seen()).iter().any(is_colour));
    Ok(())
}

#[test]
fn only_ascii_is_sent_where_more_cannot_be_drawn() -> io::Result<()> {
    for env in [
        [("TERM", "dumb"), ("LC_ALL", "C.UTF-8")],
        [("TERM", "linux"), ("LC_ALL", "C.UTF-8")],
        [("TERM", "vt100"), ("LC_ALL", "C.UTF-8")],
        [("TERM", "xterm"), ("LC_ALL", "C")],
    ] {
        let mut screen = screen(&env, (40, 120))?;
        leave(&mut screen)?;
        assert!(screen.seen().is_ascii(), "{env:?}");
    }
    let mut unicode = screen(&UTF8, (40, 120))?;
    leave(&mut unicode)?;
    assert!(!unicode.seen().is_ascii());
    Ok(())
}

#[test]
fn no_keys_at_all_hang_it_or_end_it_badly() -> io::Result<()> {
    for seed in 0..4 {
        let mut running = screen(&UTF8, (24, 80))?;
        for burst in random_keys(seed).chunks(50) {
            running.press(&burst.concat())?;
            // out of whatever was opened, then a whole new frame
            running.press("\x1b\x1b")?;
            running.forget();
            running.press("\x0c")?;
            if let Err(error) = running.wait_for("thinscope", LIMIT) {
                // leaving is one of the actions that the palette runs
                let status = running.wait_for_end(LIMIT)?;
                assert!(status.success(), "seed {seed}, {burst:?}: {status}, {error}");
                running = screen(&UTF8, (24, 80))?;
            }
        }
        assert_eq!(leave(&mut running)?.code(), Some(0), "seed {seed}");
    }
    Ok(())
}

#[test]
fn a_wizard_on_a_recorded_host_rehearses_in_a_real_terminal_and_runs_nothing() -> io::Result<()> {
    let state = tempfile::tempdir()?;
    let terminal = Terminal::start(100, 30)?;
    let folder = state.path().join("state");
    let ended = "echo over-$((1+1))";
    terminal.enter(&format!("{} --state-dir {}; {ended}", command(), folder.display()))?;
    terminal.wait_for(POOL)?;
    terminal.press(":")?;
    terminal.press("grow data")?;
    terminal.press("Enter")?;
    terminal.wait_for("nothing will run: this is a recorded host")?;
    terminal.press("C-u")?;
    terminal.press("+40M")?;
    terminal.press("Up")?;
    terminal.press("Enter")?;
    terminal.wait_for("Nothing runs: this is a recorded host. It can be rehearsed.")?;
    terminal.press("Tab")?;
    terminal.press("Enter")?;
    terminal.wait_for("rehearsed on predictions to its end; nothing was changed")?;
    terminal.press("q")?;
    terminal.wait_for("over-2")?;
    assert!(!folder.exists(), "a rehearsal keeps no journal");
    Ok(())
}
