//! The real program in a pseudo-terminal of its own, its output read as bytes.

use std::fs::File;
use std::io::{self, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};

/// A running program and its terminal.
pub(crate) struct Screen {
    child: Child,
    keys: File,
    output: Receiver<Vec<u8>>,
    seen: Vec<u8>,
    started: Instant,
}

impl Screen {
    /// Starts a program in a terminal of that size. It is no shell's job, so it cannot be stopped
    /// with ctrl-z.
    pub(crate) fn start(
        program: &str,
        args: &[&str],
        (rows, columns): (u16, u16),
    ) -> io::Result<Self> {
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let terminal = openpty(Some(&size), None)?;
        let slave = File::from(terminal.slave);
        let started = Instant::now();
        let child = Command::new(program)
            .args(args)
            .env("TERM", "xterm-256color")
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::from(slave.try_clone()?))
            .stdout(Stdio::from(slave.try_clone()?))
            .stderr(Stdio::from(slave))
            .spawn()?;
        let keys = File::from(terminal.master);
        let mut master = keys.try_clone()?;
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 1 << 16];
            // the kernel ends a terminal that nobody has open any more with an error
            while let Ok(length @ 1..) = master.read(&mut buffer) {
                if sender.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, keys, output, seen: Vec::new(), started })
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// All output so far.
    pub(crate) fn seen(&self) -> &[u8] {
        &self.seen
    }

    /// Waits until the output holds these bytes, and tells how long after the start that was.
    pub(crate) fn wait_for(&mut self, bytes: &[u8], limit: Duration) -> io::Result<Duration> {
        let until = Instant::now() + limit;
        while !self.seen.windows(bytes.len()).any(|window| window == bytes) {
            match self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(more) => self.seen.extend(more),
                Err(error) => return Err(self.missed(bytes, error)),
            }
        }
        Ok(self.started.elapsed())
    }

    fn missed(&self, bytes: &[u8], error: RecvTimeoutError) -> io::Error {
        let wanted = String::from_utf8_lossy(bytes).into_owned();
        let why = match error {
            RecvTimeoutError::Timeout => "in time",
            RecvTimeoutError::Disconnected => "before the program ended",
        };
        let seen = String::from_utf8_lossy(&self.seen).into_owned();
        io::Error::other(format!("{wanted:?} was not seen {why}; seen was {seen:?}"))
    }

    /// Presses keys.
    pub(crate) fn press(&mut self, keys: &str) -> io::Result<()> {
        self.keys.write_all(keys.as_bytes())
    }

    /// Waits for the end; a program that is still there after the limit is killed and an error.
    pub(crate) fn wait_for_end(&mut self, limit: Duration) -> io::Result<std::process::ExitStatus> {
        let until = Instant::now() + limit;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(more) => self.seen.extend(more),
                // closed: the program is ending, or has
                Err(RecvTimeoutError::Disconnected) => return self.child.wait(),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(io::Error::other("the program did not end in time"));
                }
            }
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
