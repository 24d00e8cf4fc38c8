//! What stands in the cells of a row: name, kind, figures, state. Text is made only for rows that
//! are drawn, searched or sorted.
//!
//! Knows snapshots and outlines; nothing of positions on screen.

pub(crate) mod figure;
pub(crate) mod name;
pub(crate) mod state;

use super::outline::{GroupKind, Outline, What};
use super::seen::Seen;
use crate::model::{Kind, Node, NodeIx, Role, ThinDevice};

/// What a row is about, with its facts at hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Subject<'s> {
    /// What the row stands for.
    pub(crate) what: What,
    /// Its node: itself, or what it points at.
    pub(crate) node: Option<&'s Node>,
    /// The index of that node.
    pub(crate) ix: Option<NodeIx>,
    /// The thin device that it is.
    pub(crate) thin: Option<&'s ThinDevice>,
    /// Whether it is the group of an image.
    pub(crate) image: bool,
}

impl<'s> Subject<'s> {
    /// Of a row.
    pub(crate) fn of(seen: &'s Seen, outline: &Outline, what: What) -> Self {
        let ix = outline.node_of(what);
        let node = ix.and_then(|ix| seen.topology().nodes.get(ix.0 as usize));
        let thin = node.and_then(|node| node.facts.thin);
        let thin = thin.and_then(|thin| seen.topology().thins.get(thin.0 as usize));
        let group = match what {
            What::Group(at) => outline.groups.get(at as usize),
            _ => None,
        };
        let image = group.is_some_and(|group| group.kind == GroupKind::Image);
        Self { what, node, ix, thin, image }
    }

    /// Whether the row only points at what is drawn elsewhere.
    pub(crate) const fn is_pointer(&self) -> bool {
        matches!(self.what, What::Pointer { .. } | What::Below(_))
    }
}

/// The word in the column KIND.
pub(crate) fn kind(subject: &Subject<'_>) -> &'static str {
    match subject.what {
        What::Group(_) if subject.image => "image",
        What::Group(_) => "group",
        What::Below(_) => "layers",
        _ => match (subject.thin, subject.node) {
            (Some(device), _) => role_word(device.role),
            (None, Some(node)) => kind_word(node.kind),
            (None, None) => "",
        },
    }
}

const fn role_word(role: Role) -> &'static str {
    match role {
        Role::Base => "base",
        Role::ImageLayer => "layer",
        Role::Container => "cont.",
        Role::ContainerInit => "init",
        Role::BuildCache => "build",
        Role::Volume => "volume",
        Role::Snapshot => "snap",
        Role::Leaked => "leaked",
        Role::Missing => "missing",
        Role::Unknown => "thin",
    }
}

const fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Pmspare => "spare",
        Kind::Snapshot => "snap",
        _ => kind.name(),
    }
}
