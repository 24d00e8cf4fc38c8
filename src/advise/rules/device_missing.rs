//! Names whose id is not in the pool: what an engine believes to have is gone.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::model::{Finding, Pool, Role, Severity, ThinDevice, Topology};

pub(super) const RULE: Rule =
    Rule { code: "device-missing", page: include_str!("../pages/device-missing.md"), look };

/// Names that are told one by one.
const NAMED: usize = 20;

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    found.extend(topology.pools.iter().filter_map(|pool| describe(topology, pool)));
}

fn describe(topology: &Topology, pool: &Pool) -> Option<Finding> {
    let rows = pool.devices.iter().map(|ix| topology.thin(*ix));
    let missing: Vec<&ThinDevice> = rows.filter(|row| row.role == Role::Missing).collect();
    let first = missing.first()?;
    let mut finding = about_pool(RULE.code, Severity::Warning, topology, pool);
    let (count, s) = (missing.len(), if missing.len() == 1 { "" } else { "s" });
    finding.summary = format!(
        "{count} device{s} that {} names {} not in {}: whatever needs {} cannot start",
        first.engine.name(),
        if count == 1 { "is" } else { "are" },
        pool.name,
        if count == 1 { "it" } else { "them" },
    );
    finding.evidence = missing.iter().take(NAMED).map(|row| evidence(row)).collect();
    finding.remedy.push_str(
        "look whether the pool was restored from an older state, or another pool is \
                      in its place; what is really gone is removed in its engine (`docker rm`, \
                      `docker rmi`) and made anew",
    );
    Some(finding)
}

fn evidence(row: &ThinDevice) -> String {
    let id = row.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
    format!("{} is device {id} by its file, and the pool has no such id", row.name)
}
