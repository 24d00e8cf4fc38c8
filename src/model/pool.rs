//! A thin pool and what its kernel status says.

use std::sync::Arc;

use serde::Serialize;

use super::engine::EngineFacts;
use super::metadata::PoolMetadata;
use super::node::Kind;
use super::policy::Policy;
use super::thin::Engine;
use super::topology::{NodeIx, ThinIx};
use super::usage::Usage;
use crate::text::Printable;
use crate::units::{Bytes, DataBlocks, MetadataBlocks, Sectors};

/// How a pool came to be, which decides who may grow it and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PoolKind {
    /// An LVM thin pool that an engine uses, with no LVM thin volume in it.
    DirectLvm,
    /// An engine's own pool over loop devices.
    LoopLvm,
    /// An LVM thin pool with LVM thin volumes.
    LvmThin,
    /// Any other table over any devices.
    Raw,
}

impl PoolKind {
    /// The word in JSON and on screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DirectLvm => "direct-lvm",
            Self::LoopLvm => "loop-lvm",
            Self::LvmThin => "lvm-thin",
            Self::Raw => "raw",
        }
    }
}

/// The kernel's modes, as its status line names them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Reads and writes.
    Rw,
    /// Metadata cannot change: read-only for a failure, or out of metadata space.
    Ro,
    /// No data block left.
    OutOfDataSpace,
    /// A word this version does not know, kept.
    Unknown(Printable),
}

/// What happens to writes that find no space.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum NoSpace {
    /// They wait.
    Queue,
    /// They fail.
    Error,
    /// A word this version does not know, kept.
    Unknown(Printable),
}

/// A thin pool's status line, all of it (`formats.md` 5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolStatus {
    /// Transaction id, moved by whoever owns the pool.
    pub transaction_id: u64,
    /// Metadata blocks; the kernel counts its reserve as used.
    pub metadata: Usage<MetadataBlocks>,
    /// Data blocks.
    pub data: Usage<DataBlocks>,
    /// Block of a held metadata snapshot.
    pub held_root: Option<u64>,
    /// Mode.
    pub mode: Mode,
    /// `discard_passdown`, `no_discard_passdown`, `ignore_discard`, or a newer word.
    pub discard: Option<Printable>,
    /// What happens without space, in force now.
    pub no_space: Option<NoSpace>,
    /// Set when a metadata operation failed; `None` when this kernel does not say.
    pub needs_check: Option<bool>,
    /// Low water mark of metadata, in blocks.
    pub metadata_low_water: Option<MetadataBlocks>,
    /// Words beyond those known, kept.
    pub more: Vec<Printable>,
}

/// What is known of a pool now. Each state carries only what exists in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PoolState {
    /// Active, with its status.
    Active(PoolStatus),
    /// Active, in the kernel's fail mode: it answers nothing but `Fail`.
    Failed,
    /// Active, and its status was not seen or not understood.
    Unseen {
        /// Why.
        why: Printable,
    },
    /// Not in the kernel.
    Inactive,
}

/// The lines of a volume group's text around a pool's transaction id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VgText {
    /// The file.
    pub path: Printable,
    /// The number of the first of these lines.
    pub first: usize,
    /// The lines, tabs shown as blanks.
    pub lines: Vec<Printable>,
    /// The id that stands there.
    pub transaction: u64,
}

