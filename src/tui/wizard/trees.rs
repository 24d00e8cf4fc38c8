//! The storage of a pool before and after a plan: one tree, with what each row has and will have.

use std::collections::HashSet;
use std::sync::Arc;

use super::offer::below;
use crate::format;
use crate::model::{Node, NodeIx, Pool, PoolIx, Snapshot, Topology};
use crate::tui::filter::Filter;
use crate::tui::outline::What;
use crate::tui::rows::Row;
use crate::tui::seen::Seen;
use crate::tui::table::{Content, Table};
use crate::units::Bytes;

/// One row.
#[derive(Clone, Debug)]
pub(crate) struct TreeRow {
    /// Its place in the tree.
    pub(crate) row: Row,
    /// Its name.
    pub(crate) name: String,
    /// What kind of thing it is.
    pub(crate) kind: &'static str,
    /// How it is.
    pub(crate) before: String,
    /// How it will be.
    pub(crate) after: String,
    /// Whether that is something else.
    pub(crate) changes: bool,
}

/// The tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trees {
    /// From the top.
    pub(crate) rows: Vec<TreeRow>,
}

impl Trees {
    /// What a plan changes, and what a pool or volume rests on.
    pub(crate) fn new(snapshot: &Snapshot, after: &Topology, names: &[String]) -> Self {
        let before = &snapshot.topology;
        let topology = part(after, &kept(before, after, names));
        let shown = Snapshot {
            topology: Arc::new(topology),
            findings: Vec::new(),
            gaps: Vec::new(),
            ..snapshot.clone()
        };
        let seen = Seen::new(Arc::new(shown));
        let mut table = Table::new(Content::Tree);
        table.grow(&seen, &seen, &Filter::default());
        for entry in (0_u32..).take(table.outline.entries.len()) {
            table.fold(entry, true, &seen);
        }
        table.relay(&seen);
        let rows = table.rows.list.iter().filter_map(|row| tree_row(&table, &seen, before, row));
        Self { rows: rows.collect() }
    }
}

fn tree_row(table: &Table, seen: &Seen, before: &Topology, row: &Row) -> Option<TreeRow> {
    let entry = table.outline.entry(row.entry)?;
    let node = seen.topology().node(table.outline.node_of(entry.what)?);
    let name = node.short.as_ref().unwrap_or(&node.name).to_string();
    if matches!(entry.what, What::Pointer { .. }) {
        let (kind, before, after) = ("", String::new(), "stands above".to_owned());
        return Some(TreeRow { row: *row, name, kind, before, after, changes: false });
    }
    let was = before.find(&node.id).map(|ix| before.node(ix));
    let after = words(node);
    let (before, changes) = match was {
        Some(was) => (words(was), is_other(was, node)),
        None => ("not there".to_owned(), true),
    };
    let more = was.and_then(|was| Some(node.size?.minus(was.size?))).unwrap_or(Bytes(0));
    // of a group what is free says more
    let more = if node.facts.vg.is_some() { Bytes(0) } else { more };
    let after = if more.get() > 0 { format!("{after}  +{}", format::short(more)) } else { after };
    Some(TreeRow { row: *row, name, kind: node.kind.name(), before, after, changes })
}

/// What a node has, in a few words.
fn words(node: &Node) -> String {
    let mut words = vec![node.size.map_or_else(|| "?".to_owned(), format::short)];
    let free = node.facts.vg.as_ref().and_then(|vg| vg.free);
    words.extend(free.map(|free| format!("{} free", format::short(free))));
    let dm = node.facts.dm.as_ref();
    if dm.is_some_and(|dm| dm.suspended) {
        words.push("suspended".to_owned());
    }
    let logical = node.facts.lv.is_some() || node.facts.pool.is_some();
    if logical && node.device.is_none() {
        words.push("inactive".to_owned());
    }
    words.join(" ")
}

fn is_other(was: &Node, is: &Node) -> bool {
    let free = |node: &Node| node.facts.vg.as_ref().and_then(|vg| vg.free);
    let suspended = |node: &Node| node.facts.dm.as_ref().is_some_and(|dm| dm.suspended);
    was.size != is.size
        || was.device.is_some() != is.device.is_some()
        || free(was) != free(is)
        || suspended(was) != suspended(is)
        || was.parents.len() != is.parents.len()
}

/// The nodes that are shown: what changes, what the plan is about, and all that is below.
fn kept(before: &Topology, after: &Topology, names: &[String]) -> HashSet<NodeIx> {
    let about = names.iter().filter_map(|name| Some(after.pool(after.find_pool(Some(name))?).node));
    let changed = after.indices().filter(|ix| {
        let node = after.node(*ix);
        match before.find(&node.id) {
            Some(was) => is_other(before.node(was), node),
            None => true,
        }
    });
    let mut kept = HashSet::new();
    for ix in about.chain(changed) {
        if !kept.contains(&ix) {
            kept.extend(below(after, ix));
        }
    }
    kept
}

/// A part of a topology, without owners: rows stand by what they rest on alone.
fn part(whole: &Topology, kept: &HashSet<NodeIx>) -> Topology {
    let order: Vec<NodeIx> = whole.indices().filter(|ix| kept.contains(ix)).collect();
    let at = |ix: &NodeIx| {
        let at = order.binary_search(ix).ok()?;
        u32::try_from(at).ok().map(NodeIx)
    };
    let mut pools: Vec<Pool> = Vec::new();
    let mut nodes = Vec::new();
    for ix in &order {
        let mut node = whole.node(*ix).clone();
        node.parents = node.parents.iter().filter_map(at).collect();
        node.facts.thin = None;
        node.facts.pool = node.facts.pool.and_then(|pool| {
            let mut pool = whole.pool(pool).clone();
            pool.node = at(ix)?;
            pool.data = pool.data.as_ref().and_then(at);
            pool.metadata = pool.metadata.as_ref().and_then(at);
            pool.devices = Vec::new();
            pool.contents = None;
            pools.push(pool);
            u32::try_from(pools.len() - 1).ok().map(PoolIx)
        });
        nodes.push(node);
    }
    Topology::new(nodes, pools, Vec::new())
}
