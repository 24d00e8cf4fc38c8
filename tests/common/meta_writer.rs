//! A writer of pool metadata for tests: a little model of a pool that creates, snapshots, writes,
//! discards and deletes as the kernel does, and lays it all down as an image.
//!
//! Shared on purpose with nothing of the reader: layout and checksums are written out again here,
//! and `thin_check` and `thin_dump` say whether they are right.
#![allow(
    clippy::cast_possible_truncation,
    clippy::needless_pass_by_value,
    reason = "images of tests are small, and their shapes are made to be used up"
)]
#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

#[path = "meta_writer/block.rs"]
mod block;
#[path = "meta_writer/image.rs"]
mod image;
#[path = "meta_writer/tree.rs"]
mod tree;

#[allow(unused_imports, reason = "every test binary uses a part of it")]
pub(crate) use block::*;
use image::Image;
pub(crate) use tree::Tree;

#[derive(Clone, Debug)]
pub(crate) struct Device {
    pub(crate) tree: Rc<Tree>,
    pub(crate) mapped: u64,
    pub(crate) transaction: u64,
    pub(crate) created: u32,
    pub(crate) snapshotted: u32,
    /// The id it is a snapshot of, and when that was made: what the metadata does not keep.
    pub(crate) origin: Option<u32>,
    /// A number of its own that no later device has.
    pub(crate) birth: u64,
}

/// A pool as the kernel would keep it.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) devices: BTreeMap<u32, Device>,
    pub(crate) held: Option<BTreeMap<u32, Device>>,
    pub(crate) time: u32,
    pub(crate) transaction: u64,
    pub(crate) data_blocks: u64,
    pub(crate) block_sectors: u32,
    pub(crate) version: u32,
    /// Entries in a node of a mapping tree; 252 as the kernel has them, fewer for deep trees.
    pub(crate) fan: usize,
    /// Blocks that the data space map counts though nobody maps them.
    pub(crate) leaked: u64,
    /// Who allocated each data block, by birth: what the metadata does not keep.
    pub(crate) allocated_by: HashMap<u64, u64>,
    next_data: u64,
    births: u64,
}

impl Pool {
    pub(crate) fn new(data_blocks: u64, fan: usize) -> Self {
        Self {
            devices: BTreeMap::new(),
            held: None,
            time: 0,
            transaction: 0,
            data_blocks,
            block_sectors: 128,
            version: 2,
            fan,
            leaked: 0,
            allocated_by: HashMap::new(),
            next_data: 0,
            births: 0,
        }
    }

    pub(crate) fn create(&mut self, id: u32) {
        let device = Device {
            tree: Tree::empty(),
            mapped: 0,
            transaction: self.transaction,
            created: self.time,
            snapshotted: self.time,
            origin: None,
            birth: self.births,
        };
        self.births += 1;
        self.devices.insert(id, device);
    }

    pub(crate) fn snapshot(&mut self, id: u32, origin: u32) {
        self.time += 1;
        let from = self.devices.get_mut(&origin).expect("the test snapshots what it made");
        from.snapshotted = self.time;
        let device = Device {
            tree: Rc::clone(&from.tree),
            mapped: from.mapped,
            transaction: self.transaction,
            created: self.time,
            snapshotted: self.time,
            origin: Some(origin),
            birth: self.births,
        };
        self.births += 1;
        self.devices.insert(id, device);
    }

    /// Writes one block: allocates where nothing is mapped or where it may be shared
    /// (`dm_thin_find_block`: shared when the mapping is older than the last snapshot).
    pub(crate) fn write(&mut self, id: u32, virtual_block: u64) {
        let device = self.devices.get(&id).expect("the test writes to what it made");
        let mapped = device.tree.get(virtual_block);
        let in_place = mapped.is_some_and(|value| (value & 0xff_ffff) >= device.snapshotted.into());
        let birth = device.birth;
        if in_place || self.next_data >= self.data_blocks {
            return;
        }
        let block = self.next_data;
        self.next_data += 1;
        self.allocated_by.insert(block, birth);
        let value = block << 24 | u64::from(self.time);
        self.map(id, virtual_block, value);
    }

    /// Maps a block to whatever the test wants.
    pub(crate) fn map(&mut self, id: u32, virtual_block: u64, value: u64) {
        let fan = self.fan;
        let device = self.devices.get_mut(&id).expect("the test maps in what it made");
        device.mapped += u64::from(device.tree.get(virtual_block).is_none());
        device.tree = device.tree.with(virtual_block, value, fan);
    }

    pub(crate) fn discard(&mut self, id: u32, virtual_block: u64) {
        let device = self.devices.get_mut(&id).expect("the test discards in what it made");
        device.mapped -= u64::from(device.tree.get(virtual_block).is_some());
        device.tree = device.tree.without(virtual_block);
    }

    pub(crate) fn delete(&mut self, id: u32) {
        self.devices.remove(&id);
    }

    pub(crate) fn hold(&mut self) {
        self.held = Some(self.devices.clone());
    }

    /// Continues allocating from this data block.
    pub(crate) fn allocate_from(&mut self, block: u64) {
        self.next_data = block;
    }

    /// The image, `metadata_blocks` long.
    pub(crate) fn image(&self, metadata_blocks: u64) -> Vec<u8> {
        Image::of(self, metadata_blocks)
    }
}
