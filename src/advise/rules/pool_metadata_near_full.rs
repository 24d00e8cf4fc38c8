//! Few metadata blocks are free.

use crate::advise::Rule;
use crate::advise::growing::{Part, more};
use crate::advise::words::{about_pool, near_full, percent};
use crate::format;
use crate::model::{Finding, Pool, Severity, Topology, Usage};
use crate::units::MetadataBlocks;

pub(super) const RULE: Rule = Rule {
    code: "pool-metadata-near-full",
    page: include_str!("../pages/pool-metadata-near-full.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        let usage = pool.status().map(|status| status.metadata);
        if let Some(usage) = usage.filter(|usage| near_full(usage.used.0, usage.total.0)) {
            found.push(describe(topology, pool, usage));
        }
    }
}

fn describe(topology: &Topology, pool: &Pool, usage: Usage<MetadataBlocks>) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Warning, topology, pool);
    finding.summary = format!(
        "the metadata of {} is {}% full ({} of {}, the kernel's reserve included): when it is full \
         the pool turns read-only",
        pool.name,
        percent(usage.used.0, usage.total.0),
        format::long(usage.used.bytes()),
        format::long(usage.total.bytes())
    );
    (finding.remedy, finding.cure) = more(topology, pool, Part::Metadata);
    finding
}
