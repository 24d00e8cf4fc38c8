//! A text in the making: sentences broken at a width, with their indentation kept.

use ratatui::style::Style;

use crate::tui::app::Look;
use crate::tui::theme::Theme;
use crate::tui::view::Spans;
use crate::tui::width::{certain, wrap};

/// Lines so far.
pub(super) struct Page<'a> {
    look: &'a Look,
    width: usize,
    /// The lines.
    pub(super) lines: Vec<Spans>,
}

impl<'a> Page<'a> {
    /// An empty one.
    pub(super) fn new(look: &'a Look, width: u16) -> Self {
        Self { look, width: usize::from(width).max(20), lines: Vec::new() }
    }

    /// Its styles.
    pub(super) fn theme(&self) -> &'a Theme {
        &self.look.theme
    }

    /// A sentence after some columns; its further lines stand under its first word.
    pub(super) fn text(&mut self, indent: usize, text: &str, style: Style) {
        self.led(&" ".repeat(indent), text, style);
    }

    /// A sentence after a word or sign.
    pub(super) fn led(&mut self, lead: &str, text: &str, style: Style) {
        let indent = lead.chars().count();
        let text = certain(text, self.look.glyphs.ascii);
        for (at, line) in wrap(&text, self.width.saturating_sub(indent)).into_iter().enumerate() {
            let lead = if at == 0 { lead.to_owned() } else { " ".repeat(indent) };
            self.lines.push(vec![(lead, self.look.theme.dim), (line, style)]);
        }
    }

    /// A line of pieces, as it is.
    pub(super) fn spans(&mut self, spans: Spans) {
        self.lines.push(spans);
    }

    /// A word over what follows.
    pub(super) fn head(&mut self, text: &str) {
        self.lines.push(vec![(text.to_owned(), self.look.theme.head)]);
    }

    /// An empty line.
    pub(super) fn blank(&mut self) {
        self.lines.push(Vec::new());
    }

    /// A command of a plan.
    pub(super) fn command(&mut self, indent: usize, argv: &[String]) {
        let line = crate::plan::script::line(argv);
        let lead = format!("{}$ ", " ".repeat(indent));
        // the lines of a table are one word with line ends in it
        self.led(&lead, &line.replace('\n', " "), self.look.theme.strong);
    }
}

/// A button; the one with the keys is marked by a sign too.
pub(super) fn button(label: &str, here: bool, theme: &Theme) -> Spans {
    let (sign, style) = if here { (">", theme.selected) } else { (" ", theme.plain) };
    vec![(sign.to_owned(), theme.strong), (format!("[ {label} ]"), style)]
}
