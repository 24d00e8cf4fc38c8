//! What the pools' own metadata adds: mapped and shared bytes of every device, ids that nobody
//! names, names whose id is gone.

use super::build::{Build, node};
use super::pools::Pools;
use crate::ids::ThinId;
use crate::model::metadata::{Lineage, PoolMetadata};
use crate::model::{Engine, Kind, Pool, PoolIx, Role, ThinDevice, Times};
use crate::owner::OwnedPool;
use crate::text::Printable;

/// Gives each pool what was read of it. A metadata device that a person named is a pool of its
/// own.
pub(super) fn add_contents(build: &mut Build<'_>, pools: &mut Pools) {
    let Some(seen) = build.facts.metadata.clone() else { return };
    if let Some(file) = &build.facts.metadata_file {
        let name = Printable::from_text(&file.name);
        let at = build.add(node(Kind::Pool, &file.name, name.clone()));
        pools.add_named(at, name);
    }
    for pool in &mut pools.list {
        let contents = seen.of(pool.name.as_str()).cloned();
        pool.block_size = pool.block_size.or(contents.as_ref().map(|read| read.block_size));
        pool.contents = contents.map(std::sync::Arc::new);
        pool.vg_text = seen.vg_text(pool.name.as_str());
    }
}

/// Fills in every device's figures, and what it is where that is known only now. Whether
/// something was seen that a second look may explain.
pub(super) fn fill_rows(
    build: &Build<'_>,
    pools: &Pools,
    rows: &mut [ThinDevice],
    (owned, places): (&[OwnedPool], &[PoolIx]),
) -> bool {
    let mut unsure = false;
    for (at, pool) in pools.list.iter().enumerate() {
        let Some(contents) = &pool.contents else { continue };
        let owners: Vec<&OwnedPool> = (owned.iter().zip(places))
            .filter(|(_, place)| place.0 as usize == at)
            .map(|(owned, _)| owned)
            .collect();
        let look = Look {
            pool,
            contents,
            before: before(build, pool, &owners),
            names_all: names_all(build, pool, &owners),
            owners,
        };
        for row in rows.iter_mut().filter(|row| row.pool.0 as usize == at) {
            unsure |= look.fill(row);
        }
    }
    unsure
}

/// What the pool's metadata said before its engines' files were read, for each of them; `None`
/// where it was not read then.
fn before<'a>(
    build: &Build<'a>,
    pool: &Pool,
    owners: &[&OwnedPool],
) -> Option<Vec<&'a PoolMetadata>> {
    let of = |engine| build.facts.metadata_before(engine)?.of(pool.name.as_str());
    if owners.is_empty() {
        return Some(vec![of(Engine::Unknown)?]);
    }
    owners.iter().map(|owner| of(owner.engine)).collect()
}

/// Whether whoever uses the pool was read whole: else an id without a name may have one.
fn names_all(build: &Build<'_>, pool: &Pool, owners: &[&OwnedPool]) -> bool {
    let lvm = || build.facts.lvm.as_deref().is_some_and(|lvm| lvm.whole);
    let has_lvm = pool.engines.contains(&Engine::Lvm);
    let others = pool.engines.iter().filter(|engine| **engine != Engine::Lvm).count();
    (has_lvm || others > 0)
        && owners.len() >= others
        && owners.iter().all(|owner| owner.names_all)
        && (!has_lvm || lvm())
}

/// One pool's metadata, and what is known to tell owners by.
struct Look<'a> {
    pool: &'a Pool,
    contents: &'a PoolMetadata,
    /// What it said before the engines' files were read.
    before: Option<Vec<&'a PoolMetadata>>,
    names_all: bool,
    owners: Vec<&'a OwnedPool>,
}

impl Look<'_> {
    /// Fills in one row; whether it could not be told.
    fn fill(&self, row: &mut ThinDevice) -> bool {
        let Some(id) = row.id else { return false };
        let Some(device) = self.contents.device(id) else { return self.is_gone(row) };
        let bytes = |blocks: crate::units::DataBlocks| blocks.bytes(self.contents.block_size);
        row.mapped = Some(bytes(device.mapped));
        row.exclusive = self.contents.exclusive(id).map(bytes);
        row.shared = row.exclusive.map(|exclusive| bytes(device.mapped).minus(exclusive));
        row.times = Some(Times {
            transaction: device.transaction,
            created: device.created,
            snapshotted: device.snapshotted,
        });
        if row.parent.is_none()
            && let Some(Lineage::Certain(origin)) = device.origin
            && row.engine == Engine::Unknown
        {
            row.parent = Some(origin);
        }
        row.delta = row.parent.and_then(|parent| self.contents.delta(id, parent)).map(bytes);
        if row.role != Role::Unknown || row.engine != Engine::Unknown || !self.names_all {
            return false;
        }
        self.is_nobodys(row)
    }

    /// An id that nobody names is leaked when it was there, made by the same transaction, before
    /// its engine's files were read as well, and is not what the engine is just making.
    fn is_nobodys(&self, row: &mut ThinDevice) -> bool {
        let Some(id) = row.id else { return false };
        let open = |owner: &&OwnedPool| {
            owner
                .transaction
                .is_some_and(|(number, device)| number > self.contents.transaction && device == id)
        };
        if self.owners.iter().any(open) {
            row.note = Some("its engine is making or deleting it, or was when it died".into());
            return false;
        }
        let same = |before: &&PoolMetadata| {
            before.device(id).map(|d| (d.created, d.transaction))
                == self.contents.device(id).map(|d| (d.created, d.transaction))
        };
        match &self.before {
            Some(before) if before.iter().all(same) => row.role = Role::Leaked,
            Some(_) => {}
            None => return true,
        }
        false
    }

    /// Whether containerd's record says that it has this id in hand: it writes the name before it
    /// makes the device, and after it removes it.
    fn is_unfinished(&self, id: ThinId) -> bool {
        let of_containerd = self.owners.iter().filter(|owner| owner.engine == Engine::Containerd);
        of_containerd.into_iter().any(|owner| {
            // sorted by id, those without one behind
            let at = owner.devices.partition_point(|one| one.id.is_some_and(|one| one < id));
            let same = owner.devices.iter().skip(at).take_while(|one| one.id == Some(id));
            same.into_iter().any(|one| one.unfinished)
        })
    }

    /// A named id that is not in the pool. A device that is active may not be committed yet.
    fn is_gone(&self, row: &mut ThinDevice) -> bool {
        // containerd keeps the name of what it removed until its collector comes by
        let removed = row.engine == Engine::Containerd && row.deferred_deletion;
        if row.active || removed || !self.contents.is_sound() || row.engine == Engine::Unknown {
            return false;
        }
        let Some(id) = row.id else { return false };
        if self.is_unfinished(id) {
            return false;
        }
        match &self.before {
            Some(before) if before.iter().all(|before| before.device(id).is_none()) => {
                row.role = Role::Missing;
                (row.mapped, row.exclusive, row.shared, row.delta) = (None, None, None, None);
                false
            }
            Some(_) => false,
            None => !self.pool.suspended,
        }
    }
}
