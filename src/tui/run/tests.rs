//! The loop that runs, with keys and signals from a list and frames into memory.

use std::cell::RefCell;
use std::rc::Rc;

use crossterm::event::{KeyCode, KeyEvent};
use futures_util::stream;
use ratatui::backend::TestBackend;

use super::*;
use crate::tui::picture::parse_keys;
use crate::tui::testing::{ANSWERED_MS, web_3};

/// Hands that write down what they did.
#[derive(Clone, Default)]
struct Notes(Rc<RefCell<Vec<String>>>, Rc<RefCell<Size>>, Rc<RefCell<bool>>);

impl Notes {
    #[expect(clippy::unnecessary_wraps, reason = "what it stands for can fail")]
    fn add(&self, what: &str) -> io::Result<()> {
        self.0.borrow_mut().push(what.to_owned());
        Ok(())
    }
}

impl Hands for Notes {
    fn size(&self) -> Size {
        *self.1.borrow()
    }

    fn now_ms(&self) -> i64 {
        ANSWERED_MS + 2000
    }

    fn stop(&mut self) -> io::Result<()> {
        self.add("stop")
    }

    fn enter_again(&mut self) -> io::Result<()> {
        self.add("enter again")
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.add(&format!("copy {text}"))
    }

    fn forget_keys(&mut self) {
        self.0.borrow_mut().push("forget keys".to_owned());
        *self.2.borrow_mut() = true;
    }
}

struct Played {
    ended: Ended,
    did: Vec<String>,
    asked: Vec<Request>,
}

fn keys(text: &str) -> Vec<io::Result<TerminalEvent>> {
    let keys = parse_keys(text).expect("tests press keys that exist");
    keys.into_iter().map(|key: KeyEvent| Ok(TerminalEvent::Key(key))).collect()
}

/// Plays a list of signals and keys; then nothing happens any more.
async fn play(signals: Vec<Signal>, keys: Vec<io::Result<TerminalEvent>>, ends: bool) -> Played {
    let (_sender, snapshots) = watch::channel(web_3().snapshot());
    let (requests, mut asked) = mpsc::unbounded_channel();
    let notes = Notes::default();
    *notes.1.borrow_mut() = Size::new(80, 24);
    let keys = stream::iter(keys);
    let keys: std::pin::Pin<Box<dyn Stream<Item = _>>> =
        if ends { Box::pin(keys) } else { Box::pin(keys.chain(stream::pending())) };
    let signals = Box::pin(stream::iter(signals).chain(stream::pending()));
    let sources = Sources { signals, keys, snapshots, notices: None };
    let look = Look::new(false, true);
    let backend = TestBackend::new(80, 24);
    let running = drive(backend, notes.clone(), sources, (requests, look));
    let ended = tokio::time::timeout(Duration::from_secs(20), running).await;
    let ended = ended.expect("the loop ends").expect("memory takes every frame");
    let asked = std::iter::from_fn(|| asked.try_recv().ok()).collect();
    let did = notes.0.borrow().clone();
    Played { ended, did, asked }
}

#[tokio::test]
async fn keys_quit_copy_suspend_and_ask() {
    let played = play(Vec::new(), keys("]rC<c-z>y<enter><esc>q"), false).await;
    assert_eq!(played.ended, Ended::Quit);
    assert_eq!(played.asked, [Request::LookAgain, Request::Capture]);
    assert_eq!(played.did, ["stop", "copy docker-thinpool"]);
}

#[tokio::test]
async fn signals_end_it_and_say_which() {
    let played =
        play(vec![Signal::Resize, Signal::Continue, Signal::End(15)], keys("j"), false).await;
    assert_eq!(played.ended, Ended::Signal(15));
    assert_eq!(played.did, ["enter again"]);
}

#[tokio::test]
async fn the_end_of_keys_and_an_error_are_the_end_of_the_terminal() {
    assert_eq!(play(Vec::new(), keys("jj"), true).await.ended, Ended::TerminalGone);
    let broken =
        vec![Ok(TerminalEvent::Key(KeyCode::Down.into())), Err(io::ErrorKind::Other.into())];
    assert_eq!(play(Vec::new(), broken, false).await.ended, Ended::TerminalGone);
}

