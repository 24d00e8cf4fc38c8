//! Damaged and hostile images: the reader names what is wrong, reads the rest, and neither
//! panics nor runs away.

#[path = "common/meta_writer.rs"]
mod meta_writer;

use meta_writer::{
    BITMAP_SALT, BLOCK, INDEX_SALT, NODE_SALT, Pool, SUPERBLOCK_SALT, put32, put64, seal,
};
use proptest::prelude::*;
use thinscope::ids::ThinId;
use thinscope::thinmeta::{
    DamageKind, Damages, ImageSource, Limits, MetaError, Part, Reader, Whole,
};
use thinscope::units::{Bytes, DataBlocks};

/// A pool with deep trees, shared subtrees, a reused id and a metadata snapshot.
fn pool() -> Pool {
    let mut pool = Pool::new(1000, 3);
    pool.create(1);
    (0..40).for_each(|block| pool.write(1, block * 2));
    for layer in 2..6_u32 {
        pool.snapshot(layer, layer - 1);
        (0..4).for_each(|n| pool.write(layer, u64::from(layer) * 7 + n * 20));
        if layer == 4 {
            pool.hold();
            pool.delete(2);
            pool.create(2);
        }
    }
    pool
}

const BLOCKS: u64 = 140;

fn image() -> Vec<u8> {
    pool().image(BLOCKS)
}

fn id(number: u64) -> ThinId {
    ThinId::new(number).expect("a small id")
}

/// Everything the reader can be asked.
fn read_all(bytes: &[u8]) -> Result<Damages, MetaError> {
    let source = ImageSource::new(bytes.to_vec());
    let limits = Limits { memory: Bytes(16 << 20), passes: 4 };
    let reader = Reader::open(&source)?.limited(limits);
    let whole = Whole::read(&reader)?;
    let (mut damages, forest) = (whole.damages, whole.forest);
    let ids: Vec<ThinId> = forest.devices().iter().copied().take(8).collect();
    for pair in ids.windows(2) {
        damages.append(reader.delta(&forest, pair[0], pair[1])?.damages);
    }
    for id in &ids {
        damages.append(reader.mappings(&forest, *id, (0, u64::MAX), &mut |_| {})?);
        let _ = reader.look_up(*id, 17);
        let _ = reader.inherited(&forest, *id, 3)?;
    }
    damages.append(reader.uses(&forest, (0, 50), &mut |used| {
        assert!(used.devices(&forest).count() <= forest.devices().len());
    })?);
    damages.append(reader.freed_by(&forest, &ids)?.damages);
    Ok(damages)
}

/// The salt that makes a block's checksum right: what kind of block it is.
fn salt_of(block: &[u8]) -> Option<u32> {
    let stored = block[..4].to_vec();
    [SUPERBLOCK_SALT, NODE_SALT, BITMAP_SALT, INDEX_SALT].into_iter().find(|salt| {
        let mut copy = block.to_vec();
        seal(&mut copy, *salt);
        copy[..4] == stored[..]
    })
}

fn block_of(bytes: &mut [u8], at: usize) -> &mut [u8] {
    &mut bytes[at * BLOCK..(at + 1) * BLOCK]
}

/// The image with one block changed and its checksum put right again.
fn with(bytes: &[u8], at: usize, change: impl FnOnce(&mut [u8])) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let block = block_of(&mut bytes, at);
    let salt = salt_of(block);
    change(block);
    if let Some(salt) = salt {
        seal(block, salt);
    }
    bytes
}

fn used_blocks(bytes: &[u8]) -> Vec<(usize, u32)> {
    let blocks = bytes.chunks(BLOCK).enumerate();
    blocks.filter_map(|(at, block)| Some((at, salt_of(block)?))).collect()
}

#[test]
fn the_undamaged_image_is_undamaged() {
    assert_eq!(read_all(&image()), Ok(Damages::default()));
    let salts = used_blocks(&image());
    for salt in [SUPERBLOCK_SALT, NODE_SALT, BITMAP_SALT, INDEX_SALT] {
        assert!(salts.iter().any(|(_, s)| *s == salt), "no block with salt {salt}");
    }
}

