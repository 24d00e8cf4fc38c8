//! A pool that is suspended: whoever touches it waits.

use crate::advise::Rule;
use crate::advise::words::{about_pool, shell};
use crate::model::{Finding, Pool, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "pool-suspended", page: include_str!("../pages/pool-suspended.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let suspended = topology.pools.iter().filter(|pool| pool.suspended);
    found.extend(suspended.map(|pool| describe(topology, pool)));
}

fn describe(topology: &Topology, pool: &Pool) -> Finding {
    let dm = topology.node(pool.node).facts.dm.as_ref();
    let second_table = dm.is_some_and(|dm| dm.inactive_table);
    let mut finding = about_pool(RULE.code, Severity::Critical, topology, pool);
    finding.summary = format!(
        "{} is suspended: every read and write of its devices waits, and tools that touch them \
         hang",
        pool.name
    );
    finding.evidence.push("device-mapper state: SUSPENDED".to_owned());
    if second_table {
        finding.evidence.push("a second table waits in its inactive slot".to_owned());
    }
    finding.remedy = remedy(pool, second_table);
    finding
}

/// A change in progress suspends for well under a second. What comes after one that was killed
/// depends on who owns the pool: resuming an LVM pool blindly can make the kernel record a size
/// that the VG does not know (`facts.md`, killed in the middle).
fn remedy(pool: &Pool, second_table: bool) -> String {
    let name = shell(pool.name.as_str());
    let resume = match (&pool.lv, second_table) {
        (Some(_), true) => format!(
            "`dmsetup clear {name}` unless the waiting table's size is the one that the VG \
             records, then `dmsetup resume {name}`, tdata and tmeta before it"
        ),
        (Some(_), false) => {
            format!(
                "`dmsetup resume {name}`, its tdata and tmeta before it where they are suspended"
            )
        }
        (None, true) => format!(
            "`dmsetup resume {name}` puts the waiting table in force, `dmsetup clear {name}` first \
             keeps the old one"
        ),
        (None, false) => format!("`dmsetup resume {name}`"),
    };
    format!("look again: a change in progress ends within a second. If it stays: {resume}")
}
