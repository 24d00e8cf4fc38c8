//! A screen without a terminal: as text, and as SVG for documents. The same state and the same
//! drawing as in the terminal.

mod svg;

use std::sync::Arc;

use crossterm::event::{Event as TerminalEvent, KeyCode, KeyEvent, KeyModifiers};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Size;

use super::app::{App, Look, usable};
use super::event::Event;
use super::view;
use crate::model::Snapshot;

pub use svg::svg;

/// A screen, drawn.
#[derive(Clone, Debug)]
pub struct Picture {
    /// As text, a line a row.
    pub text: String,
    /// As SVG.
    pub svg: String,
}

/// Why a text is no list of keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "no key <{0}>: there are <enter> <esc> <tab> <space> <up> <down> <left> <right> <pgup> <pgdn> <home> <end> <lt> and <c-X>"
)]
pub struct NoSuchKey(String);

/// Draws a snapshot after keys have been pressed: `jjl` or `2<enter>`.
pub fn render(
    snapshot: Arc<Snapshot>,
    size: (u16, u16),
    keys: &str,
    ascii: bool,
) -> Result<Picture, NoSuchKey> {
    let size = usable(Size::new(size.0, size.1));
    let newest = snapshot.sources.iter().filter_map(|source| source.answered_at_ms).max();
    let mut app = App::new(snapshot, Look::new(ascii, true), size);
    if let Some(newest) = newest {
        app.update(Event::Tick(newest));
    }
    for key in parse_keys(keys)? {
        app.update(Event::Terminal(TerminalEvent::Key(key)));
    }
    let buffer = draw(&app, size);
    Ok(Picture { text: text(&buffer), svg: svg(&buffer) })
}

/// The cells of a screen.
pub fn draw(app: &App, size: Size) -> Buffer {
    let Ok(mut terminal) = Terminal::new(TestBackend::new(size.width, size.height));
    let Ok(_) = terminal.draw(|frame| view::draw(frame, app));
    terminal.backend().buffer().clone()
}

/// The characters of a screen, without spaces at the ends of lines.
pub fn text(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut line = String::new();
        let mut covered = 0;
        for x in buffer.area.left()..buffer.area.right() {
            let symbol = buffer[(x, y)].symbol();
            if covered == 0 {
                line.push_str(symbol);
                covered = super::width::columns(symbol);
            }
            // a wide character stands in the next cell too
            covered = covered.saturating_sub(1);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// Reads keys as they are written on a command line.
pub fn parse_keys(text: &str) -> Result<Vec<KeyEvent>, NoSuchKey> {
    let mut keys = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let named = rest.strip_prefix('<').and_then(|tail| tail.split_once('>'));
        if let Some((name, tail)) = named {
            keys.push(parse_named(name).ok_or_else(|| NoSuchKey(name.to_owned()))?);
            rest = tail;
        } else {
            keys.push(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
            rest = &rest[c.len_utf8()..];
        }
    }
    Ok(keys)
}

fn parse_named(name: &str) -> Option<KeyEvent> {
    let plain = |code| Some(KeyEvent::new(code, KeyModifiers::NONE));
    match name {
        "enter" => plain(KeyCode::Enter),
        "esc" => plain(KeyCode::Esc),
        "tab" => plain(KeyCode::Tab),
        "space" => plain(KeyCode::Char(' ')),
        "up" => plain(KeyCode::Up),
        "down" => plain(KeyCode::Down),
        "left" => plain(KeyCode::Left),
        "right" => plain(KeyCode::Right),
        "pgup" => plain(KeyCode::PageUp),
        "pgdn" => plain(KeyCode::PageDown),
        "home" => plain(KeyCode::Home),
        "end" => plain(KeyCode::End),
        "lt" => plain(KeyCode::Char('<')),
        _ => {
            let mut chars = name.strip_prefix("c-")?.chars();
            let c = chars.next().filter(|_| chars.as_str().is_empty())?;
            Some(KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_written() {
        let keys = parse_keys("j<enter>/a<lt><c-l>").expect("all of these are keys");
        let codes: Vec<KeyCode> = keys.iter().map(|key| key.code).collect();
        let c = KeyCode::Char;
        assert_eq!(codes, [c('j'), KeyCode::Enter, c('/'), c('a'), c('<'), c('l')]);
        assert_eq!(keys[5].modifiers, KeyModifiers::CONTROL);
        assert_eq!(parse_keys("<nope>"), Err(NoSuchKey("nope".to_owned())));
    }
}
