//! Finds tools, and runs those that only look, bounded in time and in what it may print.
//!
//! The program by absolute path, an empty environment, no open descriptors, its own process
//! group. Past its limit the whole group is killed; one that does not even die then (it waits in
//! the kernel) is left behind. Knows nothing of what a tool prints.

use std::fs;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::ioctl;
use crate::command::{CommandSpec, Tool};
use crate::sys::{FailKind, Failure, Raw, RunOutput};

/// Where tools are looked for; never `$PATH`, which whoever called us may have set.
pub const SEARCH: [&str; 4] = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

const MOST_STDOUT: usize = 64 << 20;
const MOST_STDERR: usize = 1 << 20;

/// How long a killed tool is waited for.
const TO_DIE: Duration = Duration::from_millis(500);
/// How often an ended tool is noticed whose output somebody else still holds open.
const TURN: Duration = Duration::from_millis(50);

/// Process group of the tool that runs now, 0 for none. A process runs one at a time.
static RUNNING: AtomicI32 = AtomicI32::new(0);

/// Kills the tool that runs now, for a process that is about to end.
pub fn kill_running_tool() {
    let group = RUNNING.load(Ordering::SeqCst);
    if group > 0 {
        let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
    }
}

/// Takes note of a tool that did not die in time, and takes leave of those that have died since: a
/// process that stays would keep each of them as a zombie.
fn left_behind(tool: Option<u32>) {
    static LEFT: Mutex<Vec<Pid>> = Mutex::new(Vec::new());
    let mut left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
    left.extend(tool.and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw));
    let lives = |pid: &Pid| waitpid(*pid, Some(WaitPidFlag::WNOHANG)) == Ok(WaitStatus::StillAlive);
    left.retain(lives);
}

/// The folders that tools are run from.
#[derive(Debug)]
pub(super) struct Tools {
    search: Vec<PathBuf>,
}

impl Default for Tools {
    fn default() -> Self {
        Self { search: SEARCH.iter().map(PathBuf::from).collect() }
    }
}

impl Tools {
    /// Runs one call to its end or to its limit.
    pub(super) fn run(&self, call: &CommandSpec) -> Result<RunOutput, Failure> {
        let name = call.tool.program();
        let path = self.find(name).ok_or_else(|| not_installed(name, &self.search))?;
        let until = Instant::now() + call.limit;
        let mut running = Running::start(&path, call).map_err(|error| not_run(&path, &error))?;
        let collected = running.collect(until);
        if collected.is_err() {
            running.kill();
        }
        RUNNING.store(0, Ordering::SeqCst);
        collected.map_err(|trouble| trouble.into_failure(call))
    }

    /// A tool that only needs its arguments and its outputs; the failure says where it is not.
    pub(super) fn prepare(&self, tool: Tool) -> Result<Command, Failure> {
        let name = tool.program();
        let path = self.find(name).ok_or_else(|| not_installed(name, &self.search))?;
        Ok(prepared(&path))
    }

    fn find(&self, name: &str) -> Option<PathBuf> {
        let paths = self.search.iter().map(|dir| dir.join(name));
        paths.into_iter().find(|path| fs::metadata(path).is_ok_and(|seen| seen.is_file()))
    }
}

/// A program with what every tool gets: a clean environment, no input, no descriptors of ours.
fn prepared(path: &Path) -> Command {
    close_inherited();
    let mut command = Command::new(path);
    command
        .env_clear()
        .env("LC_ALL", "C")
        .env("LVM_SUPPRESS_FD_WARNINGS", "1")
        .env("PATH", SEARCH.join(":"))
        .current_dir("/")
        .stdin(Stdio::null());
    command
}

/// Marks every descriptor that this process was started with, beside the first three, so that no
/// tool inherits it (LVM complains of each).
pub(super) fn close_inherited() {
    let Ok(open) = fs::read_dir("/proc/self/fd") else { return };
    let numbers = open.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    // collected first: marking while listing would mark the listing, and nothing is lost by it
    let numbers: Vec<i32> = numbers.filter(|number| *number > 2).collect();
    numbers.into_iter().for_each(ioctl::close_on_exec);
}

/// One started tool.
struct Running {
    child: Child,
    stdout: Stream,
    stderr: Stream,
}

enum Trouble {
    TimedOut,
    TooMuch,
    System(io::Error),
}

impl Running {
    fn start(path: &Path, call: &CommandSpec) -> io::Result<Self> {
        left_behind(None);
        let mut child = prepared(path)
            .args(&call.args)
            .args(&call.scope)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()?;
        RUNNING.store(i32::try_from(child.id()).unwrap_or(0), Ordering::SeqCst);
        let stdout = Stream::new(child.stdout.take(), MOST_STDOUT)?;
        let stderr = Stream::new(child.stderr.take(), MOST_STDERR)?;
        Ok(Self { child, stdout, stderr })
    }

