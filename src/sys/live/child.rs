//! Starts the probe child, the program's own second self that may hang in its stead, and reads
//! what it prints.
//!
//! Everything that can block in the kernel happens in such a child. One that does not even die
//! when it is killed is left behind: its output is closed and nothing waits for it. Knows lines,
//! not what is in them.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use super::brood::Ends;

/// This program, also when its file was replaced or removed meanwhile.
pub const THIS_PROGRAM: &str = "/proc/self/exe";

/// What of its output is read at once.
const BUFFER: usize = 256 << 10;
/// How long a killed child is waited for before it is left behind.
const TO_DIE: Duration = Duration::from_millis(300);

/// A running child.
#[derive(Debug)]
pub struct ProbeChild {
    /// `None` for a member of a brood, which ends with it.
    child: Option<Child>,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    line: Vec<u8>,
    longest: u64,
}

/// A child that was killed and is still there: it waits in the kernel for a device.
#[derive(Debug)]
pub struct Stuck(Child);

impl Stuck {
    /// Whether it has ended by now.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl ProbeChild {
    /// Starts a program with an empty environment, in a process group of its own so that keys
    /// typed at the terminal do not reach it. No line longer than `longest` is taken from it.
    pub fn start<A: AsRef<OsStr>>(
        program: &Path,
        args: impl IntoIterator<Item = A>,
        longest: usize,
    ) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg0("thinscope")
            .args(args)
            .env_clear()
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("it has no output"))?;
        Ok(Self {
            stdin: child.stdin.take(),
            stdout: BufReader::with_capacity(BUFFER, stdout),
            child: Some(child),
            line: Vec::new(),
            longest: u64::try_from(longest).unwrap_or(u64::MAX),
        })
    }

    /// A member of a brood, by its pipes.
    pub fn member(ends: Ends, longest: usize) -> io::Result<Self> {
        let stdin = std::process::ChildStdin::from(OwnedFd::from(ends.output));
        let stdout = std::process::ChildStdout::from(OwnedFd::from(ends.input));
        Ok(Self {
            child: None,
            stdin: Some(ChildStdin::from_std(stdin)?),
            stdout: BufReader::with_capacity(BUFFER, ChildStdout::from_std(stdout)?),
            line: Vec::new(),
            longest: u64::try_from(longest).unwrap_or(u64::MAX),
        })
    }

    /// Tells it something, and that nothing more follows where this is the last. One that does not
    /// listen is noticed by its output.
    pub async fn tell(&mut self, text: &[u8], last: bool) {
        if let Some(stdin) = &mut self.stdin {
            let _ = stdin.write_all(text).await;
        }
        if last {
            self.stdin = None;
        }
    }

    /// The next whole line with its newline; `None` when it has ended or closed its output.
    pub async fn line(&mut self) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        let mut bounded = (&mut self.stdout).take(self.longest);
        bounded.read_until(b'\n', &mut self.line).await?;
        match self.line.last() {
            Some(b'\n') => Ok(Some(&self.line)),
            Some(_) if bounded.limit() == 0 => Err(io::Error::other("it prints lines without end")),
            _ => Ok(None),
        }
    }

    /// Gives back what the longest line took, until it is asked again.
    pub fn rest(&mut self) {
        self.line = Vec::new();
    }

    /// Kills it where it still runs, and waits a little; what does not die is handed back. A member
    /// of a brood loses its pipes.
    pub async fn end(self) -> Result<ExitStatus, Stuck> {
        let Some(mut child) = self.child else { return Ok(ExitStatus::default()) };
        // closed when it has ended: what it still prints is no error of its own
        let _pipes = (self.stdin, self.stdout);
        // it has closed its output, or its time is over
        if let Ok(Some(status)) = child.try_wait() {
            return Ok(status);
        }
        if let Ok(Ok(status)) = timeout(Duration::from_millis(20), child.wait()).await {
            return Ok(status);
        }
        let _ = child.start_kill();
        match timeout(TO_DIE, child.wait()).await {
            Ok(Ok(status)) => Ok(status),
            _ => Err(Stuck(child)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> ProbeChild {
        ProbeChild::start(Path::new("/bin/sh"), ["-c", script], 1000).expect("there is a shell")
    }

    #[tokio::test]
    async fn its_lines_come_whole_and_it_ends_when_it_is_told_no_more() {
        let mut child = sh("cat; printf cut");
        child.tell(b"one\n", false).await;
        assert_eq!(child.line().await.expect("read"), Some(&b"one\n"[..]));
        child.tell(b"two\n", true).await;
        assert_eq!(child.line().await.expect("read"), Some(&b"two\n"[..]));
        assert_eq!(child.line().await.expect("read"), None, "a line without newline is none");
        assert!(child.end().await.expect("it ended").success());
    }

    #[tokio::test]
    async fn one_that_hangs_is_killed() {
        let mut child = sh("echo begun; exec sleep 100");
        assert_eq!(child.line().await.expect("read"), Some(&b"begun\n"[..]));
        let status = child.end().await.expect("it dies");
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    }

    #[tokio::test]
    async fn a_line_without_end_is_an_error() {
        let mut child = sh("exec cat /dev/zero");
        assert!(child.line().await.is_err());
        assert!(child.end().await.is_ok());
    }
}
