//! One view's table: its shape, folds, sorting, rows, and where in them the person is.
//!
//! What is selected is kept by key over refreshes; positions are only what follows from it.

use std::collections::HashMap;

use super::filter::Filter;
use super::outline::{Key, NONE, Outline, What, flat, inverse, layers, tree};
use super::rows::{Matches, Row, Rows};
use super::seen::Seen;
use super::sort::{self, Sorting};
use crate::model::{NodeIx, Severity};

/// How many rows around a vanished selection are tried before the position is taken.
const NEAR: usize = 400;

/// What a table is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Everything.
    Tree,
    /// Pools and their devices.
    Layers,
}

/// How a table is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Form {
    /// Things under what they rest on.
    #[default]
    Tree,
    /// What a thing rests on under it.
    Inverse,
    /// One list.
    Flat,
}

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    content: Content,
    pub(crate) form: Form,
    pub(crate) sorting: Option<Sorting>,
    folds: HashMap<Key, bool>,
    filtered_folds: HashMap<Key, bool>,
    pub(crate) outline: Outline,
    pub(crate) rows: Rows,
    pub(crate) matches: Option<Matches>,
    pub(crate) cursor: usize,
    pub(crate) offset: usize,
    open: Vec<bool>,
    below: Vec<Option<Severity>>,
    anchor: Option<Key>,
    grown: bool,
}

impl Table {
    /// An empty one, grown when first looked at.
    pub(crate) fn new(content: Content) -> Self {
        Self {
            content,
            form: Form::Tree,
            sorting: None,
            folds: HashMap::new(),
            filtered_folds: HashMap::new(),
            outline: Outline::default(),
            rows: Rows::default(),
            matches: None,
            cursor: 0,
            offset: 0,
            open: Vec::new(),
            below: Vec::new(),
            anchor: None,
            grown: false,
        }
    }

    /// Says that what it shows is out of date; it is made anew when looked at.
    pub(crate) fn outdate(&mut self) {
        self.grown = false;
    }

    /// Drops everything but the place the person was at: nobody looks at it now.
    pub(crate) fn put_away(&mut self, seen: &Seen) {
        if let Some(entry) = self.selected_entry() {
            self.anchor = self.outline.key(entry, seen.topology());
        }
        self.outline = Outline::default();
        self.rows = Rows::default();
        self.open = Vec::new();
        self.matches = None;
        self.grown = false;
    }

    /// Whether it shows the newest picture.
    pub(crate) const fn is_grown(&self) -> bool {
        self.grown
    }

    /// Makes it anew from a picture. `before` is the picture it was made from.
    pub(crate) fn grow(&mut self, seen: &Seen, before: &Seen, filter: &Filter) {
        let old_outline = std::mem::take(&mut self.outline);
        let old_rows = std::mem::take(&mut self.rows);
        self.outline = self.shape(seen);
        if let Some(by) = self.sorting {
            sort::sort(&mut self.outline, seen, by);
        }
        self.open = self.opened(seen);
        self.below = severity_below(&self.outline, seen);
        self.grown = true;
        self.match_entries(seen, filter, None);
        self.lay(seen);
        let line = self.cursor.saturating_sub(self.offset);
        let key = |row: &Row| old_outline.key(row.entry, before.topology());
        let found = nearest_first(&old_rows.list, self.cursor).take(NEAR).find_map(|row| {
            let entry = self.outline.find(&key(row)?, seen.topology())?;
            self.rows.row_of(entry)
        });
        let anchored = self.anchor.take().and_then(|key| {
            let entry = self.outline.find(&key, seen.topology())?;
            self.rows.row_of(entry)
        });
        self.cursor = found.or(anchored).unwrap_or(self.cursor);
        self.offset = self.cursor.saturating_sub(line);
        self.clamp();
    }

    fn shape(&self, seen: &Seen) -> Outline {
        let (topology, thins_only) = (seen.topology(), self.content == Content::Layers);
        match (self.form, self.content) {
            (Form::Flat, _) => flat::outline(topology, thins_only),
            (Form::Inverse, _) => {
                let is_open = |ix: NodeIx| {
                    let id = topology.nodes.get(ix.0 as usize).map(|node| node.id.clone());
                    id.is_some_and(|id| self.folds.get(&Key::Node(id)) == Some(&true))
                };
                inverse::outline(topology, &seen.descent, thins_only, is_open)
            }
            (Form::Tree, Content::Tree) => tree::outline(topology, &seen.descent),
            (Form::Tree, Content::Layers) => layers::outline(topology, &seen.descent),
        }
    }

