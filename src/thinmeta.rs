//! The metadata of a dm-thin pool, read exactly and harmlessly.
//!
//! ```text
//! BlockSource ─▶ fetch ─▶ block, node (checked) ─▶ btree: details, device roots, space maps
//!   a device,     few large                     ├▶ scan: every block in use, once
//!   a file,       reads                         └▶ forest: all mapping trees as one graph
//!   extents on PVs                                   └▶ groups, sharing; leaves ─▶ delta, uses
//! ```
//!
//! [`Reader::open`] reads a superblock; everything else is asked of the [`Reader`]. Sharing,
//! deltas and mappings want a [`Forest`], which is read once and kept. Nothing is ever written,
//! no lock is taken. What is damaged is named in [`Damages`] beside whatever could be read;
//! [`look`](fn@look) wraps a reading of a pool that is in use, so that it belongs to one commit.
//!
//! Knows the format (`formats.md` 5.6) and nothing of hosts, engines or names.

mod block;
mod btree;
mod damage;
mod delta;
mod details;
mod fetch;
mod forest;
mod freed;
mod groups;
mod leaves;
mod look;
mod node;
mod origin;
mod reader;
mod scan;
mod sets;
mod sharing;
mod source;
mod space_map;
mod superblock;
mod uses;

pub use block::{BLOCK, MAX_METADATA_BLOCKS, Raw};
pub use damage::{Damage, DamageKind, Damages, MetaError, Part, Partial};
pub use delta::{Delta, Difference};
pub use details::{Detail, Details};
pub use fetch::{Progress, Watch};
pub use forest::Forest;
pub use freed::Freed;
pub use groups::{Group, GroupId, Groups};
pub use leaves::Mapping;
pub use look::{Balance, Looked, Looking, Whole, Writes, look};
pub use origin::{Allocation, Inherited, Origin, Origins, allocated_by};
pub use reader::{Limits, LookUpError, Reader, Shared};
pub use sharing::{DeviceSharing, Sharing};
pub use source::{BlockSource, Extent, ExtentSource, ImageSource, Place};
pub use space_map::Usage;
pub use superblock::{SpaceMapRoot, Superblock};
pub use uses::Use;
