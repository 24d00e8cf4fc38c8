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

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

pub(crate) const BLOCK: usize = 4096;

/// A persistent tree: writing to it copies the path and shares the rest, as a snapshot does.
#[derive(Clone, Debug)]
pub(crate) enum Tree {
    Leaf(Vec<(u64, u64)>),
    Inner(Vec<(u64, Rc<Tree>)>),
}

impl Tree {
    pub(crate) fn empty() -> Rc<Self> {
        Rc::new(Self::Leaf(Vec::new()))
    }

    pub(crate) fn get(&self, key: u64) -> Option<u64> {
        match self {
            Self::Leaf(entries) => {
                entries.binary_search_by_key(&key, |e| e.0).ok().map(|at| entries[at].1)
            }
            Self::Inner(entries) => {
                let at = entries.partition_point(|e| e.0 <= key).checked_sub(1)?;
                entries[at].1.get(key)
            }
        }
    }

    pub(crate) fn each(&self, take: &mut dyn FnMut(u64, u64)) {
        match self {
            Self::Leaf(entries) => entries.iter().for_each(|(k, v)| take(*k, *v)),
            Self::Inner(entries) => entries.iter().for_each(|(_, below)| below.each(take)),
        }
    }

    fn low(&self) -> u64 {
        match self {
            Self::Leaf(entries) => entries.first().map_or(0, |e| e.0),
            Self::Inner(entries) => entries.first().map_or(0, |e| e.0),
        }
    }

    /// The tree with one more mapping; nodes hold at most `fan` entries.
    pub(crate) fn with(self: &Rc<Self>, key: u64, value: u64, fan: usize) -> Rc<Self> {
        let mut parts = self.inserted(key, value, fan);
        if parts.len() == 1 {
            return parts.remove(0);
        }
        Rc::new(Self::Inner(parts.into_iter().map(|part| (part.low(), part)).collect()))
    }

    fn inserted(&self, key: u64, value: u64, fan: usize) -> Vec<Rc<Self>> {
        match self {
            Self::Leaf(entries) => {
                let mut entries = entries.clone();
                match entries.binary_search_by_key(&key, |e| e.0) {
                    Ok(at) => entries[at].1 = value,
                    Err(at) => entries.insert(at, (key, value)),
                }
                halves(entries, fan).into_iter().map(|half| Rc::new(Self::Leaf(half))).collect()
            }
            Self::Inner(entries) => {
                let at = entries.partition_point(|e| e.0 <= key).saturating_sub(1);
                let new = entries[at].1.inserted(key, value, fan);
                let mut entries = entries.clone();
                let low = entries[at].0.min(key);
                let new = new.into_iter().enumerate();
                let new = new.map(|(n, part)| (if n == 0 { low } else { part.low() }, part));
                entries.splice(at..=at, new.collect::<Vec<_>>());
                halves(entries, fan).into_iter().map(|half| Rc::new(Self::Inner(half))).collect()
            }
        }
    }

    /// The tree without a mapping; nodes that run empty go, the others are not joined.
    pub(crate) fn without(self: &Rc<Self>, key: u64) -> Rc<Self> {
        self.removed(key).unwrap_or_else(Self::empty)
    }

    fn removed(self: &Rc<Self>, key: u64) -> Option<Rc<Self>> {
        if self.get(key).is_none() {
            return Some(Rc::clone(self));
        }
        match &**self {
            Self::Leaf(entries) => {
                let left: Vec<_> = entries.iter().filter(|e| e.0 != key).copied().collect();
                (!left.is_empty()).then(|| Rc::new(Self::Leaf(left)))
            }
            Self::Inner(entries) => {
                let at = entries.partition_point(|e| e.0 <= key) - 1;
                let mut left = entries.clone();
                match entries[at].1.removed(key) {
                    Some(below) => left[at].1 = below,
                    None => drop(left.remove(at)),
                }
                (!left.is_empty()).then(|| Rc::new(Self::Inner(left)))
            }
        }
    }
}

fn halves<T>(mut entries: Vec<T>, fan: usize) -> Vec<Vec<T>> {
    if entries.len() <= fan {
        return vec![entries];
    }
    let upper = entries.split_off(entries.len() / 2);
    vec![entries, upper]
}

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

pub(crate) fn crc(bytes: &[u8]) -> u32 {
    bytes.iter().fold(u32::MAX, |mut crc, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
        }
        crc
    })
}

pub(crate) const SUPERBLOCK_SALT: u32 = 160_774;
pub(crate) const NODE_SALT: u32 = 121_107;
pub(crate) const BITMAP_SALT: u32 = 240_779;
pub(crate) const INDEX_SALT: u32 = 160_478;

/// Writes the checksum that a block of this kind needs.
pub(crate) fn seal(block: &mut [u8], salt: u32) {
    let sum = !crc32c::crc32c(&block[4..]) ^ salt;
    block[..4].copy_from_slice(&sum.to_le_bytes());
}

