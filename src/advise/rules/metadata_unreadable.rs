//! Metadata that is damaged: what hangs below a damaged block is not seen.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::model::{Finding, Pool, Severity, Topology};

pub(super) const RULE: Rule = Rule {
    code: "metadata-unreadable",
    page: include_str!("../pages/metadata-unreadable.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    found.extend(topology.pools.iter().filter_map(|pool| describe(topology, pool)));
}

fn describe(topology: &Topology, pool: &Pool) -> Option<Finding> {
    let contents = pool.contents.as_deref().filter(|contents| !contents.is_sound())?;
    let mut finding = about_pool(RULE.code, Severity::Critical, topology, pool);
    let (count, s) = (contents.damage_count, if contents.damage_count == 1 { "" } else { "s" });
    finding.summary = format!(
        "the metadata of {} is damaged in {count} place{s}: what lies below is not seen",
        pool.name
    );
    finding.evidence.clone_from(&contents.damages);
    finding.remedy.push_str(
        "save the metadata before anything else; stop what uses the pool, deactivate \
                      it, `thin_check`, and repair into a new volume (`lvconvert --repair`, \
                      `thin_repair`)",
    );
    Some(finding)
}
