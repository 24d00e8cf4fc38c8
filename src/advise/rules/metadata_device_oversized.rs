//! A metadata device larger than dm-thin can use.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::format;
use crate::model::growth::METADATA_MAX;
use crate::model::{Finding, Pool, Severity, Topology};
use crate::units::Bytes;

pub(super) const RULE: Rule = Rule {
    code: "metadata-device-oversized",
    page: include_str!("../pages/metadata-device-oversized.md"),
    look,
};

/// Extents round up: less than this beyond is no mistake.
const ROUNDING: u64 = 256 << 20;

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        let limit = METADATA_MAX.get().saturating_add(ROUNDING);
        let size = pool.metadata_size.filter(|size| size.get() > limit);
        found.extend(size.map(|size| describe(topology, pool, size)));
    }
}

fn describe(topology: &Topology, pool: &Pool, size: Bytes) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Advice, topology, pool);
    finding.summary = format!(
        "the metadata device of {} has {}, of which the kernel uses {}: {} lie idle",
        pool.name,
        format::long(size),
        format::long(METADATA_MAX),
        format::long(size.minus(METADATA_MAX))
    );
    finding.evidence.push(format!("size of the metadata device: {}", format::exact(size)));
    finding.remedy.push_str(
        "nothing must be done, and it can grow no further; metadata cannot be made \
                      smaller in place",
    );
    finding
}
