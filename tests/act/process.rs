//! What the kernel says of a process.

#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// Tries until it is so, for longer than any machine needs.
pub(crate) fn eventually(so: impl Fn() -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        if so() {
            return true;
        }
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// One process, by its number.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) pid: i32,
}

impl Process {
    /// The one that was started with this argument, as soon as there is one.
    pub(crate) fn with_argument(argument: &Path) -> Self {
        let found = || {
            let all = fs::read_dir("/proc").expect("proc is mounted").filter_map(Result::ok);
            let mut pids = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
            pids.find(|pid| {
                let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
                line.split(|byte| *byte == 0).any(|word| word == argument.as_os_str().as_bytes())
            })
        };
        assert!(eventually(|| found().is_some()), "it is started");
        Self { pid: found().expect("it was there and waits") }
    }

    fn stat(&self) -> Option<Vec<String>> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        let (_, after) = text.rsplit_once(") ")?;
        Some(after.split(' ').map(str::to_owned).collect())
    }

    fn number(&self, at: usize) -> i32 {
        let stat = self.stat().expect("it lives");
        stat[at].parse().expect("the kernel prints numbers")
    }

    pub(crate) fn lives(&self) -> bool {
        self.stat().is_some_and(|stat| stat[0] != "Z")
    }

    pub(crate) fn parent(&self) -> Self {
        Self { pid: self.number(1) }
    }

    pub(crate) fn session(&self) -> i32 {
        self.number(3)
    }

    /// A mask of signals in `status`.
    pub(crate) fn mask(&self, what: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).expect("it lives");
        let line = status.lines().find_map(|line| line.strip_prefix(what));
        let word = line.and_then(|line| line.strip_prefix(':')).expect("it is in there");
        u64::from_str_radix(word.trim(), 16).expect("a mask is hexadecimal")
    }

    /// What its descriptors lead to, in their order.
    pub(crate) fn descriptors(&self) -> Vec<PathBuf> {
        let folder = fs::read_dir(format!("/proc/{}/fd", self.pid)).expect("it lives and is ours");
        let mut found: Vec<(i32, PathBuf)> = folder
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let number = entry.file_name().to_str()?.parse().ok()?;
                Some((number, fs::read_link(entry.path()).ok()?))
            })
            .collect();
        found.sort();
        found.into_iter().map(|(_, path)| path).collect()
    }

    /// Its environment, sorted; of the search path the name alone.
    pub(crate) fn environment(&self) -> Vec<String> {
        let bytes = fs::read(format!("/proc/{}/environ", self.pid)).expect("it lives");
        let words = bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty());
        let mut words: Vec<_> =
            words.map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        words.iter_mut().filter(|word| word.starts_with("PATH=")).for_each(|word| word.truncate(4));
        words.sort();
        words
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.pid.to_string()]).status();
        assert!(sent.expect("every Linux has kill").success(), "{name}");
    }
}