pub(crate) fn put32(block: &mut [u8], at: usize, value: u32) {
    block[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

pub(crate) fn put64(block: &mut [u8], at: usize, value: u64) {
    block[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

struct Image {
    bytes: Vec<u8>,
    next: u64,
    /// References to each metadata block.
    counts: BTreeMap<u64, u32>,
    data_counts: BTreeMap<u64, u32>,
    placed: HashMap<*const Tree, u64>,
}

struct Root {
    blocks: u64,
    allocated: u64,
    bitmaps: u64,
    counts: u64,
}

impl Image {
    fn of(pool: &Pool, metadata_blocks: u64) -> Vec<u8> {
        let size = usize::try_from(metadata_blocks).expect("a small image") * BLOCK;
        let mut image = Self {
            bytes: vec![0; size],
            next: 1,
            counts: BTreeMap::from([(0, 1)]),
            data_counts: BTreeMap::new(),
            placed: HashMap::new(),
        };
        let held = pool.held.as_ref().map(|held| image.trees(held));
        let (mapping, details) = image.trees(&pool.devices);
        let data = image.data_map(pool);
        let held = held.map(|roots| {
            let at = image.take();
            image.superblock(pool, at, roots, [None, None], 0);
            at
        });
        let meta = image.metadata_map(metadata_blocks);
        image.superblock(pool, 0, (mapping, details), [Some(data), Some(meta)], held.unwrap_or(0));
        image.bytes
    }

    /// A free block, referenced once.
    fn take(&mut self) -> u64 {
        let at = self.next;
        self.next += 1;
        *self.counts.entry(at).or_insert(0) += 1;
        assert!(at as usize * BLOCK < self.bytes.len(), "the image is too small for the pool");
        at
    }

    fn block(&mut self, at: u64) -> &mut [u8] {
        let start = at as usize * BLOCK;
        &mut self.bytes[start..start + BLOCK]
    }

    fn trees(&mut self, devices: &BTreeMap<u32, Device>) -> (u64, u64) {
        let roots: Vec<(u64, Vec<u8>)> = devices
            .iter()
            .map(|(id, d)| (u64::from(*id), self.tree(&d.tree).to_le_bytes().to_vec()))
            .collect();
        let details = devices.iter().map(|(id, d)| {
            let mut value = vec![0; 24];
            put64(&mut value, 0, d.mapped);
            put64(&mut value, 8, d.transaction);
            put32(&mut value, 16, d.created);
            put32(&mut value, 20, d.snapshotted);
            (u64::from(*id), value)
        });
        let details: Vec<_> = details.collect();
        (self.bulk(roots, 8), self.bulk(details, 24))
    }

    /// Lays down a mapping tree, shared nodes once.
    fn tree(&mut self, tree: &Rc<Tree>) -> u64 {
        if let Some(at) = self.placed.get(&Rc::as_ptr(tree)).copied() {
            *self.counts.entry(at).or_insert(0) += 1;
            return at;
        }
        let at = match &**tree {
            Tree::Leaf(entries) => {
                for (_, value) in entries {
                    *self.data_counts.entry(value >> 24).or_insert(0) += 1;
                }
                let values = entries.iter().map(|(k, v)| (*k, v.to_le_bytes().to_vec())).collect();
                let at = self.take();
                self.node(at, values, 8, false);
                at
            }
            Tree::Inner(entries) => {
                let below = entries.iter().map(|(k, t)| (*k, self.tree(t).to_le_bytes().to_vec()));
                let below = below.collect();
                let at = self.take();
                self.node(at, below, 8, true);
                at
            }
        };
        self.placed.insert(Rc::as_ptr(tree), at);
        at
    }

    fn node(&mut self, at: u64, entries: Vec<(u64, Vec<u8>)>, value_size: usize, internal: bool) {
        let fit = (BLOCK - 32) / (8 + value_size);
        let room = fit - fit % 3;
        assert!(entries.len() <= room);
        let block = self.block(at);
        put32(block, 4, if internal { 1 } else { 2 });
        put64(block, 8, at);
        put32(block, 16, entries.len() as u32);
        put32(block, 20, room as u32);
        put32(block, 24, value_size as u32);
        for (n, (key, value)) in entries.iter().enumerate() {
            put64(block, 32 + n * 8, *key);
            let start = 32 + room * 8 + n * value_size;
            block[start..start + value_size].copy_from_slice(value);
        }
        seal(block, NODE_SALT);
    }

    /// A tree of sorted entries, from the leaves up, its nodes evenly filled.
    fn bulk(&mut self, entries: Vec<(u64, Vec<u8>)>, value_size: usize) -> u64 {
        let (mut level, mut size, mut internal) = (entries, value_size, false);
        loop {
            let room = (BLOCK - 32) / (8 + size) / 3 * 3;
            let nodes = level.len().div_ceil(room).max(1);
            let per = level.len().div_ceil(nodes).max(1);
            let mut above = Vec::new();
            for chunk in level.chunks(per) {
                let at = self.take();
                self.node(at, chunk.to_vec(), size, internal);
                above.push((chunk[0].0, at.to_le_bytes().to_vec()));
            }
            if above.is_empty() {
                let at = self.take();
                self.node(at, Vec::new(), size, false);
                return at;
            }
            if above.len() == 1 {
                return u64::from_le_bytes(above[0].1.clone().try_into().expect("eight bytes"));
            }
            (level, size, internal) = (above, 8, true);
        }
    }

    fn data_map(&mut self, pool: &Pool) -> Root {
        let mut counts = self.data_counts.clone();
        let free = (0..pool.data_blocks).rev().filter(|b| !counts.contains_key(b));
        let leaked: HashSet<u64> = free.take(pool.leaked as usize).collect();
        counts.extend(leaked.into_iter().map(|block| (block, 1)));
        let bitmaps = pool.data_blocks.div_ceil(16320);
        let places: Vec<u64> = (0..bitmaps).map(|_| self.take()).collect();
        let index = self.bitmaps(&places, &counts, pool.data_blocks);
        let index = index.into_iter().enumerate().map(|(n, e)| (n as u64, e)).collect();
        let bitmaps = self.bulk(index, 16);
        let counts_root = self.overflow(&counts);
        Root {
            blocks: pool.data_blocks,
            allocated: counts.len() as u64,
            bitmaps,
            counts: counts_root,
        }
    }

    fn metadata_map(&mut self, blocks: u64) -> Root {
        let index_at = self.take();
        let places: Vec<u64> = (0..blocks.div_ceil(16320)).map(|_| self.take()).collect();
        let many = self.counts.values().filter(|count| **count > 2).count();
        // the tree of counts takes blocks itself, each referenced once: none of them is in it
        let before = self.counts.clone();
        let counts_root = self.overflow(&before);
        debug_assert_eq!(many, self.counts.values().filter(|count| **count > 2).count());
        let counts = self.counts.clone();
        let index = self.bitmaps(&places, &counts, blocks);
        let block = self.block(index_at);
        put64(block, 8, index_at);
        for (n, entry) in index.iter().enumerate() {
            block[16 + n * 16..32 + n * 16].copy_from_slice(entry);
        }
        seal(block, INDEX_SALT);
        Root { blocks, allocated: counts.len() as u64, bitmaps: index_at, counts: counts_root }
    }

    /// Writes the bitmaps and returns the index entries.
    fn bitmaps(
        &mut self,
        places: &[u64],
        counts: &BTreeMap<u64, u32>,
        blocks: u64,
    ) -> Vec<Vec<u8>> {
        let mut entries = Vec::new();
        for (n, at) in places.iter().enumerate() {
            let first = n as u64 * 16320;
            let here = (blocks - first).min(16320);
            let block = self.block(*at);
            put64(block, 8, *at);
            let mut free = here;
            let mut none_free_before = here;
            for (key, count) in counts.range(first..first + here) {
                let (bit, raw) = ((key - first) as usize, [0, 2, 1, 3][(*count).min(3) as usize]);
                block[16 + bit / 4] |= raw << (bit % 4 * 2);
                free -= 1;
            }
            for bit in 0..here {
                if !counts.contains_key(&(first + bit)) {
                    none_free_before = bit;
                    break;
                }
            }
            seal(block, BITMAP_SALT);
            let mut entry = vec![0; 16];
            put64(&mut entry, 0, *at);
            put32(&mut entry, 8, free as u32);
            put32(&mut entry, 12, none_free_before as u32);
            entries.push(entry);
        }
        entries
    }

    /// The tree of the counts that two bits do not hold.
    fn overflow(&mut self, counts: &BTreeMap<u64, u32>) -> u64 {
        let many = counts.iter().filter(|(_, count)| **count > 2);
        self.bulk(many.map(|(key, count)| (*key, count.to_le_bytes().to_vec())).collect(), 4)
    }

    fn superblock(
        &mut self,
        pool: &Pool,
        at: u64,
        (mapping, details): (u64, u64),
        maps: [Option<Root>; 2],
        held: u64,
    ) {
        let metadata_blocks = (self.bytes.len() / BLOCK) as u64;
        let block = self.block(at);
        put64(block, 8, at);
        put64(block, 32, 27_022_010);
        put32(block, 40, pool.version);
        put32(block, 44, pool.time);
        put64(block, 48, pool.transaction);
        put64(block, 56, held);
        for (start, map) in [64, 192].into_iter().zip(maps) {
            let Some(map) = map else { continue };
            let fields = [map.blocks, map.allocated, map.bitmaps, map.counts];
            fields.iter().enumerate().for_each(|(n, f)| put64(block, start + n * 8, *f));
        }
        put64(block, 320, mapping);
        put64(block, 328, details);
        put32(block, 336, pool.block_sectors);
        put32(block, 340, 8);
        put64(block, 344, metadata_blocks);
        seal(block, SUPERBLOCK_SALT);
    }
}
