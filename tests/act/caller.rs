//! Whoever asks for an effect, as a process that can be killed: this test binary once more.

#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use thinscope::sys::live::act::{How, act_by};
use thinscope::sys::write::Effect;

use crate::process::Process;

/// What a caller is told, in its environment.
const EFFECT: &str = "ACT_EFFECT";
const FOLDER: &str = "ACT_FOLDER";
const LOCK: &str = "ACT_LOCK";

/// A process that has asked for an effect and follows it, in a group of its own.
pub(crate) struct Caller(Child);

impl Caller {
    pub(crate) fn start(effect: &Effect, folder: &Path, lock: Option<&Path>) -> Self {
        let mut command = Command::new(std::env::current_exe().expect("it runs"));
        command
            .args(["--exact", "caller::asks_for_an_effect_when_it_is_told_one"])
            .env(EFFECT, serde_json::to_string(effect).expect("an effect is text"))
            .env(FOLDER, folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        if let Some(lock) = lock {
            command.env(LOCK, lock);
        }
        Self(command.spawn().expect("it can be started"))
    }

    pub(crate) fn process(&self) -> Process {
        Process { pid: i32::try_from(self.0.id()).expect("a pid is small") }
    }

    /// Kills it and all that is in its group.
    pub(crate) fn kill_with_its_group(&mut self) {
        killpg(Pid::from_raw(self.process().pid), Signal::SIGKILL).expect("it is there");
        self.0.wait().expect("it was ours");
    }

    /// Waits; whether it ended well.
    pub(crate) fn ended(&mut self) -> bool {
        self.0.wait().expect("it was ours").success()
    }
}

#[test]
fn asks_for_an_effect_when_it_is_told_one() {
    let Ok(effect) = std::env::var(EFFECT) else { return };
    let effect: Effect = serde_json::from_str(&effect).expect("it was written by a test");
    let lock = std::env::var_os(LOCK).map(|path| {
        let file = File::create(path).expect("it can be made");
        // never dropped: it would unlock, also for whoever inherited it
        let locked = Flock::lock(file, FlockArg::LockExclusiveNonblock).expect("it is free");
        let locked = Box::leak(Box::new(locked));
        OwnedFd::from(locked.try_clone().expect("a descriptor can be had twice"))
    });
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("it goes with the effect"));
    let how = How { lock, folder, stem: "step-1".to_owned(), limit: Duration::from_secs(600) };
    act_by(Path::new(crate::PROGRAM), &effect, &how, &mut |_| {});
}
