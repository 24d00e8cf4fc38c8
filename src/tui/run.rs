//! The loop: signals, keys, snapshots, notices, and the second in which an age changes.
//!
//! Generic over where keys and signals come from and where frames go, so that the loop that is
//! tested is the one that runs. Draws once after all that was ready, and only when something
//! happened.

mod signals;

use std::io;
use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crossterm::event::Event as TerminalEvent;
use futures_util::{FutureExt, Stream, StreamExt};
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::layout::{Rect, Size};
use ratatui::{Terminal, TerminalOptions, Viewport};
use tokio::sync::{mpsc, watch};

use super::app::{App, Look, usable};
use super::event::{Effect, Event, Notice, Request};
use super::input::Keys;
use super::{glyph, terminal, view};
use crate::model::Snapshot;
use signals::{Signal, Signals};

/// Keys handled before the screen is drawn again, however fast they come.
const MOST_AT_ONCE: usize = 512;

/// Colours or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// As terminal and `NO_COLOR` say.
    #[default]
    Auto,
    /// The sixteen.
    Always,
    /// None.
    Never,
}

/// How the screen is to be.
#[derive(Debug, Default)]
pub struct ScreenOptions {
    /// ASCII or Unicode; `None` as locale and terminal say.
    pub ascii: Option<bool>,
    /// Colours.
    pub color: ColorChoice,
    /// Lines to show once, from what was asked for: `recorded into FILE`.
    pub notices: Option<mpsc::UnboundedReceiver<Notice>>,
}

impl ScreenOptions {
    /// What the options leave to the environment, decided.
    pub fn look(&self, variable: impl Fn(&str) -> Option<String>) -> Look {
        let ascii = self.ascii.unwrap_or_else(|| glyph::wants_ascii(&variable));
        let colour = match self.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                let refused = variable("NO_COLOR").is_some_and(|value| !value.is_empty());
                let term = variable("TERM").unwrap_or_default();
                !refused && !glyph::is_colourless_terminal(&term)
            }
        };
        Look::new(ascii, colour)
    }
}

/// How the screen ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The person left.
    Quit,
    /// A signal asked for it.
    Signal(i32),
    /// There is no terminal any more.
    TerminalGone,
}

/// Shows snapshots until the person leaves. The terminal is given back on every way out; a panic
/// hook calls [`terminal::restore`] itself.
pub async fn run(
    snapshots: watch::Receiver<Arc<Snapshot>>,
    requests: mpsc::UnboundedSender<Request>,
    mut options: ScreenOptions,
) -> io::Result<Ended> {
    let look = options.look(|name| std::env::var(name).ok());
    let signals = Signals::new()?;
    let keys = Keys::open()?;
    terminal::enter()?;
    let _restored = Restored;
    // one write a frame: a frame in pieces flickers over a slow line
    let out = io::BufWriter::with_capacity(1 << 16, io::stdout());
    let backend = CrosstermBackend::new(out);
    let notices = options.notices.take();
    let sources = Sources { signals, keys, snapshots, notices };
    drive(backend, Live, sources, (requests, look)).await
}

struct Restored;

impl Drop for Restored {
    fn drop(&mut self) {
        terminal::restore();
    }
}

/// What the loop does to the world beside drawing.
pub(super) trait Hands {
    /// The size of the terminal.
    fn size(&self) -> Size;
    /// Milliseconds since 1970.
    fn now_ms(&self) -> i64;
    /// Lets the shell have the terminal, until it continues us.
    fn stop(&mut self) -> io::Result<()>;
    /// Takes the terminal again.
    fn enter_again(&mut self) -> io::Result<()>;
    /// Puts a text on the clipboard.
    fn copy(&mut self, text: &str) -> io::Result<()>;
    /// Throws away what was typed and not read yet.
    fn forget_keys(&mut self);
}

struct Live;

impl Hands for Live {
    fn size(&self) -> Size {
        terminal::size()
    }

    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    fn stop(&mut self) -> io::Result<()> {
        terminal::stop_for_shell()
    }

    fn enter_again(&mut self) -> io::Result<()> {
        terminal::enter_again()
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        terminal::copy(text)
    }

