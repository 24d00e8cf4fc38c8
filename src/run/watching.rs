//! What happens, gathered for whoever tells it: pictures of the host become events, the logs' lines
//! stand among them.
//!
//! On a thread of its own, so that comparing ten thousand devices delays no key.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::mpsc;

use super::keeper::{self, Keeper};
use super::runs::{Journal, Past};

use crate::events::{Differ, LogLine, LogSource};
use crate::model::{Event, EventKind, Origin, Trends};
use crate::settings::{HostChoice, Settings};
use crate::survey::Watched;
use crate::sys::live::logs::{self, Log, Said};

/// Lines of logs that may wait while a picture is compared.
const WAITING: usize = 1000;

/// What whoever tells it is given.
pub(super) enum Heard {
    /// What happened.
    Events(Vec<Event>),
    /// What the past says of the pools, anew.
    Trends(Arc<Trends>),
}

/// Begins to gather; calls `tell` with what there is until it returns false or nothing can happen
/// any more, as on a recorded host. The history is kept by the way.
pub(super) fn start(
    snapshots: Watched,
    settings: &Settings,
    past: Past,
    tell: impl FnMut(Heard) -> bool + Send + 'static,
) -> io::Result<()> {
    let here = settings.host == HostChoice::Live { root: None };
    let lines = here.then(follow_logs);
    let keeper = Keeper::of(settings);
    let journal = here.then(|| Journal::of(settings, past));
    let thread = std::thread::Builder::new().name("events".to_owned());
    let spawned = thread.spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        // without one nothing is told, and whoever waits hears that at once
        if let Ok(runtime) = runtime {
            runtime.block_on(gather(snapshots, (lines, keeper, journal), tell));
        }
    });
    spawned.map(drop)
}

/// Lines of logs, and how many did not fit.
struct Lines {
    lines: mpsc::Receiver<LogLine>,
    lost: Arc<AtomicU64>,
}

fn follow_logs() -> Lines {
    let (tell, lines) = mpsc::channel(WAITING);
    let lost = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&lost);
    logs::follow(move |log, said| match tell.try_send(line(log, said)) {
        Ok(()) => true,
        Err(mpsc::error::TrySendError::Full(_)) => {
            count.fetch_add(1, Ordering::Relaxed);
            true
        }
        Err(mpsc::error::TrySendError::Closed(_)) => false,
    });
    Lines { lines, lost }
}

fn line(log: Log, said: Said) -> LogLine {
    let source = match log {
        Log::Kernel => LogSource::Kernel,
        Log::Lvm => LogSource::Lvm,
    };
    match said {
        Said::Line(text) => LogLine::Line(source, text),
        Said::Missed(lines) => LogLine::Missed(source, lines),
        Said::Unread(why) => LogLine::Unread(source, why),
    }
}

async fn gather(
    mut snapshots: Watched,
    (mut lines, mut keeper, mut journal): (Option<Lines>, Option<Keeper>, Option<Journal>),
    mut tell: impl FnMut(Heard) -> bool,
) {
    let mut differ = Differ::default();
    let mut trends = Arc::default();
    snapshots.mark_changed();
    loop {
        let line = async {
            match &mut lines {
                Some(lines) => lines.next().await,
                None => std::future::pending().await,
            }
        };
        let events = tokio::select! {
            // a picture before the lines of logs: there is one newest, and a flood of them
            biased;
            changed = snapshots.changed() => {
                if changed.is_err() {
                    return;
                }
                let snapshot = Arc::clone(&snapshots.borrow_and_update());
                let now = match snapshot.origin {
                    Origin::Live => now_ms(),
                    Origin::Recorded { .. } => snapshot.host.time.saturating_mul(1000),
                };
                let mut events = differ.take(&snapshot, now);
                if let Some(keeper) = &mut keeper {
                    let seconds = now.div_euclid(1000);
                    let newest = keeper.look(&snapshot, seconds);
                    if newest != trends && !tell(Heard::Trends(Arc::clone(&newest))) {
                        return;
                    }
                    trends = newest;
                    let wrong = keeper.keep(&snapshot, seconds);
                    events.extend(wrong.map(|why| not_kept(&why, now)));
                }
                if let Some(journal) = &mut journal && !keeper::is_troubled(&snapshot) {
                    events.extend(journal.look(now));
                }
                events
            }
            line = line => {
                let Some(line) = line else {
                    lines = None;
                    continue;
                };
                vec![differ.line(&line, now_ms())]
            }
        };
        if !events.is_empty() && !tell(Heard::Events(events)) {
            return;
        }
    }
}

fn not_kept(why: &str, time_ms: i64) -> Event {
    Event {
        time_ms,
        kind: EventKind::Gap,
        subject: "history".into(),
        text: why.into(),
        node: None,
        severity: None,
    }
}

impl Lines {
    /// The next line, or how many were lost before it; `None` when both logs have ended.
    async fn next(&mut self) -> Option<LogLine> {
        match self.lost.swap(0, Ordering::Relaxed) {
            0 => self.lines.recv().await,
            lost => Some(LogLine::Missed(LogSource::Kernel, lost)),
        }
    }
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
