//! A pool that is suspended: whoever touches it waits.

use crate::advise::Rule;
use crate::advise::suspended::Stuck;
use crate::advise::words::about_pool;
use crate::model::{Finding, Pool, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "pool-suspended", page: include_str!("../pages/pool-suspended.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let suspended = topology.pools.iter().filter(|pool| pool.suspended);
    found.extend(suspended.map(|pool| describe(topology, pool)));
}

/// A change in progress suspends for well under a second.
fn describe(topology: &Topology, pool: &Pool) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Critical, topology, pool);
    finding.summary = format!(
        "{} is suspended: every read and write of its devices waits, and tools that touch them \
         hang",
        pool.name
    );
    finding.evidence.push("device-mapper state: SUSPENDED".to_owned());
    let stuck = Stuck::of_pool(topology, pool);
    finding.evidence.extend(stuck.evidence());
    finding.remedy = format!(
        "look again: a change in progress ends within a second. If it stays: {}",
        stuck.remedy()
    );
    finding
}
