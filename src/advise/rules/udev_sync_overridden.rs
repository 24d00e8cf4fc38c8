//! Docker was told to go on without waiting for udev.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::model::{EngineFacts, Finding, Pool, Severity, Topology};

pub(super) const RULE: Rule = Rule {
    code: "udev-sync-overridden",
    page: include_str!("../pages/udev-sync-overridden.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        let told = pool.engine_facts.iter().filter(|facts| facts.udev_sync_overridden);
        found.extend(told.map(|facts| describe(topology, pool, facts)));
    }
}

fn describe(topology: &Topology, pool: &Pool, facts: &EngineFacts) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Warning, topology, pool);
    finding.summary = format!(
        "{} uses {} whether or not it can wait for udev: without that, devices are mounted before \
         they are ready and removed while they are probed, and data is lost",
        facts.engine.name(),
        pool.name
    );
    finding.evidence = vec![format!("dm.override_udev_sync_check=true for {}", facts.root)];
    finding.remedy.push_str(
        "take the option out of daemon.json; a daemon that then does not start was \
                      built without udev: install a dynamically linked one",
    );
    finding
}
