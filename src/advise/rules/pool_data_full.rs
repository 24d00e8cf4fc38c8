//! No data block is free.

use crate::advise::Rule;
use crate::advise::growing::more_data;
use crate::advise::words::{about_pool, data_full};
use crate::format;
use crate::model::{Finding, Pool, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "pool-data-full", page: include_str!("../pages/pool-data-full.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let full = topology.pools.iter().filter(|pool| pool.status().is_some_and(data_full));
    found.extend(full.map(|pool| describe(topology, pool)));
}

fn describe(topology: &Topology, pool: &Pool) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Critical, topology, pool);
    let size = pool.data_usage().map(|usage| format!(" ({})", format::long(usage.total)));
    finding.summary = format!(
        "every data block of {}{} is in use: the next write that needs a new one waits, then fails",
        pool.name,
        size.unwrap_or_default()
    );
    finding.remedy = format!("grow the data: {}", more_data(topology, pool));
    finding
}
