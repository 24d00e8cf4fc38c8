//! What the screen is showing, and what each event makes of it.
//!
//! [`App::update`] is a plain function from an event to effects: no waiting, no locks, no input
//! or output. Drawing is elsewhere and changes nothing here.

mod act;
mod blocks;
mod events;
mod find;
mod motion;
mod overlay;
mod why;
mod wizard;

use std::collections::HashSet;
use std::sync::Arc;

use crossterm::event::{Event as TerminalEvent, KeyEvent, KeyEventKind};
use ratatui::layout::Size;

use super::action::Context;
use super::areas::Areas;
use super::blocks::Strip;
use super::edit::Edit;
use super::event::{Effect, Event, Notice};
use super::filter::Filter;
use super::glyph::Glyphs;
use super::grown::Grown;
use super::keymap::{self, Key};
use super::outline::Outline;
use super::seen::Seen;
use super::since::Since;
use super::table::{Content, Table};
use super::theme::Theme;
use super::wizard::Wizard;
use crate::ids::NodeId;
use crate::model::{NodeIx, Severity, Snapshot};

pub(crate) use events::EventsList;
pub(crate) use find::FindingRow;
pub(crate) use motion::Move;
pub(crate) use overlay::{Choice, Overlay};
pub(crate) use why::{WhyPage, WhyRow};

/// A view on a number key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    /// Everything.
    Tree,
    /// Pools and devices.
    Layers,
    /// What is wrong, and what could not be seen.
    Findings,
    /// A pool's data, block by block.
    Blocks,
    /// What happened.
    Events,
    /// Who fills a pool.
    Why,
}

impl View {
    /// Whether the rows behind it are the tree's.
    const fn is_over_tree(self) -> bool {
        matches!(self, Self::Findings | Self::Blocks | Self::Events | Self::Why)
    }
}

/// Where the keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Focus {
    /// The list of the view.
    List,
    /// The details beside it.
    Pane,
}

/// The list of findings: where the person is in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct FindingsList {
    /// The row.
    pub(crate) cursor: usize,
    /// The first row shown.
    pub(crate) offset: usize,
    /// Only those of one device.
    pub(crate) only: Option<NodeId>,
}

/// How the screen looks: chosen once, from options and environment.
#[derive(Clone, Debug)]
pub struct Look {
    pub(crate) glyphs: &'static Glyphs,
    pub(crate) theme: Theme,
}

impl Look {
    /// With Unicode or ASCII signs, with sixteen colours or none.
    pub fn new(ascii: bool, colour: bool) -> Self {
        let theme = if colour { Theme::colour() } else { Theme::mono() };
        Self { glyphs: Glyphs::choose(ascii), theme }
    }
}

/// The state of the screen.
#[derive(Debug)]
pub struct App {
    pub(crate) look: Look,
    pub(crate) seen: Seen,
    pub(crate) now_ms: i64,
    pub(crate) since: Since,
    pub(crate) grown: Grown,
    pub(crate) size: Size,
    pub(crate) view: View,
    pub(crate) focus: Focus,
    pub(crate) tree: Table,
    pub(crate) layers: Table,
    pub(crate) findings: FindingsList,
    pub(crate) strip: Strip,
    pub(crate) events: EventsList,
    pub(crate) why: WhyPage,
    pub(crate) overlay: Option<Overlay>,
    pub(crate) wizard: Option<Box<Wizard>>,
    pub(crate) prompt: Option<Edit>,
    pub(crate) prompt_error: Option<String>,
    pub(crate) filter_text: String,
    pub(crate) filter: Filter,
    pub(crate) marks: HashSet<NodeId>,
    pub(crate) exact: bool,
    pub(crate) notice: Option<String>,
    pub(crate) pane_offset: usize,
    before_filter: Option<NodeIx>,
    came_from: View,
    /// The page that a jump into the tree began at: back leads there.
    jumped: bool,
    touched: bool,
    /// Questions to whoever looks for wizards, counted.
    asked: u32,
    effects: Vec<Effect>,
}

impl App {
    /// A screen that shows a first picture.
    pub fn new(snapshot: Arc<Snapshot>, look: Look, size: Size) -> Self {
        let mut since = Since::default();
        since.look(&snapshot, 0);
        let mut grown = Grown::default();
        grown.look(&snapshot, 0);
        let mut app = Self {
            look,
            seen: Seen::new(snapshot),
            now_ms: 0,
            since,
            grown,
            size: usable(size),
            view: View::Tree,
            focus: Focus::List,
            tree: Table::new(Content::Tree),
            layers: Table::new(Content::Layers),
            findings: FindingsList::default(),
            strip: Strip::default(),
            events: EventsList::default(),
            why: WhyPage::default(),
            overlay: None,
            wizard: None,
            prompt: None,
            prompt_error: None,
            filter_text: String::new(),
            filter: Filter::default(),
            marks: HashSet::new(),
            exact: false,
            notice: None,
            pane_offset: 0,
            before_filter: None,
            came_from: View::Tree,
            jumped: false,
            touched: false,
            asked: 0,
            effects: Vec::new(),
        };
        app.settle();
        app.open_on_trouble();
        app.settle();
        app
    }

