//! The base device's filesystem is not the one that its engine recorded.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::model::engine::Base;
use crate::model::{EngineFacts, Finding, Pool, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "base-uuid-mismatch", page: include_str!("../pages/base-uuid-mismatch.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        found.extend(pool.engine_facts.iter().filter_map(|facts| describe(topology, pool, facts)));
    }
}

fn describe(topology: &Topology, pool: &Pool, facts: &EngineFacts) -> Option<Finding> {
    let Base::Recorded { id, uuid: Some(uuid), found: Some(is) } = &facts.base else { return None };
    if uuid.as_str().eq_ignore_ascii_case(is.as_str()) {
        return None;
    }
    let engine = facts.engine.name();
    let mut finding = about_pool(RULE.code, Severity::Critical, topology, pool);
    finding.summary = format!(
        "the filesystem of the base device of {} is not the one that {engine} recorded: {engine} \
         does not start with this pool",
        pool.name
    );
    finding.evidence.push(format!(
        "BaseDeviceUUID in {}/devicemapper/metadata/deviceset-metadata: {uuid}",
        facts.root
    ));
    finding.evidence.push(format!("uuid on device {id}: {is}"));
    finding.remedy = format!(
        "find out which belongs to which before anything is deleted: this data root ({}) may name \
         another root's pool (dm.thinpooldev), or one of the two came from a backup",
        facts.root
    );
    Some(finding)
}
