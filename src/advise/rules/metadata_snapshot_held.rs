//! A metadata snapshot that somebody reserved and did not release.

use crate::advise::Rule;
use crate::advise::words::{about_pool, shell};
use crate::model::{Finding, Pool, Severity, Topology};

pub(super) const RULE: Rule = Rule {
    code: "metadata-snapshot-held",
    page: include_str!("../pages/metadata-snapshot-held.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let held = |pool: &&Pool| pool.status().is_some_and(|status| status.held_root.is_some());
    found.extend(topology.pools.iter().filter(held).map(|pool| describe(topology, pool)));
}

fn describe(topology: &Topology, pool: &Pool) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Advice, topology, pool);
    finding.summary = format!(
        "a metadata snapshot of {} is held: what is deleted meanwhile stays used",
        pool.name
    );
    finding.remedy = format!(
        "a backup or another viewer may be reading it: wait. When nobody does, `dmsetup message {} \
         0 release_metadata_snap`",
        shell(pool.name.as_str())
    );
    finding
}
