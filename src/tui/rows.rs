//! The rows that can be scrolled to: an outline with folds and filter applied, as compact records.
//! Their text is made when they are drawn, and only for those that are.

use super::outline::{Entry, NONE, Outline, What};
use crate::model::NodeIx;

/// A row's part in the bracket of a pool and its halves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum BracketPart {
    /// None.
    #[default]
    None,
    /// Its first row.
    Top,
    /// A member between.
    Middle,
    /// A row that it passes.
    Pass,
    /// Its last row.
    Bottom,
}

/// One row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// The entry it shows.
    pub(crate) entry: u32,
    /// How far from the left edge.
    pub(crate) depth: u16,
    /// A bit for each depth at which an ancestor has siblings below this row.
    pub(crate) guides: u64,
    /// No sibling follows.
    pub(crate) last: bool,
    /// It has children that are not shown.
    pub(crate) folded: bool,
    /// The bracket.
    pub(crate) bracket: BracketPart,
}

/// What a filter leaves of an outline.
#[derive(Debug, Default)]
pub(crate) struct Matches {
    /// By node: it matches, whether it is drawn or not.
    nodes: Vec<bool>,
    /// By entry: it matches.
    hit: Vec<bool>,
    /// By entry: it matches, or something below it does.
    pub(crate) shown: Vec<bool>,
    /// How many match.
    pub(crate) count: usize,
}

impl Matches {
    /// Asks a question of every node, as they lie in memory, and of every entry that is none;
    /// of nodes only those that a wider question found.
    pub(crate) fn of(
        entries: &[Entry],
        nodes: usize,
        wider: Option<&Self>,
        test: impl Fn(What) -> bool,
    ) -> Self {
        let may =
            |ix: NodeIx| wider.is_none_or(|wider| wider.nodes.get(ix.0 as usize) == Some(&true));
        let nodes: Vec<bool> =
            (0_u32..).take(nodes).map(NodeIx).map(|ix| may(ix) && test(What::Node(ix))).collect();
        let hit = entries.iter().map(|entry| match entry.what {
            What::Node(ix) => nodes.get(ix.0 as usize) == Some(&true),
            other => test(other),
        });
        let hit: Vec<bool> = hit.collect();
        let mut shown = hit.clone();
        // parents stand before their children
        for (at, entry) in entries.iter().enumerate().rev() {
            if shown[at] && entry.parent != NONE {
                shown[entry.parent as usize] = true;
            }
        }
        let count = hit.iter().filter(|hit| **hit).count();
        Self { nodes, hit, shown, count }
    }

    fn shows(&self, entry: u32) -> bool {
        self.shown.get(entry as usize) == Some(&true)
    }

    /// Whether an entry itself matches.
    pub(crate) fn is_hit(&self, entry: u32) -> bool {
        self.hit.get(entry as usize) == Some(&true)
    }
}

/// All rows.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    /// From the top.
    pub(crate) list: Vec<Row>,
    row_of: Vec<u32>,
}

impl Rows {
    /// Lays out an outline. `open` says by entry whether its children show.
    pub(crate) fn lay(outline: &Outline, open: &[bool], matches: Option<&Matches>) -> Self {
        let count = outline.entries.len();
        let mut rows = Self { list: Vec::with_capacity(count), row_of: vec![NONE; count] };
        let mut stack: Vec<Row> = Vec::new();
        push_children(&mut stack, outline, None, matches);
        while let Some(mut row) = stack.pop() {
            let folds = outline.entry(row.entry).is_some_and(|entry| entry.folds);
            let is_open = open.get(row.entry as usize) == Some(&true);
            row.folded = folds && !is_open;
            if let Some(slot) = rows.row_of.get_mut(row.entry as usize) {
                *slot = u32::try_from(rows.list.len()).unwrap_or(NONE);
            }
            rows.list.push(row);
            if folds && is_open {
                push_children(&mut stack, outline, Some(row), matches);
            }
        }
        rows.mark_brackets(outline);
        rows
    }

    /// The row that shows an entry, where one does.
    pub(crate) fn row_of(&self, entry: u32) -> Option<usize> {
        let row = self.row_of.get(entry as usize).copied().filter(|row| *row != NONE)?;
        Some(row as usize)
    }

    fn mark_brackets(&mut self, outline: &Outline) {
        let place = |rows: &Self, node: NodeIx| {
            let entry = outline.place_of(node)?;
            matches!(outline.entry(entry)?.what, What::Node(_)).then_some(())?;
            rows.row_of(entry)
        };
        for bracket in &outline.brackets {
            let halves = [bracket.metadata, bracket.data].map(|node| place(self, node));
            let Some(pool) = place(self, bracket.pool) else { continue };
            let Some(first) = halves.iter().flatten().min().copied() else { continue };
            let Some(rows) = self.list.get_mut(first..=pool) else { continue };
            let len = rows.len();
            for (at, row) in rows.iter_mut().enumerate() {
                row.bracket = match at {
                    0 => BracketPart::Top,
                    at if at + 1 == len => BracketPart::Bottom,
                    at if halves.contains(&Some(first + at)) => BracketPart::Middle,
                    _ => BracketPart::Pass,
                };
            }
        }
    }
}

fn push_children(
    stack: &mut Vec<Row>,
    outline: &Outline,
    parent: Option<Row>,
    matches: Option<&Matches>,
) {
    let (depth, guides) = parent.map_or((0, 0), |row| {
        let bit = if row.last { 0 } else { 1_u64.checked_shl(u32::from(row.depth)).unwrap_or(0) };
        (row.depth.saturating_add(1), row.guides | bit)
    });
    let children = outline.children(parent.map_or(NONE, |row| row.entry));
    let mut last = true;
    for entry in children.iter().rev() {
        if matches.is_none_or(|matches| matches.shows(*entry)) {
            stack.push(Row { entry: *entry, depth, guides, last, ..Row::default() });
            last = false;
        }
    }
}
