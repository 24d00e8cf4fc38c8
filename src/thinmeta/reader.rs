//! The reader: one superblock, and everything that can be asked below it.

use super::block::{BLOCK, Raw};
use super::btree::look_up;
use super::damage::{Damage, Damages, MetaError, Part, Partial};
use super::delta::{self, Delta, Difference};
use super::details::{self, Details};
use super::fetch::{Blocks, Watch};
use super::forest::{Bounds, Forest, Known, Roots};
use super::freed::{self, Freed};
use super::groups::{Chains, Groups};
use super::leaves::{Leaves, Mapping};
use super::origin::Inherited;
use super::scan::Scan;
use super::sharing::{self, Sharing, TableBounds};
use super::source::BlockSource;
use super::space_map::{self, BITMAP_ENTRIES, Usage};
use super::superblock::Superblock;
use super::uses::{self, Use};
use crate::ids::ThinId;
use crate::units::{Bytes, DataBlocks};

/// How much memory and work an image may cost, whatever it claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For the graph of the mapping trees, and as much again for the table of data blocks, and
    /// for each list of devices.
    pub memory: Bytes,
    /// Passes over the mappings that a pool may take whose table of data blocks exceeds
    /// `memory`.
    pub passes: u64,
}

impl Default for Limits {
    /// 256 MiB: four TiB of 64 KiB blocks in one pass, 256 TiB at all.
    fn default() -> Self {
        Self { memory: Bytes(256 << 20), passes: 64 }
    }
}

/// The metadata of one pool, as its superblock stood when it was opened.
pub struct Reader<'s> {
    blocks: Blocks<'s>,
    raw: Box<Raw>,
    superblock: Superblock,
    held: Option<Superblock>,
    damages: Damages,
    limits: Limits,
    /// Whether this is what a metadata snapshot holds, not what is committed.
    snapshot: bool,
}

impl<'s> Reader<'s> {
    /// Reads the superblock, and the metadata snapshot's where one is held.
    pub fn open(source: &'s dyn BlockSource) -> Result<Self, MetaError> {
        let blocks = Blocks::new(source);
        if blocks.count() == 0 {
            return Err(MetaError::TooSmall(source.len_bytes()));
        }
        let unreadable =
            |error: std::io::Error| MetaError::Failing { failed: 1, why: error.to_string() };
        let raw = blocks.one(0).map_err(unreadable)?;
        let mut damages = Damages::default();
        let superblock = Superblock::parse(&raw, 0, &mut damages)?;
        let (held, limits) = (None, Limits::default());
        let snapshot = false;
        let mut reader = Self { blocks, raw, superblock, held, damages, limits, snapshot };
        reader.open_held();
        Ok(reader)
    }

    /// Reads what a metadata snapshot holds, whose superblock is in block `root`, instead of what is
    /// committed: nothing of it changes while the snapshot is held. The space maps are those of the
    /// commit, for a snapshot has none.
    pub fn open_snapshot(source: &'s dyn BlockSource, root: u64) -> Result<Self, MetaError> {
        let mut reader = Self::open(source)?;
        if reader.superblock.held_root != Some(root) {
            return Err(MetaError::NotHeld(root));
        }
        let Some(held) = reader.held.take() else {
            return Err(match reader.damages.list() {
                [.., damage] => MetaError::Superblock(damage.kind.clone()),
                [] => MetaError::NotHeld(root),
            });
        };
        let (data_map, metadata_map) = (reader.superblock.data_map, reader.superblock.metadata_map);
        reader.superblock = Superblock { data_map, metadata_map, held_root: None, ..held };
        Ok(Self { snapshot: true, ..reader })
    }

    /// Whether the snapshot that this reader reads is still held.
    pub fn is_still_held(&self, root: u64) -> Result<bool, MetaError> {
        let unreadable =
            |error: std::io::Error| MetaError::Failing { failed: 1, why: error.to_string() };
        let raw = self.read_superblock().map_err(unreadable)?;
        let now = Superblock::parse(&raw, 0, &mut Damages::default())?;
        Ok(now.held_root == Some(root))
    }

