//! An active LVM pool that nobody watches.

use crate::advise::Rule;
use crate::advise::words::{about_pool, shell};
use crate::model::{Finding, Pool, PoolState, Severity, Topology};
use crate::text::Printable;

pub(super) const RULE: Rule =
    Rule { code: "not-monitored", page: include_str!("../pages/not-monitored.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let unwatched = topology.pools.iter().filter(|pool| is_unwatched(pool));
    found.extend(unwatched.map(|pool| describe(topology, pool)));
}

/// LVM says so of an active pool only; an empty word means that it does not apply or that this
/// build of LVM cannot tell, and `pending` means that it is being set up (`formats.md` 4.2).
fn is_unwatched(pool: &Pool) -> bool {
    let word = pool.monitor.as_ref().map(Printable::as_str);
    let active = pool.state != PoolState::Inactive;
    active && pool.lv.is_some() && matches!(word, Some("not monitored"))
}

fn describe(topology: &Topology, pool: &Pool) -> Finding {
    let profile = pool.profile.as_ref().filter(|profile| !profile.is_empty());
    // with a profile of its own somebody meant this pool to grow by itself
    let severity = if profile.is_some() { Severity::Warning } else { Severity::Advice };
    let mut finding = about_pool(RULE.code, severity, topology, pool);
    finding.summary = match profile {
        Some(profile) => format!(
            "{} is not monitored: it has the profile {profile}, and yet nothing will grow it",
            pool.name
        ),
        None => format!(
            "{} is not monitored: nobody warns when it fills, and it does not grow by itself",
            pool.name
        ),
    };
    finding.evidence = vec![format!("seg_monitor of {}: not monitored", pool.name)];
    finding.remedy = pool.lv.as_ref().map_or_else(String::new, |lv| {
        format!("`lvchange --monitor y {}` (it needs dmeventd)", shell(lv.as_str()))
    });
    finding
}
