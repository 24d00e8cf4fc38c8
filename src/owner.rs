//! Whose is a thin device? One file per engine reads that engine's own metadata (never through
//! the engine, never with its locks) and answers in one shape, [`OwnedPool`].

pub mod containerd;
pub mod docker;
pub mod lvm_names;

use crate::ids::ThinId;
use crate::model::{Container, Engine, Gap, Role};
use crate::sys::HostPath;
use crate::text::Printable;
use crate::units::Bytes;

/// What an engine says of one pool and of everything in it.
#[derive(Clone, Debug)]
pub struct OwnedPool {
    /// The engine.
    pub engine: Engine,
    /// The data root, as configured.
    pub root: HostPath,
    /// Index of that root among the engine's facts, for later questions to its module.
    pub root_index: usize,
    /// The device-mapper name the pool has or would have, as bytes.
    pub pool_name: Vec<u8>,
    /// Whether the engine's configuration says that name. Where it does not, it is the best
    /// guess, and the pool that active devices with `prefix` rest on is the better one.
    pub pool_name_certain: bool,
    /// What precedes `-pool`, `-base`, `-<hash>` in device-mapper names.
    pub prefix: String,
    /// What the pool rests on, as far as the engine says.
    pub backing: Backing,
    /// Its devices, sorted by id; two claims on one id stand next to each other.
    pub devices: Vec<OwnedDevice>,
    /// Whether every id that the engine names was read: only then does an id that is not among
    /// them have no owner.
    pub names_all: bool,
    /// The transaction that the engine opened last, and the device that it was opened for.
    pub transaction: Option<(u64, ThinId)>,
}

/// What an engine's pool rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backing {
    /// The engine attaches loop devices to its own sparse files and makes the pool itself.
    LoopFiles {
        /// The data file.
        data: HostPath,
        /// The metadata file.
        metadata: HostPath,
        /// Apparent and allocated size of the data file.
        data_size: Option<(Bytes, Bytes)>,
        /// Apparent and allocated size of the metadata file.
        metadata_size: Option<(Bytes, Bytes)>,
    },
    /// The engine makes the pool itself over two given devices.
    Devices {
        /// `dm.datadev`.
        data: HostPath,
        /// `dm.metadatadev`.
        metadata: HostPath,
    },
    /// A pool somebody else made (`dm.thinpooldev`, automatic direct-lvm).
    Given,
}

/// One device as the engine names it.
#[derive(Clone, Debug)]
pub struct OwnedDevice {
    /// Its thin id; `None` when its record could not be read.
    pub id: Option<ThinId>,
    /// The engine's name: docker's `base`, hash, or `<hash>-init`.
    pub name: Printable,
    /// The device-mapper name it has while active, without escaping.
    pub dm_name: Vec<u8>,
    /// What it is for.
    pub role: Role,
    /// All images whose chain holds it, tags first.
    pub images: Vec<Printable>,
    /// Position in the first image's chain and that chain's length.
    pub position: Option<(u32, u32)>,
    /// Chain id.
    pub chain_id: Option<Printable>,
    /// The container.
    pub container: Option<Container>,
    /// The thin id it was made from.
    pub parent: Option<ThinId>,
    /// Virtual size.
    pub size: Option<Bytes>,
    /// The transaction that made it.
    pub transaction_id: Option<u64>,
    /// To be deleted, not deleted yet.
    pub deferred_deletion: bool,
    /// Its engine is in the middle of making or removing it, or was when it died.
    pub unfinished: bool,
    /// The file or record that claims it.
    pub by: Printable,
    /// What else must be said: `orphan file`, `being removed`, the error of a broken record.
    pub note: Option<Printable>,
}

impl OwnedDevice {
    /// A device of which only the names are known, and the record that has them.
    pub fn named(name: Printable, dm_name: Vec<u8>, by: Printable) -> Self {
        Self {
            id: None,
            name,
            dm_name,
            role: Role::Unknown,
            images: Vec::new(),
            position: None,
            chain_id: None,
            container: None,
            parent: None,
            size: None,
            transaction_id: None,
            deferred_deletion: false,
            unfinished: false,
            by,
            note: None,
        }
    }
}

/// What one engine says, with what could not be read.
#[derive(Clone, Debug, Default)]
pub struct Owned {
    /// Its pools.
    pub pools: Vec<OwnedPool>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}
