//! The one table of drawn signs, each with an ASCII twin, and the choice between the two.
//!
//! Knows terminals and locales by name only; draws nothing itself.

/// Every sign the screen draws beside text. Each is one column wide, or as wide as its text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Glyphs {
    /// Whether these are the twins.
    pub(crate) ascii: bool,
    /// A row with siblings below it.
    pub(crate) branch: &'static str,
    /// The last row among its siblings.
    pub(crate) last: &'static str,
    /// An ancestor goes on below.
    pub(crate) pipe: &'static str,
    /// A row whose children are hidden.
    pub(crate) folded: &'static str,
    /// The bracket of metadata, data and pool: first row.
    pub(crate) bracket_top: &'static str,
    /// The bracket, a member between.
    pub(crate) bracket_middle: &'static str,
    /// The bracket passes a row that is not of it.
    pub(crate) bracket_pass: &'static str,
    /// The bracket, last row.
    pub(crate) bracket_bottom: &'static str,
    /// A full cell of a gauge.
    pub(crate) full: &'static str,
    /// An empty cell of a gauge.
    pub(crate) empty: &'static str,
    /// Bars from the lowest to a full one.
    pub(crate) bars: [&'static str; 8],
    /// Left end of a gauge.
    pub(crate) gauge_left: &'static str,
    /// Right end of a gauge.
    pub(crate) gauge_right: &'static str,
    /// Something is cut out of a name.
    pub(crate) cut: &'static str,
    /// Points at what is drawn elsewhere.
    pub(crate) arrow: &'static str,
    /// Does not apply.
    pub(crate) none: &'static str,
    /// Is being read.
    pub(crate) loading: &'static str,
    /// Between facts in a line.
    pub(crate) dot: &'static str,
    /// Between table and pane.
    pub(crate) wall: &'static str,
    /// The part of that wall that stands for the visible rows.
    pub(crate) thumb: &'static str,
    /// Horizontal line.
    pub(crate) rule: &'static str,
    /// Sorted from small to large.
    pub(crate) ascending: &'static str,
    /// Sorted from large to small.
    pub(crate) descending: &'static str,
    /// The four arrow keys.
    pub(crate) arrows: [&'static str; 4],
}

/// For terminals that draw Unicode.
pub(crate) static UNICODE: Glyphs = Glyphs {
    ascii: false,
    branch: "├",
    last: "└",
    pipe: "│",
    folded: "▸",
    bracket_top: "┐",
    bracket_middle: "┤",
    bracket_pass: "│",
    bracket_bottom: "┘",
    full: "█",
    empty: "░",
    bars: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    gauge_left: "▕",
    gauge_right: "▏",
    cut: "…",
    arrow: "→",
    none: "–",
    loading: "…",
    dot: "·",
    wall: "│",
    thumb: "┃",
    rule: "─",
    ascending: "↑",
    descending: "↓",
    arrows: ["↑", "↓", "←", "→"],
};

/// For all others.
pub(crate) static ASCII: Glyphs = Glyphs {
    ascii: true,
    branch: "|",
    last: "`",
    pipe: "|",
    folded: "+",
    bracket_top: "\\",
    bracket_middle: "|",
    bracket_pass: "|",
    bracket_bottom: "/",
    full: "#",
    empty: ".",
    bars: ["_", "_", ".", "-", "-", "=", "=", "#"],
    gauge_left: "[",
    gauge_right: "]",
    cut: "~",
    arrow: ">",
    none: "-",
    loading: "...",
    dot: "-",
    wall: "|",
    thumb: "#",
    rule: "-",
    ascending: "^",
    descending: "v",
    arrows: ["up", "down", "left", "right"],
};

impl Glyphs {
    /// The table for a choice.
    pub(crate) fn choose(ascii: bool) -> &'static Self {
        if ascii { &ASCII } else { &UNICODE }
    }
}

/// Whether the environment asks for ASCII: the locale is not UTF-8, or the terminal is one that
/// has no font for more.
pub(crate) fn wants_ascii(variable: impl Fn(&str) -> Option<String>) -> bool {
    // the first of these that is set and not empty decides, as setlocale(3) says
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| variable(name).filter(|value| !value.is_empty()))
        .unwrap_or_default()
        .to_ascii_lowercase();
    let utf8 = locale.contains("utf-8") || locale.contains("utf8");
    !utf8 || is_plain_terminal(&variable("TERM").unwrap_or_default())
}

/// Whether a terminal is one without a wide font: the Linux console, DEC's, or none to speak of.
pub(crate) fn is_plain_terminal(term: &str) -> bool {
    term.is_empty() || term == "linux" || term == "dumb" || term.starts_with("vt")
}

/// Whether a terminal has no colours.
pub(crate) fn is_colourless_terminal(term: &str) -> bool {
    term.is_empty() || term == "dumb" || term.starts_with("vt")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ascii_with(pairs: &[(&str, &str)]) -> bool {
        wants_ascii(|name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_first_locale_that_is_set_decides() {
        assert!(!ascii_with(&[("LANG", "en_US.UTF-8"), ("TERM", "xterm")]));
        assert!(ascii_with(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8"), ("TERM", "xterm")]));
        assert!(!ascii_with(&[("LC_ALL", ""), ("LC_CTYPE", "C.utf8"), ("TERM", "tmux-256color")]));
        assert!(ascii_with(&[("TERM", "xterm")]));
    }

    #[test]
    fn a_console_without_a_font_gets_ascii_whatever_the_locale() {
        for term in ["linux", "vt100", "vt220", "dumb"] {
            assert!(ascii_with(&[("LANG", "C.UTF-8"), ("TERM", term)]), "{term}");
        }
    }

    #[test]
    fn the_twins_are_ascii_and_the_signs_are_one_column() {
        let g = &ASCII;
        for sign in [g.branch, g.last, g.pipe, g.folded, g.bracket_top, g.full, g.empty, g.cut] {
            assert!(sign.is_ascii() && sign.len() == 1, "{sign}");
        }
        for sign in [g.arrow, g.none, g.loading, g.dot, g.wall, g.thumb, g.rule, g.ascending] {
            assert!(sign.is_ascii(), "{sign}");
        }
        let g = &UNICODE;
        for sign in [g.branch, g.folded, g.bracket_top, g.full, g.cut, g.arrow, g.none, g.dot] {
            assert_eq!(unicode_width::UnicodeWidthStr::width(sign), 1, "{sign}");
        }
    }
}
