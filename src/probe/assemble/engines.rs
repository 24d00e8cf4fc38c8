//! What engines say of their pools, with what only several looks together can tell.

use crate::model::engine::{Base, EngineFacts};
use crate::model::{Pool, PoolIx, Topology};
use crate::owner::docker;
use crate::probe::Facts;

/// Adds one data root's word to its pool. Whether something was seen that a second look may
/// explain.
pub(super) fn fill(
    facts: &Facts,
    topology: &mut Topology,
    root_index: usize,
    place: PoolIx,
) -> bool {
    let Some(docker) = facts.docker.as_deref() else { return false };
    let Some(pool) = topology.pools.get_mut(place.0 as usize) else { return false };
    let Some(mut said) = docker::engine_facts(docker, root_index, pool) else { return false };
    let unsure = settle_transaction(facts, pool, &mut said);
    if let Base::Recorded { found, .. } = &mut said.base {
        let seen = facts.metadata.as_deref();
        *found = seen.and_then(|seen| seen.base_uuid(pool.name.as_str())).map(Into::into);
    }
    pool.engine_facts.push(said);
    unsure
}

/// A running daemon's file and its pool's counter are read at different moments, and differ for
/// an instant at every creation. They differ for good when the counter stood still between a look
/// at the pool before the file was read and one after it; whether a second look may tell.
fn settle_transaction(facts: &Facts, pool: &Pool, said: &mut EngineFacts) -> bool {
    let differs = said.transaction.as_ref().is_some_and(|last| last.engine != last.pool);
    if !differs || said.daemon_runs == Some(false) {
        return false;
    }
    let counter = |seen: Option<&crate::probe::metadata::MetadataSeen>| {
        seen.and_then(|seen| seen.of(pool.name.as_str())).map(|read| read.transaction)
    };
    let after = counter(facts.metadata.as_deref());
    let before = counter(facts.metadata_before.as_deref());
    let settled = after.filter(|after| before == Some(*after));
    said.transaction = said.transaction.take().zip(settled).map(|(mut last, counter)| {
        last.pool = counter;
        last
    });
    after.is_some() && before.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::engine::Transaction;
    use crate::model::sample::direct_lvm;
    use crate::model::{Engine, PoolMetadata};
    use crate::probe::metadata::{MetadataSeen, PoolLook};
    use std::sync::Arc;

    fn seen(transaction: u64) -> Arc<MetadataSeen> {
        let read = Ok(PoolMetadata { transaction, ..PoolMetadata::default() });
        let pool = "docker-thinpool".to_owned();
        let look = PoolLook::new(pool, read);
        Arc::new(MetadataSeen { pools: vec![look] })
    }

    /// What is left of docker's 25 against the pool's 24, and whether a second look is wanted.
    fn settled(runs: bool, looks: [Option<u64>; 2]) -> (Option<(u64, u64)>, bool) {
        let [before, after] = looks.map(|look| look.map(seen));
        let facts = Facts { metadata: after, metadata_before: before, ..Facts::default() };
        let mut said = EngineFacts::new(Engine::Docker, "/var/lib/docker".into());
        said.daemon_runs = Some(runs);
        let last = Transaction { engine: 25, pool: 24, name: "x".into(), id: None };
        said.transaction = Some(last);
        let unsure = settle_transaction(&facts, &direct_lvm().pool, &mut said);
        (said.transaction.map(|last| (last.engine, last.pool)), unsure)
    }

    #[test]
    fn with_the_daemon_dead_nothing_moves_and_one_look_tells() {
        assert_eq!(settled(false, [None, None]), (Some((25, 24)), false));
    }

    #[test]
    fn of_a_running_daemon_only_what_stood_still_is_told() {
        assert_eq!(settled(true, [None, Some(24)]), (None, true));
        assert_eq!(settled(true, [Some(24), Some(24)]), (Some((25, 24)), false));
        assert_eq!(settled(true, [Some(24), Some(25)]), (None, false));
        assert_eq!(settled(true, [Some(25), Some(25)]), (Some((25, 25)), false));
        assert_eq!(settled(true, [None, None]), (None, false), "the pool could not be read");
    }
}
