//! The metadata reader against a plain model: random pools with shared subtrees, reused ids,
//! deleted origins and metadata snapshots, every answer computed a second time the slow way.

#[path = "common/meta_writer.rs"]
mod meta_writer;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use meta_writer::{Device, Pool};
use proptest::prelude::*;
use thinscope::ids::ThinId;
use thinscope::thinmeta::{
    Allocation, Balance, Details, Difference, Forest, Groups, ImageSource, Inherited, Limits,
    Origin, Origins, Reader, Sharing, Whole, allocated_by,
};
use thinscope::units::{Bytes, DataBlocks};

/// What may happen to a pool.
#[derive(Clone, Debug)]
enum Event {
    Create(u32),
    Snapshot(u32, u32),
    Write(u32, u64, u64),
    Discard(u32, u64, u64),
    Delete(u32),
    Hold,
}

fn event() -> impl Strategy<Value = Event> {
    let device = 0..9_u32;
    let range = (0..150_u64, 1..40_u64);
    prop_oneof![
        2 => device.clone().prop_map(Event::Create),
        6 => (device.clone(), device.clone()).prop_map(|(new, of)| Event::Snapshot(new, of)),
        10 => (device.clone(), range.clone()).prop_map(|(d, (at, n))| Event::Write(d, at, n)),
        3 => (device.clone(), range).prop_map(|(d, (at, n))| Event::Discard(d, at, n)),
        2 => device.prop_map(Event::Delete),
        1 => Just(Event::Hold),
    ]
}

fn happen(pool: &mut Pool, event: &Event) {
    let lives = |pool: &Pool, id: &u32| pool.devices.contains_key(id);
    match event {
        Event::Create(id) if !lives(pool, id) => pool.create(*id),
        Event::Snapshot(id, of) if !lives(pool, id) && lives(pool, of) => pool.snapshot(*id, *of),
        Event::Write(id, at, n) if lives(pool, id) => {
            (*at..at + n).for_each(|b| pool.write(*id, b));
        }
        Event::Discard(id, at, n) if lives(pool, id) => {
            (*at..at + n).for_each(|block| pool.discard(*id, block));
        }
        Event::Delete(id) => pool.delete(*id),
        Event::Hold if pool.held.is_none() => pool.hold(),
        _ => {}
    }
    pool.transaction += 1;
}

fn pool() -> impl Strategy<Value = Pool> {
    (prop::collection::vec(event(), 1..60), prop_oneof![Just(3_usize), Just(5), Just(252)])
        .prop_map(|(events, fan)| {
            let mut pool = Pool::new(4000, fan);
            pool.create(0);
            for event in &events {
                happen(&mut pool, event);
            }
            pool
        })
}

/// A device's mappings: virtual block to data block and time.
type Mappings = BTreeMap<u64, (u64, u32)>;

fn mappings(device: &Device) -> Mappings {
    let mut all = Mappings::new();
    device.tree.each(&mut |block, value| {
        all.insert(block, (value >> 24, u32::try_from(value & 0xff_ffff).expect("24 bits")));
    });
    all
}

fn all_mappings(pool: &Pool) -> BTreeMap<u32, Mappings> {
    pool.devices.iter().map(|(id, device)| (*id, mappings(device))).collect()
}

/// How many mappings of living devices lead to each data block.
fn counts(all: &BTreeMap<u32, Mappings>) -> HashMap<u64, usize> {
    let mut counts = HashMap::new();
    all.values().flat_map(BTreeMap::values).for_each(|(b, _)| *counts.entry(*b).or_insert(0) += 1);
    counts
}

fn held_blocks(pool: &Pool) -> BTreeSet<u64> {
    let devices = pool.held.iter().flat_map(BTreeMap::values);
    devices.flat_map(|device| mappings(device).into_values().map(|(block, _)| block)).collect()
}

fn id(number: u32) -> ThinId {
    ThinId::new(number.into()).expect("a small id")
}

struct Read {
    details: Details,
    forest: Forest,
    sharing: Sharing,
    groups: Option<Groups>,
}

