//! The columns of the table: one quantity each, and which of them a width has room for.

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Column {
    /// The tree and the name.
    Name,
    /// What it is.
    Kind,
    /// The thin id.
    Id,
    /// Its size.
    Size,
    /// What is mapped or used of it.
    Mapped,
    /// What nothing else holds.
    Excl,
    /// What something else holds too.
    Shared,
    /// What differs from its parent.
    Delta,
    /// How it is.
    State,
}

impl Column {
    /// All, from the left.
    pub(crate) const ALL: [Self; 9] = [
        Self::Name,
        Self::Kind,
        Self::Id,
        Self::Size,
        Self::Mapped,
        Self::Excl,
        Self::Shared,
        Self::Delta,
        Self::State,
    ];

    /// The order in which they leave a narrow screen.
    const LEAVING: [Self; 7] =
        [Self::Delta, Self::Shared, Self::Excl, Self::Id, Self::Kind, Self::Mapped, Self::State];

    /// Its head.
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Name => "NAME",
            Self::Kind => "KIND",
            Self::Id => "ID",
            Self::Size => "SIZE",
            Self::Mapped => "MAPPED",
            Self::Excl => "EXCL",
            Self::Shared => "SHARED",
            Self::Delta => "DELTA",
            Self::State => "STATE",
        }
    }

    /// What it means, for the list to sort by.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Kind => "kind or role",
            Self::Id => "id within the pool",
            Self::Size => "virtual or real size",
            Self::Mapped => "space in use, shared space included",
            Self::Excl => "space that nothing else holds",
            Self::Shared => "space that something else holds too",
            Self::Delta => "space that differs from the parent",
            Self::State => "state",
        }
    }

    /// Whether its figures stand at the right.
    pub(crate) const fn is_number(self) -> bool {
        !matches!(self, Self::Name | Self::Kind | Self::State)
    }

    const fn is_sharing(self) -> bool {
        matches!(self, Self::Excl | Self::Shared | Self::Delta)
    }

    const fn is_size(self) -> bool {
        self.is_number() && !matches!(self, Self::Id)
    }
}

/// Columns before the name: selected or marked, trouble, fold of a root.
pub(crate) const GUTTER: u16 = 3;
/// A name narrower than this makes a column leave.
const LEAST_NAME: u16 = 26;
/// A name narrower than this makes a column leave that has nothing but question marks.
const LEAST_NAME_BESIDE_NOTHING: u16 = 42;
/// The bracket with the space before it.
pub(crate) const BRACKET: u16 = 2;
/// Columns of a short size: `1020M`, `19.0G`, `MAPPED`.
const SHORT_SIZE: u16 = 6;
/// Columns of a size in bytes: up to 999 TiB.
const EXACT_SIZE: u16 = 15;

/// A column where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Which.
    pub(crate) column: Column,
    /// Its first cell, from the left of the table.
    pub(crate) x: u16,
    /// How wide.
    pub(crate) width: u16,
}

/// What the widths depend on beside the screen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contents {
    /// Columns of the widest thin id.
    pub(crate) id_width: u16,
    /// Sizes to the byte.
    pub(crate) exact: bool,
    /// Sharing was read of some device.
    pub(crate) sharing: bool,
}

/// The columns that a table of this width has room for, in order.
pub(crate) fn place(width: u16, contents: Contents) -> Vec<Placed> {
    let wide = |column: Column| match column {
        Column::Name => 0,
        Column::Kind => 7,
        Column::State => 10,
        Column::Id => contents.id_width,
        _ if column.is_size() && contents.exact => EXACT_SIZE,
        _ => SHORT_SIZE,
    };
    let mut columns: Vec<Column> = Column::ALL.to_vec();
    let rest = |columns: &[Column]| {
        let others: u16 = columns.iter().skip(1).map(|column| wide(*column) + 1).sum();
        width.saturating_sub(GUTTER + BRACKET + others)
    };
    for leaving in Column::LEAVING {
        let empty = !contents.sharing && leaving.is_sharing();
        if rest(&columns) >= if empty { LEAST_NAME_BESIDE_NOTHING } else { LEAST_NAME } {
            continue;
        }
        columns.retain(|column| *column != leaving);
    }
    let name = rest(&columns);
    let mut x = GUTTER;
    let mut placed = Vec::with_capacity(columns.len());
    for column in columns {
        let width = if column == Column::Name { name } else { wide(column) };
        placed.push(Placed { column, x, width });
        x += width + 1 + if column == Column::Size { BRACKET } else { 0 };
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(width: u16, sharing: bool) -> String {
        let placed = place(width, Contents { id_width: 3, exact: false, sharing });
        let names: Vec<_> = placed.iter().map(|p| p.column.title()).collect();
        names.join(" ")
    }

    #[test]
    fn columns_leave_in_a_fixed_order() {
        assert_eq!(titles(120, true), "NAME KIND ID SIZE MAPPED EXCL SHARED DELTA STATE");
        assert_eq!(titles(85, true), "NAME KIND ID SIZE MAPPED EXCL SHARED STATE");
        assert_eq!(titles(80, true), "NAME KIND ID SIZE MAPPED EXCL STATE");
        assert_eq!(titles(72, true), "NAME KIND ID SIZE MAPPED STATE");
        assert_eq!(titles(60, true), "NAME SIZE MAPPED STATE");
        assert_eq!(titles(40, true), "NAME SIZE");
    }

    #[test]
    fn columns_of_question_marks_leave_before_names_are_cut() {
        assert_eq!(titles(120, false), "NAME KIND ID SIZE MAPPED EXCL SHARED DELTA STATE");
        assert_eq!(titles(100, false), "NAME KIND ID SIZE MAPPED EXCL SHARED STATE");
        assert_eq!(titles(80, false), "NAME KIND ID SIZE MAPPED STATE");
    }

    #[test]
    fn columns_fill_the_width_and_never_overlap() {
        for width in 30..250 {
            for (exact, sharing) in [(false, false), (true, false), (false, true), (true, true)] {
                let placed = place(width, Contents { id_width: 8, exact, sharing });
                for pair in placed.windows(2) {
                    assert!(pair[0].x + pair[0].width < pair[1].x, "{width}");
                }
                let last = placed.last().expect("the name never leaves");
                assert!(last.x + last.width <= width, "{width} {last:?}");
            }
        }
    }
}