#[test]
fn a_changed_byte_anywhere_in_use_is_found_and_its_block_named() {
    let bytes = image();
    let overflow_trees_only = unread_blocks(&bytes);
    for (at, _) in used_blocks(&bytes) {
        let mut damaged = bytes.clone();
        block_of(&mut damaged, at)[1000] ^= 0x10;
        let found = read_all(&damaged).expect("the rest is readable");
        let named = found.list().iter().any(|damage| {
            damage.block == at as u64 && matches!(damage.kind, DamageKind::Checksum { .. })
        });
        assert!(named || overflow_trees_only.contains(&at), "block {at}: {:?}", found.list());
    }
}

/// The trees of reference counts above two and the details of the metadata snapshot, which no
/// answer needs.
fn unread_blocks(bytes: &[u8]) -> Vec<usize> {
    let number = |at: usize| {
        let word: [u8; 8] = bytes[at..at + 8].try_into().expect("eight bytes");
        usize::try_from(u64::from_le_bytes(word)).expect("a small image")
    };
    let held = number(56);
    let mut unread = vec![number(64 + 24), number(192 + 24), number(held * BLOCK + 328)];
    // the metadata's own counts may take two levels
    for root in unread.clone() {
        let start = root * BLOCK;
        if bytes[start + 4] == 1 {
            let entries = usize::from(bytes[start + 16]);
            unread.extend((0..entries).map(|n| number(start + 32 + 252 * 8 + n * 8)));
        }
    }
    unread
}

/// Fields of the blocks with a header, and values that no sound block has there.
#[test]
fn a_wrong_header_with_a_right_checksum_is_found_and_its_block_named() {
    let bytes = image();
    let unread = unread_blocks(&bytes);
    let fields: [(usize, u64); 8] = [
        (4, 0),
        (4, 3),
        (8, 9999),
        (8, u64::MAX),
        (16, 253),
        (16, u64::from(u32::MAX)),
        (20, 255),
        (24, 7),
    ];
    for (at, salt) in used_blocks(&bytes) {
        let fields = fields.iter().filter(|(field, _)| salt == NODE_SALT || *field == 8);
        for (field, value) in fields.filter(|_| !unread.contains(&at)) {
            let damaged = with(&bytes, at, |block| match field {
                8 => put64(block, 8, *value),
                _ => put32(block, *field, u32::try_from(*value).expect("32 bits")),
            });
            let found = read_all(&damaged).expect("the rest is readable");
            let named = found.list().iter().any(|damage| damage.block == at as u64);
            assert!(named, "block {at} field {field}={value}: {:?}", found.list());
        }
    }
}

fn low_half(value: u64) -> u32 {
    u32::try_from(value & u64::from(u32::MAX)).expect("32 bits")
}

#[test]
fn every_field_of_every_block_may_hold_anything() {
    let bytes = image();
    let hostile = |at: usize| {
        let here = at as u64;
        [0, 1, here, BLOCKS, 1 << 40, u64::MAX]
    };
    let values_at = 32 + 252 * 8;
    for (at, salt) in used_blocks(&bytes) {
        let words: Vec<usize> = if salt == SUPERBLOCK_SALT {
            (0..46).map(|n| n * 8).collect()
        } else {
            (0..9).map(|n| n * 8).chain((0..5).map(|n| values_at + n * 8)).collect()
        };
        for word in words {
            for value in hostile(at) {
                // whatever it says, it says it without a panic and in no time
                let _ = read_all(&with(&bytes, at, |block| put64(block, word, value)));
                if word < 32 {
                    let half = with(&bytes, at, |block| put32(block, word + 4, low_half(value)));
                    let _ = read_all(&half);
                }
            }
        }
    }
}

#[test]
fn a_cut_image_is_damaged_wherever_it_is_cut() {
    let bytes = image();
    let unread = unread_blocks(&bytes);
    let used = used_blocks(&bytes).into_iter().map(|(at, _)| at);
    let last = used.filter(|at| !unread.contains(at)).max().expect("the image has blocks");
    for blocks in 0..=last {
        match read_all(&bytes[..blocks * BLOCK]) {
            Ok(damages) => assert!(!damages.is_empty(), "cut at {blocks}"),
            Err(error) => assert_eq!((blocks, error), (0, MetaError::TooSmall(0))),
        }
    }
    assert_eq!(read_all(&bytes[..(last + 1) * BLOCK]), Ok(Damages::default()));
}

