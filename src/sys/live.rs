//! The live host: answers every question by asking the kernel, files and tools, one at a time.
//!
//! Blocks as long as the host does: the screen never calls it, the probe child does
//! ([`child`]). What changes the host is beside it, in [`act`]. The only module that touches a
//! host.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "this is the door")]

pub mod act;
mod block;
pub mod brood;
pub mod child;
mod dm;
mod files;
mod holders;
mod ioctl;
mod keep;
pub mod logs;
mod medium;
pub mod own;
pub mod reserve;
mod run;
pub mod watch;
mod window;

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use super::{Answer, Failure, HostInfo, Medium, Question, Raw, ReadHost, Reply};
use dm::Control;
use files::Files;
use medium::Media;
use run::Tools;

pub use run::{SEARCH, kill_running_tool};

/// This host, or a file tree of another one mounted on it.
#[derive(Debug)]
pub struct Live {
    files: Files,
    control: Control,
    tools: Tools,
    media: Media,
}

impl Live {
    /// `root` stands in front of every path but `/sys`, `/proc`, `/dev` and `/run`.
    pub fn new(root: Option<PathBuf>) -> Self {
        Self {
            files: Files::new(root),
            control: Control::default(),
            tools: Tools::default(),
            media: Media::default(),
        }
    }

    fn reply(&self, question: &Question) -> Result<Reply, Failure> {
        match question {
            Question::Host => Ok(Reply::Host(host())),
            Question::DmVersion => self.control.version().map(Reply::DmVersion),
            Question::DmList => self.control.list().map(Reply::DmList),
            Question::DmDevice(dev) => self.control.device(*dev).map(Reply::DmDevice),
            Question::DmStatus(dev) => self.control.status(*dev).map(Reply::Bytes),
            Question::DmInactive(dev) => self.control.inactive(*dev).map(Reply::Bytes),
            Question::Dir(path) => self.files.dir(path).map(Reply::Entries),
            Question::Count(path) => self.files.count(path).map(Reply::Number),
            Question::File { path, keep, within } => {
                self.files.file(path, *keep, within.as_ref()).map(Reply::Bytes)
            }
            Question::Tree { dir, depth, names, keep } => {
                self.files.tree(dir, *depth, names, *keep).map(Reply::Tree)
            }
            Question::Bolt { path, keep } => self.files.bolt(path, *keep).map(Reply::Bolt),
            Question::SysBlock => block::read_all().map(Reply::SysBlock),
            Question::Stat(path) => self.files.stat(path).map(Reply::Stat),
            Question::Link(path) => self.files.link(path).map(Reply::Bytes),
            Question::Space(path) => self.files.space(path).map(Reply::Space),
            Question::Time => Ok(Reply::Number(now())),
            Question::Mentions { path, words } => {
                self.files.mentions(path, words).map(Reply::Flags)
            }
            Question::Holders(names) => holders::read_holders(names).map(Reply::Holders),
            Question::Run(call) => self.tools.run(call).map(Reply::Ran),
            Question::SizeOf(medium) => self.media.size(&self.files, medium).map(Reply::Number),
            Question::Read { of, offset, length } => {
                self.media.read(&self.files, of, (*offset, *length)).map(Reply::Bytes)
            }
        }
    }
}

impl ReadHost for Live {
    fn ask(&self, question: &Question) -> Answer {
        let since = Instant::now();
        let result = self.reply(question);
        Answer { ms: u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX), result }
    }

    fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }

    fn read_into(&self, of: &Medium, offset: u64, into: &mut [u8]) -> Result<(), Failure> {
        self.media.read_into(&self.files, of, (offset, into))
    }
}

/// Whether this process may do everything.
pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// The process that started this one, as far as it still lives.
pub fn parent() -> i32 {
    nix::unistd::getppid().as_raw()
}

fn host() -> HostInfo {
    use std::os::unix::ffi::OsStrExt;
    let known = nix::sys::utsname::uname();
    let named = |name: &std::ffi::OsStr| Raw(name.as_bytes().to_vec());
    HostInfo {
        name: known.as_ref().map_or_else(|_| Raw::default(), |known| named(known.nodename())),
        kernel: known
            .map(|known| known.release().to_string_lossy().into_owned())
            .unwrap_or_default(),
        euid: nix::unistd::geteuid().as_raw(),
        time: i64::try_from(now()).unwrap_or(i64::MAX),
    }
}

/// Seconds since 1970.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}
