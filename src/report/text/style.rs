//! Glyphs and colours of text reports. State is never told by colour alone.

use std::fmt;

/// How text is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Style {
    /// ASCII only, names included.
    pub ascii: bool,
    /// With colours.
    pub color: bool,
}

/// What a colour stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Paint {
    /// As the terminal has it.
    #[default]
    Plain,
    /// A heading.
    Bold,
    /// Less important.
    Dim,
    /// Will hurt.
    Warning,
    /// Hurts.
    Bad,
}

impl Paint {
    /// The SGR parameters (ECMA-48), of the sixteen colours that every terminal has.
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Warning => "33",
            Self::Bad => "1;31",
        }
    }
}

/// Text in a colour, when there are colours.
pub(super) struct Painted<'a>(pub(super) Style, pub(super) Paint, pub(super) &'a str);

impl fmt::Display for Painted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(style, paint, text) = self;
        if !style.color || *paint == Paint::Plain || text.is_empty() {
            return f.write_str(text);
        }
        write!(f, "\x1b[{}m{text}\x1b[0m", paint.code())
    }
}

impl Style {
    /// What does not apply here.
    pub(super) const fn nothing(self) -> &'static str {
        if self.ascii { "-" } else { "–" }
    }

    /// The way to a node that is drawn elsewhere.
    pub(super) const fn pointer(self) -> &'static str {
        if self.ascii { "-> " } else { "→ " }
    }

    /// The branch to an item, and what stands below it.
    pub(super) const fn branch(self, last: bool) -> (&'static str, &'static str) {
        match (self.ascii, last) {
            (false, false) => ("├─", "│ "),
            (false, true) => ("└─", "  "),
            (true, false) => ("|-", "| "),
            (true, true) => ("`-", "  "),
        }
    }

    /// A text that this style can print. A byte above 127 may be a control character where the
    /// terminal's character set is not UTF-8, so ASCII means the names too.
    pub(super) fn fit(self, text: String) -> String {
        if !self.ascii || text.is_ascii() {
            return text;
        }
        let mut out = String::with_capacity(text.len() + 8);
        for c in text.chars() {
            if c.is_ascii() {
                out.push(c);
            } else {
                out.extend(c.escape_unicode());
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colour_there_is_no_escape_sequence() {
        let plain = Style::default();
        assert_eq!(Painted(plain, Paint::Bad, "full").to_string(), "full");
        let colored = Style { color: true, ..plain };
        assert_eq!(Painted(colored, Paint::Bad, "full").to_string(), "\x1b[1;31mfull\x1b[0m");
    }

    #[test]
    fn ascii_means_the_names_too() {
        let ascii = Style { ascii: true, color: false };
        assert_eq!(ascii.fit("caf\u{e9}".into()), "caf\\u{e9}");
        assert_eq!(Style::default().fit("caf\u{e9}".into()), "caf\u{e9}");
    }
}
