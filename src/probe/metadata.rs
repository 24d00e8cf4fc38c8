//! The pools' own metadata: where it lies, and what it says.
//!
//! Asked after all other sources, because only they know where: [`places`] is pure over the
//! topology, [`read_metadata`] asks a host for the blocks. Reads and nothing else: what is active
//! is read until no commit came between, what is suspended is not touched.

mod base;
mod block;
mod descent;
mod places;
mod raid;
mod read;
pub mod reserve;
mod rest;
mod source;
mod space;
mod vg_text;

use serde::{Deserialize, Serialize};

use crate::ids::{DevNo, ThinId};
use crate::model::block::{BlockAnswer, BlockQuestion};
use crate::model::{Gap, PoolMetadata, Topology, VgText};
use crate::probe::{Facts, MetadataFile};
use crate::sys::{HostPath, Medium};
use crate::units::Bytes;

pub use crate::thinmeta::Progress;
pub use places::places;
pub use read::{Ways, read_metadata};
pub use source::open_source;
pub use vg_text::{TextLines, TextPlace};

/// How much of the metadata is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Depth {
    /// Superblock and details: which ids there are and what each maps.
    Details,
    /// The mappings too, where the metadata in use is no larger than this.
    MappingsUpTo(Bytes),
    /// The mappings too.
    Mappings,
}

/// The metadata of one pool: where, and what is to be compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolPlace {
    /// The pool's device-mapper name.
    pub pool: String,
    /// Where its metadata lies, or why that cannot be read.
    pub at: Result<Laid, String>,
    /// The pool's own device, where it is active.
    pub device: Option<DevNo>,
    /// The device that its data lies on, where it is active.
    #[serde(default)]
    pub data: Option<DevNo>,
    /// Devices with their parents, as their engine has it.
    pub parents: Vec<(ThinId, ThinId)>,
    /// The engine's base device and where the pool's data lies, where its filesystem's uuid is to
    /// be compared.
    #[serde(default)]
    pub base: Option<(ThinId, Laid)>,
    /// Where LVM's text of it is, whose transaction id is to be compared.
    #[serde(default)]
    pub vg_text: Option<TextPlace>,
}

impl PoolPlace {
    /// Of a pool of which nothing else is known.
    pub fn new(pool: String, at: Result<Laid, String>) -> Self {
        Self { pool, at, device: None, data: None, parents: Vec::new(), base: None, vg_text: None }
    }
}

/// What is wanted of the pools' metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// How much of it is read.
    pub depth: Depth,
    /// A data block that is asked about, of a pool by any of its names; where there is only one
    /// pool it needs none.
    pub block: Option<(Option<String>, BlockQuestion)>,
    /// Where commits outrun the reading, a metadata snapshot may be reserved, which is noted down
    /// below this folder.
    pub reserve: Option<HostPath>,
    /// Devices of which is asked what deleting them would give back, where that is counted on its
    /// own.
    pub freed: Vec<ThinId>,
}

impl Wish {
    /// No block is asked about.
    pub const fn of(depth: Depth) -> Self {
        Self { depth, block: None, reserve: None, freed: Vec::new() }
    }

    /// What is read on a host with these pools.
    pub fn on(&self, topology: &Topology, facts: &Facts, file: Option<&MetadataFile>) -> Asked {
        let block = self.block.as_ref().and_then(|(name, question)| {
            let pool = topology.find_pool(name.as_deref())?;
            Some((topology.pool(pool).name.to_string(), question.clone()))
        });
        let places = places(topology, facts, file);
        let reserve = self.reserve.clone();
        let freed = self.freed.clone();
        Asked { places, depth: self.depth, block, one_by_one: false, reserve, freed }
    }
}

/// What to read of the pools' metadata, which the facts of other sources tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Where it lies.
    pub places: Vec<PoolPlace>,
    /// How much of it is read.
    pub depth: Depth,
    /// A data block of one pool that is asked about.
    pub block: Option<(String, BlockQuestion)>,
    /// Blocks are asked for one by one: so a recording is made and read, whatever the reader
    /// takes in one go in this version or another.
    pub one_by_one: bool,
    /// Where it is noted down when a metadata snapshot is reserved; `None` where none may be.
    pub reserve: Option<HostPath>,
    /// Devices of which is asked what deleting them would give back, should groups not tell.
    pub freed: Vec<ThinId>,
}

impl Asked {
    /// Whether this asks for the same metadata, whatever is read beside it.
    pub fn is_like(&self, other: &Self) -> bool {
        self.without_texts() == other.without_texts()
    }

    /// Whether what was read of the same metadata, without LVM's texts, is all: none of them has
    /// another number than the pool.
    pub fn needs_no_texts(&self, seen: &MetadataSeen) -> bool {
        let needs_none = |place: &PoolPlace| {
            let differs = |text: &TextPlace| {
                seen.of(&place.pool).is_none_or(|read| text.differs(read.transaction))
            };
            !place.vg_text.as_ref().is_some_and(differs)
        };
        self.places.iter().all(needs_none)
    }

