//! The one place where names from outside are made safe to print.
//!
//! Device names, labels, image and container names, loop paths and tool output may hold escape
//! sequences, newlines, bidi marks or bytes that are no text. They become [`Printable`] once, at
//! the border, and nothing downstream has to think of it again.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

/// Text that is safe on any terminal: every control, bidi and invisible character and every
/// byte that is not UTF-8 stands visibly as `\x1b` or `\u{202e}`. Cheap to clone.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Printable(Arc<str>);

impl Printable {
    /// Makes bytes from outside printable.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::from_text(text),
            Err(_) => Self(escape_bytes(bytes).into()),
        }
    }

    /// Makes text from outside printable.
    pub fn from_text(text: &str) -> Self {
        // nearly every name is plain ASCII, which is told many bytes at a time
        let plain = text.bytes().all(|byte| matches!(byte, 0x20..=0x7e));
        if !plain && text.chars().any(is_unsafe) {
            let mut out = String::with_capacity(text.len() + 8);
            text.chars().for_each(|c| push_safe(&mut out, c));
            Self(out.into())
        } else {
            Self(text.into())
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is no character at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Characters that move the cursor, change the terminal, reorder or hide their neighbours.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0x00ad | 0x034f | 0x061c | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f
            | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f
            | 0xfeff | 0xffa0 | 0xfff0..=0xfffb | 0x1_d173..=0x1_d17a | 0xe_0000..=0xe_0fff)
}

fn push_safe(out: &mut String, c: char) {
    use fmt::Write;
    let written = match u32::from(c) {
        code @ 0..=0xff if is_unsafe(c) => write!(out, "\\x{code:02x}"),
        code if is_unsafe(c) => write!(out, "\\u{{{code:x}}}"),
        _ => out.write_char(c),
    };
    // writing to a String cannot fail
    debug_assert!(written.is_ok());
}

fn escape_bytes(mut bytes: &[u8]) -> String {
    use fmt::Write;
    let mut out = String::with_capacity(bytes.len() + 8);
    while !bytes.is_empty() {
        let good = match std::str::from_utf8(bytes) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let (text, rest) = bytes.split_at(good);
        String::from_utf8_lossy(text).chars().for_each(|c| push_safe(&mut out, c));
        let Some((bad, rest)) = rest.split_first() else { break };
        let _ = write!(out, "\\x{bad:02x}");
        bytes = rest;
    }
    out
}

impl From<&str> for Printable {
    fn from(text: &str) -> Self {
        Self::from_text(text)
    }
}

impl From<String> for Printable {
    fn from(text: String) -> Self {
        Self::from_text(&text)
    }
}

impl Borrow<str> for Printable {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Printable {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for Printable {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

impl fmt::Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Serialize for Printable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_escape_sequence_is_shown_and_not_sent() {
        assert_eq!(Printable::from_text("a\x1b[31mb\nc"), "a\\x1b[31mb\\x0ac");
        assert_eq!(Printable::from_text("x\u{202e}y\u{9b}"), "x\\u{202e}y\\x9b");
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_one_by_one() {
        assert_eq!(Printable::from_bytes(b"vg\xff\xfe-\xc3\xa9"), "vg\\xff\\xfe-\u{e9}");
        assert_eq!(Printable::from_bytes(b"cut \xe2\x82"), "cut \\xe2\\x82");
    }

    #[test]
    fn plain_names_stay_as_they_are() {
        assert_eq!(Printable::from_text("docker-253:0-1-base"), "docker-253:0-1-base");
        assert_eq!(Printable::from_text("ünïcode 漢字"), "ünïcode 漢字");
    }

    proptest! {
        #[test]
        fn nothing_unsafe_is_left_whatever_came_in(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let printable = Printable::from_bytes(&bytes);
            prop_assert!(!printable.as_str().chars().any(is_unsafe));
        }

        #[test]
        fn making_it_printable_twice_changes_nothing(text in "\\PC*|.*") {
            let once = Printable::from_text(&text);
            prop_assert_eq!(Printable::from_text(once.as_str()), once);
        }
    }
}
