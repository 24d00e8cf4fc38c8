//! Finding: the filter, matches, problems, and the list of findings.

use super::{App, Overlay, View, WhyRow};
use crate::ids::NodeId;
use crate::model::{Finding, Gap, NodeIx};
use crate::tui::edit::Edit;
use crate::tui::filter::{Filter, parse_filter};

/// A row of the list of findings.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FindingRow<'s> {
    /// Looked, and something is wrong.
    Finding(&'s Finding),
    /// Could not look.
    Gap(&'s Gap),
}

impl App {
    /// Opens the line for a filter.
    pub(crate) fn start_filter(&mut self) {
        if self.view == View::Events {
            return self.start_event_filter();
        }
        self.prompt = Some(Edit::new(&self.filter_text));
        self.prompt_error = None;
        self.before_filter = self.table().selected_node();
    }

    /// Lets the line that is being typed, if any, take something.
    pub(super) fn edits(&mut self, take: impl FnOnce(&mut Edit) -> bool) -> bool {
        let ((Some(Overlay::Palette { edit, .. }), _) | (None, Some(edit))) =
            (&mut self.overlay, &mut self.prompt)
        else {
            return false;
        };
        let taken = take(edit);
        if taken {
            self.edited();
        }
        taken
    }

    fn edited(&mut self) {
        match (&mut self.overlay, &self.prompt) {
            (Some(Overlay::Palette { cursor, .. }), _) => *cursor = 0,
            (None, Some(edit)) if self.view == View::Events => {
                let text = edit.text();
                self.filter_events(&text);
            }
            (None, Some(edit)) => {
                let text = edit.text();
                match parse_filter(&text) {
                    Ok(filter) => {
                        self.prompt_error = None;
                        self.set_filter(filter);
                    }
                    // what is half typed leaves the rows as they are
                    Err(why) => self.prompt_error = Some(why),
                }
            }
            _ => {}
        }
    }

    fn set_filter(&mut self, filter: Filter) {
        if self.filter == filter {
            return;
        }
        // whoever searches on has left where the jump began
        self.jumped = false;
        let before = std::mem::replace(&mut self.filter, filter);
        for view in [View::Tree, View::Layers] {
            if view != self.view {
                self.other_table(view).outdate();
            }
        }
        let (table, seen, filter) = self.table_and_seen();
        table.refilter(seen, filter, &before);
        let on_match = |at: u32| table.matches.as_ref().is_none_or(|matches| matches.is_hit(at));
        if !table.selected_entry().is_some_and(on_match) {
            let next = table.next_row(false, |row| on_match(row.entry));
            table.go(next.unwrap_or(0));
        }
        self.pane_offset = 0;
    }

    fn other_table(&mut self, view: View) -> &mut crate::tui::table::Table {
        if view == View::Layers { &mut self.layers } else { &mut self.tree }
    }

    /// Keeps the filter that was typed.
    pub(super) fn end_filter(&mut self) {
        if self.view == View::Events {
            return self.end_event_filter(true);
        }
        let Some(edit) = &self.prompt else { return };
        if self.prompt_error.is_none() {
            edit.text().trim().clone_into(&mut self.filter_text);
            self.prompt = None;
        }
    }

    /// Back to the filter before.
    pub(super) fn cancel_filter(&mut self) {
        if self.view == View::Events {
            return self.end_event_filter(false);
        }
        self.prompt = None;
        self.prompt_error = None;
        let before = parse_filter(&self.filter_text).unwrap_or_default();
        self.set_filter(before);
        if let Some(node) = self.before_filter.take() {
            self.go_to_node(node);
        }
    }

    /// No filter; what it found stays selected.
    pub(super) fn clear_filter(&mut self) {
        self.filter_text.clear();
        let entry = self.table().selected_entry();
        self.set_filter(Filter::default());
        let (table, seen, _) = self.table_and_seen();
        if let Some(entry) = entry {
            table.reveal(entry, seen);
        }
    }

    /// To the next row that the filter found.
    pub(crate) fn next_match(&mut self, back: bool) {
        let table = self.table_mut();
        let next = if let Some(matches) = &table.matches {
            table.next_row(back, |row| matches.is_hit(row.entry))
        } else {
            self.notice = Some("nothing to find: / filters".to_owned());
            return;
        };
        if let Some(row) = next {
            table.go(row);
            self.pane_offset = 0;
        }
    }

    /// To the next row with a finding.
    pub(crate) fn next_problem(&mut self, back: bool) {
        let (table, seen, _) = self.table_and_seen();
        let has_finding = |node| seen.severity(node).is_some();
        let next = table.next_entry(
            back,
            |_, what| matches!(what, crate::tui::outline::What::Node(node) if has_finding(node)),
        );
        let found = next.is_some_and(|entry| table.reveal(entry, seen));
        if !found {
            self.notice = Some("no finding about any device here".to_owned());
        }
        self.pane_offset = 0;
    }

    /// The findings of a device; where it has none, all of them from the gravest.
    pub(super) fn findings_of(&mut self, node: Option<NodeIx>) {
        let has_some = node.is_some_and(|node| self.seen.severity(node).is_some());
        if !has_some && self.seen.gravest().is_none() {
            self.notice = Some("nothing is wrong with it as far as was seen".to_owned());
            return;
        }
        let id = node.and_then(|node| self.seen.topology().nodes.get(node.0 as usize));
        self.findings.only = id.filter(|_| has_some).map(|node| node.id.clone());
        self.findings.cursor = 0;
        self.show(View::Findings);
    }

    /// The rows of the list of findings.
    pub(crate) fn finding_rows(&self) -> Vec<FindingRow<'_>> {
        let only = self.findings.only.as_ref();
        let wanted = |finding: &&Finding| only.is_none_or(|id| finding.node.as_ref() == Some(id));
        let snapshot = &self.seen.snapshot;
        let findings = snapshot.findings.iter().filter(wanted).map(FindingRow::Finding);
        let gaps = snapshot.gaps.iter().filter(|_| only.is_none()).map(FindingRow::Gap);
        findings.chain(gaps).collect()
    }

    /// The finding the person is on.
    pub(crate) fn selected_finding(&self) -> Option<FindingRow<'_>> {
        if self.view == View::Why {
            return match self.why_row() {
                Some(WhyRow::Finding(finding)) => Some(FindingRow::Finding(finding)),
                _ => None,
            };
        }
        self.finding_rows().get(self.findings.cursor).copied()
    }

    /// The device of the selected finding or event.
    pub(super) fn device_of_line(&self) -> Option<NodeIx> {
        let id: Option<NodeId> = match self.selected_finding() {
            _ if self.view == View::Events => {
                self.events.selected().and_then(|event| event.node.clone())
            }
            Some(FindingRow::Finding(finding)) => finding.node.clone(),
            _ if self.view == View::Why => return self.holder_node(),
            _ => None,
        };
        self.seen.topology().find(&id?)
    }

    /// Goes to the device of the selected finding or event.
    pub(crate) fn go_to_device(&mut self) {
        let Some(node) = self.device_of_line() else {
            self.notice = Some("it is about no single device of the tree".to_owned());
            return;
        };
        let from_why = self.view == View::Why;
        self.show(View::Tree);
        if !self.go_to_node(node) {
            self.clear_filter();
            self.go_to_node(node);
        }
        self.jumped = from_why;
    }

    pub(super) fn settle_findings(&mut self, height: usize) {
        let count = self.finding_rows().len();
        let list = &mut self.findings;
        list.cursor = list.cursor.min(count.saturating_sub(1));
        let lowest = list.cursor.saturating_sub(height.saturating_sub(1));
        list.offset = list.offset.clamp(lowest, list.cursor.max(lowest));
    }
}
