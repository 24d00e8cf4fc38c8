//! What engines say of their pools, with what only several looks together can tell.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::engine::{Base, EngineFacts};
use crate::model::{Engine, Pool, PoolIx, Topology};
use crate::owner::containerd::{self, DmIs, Kernel};
use crate::owner::{OwnedPool, docker};
use crate::probe::Facts;
use crate::probe::dm::table::Target;
use crate::probe::dm::{DmSeen, SeenDm};

/// Adds one data root's word to its pool. Whether something was seen that a second look may
/// explain.
pub(super) fn fill(
    facts: &Facts,
    topology: &mut Topology,
    owned: &OwnedPool,
    place: PoolIx,
) -> bool {
    let Some(pool) = topology.pools.get_mut(place.0 as usize) else { return false };
    let said = match owned.engine {
        Engine::Docker => docker_s_word(facts, pool, owned.root_index),
        Engine::Containerd => containerd_s_word(facts, pool, owned.root_index),
        _ => None,
    };
    let Some((said, unsure)) = said else { return false };
    pool.engine_facts.push(said);
    unsure
}

fn docker_s_word(facts: &Facts, pool: &Pool, root_index: usize) -> Option<(EngineFacts, bool)> {
    let mut said = docker::engine_facts(facts.docker.as_deref()?, root_index, pool)?;
    let unsure = settle_transaction(facts, pool, &mut said);
    if let Base::Recorded { found, .. } = &mut said.base {
        let seen = facts.metadata.as_deref();
        *found = seen.and_then(|seen| seen.base_uuid(pool.name.as_str())).map(Into::into);
    }
    Some((said, unsure))
}

fn containerd_s_word(facts: &Facts, pool: &Pool, root_index: usize) -> Option<(EngineFacts, bool)> {
    let now = facts.dm.as_deref().filter(|dm| dm.unlisted.is_none());
    // the same look twice is one look, and it was taken before the databases were read
    let is_now = |seen: &Arc<DmSeen>| facts.dm.as_ref().is_some_and(|now| Arc::ptr_eq(seen, now));
    let before = facts.before.containerd_dm.as_ref().filter(|seen| !is_now(seen));
    let before = before.filter(|seen| seen.unlisted.is_none());
    let (now_by, before_by) = (by_name(now), by_name(before.map(Arc::as_ref)));
    let device = |name: &[u8]| {
        if now.is_none() {
            // it will not be seen by looking again
            return Ok(DmIs::There);
        }
        let [was, is] = [&before_by, &now_by].map(|by| dm_is(by.get(name).copied()));
        match before {
            // what is there is no trouble, whatever it was
            _ if is == DmIs::There => Ok(is),
            None => Err(is),
            Some(_) => Ok(if was == is { is } else { DmIs::There }),
        }
    };
    let name = pool.name.as_str();
    let before = facts.metadata_before(Engine::Containerd).and_then(|seen| seen.of(name));
    let ids = pool.contents.as_deref().zip(before).map(|(now, before)| {
        let ids = now.devices.iter().map(|device| device.id);
        ids.filter(|id| before.device(*id).is_some()).collect()
    });
    let kernel = Kernel { device: &device, pool_active: pool.status().is_some(), ids };
    containerd::engine_facts(facts.containerd.as_deref()?, root_index, &kernel)
}

fn by_name(dm: Option<&DmSeen>) -> HashMap<&[u8], &SeenDm> {
    let devices = dm.into_iter().flat_map(|dm| &dm.devices);
    devices.map(|seen| (seen.device.name.0.as_slice(), seen)).collect()
}

fn dm_is(seen: Option<&SeenDm>) -> DmIs {
    match seen {
        None => DmIs::Absent,
        Some(seen)
            if !seen.targets.is_empty()
                && seen.targets.iter().all(|target| matches!(target, Target::Error)) =>
        {
            DmIs::Error
        }
        Some(_) => DmIs::There,
    }
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
    let before = counter(facts.before.docker.as_deref());
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
    use crate::model::PoolMetadata;
    use crate::model::engine::Transaction;
    use crate::model::sample::direct_lvm;
    use crate::probe::Before;
    use crate::probe::metadata::{MetadataSeen, PoolLook};

    fn seen(transaction: u64) -> Arc<MetadataSeen> {
        let read = Ok(PoolMetadata { transaction, ..PoolMetadata::default() });
        let pool = "docker-thinpool".to_owned();
        let look = PoolLook::new(pool, read);
        Arc::new(MetadataSeen { pools: vec![look] })
    }

    /// What is left of docker's 25 against the pool's 24, and whether a second look is wanted.
    fn settled(runs: bool, looks: [Option<u64>; 2]) -> (Option<(u64, u64)>, bool) {
        let [before, after] = looks.map(|look| look.map(seen));
        let before = Before { docker: before, ..Before::default() };
        let facts = Facts { metadata: after, before, ..Facts::default() };
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
