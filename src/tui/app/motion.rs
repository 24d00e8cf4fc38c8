//! Going about: up and down in whatever the keys go to, folding, from view to view.

use super::{App, Focus, Overlay, View};
use crate::model::NodeIx;
use crate::tui::outline::{NONE, What};
use crate::tui::table::Form;

/// A step within a list or a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// One up.
    Up,
    /// One down.
    Down,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// To the beginning.
    First,
    /// To the end.
    Last,
}

impl Move {
    /// From a place in a list of `count`, with pages of `page`.
    pub(crate) fn from(self, at: usize, count: usize, page: usize) -> usize {
        let page = page.saturating_sub(1).max(1);
        let last = count.saturating_sub(1);
        match self {
            Self::Up => at.saturating_sub(1),
            Self::Down => (at + 1).min(last),
            Self::PageUp => at.saturating_sub(page),
            Self::PageDown => (at + page).min(last),
            Self::First => 0,
            Self::Last => last,
        }
    }
}

impl App {
    /// Moves in whatever the keys go to.
    pub(crate) fn go(&mut self, step: Move) {
        let page = usize::from(self.areas().body.height);
        if self.overlay.is_some() {
            self.go_in_overlay(step);
        } else if self.wizard.is_some() {
            self.wizard_go(step);
        } else if self.focus == Focus::Pane {
            let lines = self.pane_lines();
            self.pane_offset = step.from(self.pane_offset, lines, page);
        } else if self.view == View::Blocks {
            self.go_in_blocks(step);
        } else if self.view == View::Events {
            self.events.cursor = step.from(self.events.cursor, self.events.len(), page);
            self.pane_offset = 0;
        } else if self.view == View::Why {
            self.go_in_why(step);
        } else if self.view == View::Findings {
            self.findings.cursor = step.from(self.findings.cursor, self.finding_rows().len(), page);
            self.pane_offset = 0;
        } else {
            let table = self.table_mut();
            table.go(step.from(table.cursor, table.rows.list.len(), page));
            self.pane_offset = 0;
        }
    }

    /// Folds the selected row, or goes to the one it hangs under.
    pub(crate) fn fold(&mut self) {
        let (table, seen, _) = self.table_and_seen();
        let Some(row) = table.selected_row().copied() else { return };
        let Some(entry) = table.outline.entry(row.entry).copied() else { return };
        if entry.folds && !row.folded {
            table.fold(row.entry, false, seen);
            table.relay(seen);
        } else if let Some(parent) =
            table.rows.row_of(entry.parent).filter(|_| entry.parent != NONE)
        {
            table.go(parent);
        }
        self.pane_offset = 0;
    }

    /// Unfolds the selected row, or goes to the first one under it.
    pub(crate) fn unfold(&mut self) {
        let (table, seen, _) = self.table_and_seen();
        let Some(row) = table.selected_row().copied() else { return };
        if row.folded {
            table.fold(row.entry, true, seen);
            if table.is_grown() {
                table.relay(seen);
            }
        } else if table.outline.entry(row.entry).is_some_and(|entry| entry.folds) {
            let below = table.cursor + 1;
            table.go(below);
        }
        self.pane_offset = 0;
    }

    /// Unfolds everything below the selected row.
    pub(crate) fn unfold_all(&mut self) {
        let (table, seen, _) = self.table_and_seen();
        let Some(entry) = table.selected_entry() else { return };
        table.unfold_below(entry, seen);
        if table.is_grown() {
            table.relay(seen);
        }
    }

    /// Folds as at first.
    pub(crate) fn fold_as_at_first(&mut self) {
        self.table_mut().fold_as_at_first();
    }

    /// Opens the details, or goes to what a pointer points at.
    pub(crate) fn open(&mut self) {
        if self.prompt.is_some() {
            self.end_filter();
        } else if self.overlay.is_some() {
            self.choose();
        } else if self.view == View::Blocks {
            self.open_block();
        } else if self.view == View::Why && self.holder_node().is_some() {
            self.go_to_device();
        } else if let Some(to) = self.pointed_at() {
            self.go_to_node(to);
        } else if self.areas().pane.is_some() {
            self.focus = Focus::Pane;
        } else {
            self.overlay = Some(Overlay::Details { offset: 0 });
        }
    }

    fn pointed_at(&self) -> Option<NodeIx> {
        let what = self
            .table()
            .selected()
            .filter(|_| !matches!(self.view, View::Findings | View::Events | View::Why))?;
        matches!(what, What::Pointer { .. } | What::Below(_)).then_some(())?;
        self.outline().node_of(what)
    }

    /// Selects a node in the present table.
    pub(crate) fn go_to_node(&mut self, node: NodeIx) -> bool {
        let (table, seen, filter) = self.table_and_seen();
        if !table.is_grown() {
            table.grow(seen, seen, filter);
        }
        let entry = table.outline.place_of(node);
        let found = entry.is_some_and(|entry| table.reveal(entry, seen));
        self.pane_offset = 0;
        found
    }

    /// Keys to the details and back.
    pub(crate) fn change_focus(&mut self) {
        if matches!(self.overlay, Some(Overlay::Details { .. })) {
            self.overlay = None;
        } else if self.areas().pane.is_none() {
            self.overlay = Some(Overlay::Details { offset: 0 });
        } else {
            self.focus = if self.focus == Focus::Pane { Focus::List } else { Focus::Pane };
        }
    }

    /// Closes or undoes the nearest thing that can be; never leaves the program.
    pub(crate) fn back(&mut self) {
        if self.prompt.is_some() {
            self.cancel_filter();
        } else if self.overlay.take().is_some() {
        } else if self.wizard.is_some() {
            self.wizard_back();
        } else if self.focus == Focus::Pane {
            self.focus = Focus::List;
        } else if self.view == View::Events && self.events.is_filtered() {
            self.clear_event_filter();
        } else if self.view == View::Why {
            self.leave_why();
        } else if self.view.is_over_tree() {
            self.show(self.came_from);
        } else if self.jumped {
            self.show_why_again();
        } else if !self.filter.is_empty() {
            self.clear_filter();
        }
    }

    /// View 1.
    pub(crate) fn show_tree(&mut self) {
        self.show(View::Tree);
    }

    /// View 2.
    pub(crate) fn show_layers(&mut self) {
        self.show(View::Layers);
    }

    /// View 4, whole.
    pub(crate) fn show_findings(&mut self) {
        self.findings.only = None;
        self.show(View::Findings);
    }

    /// Changes the view; the selection goes along.
    pub(crate) fn show(&mut self, view: View) {
        self.overlay = None;
        self.focus = Focus::List;
        self.pane_offset = 0;
        self.jumped = false;
        if view == self.view {
            return;
        }
        if view.is_over_tree() && !self.view.is_over_tree() {
            self.came_from = self.view;
        }
        let selected = self.table().selected_node();
        let of_tables = !self.view.is_over_tree() || view == View::Layers;
        self.view = view;
        if let Some(node) = selected.filter(|_| of_tables && !view.is_over_tree()) {
            self.go_to_node(node);
        }
    }

    /// The inverse tree and back.
    pub(crate) fn invert(&mut self) {
        self.change_form(Form::Inverse);
    }

    /// One list and back.
    pub(crate) fn flatten(&mut self) {
        self.change_form(Form::Flat);
    }

    fn change_form(&mut self, form: Form) {
        let node = self.table().selected_node();
        let table = self.table_mut();
        table.form = if table.form == form { Form::Tree } else { form };
        table.outdate();
        if let Some(node) = node {
            self.go_to_node(node);
        }
    }
}
