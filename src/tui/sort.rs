//! Rows in the order of a column. What was not seen comes last, whichever way.

use std::cmp::Ordering;

use super::cell::{self, Subject};
use super::columns::Column;
use super::glyph;
use super::outline::{Entry, Outline};
use super::seen::Seen;

/// Sorted by what, and which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sorting {
    /// The column.
    pub(crate) column: Column,
    /// Largest first.
    pub(crate) descending: bool,
}

impl Sorting {
    /// The way a person wants first: the largest figures, names from A.
    pub(crate) const fn by(column: Column) -> Self {
        Self { column, descending: column.is_number() && !matches!(column, Column::Id) }
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum SortKey {
    Number(u64),
    Text(String),
    Unknown,
}

/// Sorts an outline wherever its order is free.
pub(crate) fn sort(outline: &mut Outline, seen: &Seen, by: Sorting) {
    // keys need the outline whole, its lists of children are changed after
    let entries: Vec<SortKey> = (0_u32..)
        .zip(&outline.entries)
        .map(|(at, entry)| sort_key(seen, outline, at, entry, by.column))
        .collect();
    outline.sort(|kids, _| {
        kids.sort_by(|a, b| compare(&entries[*a as usize], &entries[*b as usize], by.descending));
    });
}

fn compare(a: &SortKey, b: &SortKey, descending: bool) -> Ordering {
    match (a, b) {
        (SortKey::Unknown, _) | (_, SortKey::Unknown) => a.cmp(b),
        _ if descending => b.cmp(a),
        _ => a.cmp(b),
    }
}

fn sort_key(seen: &Seen, outline: &Outline, at: u32, entry: &Entry, column: Column) -> SortKey {
    let subject = Subject::of(seen, outline, entry.what);
    match column {
        Column::Name => {
            let name = cell::name::name(seen, outline, at, &subject, &glyph::ASCII);
            SortKey::Text(name.text.to_lowercase())
        }
        Column::Kind => SortKey::Text(cell::kind(&subject).to_owned()),
        Column::State => SortKey::Text(cell::state::state(seen, outline, &subject).0),
        Column::Id => match subject.thin.and_then(|device| device.id) {
            Some(id) => SortKey::Number(u64::from(id.get())),
            None => SortKey::Unknown,
        },
        figure => match cell::figure::figure(seen, outline, &subject, figure).seen() {
            Some(number) => SortKey::Number(number),
            None => SortKey::Unknown,
        },
    }
}
