//! Engines: their daemon comes and goes, what they have not finished, what they could not delete.

use std::collections::{BTreeMap, BTreeSet};

use super::Told;
use crate::ids::{NodeId, ThinId};
use crate::model::{EngineFacts, EventKind, Topology};
use crate::text::Printable;

/// Deletions that are told one by one.
const TOLD: usize = 5;

/// What was known in the picture before, of each engine by its data root and pool: containerd may
/// have several in one root.
#[derive(Debug, Default)]
pub(super) struct Engines(BTreeMap<(&'static str, Printable, Printable), Known>);

#[derive(Clone, Debug)]
struct Known {
    daemon_runs: Option<bool>,
    /// The transaction that is open, in words: none where it is empty; `None` where that was not
    /// seen.
    open: Option<String>,
    pending: BTreeSet<(ThinId, Printable)>,
}

impl Known {
    fn of(facts: &EngineFacts) -> Self {
        let pending = facts.pending.iter().map(|one| (one.id, one.name.clone())).collect();
        Self { daemon_runs: facts.daemon_runs, open: open_transaction(facts), pending }
    }
}

impl Engines {
    /// Tells what is other than before; of an engine that is new there is nothing to compare.
    pub(super) fn take(&mut self, topology: &Topology, told: &mut Told) {
        for pool in &topology.pools {
            let node = &topology.node(pool.node).id;
            for facts in &pool.engine_facts {
                let key = (facts.engine.name(), facts.root.clone(), pool.name.clone());
                let mut now = Known::of(facts);
                if let Some(before) = self.0.get(&key) {
                    compare(before, &mut now, (facts, node), told);
                }
                self.0.insert(key, now);
            }
        }
    }
}

/// What cannot be seen now stays as it was known.
fn compare(
    before: &Known,
    now: &mut Known,
    (facts, node): (&EngineFacts, &NodeId),
    told: &mut Told,
) {
    let subject = Printable::from(format!("{} in {}", facts.engine.name(), facts.root));
    let mut tell = |text: String| {
        told.add(EventKind::Engine, &subject, text).node = Some(node.clone());
    };
    match (before.daemon_runs, now.daemon_runs) {
        (Some(false), Some(true)) => tell("its daemon runs".to_owned()),
        (Some(true), Some(false)) => tell("its daemon does not run any more".to_owned()),
        _ => {}
    }
    if let (Some(was), Some(is)) = (&before.open, &now.open)
        && was != is
    {
        tell(match is.as_str() {
            "" => "has closed its transaction".to_owned(),
            device => format!("has an open transaction: {device}"),
        });
    }
    let came: Vec<_> = now.pending.difference(&before.pending).collect();
    let went: Vec<_> = before.pending.difference(&now.pending).collect();
    for (words, devices) in [("waits to be deleted", came), ("waits for that no more", went)] {
        for (id, name) in devices.iter().take(TOLD) {
            tell(format!("device {id} ({name}) {words}"));
        }
        if let Some(more) = devices.len().checked_sub(TOLD).filter(|more| *more > 0) {
            tell(format!("{more} more devices: {words}"));
        }
    }
    now.daemon_runs = now.daemon_runs.or(before.daemon_runs);
    now.open = now.open.take().or_else(|| before.open.clone());
}

/// The device of a transaction that was begun and is not closed: the engine counts one ahead of
/// its pool.
fn open_transaction(facts: &EngineFacts) -> Option<String> {
    let last = facts.transaction.as_ref()?;
    if last.engine != last.pool.saturating_add(1) {
        return Some(String::new());
    }
    let id = last.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
    let name = if last.name.is_empty() { "the base device" } else { last.name.as_str() };
    Some(format!("number {} for device {id} ({name})", last.engine))
}