#[test]
fn what_hangs_below_a_damaged_block_is_missing_and_the_rest_is_right() {
    // two devices that share nothing, in two leaves
    let mut pool = Pool::new(1000, 252);
    pool.create(1);
    (0..30).for_each(|block| pool.write(1, block));
    pool.create(2);
    (0..20).for_each(|block| pool.write(2, block));
    let mut bytes = pool.image(BLOCKS);
    // the writer lays down the tree of the first device first
    block_of(&mut bytes, 1)[100] ^= 1;
    let source = ImageSource::new(bytes);
    let reader = Reader::open(&source).expect("a superblock");
    let whole = Whole::read(&reader).expect("the rest is readable");
    let [damage] = whole.damages.list() else { panic!("{:?}", whole.damages) };
    assert_eq!((damage.block, damage.part), (1, Part::Mappings(Some(id(1)))));
    let [one, two] = whole.sharing.devices[..] else { panic!("two devices") };
    assert_eq!((one.whole, two.whole), (false, true));
    assert_eq!((two.mapped, two.exclusive), (DataBlocks(20), DataBlocks(20)));
    assert_eq!(one.mapped, DataBlocks(30), "its details still say so");
    assert_eq!(whole.balance, None);
}

#[test]
fn a_tree_that_leads_back_to_itself_ends() {
    let bytes = image();
    let nodes = used_blocks(&bytes).into_iter().filter(|(_, salt)| *salt == NODE_SALT);
    let inner = |at: &usize| bytes[at * BLOCK + 4] == 1;
    for at in nodes.map(|(at, _)| at).filter(inner) {
        for child in 0..usize::from(bytes[at * BLOCK + 16]) {
            let looped = with(&bytes, at, |block| {
                put64(block, 32 + 252 * 8 + child * 8, at as u64);
            });
            let found = read_all(&looped).expect("the rest is readable");
            assert!(!found.is_empty(), "block {at} child {child}");
        }
    }
}

/// A stack of internal nodes that all lead to the same child by each of their entries: 252^n
/// ways for a walk that does not look.
#[test]
fn a_node_reached_by_a_million_ways_is_looked_at_once() {
    let mut bytes = image();
    let first = used_blocks(&bytes).last().expect("the image has blocks").0 + 1;
    for level in 0..10 {
        let at = first + level;
        let block = block_of(&mut bytes, at);
        put64(block, 8, at as u64);
        for (field, value) in [(4, if level == 0 { 2 } else { 1 }), (16, 252), (20, 252), (24, 8)] {
            put32(block, field, value);
        }
        for n in 0..252 {
            put64(block, 32 + n * 8, n as u64);
            let value = if level == 0 { 5 << 24 } else { at as u64 - 1 };
            put64(block, 32 + 252 * 8 + n * 8, value);
        }
        seal(block, NODE_SALT);
    }
    let top = {
        let word: [u8; 8] = bytes[320..328].try_into().expect("eight bytes");
        usize::try_from(u64::from_le_bytes(word)).expect("a small image")
    };
    let ways = with(&bytes, top, |block| put64(block, 32 + 252 * 8, first as u64 + 9));
    let found = read_all(&ways).expect("the rest is readable");
    assert!(found.list().iter().any(|d| d.kind == DamageKind::ReachedTwice), "{:?}", found.list());
}

/// Writes an internal node of entries that lead to these blocks, one key each.
fn put_inner(bytes: &mut [u8], at: usize, children: &[usize]) {
    let block = block_of(bytes, at);
    block.fill(0);
    put64(block, 8, at as u64);
    for (field, value) in [(4, 1), (16, children.len()), (20, 252), (24, 8)] {
        put32(block, field, u32::try_from(value).expect("small"));
    }
    for (n, child) in children.iter().enumerate() {
        put64(block, 32 + n * 8, n as u64 * 1000);
        put64(block, 32 + 252 * 8 + n * 8, *child as u64);
    }
    seal(block, NODE_SALT);
}

