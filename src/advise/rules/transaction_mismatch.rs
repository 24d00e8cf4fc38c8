//! A pool whose transaction counter is not the one that its owner expects.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::model::{Engine, Finding, Pool, Role, Severity, Topology};

pub(super) const RULE: Rule = Rule {
    code: "transaction-mismatch",
    page: include_str!("../pages/transaction-mismatch.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        found.extend(of_lvm(topology, pool));
        found.extend(of_engine(topology, pool));
    }
}

/// The pool's own counter: now, or of an inactive pool as it was committed.
fn counter(pool: &Pool) -> Option<u64> {
    let committed = pool.contents.as_deref().map(|contents| contents.transaction);
    pool.status().map(|status| status.transaction_id).or(committed)
}

/// LVM compares where it has volumes of its own. One ahead of the pool it still has a message to
/// send; 0 it never compares (`formats.md` 4.4).
fn of_lvm(topology: &Topology, pool: &Pool) -> Option<Finding> {
    let lvm = pool.lvm_transaction_id.filter(|id| *id > 0)?;
    let volumes = pool.devices.iter().map(|ix| topology.thin(*ix));
    let has_volumes = volumes
        .into_iter()
        .any(|row| row.engine == Engine::Lvm && matches!(row.role, Role::Volume | Role::Snapshot));
    let pools = counter(pool)?;
    if !has_volumes || lvm == pools || lvm == pools.saturating_add(1) {
        return None;
    }
    let mut finding = about_pool(RULE.code, Severity::Critical, topology, pool);
    let newer = if pools > lvm { "the pool is newer" } else { "LVM's metadata is newer" };
    finding.summary = format!(
        "the transaction id of {} is {pools}, LVM expects {lvm}: {newer}, and LVM will not \
         activate the pool or make a volume in it",
        pool.name
    );
    finding.evidence.push(format!("transaction_id in LVM's metadata: {lvm}; in the pool: {pools}"));
    finding.remedy.push_str(
        "change nothing before it is known which side is right: `thin_check` the \
                      metadata of the inactive pool and compare `/etc/lvm/archive`; then the \
                      number in LVM's metadata is corrected (`vgcfgbackup`, `vgcfgrestore \
                      --force`), as the page says step by step",
    );
    Some(finding)
}

/// An engine's file and the pool: equal is closed, one ahead is an open transaction, which has a
/// code of its own.
fn of_engine(topology: &Topology, pool: &Pool) -> Option<Finding> {
    let facts = pool.engine_facts.iter().find(|facts| facts.transaction.is_some())?;
    let last = facts.transaction.as_ref()?;
    if last.engine == last.pool || last.engine == last.pool.saturating_add(1) {
        return None;
    }
    let engine = facts.engine.name();
    let mut finding = about_pool(RULE.code, Severity::Warning, topology, pool);
    let why = if last.engine < last.pool {
        "somebody else has moved the pool's counter, or the data root is older than the pool"
    } else {
        "the pool was set back to an older state than the data root"
    };
    finding.summary = format!(
        "{engine}'s last transaction is {}, the pool {} is at {}: {why}",
        last.engine, pool.name, last.pool
    );
    finding.evidence.push(format!(
        "open_transaction_id in {}/devicemapper/metadata/transaction-metadata: {}; transaction id \
         of the pool: {}",
        facts.root, last.engine, last.pool
    ));
    finding.remedy = format!(
        "find out who else uses the pool before {engine} makes or deletes anything: another data \
         root, a restored backup, messages by hand; then compare `thinscope layers` (leaked, \
         missing)"
    );
    Some(finding)
}
