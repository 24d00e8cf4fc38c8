//! The one writing effect of a look, and only where the user asked for it: a pool's metadata
//! snapshot, reserved and released by message.
//!
//! Done by a process of its own ([`WORD`]), in a session of its own: it holds the snapshot for as
//! long as whoever started it keeps its standard input open, so that the snapshot is released
//! however that one ends. [`Holder`] is the side that starts it. What may be reserved is judged by
//! who runs as that process; this knows messages and pipes.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use serde::{Deserialize, Serialize};

use super::child::THIS_PROGRAM;
use super::dm::Control;
use crate::ids::DevNo;
use crate::sys::HostPath;

/// The hidden sub-command of the process that holds.
pub const WORD: &str = "__reserve";
/// A line between the two is short.
const LONGEST: u64 = 64 << 10;

/// What the process is told: which pool, and where it may note down what it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The pool's device.
    pub pool: DevNo,
    /// Where thinscope keeps its own files.
    pub state: HostPath,
}

/// What it answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Said {
    /// The snapshot is reserved: its superblock's block.
    Held(u64),
    /// Nothing was done, for this reason.
    Refused(String),
    /// It was released.
    Released,
    /// It could not be released, for this reason.
    Stays(String),
}

/// Reserves a pool's metadata snapshot.
pub fn reserve(pool: DevNo) -> Result<(), String> {
    send(pool, "reserve_metadata_snap").map_err(|errno| match errno {
        Errno::EBUSY => "somebody else has just reserved one".to_owned(),
        other => format!("the kernel refused to reserve it: {}", other.desc()),
    })
}

/// Releases it.
pub fn release(pool: DevNo) -> Result<(), String> {
    send(pool, "release_metadata_snap")
        .map_err(|errno| format!("the kernel refused to release it: {}", errno.desc()))
}

fn send(pool: DevNo, words: &str) -> Result<(), Errno> {
    Control::default().message(pool, words)
}

/// Leaves the session of who started this, and keeps every signal that can be kept from ending it
/// before it has released.
pub fn stand_alone() {
    // the leader of a session already: then nobody's signals reach it either
    let _ = nix::unistd::setsid();
    let all = [
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGTERM,
        Signal::SIGTSTP,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
        Signal::SIGALRM,
    ];
    // these may be blocked in every process
    let _ = all.into_iter().collect::<SigSet>().thread_block();
}

/// The order on standard input.
pub fn read_order() -> Option<Order> {
    let mut line = String::new();
    // standard input's own buffer keeps what follows, which nothing does
    Read::take(io::stdin().lock(), LONGEST).read_line(&mut line).ok()?;
    serde_json::from_str(&line).ok()
}

/// Tells who started this; one that is gone hears nothing.
pub fn tell(said: &Said) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{}", serde_json::to_string(said).unwrap_or_default());
    let _ = out.flush();
}

/// Returns when who started this has let go, or is gone.
pub fn wait_until_let_go() {
    let mut rest = [0; 64];
    while matches!(Read::read(&mut io::stdin().lock(), &mut rest), Ok(1..)) {}
}

/// Runs this program with other words beside this process and hands back what it printed. Past its
/// time it is left behind: it may be stuck in the kernel.
pub fn beside(words: &[&OsStr], patience: Duration) -> Result<String, String> {
    let until = Instant::now() + patience;
    let mut child = Command::new(THIS_PROGRAM)
        .arg0("thinscope")
        .args(words)
        .env_clear()
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    while child.try_wait().map_err(|error| error.to_string())?.is_none() {
        if Instant::now() >= until {
            return Err("the kernel does not answer in time".to_owned());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut said = String::new();
    if let Some(stdout) = child.stdout.take() {
        Read::take(stdout, LONGEST).read_to_string(&mut said).map_err(|e| e.to_string())?;
    }
    Ok(said)
}

/// The process that holds a snapshot. Dropped, it lets go of it.
#[derive(Debug)]
pub struct Holder {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    root: u64,
}

impl Holder {
    /// Has a snapshot reserved.
    pub fn start(order: &Order) -> Result<Self, String> {
        let failed = |error: io::Error| format!("the process that reserves did not start: {error}");
        let mut child = Command::new(THIS_PROGRAM)
            .arg0("thinscope")
            .arg(WORD)
            .env_clear()
            .env("LC_ALL", "C")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let stdout = stdout.ok_or_else(|| failed(io::Error::other("it has no output")))?;
        let mut holder = Self { child, stdin, stdout: BufReader::new(stdout), root: 0 };
        let order = format!("{}\n", serde_json::to_string(order).unwrap_or_default());
        if let Some(stdin) = &mut holder.stdin {
            stdin.write_all(order.as_bytes()).map_err(failed)?;
        }
        match holder.said() {
            Some(Said::Held(root)) => Ok(Self { root, ..holder }),
            Some(Said::Refused(why)) => Err(why),
            _ => Err("the process that reserves ended without a word".to_owned()),
        }
    }

    /// The block of the snapshot's superblock.
    pub const fn root(&self) -> u64 {
        self.root
    }

    /// Lets go, and waits until it is released.
    pub fn release(mut self) -> Result<(), String> {
        self.stdin = None;
        let said = self.said();
        // it has said all, and ends
        let _ = self.child.wait();
        match said {
            Some(Said::Released) => Ok(()),
            Some(Said::Stays(why)) => Err(why),
            _ => Err("the process that held it ended without a word".to_owned()),
        }
    }

    fn said(&mut self) -> Option<Said> {
        let mut line = String::new();
        Read::take(&mut self.stdout, LONGEST).read_line(&mut line).ok()?;
        serde_json::from_str(&line).ok()
    }
}