    /// The rows are the same; figures and what was found about them may not be.
    pub(crate) fn look_at_figures(&mut self, seen: &Seen, filter: &Filter) {
        self.below = severity_below(&self.outline, seen);
        if self.grown && !filter.is_empty() {
            self.match_entries(seen, filter, None);
            self.relay(seen);
        }
    }

    /// Shows what another filter leaves. A letter more is asked only of what was found before.
    pub(crate) fn refilter(&mut self, seen: &Seen, filter: &Filter, before: &Filter) {
        let wider = self.matches.take().filter(|_| self.grown && filter.narrows(before));
        self.match_entries(seen, filter, wider.as_ref());
        self.relay(seen);
    }

    /// By entry, whether its children show while nothing is filtered.
    fn opened(&self, seen: &Seen) -> Vec<bool> {
        let mut open: Vec<bool> = self.outline.entries.iter().map(|entry| entry.open).collect();
        for (at, value) in self.outline.find_all(&self.folds, seen.topology()) {
            open[at as usize] = *value;
        }
        open
    }

    /// Asks the filter of everything, or only of what a wider one found.
    fn match_entries(&mut self, seen: &Seen, filter: &Filter, wider: Option<&Matches>) {
        let (outline, nodes) = (&self.outline, seen.topology().nodes.len());
        let test = |what: What| filter.matches(seen, outline, what);
        self.matches =
            (!filter.is_empty()).then(|| Matches::of(&outline.entries, nodes, wider, test));
        if self.matches.is_none() {
            self.filtered_folds.clear();
        }
    }

    /// Lays the rows out again: folds or matches have changed.
    fn lay(&mut self, seen: &Seen) {
        let Some(matches) = &self.matches else {
            self.rows = Rows::lay(&self.outline, &self.open, None);
            return;
        };
        // the way to a match is open, whatever is folded
        let both = self.open.iter().zip(&matches.shown);
        let mut open: Vec<bool> = both.map(|(open, shown)| *open || *shown).collect();
        for (at, value) in self.outline.find_all(&self.filtered_folds, seen.topology()) {
            open[at as usize] = *value;
        }
        self.rows = Rows::lay(&self.outline, &open, Some(matches));
    }

    /// Lays out again, the selection where it was or on what hides it.
    pub(crate) fn relay(&mut self, seen: &Seen) {
        let entry = self.selected_entry();
        let line = self.cursor.saturating_sub(self.offset);
        let old = std::mem::take(&mut self.rows);
        self.lay(seen);
        let shown = |at: u32| self.rows.row_of(at);
        let found = entry
            .and_then(|at| shown(at).or_else(|| self.outline.ancestors(at).find_map(shown)))
            .or_else(|| nearest_first(&old.list, self.cursor).find_map(|row| shown(row.entry)));
        self.cursor = found.unwrap_or(0);
        self.offset = self.cursor.saturating_sub(line);
        self.clamp();
    }

    fn clamp(&mut self) {
        let last = self.rows.list.len().saturating_sub(1);
        self.cursor = self.cursor.min(last);
        self.offset = self.offset.min(last);
    }

    /// The row the person is on.
    pub(crate) fn selected_row(&self) -> Option<&Row> {
        self.rows.list.get(self.cursor)
    }

    /// Its entry.
    pub(crate) fn selected_entry(&self) -> Option<u32> {
        self.selected_row().map(|row| row.entry)
    }

    /// What it stands for.
    pub(crate) fn selected(&self) -> Option<What> {
        Some(self.outline.entry(self.selected_entry()?)?.what)
    }

    /// The node it is about.
    pub(crate) fn selected_node(&self) -> Option<NodeIx> {
        self.outline.node_of(self.selected()?)
    }

    /// The gravest finding hidden below a folded entry.
    pub(crate) fn worst_below(&self, entry: u32) -> Option<Severity> {
        self.below.get(entry as usize).copied().flatten()
    }

