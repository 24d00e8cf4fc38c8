//! Who holds what of the example host, counted by hand.

use super::*;
use crate::ids::ThinId;
use crate::model::metadata::{DeviceMetadata, Group, Groups, Mappings, PoolMetadata};
use crate::model::{Role, Usage};
use crate::tui::testing::{Host, MIB, web_3};
use crate::units::Sectors;

/// Blocks of 512 KiB by the ids that use them, and whether the metadata snapshot does too.
pub(crate) const USED: &[(&[u32], bool, u64)] = &[
    (&[1], false, 3),
    (&[1, 2, 3, 4, 5, 6, 7, 8, 10, 11], false, 400),
    (&[2, 3], false, 30),
    (&[6], false, 20),
    (&[7], false, 4),
    (&[8], false, 10),
    (&[7, 8], false, 16),
    (&[6, 7], false, 11),
    (&[10], false, 2),
    (&[11], false, 40),
    (&[10, 11], false, 20),
    (&[12], false, 1),
    (&[14], false, 1),
    (&[16], false, 1),
    (&[18, 19], true, 12),
    (&[20], false, 1),
    (&[23], false, 6),
    (&[24], false, 8),
    (&[40, 41], false, 100),
    (&[17_000], false, 2048),
    (&[], true, 7),
];

/// Lets the first pool's metadata say so; 5 blocks are being written, 9 are lost.
pub(crate) fn hold(host: &mut Host, used: &[(&[u32], bool, u64)]) {
    let thins = host.thins.iter().filter(|thin| thin.pool == PoolIx(0));
    let there = thins.filter(|thin| thin.role != Role::Missing);
    let mut ids: Vec<ThinId> = there.filter_map(|thin| thin.id).collect();
    ids.sort_unstable();
    let place = |id: &u32| {
        let at = ids.iter().position(|one| one.get() == *id).expect("it is one of the pool's");
        u32::try_from(at).expect("few")
    };
    let group = |(own, held, blocks): &(&[u32], bool, u64)| Group {
        devices: own.iter().map(|id| (place(id), place(id) + 1)).collect(),
        held: *held,
        blocks: DataBlocks(*blocks),
    };
    let alone = |id: &ThinId| {
        let own = used.iter().filter(|(ids, ..)| *ids == [id.get()]);
        Some(DataBlocks(own.map(|(.., blocks)| *blocks).sum()))
    };
    let sum: u64 = used.iter().map(|(.., blocks)| *blocks).sum();
    let device = |id: &ThinId| DeviceMetadata {
        id: *id,
        mapped: DataBlocks(0),
        transaction: 1,
        created: 1,
        snapshotted: 1,
        origin: None,
    };
    let mappings = Mappings {
        exclusive: ids.iter().map(alone).collect(),
        held_only: DataBlocks(7),
        pending: DataBlocks(5),
        leaked: DataBlocks(9),
        groups: Some(Groups { list: used.iter().map(group).collect(), map: None }),
        ..Mappings::default()
    };
    host.pools[0].contents = Some(std::sync::Arc::new(PoolMetadata {
        transaction: 24,
        time: 1,
        block_size: Sectors(1024),
        data: Usage { used: DataBlocks(sum + 5 + 9), total: DataBlocks(194_560) },
        devices: ids.iter().map(device).collect(),
        mappings: Some(Box::new(mappings)),
        ..PoolMetadata::default()
    }));
}

/// The page of the example host after some change.
fn why(change: impl FnOnce(&mut PoolMetadata)) -> Why {
    let mut host = web_3();
    hold(&mut host, USED);
    let contents = host.pools[0].contents.as_mut().and_then(std::sync::Arc::get_mut);
    change(contents.expect("just made"));
    Why::of(&Seen::new(host.snapshot()), PoolIx(0), &Grown::default())
}

fn kib(size: Option<Bytes>) -> Option<u64> {
    size.map(|size| size.get() / 1024)
}

fn rows(why: &Why) -> Vec<(&str, Option<u64>, Option<u64>)> {
    let frees = |frees| match frees {
        Frees::Some(size) => kib(Some(size)),
        Frees::NotSeen | Frees::Never => None,
    };
    why.holders.iter().map(|one| (one.name.as_str(), kib(one.alone), frees(one.frees))).collect()
}

fn users(containers: u32, images: u32) -> Users {
    Users { containers, images, others: 0 }
}

#[test]
fn what_a_person_would_delete_is_one_holder_and_the_largest_comes_first() {
    let why = why(|_| ());
    assert_eq!(why.known, Known::Sharing);
    assert_eq!(
        rows(&why),
        [
            ("device 17000", Some(1 << 20), Some(1 << 20)),
            ("layers without an image", Some(51_200), Some(51_200)),
            // a container with its init layer: 2, 40 and 20 blocks
            ("web", Some(31_744), Some(31_744)),
            // containers and an image stand on it: it frees nothing by itself
            ("ubuntu:16.04", Some(25_600), Some(0)),
            ("app:one", Some(15_360), Some(0)),
            ("gone", Some(6144), Some(6144)),
            ("eeeeeeeeeeee", Some(4096), Some(4096)),
            ("build cache", Some(3072), Some(3072)),
            // nobody deletes the base device
            ("base", Some(1536), None),
            ("api", Some(512), Some(512)),
        ]
    );
    let of = |name: &str| why.holders.iter().find(|one| one.name == name).expect("it is there");
    let layers = |users, count, image| Sort::Layers { users, count, image };
    // web, fresh, and the image on it
    assert_eq!(of("ubuntu:16.04").sort, layers(users(2, 1), 5, true));
    assert_eq!(of("app:one").sort, layers(users(2, 0), 2, true));
    assert_eq!(of("build cache").sort, layers(users(0, 0), 1, false));
    assert_eq!(of("web").sort, Sort::Device);
    assert_eq!(of("web").nodes.len(), 2);
    assert_eq!(of("gone").held, Bytes(6 * MIB));
}

