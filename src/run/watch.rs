//! `watch`: events as lines, until a signal, a closed pipe, or the end of a recording.

use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::runs::Past;
use super::{Trouble, host, watching};
use crate::exit::Exit;
use crate::model::{Event, EventKind};
use crate::report::event::{write_json, write_text};
use crate::settings::Settings;
use crate::survey::Survey;
use crate::sys::live::logs;

/// Batches of events that wait for a reader that is slow; beyond it nothing is looked at for it.
const WAITING: usize = 100;

/// Watches until it is ended, which is the way for it to end: exit code 0.
pub(super) fn run(settings: &Settings, json: bool) -> Result<Exit, Trouble> {
    let failed = |what: &str, error: io::Error| Trouble::Failed(format!("{what}: {error}"));
    let plan = host::plan(settings)?;
    let (snapshots, survey) = Survey::start(plan, settings.refresh)?;
    let (tell, told) = sync_channel(WAITING);
    let over = Arc::new(AtomicBool::new(false));
    let (ended_before, silent) = (Arc::clone(&over), Arc::clone(&over));
    watching::start(snapshots, settings, Past::Untold, move |heard| match heard {
        // what comes of ending it is no news
        watching::Heard::Events(_) if ended_before.load(Ordering::SeqCst) => false,
        watching::Heard::Events(events) => tell.send(events).is_ok(),
        watching::Heard::Trends(_) => true,
    })
    .map_err(|error| failed("the watch cannot begin", error))?;
    let (end, ended) = oneshot::channel();
    std::thread::Builder::new()
        .name("print".to_owned())
        .spawn(move || end.send(print(&told, json, &silent)))
        .map_err(|error| failed("the watch cannot begin", error))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failed("the watch cannot begin", error))?;
    let printed = runtime.block_on(until_the_end(ended));
    over.store(true, Ordering::SeqCst);
    // the survey ends with its handle, and its children with it
    drop(survey);
    logs::stop();
    match printed {
        Ok(()) => Ok(Exit::Done),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(error) => Err(failed("the events cannot be written", error)),
    }
}

/// Prints what comes, on a thread of its own: a reader that stands still must not keep a signal
/// waiting.
fn print(told: &Receiver<Vec<Event>>, json: bool, over: &AtomicBool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let mut last = None;
    for events in told {
        if over.load(Ordering::SeqCst) {
            return Ok(());
        }
        let mut text = Vec::new();
        for event in &events {
            if json { write_json(&mut text, event)? } else { write_text(&mut text, event)? }
        }
        out.write_all(&text)?;
        out.flush()?;
        last = events.into_iter().next_back();
    }
    if over.load(Ordering::SeqCst) {
        return Ok(());
    }
    // only a recorded host ends by itself
    let end = Event {
        time_ms: last.map_or_else(watching::now_ms, |event| event.time_ms),
        kind: EventKind::End,
        subject: "watch".into(),
        text: "a recorded host: nothing more happens".into(),
        node: None,
        severity: None,
    };
    if json {
        write_json(&mut out, &end)?;
    } else {
        write_text(&mut out, &end)?;
    }
    out.flush()
}

/// A signal, the end of what is printed, or of whoever reads it.
async fn until_the_end(ended: oneshot::Receiver<io::Result<()>>) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        _ = hang_up.recv() => Ok(()),
        printed = ended => printed.unwrap_or(Ok(())),
        () = nobody_reads() => Ok(()),
    }
}

/// Ends when standard output is a pipe and its other end was closed, also while nothing happens. A
/// thread waits for it; a file never says so.
async fn nobody_reads() {
    let (tell, told) = oneshot::channel();
    let waiting = std::thread::Builder::new().name("reader".to_owned()).spawn(move || {
        let output = io::stdout();
        let mut waited = [PollFd::new(output.as_fd(), PollFlags::empty())];
        while poll(&mut waited, PollTimeout::NONE) == Err(Errno::EINTR) {}
        let _ = tell.send(());
    });
    if waiting.is_err() || told.await.is_err() {
        std::future::pending::<()>().await;
    }
}