    fn without_texts(&self) -> Self {
        let mut asked = self.clone();
        asked.places.iter_mut().for_each(|place| place.vg_text = None);
        asked
    }
}

/// Where metadata lies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Laid {
    /// The devices or files that hold it.
    pub media: Vec<Medium>,
    /// Which bytes of them, in order; empty for all of the first.
    pub spans: Vec<Span>,
    /// The device whose count of writes tells of commits: that of an active pool.
    pub written: Option<DevNo>,
    /// The legs of a mirror, each of which holds all of it when it is in sync; nothing else is told
    /// then.
    #[serde(default)]
    pub legs: Vec<Leg>,
}

impl Laid {
    /// All of one device or file.
    pub fn whole(medium: Medium, written: Option<DevNo>) -> Self {
        Self { media: vec![medium], written, ..Self::default() }
    }
}

/// One leg of an inactive mirror.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// What it holds.
    pub at: Laid,
    /// Where it says whether it is in sync.
    pub superblock: Laid,
}

/// A piece of a volume: on one place, or striped over several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// Bytes of the volume.
    pub length: u64,
    /// Bytes on one place before the next one's turn.
    pub stripe: u64,
    /// The places: which of the media, and from which byte.
    pub at: Vec<(usize, u64)>,
}

/// What was read of one pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolLook {
    /// The pool's device-mapper name.
    pub pool: String,
    /// What it says, or why nothing of it could be read.
    pub read: Result<PoolMetadata, String>,
    /// What could not be read beside that.
    pub note: Option<String>,
    /// What was asked about a data block.
    pub block: Option<Result<BlockAnswer, String>>,
    /// The uuid of the base device's filesystem, where that was wanted and could be read.
    #[serde(default)]
    pub base_uuid: Option<String>,
    /// LVM's text, where its transaction id is not the pool's.
    #[serde(default)]
    pub vg_text: Option<TextLines>,
}

impl PoolLook {
    /// What a pool says, and nothing beside it.
    pub const fn new(pool: String, read: Result<PoolMetadata, String>) -> Self {
        Self { pool, read, note: None, block: None, base_uuid: None, vg_text: None }
    }
}

/// The metadata of all pools.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataSeen {
    /// By pool.
    pub pools: Vec<PoolLook>,
}

impl MetadataSeen {
    /// Of one pool.
    pub fn of(&self, pool: &str) -> Option<&PoolMetadata> {
        self.pools.iter().find(|look| look.pool == pool)?.read.as_ref().ok()
    }

    /// The uuid of the filesystem on one pool's base device.
    pub fn base_uuid(&self, pool: &str) -> Option<&str> {
        self.pools.iter().find(|look| look.pool == pool)?.base_uuid.as_deref()
    }

    /// LVM's text of one pool.
    pub fn vg_text(&self, pool: &str) -> Option<VgText> {
        self.pools.iter().find(|look| look.pool == pool)?.vg_text.as_ref().map(TextLines::shown)
    }

    /// What could not be seen.
    pub fn gaps(&self) -> impl Iterator<Item = Gap> + '_ {
        self.pools.iter().flat_map(|look| {
            let why = look.read.as_ref().err().into_iter().chain(&look.note);
            why.map(|why| Gap::new(format!("metadata {}", look.pool), why.as_str()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(transaction: Option<u64>) -> Asked {
        let text = |transaction| TextPlace {
            path: "/etc/lvm/backup/pve".to_owned(),
            lv: "data".to_owned(),
            transaction,
        };
        let mut place = PoolPlace::new("pve-data-tpool".to_owned(), Ok(Laid::default()));
        place.vg_text = transaction.map(text);
        Asked {
            places: vec![place],
            depth: Depth::Details,
            block: None,
            one_by_one: false,
            reserve: None,
            freed: Vec::new(),
        }
    }

    #[test]
    fn what_was_read_before_lvm_answered_is_all_unless_its_number_is_another() {
        let read = PoolMetadata { transaction: 5, ..PoolMetadata::default() };
        let pools = vec![PoolLook::new("pve-data-tpool".to_owned(), Ok(read))];
        let seen = MetadataSeen { pools };
        let before = asked(None);
        for (lvms, is_all) in [(None, true), (Some(5), true), (Some(6), true), (Some(4), false)] {
            let wanted = asked(lvms);
            assert!(wanted.is_like(&before));
            assert_eq!(wanted.needs_no_texts(&seen), is_all, "{lvms:?}");
        }
        assert!(!asked(Some(5)).needs_no_texts(&MetadataSeen::default()), "it could not be read");
        let other = Asked { depth: Depth::Mappings, ..asked(None) };
        assert!(!other.is_like(&before));
    }
}
