//! Ids in a pool that no engine names: room that nobody will ever give back.

use crate::advise::Rule;
use crate::advise::words::{about_pool, shell};
use crate::format;
use crate::ids::ThinId;
use crate::model::{Finding, Pool, PoolKind, Role, Severity, ThinDevice, Topology};

pub(super) const RULE: Rule =
    Rule { code: "device-leaked", page: include_str!("../pages/device-leaked.md"), look };

/// Ids that are named one by one.
const NAMED: usize = 20;

/// What puts in doubt whose an id is: the files may be of another time than the pool, or of another
/// pool. They are found before this, as the registry has causes before consequences.
const DOUBTS: [&str; 8] = [
    "metadata-unreadable",
    "transaction-mismatch",
    "base-uuid-mismatch",
    "base-device-missing",
    "device-id-duplicate",
    "device-missing",
    "containerd-state-mismatch",
    "containerd-id-in-use",
];

/// What keeps the kernel from deleting anything.
const UNWELL: [&str; 5] =
    ["pool-inactive", "pool-failed", "pool-suspended", "pool-needs-check", "pool-read-only"];

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        let first: Vec<&'static str> = DOUBTS
            .into_iter()
            .chain(UNWELL)
            .filter(|code| is_found(topology, pool, found, code))
            .collect();
        found.extend(describe(topology, pool, &first));
    }
}

/// Whether a finding with this code is about a pool, or about a device in it.
fn is_found(topology: &Topology, pool: &Pool, found: &[Finding], code: &str) -> bool {
    let rows = pool.devices.iter().map(|ix| topology.thin(*ix).node);
    let nodes: Vec<_> = rows.chain([pool.node]).map(|ix| &topology.node(ix).id).collect();
    let with_code = found.iter().filter(|finding| finding.code == code);
    with_code.into_iter().any(|finding| finding.node.iter().any(|id| nodes.contains(&id)))
}

fn describe(topology: &Topology, pool: &Pool, first: &[&str]) -> Option<Finding> {
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
    finding.remedy = remedy(pool, &ids, first);
    Some(finding)
}

fn remedy(pool: &Pool, ids: &[ThinId], first: &[&str]) -> String {
    if let Some(code) = first.first() {
        return if DOUBTS.contains(code) {
            format!(
                "delete nothing: settle {code} first, for until then nobody knows whose these ids are"
            )
        } else {
            format!("settle {code} first, for until then nothing can be deleted; then look again")
        };
    }
    if pool.kind == PoolKind::LvmThin {
        return "delete nothing by message, for LVM keeps a list of its own: see \
                transaction-mismatch, and `lvremove` for what LVM knows"
            .to_owned();
    }
    let engines: Vec<&str> = pool.engines.iter().map(|engine| engine.name()).collect();
    let engine = if engines.is_empty() { "its engine".to_owned() } else { engines.join(", ") };
    // Docker takes a pool of its own files away when it ends
    let there = if pool.kind == PoolKind::LoopLvm {
        format!(", bring the pool back (`thinscope activate {}`)", shell(pool.name.as_str()))
    } else {
        String::new()
    };
    format!(
        "make sure that nobody but {engine} uses the pool, stop it{there} and look again; then, for \
         good: {}",
        commands(pool, ids)
    )
}

/// The commands for the ids that are named, in one line.
fn commands(pool: &Pool, ids: &[ThinId]) -> String {
    let name = shell(pool.name.as_str());
    let named: Vec<String> = ids.iter().take(NAMED).map(ToString::to_string).collect();
    match named.as_slice() {
        [id] => format!("`dmsetup message {name} 0 'delete {id}'`"),
        ids_named => {
            let rest = if ids.len() > NAMED { ", then look again for the rest" } else { "" };
            format!(
                "`for id in {}; do dmsetup message {name} 0 \"delete $id\"; done`{rest}",
                ids_named.join(" ")
            )
        }
    }
}

fn evidence(row: &ThinDevice) -> String {
    let id = row.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
    let mapped = row.mapped.map_or_else(|| "?".to_owned(), format::long);
    let made = row.times.map_or_else(String::new, |times| {
        format!(", made in transaction {} at time {}", times.transaction, times.created)
    });
    format!("device {id} maps {mapped}{made}; no file names it")
}