#[test]
fn what_each_frees_is_what_the_pool_s_metadata_says_of_its_devices() {
    let mut host = web_3();
    hold(&mut host, USED);
    let contents = host.pools[0].contents.clone().expect("just made");
    let seen = Seen::new(host.snapshot());
    let topology = seen.topology();
    let why = Why::of(&seen, PoolIx(0), &Grown::default());
    for holder in &why.holders {
        let thins = holder.nodes.iter().filter_map(|node| topology.node(*node).facts.thin);
        let mut ids: Vec<_> = thins.filter_map(|ix| topology.thin(ix).id).collect();
        ids.sort_unstable();
        let freed = contents.freed_by(&ids).expect("it is known").blocks;
        assert_eq!(holder.alone, Some(freed.bytes(contents.block_size)), "{}", holder.name);
    }
}

#[test]
fn all_rows_together_are_what_is_in_use() {
    let why = why(|_| ());
    // 3 of 1 block and one of none; 411 that several use; the pool's status says 118,681 blocks
    let rest: Vec<_> = why.rest.iter().map(|(what, size)| (*what, kib(*size))).collect();
    let committed = USED.iter().map(|(.., blocks)| blocks).sum::<u64>() + 14;
    assert_eq!(
        rest,
        [
            (Rest::Others(4), Some(3 * 512)),
            (Rest::Shared, Some(411 * 512)),
            (Rest::Snapshot, Some(7 * 512)),
            (Rest::Pending, Some(5 * 512)),
            (Rest::Lost, Some(9 * 512)),
            (Rest::Uncommitted, Some((118_681 - committed) * 512)),
        ]
    );
    let holders = why.holders.iter().map(|one| one.alone);
    let all = holders.chain(why.rest.iter().map(|(_, size)| *size));
    let all: u64 = all.map(|size| kib(size).expect("known")).sum();
    assert_eq!(all, 118_681 * 512);
}

#[test]
fn where_sets_were_too_many_to_keep_each_device_counts_alone() {
    let why = why(|contents| contents.mappings.as_mut().expect("there").groups = None);
    assert_eq!(why.known, Known::Devices);
    let row = |name: &str| rows(&why).into_iter().find(|row| row.0 == name);
    // without the 20 blocks that both of its devices use
    assert_eq!(row("web"), Some(("web", Some(42 * 512), Some(42 * 512))));
    assert!(why.rest.contains(&(Rest::Snapshot, Some(Bytes(7 * 512 * 1024)))));
}

#[test]
fn where_sharing_was_not_read_what_they_map_ranks_them_and_nothing_is_claimed() {
    let mapped = |why: &Why| {
        let some = why.holders.iter().take(3);
        some.map(|one| (one.name.clone(), one.mapped.map(|size| size.get() / MIB)))
            .collect::<Vec<_>>()
    };
    let expected: Vec<(String, Option<u64>)> = vec![
        ("device 17000".into(), Some(1024)),
        // its uppermost layer, the seventh: 60 and 7 times 20 MiB
        ("app:one".into(), Some(200)),
        ("web".into(), Some(170)),
    ];
    let without_mappings = why(|contents| contents.mappings = None);
    let nothing_read = Why::of(&Seen::new(web_3().snapshot()), PoolIx(0), &Grown::default());
    for why in [without_mappings, nothing_read] {
        assert_eq!(why.known, Known::Nothing);
        assert_eq!(mapped(&why), expected);
        assert!(why.holders.iter().all(|one| one.alone.is_none()));
        assert!(why.holders.iter().all(|one| matches!(one.frees, Frees::NotSeen | Frees::Never)));
        assert!(why.rest.iter().all(|(rest, size)| match rest {
            Rest::Others(_) => size.is_none(),
            other => *other == Rest::Uncommitted,
        }));
    }
}

#[test]
fn numbers_from_a_hostile_pool_are_held_and_not_wrapped() {
    let hostile = |contents: &mut PoolMetadata| {
        let mappings = contents.mappings.as_mut().expect("there");
        mappings.pending = DataBlocks(u64::MAX);
        mappings.leaked = DataBlocks(u64::MAX);
        let list = &mut mappings.groups.as_mut().expect("there").list;
        for group in list.iter_mut() {
            group.blocks = DataBlocks(u64::MAX);
        }
        // a place beyond all devices
        let devices = vec![(4_000_000, 4_000_001)];
        list.push(Group { devices, held: true, blocks: DataBlocks(1) });
    };
    let whole = why(hostile);
    assert_eq!(whole.holders.len(), LARGEST);
    assert_eq!(whole.holders[0].alone, Some(Bytes(u64::MAX)));
    // rows whose ids the metadata does not have
    let cut = why(|contents| {
        hostile(contents);
        contents.devices.truncate(3);
    });
    assert_eq!(rows(&cut).len(), 2, "{cut:?}");
}

#[test]
fn of_a_pool_without_devices_nothing_is_told() {
    let mut host = web_3();
    host.pools[0].devices.clear();
    let why = Why::of(&Seen::new(host.snapshot()), PoolIx(0), &Grown::default());
    assert_eq!((why.holders.len(), why.rest.len()), (0, 0));
}
