//! Ids in a pool that no engine names: room that nobody will ever give back.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::format;
use crate::model::{Finding, Pool, Role, Severity, ThinDevice, Topology};

pub(super) const RULE: Rule =
    Rule { code: "device-leaked", page: include_str!("../pages/device-leaked.md"), look };

/// Ids that are named one by one.
const NAMED: usize = 20;

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    found.extend(topology.pools.iter().filter_map(|pool| describe(topology, pool)));
}

fn describe(topology: &Topology, pool: &Pool) -> Option<Finding> {
    let rows = pool.devices.iter().map(|ix| topology.thin(*ix));
    let leaked: Vec<&ThinDevice> = rows.filter(|row| row.role == Role::Leaked).collect();
    if leaked.is_empty() {
        return None;
    }
    let ids: Vec<_> = leaked.iter().filter_map(|row| row.id).collect();
    let mut finding = about_pool(RULE.code, Severity::Warning, topology, pool);
    let (count, s) = (leaked.len(), if leaked.len() == 1 { "" } else { "s" });
    let freed = pool.contents.as_deref().and_then(|contents| {
        let freed = contents.freed_by(&ids)?;
        Some(format!(
            "; deleting would free {}",
            format::long(freed.blocks.bytes(contents.block_size))
        ))
    });
    finding.summary = format!(
        "{} holds {count} device{s} that nobody names{}",
        pool.name,
        freed.unwrap_or_default()
    );
    finding.evidence = leaked.iter().take(NAMED).map(|row| evidence(row)).collect();
    finding.remedy = format!(
        "make sure that no other engine uses the pool, stop the one that does, and delete each id: \
         `dmsetup message {} 0 'delete ID'`",
        crate::advise::words::shell(pool.name.as_str())
    );
    Some(finding)
}

fn evidence(row: &ThinDevice) -> String {
    let id = row.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
    let mapped = row.mapped.map_or_else(|| "?".to_owned(), format::long);
    let made = row.times.map_or_else(String::new, |times| {
        format!(", made in transaction {} at time {}", times.transaction, times.created)
    });
    format!("device {id} maps {mapped}{made}; no file names it")
}
