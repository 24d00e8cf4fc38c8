//! A pool whose metadata must be checked offline before it is written again.

use crate::advise::Rule;
use crate::advise::words::{about_pool, shell};
use crate::model::{Finding, Pool, PoolStatus, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "pool-needs-check", page: include_str!("../pages/pool-needs-check.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let flagged = |status: &PoolStatus| status.needs_check == Some(true);
    let pools = topology.pools.iter().filter(|pool| pool.status().is_some_and(flagged));
    found.extend(pools.map(|pool| describe(topology, pool)));
}

fn describe(topology: &Topology, pool: &Pool) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Critical, topology, pool);
    finding.summary = format!(
        "{} needs a check: a metadata operation failed, and the kernel neither writes nor grows \
         the pool until the metadata was checked offline",
        pool.name
    );
    finding.remedy = match &pool.lv {
        Some(lv) => format!(
            "stop what uses the pool, `lvchange -an {lv}`, then `lvchange -ay --config \
             'global{{thin_check_options=[\"-q\",\"--clear-needs-check-flag\"]}}' {lv}`; if \
             thin_check refuses, save the metadata and `lvconvert --repair {lv}` first",
            lv = shell(lv.as_str())
        ),
        None => "stop what uses the pool, remove it, save its metadata device, `thin_check \
                 --clear-needs-check-flag` it, make the pool again with the same table"
            .to_owned(),
    };
    finding
}
