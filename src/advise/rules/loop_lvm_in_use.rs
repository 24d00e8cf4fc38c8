//! A pool over loop devices, which docker itself calls strongly discouraged.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::model::{Finding, NodeIx, Pool, PoolKind, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "loop-lvm-in-use", page: include_str!("../pages/loop-lvm-in-use.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let loops = topology.pools.iter().filter(|pool| pool.kind == PoolKind::LoopLvm);
    found.extend(loops.map(|pool| describe(topology, pool)));
}

fn describe(topology: &Topology, pool: &Pool) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Advice, topology, pool);
    finding.summary = format!(
        "{} lives in sparse files under loop devices (loop-lvm): slow, and it fails when the \
         filesystem under the files is full, whatever the pool says",
        pool.name
    );
    finding.evidence = [("data", pool.data), ("metadata", pool.metadata)]
        .into_iter()
        .filter_map(|(what, ix)| file_line(topology, what, ix?))
        .collect();
    finding.remedy = "fine for trying things out; for anything else move to direct-lvm: save \
                      images and data, stop docker, and set dm.thinpooldev or \
                      dm.directlvm_device to a block device"
        .into();
    finding
}

fn file_line(topology: &Topology, what: &str, ix: NodeIx) -> Option<String> {
    let node = topology.node(ix);
    let file = match &node.facts.loop_device {
        Some(facts) => &facts.backing_file,
        None => &node.name,
    };
    Some(format!("{what} of the pool: {file}")).filter(|_| !file.is_empty())
}
