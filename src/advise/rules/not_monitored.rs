//! An active LVM pool that nobody watches, or that nobody will after its next activation.

use crate::advise::Rule;
use crate::advise::words::{about_pool, is_near_full, policy_line, shell};
use crate::model::{Finding, Policy, Pool, PoolState, Severity, Topology};
use crate::text::Printable;

pub(super) const RULE: Rule =
    Rule { code: "not-monitored", page: include_str!("../pages/not-monitored.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let of_lvm = |pool: &&Pool| pool.lv.is_some() && pool.state != PoolState::Inactive;
    for pool in topology.pools.iter().filter(of_lvm) {
        if is_unwatched(pool) {
            found.push(unwatched(topology, pool));
        } else {
            found.extend(will_be_unwatched(topology, pool));
        }
    }
}

/// LVM says so of an active pool only; an empty word means that it does not apply or that this
/// LVM cannot tell, and `pending` means that it is being set up (`formats.md` 4.2).
fn is_unwatched(pool: &Pool) -> bool {
    pool.monitor.as_ref().map(Printable::as_str) == Some("not monitored")
}

/// Who meant the pool to grow by itself, by its profile or by lvm.conf, believes that it will;
/// and a pool that is near full has nobody who says so.
fn severity(pool: &Pool) -> Severity {
    let profile = pool.profile.as_ref().is_some_and(|profile| !profile.is_empty());
    let meant = pool.policy.as_ref().is_some_and(Policy::is_meant_to_grow);
    if profile || meant || is_near_full(pool) { Severity::Warning } else { Severity::Advice }
}

fn unwatched(topology: &Topology, pool: &Pool) -> Finding {
    let mut finding = about_pool(RULE.code, severity(pool), topology, pool);
    let profile = pool.profile.as_ref().filter(|profile| !profile.is_empty());
    let on = pool.policy.as_ref().filter(|policy| policy.is_meant_to_grow());
    finding.summary = match (profile, on) {
        (Some(profile), _) => format!(
            "{} is not monitored: it has the profile {profile}, and yet nothing will grow it",
            pool.name
        ),
        (None, Some(_)) => {
            format!("{} is not monitored: LVM is set to grow it, and yet nothing will", pool.name)
        }
        (None, None) => format!(
            "{} is not monitored: nobody warns when it fills, and it does not grow by itself",
            pool.name
        ),
    };
    finding.evidence = vec![format!("seg_monitor of {}: not monitored", pool.name)];
    finding.evidence.extend(on.map(policy_line));
    finding.evidence.extend(causes(topology, pool));
    finding.remedy = remedy(topology, pool);
    finding
}

/// It may be watched now, and its next activation registers it with nobody.
fn will_be_unwatched(topology: &Topology, pool: &Pool) -> Option<Finding> {
    let causes = causes(topology, pool);
    if causes.is_empty() {
        return None;
    }
    let mut finding = about_pool(RULE.code, severity(pool), topology, pool);
    let watched = pool.monitor.as_ref().is_some_and(|word| word == "monitored");
    finding.summary = format!(
        "{} will not be monitored after its next activation{}: nobody warns when it fills then, \
         and it does not grow by itself",
        pool.name,
        if watched { ", though it is now" } else { "" }
    );
    finding.evidence = causes;
    finding.remedy = remedy(topology, pool);
    Some(finding)
}

/// Why LVM registers no volume for monitoring when it activates it.
fn causes(topology: &Topology, pool: &Pool) -> Vec<String> {
    let off = pool.policy.as_ref().is_some_and(|policy| !policy.monitoring);
    let missing = topology.host.dmeventd_missing.as_ref();
    off.then(|| "activation/monitoring = 0 in LVM's configuration".to_owned())
        .into_iter()
        .chain(missing.map(|path| format!("{path}: no such file")))
        .collect()
}

fn remedy(topology: &Topology, pool: &Pool) -> String {
    let lv = pool.lv.as_ref().map_or_else(String::new, |lv| shell(lv.as_str()));
    let mut steps = Vec::new();
    if topology.host.dmeventd_missing.is_some() {
        steps.push("install dmeventd (package dmeventd; RHEL: device-mapper-event)".to_owned());
    }
    if pool.policy.as_ref().is_some_and(|policy| !policy.monitoring) {
        steps.push("set `activation/monitoring = 1` in /etc/lvm/lvm.conf".to_owned());
    }
    let needs = if steps.is_empty() { " (it needs dmeventd)" } else { "" };
    steps.push(format!("`lvchange --monitor y {lv}`{needs}"));
    steps.join(", then ")
}
