//! One line of text being typed.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The longest line that can be typed or pasted.
const LONGEST: usize = 256;

/// A line and the place in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Edit {
    before: String,
    after: String,
}

impl Edit {
    /// An empty line.
    pub(crate) const fn empty() -> Self {
        Self { before: String::new(), after: String::new() }
    }

    /// A line with the place at its end.
    pub(crate) fn new(text: &str) -> Self {
        Self { before: text.to_owned(), after: String::new() }
    }

    /// The whole line.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.before, self.after)
    }

    /// What stands before the place.
    pub(crate) fn before(&self) -> &str {
        &self.before
    }

    /// What stands after it.
    pub(crate) fn after(&self) -> &str {
        &self.after
    }

    /// Adds text at the place; what is no character of a line is left out.
    pub(crate) fn insert(&mut self, text: &str) {
        let room = LONGEST.saturating_sub(self.before.len() + self.after.len());
        let good = text.chars().filter(|c| !c.is_control());
        let mut used = 0;
        self.before.extend(good.take_while(|c| {
            used += c.len_utf8();
            used <= room
        }));
    }

    /// Takes a key that edits; false when the key is not for editing.
    pub(crate) fn take(&mut self, key: &KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('u') if control => self.before.clear(),
            KeyCode::Char('w') if control => self.erase_word(),
            KeyCode::Char('a') if control => self.home(),
            KeyCode::Char('e') if control => self.end(),
            KeyCode::Char('h') if control => drop(self.before.pop()),
            KeyCode::Char(c) if !control && !key.modifiers.contains(KeyModifiers::ALT) => {
                self.insert(c.encode_utf8(&mut [0; 4]));
            }
            KeyCode::Backspace => drop(self.before.pop()),
            KeyCode::Delete => self.after = self.after.chars().skip(1).collect(),
            KeyCode::Left => {
                if let Some(c) = self.before.pop() {
                    self.after.insert(0, c);
                }
            }
            KeyCode::Right => {
                let mut rest = self.after.chars();
                self.before.extend(rest.next());
                self.after = rest.collect();
            }
            KeyCode::Home => self.home(),
            KeyCode::End => self.end(),
            _ => return false,
        }
        true
    }

    fn home(&mut self) {
        self.after = self.text();
        self.before.clear();
    }

    fn end(&mut self) {
        self.before = self.text();
        self.after.clear();
    }

    fn erase_word(&mut self) {
        let kept = self.before.trim_end().rfind(' ').map_or(0, |at| at + 1);
        self.before.truncate(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(edit: &mut Edit, code: KeyCode, modifiers: KeyModifiers) -> bool {
        edit.take(&KeyEvent::new(code, modifiers))
    }

    #[test]
    fn a_line_is_edited_as_in_a_shell() {
        let mut edit = Edit::new("role container");
        assert!(typed(&mut edit, KeyCode::Char('w'), KeyModifiers::CONTROL));
        assert_eq!(edit.text(), "role ");
        assert!(typed(&mut edit, KeyCode::Home, KeyModifiers::NONE));
        assert!(typed(&mut edit, KeyCode::Char(':'), KeyModifiers::NONE));
        assert_eq!(edit.text(), ":role ");
        assert!(typed(&mut edit, KeyCode::Delete, KeyModifiers::NONE));
        assert!(typed(&mut edit, KeyCode::Right, KeyModifiers::NONE));
        assert!(typed(&mut edit, KeyCode::Backspace, KeyModifiers::NONE));
        assert_eq!((edit.before(), edit.after()), (":", "le "));
        assert!(typed(&mut edit, KeyCode::Char('u'), KeyModifiers::CONTROL));
        assert_eq!(edit.text(), "le ");
        assert!(!typed(&mut edit, KeyCode::Enter, KeyModifiers::NONE));
    }

    #[test]
    fn a_paste_is_one_line_of_bounded_length() {
        let mut edit = Edit::default();
        edit.insert("a\nb\x1b[31m");
        assert_eq!(edit.text(), "ab[31m");
        edit.insert(&"é".repeat(1000));
        assert!(edit.text().len() <= LONGEST);
    }
}
