//! The screen as a whole: frames at three sizes, journeys by keys, hosts that never should be.

mod blocks;
mod events;
mod frames;
mod hostile;
mod journeys;
mod pictures;
mod places;
mod sharing;
mod since;
mod why;
mod wizards;

use std::sync::Arc;

use crossterm::event::Event as TerminalEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;

use super::event::Effect;
use super::picture::{self, parse_keys};
use super::testing::{ANSWERED_MS, web_3};
use super::{App, Event, Look};
use crate::model::Snapshot;

/// A screen that a test sits before.
struct Stage {
    app: App,
    size: Size,
    effects: Vec<Effect>,
}

impl Stage {
    /// The example host on a screen of this size.
    fn web_3(width: u16, height: u16) -> Self {
        Self::of(web_3().snapshot(), width, height)
    }

    fn of(snapshot: Arc<Snapshot>, width: u16, height: u16) -> Self {
        Self::with(snapshot, (width, height), Look::new(false, true))
    }

    fn with(snapshot: Arc<Snapshot>, (width, height): (u16, u16), look: Look) -> Self {
        let size = Size::new(width, height);
        let mut app = App::new(snapshot, look, size);
        app.update(Event::Tick(ANSWERED_MS + 2000));
        Self { app, size, effects: Vec::new() }
    }

    /// Presses keys, as written for pictures; the screen is seen before each.
    fn press(&mut self, keys: &str) -> &mut Self {
        for key in parse_keys(keys).expect("tests press keys that exist") {
            self.app.drawn();
            let effects = self.app.update(Event::Terminal(TerminalEvent::Key(key)));
            self.effects.extend(effects);
        }
        self
    }

    fn paste(&mut self, text: &str) -> &mut Self {
        self.app.update(Event::Terminal(TerminalEvent::Paste(text.to_owned())));
        self
    }

    fn tell(&mut self, event: Event) -> &mut Self {
        self.app.update(event);
        self
    }

    fn see(&mut self, snapshot: Arc<Snapshot>) -> &mut Self {
        self.app.update(Event::Snapshot(snapshot));
        self
    }

    fn resize(&mut self, width: u16, height: u16) -> &mut Self {
        self.app.update(Event::Terminal(TerminalEvent::Resize(width, height)));
        self.size = super::app::usable(Size::new(width, height));
        self
    }

    fn buffer(&self) -> Buffer {
        picture::draw(&self.app, self.size)
    }

    /// The lines of the screen.
    fn lines(&self) -> Vec<String> {
        picture::text(&self.buffer()).lines().map(str::to_owned).collect()
    }

    /// The lines of the screen in one text.
    fn text(&self) -> String {
        picture::text(&self.buffer())
    }

    /// The first line that holds a text, its runs of spaces made one.
    fn line(&self, holding: &str) -> String {
        let lines = self.lines();
        let line = lines.iter().find(|line| line.contains(holding));
        let line = line.unwrap_or_else(|| panic!("no line holds {holding:?}:\n{}", self.text()));
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The row that the person is on.
    fn selected(&self) -> String {
        let lines = self.lines();
        let line = lines.iter().find(|line| line.starts_with(['>', '+'])).cloned();
        let line = line.unwrap_or_else(|| panic!("nothing is selected:\n{}", self.text()));
        let line = line.replace(['│', '├', '└', '▸'], " ");
        line.get(1..).unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Whether any line holds a text.
    fn shows(&self, text: &str) -> bool {
        self.lines().iter().any(|line| line.contains(text))
    }
}