    /// What an event makes of the screen, and what it asks for.
    pub fn update(&mut self, event: Event) -> Vec<Effect> {
        match event {
            Event::Terminal(TerminalEvent::Key(key)) if key.kind != KeyEventKind::Release => {
                self.take_key(&key);
            }
            Event::Terminal(TerminalEvent::Resize(width, height)) => {
                self.size = usable(Size::new(width, height));
            }
            Event::Terminal(TerminalEvent::Paste(text)) => self.paste(&text),
            Event::Terminal(_) => {}
            Event::Snapshot(snapshot) => self.take_snapshot(snapshot),
            Event::Tick(now_ms) => self.now_ms = now_ms,
            Event::Notice(Notice::Line(line)) => self.notice = Some(line),
            Event::Notice(Notice::Text(text)) => {
                self.overlay = Some(Overlay::Bare { text, offset: 0 });
            }
            Event::Notice(Notice::Space(space)) => self.take_space(*space),
            Event::Notice(Notice::Events(events)) => self.take_events(events),
            Event::Notice(Notice::Trends(trends)) => self.seen.trends = trends,
            Event::Notice(Notice::Desk(news)) => self.hear(news),
        }
        self.settle();
        std::mem::take(&mut self.effects)
    }

    fn take_snapshot(&mut self, snapshot: Arc<Snapshot>) {
        self.since.look(&snapshot, self.now_ms);
        self.grown.look(&snapshot, self.now_ms);
        let now = Seen::after(snapshot, &self.seen);
        let before = std::mem::replace(&mut self.seen, now);
        let same_storage = self.seen.same_storage(&before);
        let same_shape = self.seen.same_shape(&before);
        if !same_shape {
            // its index is of the picture before
            self.before_filter = None;
        }
        for (view, table) in [(View::Tree, &mut self.tree), (View::Layers, &mut self.layers)] {
            let shown = view == self.view || view == View::Tree && self.view.is_over_tree();
            // rows in the order of a figure may change places though nothing came or went
            if same_storage || same_shape && table.sorting.is_none() {
                table.look_at_figures(&self.seen, &self.filter);
            } else if shown {
                table.grow(&self.seen, &before, &self.filter);
            } else {
                table.put_away(&before);
            }
        }
        let marks = std::mem::take(&mut self.marks);
        self.marks =
            marks.into_iter().filter(|id| self.seen.topology().find(id).is_some()).collect();
        self.look_at_plan();
        if !self.touched {
            self.settle();
            self.open_on_trouble();
        }
    }

    /// Until a person presses a key, the selection stands on the device that hurts.
    fn open_on_trouble(&mut self) {
        let gravest = self.seen.gravest().filter(|finding| finding.severity == Severity::Critical);
        let node = gravest.and_then(|finding| self.seen.topology().find(finding.node.as_ref()?));
        let entry = node.and_then(|node| self.tree.outline.place_of(node));
        if let Some(entry) = entry {
            self.tree.reveal(entry, &self.seen);
        }
    }

    fn take_key(&mut self, event: &KeyEvent) {
        self.touched = true;
        if self.is_blind() && !leaves(event) {
            return;
        }
        self.notice = None;
        if self.wizard_types(event) {
            return;
        }
        if self.edits(|edit| edit.take(event)) {
            return;
        }
        let key = Key::pressed(event);
        let context = self.context();
        // the line being typed has taken every key that types
        if let Some(action) = keymap::find(key, context) {
            (action.run)(self);
        }
    }

    fn paste(&mut self, text: &str) {
        if self.wizard.is_some() && self.overlay.is_none() {
            self.wizard_paste(text);
            return;
        }
        self.edits(|edit| {
            edit.insert(text);
            true
        });
    }

    /// Where the keys go now.
    pub(crate) fn context(&self) -> Context {
        if let (None, Some(context)) = (&self.overlay, self.wizard_context()) {
            return context;
        }
        match (&self.overlay, &self.prompt, self.view) {
            (Some(Overlay::Details { .. }), ..) => Context::DETAILS,
            (Some(_), ..) | (None, Some(_), _) => Context::LIST,
            (None, None, View::Findings) => Context::FINDINGS,
            (None, None, View::Blocks) => Context::BLOCKS,
            (None, None, View::Events) => Context::EVENTS,
            (None, None, View::Why) => Context::WHY,
            (None, None, View::Tree | View::Layers) => Context::TABLE,
        }
    }

    /// The table of the present view, or the tree's behind the findings.
    pub(crate) fn table(&self) -> &Table {
        if self.view == View::Layers { &self.layers } else { &self.tree }
    }

    /// The same, to change.
    pub(crate) fn table_mut(&mut self) -> &mut Table {
        if self.view == View::Layers { &mut self.layers } else { &mut self.tree }
    }

    /// The table with what its methods ask for.
    fn table_and_seen(&mut self) -> (&mut Table, &Seen, &Filter) {
        let table = if self.view == View::Layers { &mut self.layers } else { &mut self.tree };
        (table, &self.seen, &self.filter)
    }

    /// The outline that the selection is in.
    pub(crate) fn outline(&self) -> &Outline {
        &self.table().outline
    }

    /// Where everything stands on the screen now.
    pub(crate) fn areas(&self) -> Areas {
        Areas::of(self)
    }

    /// Brings tables and scrolling up to date with what has changed.
    fn settle(&mut self) {
        let (table, seen, filter) = self.table_and_seen();
        if !table.is_grown() {
            table.grow(seen, seen, filter);
        }
        let height = self.areas().body.height.into();
        self.table_mut().scroll_into(height);
        self.settle_findings(height);
        self.settle_blocks();
        self.settle_events(height);
        self.settle_why();
        self.settle_overlay();
    }
}

/// Whether a key leaves the program wherever it is pressed.
fn leaves(event: &KeyEvent) -> bool {
    Key::pressed(event) == keymap::ctrl('c')
}

/// A serial line says 0×0: it is taken for the terminal it most likely is.
pub(crate) fn usable(size: Size) -> Size {
    if size.width == 0 || size.height == 0 { Size::new(80, 24) } else { size }
}
