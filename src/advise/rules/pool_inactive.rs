//! A pool that somebody names and the kernel does not have.

use crate::advise::Rule;
use crate::advise::words::{about_pool, shell};
use crate::model::engine::EngineFacts;
use crate::model::{Engine, Finding, Pool, PoolState, Severity, Topology};
use crate::text::Printable;

pub(super) const RULE: Rule =
    Rule { code: "pool-inactive", page: include_str!("../pages/pool-inactive.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let inactive = topology.pools.iter().filter(|pool| pool.state == PoolState::Inactive);
    found.extend(inactive.map(|pool| describe(topology, pool)));
}

fn describe(topology: &Topology, pool: &Pool) -> Finding {
    let engine = container_engine(pool).map(Engine::name);
    let mut finding = about_pool(RULE.code, severity(pool), topology, pool);
    finding.evidence.push(named(topology, pool));
    finding.evidence.extend(lvm_lines(topology, pool));
    finding.evidence.extend(beside_lines(pool));
    (finding.summary, finding.remedy) = match (&pool.lv, engine) {
        (Some(lv), engine) => (
            format!(
                "the pool {lv} is not active{}",
                engine.map_or_else(String::new, |e| format!(": {e} cannot start on it"))
            ),
            format!(
                "`lvchange -ay {}`; if it refuses, its message names the cause",
                shell(lv.as_str())
            ),
        ),
        (None, Some(engine)) if made_by_engine(pool) => (
            format!("{} is not active: {engine} makes it when it starts", pool.name),
            format!("nothing while {engine} is stopped on purpose, else start it"),
        ),
        (None, None) if is_left_behind(pool) => (
            format!(
                "a database of containerd's was left behind that names {}, and the kernel has no \
                 such pool",
                pool.name
            ),
            "nothing where containerd does not use the devmapper snapshotter any more: no \
             configuration names the pool, and no daemon runs on the database; else make the pool \
             again before containerd is started"
                .to_owned(),
        ),
        (None, engine) => (
            format!(
                "{} is configured{} and does not exist in the kernel",
                pool.name,
                engine.map_or_else(String::new, |e| format!(" for {e}"))
            ),
            "activate what holds it (`vgchange -ay` for an LVM pool), or make it again from its \
             two devices without zeroing the metadata"
                .to_owned(),
        ),
    };
    if let Some(other) = nearly_named(topology, pool) {
        let name = &other.name;
        finding.evidence.push(format!("a thin pool has nearly that name: {name}"));
        let named = match container_engine(pool) {
            Some(Engine::Containerd) => {
                format!(
                    "`pool_name = \"{name}\"` in the section of \
                     io.containerd.snapshotter.v1.devmapper"
                )
            }
            _ => format!("`dm.thinpooldev=/dev/mapper/{name}`"),
        };
        finding.remedy = format!(
            "it may be the one that is meant: see which name is right (`dmsetup ls --tree`), then \
             name it as device-mapper does: {named}; a name that ends in -tpool comes about where \
             LVM has volumes of its own in the pool, and two owners of one pool do it harm"
        );
    }
    finding
}

/// Whether a device has the pool's name and is something else, as what LVM puts above a `-tpool`.
fn named(topology: &Topology, pool: &Pool) -> String {
    let mut all = topology.nodes.iter().filter_map(|node| node.facts.dm.as_ref());
    match all.find(|dm| dm.name == pool.name) {
        None => format!("no device-mapper device is named {}", pool.name),
        Some(dm) => {
            let table = dm.table.first().map_or("none", |line| line.as_str());
            format!("the device named {} is no thin pool, its table: {table}", pool.name)
        }
    }
}

/// An active pool whose name differs only in how LVM writes it: `-tpool` behind it, hyphens doubled.
fn nearly_named<'a>(topology: &'a Topology, pool: &Pool) -> Option<&'a Pool> {
    let plain = |name: &str| name.trim_end_matches("-tpool").replace("--", "-");
    let wanted = plain(pool.name.as_str());
    let there = |other: &&Pool| other.state != PoolState::Inactive && other.name != pool.name;
    let mut others = topology.pools.iter().filter(there);
    others.find(|other| pool.lv.is_none() && plain(other.name.as_str()) == wanted)
}

/// An engine whose pool is gone cannot start. A pool that the engine itself makes is gone
/// whenever the engine was stopped in good order (`facts.md`), which is healthy.
fn severity(pool: &Pool) -> Severity {
    match (made_by_engine(pool), container_engine(pool)) {
        (true, _) => Severity::Advice,
        (false, None) if pool.lv.is_none() && is_left_behind(pool) => Severity::Advice,
        (false, None) => Severity::Warning,
        (false, Some(_)) => Severity::Critical,
    }
}

/// The first engine that needs the pool to start; LVM's volumes wait without harm.
fn container_engine(pool: &Pool) -> Option<Engine> {
    let left = is_left_behind(pool);
    let needs = |engine: &Engine| match engine {
        Engine::Lvm | Engine::Unknown => false,
        Engine::Containerd => !left,
        _ => true,
    };
    pool.engines.iter().copied().find(needs)
}

/// Whether all that names the pool for containerd are databases that nobody configured and no
/// daemon holds: an uninstalled or reconfigured snapshotter leaves them for ever.
fn is_left_behind(pool: &Pool) -> bool {
    let said = pool.engine_facts.iter().filter(|said| said.engine == Engine::Containerd);
    let mut said = said.peekable();
    said.peek().is_some() && said.all(|said| !said.configured && said.daemon_runs == Some(false))
}

/// Docker's own pools are named `docker-MAJOR:MINOR-INODE-pool` (`formats.md` 1.4).
fn made_by_engine(pool: &Pool) -> bool {
    let name = pool.name.as_str();
    pool.lv.is_none() && name.contains(':') && name.ends_with("-pool")
}

/// containerd records nothing of what its pool rests on: whoever made it knows. Files beside its
/// databases are a hint.
fn beside_lines(pool: &Pool) -> Vec<String> {
    let said = pool.engine_facts.iter().filter(|said| said.engine == Engine::Containerd);
    let line = |said: &EngineFacts| {
        let files: Vec<&str> = said.beside.iter().map(Printable::as_str).collect();
        let found = match files.as_slice() {
            [] => "no files lie beside its databases".to_owned(),
            files => format!("files beside its databases: {}", files.join(", ")),
        };
        format!(
            "{} records nothing of what the pool rests on, only the script or unit that makes it \
             does; {found}",
            said.engine.name()
        )
    };
    said.map(line).collect()
}

fn lvm_lines(topology: &Topology, pool: &Pool) -> Vec<String> {
    let lv = topology.node(pool.node).facts.lv.as_ref();
    let vg = topology.vg_of(pool).and_then(|node| node.facts.vg.as_ref());
    let missing = vg.map(|vg| vg.missing_pvs).filter(|missing| *missing > 0);
    lv.map(|lv| format!("lv_attr of {}/{}: {}", lv.vg, lv.name, lv.attr))
        .into_iter()
        .chain(missing.map(|missing| format!("vg_missing_pv_count: {missing}")))
        .collect()
}
