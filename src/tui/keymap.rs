//! Keys: how they are written in the table of actions, found when pressed, and shown.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::action::{ACTIONS, Action, Context};
use super::glyph::Glyphs;

/// A key, with control or without. Shift is part of the character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// The key.
    pub(crate) code: KeyCode,
    /// Control is held.
    pub(crate) control: bool,
}

/// A character key.
pub(crate) const fn key(c: char) -> Key {
    Key { code: KeyCode::Char(c), control: false }
}

/// A character key with control.
pub(crate) const fn ctrl(c: char) -> Key {
    Key { code: KeyCode::Char(c), control: true }
}

/// A key that is no character.
pub(crate) const fn named(code: KeyCode) -> Key {
    Key { code, control: false }
}

impl Key {
    /// The key that was pressed.
    pub(crate) fn pressed(event: &KeyEvent) -> Self {
        Self { code: event.code, control: event.modifiers.contains(KeyModifiers::CONTROL) }
    }

    /// As it is written in the bar and the help.
    pub(crate) fn label(self, glyphs: &Glyphs) -> String {
        let name = match self.code {
            KeyCode::Char(' ') => "space".to_owned(),
            KeyCode::Char(c) => c.to_string(),
            KeyCode::Up => glyphs.arrows[0].to_owned(),
            KeyCode::Down => glyphs.arrows[1].to_owned(),
            KeyCode::Left => glyphs.arrows[2].to_owned(),
            KeyCode::Right => glyphs.arrows[3].to_owned(),
            KeyCode::Enter => "enter".to_owned(),
            KeyCode::Esc => "esc".to_owned(),
            KeyCode::Tab => "tab".to_owned(),
            KeyCode::BackTab => "shift-tab".to_owned(),
            KeyCode::PageUp => "pgup".to_owned(),
            KeyCode::PageDown => "pgdn".to_owned(),
            KeyCode::Home => "home".to_owned(),
            KeyCode::End => "end".to_owned(),
            other => format!("{other:?}").to_lowercase(),
        };
        if self.control { format!("ctrl-{name}") } else { name }
    }
}

/// The action of a key in a context.
pub(crate) fn find(key: Key, context: Context) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.contexts.has(context) && action.keys.contains(&key))
}
