//! Does one effect on this host: in a process of its own that outlives whoever asked for it.
//!
//! The program starts itself again as a *runner* ([`runner_main`]): own session, signals that
//! would end it ignored before its first instruction, nothing inherited but the lock. The runner
//! does the effect and leaves `STEM.result` in the folder; what a tool prints goes to `STEM.out`
//! and `STEM.err`. Whoever asked only follows: it may be killed, or give up waiting, and nothing
//! that runs is touched by that. Knows how an effect is done and nothing of why.

mod bring_back;
mod files;
mod follow;
mod order;
mod place;
mod ready;
mod runner;
mod swap;
mod tool;

use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::child::THIS_PROGRAM;
use super::ioctl::{self, AtSignal};
use super::run::close_inherited;
use crate::sys::write::{Acted, Effect};
use files::Files;
use order::Order;

pub use order::Outcome;
pub use runner::{is_runner, runner_main};

/// How an effect is followed, and where it leaves what it says.
#[derive(Debug)]
pub struct How {
    /// The lock of the one who changes this host, held until the effect has ended, whatever
    /// becomes of us. The runner inherits it, a tool does not: what a tool leaves running (LVM's
    /// monitor) would hold it for ever. A plain descriptor: what unlocks when it is dropped
    /// unlocks for the runner too.
    pub lock: Option<OwnedFd>,
    /// An absolute path of a folder of ours, mode 0700, that does not rest on what is changed.
    pub folder: PathBuf,
    /// What the effect's files there begin with, such as `step-2`.
    pub stem: String,
    /// How long it is followed. The effect itself is never ended.
    pub limit: Duration,
}

/// Does an effect, handing on line by line, safe to print, what it says.
///
/// What an earlier effect with this stem left in the folder is removed first.
pub fn act(effect: &Effect, how: &How, told: &mut dyn FnMut(&str)) -> Acted {
    act_by(Path::new(THIS_PROGRAM), effect, how, told)
}

/// The same with the runner in another file, for a caller that is not the program itself.
pub fn act_by(program: &Path, effect: &Effect, how: &How, told: &mut dyn FnMut(&str)) -> Acted {
    let files = match Files::new(&how.folder, &how.stem) {
        Ok(files) => files,
        Err(why) => return Acted::Refused { why },
    };
    match start(program, effect, how, &files) {
        Ok(child) => follow::follow(child, &files, effect, (how.limit, told)),
        Err(why) => Acted::Refused { why },
    }
}

/// How the effect with this stem ended; `None` when it has not, or when nobody lived to tell.
pub fn read_result(folder: &Path, stem: &str) -> Option<Acted> {
    read_outcome(folder, stem).map(|outcome| outcome.acted)
}

/// The same with what was measured.
pub fn read_outcome(folder: &Path, stem: &str) -> Option<Outcome> {
    Files::new(folder, stem).ok()?.read_outcome()
}

/// Hands on, safe to print, what the effect with this stem printed: its output, then what it
/// complained of. Nothing where there was no such effect.
pub fn read_said(folder: &Path, stem: &str, told: &mut dyn FnMut(&str)) {
    if let Ok(files) = Files::new(folder, stem) {
        follow::read_all(&files, told);
    }
}

fn start(program: &Path, effect: &Effect, how: &How, files: &Files) -> Result<Child, String> {
    let order = Order::new(effect, how).to_bytes();
    let lock = how.lock.as_ref().map(OwnedFd::try_clone).transpose();
    let lock = lock.map_err(|error| format!("the lock cannot be handed on: {error}"))?;
    let (out, err) = files.create_outputs()?;
    close_inherited();
    let mut command = Command::new(program);
    command
        .arg(runner::WORD)
        .env_clear()
        .env("LC_ALL", "C")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(out)
        .stderr(err);
    ioctl::set_apart(&mut command, AtSignal::GoesOn, lock);
    let mut child = command.spawn().map_err(|error| {
        format!("thinscope cannot start itself again ({error}): nothing was done")
    })?;
    if let Some(mut stdin) = child.stdin.take() {
        // one that does not take its order does nothing, and says so by its end
        let _ = stdin.write_all(&order);
    }
    Ok(child)
}

#[cfg(test)]
mod tests;
