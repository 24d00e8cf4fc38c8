//! Docker's word on its pool, for the rules: its own limits, its last transaction, its base
//! device, what it has not finished.
//!
//! Pure.

use super::claims::BASE;
use super::driver_status::{deferred_default, min_free_percent};
use super::options::StorageOptions;
use super::pool_files::LoopFile;
use super::{DockerFacts, DockerRoot};
use crate::model::engine::{Base, EngineFacts, Forced, LoopSpace, Transaction};
use crate::model::{Engine, Pool};
use crate::text::Printable;
use crate::units::Bytes;

/// What one data root says of one pool.
pub fn engine_facts(facts: &DockerFacts, root_index: usize, pool: &Pool) -> Option<EngineFacts> {
    let root = facts.roots.get(root_index)?;
    let options = facts.options_of(root);
    let told = options.and_then(|options| options.deferred_removal);
    let base = EngineFacts::new(Engine::Docker, Printable::from_bytes(&root.path.0.0));
    Some(EngineFacts {
        daemon_runs: root.configured.then_some(facts.config.running),
        min_free_percent: min_free_percent(facts, root),
        deferred_removal: options.and(told.or(deferred_default(facts, root))),
        udev_sync_overridden: options.is_some_and(|options| options.override_udev_sync),
        forced: options.and_then(|options| forced(root, options)),
        transaction: transaction(root, pool),
        base: base_device(root),
        driver_removed_from: facts.without_driver.clone(),
        loop_files: loop_files(root, options),
        pending: root.busy.pending.clone(),
        held: root.busy.held.clone(),
        unseen_processes: root.busy.unseen,
        ..base
    })
}

/// The last transaction against the pool's counter, of now or, of an inactive pool, as committed.
fn transaction(root: &DockerRoot, pool: &Pool) -> Option<Transaction> {
    let metadata = &root.metadata;
    let last = metadata.transaction.as_ref().filter(|_| metadata.seen)?;
    let committed = pool.contents.as_deref().map(|contents| contents.transaction);
    let now = pool.status().map(|status| status.transaction_id);
    Some(Transaction {
        engine: last.open_id,
        pool: now.or(committed)?,
        name: last.hash.clone(),
        id: last.device_id,
    })
}

fn base_device(root: &DockerRoot) -> Base {
    if !root.metadata.seen {
        return Base::Unseen;
    }
    let Some(file) = root.metadata.devices.iter().find(|file| &*file.name == BASE) else {
        let layers = !root.layers.layers.is_empty() || root.metadata.devices.iter().len() > 0;
        return if layers { Base::NoRecord } else { Base::Unseen };
    };
    match file.id {
        None => Base::Unseen,
        Some(id) if !file.initialized => Base::Unfinished(id),
        Some(id) => {
            let uuid = root.metadata.set.as_ref().and_then(|set| set.base_uuid.clone());
            Base::Recorded { id, uuid: uuid.filter(|uuid| !uuid.is_empty()), found: None }
        }
    }
}

/// Docker compares nothing but its record (moby, `initDevmapper`); without one it makes the pool.
fn forced(root: &DockerRoot, options: &StorageOptions) -> Option<Forced> {
    let device = options.direct_lvm_device.as_deref().filter(|_| options.direct_lvm_force)?;
    Some(Forced { device: device.into(), done: root.pool.direct_lvm.is_some() })
}

fn loop_files(root: &DockerRoot, options: Option<&StorageOptions>) -> Vec<LoopSpace> {
    let told = |is_data| {
        let options = options?;
        if is_data { options.loop_data_size } else { options.loop_metadata_size }
    };
    let space = |file: &LoopFile, is_data| LoopSpace {
        configured: told(is_data).map(Bytes),
        path: Printable::from_bytes(&file.path.0.0),
        is_data,
        apparent: Bytes(file.stat.size),
        allocated: Bytes(file.stat.allocated),
        free: file.space.map(|space| Bytes(space.free)),
    };
    let data = root.pool.data.iter().map(|file| space(file, true));
    data.chain(root.pool.metadata.iter().map(|file| space(file, false))).collect()
}
