//! Pool metadata, damaged in any words but with checksums and block numbers put right again, so
//! that what is wrong lies deep: read whole, and every question asked of it.
//!
//! The first byte chooses the image and the limits, then every twelve bytes change one word.
#![no_main]

#[path = "../../common/meta_writer.rs"]
mod meta_writer;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use meta_writer::{BITMAP_SALT, BLOCK, INDEX_SALT, NODE_SALT, Pool, SUPERBLOCK_SALT, put64, seal};
use thinscope::ids::ThinId;
use thinscope::thinmeta::{
    Delta, Details, Forest, Groups, ImageSource, Limits, LookUpError, MetaError, Origins, Reader,
    Whole, allocated_by,
};
use thinscope::units::{Bytes, DataBlocks};

const SALTS: [u32; 4] = [NODE_SALT, BITMAP_SALT, INDEX_SALT, SUPERBLOCK_SALT];

/// A sound image, and what kind of block each of its blocks is.
struct Sound {
    bytes: Vec<u8>,
    salts: Vec<Option<u32>>,
}

impl Sound {
    fn new(bytes: Vec<u8>) -> Self {
        let salts = bytes.chunks(BLOCK).map(salt_of).collect();
        Self { bytes, salts }
    }
}

fn salt_of(block: &[u8]) -> Option<u32> {
    SALTS.into_iter().find(|salt| {
        let mut copy = block.to_vec();
        seal(&mut copy, *salt);
        copy[..4] == block[..4]
    })
}

static SOUND: LazyLock<[Sound; 3]> =
    LazyLock::new(|| [deep().image(140), wide().image(60), bare().image(24)].map(Sound::new));

