//! The person's terminal: taken over, given back on every way out, its size, its clipboard.
//!
//! Knows terminals and nothing of what is drawn.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{self, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, execute};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{FlushArg, tcflush};
use nix::unistd::Pid;
use ratatui::layout::Size;

/// Whether the terminal is ours now: it is given back once, by whoever comes first.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Terminals take only so much through OSC 52 (xterm: 100,000 bytes); more is not sent at all.
const CLIPBOARD_MOST: usize = 74_000;

/// Takes the terminal over: raw, alternate screen, pastes told from keys, no cursor, no mouse.
pub fn enter() -> io::Result<()> {
    terminal::enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)
}

/// Gives the terminal back. May be called at any time, from a panic hook too, and more than once.
pub fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        // a terminal that is gone cannot be told anything; the modes are worth a try all the same
        let _ = execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, cursor::Show);
        let _ = terminal::disable_raw_mode();
    }
}

/// The size as the kernel knows it; 0×0, as on a serial line, where it does not.
pub(crate) fn size() -> Size {
    // `terminal::size` would start `tput` where the kernel knows nothing
    terminal::window_size().map_or(Size::ZERO, |size| Size::new(size.columns, size.rows))
}

/// Gives the terminal to the shell and stops, with everything that was started along with us;
/// comes back when the shell continues the job.
pub(crate) fn stop_for_shell() -> io::Result<()> {
    restore();
    // the whole group, as the terminal itself would: a script that started us must stop too
    kill(Pid::from_raw(0), Signal::SIGTSTP)?;
    // another thread may be the one that takes the signal; the stop comes within this nap
    std::thread::sleep(Duration::from_millis(20));
    enter()
}

/// Takes the terminal over again after somebody else may have had it.
pub(crate) fn enter_again() -> io::Result<()> {
    restore();
    enter()
}

/// Throws away what was typed and not read yet.
pub(crate) fn forget_keys() {
    // where standard input is no terminal there is nothing of the kind
    let _ = tcflush(io::stdin(), FlushArg::TCIFLUSH);
}

/// Asks the terminal to put a text on the clipboard (OSC 52). Terminals that do not know it, or
/// do not allow it, ignore it.
pub(crate) fn copy(text: &str) -> io::Result<()> {
    if text.len() > CLIPBOARD_MOST {
        return Ok(());
    }
    let mut out = io::stdout();
    write!(out, "\x1b]52;c;{}\x07", STANDARD.encode(text))?;
    out.flush()
}