#[test]
fn colours_are_chosen_by_option_environment_and_terminal() {
    let auto = ScreenOptions::default();
    let env = |pairs: &'static [(&str, &str)]| {
        move |name: &str| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        }
    };
    let is_coloured = |look: &Look| look.theme.critical.fg.is_some();
    let xterm = env(&[("TERM", "xterm"), ("LANG", "C.UTF-8")]);
    assert!(is_coloured(&auto.look(xterm)) && !auto.look(xterm).glyphs.ascii);
    let refused = env(&[("TERM", "xterm"), ("NO_COLOR", "1")]);
    assert!(!is_coloured(&auto.look(refused)) && auto.look(refused).glyphs.ascii);
    assert!(!is_coloured(&auto.look(env(&[("TERM", "vt220")]))));
    let always = ScreenOptions { color: ColorChoice::Always, ..ScreenOptions::default() };
    assert!(is_coloured(&always.look(refused)));
}

/// Keys that come in portions: each when something has happened, at the next look or at once.
struct Portions {
    keys: Vec<(Rc<RefCell<bool>>, &'static str, bool)>,
    ready: std::collections::VecDeque<KeyEvent>,
}

impl Stream for Portions {
    type Item = io::Result<TerminalEvent>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let next = self.keys.first().map(|(when, text, at_once)| (*when.borrow(), *text, *at_once));
        let mut late = Vec::new();
        if let Some((true, text, at_once)) = next.filter(|_| self.ready.is_empty()) {
            self.keys.remove(0);
            let keys = parse_keys(text).expect("tests press keys that exist");
            if at_once { self.ready.extend(keys) } else { late = keys }
        }
        if let Some(key) = self.ready.pop_front() {
            return std::task::Poll::Ready(Some(Ok(TerminalEvent::Key(key))));
        }
        self.ready.extend(late);
        // nothing yet, and more at the next look
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    }
}

/// A host whose only pool is away.
fn away() -> Arc<Snapshot> {
    let mut host = web_3();
    host.pools.truncate(1);
    let pool = &mut host.pools[0];
    pool.state = crate::model::PoolState::Inactive;
    let parts = [Some(pool.node), pool.data, pool.metadata];
    parts.into_iter().flatten().for_each(|at| host.at(at).device = None);
    host.snapshot()
}

#[tokio::test]
async fn what_is_typed_before_a_plan_was_seen_agrees_to_nothing() {
    use crate::exec::desk::{News, Order, Ready};
    let (_sender, snapshots) = watch::channel(away());
    let (requests, mut asked) = mpsc::unbounded_channel();
    let (tell, notices) = mpsc::unbounded_channel();
    let notes = Notes::default();
    *notes.1.borrow_mut() = Size::new(80, 24);
    let flag = || Rc::new(RefCell::new(false));
    let (begin, told) = (Rc::new(RefCell::new(true)), flag());
    // to the way on, and on: before the plan is there, while it is drawn, and then the way out
    let keys = Portions {
        keys: vec![
            (begin, ":activate<enter>", false),
            (Rc::clone(&told), "<tab><enter>", false),
            (Rc::clone(&notes.2), "<tab><enter>", true),
            (Rc::clone(&notes.2), "q", false),
        ],
        ready: std::collections::VecDeque::new(),
    };
    let answering = async {
        let mut orders = Vec::new();
        while let Some(request) = asked.recv().await {
            let Request::Desk(order) = request else { continue };
            if let Order::Prepare { ask, .. } = &order {
                let mut around = crate::plan::Around::default();
                around.files.insert("/usr/sbin/thin_check".to_owned(), true);
                let ready = Ready { ask: *ask, around, forbidden: None, unfinished: Vec::new() };
                let news = Notice::Desk(News::Ready(Box::new(ready)));
                tell.send(news).expect("the screen listens");
                *told.borrow_mut() = true;
            }
            orders.push(order);
        }
        orders
    };
    let signals = Box::pin(stream::pending());
    let sources = Sources { signals, keys, snapshots, notices: Some(notices) };
    let backend = TestBackend::new(80, 24);
    let running = drive(backend, notes.clone(), sources, (requests, Look::new(false, true)));
    let both =
        tokio::time::timeout(Duration::from_secs(20), async { tokio::join!(running, answering) });
    let (ended, orders) = both.await.expect("the loop ends");
    assert_eq!(ended.expect("memory takes every frame"), Ended::Quit);
    assert!(matches!(orders.as_slice(), [Order::Prepare { .. }]), "{orders:?}");
    assert_eq!(notes.0.borrow().as_slice(), ["forget keys"]);
}
