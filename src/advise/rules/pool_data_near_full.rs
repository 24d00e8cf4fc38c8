//! Few data blocks are free.

use crate::advise::Rule;
use crate::advise::growing::{Part, held_back, more};
use crate::advise::no_space::fate;
use crate::advise::words::{about_pool, near_full, percent};
use crate::format;
use crate::model::{Finding, Mode, Pool, PoolStatus, Severity, Topology};

pub(super) const RULE: Rule = Rule {
    code: "pool-data-near-full",
    page: include_str!("../pages/pool-data-near-full.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    // out of space with blocks free: some were just deleted, and the mode says it graver
    let near = |status: &&PoolStatus| {
        status.mode != Mode::OutOfDataSpace && near_full(status.data.used.0, status.data.total.0)
    };
    for pool in &topology.pools {
        if let Some(status) = pool.status().filter(near) {
            found.push(describe(topology, pool, status));
        }
    }
}

fn describe(topology: &Topology, pool: &Pool, status: &PoolStatus) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Warning, topology, pool);
    let share = percent(status.data.used.0, status.data.total.0);
    let sizes = pool
        .data_usage()
        .map(|usage| format!(" ({} of {})", format::long(usage.used), format::long(usage.total)));
    finding.summary = format!(
        "the data of {} is {share}% full{}: {}",
        pool.name,
        sizes.unwrap_or_default(),
        fate(topology, pool, status).when_full()
    );
    (finding.remedy, finding.cure) = more(topology, pool, Part::Data);
    if held_back(pool, Part::Data).is_none() {
        finding.remedy.push_str("; or remove containers and images that are no longer needed");
    }
    finding
}