    /// Goes to a row, held within the table.
    pub(crate) fn go(&mut self, row: usize) {
        self.cursor = row;
        self.clamp();
    }

    /// Goes to an entry, unfolding what hides it. False when the filter hides it.
    pub(crate) fn reveal(&mut self, entry: u32, seen: &Seen) -> bool {
        if self.rows.row_of(entry).is_none() {
            let above: Vec<u32> = self.outline.ancestors(entry).collect();
            for at in above {
                self.fold(at, true, seen);
            }
            self.lay(seen);
        }
        let row = self.rows.row_of(entry);
        if let Some(row) = row {
            self.go(row);
        }
        row.is_some()
    }

    /// Remembers a fold or an unfold.
    pub(crate) fn fold(&mut self, entry: u32, open: bool, seen: &Seen) {
        let Some(key) = self.outline.key(entry, seen.topology()) else { return };
        if self.matches.is_some() {
            self.filtered_folds.insert(key.clone(), open);
        }
        self.folds.insert(key, open);
        if let Some(slot) = self.open.get_mut(entry as usize) {
            *slot = open;
        }
        if self.form == Form::Inverse {
            // roots of the inverse tree hold no children until they are unfolded
            self.grown = false;
        }
    }

    /// Unfolds an entry and everything below it.
    pub(crate) fn unfold_below(&mut self, entry: u32, seen: &Seen) {
        let mut stack = vec![entry];
        while let Some(at) = stack.pop() {
            if self.outline.entry(at).is_some_and(|entry| entry.folds) {
                self.fold(at, true, seen);
            }
            stack.extend_from_slice(self.outline.children(at));
        }
    }

    /// Forgets all folding by hand.
    pub(crate) fn fold_as_at_first(&mut self) {
        self.folds.clear();
        self.filtered_folds.clear();
        self.grown = false;
    }

    /// Scrolls so that the selection is within a window of so many lines.
    pub(crate) fn scroll_into(&mut self, height: usize) {
        let height = height.max(1);
        let most = self.rows.list.len().saturating_sub(height);
        let lowest = self.cursor.saturating_sub(height - 1);
        self.offset = self.offset.clamp(lowest, self.cursor.max(lowest)).min(most.max(lowest));
    }

    /// The next row after the selection, in either direction, of which something holds; from the
    /// other end where there is none.
    pub(crate) fn next_row(&self, back: bool, holds: impl Fn(&Row) -> bool) -> Option<usize> {
        let count = self.rows.list.len();
        let step = |n: usize| {
            if back { (self.cursor + count - n) % count } else { (self.cursor + n) % count }
        };
        (1..=count).map(step).find(|at| self.rows.list.get(*at).is_some_and(&holds))
    }

    /// The next entry after the selection, hidden ones included.
    pub(crate) fn next_entry(&self, back: bool, holds: impl Fn(u32, What) -> bool) -> Option<u32> {
        let count = u32::try_from(self.outline.entries.len()).ok()?;
        let from = self.selected_entry().unwrap_or(NONE);
        let test = |at: &u32| self.outline.entry(*at).is_some_and(|e| holds(*at, e.what));
        let (low, high) = if from == NONE { (0..0, 0..count) } else { (0..from, from + 1..count) };
        if back { low.rev().chain(high.rev()).find(test) } else { high.chain(low).find(test) }
    }
}

/// By entry, the gravest finding about anything drawn under it.
fn severity_below(outline: &Outline, seen: &Seen) -> Vec<Option<Severity>> {
    let mut below = vec![None; outline.entries.len()];
    // parents stand before their children
    for (at, entry) in outline.entries.iter().enumerate().rev() {
        let own = match entry.what {
            What::Node(node) => seen.severity(node),
            _ => None,
        };
        if entry.parent != NONE {
            let up = entry.parent as usize;
            below[up] = below[up].max(below[at]).max(own);
        }
    }
    below
}

/// Rows outward from a place: itself, then the ones below and above in turn.
fn nearest_first(rows: &[Row], from: usize) -> impl Iterator<Item = &Row> {
    let reach = rows.len();
    (0..=reach).flat_map(move |far| {
        let below = rows.get(from + far);
        let above = from.checked_sub(far).and_then(|at| rows.get(at)).filter(|_| far > 0);
        below.into_iter().chain(above)
    })
}
