//! Whether the daemon that is installed still has the driver: since version 25 it has not
//! (`formats.md` 1.10), and then cannot open what it wrote before.
//!
//! Told from the words in the program, for nothing else on disk says its version for certain, and
//! it is never run.

use super::ask::Asker;
use super::config::DaemonConfig;
use crate::sys::{HostPath, Question, Reply};
use crate::text::Printable;

/// Where distributions put it.
const PLACES: [&str; 5] = [
    "/usr/bin/dockerd",
    "/usr/sbin/dockerd",
    "/usr/local/bin/dockerd",
    "/usr/bin/dockerd-current",
    "/snap/docker/current/bin/dockerd",
];
/// Every daemon with the driver knows this option; every daemon knows the other word.
const WORDS: [&str; 2] = ["dm.thinpooldev", "storage-driver"];

/// The program, where it has the driver no more. Not asked while a daemon runs that uses it.
pub(super) fn without_driver(ask: &Asker<'_>, config: &DaemonConfig) -> Option<Printable> {
    let uses = config.driver.as_deref().is_none_or(|driver| driver == "devicemapper");
    if config.running && uses {
        return None;
    }
    let there = |path: &&str| ask.try_stat(&HostPath::new(path)).is_ok();
    let path = PLACES.iter().copied().find(there)?;
    let words = WORDS.map(str::to_owned).to_vec();
    match ask.quietly(&Question::Mentions { path: HostPath::new(path), words }) {
        Some(Reply::Flags(flags)) if flags == [false, true] => Some(path.into()),
        _ => None,
    }
}
