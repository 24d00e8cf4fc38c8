//! The figures in a row. A figure that was not seen is never a zero.

use super::Subject;
use crate::format;
use crate::model::{Kind, PoolState, Role};
use crate::tui::columns::Column;
use crate::tui::glyph::Glyphs;
use crate::tui::outline::{Outline, What};
use crate::tui::seen::Seen;
use crate::units::Bytes;

/// A figure, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    /// Seen.
    Seen(Bytes),
    /// There is one, and it was not seen.
    NotSeen,
    /// It is being read.
    Loading,
    /// There can be none for this device, though for its like there is.
    DoesNotApply,
    /// The column is not about such things at all.
    Blank,
}

impl Figure {
    /// As printed in a column.
    pub(crate) fn text(self, exact: bool, glyphs: &Glyphs) -> String {
        match self {
            Self::Seen(size) if exact => size.get().to_string(),
            Self::Seen(size) => format::short(size),
            Self::NotSeen => "?".to_owned(),
            Self::Loading => glyphs.loading.to_owned(),
            Self::DoesNotApply => glyphs.none.to_owned(),
            Self::Blank => String::new(),
        }
    }

    /// The number, where it was seen.
    pub(crate) const fn seen(self) -> Option<u64> {
        match self {
            Self::Seen(size) => Some(size.get()),
            _ => None,
        }
    }

    fn of(size: Option<Bytes>, loading: bool) -> Self {
        match size {
            Some(size) => Self::Seen(size),
            None if loading => Self::Loading,
            None => Self::NotSeen,
        }
    }
}

/// The figure of a row in a column.
pub(crate) fn figure(
    seen: &Seen,
    outline: &Outline,
    subject: &Subject<'_>,
    column: Column,
) -> Figure {
    match subject.what {
        What::Group(at) => {
            let top = outline.groups.get(at as usize).and_then(|group| group.top);
            let top = top.and_then(|top| seen.topology().thins.get(top.0 as usize));
            match (column, top) {
                // what the uppermost layer maps is the image, lower layers included
                (Column::Mapped, Some(top)) => Figure::of(top.mapped, seen.loading),
                _ => Figure::DoesNotApply,
            }
        }
        What::Pointer { .. } | What::Below(_) => Figure::Blank,
        What::Node(_) => match subject.thin {
            Some(_) => thin(seen, subject, column),
            None => node(seen, subject, column),
        },
    }
}

fn thin(seen: &Seen, subject: &Subject<'_>, column: Column) -> Figure {
    let Some(device) = subject.thin else { return Figure::Blank };
    let size = device.size.or(subject.node.and_then(|node| node.size));
    if column == Column::Size {
        return Figure::of(size, seen.loading);
    }
    if device.role == Role::Missing {
        return Figure::DoesNotApply;
    }
    match column {
        Column::Mapped => Figure::of(device.mapped, seen.loading),
        Column::Excl => Figure::of(device.exclusive, false),
        Column::Shared => Figure::of(device.shared, false),
        Column::Delta if device.parent.is_none() => Figure::DoesNotApply,
        Column::Delta => Figure::of(device.delta, false),
        _ => Figure::Blank,
    }
}

fn node(seen: &Seen, subject: &Subject<'_>, column: Column) -> Figure {
    let Some(node) = subject.node else { return Figure::Blank };
    let pool = node.facts.pool.and_then(|pool| seen.topology().pools.get(pool.0 as usize));
    match (column, pool) {
        (Column::Size, Some(pool)) => Figure::of(node.size.or(pool.data_size), seen.loading),
        (Column::Size, None) => Figure::of(node.size, seen.loading),
        (Column::Mapped, Some(pool)) => match pool.state {
            PoolState::Failed => Figure::DoesNotApply,
            _ => Figure::of(pool.data_usage().map(|usage| usage.used), seen.loading),
        },
        (Column::Mapped, None) => match (&node.facts.file, node.kind) {
            (Some(file), Kind::File) => Figure::Seen(file.allocated),
            _ => Figure::Blank,
        },
        _ => Figure::Blank,
    }
}