    fn collect(&mut self, until: Instant) -> Result<RunOutput, Trouble> {
        let mut ended = None;
        loop {
            let left = until.checked_duration_since(Instant::now()).ok_or(Trouble::TimedOut)?;
            let heard = self.listen(left.min(TURN)).map_err(Trouble::System)?;
            if self.stdout.over {
                return Err(Trouble::TooMuch);
            }
            if ended.is_none() {
                ended = self.child.try_wait().map_err(Trouble::System)?;
            }
            let silent = self.stdout.is_closed() && self.stderr.is_closed();
            if let Some(status) = ended
                && (silent || !heard)
            {
                return Ok(RunOutput {
                    exit: status.code().or_else(|| status.signal().and(None)),
                    stdout: Raw(std::mem::take(&mut self.stdout.bytes)),
                    stderr: Raw(std::mem::take(&mut self.stderr.bytes)),
                });
            }
        }
    }

    /// Waits for output and takes it; whether there was any.
    fn listen(&mut self, at_most: Duration) -> io::Result<bool> {
        let open: Vec<_> = [&self.stdout, &self.stderr]
            .into_iter()
            .filter_map(|stream| stream.pipe.as_ref())
            .collect();
        if open.is_empty() {
            std::thread::sleep(at_most.min(Duration::from_millis(2)));
            return Ok(false);
        }
        let mut waited: Vec<_> =
            open.iter().map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN)).collect();
        match poll(&mut waited, PollTimeout::try_from(at_most).unwrap_or(PollTimeout::MAX)) {
            // a signal (a child's end, a debugger) is no answer and no error
            Err(Errno::EINTR) | Ok(_) => {}
            Err(errno) => return Err(errno.into()),
        }
        Ok(self.stdout.take()? | self.stderr.take()?)
    }

    fn kill(&mut self) {
        if let Ok(pid) = i32::try_from(self.child.id()) {
            let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
        }
        let until = Instant::now() + TO_DIE;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        left_behind(Some(self.child.id()));
    }
}

impl Trouble {
    fn into_failure(self, call: &CommandSpec) -> Failure {
        let what = format!("`{} {}`", call.tool.program(), call.args.join(" "));
        let seconds = call.limit.as_secs_f32();
        let (kind, why) = match self {
            Self::TimedOut => (
                FailKind::TimedOut,
                format!("{what} gave no answer within {seconds} s and was killed"),
            ),
            Self::TooMuch => (
                FailKind::TooLarge,
                format!("{what} printed more than {} MiB and was killed", MOST_STDOUT >> 20),
            ),
            Self::System(error) => (FailKind::Other, format!("{what} was lost: {error}")),
        };
        Failure { kind, why }
    }
}

/// One output of a tool, read without waiting.
struct Stream {
    pipe: Option<Box<dyn Pipe>>,
    bytes: Vec<u8>,
    most: usize,
    /// More came than is kept; the rest is read and dropped.
    over: bool,
}

trait Pipe: Read + AsFd {}
impl<T: Read + AsFd> Pipe for T {}

impl Stream {
    fn new(pipe: Option<impl Pipe + 'static>, most: usize) -> io::Result<Self> {
        if let Some(pipe) = &pipe {
            let flags = OFlag::from_bits_retain(fcntl(pipe.as_fd(), FcntlArg::F_GETFL)?);
            fcntl(pipe.as_fd(), FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        }
        let pipe = pipe.map(|pipe| Box::new(pipe) as Box<dyn Pipe>);
        Ok(Self { pipe, bytes: Vec::new(), most, over: false })
    }

    fn is_closed(&self) -> bool {
        self.pipe.is_none()
    }

    /// Takes what is there; whether it was anything.
    fn take(&mut self) -> io::Result<bool> {
        let mut chunk = [0; 16 << 10];
        let Some(pipe) = &mut self.pipe else { return Ok(false) };
        match pipe.read(&mut chunk) {
            Ok(0) => {
                self.pipe = None;
                Ok(true)
            }
            Ok(length) => {
                let room = self.most.saturating_sub(self.bytes.len());
                let fresh = chunk.get(..length.min(room)).unwrap_or(&[]);
                self.bytes.extend_from_slice(fresh);
                self.over |= length > room;
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error),
        }
    }
}

fn not_installed(name: &str, search: &[PathBuf]) -> Failure {
    let dirs: Vec<_> = search.iter().map(|dir| dir.display().to_string()).collect();
    let why = format!("`{name}` is not installed (looked in {})", dirs.join(", "));
    Failure { kind: FailKind::NotFound, why }
}

fn not_run(path: &Path, error: &io::Error) -> Failure {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied => FailKind::Denied,
        _ => FailKind::Other,
    };
    Failure { kind, why: format!("{} cannot be run: {error}", path.display()) }
}

#[cfg(test)]
mod tests;