    fn forget_keys(&mut self) {
        terminal::forget_keys();
    }
}

/// Where events come from.
pub(super) struct Sources<G, K> {
    /// Signals to the process.
    pub(super) signals: G,
    /// Keys; the end of them is the end of the terminal.
    pub(super) keys: K,
    /// Pictures of the host.
    pub(super) snapshots: watch::Receiver<Arc<Snapshot>>,
    /// Lines to show once.
    pub(super) notices: Option<mpsc::UnboundedReceiver<Notice>>,
}

/// Something for the loop.
enum Turn {
    Signal(Signal),
    Key(Option<io::Result<TerminalEvent>>),
    Snapshot(bool),
    Notice(Option<Notice>),
    Tick,
}

struct Loop<B: Backend, H> {
    app: App,
    /// Never dropped: its drop shows the cursor, and where the terminal is gone it complains about
    /// that on standard error, which is gone too, and panics. [`terminal::restore`] shows it.
    terminal: ManuallyDrop<Terminal<B>>,
    hands: H,
    requests: mpsc::UnboundedSender<Request>,
}

/// The loop itself.
pub(super) async fn drive<B, H, G, K>(
    backend: B,
    hands: H,
    mut sources: Sources<G, K>,
    (requests, look): (mpsc::UnboundedSender<Request>, Look),
) -> io::Result<Ended>
where
    B: Backend,
    B::Error: Send + Sync + 'static,
    H: Hands,
    G: Stream<Item = Signal> + Unpin,
    K: Stream<Item = io::Result<TerminalEvent>> + Unpin,
{
    let size = usable(hands.size());
    let snapshot = sources.snapshots.borrow_and_update().clone();
    let mut app = App::new(snapshot, look, size);
    app.update(Event::Tick(hands.now_ms()));
    let viewport = Viewport::Fixed(Rect::new(0, 0, size.width, size.height));
    let terminal = Terminal::with_options(backend, TerminalOptions { viewport });
    let terminal = ManuallyDrop::new(terminal.map_err(io::Error::other)?);
    let mut state = Loop { app, terminal, hands, requests };
    let mut more_snapshots = true;
    if state.redraw().is_err() {
        return Ok(Ended::TerminalGone);
    }
    loop {
        let turn = sources.next(more_snapshots, state.until_change()).await;
        more_snapshots &= !matches!(turn, Turn::Snapshot(false));
        if matches!(turn, Turn::Notice(None)) {
            sources.notices = None;
        }
        let mut ended = state.take(turn, &mut sources.snapshots)?;
        // what is ready now is handled before the screen is drawn once for all of it
        for _ in 0..MOST_AT_ONCE {
            let Some(turn) = sources.ready().filter(|_| ended.is_none()) else { break };
            ended = state.take(turn, &mut sources.snapshots)?;
        }
        if let Some(ended) = ended {
            return Ok(ended);
        }
        let first_seen = state.app.waits_to_be_drawn();
        if state.draw().is_err() {
            return Ok(Ended::TerminalGone);
        }
        if first_seen && sources.forget_keys(&mut state.hands) {
            return Ok(Ended::TerminalGone);
        }
        state.app.drawn();
    }
}

