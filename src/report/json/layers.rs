//! Rows of `layers --json`: one thin device each.

use serde::ser::{Serialize, Serializer};

use crate::ids::ThinId;
use crate::model::descent::Descent;
use crate::model::metadata::Lineage;
use crate::model::{Claim, Container, Engine, PoolIx, Role, ThinDevice, Topology};
use crate::report::Freed;
use crate::text::Printable;
use crate::units::Bytes;

/// All thin devices, or those of one pool.
pub(super) struct Devices<'a> {
    pub(super) topology: &'a Topology,
    pub(super) only: Option<PoolIx>,
}

impl Serialize for Devices<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let wanted = |thin: &&ThinDevice| self.only.is_none_or(|pool| pool == thin.pool);
        let rows = self.topology.thins.iter().filter(wanted);
        serializer.collect_seq(rows.map(|thin| Row::new(self.topology, thin)))
    }
}

#[derive(serde::Serialize)]
struct Row<'a> {
    pool: &'a Printable,
    device_id: Option<ThinId>,
    role: Role,
    engine: Engine,
    name: &'a Printable,
    images: &'a [Printable],
    container: Option<&'a Container>,
    parent_device_id: Option<ThinId>,
    size_bytes: Option<Bytes>,
    mapped_bytes: Option<Bytes>,
    exclusive_bytes: Option<Bytes>,
    shared_bytes: Option<Bytes>,
    delta_bytes: Option<Bytes>,
    parent_named_by: Option<&'static str>,
    parent_descent: Option<&'static str>,
    parent_contradiction: Option<String>,
    inferred_parent: Option<Inferred>,
    active: bool,
    mountpoint: Option<&'a Printable>,
    dm_name: Option<&'a Printable>,
    position: Option<Position>,
    chain_id: Option<&'a Printable>,
    transaction_id: Option<u64>,
    pool_transaction_id: Option<u64>,
    created_time: Option<u32>,
    snapshotted_time: Option<u32>,
    deferred_deletion: bool,
    suspended: bool,
    note: Option<&'a Printable>,
    claims: &'a [Claim],
}

/// What deleting devices of one pool together would give back.
#[derive(serde::Serialize)]
pub(super) struct FreedBy<'a> {
    pool: &'a Printable,
    device_ids: &'a [ThinId],
    /// As it was named before every size's key ended in `_bytes`.
    bytes: Bytes,
    freed_bytes: Bytes,
    held_bytes: Bytes,
}

impl<'a> FreedBy<'a> {
    pub(super) fn new(topology: &'a Topology, asked: &'a Freed) -> Self {
        let pool = topology.pool(asked.pool);
        let block = pool.block_size.unwrap_or_default();
        Self {
            pool: &pool.name,
            device_ids: &asked.ids,
            bytes: asked.freed.blocks.bytes(block),
            freed_bytes: asked.freed.blocks.bytes(block),
            held_bytes: asked.freed.held.bytes(block),
        }
    }
}

/// Whose word a parent is: the engine's, or the pool's own metadata's where no engine names the id.
const fn named_by(thin: &ThinDevice) -> &'static str {
    if matches!(thin.engine, Engine::Unknown) { "metadata" } else { "engine" }
}

/// Whose snapshot a device is that no engine names, as far as metadata alone tells.
#[derive(serde::Serialize)]
struct Inferred {
    certainty: &'static str,
    device_id: Option<ThinId>,
    candidates: Option<u32>,
}

fn inferred(topology: &Topology, thin: &ThinDevice) -> Option<Inferred> {
    let (certainty, device_id, candidates) = match topology.lineage(thin)? {
        Lineage::Empty => ("none", None, None),
        Lineage::Certain(id) => ("certain", Some(*id), None),
        Lineage::Likely(id) => ("likely", Some(*id), None),
        Lineage::OneOf(count) => ("one-of", None, Some(*count)),
        Lineage::Gone => ("gone", None, None),
    };
    Some(Inferred { certainty, device_id, candidates })
}

/// Where a layer stands in its first image: from 1 at the bottom.
#[derive(serde::Serialize)]
struct Position {
    at: u32,
    of: u32,
}

impl<'a> Row<'a> {
    fn new(topology: &'a Topology, thin: &'a ThinDevice) -> Self {
        let contained = matches!(thin.role, Role::Container | Role::ContainerInit);
        let descent = topology.descent(thin);
        Self {
            pool: &topology.pool(thin.pool).name,
            device_id: thin.id,
            role: thin.role,
            engine: thin.engine,
            name: &thin.name,
            images: &thin.images,
            container: thin.container.as_ref().filter(|_| contained),
            parent_device_id: thin.parent,
            size_bytes: thin.size,
            mapped_bytes: thin.mapped,
            exclusive_bytes: thin.exclusive,
            shared_bytes: thin.shared,
            delta_bytes: thin.delta,
            parent_named_by: thin.parent.map(|_| named_by(thin)),
            parent_descent: descent.map(Descent::name),
            parent_contradiction: match descent {
                Some(Descent::Contradicted(why)) => Some(why.to_string()),
                _ => None,
            },
            inferred_parent: inferred(topology, thin),
            active: thin.active,
            mountpoint: thin.mountpoint.as_ref(),
            dm_name: thin.dm_name.as_ref(),
            position: thin.position.map(|(at, of)| Position { at, of }),
            chain_id: thin.chain_id.as_ref(),
            transaction_id: thin.transaction_id,
            pool_transaction_id: thin.times.map(|times| times.transaction),
            created_time: thin.times.map(|times| times.created),
            snapshotted_time: thin.times.map(|times| times.snapshotted),
            deferred_deletion: thin.deferred_deletion,
            suspended: thin.suspended,
            note: thin.note.as_ref(),
            claims: &thin.claims,
        }
    }
}
