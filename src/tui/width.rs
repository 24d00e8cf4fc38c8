//! Text that takes a certain number of columns: characters whose width terminals disagree about
//! are replaced, long names are cut in the middle.
//!
//! Knows characters, and nothing of what they name.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Stands for a character whose width is not certain.
const REPLACEMENT: char = '?';

/// The same text with certain widths only: ASCII, the letters of Europe (one column), ideographs,
/// kana and hangul (two). Marks that combine, emoji and signs of ambiguous width are replaced.
pub(crate) fn certain(text: &str, ascii: bool) -> Cow<'_, str> {
    let fits = |c: char| if ascii { matches!(c, ' '..='~') } else { is_certain(c) };
    if text.chars().all(fits) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if fits(c) { c } else { REPLACEMENT }).collect())
}

fn is_certain(c: char) -> bool {
    matches!(u32::from(c),
        0x20..=0x7e
        // the letters of Latin, Greek and Cyrillic; their width is ambiguous only in encodings
        // that no UTF-8 terminal uses
        | 0xc0..=0xd6 | 0xd8..=0xf6 | 0xf8..=0x24f | 0x391..=0x3a1 | 0x3a3..=0x3c9
        | 0x400..=0x45f
        | 0x3041..=0x3096 | 0x30a1..=0x30fa | 0x30fc | 0x4e00..=0x9fff | 0xac00..=0xd7a3
        | 0xff01..=0xff5e
        // our own signs, which are drawn everywhere else too
        | 0x2026 | 0x2013 | 0xb7 | 0x2190..=0x2193 | 0x2581..=0x2588 | 0x258f | 0x2591 | 0x2595)
}

/// Columns that a text takes.
pub(crate) fn columns(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// Cuts the middle out of a text that is wider than `max`: both ends of a device name say more
/// than its middle.
pub(crate) fn cut_middle<'a>(text: &'a str, max: usize, cut: &str) -> Cow<'a, str> {
    if columns(text) <= max {
        return Cow::Borrowed(text);
    }
    let Some(room) = max.checked_sub(columns(cut)).filter(|room| *room > 0) else {
        return Cow::Borrowed(head(text, max));
    };
    let front = head(text, room.div_ceil(2));
    Cow::Owned(format!("{front}{cut}{}", tail(text, room - columns(front))))
}

/// Cuts the end off a text that is wider than `max`.
pub(crate) fn cut_end<'a>(text: &'a str, max: usize, cut: &str) -> Cow<'a, str> {
    if columns(text) <= max {
        return Cow::Borrowed(text);
    }
    match max.checked_sub(columns(cut)) {
        Some(room) => Cow::Owned(format!("{}{cut}", head(text, room))),
        None => Cow::Borrowed(head(text, max)),
    }
}

/// As much of the beginning as fits.
fn head(text: &str, max: usize) -> &str {
    let mut used = 0;
    for (at, c) in text.char_indices() {
        used += c.width().unwrap_or(0);
        if used > max {
            return &text[..at];
        }
    }
    text
}

/// As much of the end as fits.
fn tail(text: &str, max: usize) -> &str {
    let (mut used, mut from) = (0, text.len());
    for (at, c) in text.char_indices().rev() {
        used += c.width().unwrap_or(0);
        if used > max {
            break;
        }
        from = at;
    }
    &text[from..]
}

/// Breaks a text into lines of at most `width` columns, at spaces where there are any.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let mut word = word;
        if !line.is_empty() && columns(&line) + 1 + columns(word) > width {
            lines.push(std::mem::take(&mut line));
        }
        while columns(word) > width {
            let part = head(word, width);
            // a character wider than the line cannot be placed at all
            let part = if part.is_empty() { word } else { part };
            lines.push(part.to_owned());
            word = &word[part.len()..];
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_certain_widths_pass() {
        assert_eq!(certain("web-1", false), "web-1");
        assert_eq!(certain("café 漢字", false), "café 漢字");
        assert_eq!(certain("café", true), "caf?");
        // an emoji, a combining accent, a bidi mark, a sign that is wide in some fonts
        assert_eq!(certain("a\u{1f600}e\u{301}\u{202e}\u{2605}", false), "a?e???");
    }

    #[test]
    fn names_lose_their_middle() {
        assert_eq!(cut_middle("docker-253:0-1835052-base", 12, "…"), "docker…-base");
        assert_eq!(cut_middle("short", 12, "…"), "short");
        assert_eq!(cut_middle("abc", 1, "…"), "a");
        assert_eq!(cut_middle("abc", 0, "…"), "");
        assert_eq!(cut_middle("漢字漢字", 5, "…"), "漢…字");
        assert_eq!(cut_end("running away", 8, "…"), "running…");
    }

    #[test]
    fn sentences_break_at_spaces_and_long_words_anywhere() {
        assert_eq!(wrap("the pool is full", 8), ["the pool", "is full"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("", 3), [""]);
    }

    proptest! {
        #[test]
        fn what_is_cut_fits(text in ".{0,40}", max in 0usize..30) {
            let text = certain(&text, false).into_owned();
            prop_assert!(columns(&cut_middle(&text, max, "…")) <= max);
            prop_assert!(columns(&cut_end(&text, max, "…")) <= max);
            prop_assert!(wrap(&text, max.max(2)).iter().all(|line| columns(line) <= max.max(2)));
        }
    }
}
