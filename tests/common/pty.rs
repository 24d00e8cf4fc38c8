//! The real program in a pseudo-terminal of its own, its output read as bytes.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, openpty};

/// What a program is started with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start<'a> {
    /// The program.
    pub(crate) program: &'a str,
    /// Its arguments.
    pub(crate) args: &'a [&'a str],
    /// Its whole environment.
    pub(crate) env: &'a [(&'a str, &'a str)],
    /// Rows and columns of its terminal.
    pub(crate) size: (u16, u16),
}

/// A running program and its terminal.
pub(crate) struct Screen {
    child: Child,
    /// The other end of its terminal; `None` once that was hung up.
    terminal: Option<File>,
    seen: Vec<u8>,
    started: Instant,
}

impl Screen {
    /// Starts a program in a terminal that is its own: of its session, and the one that
    /// `/dev/tty` means there.
    pub(crate) fn start(start: Start<'_>) -> io::Result<Self> {
        let (ws_row, ws_col) = start.size;
        let size = Winsize { ws_row, ws_col, ws_xpixel: 0, ws_ypixel: 0 };
        let terminal = openpty(Some(&size), None)?;
        // a program that inherits the other end of its terminal never sees it hung up
        fcntl(&terminal.master, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
        let slave = File::from(terminal.slave);
        let started = Instant::now();
        // setsid replaces itself by the program, so the process is the program's
        let child = Command::new("/usr/bin/setsid")
            .args(["--ctty", start.program])
            .args(start.args)
            .env_clear()
            .envs(start.env.iter().copied())
            .stdin(Stdio::from(slave.try_clone()?))
            .stdout(Stdio::from(slave.try_clone()?))
            .stderr(Stdio::from(slave))
            .spawn()?;
        let terminal = Some(File::from(terminal.master));
        Ok(Self { child, terminal, seen: Vec::new(), started })
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All output so far.
    pub(crate) fn seen(&self) -> &[u8] {
        &self.seen
    }

    /// Forgets the output so far, so that what is waited for must come anew.
    pub(crate) fn forget(&mut self) {
        self.seen.clear();
    }

    /// Waits until the output holds this, and tells how long after the start that was.
    pub(crate) fn wait_for(&mut self, text: &str, limit: Duration) -> io::Result<Duration> {
        let until = Instant::now() + limit;
        let holds = |seen: &[u8]| seen.windows(text.len()).any(|part| part == text.as_bytes());
        while !holds(&self.seen) {
            match self.read(until) {
                Ok(true) => {}
                Ok(false) => return Err(self.missed(text, "before the program ended")),
                Err(_) => return Err(self.missed(text, "in time")),
            }
        }
        Ok(self.started.elapsed())
    }

    fn missed(&self, text: &str, when: &str) -> io::Error {
        let seen = String::from_utf8_lossy(&self.seen);
        io::Error::other(format!("{text:?} was not seen {when}; seen was {seen:?}"))
    }

    /// Takes what the program prints next; `false` when it has closed its terminal.
    fn read(&mut self, until: Instant) -> io::Result<bool> {
        let Some(terminal) = &mut self.terminal else { return Ok(false) };
        let left = until.saturating_duration_since(Instant::now());
        let left = PollTimeout::try_from(left).map_err(io::Error::other)?;
        let mut waiting = [PollFd::new(terminal.as_fd(), PollFlags::POLLIN)];
        if poll(&mut waiting, left)? == 0 {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let mut buffer = vec![0; 1 << 16];
        // the kernel ends a terminal that nobody has open any more with an error
        let length = terminal.read(&mut buffer).unwrap_or(0);
        self.seen.extend_from_slice(&buffer[..length]);
        Ok(length > 0)
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) -> io::Result<()> {
        match &mut self.terminal {
            Some(terminal) => terminal.write_all(keys.as_bytes()),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Closes the terminal, as a lost connection does.
    pub(crate) fn hang_up(&mut self) {
        self.terminal = None;
    }

    /// Waits for the end; a program that is still there after the limit is an error.
    pub(crate) fn wait_for_end(&mut self, limit: Duration) -> io::Result<ExitStatus> {
        let until = Instant::now() + limit;
        while self.terminal.is_some() && self.read(until)? {}
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status);
            }
            if Instant::now() >= until {
                return Err(io::Error::other("the program did not end in time"));
            }
            // its terminal is closed and tells nothing more: its end is all there is to look for
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // an error means that it has ended already
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
