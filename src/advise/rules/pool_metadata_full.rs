//! No metadata block is free.

use crate::advise::Rule;
use crate::advise::growing::{Part, more};
use crate::advise::words::{about_pool, metadata_full, out_of_metadata_space};
use crate::format;
use crate::model::{Finding, Pool, PoolStatus, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "pool-metadata-full", page: include_str!("../pages/pool-metadata-full.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        if let Some(status) = pool.status().filter(|status| metadata_full(status)) {
            found.push(describe(topology, pool, status));
        }
    }
}

fn describe(topology: &Topology, pool: &Pool, status: &PoolStatus) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Critical, topology, pool);
    let size = format::long(status.metadata.total.bytes());
    finding.summary = if out_of_metadata_space(status) {
        format!(
            "{} is out of metadata space ({size} in use): the kernel made it read-only until the \
             metadata grows",
            pool.name
        )
    } else {
        format!(
            "the metadata of {} is full ({size} in use, the kernel's reserve included): nothing \
             new can be mapped",
            pool.name
        )
    };
    (finding.remedy, finding.cure) = more(topology, pool, Part::Metadata);
    finding
}