impl<G, K> Sources<G, K>
where
    G: Stream<Item = Signal> + Unpin,
    K: Stream<Item = io::Result<TerminalEvent>> + Unpin,
{
    /// A key or a notice that is there already.
    fn ready(&mut self) -> Option<Turn> {
        if let Some(key) = self.keys.next().now_or_never() {
            return Some(Turn::Key(key));
        }
        let notice = self.notices.as_mut().and_then(|notices| notices.try_recv().ok())?;
        Some(Turn::Notice(Some(notice)))
    }

    /// What was typed before a plan was seen is about something else. Whether the terminal is
    /// gone.
    fn forget_keys(&mut self, hands: &mut impl Hands) -> bool {
        hands.forget_keys();
        for _ in 0..MOST_AT_ONCE {
            match self.keys.next().now_or_never() {
                None => return false,
                Some(None | Some(Err(_))) => return true,
                Some(Some(Ok(_))) => {}
            }
        }
        false
    }

    /// Waits for something.
    async fn next(&mut self, more_snapshots: bool, until_change: Option<Duration>) -> Turn {
        let notices = &mut self.notices;
        let notice = async {
            match notices {
                Some(notices) => notices.recv().await,
                None => std::future::pending().await,
            }
        };
        let tick = async {
            match until_change {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            Some(signal) = self.signals.next() => Turn::Signal(signal),
            key = self.keys.next() => Turn::Key(key),
            changed = self.snapshots.changed(), if more_snapshots => Turn::Snapshot(changed.is_ok()),
            line = notice => Turn::Notice(line),
            () = tick => Turn::Tick,
        }
    }
}

impl<B, H> Loop<B, H>
where
    B: Backend,
    B::Error: Send + Sync + 'static,
    H: Hands,
{
    fn take(
        &mut self,
        turn: Turn,
        snapshots: &mut watch::Receiver<Arc<Snapshot>>,
    ) -> io::Result<Option<Ended>> {
        let effects = match turn {
            Turn::Signal(Signal::End(number)) => return Ok(Some(Ended::Signal(number))),
            Turn::Signal(Signal::Resize) => self.resize()?,
            Turn::Signal(Signal::Continue) => {
                self.hands.enter_again()?;
                self.resize()?;
                vec![Effect::Redraw]
            }
            Turn::Key(None | Some(Err(_))) => return Ok(Some(Ended::TerminalGone)),
            Turn::Key(Some(Ok(event))) => self.app.update(Event::Terminal(event)),
            Turn::Snapshot(true) => {
                let before = self.app.seen.snapshot.clone();
                let snapshot = snapshots.borrow_and_update().clone();
                self.app.update(Event::Tick(self.hands.now_ms()));
                let effects = self.app.update(Event::Snapshot(snapshot));
                // to free a hundred thousand devices takes as long as to read them: no key waits
                tokio::task::spawn_blocking(move || drop(before));
                effects
            }
            Turn::Notice(Some(line)) => self.app.update(Event::Notice(line)),
            Turn::Tick => self.app.update(Event::Tick(self.hands.now_ms())),
            Turn::Snapshot(false) | Turn::Notice(None) => Vec::new(),
        };
        self.perform(effects)
    }

    fn perform(&mut self, effects: Vec<Effect>) -> io::Result<Option<Ended>> {
        for effect in effects {
            match effect {
                Effect::Quit => return Ok(Some(Ended::Quit)),
                // when nobody listens any more there is nothing to ask
                Effect::Ask(request) => drop(self.requests.send(request)),
                Effect::Copy(text) => self.hands.copy(&text)?,
                Effect::Redraw => self.redraw()?,
                Effect::Suspend => {
                    self.hands.stop()?;
                    self.resize()?;
                    self.redraw()?;
                }
            }
        }
        Ok(None)
    }

    fn resize(&mut self) -> io::Result<Vec<Effect>> {
        let size = self.hands.size();
        let effects =
            self.app.update(Event::Terminal(TerminalEvent::Resize(size.width, size.height)));
        let size = usable(size);
        let area = Rect::new(0, 0, size.width, size.height);
        self.terminal.resize(area).map_err(io::Error::other)?;
        Ok(effects)
    }

    fn redraw(&mut self) -> io::Result<()> {
        let size = usable(self.hands.size());
        // `Terminal::clear` would ask the terminal where its cursor is, and one that does not
        // answer (a serial line, a pipe through a logger) would look like one that is gone
        let area = Rect::new(0, 0, size.width, size.height);
        self.terminal.resize(area).map_err(io::Error::other)?;
        self.draw()
    }

    fn draw(&mut self) -> io::Result<()> {
        let app = &self.app;
        self.terminal.draw(|frame| view::draw(frame, app)).map_err(io::Error::other)?;
        Ok(())
    }

    fn until_change(&self) -> Option<Duration> {
        let milliseconds = view::until_change(&self.app)?;
        // a little late rather than a little early, which would be a turn for nothing
        Some(Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0) + 5))
    }
}

#[cfg(test)]
mod tests;
