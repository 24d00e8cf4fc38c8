//! The name in a row: with its mark before it, and what is said of it in the same cell after it.

use super::Subject;
use crate::model::{ContainerState, Node, Role, ThinDevice};
use crate::tui::glyph::Glyphs;
use crate::tui::outline::{Group, GroupKind, NONE, Outline, What};
use crate::tui::seen::Seen;

/// A name in three parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Name {
    /// `*` runs, `x` has no owner or no device, an arrow points elsewhere.
    pub(crate) mark: Option<&'static str>,
    /// The name.
    pub(crate) text: String,
    /// What is said after it, in a quieter voice.
    pub(crate) aside: String,
}

impl Name {
    fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// The name of a row.
pub(crate) fn name(
    seen: &Seen,
    outline: &Outline,
    entry: u32,
    subject: &Subject<'_>,
    glyphs: &Glyphs,
) -> Name {
    match (subject.what, subject.thin, subject.node) {
        (What::Group(at), ..) => group(outline.groups.get(at as usize), glyphs),
        (What::Below(at), ..) => below(outline, at, glyphs),
        (What::Pointer { .. }, _, Some(node)) => {
            Name { mark: Some(glyphs.arrow), text: short(node).to_owned(), aside: String::new() }
        }
        (_, Some(device), _) => thin(seen, outline, entry, device),
        (_, None, Some(node)) => Name::plain(short(node)),
        (_, None, None) => Name::default(),
    }
}

/// A node's name under its parents.
pub(crate) fn short(node: &Node) -> &str {
    node.short.as_ref().unwrap_or(&node.name).as_str()
}

fn group(group: Option<&Group>, glyphs: &Glyphs) -> Name {
    let Some(group) = group else { return Name::default() };
    let mut parts = Vec::new();
    if group.kind == GroupKind::Image {
        parts.push(count(group.layers, "layer"));
        if group.containers > 0 {
            parts.push(count(group.containers, "container"));
        }
    }
    if group.names.len() > 1 {
        parts.push(count_names(group.names.len() - 1));
    }
    let aside = parts.join(&format!(" {} ", glyphs.dot));
    Name { mark: None, text: group.name().to_owned(), aside }
}

fn count_names(more: usize) -> String {
    format!("+{more} name{}", if more == 1 { "" } else { "s" })
}

/// `1 layer`, `5 layers`.
pub(crate) fn count(number: u32, what: &str) -> String {
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}

fn below(outline: &Outline, at: u32, glyphs: &Glyphs) -> Name {
    let below = outline.groups.get(at as usize).and_then(|group| group.below);
    let Some(below) = below else { return Name::default() };
    let of = outline.groups.get(below.group as usize).map_or("", Group::name);
    let text = format!("{} of {of}", count(below.layers, "layer"));
    Name { mark: Some(glyphs.arrow), text, aside: String::new() }
}

fn thin(seen: &Seen, outline: &Outline, entry: u32, device: &ThinDevice) -> Name {
    match device.role {
        Role::Leaked => Name { mark: Some("x"), ..Name::plain("(no owner)") },
        Role::Missing => Name { mark: Some("x"), ..Name::plain(short_hash(&device.label())) },
        Role::Container => {
            let state = device.container.as_ref().and_then(|container| container.state);
            let mark = (state == Some(ContainerState::Running)).then_some("*");
            Name { mark, ..Name::plain(device.label()) }
        }
        Role::ImageLayer => layer(seen, outline, entry, device),
        _ => Name::plain(short_hash(&device.label())),
    }
}

/// Within its image's group a layer is a position and a hash; elsewhere the image comes first.
fn layer(seen: &Seen, outline: &Outline, entry: u32, device: &ThinDevice) -> Name {
    let parent = outline.entry(entry).map_or(NONE, |entry| entry.parent);
    let group = std::iter::once(parent)
        .filter(|at| *at != NONE)
        .chain(outline.ancestors(entry))
        .find_map(|at| match outline.entry(at)?.what {
            What::Group(group) => outline.groups.get(group as usize),
            _ => None,
        })
        .filter(|group| group.kind == GroupKind::Image);
    let Some(group) = group else { return Name::plain(short_hash(&device.label())) };
    let thin = seen.topology().nodes.get(device.node.0 as usize).and_then(|node| node.facts.thin);
    let at = thin.and_then(|ix| seen.descent.layers.get(ix.0 as usize)).copied().unwrap_or(0);
    Name {
        mark: None,
        text: format!("{at}/{}", group.layers),
        aside: short_hash(device.name.as_str()),
    }
}

/// Engines print the first twelve digits of a hash; more says nothing to a person.
pub(crate) fn short_hash(name: &str) -> String {
    let hex = name.strip_prefix("sha256:").unwrap_or(name);
    let digits = hex.bytes().take_while(u8::is_ascii_hexdigit).count();
    match (digits, hex.get(64..)) {
        (64, Some(rest)) => format!("{}{rest}", &hex[..12]),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_as_short_as_engines_print_them() {
        let hash = "a".repeat(64);
        assert_eq!(short_hash(&hash), "aaaaaaaaaaaa");
        assert_eq!(short_hash(&format!("{hash}-init")), "aaaaaaaaaaaa-init");
        assert_eq!(short_hash(&format!("sha256:{hash}")), "aaaaaaaaaaaa");
        assert_eq!(short_hash("base"), "base");
        assert_eq!(short_hash("deadbeef"), "deadbeef");
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!(count(1, "layer"), "1 layer");
        assert_eq!(count(0, "container"), "0 containers");
    }
}