#[test]
fn a_node_whose_height_was_never_found_fits_nowhere() {
    let bytes = image();
    let first = used_blocks(&bytes).last().expect("the image has blocks").0 + 1;
    let word = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"));
    let top = usize::try_from(word(320)).expect("a small image");
    let is_leaf = |at: &usize| bytes[at * BLOCK + 4] == 2 && bytes[at * BLOCK + 24] == 8;
    let nodes = used_blocks(&bytes).into_iter().filter(|(_, salt)| *salt == NODE_SALT);
    let leaf = nodes.map(|(at, _)| at).find(|at| is_leaf(at) && *at != top).expect("a leaf");
    // the first device leads through twenty nodes, deeper than is looked; the second has a leaf
    // and, beside it, each of those nodes
    for far in 0..20 {
        let mut bytes = bytes.clone();
        (0..20).for_each(|n| put_inner(&mut bytes, first + n, &[first + n + 1]));
        put_inner(&mut bytes, first + 20, &[leaf]);
        put_inner(&mut bytes, first + 21, &[leaf, first + far]);
        let bytes = with(&bytes, top, |block| {
            put64(block, 32 + 252 * 8, first as u64);
            put64(block, 32 + 252 * 8 + 8, first as u64 + 21);
        });
        let found = read_all(&bytes).expect("the rest is readable");
        assert!(found.list().iter().any(|d| d.kind == DamageKind::TooDeep), "{:?}", found.list());
    }
}

#[test]
fn more_devices_than_the_memory_allows_are_refused() {
    let mut pool = Pool::new(1000, 252);
    (0..100).for_each(|id| pool.create(id));
    let source = ImageSource::new(pool.image(BLOCKS));
    let with_room_for = |devices: u64| {
        let limits = Limits { memory: Bytes(devices * 64), passes: 64 };
        let reader = Reader::open(&source).expect("a superblock").limited(limits);
        (reader.details().map(|d| d.value.len()), reader.forest().map(|f| f.value.devices().len()))
    };
    let limit = Bytes(99 * 64);
    let refused = MetaError::TooLarge { what: "a list of devices", needs: Bytes(6400), limit };
    assert_eq!(with_room_for(99), (Err(refused.clone()), Err(refused)));
    assert_eq!(with_room_for(100), (Ok(100), Ok(100)));
}

#[test]
fn a_pool_that_claims_to_be_enormous_costs_what_the_image_can_back() {
    let bytes = with(&image(), 0, |block| put64(block, 64, 1 << 62));
    let found = read_all(&bytes).expect("readable");
    let field = |d: &thinscope::thinmeta::Damage| matches!(d.kind, DamageKind::Field { .. });
    assert!(found.list().iter().any(field), "{:?}", found.list());
    let source = ImageSource::new(bytes);
    let tight = Limits { memory: Bytes(1 << 16), passes: 2 };
    let reader = Reader::open(&source).expect("a superblock").limited(tight);
    let refused = Whole::read(&reader).map(|whole| whole.balance);
    assert!(matches!(refused, Err(MetaError::TooLarge { .. })), "{refused:?}");
}

#[test]
fn what_is_no_metadata_is_refused_in_words() {
    let source = |bytes: Vec<u8>| {
        let source = ImageSource::new(bytes);
        Reader::open(&source).map(|_| ()).map_err(|error| error.to_string())
    };
    let said = |bytes| source(bytes).expect_err("no metadata");
    assert_eq!(
        said(vec![0; 3 * BLOCK]),
        "this metadata was never formatted: its superblock is all zero"
    );
    assert_eq!(
        said(vec![7; 100]),
        "this is no pool metadata: it has 100 bytes, and a superblock alone has 4096"
    );
    assert_eq!(
        said(vec![1; BLOCK]),
        "this is no pool metadata: the superblock says its magic is 72340172838076673"
    );
    let newer = with(&image(), 0, |block| put32(block, 40, 3));
    assert_eq!(said(newer), "this is no pool metadata: the superblock says its version is 3");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Several wrong words at once, with right checksums.
    #[test]
    fn random_damage_with_right_checksums_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..511_usize, word()), 1..5),
    ) {
        let mut bytes = image();
        let used = used_blocks(&bytes);
        for (block, at, value) in changes {
            bytes = with(&bytes, block.get(&used).0, |block| put64(block, 8 + at * 8 - 8, value));
        }
        let _ = read_all(&bytes);
    }
}

fn word() -> impl Strategy<Value = u64> {
    prop_oneof![0..BLOCKS + 2, any::<u64>(), (0..u64::from(u32::MAX)).prop_map(|n| n << 24)]
}