fn read(reader: &Reader<'_>) -> Read {
    let whole = Whole::read(reader).expect("a sound image");
    assert_eq!(whole.damages.list(), []);
    assert_eq!(whole.balance, Some(Balance::Even));
    let Whole { details, forest, sharing, groups, .. } = whole;
    Read { details, forest, sharing, groups }
}

fn source(pool: &Pool) -> ImageSource {
    ImageSource::new(pool.image(4000))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn sharing_is_what_counting_every_mapping_gives(pool in pool(), window in 1..3000_u64) {
        let (all, source) = (all_mappings(&pool), source(&pool));
        // so little memory that the pool is counted in several windows
        let limits = Limits { memory: Bytes(1 << 20), ..Limits::default() };
        let narrow = Limits { memory: Bytes(window.max(100) * 4), passes: 64 };
        let reader = Reader::open(&source).expect("a superblock").limited(limits);
        let (counts, read) = (counts(&all), read(&reader));
        for row in &read.sharing.devices {
            let mappings = &all[&row.id.get()];
            let alone = mappings.values().filter(|(block, _)| counts[block] == 1).count() as u64;
            prop_assert_eq!(row.exclusive.get(), alone, "device {}", row.id);
            prop_assert_eq!(row.mapped.get(), mappings.len() as u64);
            prop_assert_eq!(row.reached, Some(row.mapped));
        }
        prop_assert_eq!(read.sharing.devices.len(), all.len());
        let mut reached: BTreeSet<u64> = held_blocks(&pool);
        let held_only = reached.iter().filter(|block| !counts.contains_key(block)).count() as u64;
        reached.extend(counts.keys());
        prop_assert_eq!(read.sharing.reached.get(), reached.len() as u64);
        prop_assert_eq!(read.sharing.held_only.get(), held_only);
        let again = Reader::open(&source).expect("a superblock").limited(narrow);
        prop_assert_eq!(again.sharing(&read.forest, &read.details), Ok(read.sharing));
    }

    #[test]
    fn freed_is_what_only_the_marked_devices_map(pool in pool(), marks in any::<u16>()) {
        let (all, source) = (all_mappings(&pool), source(&pool));
        let reader = Reader::open(&source).expect("a superblock");
        let forest = read(&reader).forest;
        let marked: Vec<u32> = all.keys().copied().filter(|id| marks >> id & 1 == 1).collect();
        let ids: Vec<ThinId> = marked.iter().map(|number| id(*number)).collect();
        let freed = reader.freed_by(&forest, &ids).expect("a sound image");
        let of = |stays: bool| -> BTreeSet<u64> {
            let of = all.iter().filter(|(id, _)| marked.contains(id) != stays);
            of.flat_map(|(_, mappings)| mappings.values().map(|(block, _)| *block)).collect()
        };
        let gone: BTreeSet<u64> = of(false).difference(&of(true)).copied().collect();
        prop_assert_eq!(freed.blocks.get(), gone.len() as u64);
        prop_assert_eq!(freed.held.get(), gone.intersection(&held_blocks(&pool)).count() as u64);
    }

    #[test]
    fn groups_answer_like_the_passes_do(pool in pool(), marks in any::<u16>()) {
        let (all, source) = (all_mappings(&pool), source(&pool));
        let reader = Reader::open(&source).expect("a superblock");
        let whole = read(&reader);
        let forest = whole.forest;
        let groups = whole.groups.expect("a small pool");
        prop_assert_eq!(reader.sharing(&forest, &whole.details), Ok(whole.sharing.clone()));
        let ids: Vec<ThinId> = all.keys().filter(|n| marks >> *n & 1 == 1).map(|n| id(*n)).collect();
        let marked = |group: &&thinscope::thinmeta::Group| {
            let mut devices = groups.devices(group).peekable();
            devices.peek().is_some() && devices.all(|device| ids.contains(&device))
        };
        let sum: u64 = groups.all().iter().filter(marked).map(|group| group.blocks.get()).sum();
        prop_assert_eq!(Ok(sum), reader.freed_by(&forest, &ids).map(|freed| freed.blocks.get()));
        let held = held_blocks(&pool);
        for block in 0..600 {
            let maps = |m: &Mappings| m.values().any(|to| to.0 == block);
            let of: Vec<u32> = all.iter().filter(|(_, m)| maps(m)).map(|(id, _)| *id).collect();
            let group = groups.of(block).and_then(|at| groups.all().get(at as usize));
            prop_assert_eq!(group.is_some(), !of.is_empty() || held.contains(&block));
            let Some(group) = group else { continue };
            let devices: Vec<u32> = groups.devices(group).map(ThinId::get).collect();
            prop_assert_eq!(groups.is_held(group), held.contains(&block));
            prop_assert_eq!(groups.device_count(group), u32::try_from(of.len()).ok());
            prop_assert_eq!(devices, of);
        }
        let blocks: u64 = groups.all().iter().map(|group| group.blocks.get()).sum();
        prop_assert_eq!(blocks, whole.sharing.reached.get());
    }

    #[test]
    fn differences_are_what_comparing_every_block_gives(pool in pool(), pair in (0..9_u32, 0..9_u32)) {
        let (all, source) = (all_mappings(&pool), source(&pool));
        let (Some(left), Some(right)) = (all.get(&pair.0), all.get(&pair.1)) else { return Ok(()) };
        let reader = Reader::open(&source).expect("a superblock");
        let forest = read(&reader).forest;
        let mut seen = BTreeMap::new();
        let damages = reader.differences(&forest, id(pair.0), id(pair.1), &mut |difference| {
            let (at, sides) = match difference {
                Difference::Different(l, r) => {
                    (l.virtual_block, (Some(l.data_block), Some(r.data_block)))
                }
                Difference::LeftOnly(l) => (l.virtual_block, (Some(l.data_block), None)),
                Difference::RightOnly(r) => (r.virtual_block, (None, Some(r.data_block))),
            };
            seen.insert(at, sides);
        });
        prop_assert!(damages.expect("a sound image").is_empty());
        let sides = |block: &u64| (left.get(block).map(|m| m.0), right.get(block).map(|m| m.0));
        let blocks: BTreeSet<u64> = left.keys().chain(right.keys()).copied().collect();
        let apart = blocks.iter().map(|b| (*b, sides(b))).filter(|(_, (l, r))| l != r);
        prop_assert_eq!(seen, apart.collect::<BTreeMap<_, _>>());
    }

    #[test]
    fn a_device_reads_as_it_was_written(pool in pool(), from in 0..190_u64, len in 0..80_u64) {
        let (all, source) = (all_mappings(&pool), source(&pool));
        let reader = Reader::open(&source).expect("a superblock");
        let forest = read(&reader).forest;
        for (device, mappings) in &all {
            let mut seen = Vec::new();
            let range = (from, from + len);
            let damages = reader.mappings(&forest, id(*device), range, &mut |m| {
                seen.push((m.virtual_block, (m.data_block, m.time)));
            });
            prop_assert!(damages.expect("a sound image").is_empty());
            let expected: Vec<_> = mappings.range(from..=from + len).map(|(k, v)| (*k, *v)).collect();
            prop_assert_eq!(seen, expected);
            let found = reader.look_up(id(*device), from).expect("a sound image");
            prop_assert_eq!(found.map(|m| (m.data_block, m.time)), mappings.get(&from).copied());
        }
    }

    #[test]
    fn a_data_block_is_used_by_whoever_maps_it(pool in pool(), block in 0..300_u64) {
        let (all, source) = (all_mappings(&pool), source(&pool));
        let reader = Reader::open(&source).expect("a superblock");
        let forest = read(&reader).forest;
        let (mut seen, mut held) = (BTreeSet::new(), false);
        let damages = reader.uses(&forest, (block, block), &mut |used| {
            held |= used.is_held(&forest);
            let at = used.mapping.virtual_block;
            seen.extend(used.devices(&forest).map(|device| (device.get(), at)));
        });
        prop_assert!(damages.expect("a sound image").is_empty());
        let of = |(id, m): (&u32, &Mappings)| -> Vec<(u32, u64)> {
            m.iter().filter(|(_, to)| to.0 == block).map(|(at, _)| (*id, *at)).collect()
        };
        prop_assert_eq!(seen, all.iter().flat_map(of).collect::<BTreeSet<_>>());
        prop_assert_eq!(held, held_blocks(&pool).contains(&block));
    }

    #[test]
    fn an_origin_that_is_called_certain_is_the_origin(pool in pool()) {
        let source = source(&pool);
        let reader = Reader::open(&source).expect("a superblock");
        let read = read(&reader);
        let origins = Origins::new(&read.details);
        for (number, device) in &pool.devices {
            let inherited = reader.inherited(&read.forest, id(*number), device.created);
            let inherited = inherited.expect("a sound image");
            let truth = device.origin.map(id);
            match origins.of(id(*number), inherited).expect("the device is there") {
                Origin::Empty => prop_assert_eq!(truth, None),
                Origin::Certain(origin) => prop_assert_eq!(truth, Some(origin)),
                Origin::Likely(origin) => {
                    prop_assert!(inherited != Inherited::Some);
                    prop_assert!(truth.is_none() || truth == Some(origin));
                }
                Origin::OneOf(some) => {
                    let lives = truth.filter(|_| alive(&pool, device));
                    prop_assert!(lives.is_none_or(|truth| some.contains(&truth)));
                }
                Origin::Gone => prop_assert!(truth.is_none() || !alive(&pool, device)),
            }
        }
    }

    #[test]
    fn an_allocator_that_is_named_did_allocate(pool in pool()) {
        let source = source(&pool);
        let reader = Reader::open(&source).expect("a superblock");
        let read = read(&reader);
        let births: HashMap<u64, u32> = pool.devices.iter().map(|(id, d)| (d.birth, *id)).collect();
        // the engine's word: ids as they were given, whoever has them now
        let parent = |of: ThinId| pool.devices.get(&of.get()).and_then(|d| d.origin).map(id);
        for (number, mappings) in &all_mappings(&pool) {
            for (virtual_block, (block, time)) in mappings {
                let users = pool.devices.iter().filter(|(_, d)| {
                    d.tree.get(*virtual_block).is_some_and(|value| value >> 24 == *block)
                });
                let users: Vec<ThinId> = users.map(|(other, _)| id(*other)).collect();
                let truth = births.get(&pool.allocated_by[block]).copied();
                match allocated_by(&read.details, (id(*number), *time), &users, &parent) {
                    Allocation::Certain(by) | Allocation::ByDescent(by) => {
                        prop_assert_eq!(Some(by.get()), truth);
                    }
                    Allocation::Gone => {
                        let still = truth.is_some_and(|by| users.contains(&id(by)));
                        prop_assert!(!still, "{truth:?} maps it still");
                    }
                }
            }
        }
    }
}

/// Whether the origin of a device is still there, and not another device of its id.
fn alive(pool: &Pool, device: &Device) -> bool {
    let origin = device.origin.and_then(|origin| pool.devices.get(&origin));
    origin.is_some_and(|origin| origin.birth < device.birth)
}

#[test]
fn blocks_that_the_space_map_counts_and_nobody_maps_are_leaked() {
    let mut pool = Pool::new(4000, 252);
    pool.create(1);
    (0..50).for_each(|block| pool.write(1, block));
    pool.leaked = 7;
    let source = source(&pool);
    let reader = Reader::open(&source).expect("a superblock");
    let whole = Whole::read(&reader).expect("readable");
    assert_eq!(whole.balance, Some(Balance::Leaked(DataBlocks(7))));
    assert_eq!(whole.damages.list(), []);
    assert_eq!((whole.data.allocated, whole.data.counted), (57, 57));
}