    /// With other limits.
    #[must_use]
    pub fn limited(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// With somebody who is told of the progress of long readings and may stop them.
    #[must_use]
    pub fn watched(self, watch: Watch<'s>) -> Self {
        Self { blocks: self.blocks.watched(Some(watch)), ..self }
    }

    fn open_held(&mut self) {
        let Some(root) = self.superblock.held_root else { return };
        let read = self.blocks.number(root).and_then(|number| {
            let raw = self.blocks.one(number);
            let raw = raw.map_err(|e| super::damage::DamageKind::Unreadable(e.to_string()))?;
            let mut notes = Damages::default();
            match Superblock::parse(&raw, root, &mut notes) {
                Ok(held) => Ok((held, notes)),
                Err(MetaError::Superblock(kind)) => Err(kind),
                Err(_) => Err(super::damage::DamageKind::Field { field: "its magic", found: 0 }),
            }
        });
        match read {
            Ok((held, notes)) => {
                self.held = Some(held);
                self.damages.append(notes);
            }
            Err(kind) => self.damages.push(root, Part::HeldRoot, kind),
        }
    }

    /// The superblock.
    pub fn superblock(&self) -> &Superblock {
        &self.superblock
    }

    /// The superblock's bytes, to be compared with those of a later look.
    pub fn raw_superblock(&self) -> &Raw {
        &self.raw
    }

    /// Reads the superblock's bytes once more.
    pub(super) fn read_superblock(&self) -> std::io::Result<Box<Raw>> {
        self.blocks.one(0)
    }

    /// The metadata snapshot's superblock, where one is held. Its space maps are empty.
    pub fn held(&self) -> Option<&Superblock> {
        self.held.as_ref()
    }

    /// Whether this is what a metadata snapshot holds: then the space maps, which are the commit's
    /// and go on changing, say nothing of it.
    pub fn is_snapshot(&self) -> bool {
        self.snapshot
    }

    /// What is wrong with the superblocks themselves.
    pub fn damages(&self) -> &Damages {
        &self.damages
    }

    /// Blocks that the source has.
    pub fn source_blocks(&self) -> u32 {
        self.blocks.count()
    }

    /// The details of every device.
    pub fn details(&self) -> Result<Partial<Details>, MetaError> {
        details::read(self.blocks, self.superblock.details_root, self.limits.memory)
    }

    /// The usage of the data device.
    pub fn data_usage(&self) -> Result<Partial<Usage>, MetaError> {
        space_map::count_data(self.blocks, &self.superblock.data_map)
    }

    /// The usage of the metadata device.
    pub fn metadata_usage(&self) -> Result<Partial<Usage>, MetaError> {
        space_map::count_metadata(self.blocks, &self.superblock.metadata_map)
    }

    /// The mapping trees of all devices, and of the metadata snapshot.
    pub fn forest(&self) -> Result<Partial<Forest>, MetaError> {
        self.forest_of(Known::nothing(self.blocks.count(), self.bounds().edges))
    }

    fn forest_of(&self, known: Known) -> Result<Partial<Forest>, MetaError> {
        let memory = self.limits.memory;
        let top = details::read_roots(self.blocks, self.superblock.mapping_root, memory)?;
        let mut damages = top.damages;
        let held = self.held.as_ref().map(|held| {
            let read = details::read_roots(self.blocks, held.mapping_root, memory)?;
            damages.append(read.damages);
            Ok(read.value.into_iter().map(|(_, root)| root).collect())
        });
        let roots = Roots { devices: top.value, held: held.transpose()? };
        let forest = Forest::read(self.blocks, &roots, (self.bounds(), known))?;
        damages.append(forest.damages().clone());
        Ok(Partial { value: forest, damages })
    }

    fn bounds(&self) -> Bounds {
        let memory = usize::try_from(self.limits.memory.get()).unwrap_or(usize::MAX);
        // an edge takes 12 bytes, a run of a set 8: a quarter of the memory for the one, half for
        // the other
        Bounds { edges: memory / 48, runs: memory / 16 }
    }

    /// The mapping trees, what devices share, and the group of every data block, all in one reading
    /// of the blocks in the order they lie in. Where groups would take more than the limit, there are
    /// none, and the mappings are read in as many passes as it takes.
    pub fn forest_and_sharing(&self, details: &Details) -> Result<Shared, MetaError> {
        let end = self.data_end().get();
        let Some(chains) = Chains::within(self.limits.memory.get(), end) else {
            let forest = self.forest()?;
            let sharing = self.sharing(&forest.value, details)?;
            return Ok(Shared { forest, sharing, groups: None });
        };
        let wanted = space_map::in_use(self.blocks, &self.superblock.metadata_map)?;
        let known = Known::nothing(self.blocks.count(), self.bounds().edges);
        let scan = Scan::read(self.blocks, (&wanted, &(0..end)), (known, chains))?;
        let forest = self.forest_of(scan.known)?;
        let leaves = self.leaves(&forest.value);
        let seen = (scan.leaves.as_slice(), scan.chains);
        let (sharing, groups) = match Groups::read(&leaves, &forest.value, seen)? {
            Some((groups, tally)) => {
                (sharing::of_groups(&forest.value, details, tally), Some(groups))
            }
            None => (self.sharing(&forest.value, details)?, None),
        };
        Ok(Shared { forest, sharing, groups })
    }

    /// The pool's data blocks, as far as its metadata has room to keep account of them: every
    /// bitmap accounts for 16320.
    pub fn data_end(&self) -> DataBlocks {
        let plausible = u64::from(self.blocks.count()) * BITMAP_ENTRIES;
        DataBlocks(self.superblock.data_map.blocks.min(plausible))
    }

    fn leaves<'a>(&'a self, forest: &'a Forest) -> Leaves<'a> {
        Leaves::new(self.blocks, forest, self.data_end())
    }

    fn table(&self) -> TableBounds {
        TableBounds { memory: self.limits.memory.get(), passes: self.limits.passes }
    }

    /// Exclusive and shared blocks of every device.
    pub fn sharing(&self, forest: &Forest, details: &Details) -> Result<Sharing, MetaError> {
        sharing::count(&self.leaves(forest), forest, details, self.table())
    }

    /// What deleting these devices would give back.
    pub fn freed_by(&self, forest: &Forest, ids: &[ThinId]) -> Result<Freed, MetaError> {
        let index = |id: &ThinId| forest.index_of(*id).ok_or(MetaError::NoDevice(*id));
        let marked: Vec<u32> = ids.iter().map(index).collect::<Result<_, _>>()?;
        freed::count(&self.leaves(forest), forest, &marked, self.table())
    }

    /// How `left` differs from `right`.
    pub fn delta(&self, forest: &Forest, left: ThinId, right: ThinId) -> Result<Delta, MetaError> {
        let mut delta = Delta::default();
        let one = DataBlocks(1);
        delta.damages = self.differences(forest, left, right, &mut |difference| {
            let count = match difference {
                Difference::Different(..) => &mut delta.different,
                Difference::LeftOnly(_) => &mut delta.left_only,
                Difference::RightOnly(_) => &mut delta.right_only,
            };
            *count = count.plus(one);
        })?;
        Ok(delta)
    }

    /// Every block by which `left` differs from `right`, by ascending virtual block.
    pub fn differences(
        &self,
        forest: &Forest,
        left: ThinId,
        right: ThinId,
        take: &mut dyn FnMut(Difference),
    ) -> Result<Damages, MetaError> {
        let index = |id: ThinId| forest.index_of(id).ok_or(MetaError::NoDevice(id));
        delta::each(&self.leaves(forest), forest, (index(left)?, index(right)?), take)
    }

    /// The mappings of a device from virtual block `low` to `high`, ascending.
    pub fn mappings(
        &self,
        forest: &Forest,
        id: ThinId,
        (low, high): (u64, u64),
        take: &mut dyn FnMut(Mapping),
    ) -> Result<Damages, MetaError> {
        let device = forest.index_of(id).ok_or(MetaError::NoDevice(id))?;
        let leaves = self.leaves(forest);
        let mut mappings = leaves.in_order(leaves.of_device(device, (low, high))?);
        while let Some(mapping) = mappings.next()? {
            if (low..=high).contains(&mapping.virtual_block) {
                take(mapping);
            }
        }
        Ok(mappings.into_damages())
    }

    /// Who uses the data blocks from `low` to `high`, in one pass over all mappings.
    pub fn uses(
        &self,
        forest: &Forest,
        (low, high): (u64, u64),
        take: &mut dyn FnMut(Use),
    ) -> Result<Damages, MetaError> {
        uses::each(&self.leaves(forest), forest, (low, high), take)
    }

    /// Whether a device has mappings older than itself, which proves that it was a snapshot.
    pub fn inherited(
        &self,
        forest: &Forest,
        id: ThinId,
        created: u32,
    ) -> Result<Inherited, MetaError> {
        let device = forest.index_of(id).ok_or(MetaError::NoDevice(id))?;
        let leaves = self.leaves(forest);
        let mut mappings = leaves.in_order(leaves.of_device(device, (0, u64::MAX))?);
        while let Some(mapping) = mappings.next()? {
            if mapping.time < created {
                return Ok(Inherited::Some);
            }
        }
        let sound = mappings.into_damages().is_empty() && forest.is_whole(device);
        Ok(if sound { Inherited::None } else { Inherited::Unknown })
    }

    /// Where one block of a device lies, found along one path of the trees.
    pub fn look_up(&self, id: ThinId, virtual_block: u64) -> Result<Option<Mapping>, LookUpError> {
        let key = u64::from(id.get());
        let top = self.superblock.mapping_root;
        let root = look_up(self.blocks, Part::DeviceRoots, top, key)?;
        let root = root.ok_or(MetaError::NoDevice(id))?;
        let found = look_up(self.blocks, Part::Mappings(Some(id)), root, virtual_block)?;
        Ok(found.map(|value| Mapping::unpack(virtual_block, value)))
    }
}

/// What one reading of all mappings gives.
pub struct Shared {
    /// The mapping trees.
    pub forest: Partial<Forest>,
    /// Exclusive and shared blocks of every device.
    pub sharing: Sharing,
    /// The group of every data block.
    pub groups: Option<Groups>,
}

/// Why a block of a device could not be found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookUpError {
    /// Something on the way is damaged.
    #[error("{0}")]
    Damaged(Damage),
    /// Nothing could be read, or there is no such device.
    #[error(transparent)]
    Meta(#[from] MetaError),
}

impl From<Damage> for LookUpError {
    fn from(damage: Damage) -> Self {
        Self::Damaged(damage)
    }
}

const _: () = assert!(BLOCK == 4096);
