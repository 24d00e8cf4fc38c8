//! A transaction that an engine opened and did not close.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::model::{EngineFacts, Finding, Pool, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "transaction-open", page: include_str!("../pages/transaction-open.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        found.extend(pool.engine_facts.iter().filter_map(|facts| describe(topology, pool, facts)));
    }
}

fn describe(topology: &Topology, pool: &Pool, facts: &EngineFacts) -> Option<Finding> {
    let last = facts.transaction.as_ref()?;
    if last.engine != last.pool.saturating_add(1) {
        return None;
    }
    let engine = facts.engine.name();
    let mut finding = about_pool(RULE.code, Severity::Warning, topology, pool);
    let id = last.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
    let name = if last.name.is_empty() { "the base device" } else { last.name.as_str() };
    let dead = facts.daemon_runs == Some(false);
    let when = if dead { "when it died" } else { "and has not finished" };
    finding.summary = format!(
        "{engine} was making or deleting the device {id} of {} {when}: at its next start it \
         deletes that device",
        pool.name
    );
    finding.evidence.push(format!(
        "open_transaction_id {} for device {id} ({name}) in {}; the pool is at {}",
        last.engine, facts.root, last.pool
    ));
    finding.remedy = if dead {
        format!(
            "start {engine}: it rolls back by itself, and what it rolls back was never whole. If \
             the device holds what is needed, save `{}/devicemapper/metadata` first",
            facts.root
        )
    } else {
        format!("look again in a minute; if it stays, read {engine}'s log for what it waits for")
    };
    Some(finding)
}
