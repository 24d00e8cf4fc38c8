//! What a host's storage is, in the field's own terms: the glossary of thinscope.
//!
//! | word | here |
//! |---|---|
//! | [`Topology`] | all nodes and what rests on what, the pools, the thin devices |
//! | [`Node`] | a disk, partition, PV, VG, LV, pool, thin device, file … |
//! | [`Pool`] | a device-mapper thin pool, active or not, with its figures |
//! | [`ThinDevice`] | one id inside a pool, active or not, with who it belongs to |
//! | [`PoolMetadata`] | what a pool's own metadata says: devices, and who uses which block |
//! | [`Finding`] | looked, and something is wrong |
//! | [`Gap`] | could not look |
//! | [`Trends`] | how full pools were, and when they would be full |
//! | [`Event`] | something that happened, for the timeline |
//! | [`Snapshot`] | all of it at one moment, immutable |
//!
//! Pure data: knows nothing of how a host is asked, of engines' files or of screens.

pub mod block;
pub mod descent;
pub mod engine;
pub mod event;
pub mod finding;
pub mod growth;
pub mod holders;
pub mod host;
pub mod metadata;
pub mod node;
pub mod policy;
pub mod pool;
#[cfg(test)]
pub(crate) mod sample;
pub mod snapshot;
pub mod thin;
pub mod topology;
pub mod trend;
pub mod usage;

pub use engine::EngineFacts;
pub use event::{Event, EventKind};
pub use finding::{Cure, Finding, Gap, Severity};
pub use growth::{Growth, Hindrance};
pub use holders::Holder;
pub use host::{BootUnit, Cookie, HostFacts, ThinCheck};
pub use metadata::PoolMetadata;
pub use node::{
    DmFacts, FileFacts, Kind, LoopFacts, LvFacts, Node, NodeFacts, PvFacts, QueueFacts, VgFacts,
};
pub use policy::{Policy, ProfileFile};
pub use pool::{Mode, NoSpace, Pool, PoolKind, PoolState, PoolStatus, VgText};
pub use snapshot::{HostLine, Origin, Snapshot, SourceAge};
pub use thin::{Claim, Container, ContainerState, Engine, Role, ThinDevice, Times};
pub use topology::{NodeIx, PoolIx, ThinIx, Topology};
pub use trend::{Forecast, PoolTrend, Trend, Trends};
pub use usage::Usage;
