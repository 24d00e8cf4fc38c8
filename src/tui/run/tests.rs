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
struct Notes(Rc<RefCell<Vec<String>>>, Rc<RefCell<Size>>);

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
