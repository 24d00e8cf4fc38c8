//! No data block is free.

use crate::advise::Rule;
use crate::advise::growing::{Part, more};
use crate::advise::no_space::fate;
use crate::advise::words::{about_pool, data_full};
use crate::format;
use crate::model::{Finding, Pool, PoolStatus, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "pool-data-full", page: include_str!("../pages/pool-data-full.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        if let Some(status) = pool.status().filter(|status| data_full(status)) {
            found.push(describe(topology, pool, status));
        }
    }
}

fn describe(topology: &Topology, pool: &Pool, status: &PoolStatus) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Critical, topology, pool);
    let size = pool.data_usage().map(|usage| format!(" ({})", format::long(usage.total)));
    finding.summary = format!(
        "every data block of {}{} is in use: {}",
        pool.name,
        size.unwrap_or_default(),
        fate(topology, pool, status).now()
    );
    (finding.remedy, finding.cure) = more(topology, pool, Part::Data);
    finding
}
