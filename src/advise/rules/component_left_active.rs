//! A part of an inactive pool that is active by itself, so that the pool cannot be.

use crate::advise::Rule;
use crate::advise::words::{about_pool, shell};
use crate::model::{Finding, Node, Pool, PoolState, Severity, Topology};

pub(super) const RULE: Rule = Rule {
    code: "component-left-active",
    page: include_str!("../pages/component-left-active.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let inactive = |pool: &&Pool| pool.lv.is_some() && pool.state == PoolState::Inactive;
    for pool in topology.pools.iter().filter(inactive) {
        let parts = [pool.metadata, pool.data].into_iter().flatten().map(|ix| topology.node(ix));
        let active: Vec<&Node> = parts.filter(|node| node.device.is_some()).collect();
        if !active.is_empty() {
            found.push(describe(topology, pool, &active));
        }
    }
}

fn describe(topology: &Topology, pool: &Pool, active: &[&Node]) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Warning, topology, pool);
    let names: Vec<String> = active.iter().filter_map(|node| volume(node)).collect();
    finding.summary = format!(
        "{} is inactive and {} {} active without it: until that is deactivated LVM refuses to \
         activate the pool",
        pool.name,
        names.join(" and "),
        if names.len() == 1 { "is" } else { "are" }
    );
    finding.evidence = active
        .iter()
        .map(|node| format!("{} is active as {}", node.name, node.device.unwrap_or_default()))
        .collect();
    let lv = pool.lv.as_ref().map_or_else(String::new, |lv| shell(lv.as_str()));
    let each: Vec<String> =
        names.iter().map(|name| format!("`lvchange -an {}`", shell(name))).collect();
    finding.remedy =
        format!("{}, then `lvchange -ay {lv}`; or `thinscope activate {lv}`", each.join(", "));
    finding
}

fn volume(node: &Node) -> Option<String> {
    let lv = node.facts.lv.as_ref()?;
    Some(format!("{}/{}", lv.vg, lv.name))
}
