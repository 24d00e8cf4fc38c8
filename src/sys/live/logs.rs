//! Follows what the kernel and LVM's monitor write while we watch: `/dev/kmsg`, and the journal
//! through `journalctl`. From now on, not what was written before.
//!
//! A thread for each, that waits and ends when nobody wants to be told. A log that floods is
//! counted and not passed on. Knows which lines are about storage, and not what they mean.

mod journal;
mod kernel;
mod rate;

use std::sync::Arc;
use std::thread;

use crate::text::Printable;

/// Which log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    /// The kernel's.
    Kernel,
    /// What LVM's monitor writes to the journal.
    Lvm,
}

/// What a log said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// A line, printable and of a bounded length.
    Line(Printable),
    /// So many lines came too fast to be passed on.
    Missed(u64),
    /// It cannot be read, or not any more, and why.
    Unread(Printable),
}

/// Characters of a line that are passed on.
const LONGEST: usize = 400;

/// Who is told; false when nobody listens any more.
type Tell = dyn Fn(Log, Said) -> bool + Send + Sync;

/// Follows one log until nobody listens; why it cannot be read.
type Follow = fn(&Tell) -> Result<(), String>;

/// Follows both logs until `tell` returns false. What can be read of neither is told first.
pub fn follow(tell: impl Fn(Log, Said) -> bool + Send + Sync + 'static) {
    let tell: Arc<Tell> = Arc::new(tell);
    let logs: [(Log, Follow); 2] = [(Log::Kernel, kernel::follow), (Log::Lvm, journal::follow)];
    for (log, follow) in logs {
        let tell = Arc::clone(&tell);
        let told = Arc::clone(&tell);
        let started = thread::Builder::new().name("log".to_owned()).spawn(move || {
            if let Err(why) = follow(&*tell) {
                tell(log, Said::Unread(why.into()));
            }
        });
        if let Err(error) = started {
            told(log, Said::Unread(error.to_string().into()));
        }
    }
}

/// What one record of a log says; `None` where that is nothing of storage, or no record.
pub fn said(log: Log, record: &[u8]) -> Option<Said> {
    match log {
        Log::Kernel => kernel::said(record),
        Log::Lvm => journal::said(record),
    }
}

/// Ends what was started to follow a log, where the program ends and nothing else would end it.
pub fn stop() {
    journal::stop();
}

/// A message made printable and cut.
fn line(text: &[u8]) -> Said {
    let text = String::from_utf8_lossy(text.get(..LONGEST * 4).unwrap_or(text)).into_owned();
    let cut: String = text.trim_end().chars().take(LONGEST).collect();
    Said::Line(Printable::from_text(&cut))
}
