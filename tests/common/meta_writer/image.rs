//! A pool laid down as blocks: trees, details, space maps, superblocks.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use super::block::{
    BITMAP_SALT, BLOCK, INDEX_SALT, NODE_SALT, SUPERBLOCK_SALT, put32, put64, seal,
};
use super::tree::Tree;
use super::{Device, Pool};

pub(super) struct Image {
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
    pub(super) fn of(pool: &Pool, metadata_blocks: u64) -> Vec<u8> {
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