/// A thin pool.
#[derive(Clone, Debug)]
pub struct Pool {
    /// Its node: the device with the thin-pool target, or the one it would be.
    pub node: NodeIx,
    /// The device-mapper name of the device with the thin-pool target; for an inactive pool the
    /// one it will have.
    pub name: Printable,
    /// `VG/LV` where LVM owns it.
    pub lv: Option<Printable>,
    /// How it came to be.
    pub kind: PoolKind,
    /// Active or not, and its status.
    pub state: PoolState,
    /// Whether its device is suspended.
    pub suspended: bool,
    /// Size of a data block.
    pub block_size: Option<Sectors>,
    /// Low water mark of data from the table, in blocks.
    pub low_water: Option<DataBlocks>,
    /// Options of the table, as requested.
    pub options: Vec<Printable>,
    /// The node that holds data (tdata, or a raw device).
    pub data: Option<NodeIx>,
    /// The node that holds metadata.
    pub metadata: Option<NodeIx>,
    /// Size of the data device.
    pub data_size: Option<Bytes>,
    /// Size of the metadata device.
    pub metadata_size: Option<Bytes>,
    /// The engines whose metadata names this pool.
    pub engines: Vec<Engine>,
    /// LVM's `seg_monitor`; `None` where LVM does not own it or was not seen.
    pub monitor: Option<Printable>,
    /// LVM's profile.
    pub profile: Option<Printable>,
    /// What LVM is set to do when it fills; `None` where LVM does not own it or was not seen.
    pub policy: Option<Policy>,
    /// The file of LVM's configuration that would say so and could not be read.
    pub policy_hidden_in: Option<Printable>,
    /// What the engines' own files say of it, one entry a data root.
    pub engine_facts: Vec<EngineFacts>,
    /// LVM's transaction id.
    pub lvm_transaction_id: Option<u64>,
    /// LVM's text with that id, where it is not the pool's.
    pub vg_text: Option<VgText>,
    /// Its thin devices.
    pub devices: Vec<ThinIx>,
    /// What its own metadata says; `None` where that was not read.
    pub contents: Option<Arc<PoolMetadata>>,
    /// `docker info`'s driver section, computed: key and value in docker's order.
    pub driver_status: Vec<(String, String)>,
    /// Keys of that section that only a living daemon can know.
    pub driver_status_unknown: Vec<String>,
    /// Keys of that section that are computed of the pool's status, where that was not seen.
    pub driver_status_unseen: Vec<String>,
}

impl Pool {
    /// One that is not in the kernel and of which nothing else is known.
    pub const fn unknown(node: NodeIx, name: Printable) -> Self {
        Self {
            node,
            name,
            lv: None,
            kind: PoolKind::Raw,
            state: PoolState::Inactive,
            suspended: false,
            block_size: None,
            low_water: None,
            options: Vec::new(),
            data: None,
            metadata: None,
            data_size: None,
            metadata_size: None,
            engines: Vec::new(),
            monitor: None,
            profile: None,
            policy: None,
            policy_hidden_in: None,
            engine_facts: Vec::new(),
            lvm_transaction_id: None,
            vg_text: None,
            devices: Vec::new(),
            contents: None,
            driver_status: Vec::new(),
            driver_status_unknown: Vec::new(),
            driver_status_unseen: Vec::new(),
        }
    }

    /// The status line, where there is one.
    pub const fn status(&self) -> Option<&PoolStatus> {
        match &self.state {
            PoolState::Active(status) => Some(status),
            _ => None,
        }
    }

    /// The mode in the words of `product.md`; `None` where it was not seen.
    pub fn mode(&self) -> Option<&str> {
        match &self.state {
            PoolState::Active(status) => Some(match &status.mode {
                Mode::Rw => "rw",
                Mode::Ro => "ro",
                Mode::OutOfDataSpace => "out_of_data_space",
                Mode::Unknown(word) => word.as_str(),
            }),
            PoolState::Failed => Some("fail"),
            PoolState::Inactive => Some("inactive"),
            PoolState::Unseen { .. } => None,
        }
    }

    /// Data in bytes, used out of total.
    pub fn data_usage(&self) -> Option<Usage<Bytes>> {
        let (status, block) = (self.status()?, self.block_size?);
        Some(Usage { used: status.data.used.bytes(block), total: status.data.total.bytes(block) })
    }

    /// Metadata in bytes, used out of total.
    pub fn metadata_usage(&self) -> Option<Usage<Bytes>> {
        let status = self.status()?;
        Some(Usage { used: status.metadata.used.bytes(), total: status.metadata.total.bytes() })
    }

    /// The kind of a pool's node.
    pub const NODE_KIND: Kind = Kind::Pool;
}