/// Deep trees, shared subtrees, a reused id and a metadata snapshot.
fn deep() -> Pool {
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

/// Trees as the kernel has them, of many devices.
fn wide() -> Pool {
    let mut pool = Pool::new(40_000, 252);
    pool.create(0);
    (0..900).for_each(|block| pool.write(0, block));
    for layer in 1..300_u32 {
        pool.snapshot(layer, if layer % 3 == 0 { 0 } else { layer - 1 });
        if layer % 60 == 0 {
            (0..9).for_each(|n| pool.write(layer, u64::from(layer) + n * 100));
        }
    }
    pool
}

/// One device in one leaf.
fn bare() -> Pool {
    let mut pool = Pool::new(300, 252);
    pool.create(7);
    (0..100).for_each(|block| pool.write(7, block * 5));
    pool
}

fuzz_target!(|input: &[u8]| {
    let Some((choice, edits)) = input.split_first() else { return };
    let sound = &SOUND[usize::from(*choice) % SOUND.len()];
    let mut image = sound.bytes.clone();
    edits.chunks_exact(12).take(200).for_each(|edit| apply(edit, sound, &mut image));
    // tight ones make several passes and too many sets of devices
    let memory = [16 << 20, 1 << 17, 1 << 15, 1 << 12][usize::from(choice >> 6)];
    let source = ImageSource::new(image);
    let _ = read_all(&source, Limits { memory: Bytes(memory), passes: 9 });
});

/// Changes one word of one block and seals the block again: which block, how, where (two bytes),
/// and eight bytes of what.
fn apply(edit: &[u8], sound: &Sound, image: &mut [u8]) {
    let blocks = sound.salts.len();
    let (at, how) = (usize::from(edit[0]) % blocks, edit[1]);
    let offset = usize::from(u16::from_le_bytes([edit[2], edit[3]])) % (BLOCK - 7);
    let value: [u8; 8] = edit[4..].try_into().expect("an edit has twelve bytes");
    let number = u64::from_le_bytes(value);
    let mut salt = sound.salts[at].unwrap_or(NODE_SALT);
    let from = usize::from(edit[4]) % blocks * BLOCK;
    match how % 8 {
        // references to blocks that are there, and mappings of data blocks that are there
        0 => put64(&mut image[at * BLOCK..], offset & !7, number % blocks as u64),
        1 => put64(&mut image[at * BLOCK..], offset & !7, (number % 1000) << 24 | number % 9),
        2 => put64(&mut image[at * BLOCK..], offset, number),
        3 => image[at * BLOCK + offset..][..4].copy_from_slice(&value[..4]),
        4 => image[at * BLOCK + offset..][..2].copy_from_slice(&value[..2]),
        5 => image[at * BLOCK + offset] = value[0],
        6 => image.copy_within(from..from + BLOCK, at * BLOCK),
        _ => salt = SALTS[usize::from(how >> 3) % SALTS.len()],
    }
    let block = &mut image[at * BLOCK..(at + 1) * BLOCK];
    // one in many stays what it was, for a wrong place or sum must be found out as well
    if how < 0xf8 {
        put64(block, 8, at as u64);
    }
    if how < 0xfc {
        seal(block, salt);
    }
}

/// Asks everything, and holds what must be true of the answers however wrong the image is.
fn read_all(source: &ImageSource, limits: Limits) -> Result<(), MetaError> {
    let reader = Reader::open(source)?.limited(limits);
    let (details, data, meta) = (reader.details()?, reader.data_usage()?, reader.metadata_usage()?);
    assert!(data.value.counted <= reader.data_end().get());
    let _ = meta;
    let whole = Whole::read(&reader)?;
    assert_eq!((&whole.details, whole.data), (&details.value, data.value));
    for damage in whole.damages.list() {
        assert!(!damage.to_string().is_empty());
    }
    let forest = &whole.forest;
    let ids: Vec<ThinId> = forest.devices().to_vec();
    for row in &whole.sharing.devices {
        assert!(row.exclusive <= whole.sharing.reached, "{row:?}");
        assert!(row.reached.is_none_or(|reached| row.exclusive <= reached), "{row:?}");
    }
    read_devices(&reader, &whole, &ids)?;
    let freed = reader.freed_by(forest, &ids)?;
    assert!(freed.held <= freed.blocks && freed.blocks <= whole.sharing.reached);
    let passes = reader.sharing(forest, &whole.details)?;
    assert_eq!(passes, whole.sharing, "by groups and by passes");
    if let Some(groups) = &whole.groups {
        check_groups(&reader, groups, &whole, &ids)?;
    }
    Ok(())
}

fn read_devices(reader: &Reader<'_>, whole: &Whole, ids: &[ThinId]) -> Result<(), MetaError> {
    let forest = &whole.forest;
    let origins = Origins::new(&whole.details);
    for (index, id) in ids.iter().copied().enumerate().take(8) {
        let (mut mappings, mut last) = (0, None);
        let all = (0, u64::MAX);
        let damages = reader.mappings(forest, id, all, &mut |mapping| {
            mappings += 1;
            assert!(last.is_none_or(|last| last <= mapping.virtual_block), "in key order");
            last = Some(mapping.virtual_block);
        })?;
        let reached = whole.sharing.devices.get(index).and_then(|row| row.reached);
        if damages.is_empty() && whole.damages.is_empty() && reached.is_some() {
            assert_eq!(reached, Some(DataBlocks(mappings)), "device {id}");
        }
        let same = reader.delta(forest, id, id)?;
        assert_eq!(same, Delta::default());
        look_up(reader, id, last.unwrap_or(17), whole.damages.is_empty());
        let created = whole.details.get(id).map_or(3, |detail| detail.created);
        let _ = origins.of(id, reader.inherited(forest, id, created)?);
        allocators(&whole.details, id, ids);
    }
    for pair in ids.windows(2).take(8) {
        let (one, other) =
            (reader.delta(forest, pair[0], pair[1])?, reader.delta(forest, pair[1], pair[0])?);
        assert_eq!((one.different, one.left_only), (other.different, other.right_only));
    }
    uses(reader, forest)
}

fn uses(reader: &Reader<'_>, forest: &Forest) -> Result<(), MetaError> {
    let damages = reader.uses(forest, (0, 50), &mut |used| {
        assert!(used.mapping.data_block <= 50);
        assert!(used.devices(forest).count() <= forest.devices().len());
        let _ = used.is_held(forest);
    });
    damages.map(|_| ())
}

/// What a sound image maps last is found along one path as well.
fn look_up(reader: &Reader<'_>, id: ThinId, virtual_block: u64, sound: bool) {
    match reader.look_up(id, virtual_block) {
        Ok(found) => assert!(found.is_none_or(|m| m.virtual_block == virtual_block)),
        Err(LookUpError::Damaged(damage)) => assert!(!sound, "{damage}"),
        Err(LookUpError::Meta(error)) => assert!(!sound, "{error}"),
    }
}

/// An engine's word that leads in a circle.
fn allocators(details: &Details, id: ThinId, ids: &[ThinId]) {
    let after = |of: ThinId| ids.iter().cycle().skip_while(|id| **id != of).nth(1).copied();
    let parent = |of: ThinId| ids.contains(&of).then(|| after(of)).flatten();
    for time in 0..4 {
        let _ = allocated_by(details, (id, time), &[], &parent);
    }
}

/// The blocks of groups all of whose devices are marked; of those that are held too, or of all.
fn sum(groups: &Groups, marked: &[ThinId], held: bool) -> u64 {
    let within = |group: &&thinscope::thinmeta::Group| {
        let mut devices = groups.devices(group).peekable();
        devices.peek().is_some()
            && devices.all(|device| marked.contains(&device))
            && (!held || groups.is_held(group))
    };
    groups.all().iter().filter(within).map(|group| group.blocks.get()).sum()
}

fn check_groups(
    reader: &Reader<'_>,
    groups: &Groups,
    whole: &Whole,
    ids: &[ThinId],
) -> Result<(), MetaError> {
    let blocks: u64 = groups.all().iter().map(|group| group.blocks.get()).sum();
    assert_eq!(blocks, whole.sharing.reached.get());
    for marked in [ids, ids.get(..1).unwrap_or_default(), ids.get(1..).unwrap_or_default()] {
        let freed = reader.freed_by(&whole.forest, marked)?;
        // sets that are too many to tell stay on both sides, but they need not be the same ones
        if groups.all().iter().all(|group| groups.device_count(group).is_some()) {
            assert_eq!((sum(groups, marked, false), sum(groups, marked, true)),
                (freed.blocks.get(), freed.held.get()));
        }
    }
    for group in groups.all().iter().take(20) {
        assert!(groups.devices(group).count() <= ids.len());
    }
    assert_eq!(groups.range(0..50).count(), 50);
    Ok(())
}
