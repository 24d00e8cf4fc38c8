//! No spare to repair a pool's metadata into.

use crate::advise::Rule;
use crate::advise::words::{about_pool, shell};
use crate::format;
use crate::model::{Finding, Pool, PoolState, Severity, Topology};
use crate::units::Bytes;

pub(super) const RULE: Rule = Rule {
    code: "metadata-spare-missing",
    page: include_str!("../pages/metadata-spare-missing.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in topology.pools.iter().filter(|pool| !matches!(pool.state, PoolState::Unseen { .. }))
    {
        found.extend(describe(topology, pool));
    }
}

fn describe(topology: &Topology, pool: &Pool) -> Option<Finding> {
    let vg = topology.vg_of(pool)?;
    let free = vg.facts.vg.as_ref()?.free?;
    let metadata = pool.metadata_size?;
    let size = topology.spare_of(vg).and_then(|spare| spare.size);
    // a repair makes a volume of its own where the VG has the room
    if size.is_some_and(|size| size >= metadata) || free >= metadata {
        return None;
    }
    let mut finding = about_pool(RULE.code, Severity::Advice, topology, pool);
    let has = size.map_or_else(
        || "has no spare for a pool's metadata".to_owned(),
        |size| format!("has a spare of {}, less than the metadata", format::long(size)),
    );
    finding.summary = format!(
        "the VG {} {has} ({}), and not the room for one: `lvconvert --repair` would have nowhere \
         to write",
        vg.name,
        format::long(metadata)
    );
    finding.evidence = vec![format!(
        "spare: {}; metadata: {}; free: {}",
        format::exact(size.unwrap_or(Bytes(0))),
        format::exact(metadata),
        format::exact(free)
    )];
    finding.remedy = format!(
        "`vgextend {} DEVICE`; the next growth of the metadata, or `lvconvert \
         --poolmetadataspare y {}`, makes the spare as large as it must be",
        shell(vg.name.as_str()),
        pool.lv.as_ref().map_or_else(String::new, |lv| shell(lv.as_str()))
    );
    Some(finding)
}
