//! Docker without deferred removal.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::model::{EngineFacts, Finding, Pool, Severity, Topology};

pub(super) const RULE: Rule = Rule {
    code: "deferred-removal-off",
    page: include_str!("../pages/deferred-removal-off.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        let off = pool.engine_facts.iter().filter(|facts| facts.deferred_removal == Some(false));
        found.extend(off.map(|facts| describe(topology, pool, facts)));
    }
}

fn describe(topology: &Topology, pool: &Pool, facts: &EngineFacts) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Advice, topology, pool);
    finding.summary = format!(
        "{} removes devices of {} at once or not at all: one that is busy for an instant makes \
         `docker rm` fail and leaves a dead container",
        facts.engine.name(),
        pool.name
    );
    finding.evidence = vec![format!("dm.use_deferred_removal is off for {}", facts.root)];
    finding.remedy.push_str(
        "write `\"storage-opts\": [\"dm.use_deferred_removal=true\", \
                      \"dm.use_deferred_deletion=true\"]` into /etc/docker/daemon.json, beside \
                      what is there; then `systemctl restart docker`",
    );
    finding
}
