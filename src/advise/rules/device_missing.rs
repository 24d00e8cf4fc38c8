//! Names whose id is not in the pool: what an engine believes to have is gone.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::model::engine::Misfit;
use crate::model::{Engine, Finding, Pool, Role, Severity, ThinDevice, Topology};

pub(super) const RULE: Rule =
    Rule { code: "device-missing", page: include_str!("../pages/device-missing.md"), look };

/// Names that are told one by one.
const NAMED: usize = 20;

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    found.extend(topology.pools.iter().filter_map(|pool| describe(topology, pool)));
}

fn describe(topology: &Topology, pool: &Pool) -> Option<Finding> {
    let rows = pool.devices.iter().map(|ix| topology.thin(*ix));
    let missing = rows.filter(|row| row.role == Role::Missing && !is_given_up(pool, row));
    let missing: Vec<&ThinDevice> = missing.collect();
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
    let removal = match first.engine {
        Engine::Containerd => {
            "(`ctr -n NAMESPACE container rm ID`, `ctr -n NAMESPACE image rm REF`)"
        }
        _ => "(`docker rm`, `docker rmi`)",
    };
    finding.remedy = format!(
        "look whether the pool was restored from an older state, or another pool is in its place; \
         what is really gone is removed in its engine {removal} and made anew"
    );
    Some(finding)
}

/// Whether its engine never finished it, or gave it up: then nothing needs it.
fn is_given_up(pool: &Pool, row: &ThinDevice) -> bool {
    let misfits = pool.engine_facts.iter().flat_map(|said| &said.mismatches);
    misfits.into_iter().any(|misfit| {
        matches!(misfit.what, Misfit::Faulty(_) | Misfit::Unfinished)
            && Some(&misfit.device) == row.dm_name.as_ref()
    })
}

fn evidence(row: &ThinDevice) -> String {
    let id = row.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
    format!("{} is device {id} by its file, and the pool has no such id", row.name)
}
