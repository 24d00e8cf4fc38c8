//! Writing into the frame: never outside it, never a character of uncertain width.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Spans;
use crate::tui::app::Look;
use crate::tui::glyph::Glyphs;
use crate::tui::theme::Theme;
use crate::tui::width::{certain, columns, cut_end};

/// A stretch of one line.
#[derive(Clone, Copy, Debug)]
pub(super) struct At {
    x: u16,
    y: u16,
    width: u16,
}

/// A stretch of one line, from its first cell.
pub(super) const fn on(x: u16, y: u16, width: u16) -> At {
    At { x, y, width }
}

/// Writes into a frame.
#[derive(Debug)]
pub(super) struct Pen<'b> {
    buffer: &'b mut Buffer,
    /// The signs.
    pub(super) glyphs: &'static Glyphs,
    /// The styles.
    pub(super) theme: Theme,
}

impl<'b> Pen<'b> {
    /// For a frame.
    pub(super) fn new(buffer: &'b mut Buffer, look: &Look) -> Self {
        Self { buffer, glyphs: look.glyphs, theme: look.theme.clone() }
    }

    /// Writes a text from outside, cut at its end to a width; answers the column after it.
    pub(super) fn text(&mut self, at: At, text: &str, style: Style) -> u16 {
        let text = certain(text, self.glyphs.ascii);
        let text = cut_end(&text, at.width.into(), self.glyphs.cut);
        self.raw(at, &text, style)
    }

    /// Writes a text at the right of a width.
    pub(super) fn right(&mut self, At { x, y, width }: At, text: &str, style: Style) {
        let taken = u16::try_from(columns(text)).unwrap_or(width).min(width);
        self.text(on(x + width - taken, y, taken), text, style);
    }

    /// Writes our own signs, or a text that has passed [`certain`] before.
    pub(super) fn raw(&mut self, At { x, y, width }: At, text: &str, style: Style) -> u16 {
        let area = self.buffer.area;
        if y >= area.bottom() || x >= area.right() {
            return x;
        }
        let (after, _) = self.buffer.set_stringn(x, y, text, width.into(), style);
        after
    }

    /// Writes pieces one after another.
    pub(super) fn spans(&mut self, x: u16, y: u16, width: u16, spans: &Spans) -> u16 {
        let end = x.saturating_add(width);
        spans
            .iter()
            .fold(x, |at, (text, style)| self.text(on(at, y, end.saturating_sub(at)), text, *style))
    }

    /// Lays a style over an area.
    pub(super) fn style(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(area.intersection(self.buffer.area), style);
    }

    /// Empties an area.
    pub(super) fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for position in area.positions() {
            self.buffer[position].reset();
        }
    }

    /// A horizontal line.
    pub(super) fn rule(&mut self, x: u16, y: u16, width: u16) {
        let line = self.glyphs.rule.repeat(width.into());
        self.raw(on(x, y, width), &line, self.theme.dim);
    }
}
