//! Who holds how much of a pool: every data block in use counted once.

use super::metadata::PoolMetadata;
use super::pool::Pool;
use super::thin::Role;
use super::topology::Topology;
use crate::units::DataBlocks;

/// Whom a data block counts for. A block that several use counts for the first of them in this
/// order: what containers share with their image is the image's, what images share with the base
/// is the base's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holder {
    /// The engine's base device.
    Base,
    /// Image layers.
    Images,
    /// Build snapshots.
    BuildCache,
    /// Containers and their init layers.
    Containers,
    /// LVM's volumes and their snapshots.
    Volumes,
    /// Ids of which it is not known whose they are.
    Unknown,
    /// Ids that nobody names.
    Leaked,
    /// Nothing but the metadata snapshot.
    MetadataSnapshot,
    /// Nothing yet: blocks that are being written, mapped when that is done.
    Pending,
    /// Nothing at all: blocks that the pool itself lost.
    Lost,
}

impl Holder {
    /// All of them, in order.
    pub const ALL: [Self; 10] = [
        Self::Base,
        Self::Images,
        Self::BuildCache,
        Self::Containers,
        Self::Volumes,
        Self::Unknown,
        Self::Leaked,
        Self::MetadataSnapshot,
        Self::Pending,
        Self::Lost,
    ];

    /// The word in JSON and on screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Images => "images",
            Self::BuildCache => "build-cache",
            Self::Containers => "containers",
            Self::Volumes => "volumes",
            Self::Unknown => "unknown",
            Self::Leaked => "leaked",
            Self::MetadataSnapshot => "metadata-snapshot",
            Self::Pending => "pending",
            Self::Lost => "lost",
        }
    }

    /// Whom a device's own blocks count for.
    pub const fn of(role: Role) -> Self {
        match role {
            Role::Base => Self::Base,
            Role::ImageLayer => Self::Images,
            Role::BuildCache => Self::BuildCache,
            Role::Container | Role::ContainerInit => Self::Containers,
            Role::Volume | Role::Snapshot => Self::Volumes,
            Role::Leaked => Self::Leaked,
            Role::Missing | Role::Unknown => Self::Unknown,
        }
    }
}

impl Topology {
    /// Whom every place of a pool's metadata counts for.
    pub fn holders_by_place(&self, pool: &Pool, contents: &PoolMetadata) -> Vec<Holder> {
        let mut by_place = vec![Holder::Unknown; contents.devices.len()];
        for row in pool.devices.iter().map(|ix| self.thin(*ix)) {
            let place = row.id.and_then(|id| contents.place(id));
            if let Some(slot) = place.and_then(|at| by_place.get_mut(at)) {
                *slot = Holder::of(row.role);
            }
        }
        by_place
    }

    /// Who holds how many of a pool's data blocks, in the order of [`Holder::ALL`], those that
    /// hold none left out. Their sum is what the pool's metadata says is in use. `None` where it
    /// was not read who uses what.
    pub fn holders(&self, pool: &Pool) -> Option<Vec<(Holder, DataBlocks)>> {
        let contents = pool.contents.as_ref()?;
        let mappings = contents.mappings.as_ref()?;
        let by_place = self.holders_by_place(pool, contents);
        let mut sums = [DataBlocks(0); Holder::ALL.len()];
        let mut add = |holder: Holder, blocks: DataBlocks| {
            if let Some(sum) = sums.get_mut(holder as usize) {
                *sum = sum.plus(blocks);
            }
        };
        for group in &mappings.groups.as_ref()?.list {
            let first = group.places().filter_map(|at| by_place.get(at).copied()).min();
            add(first.unwrap_or(Holder::MetadataSnapshot), group.blocks);
        }
        add(Holder::Pending, mappings.pending);
        add(Holder::Lost, mappings.leaked);
        let list = Holder::ALL.into_iter().zip(sums);
        Some(list.filter(|(_, blocks)| blocks.get() > 0).collect())
    }
}
