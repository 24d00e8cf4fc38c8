//! "Why is it full?": the page of a pool's largest holders, one key from the pool, its halves or a
//! finding about them. From a holder to its place in the tree, and back.

use std::sync::Arc;

use super::{App, Move, View};
use crate::ids::NodeId;
use crate::model::{Finding, NodeIx, Pool, PoolIx, Topology};
use crate::tui::describe::{self, Line};
use crate::tui::view;
use crate::tui::why::{Holder, Rest, Why};
use crate::units::Bytes;

/// A row of the page.
#[derive(Clone, Copy, Debug)]
pub(crate) enum WhyRow<'s> {
    /// One that holds space.
    Holder(&'s Holder),
    /// What else is in use.
    Rest(Rest, Option<Bytes>),
    /// What is wrong with the pool.
    Finding(&'s Finding),
}

/// The page and where the person is in it.
#[derive(Debug)]
pub(crate) struct WhyPage {
    /// The row.
    pub(crate) cursor: usize,
    /// The first row shown.
    pub(crate) offset: usize,
    /// The pool.
    pool: Option<NodeId>,
    /// Where it was opened.
    from: View,
    /// What was made of which storage.
    made: Option<(Arc<Topology>, Why)>,
}

impl Default for WhyPage {
    fn default() -> Self {
        Self { cursor: 0, offset: 0, pool: None, from: View::Tree, made: None }
    }
}

impl WhyPage {
    /// Who fills the pool; `None` where the pool is gone.
    pub(crate) fn made(&self) -> Option<&Why> {
        self.made.as_ref().map(|(_, why)| why)
    }
}

impl App {
    /// Why it is full, for a pool; for everything else what is wrong with it. What is well answers
    /// the line of trouble.
    pub(crate) fn explain_this(&mut self) {
        let node = match self.view {
            // on the page the same key leads to the findings alone
            View::Why => return self.findings_of(self.why_subject()),
            View::Findings | View::Events => self.device_of_line(),
            View::Blocks => self.strip.pool.map(|ix| self.seen.topology().pool(ix).node),
            View::Tree | View::Layers => self.table().selected_node(),
        };
        let is_well = node.is_none_or(|node| self.seen.severity(node).is_none());
        let gravest = self.seen.gravest().and_then(|finding| finding.node.as_ref());
        let in_trouble = gravest.filter(|_| is_well).and_then(|id| self.seen.topology().find(id));
        let pool = node.and_then(|node| self.pool_at(node));
        match pool.or_else(|| in_trouble.and_then(|node| self.pool_at(node))) {
            Some(pool) => self.show_why(pool),
            None => self.findings_of(node),
        }
    }

    fn show_why(&mut self, pool: PoolIx) {
        let topology = self.seen.topology();
        let node = topology.pool(pool).node;
        let id = topology.node(node).id.clone();
        self.why = WhyPage { pool: Some(id), from: self.view, ..WhyPage::default() };
        self.show(View::Why);
    }

    /// The page again, as it was left.
    pub(super) fn show_why_again(&mut self) {
        let from = self.why.from;
        self.show(View::Why);
        self.why.from = from;
    }

    /// Back to where the page was opened.
    pub(super) fn leave_why(&mut self) {
        self.show(self.why.from);
    }

    /// The pool's node.
    pub(super) fn why_subject(&self) -> Option<NodeIx> {
        self.seen.topology().find(self.why.pool.as_ref()?)
    }

    /// The pool.
    pub(crate) fn why_pool(&self) -> Option<&Pool> {
        let topology = self.seen.topology();
        let pool = topology.node(self.why_subject()?).facts.pool?;
        topology.pools.get(pool.0 as usize)
    }

    /// The rows of the page.
    pub(crate) fn why_rows(&self) -> Vec<WhyRow<'_>> {
        let (Some(why), Some(pool)) = (self.why.made(), self.why_pool()) else {
            return Vec::new();
        };
        let parts = [Some(pool.node), pool.data, pool.metadata];
        let findings = parts.into_iter().flatten().flat_map(|node| self.seen.findings_of(node));
        let rest = why.rest.iter().map(|(rest, size)| WhyRow::Rest(*rest, *size));
        let holders = why.holders.iter().map(WhyRow::Holder);
        holders.chain(rest).chain(findings.map(WhyRow::Finding)).collect()
    }

    /// The row that the person is on.
    pub(crate) fn why_row(&self) -> Option<WhyRow<'_>> {
        self.why_rows().get(self.why.cursor).copied()
    }

    /// The node of the holder that the person is on.
    pub(super) fn holder_node(&self) -> Option<NodeIx> {
        match self.why_row()? {
            WhyRow::Holder(holder) => Some(holder.node),
            WhyRow::Rest(..) | WhyRow::Finding(_) => None,
        }
    }

    /// The nodes of all its devices.
    pub(super) fn holder_nodes(&self) -> Vec<NodeIx> {
        match self.why_row() {
            Some(WhyRow::Holder(holder)) => holder.nodes.clone(),
            _ => Vec::new(),
        }
    }

    /// Whether all its devices are marked.
    pub(crate) fn is_marked(&self, holder: &Holder) -> bool {
        let topology = self.seen.topology();
        let is_marked = |node: &NodeIx| self.marks.contains(&topology.node(*node).id);
        !self.marks.is_empty() && holder.nodes.iter().all(is_marked)
    }

    /// Moves on the page.
    pub(super) fn go_in_why(&mut self, step: Move) {
        let (rows, page) = (self.why_rows().len(), view::why_height(self));
        self.why.cursor = step.from(self.why.cursor, rows, page);
        self.pane_offset = 0;
    }

    /// The lines about the selected row.
    pub(super) fn describe_why(&self) -> Vec<Line> {
        let known = self.why.made().map(|why| why.known);
        match (self.why_row(), known) {
            (Some(WhyRow::Holder(holder)), Some(known)) => {
                let of = (&self.seen, self.outline());
                describe::why::describe_holder(of, holder, known, self.exact)
            }
            (Some(WhyRow::Rest(rest, size)), _) => describe::why::describe_rest(rest, size),
            (Some(WhyRow::Finding(finding)), _) => describe::describe_finding(finding),
            _ => Vec::new(),
        }
    }

    /// Makes the page anew where the storage has changed; whoever reads about a holder stays on it.
    pub(super) fn settle_why(&mut self) {
        if self.view != View::Why {
            self.why.made = None;
            return;
        }
        let now = &self.seen.snapshot.topology;
        if !self.why.made.as_ref().is_some_and(|(of, _)| Arc::ptr_eq(of, now)) {
            let now = Arc::clone(now);
            let pool = self.why_subject().and_then(|node| now.node(node).facts.pool);
            let made = pool.map(|pool| Why::of(&self.seen, pool, &self.grown));
            let before = std::mem::replace(&mut self.why.made, made.map(|why| (now, why)));
            self.stay_on_holder(before);
        }
        let (count, height) = (self.why_rows().len(), view::why_height(self));
        let page = &mut self.why;
        page.cursor = page.cursor.min(count.saturating_sub(1));
        let lowest = page.cursor.saturating_sub(height.saturating_sub(1));
        page.offset = page.offset.clamp(lowest, page.cursor.max(lowest));
    }

    fn stay_on_holder(&mut self, before: Option<(Arc<Topology>, Why)>) {
        let Some((topology, before)) = before else { return };
        let id = before.holders.get(self.why.cursor).map(|one| &topology.node(one.node).id);
        let node = id.and_then(|id| self.seen.topology().find(id));
        let (Some(node), Some(why)) = (node, self.why.made()) else { return };
        if let Some(at) = why.holders.iter().position(|holder| holder.node == node) {
            self.why.cursor = at;
        }
    }
}
