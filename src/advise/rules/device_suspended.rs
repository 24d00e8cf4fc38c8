//! A device beside or within a pool that is suspended.

use crate::advise::Rule;
use crate::advise::suspended::Stuck;
use crate::advise::words::{about_node, table_lines};
use crate::model::{Cure, Finding, Node, NodeIx, Pool, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "device-suspended", page: include_str!("../pages/device-suspended.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for ix in topology.indices() {
        let node = topology.node(ix);
        let suspended = node.facts.dm.as_ref().is_some_and(|dm| dm.suspended);
        if suspended && node.facts.pool.is_none() && !follows_its_pool(topology, ix, node) {
            found.push(describe(topology, ix));
        }
    }
}

/// Parts and volumes of a suspended pool are suspended with it: one finding says so.
fn follows_its_pool(topology: &Topology, ix: NodeIx, node: &Node) -> bool {
    let part_of = topology.pools.iter().any(|pool| pool.suspended && is_part(pool, ix));
    let on_pool = node.parents.iter().filter_map(|parent| topology.node(*parent).facts.pool);
    part_of || on_pool.into_iter().any(|pool| topology.pool(pool).suspended)
}

fn is_part(pool: &Pool, ix: NodeIx) -> bool {
    pool.data == Some(ix) || pool.metadata == Some(ix)
}

fn describe(topology: &Topology, ix: NodeIx) -> Finding {
    let node = topology.node(ix);
    let mut finding = about_node(RULE.code, Severity::Critical, node);
    let label = node.facts.thin.map(|ix| format!(" ({})", topology.thin(ix).label()));
    finding.summary = format!(
        "{}{} is suspended: whoever reads or writes it waits, and tools that touch it hang",
        node.name,
        label.unwrap_or_default()
    );
    let stuck = Stuck::of_device(topology, ix);
    finding.evidence.push("device-mapper state: SUSPENDED".to_owned());
    finding.evidence.extend(stuck.evidence());
    finding.evidence.extend(table_lines(node));
    finding.remedy = format!(
        "look again: a snapshot or a change in progress ends within a second. If it stays, and no \
         lvm or docker command is at work on it: {}",
        stuck.remedy()
    );
    if !stuck.has_command() {
        finding.cure = Cure::ByHand;
    }
    finding
}
