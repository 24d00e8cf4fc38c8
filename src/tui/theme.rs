//! Styles by what they mean: the sixteen ANSI colours, or none.
//!
//! Knows meanings, not places. No meaning is carried by a colour alone: words and signs say the
//! same.

use ratatui::style::{Color, Modifier, Style};

use crate::model::Severity;

/// One style for each meaning.
#[derive(Clone, Debug)]
pub(crate) struct Theme {
    /// The program's name.
    pub(crate) title: Style,
    /// Plain text.
    pub(crate) plain: Style,
    /// What matters less: lines of the tree, what does not apply.
    pub(crate) dim: Style,
    /// What matters more.
    pub(crate) strong: Style,
    /// Heads of columns and of groups of facts.
    pub(crate) head: Style,
    /// The selected row, where the keys go.
    pub(crate) selected: Style,
    /// The selected row while the keys go elsewhere.
    pub(crate) selected_elsewhere: Style,
    /// A marked row.
    pub(crate) marked: Style,
    /// Text that the filter found.
    pub(crate) hit: Style,
    /// A key in the bar and in the help.
    pub(crate) key: Style,
    /// All is well and at work.
    pub(crate) good: Style,
    /// Hurts now.
    pub(crate) critical: Style,
    /// Will hurt.
    pub(crate) warning: Style,
    /// Could be better.
    pub(crate) advice: Style,
    /// A name of an image.
    pub(crate) image: Style,
}

impl Theme {
    /// The sixteen ANSI colours, as the person's terminal shows them. Dim is the attribute, not
    /// bright black: some palettes draw that in the colour of the ground.
    pub(crate) fn colour() -> Self {
        let plain = Style::new();
        Self {
            title: plain.fg(Color::Cyan).add_modifier(Modifier::BOLD),
            head: plain.fg(Color::Cyan),
            key: plain.fg(Color::Cyan).add_modifier(Modifier::BOLD),
            marked: plain.fg(Color::Magenta).add_modifier(Modifier::BOLD),
            hit: plain.fg(Color::Black).bg(Color::Yellow),
            good: plain.fg(Color::Green),
            critical: plain.fg(Color::LightRed).add_modifier(Modifier::BOLD),
            warning: plain.fg(Color::Yellow).add_modifier(Modifier::BOLD),
            advice: plain.fg(Color::Blue),
            image: plain.fg(Color::Blue).add_modifier(Modifier::BOLD),
            ..Self::mono()
        }
    }

    /// No colour: bold, dim, underline, reverse.
    pub(crate) fn mono() -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        Self {
            title: bold,
            plain,
            dim: plain.add_modifier(Modifier::DIM),
            strong: bold,
            head: plain.add_modifier(Modifier::UNDERLINED),
            selected: plain.add_modifier(Modifier::REVERSED),
            selected_elsewhere: bold.add_modifier(Modifier::UNDERLINED),
            marked: bold,
            hit: bold.add_modifier(Modifier::UNDERLINED),
            key: bold,
            good: plain,
            critical: bold.add_modifier(Modifier::REVERSED),
            warning: bold,
            advice: plain,
            image: bold,
        }
    }

    /// The style of a severity.
    pub(crate) fn severity(&self, severity: Severity) -> Style {
        match severity {
            Severity::Critical => self.critical,
            Severity::Warning => self.warning,
            Severity::Advice => self.advice,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mono_theme_has_no_colour() {
        let debug = format!("{:?}", Theme::mono());
        assert!(!debug.contains("fg:") && !debug.contains("fg("), "{debug}");
        assert_eq!(Theme::mono().critical.fg, None);
        assert_eq!(Theme::mono().hit.bg, None);
    }
}
