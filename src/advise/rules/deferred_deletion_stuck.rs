//! Devices that are to be deleted, and stay.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::model::engine::{HeldBy, Pending};
use crate::model::{EngineFacts, Finding, Pool, Severity, Topology};

pub(super) const RULE: Rule = Rule {
    code: "deferred-deletion-stuck",
    page: include_str!("../pages/deferred-deletion-stuck.md"),
    look,
};

/// Docker tries every 30 s: after three times it is no matter of chance.
const STUCK: u64 = 90;
/// Lines of evidence.
const TOLD: usize = 10;

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        found.extend(pool.engine_facts.iter().filter_map(|facts| describe(topology, pool, facts)));
    }
}

fn describe(topology: &Topology, pool: &Pool, facts: &EngineFacts) -> Option<Finding> {
    let dead = facts.daemon_runs == Some(false);
    let stuck = |device: &&Pending| dead || device.seconds.is_some_and(|age| age >= STUCK);
    let devices: Vec<&Pending> = facts.pending.iter().filter(stuck).collect();
    if devices.is_empty() {
        return None;
    }
    let severity = if dead { Severity::Advice } else { Severity::Warning };
    let mut finding = about_pool(RULE.code, severity, topology, pool);
    let (count, s) = (devices.len(), if devices.len() == 1 { "" } else { "s" });
    let engine = facts.engine.name();
    finding.summary = if dead {
        format!(
            "{count} device{s} of {} wait{} to be deleted and nobody tries: {engine} does not run",
            pool.name,
            if count == 1 { "s" } else { "" }
        )
    } else {
        format!(
            "{engine} cannot delete {count} device{s} of {}: it has tried every 30 s, and their \
             space is not given back",
            pool.name
        )
    };
    finding.evidence = devices.iter().take(TOLD).map(|device| line(facts, device)).collect();
    finding.remedy = if dead {
        format!("start {engine}: it tries again by itself")
    } else {
        "end what holds the device (see device-busy-in-namespace), or restart it without its copy \
         of the mounts; docker then deletes by itself within 30 s"
            .to_owned()
    };
    Some(finding)
}

fn line(facts: &EngineFacts, device: &Pending) -> String {
    let age = device.seconds.map_or_else(String::new, |age| format!(" for {age} s"));
    let name = device.name.as_str();
    let held = facts.held.iter().find(|held| held.device.as_str().ends_with(name));
    let by = held.map_or_else(String::new, |held| {
        let how = match held.how {
            HeldBy::Mount { .. } => "mounted in the namespace of",
            HeldBy::File(_) | HeldBy::Device => "held open by",
        };
        format!("; {how} process {} ({})", held.pid, held.command)
    });
    format!("device {} ({name}) is marked deleted{age}{by}", device.id)
}
