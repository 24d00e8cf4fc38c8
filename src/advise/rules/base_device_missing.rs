//! The device that an engine's bottom layers are made from is not there.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::model::engine::Base;
use crate::model::{EngineFacts, Finding, Pool, Role, Severity, Topology};

pub(super) const RULE: Rule = Rule {
    code: "base-device-missing",
    page: include_str!("../pages/base-device-missing.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        found.extend(pool.engine_facts.iter().filter_map(|facts| describe(topology, pool, facts)));
    }
}

fn describe(topology: &Topology, pool: &Pool, facts: &EngineFacts) -> Option<Finding> {
    let (engine, file) =
        (facts.engine.name(), format!("{}/devicemapper/metadata/base", facts.root));
    let (why, line) = match &facts.base {
        Base::NoRecord => (
            format!("{engine} has layers and no record of its base device"),
            format!("{file}: no such file"),
        ),
        Base::Unfinished(id) => (
            format!(
                "the base device {id} was never finished: at its next start {engine} deletes \
                     it and makes a new one"
            ),
            format!("\"initialized\":false in {file}"),
        ),
        Base::Recorded { id, .. } if is_gone(topology, pool) => (
            format!(
                "the base device {id} is not in the pool: {engine} can make no bottom layer, \
                     and may not start"
            ),
            format!("{file} names device {id}, which the pool does not have"),
        ),
        Base::Unseen | Base::Recorded { .. } => return None,
    };
    let severity = match &facts.base {
        Base::Recorded { .. } => Severity::Critical,
        _ => Severity::Warning,
    };
    let mut finding = about_pool(RULE.code, severity, topology, pool);
    finding.summary = format!("{}: {why}", pool.name);
    finding.evidence = vec![line];
    finding.remedy = format!(
        "put the folder {}/devicemapper/metadata back from a backup of the same time as the pool; \
         without one, save what containers hold (`thinscope layers`), then begin with an empty \
         data root",
        facts.root
    );
    Some(finding)
}

fn is_gone(topology: &Topology, pool: &Pool) -> bool {
    let rows = pool.devices.iter().map(|ix| topology.thin(*ix));
    rows.into_iter().any(|row| row.role == Role::Missing && row.name == "base")
}
