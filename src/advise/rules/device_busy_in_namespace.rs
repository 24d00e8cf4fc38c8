//! A device that nothing of its engine's uses any more, and somebody else holds.

use std::collections::BTreeMap;

use crate::advise::Rule;
use crate::advise::words::{about_pool, shell};
use crate::model::engine::{Held, HeldBy};
use crate::model::{EngineFacts, Finding, Pool, Severity, Topology};

pub(super) const RULE: Rule = Rule {
    code: "device-busy-in-namespace",
    page: include_str!("../pages/device-busy-in-namespace.md"),
    look,
};

/// Lines of evidence.
const TOLD: usize = 10;

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        for facts in &pool.engine_facts {
            let mut by_device: BTreeMap<&str, Vec<&Held>> = BTreeMap::new();
            for held in &facts.held {
                by_device.entry(held.device.as_str()).or_default().push(held);
            }
            let foreign =
                by_device.into_iter().filter(|(_, list)| list.iter().any(|held| is_foreign(held)));
            found
                .extend(foreign.map(|(name, list)| describe(topology, (pool, facts), name, &list)));
        }
    }
}

/// The engine itself mounts a device for an instant, where the system's first process sees it.
fn is_foreign(held: &Held) -> bool {
    !matches!(held.how, HeldBy::Mount { of_init: true, .. })
}

fn describe(
    topology: &Topology,
    (pool, facts): (&Pool, &EngineFacts),
    name: &str,
    list: &[&Held],
) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Warning, topology, pool);
    let row = pool
        .devices
        .iter()
        .map(|ix| topology.thin(*ix))
        .find(|row| row.dm_name.as_ref().is_some_and(|dm_name| dm_name == name));
    let label = row.map_or_else(|| name.to_owned(), |row| row.label().into_owned());
    if let Some(row) = row {
        finding.subject = topology.node(row.node).name.clone();
        finding.node = Some(topology.node(row.node).id.clone());
    }
    let first = list.iter().find(|held| is_foreign(held)).copied();
    let who =
        first.map_or_else(String::new, |held| format!("process {} ({})", held.pid, held.command));
    let how = match first.map(|held| &held.how) {
        Some(HeldBy::Mount { .. }) => "still has it mounted in a mount namespace of its own",
        Some(HeldBy::Device) => "has the device open",
        _ => "has a file on it open",
    };
    finding.summary = format!(
        "{label} does not run and its device is busy: {who} {how}, so that {} cannot remove it",
        facts.engine.name()
    );
    finding.evidence = list.iter().take(TOLD).map(|held| line(held)).collect();
    if list.len() > TOLD {
        finding.evidence.push(format!("and {} more", list.len() - TOLD));
    }
    if facts.unseen_processes > 0 {
        let line = format!("{} processes could not be looked into", facts.unseen_processes);
        finding.evidence.push(line);
    }
    finding.remedy = first.map_or_else(String::new, remedy);
    finding
}

fn line(held: &Held) -> String {
    let who = format!("process {} ({})", held.pid, held.command);
    match &held.how {
        HeldBy::Mount { point, namespace, of_init } => {
            let whose = if *of_init { ", the system's own" } else { "" };
            format!("{} is mounted at {point} in {namespace}{whose}, as {who} sees it", held.device)
        }
        HeldBy::File(path) => format!("{who} has {path} open on {}", held.device),
        HeldBy::Device => format!("{who} has {} open", held.device),
    }
}

fn remedy(held: &Held) -> String {
    let Held { pid, command, .. } = held;
    match &held.how {
        HeldBy::Mount { point, .. } => format!(
            "restart {command} (process {pid}), which took a copy of the mounts when it started; or \
             `nsenter -t {pid} -m umount {}`, then `docker rm` again",
            shell(point.as_str())
        ),
        HeldBy::File(_) | HeldBy::Device => {
            format!("end process {pid} ({command}), then `docker rm` again")
        }
    }
}
