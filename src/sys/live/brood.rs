//! One child for several sources: a copy of this process that was made before it had threads, with
//! one thread and one pair of pipes for each source.
//!
//! A look of a command is as quick as its processes are few: starting this program costs as much as
//! half of what it asks. A source that hangs holds up its own thread only, and its pipe is closed
//! at its limit; whoever reads it sees what it would see of a process. One that falls takes the
//! others with it, and they are asked anew, each in a process of its own. Knows pipes, not what
//! goes through them.

use std::fs::File;
use std::io::{PipeReader, PipeWriter, pipe};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, dup2_stderr, dup2_stdin, dup2_stdout, setpgid};

use super::ioctl;

/// How long the killed copy is waited for; one that hangs longer is left behind.
const TO_DIE: Duration = Duration::from_millis(300);
/// How often it is looked after meanwhile: it dies at once, as a rule.
const TURN: Duration = Duration::from_micros(200);

/// The ends of a member's pipes on one side.
#[derive(Debug)]
pub struct Ends {
    /// Where it reads.
    pub input: PipeReader,
    /// Where it writes.
    pub output: PipeWriter,
}

/// What a member does in the copy: reads what it is told from its pipe and answers.
trait Serve: Fn(&'static str, Ends) + Send + Sync + 'static {}
impl<F: Fn(&'static str, Ends) + Send + Sync + 'static> Serve for F {}

/// The copy, ended when this is dropped.
#[derive(Debug)]
pub struct Brood {
    pid: Pid,
    members: Vec<(&'static str, Ends)>,
}

impl Brood {
    /// A copy with a thread for each name, which waits until it is told something. `None` where this
    /// process has threads, for then a copy of it may wait for one that it has not, and where the
    /// system refuses.
    pub fn hatch(
        names: &[&'static str],
        serve: impl Fn(&'static str, Ends) + Send + Sync + 'static,
    ) -> Option<Self> {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for name in names {
            let ((input, told), (heard, output)) = (pipe().ok()?, pipe().ok()?);
            theirs.push((*name, Ends { input, output }));
            ours.push((*name, Ends { input: heard, output: told }));
        }
        let null = File::options().read(true).write(true).open("/dev/null").ok()?;
        let Some(pid) = ioctl::fork_alone().ok()? else {
            drop(ours);
            live(&null, theirs, serve)
        };
        Some(Self { pid, members: ours })
    }

    /// Lets go of those that will not be told anything.
    pub fn keep(&mut self, wanted: impl Fn(&str) -> bool) {
        self.members.retain(|(name, _)| wanted(name));
    }

    /// The pipes of one member, once.
    pub fn take(&mut self, name: &str) -> Option<Ends> {
        let at = self.members.iter().position(|(of, _)| *of == name)?;
        Some(self.members.swap_remove(at).1)
    }
}

impl Drop for Brood {
    fn drop(&mut self) {
        let _ = kill(self.pid, Signal::SIGKILL);
        let until = Instant::now() + TO_DIE;
        let lives = || waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) == Ok(WaitStatus::StillAlive);
        // one that hangs in the kernel dies when that lets it go
        while lives() && Instant::now() < until {
            thread::sleep(TURN);
        }
    }
}

/// The life of the copy. It has nothing of the terminal or of whoever reads the answer: a copy that
/// hangs would hold that open.
fn live(null: &File, members: Vec<(&'static str, Ends)>, serve: impl Serve) -> ! {
    let apart = setpgid(Pid::from_raw(0), Pid::from_raw(0))
        .and_then(|()| dup2_stdin(null))
        .and_then(|()| dup2_stdout(null))
        .and_then(|()| dup2_stderr(null));
    if apart.is_err() || std::env::set_current_dir("/").is_err() {
        std::process::exit(1);
    }
    let left = Arc::new(AtomicUsize::new(members.len()));
    let serve = Arc::new(serve);
    for (name, ends) in members {
        let (left, serve) = (Arc::clone(&left), Arc::clone(&serve));
        let started = thread::Builder::new().name(name.to_owned()).spawn(move || {
            serve(name, ends);
            if left.fetch_sub(1, Ordering::SeqCst) == 1 {
                std::process::exit(0);
            }
        });
        if started.is_err() {
            std::process::exit(1);
        }
    }
    loop {
        thread::park();
    }
}
