//! Who shares what, on the screen: marks, and readings that commits outran.

use super::Stage;
use crate::model::descent::{Contradiction, Descent};
use crate::model::metadata::{Delta, Mappings, Reservation};
use crate::model::{Gap, Role};
use crate::tui::event::{Effect, Request};
use crate::tui::testing::web_3;

#[test]
fn marks_are_counted_and_what_is_not_known_is_not_claimed() {
    let mut stage = Stage::web_3(80, 40);
    stage.press("/:role container<enter><esc><space><space>");
    assert!(stage.shows("2 marked, what deleting them frees is not known: m reads sharing"));
    assert!(stage.press("*").lines().iter().all(|line| !line.contains("marked")));

    // the same two, in a pool of which it is known who uses what
    let mut host = web_3();
    let mut stage = Stage::web_3(80, 40);
    stage.press("/:role container<enter><esc><space><space>");
    let topology = stage.app.seen.topology();
    let marked = stage.app.marks.iter().filter_map(|id| topology.find(id));
    let marked: Vec<_> = marked.filter_map(|ix| topology.node(ix).facts.thin).collect();
    let mut ids: Vec<_> = host.thins.iter().filter_map(|device| device.id).collect();
    ids.sort_unstable();
    let place = |id| u32::try_from(ids.binary_search(&id).expect("it is one of them"));
    let places: Vec<u32> =
        (marked.iter()).filter_map(|ix| place(topology.thin(*ix).id?).ok()).collect();
    assert_eq!(places.len(), 2);
    host.pools[0].contents = Some(shared_by(&ids, &places).into());
    let mut stage = Stage::of(host.snapshot(), 80, 40);
    stage.press("/:role container<enter><esc><space>");
    // 3 blocks of 512 KiB for each alone, 7 that they share with each other, 50 with everybody
    assert!(stage.shows("1 marked, deleting them frees 1.5 MiB"), "{}", stage.text());
    stage.press("<space>");
    assert!(stage.shows("2 marked, deleting them frees 6.5 MiB"), "{}", stage.text());
}

/// A pool's metadata in which these places share among each other, and all with all.
pub(super) fn shared_by(ids: &[crate::ids::ThinId], places: &[u32]) -> crate::model::PoolMetadata {
    use crate::model::metadata::{DeviceMetadata, Group, Groups, Mappings, PoolMetadata};
    use crate::units::{DataBlocks, Sectors};
    let group = |devices: Vec<(u32, u32)>, blocks| Group {
        devices,
        held: false,
        blocks: DataBlocks(blocks),
    };
    let one = |at: &u32| (*at, at + 1);
    let mut list: Vec<Group> = places.iter().map(|at| group(vec![one(at)], 3)).collect();
    list.push(group(places.iter().map(one).collect(), 7));
    list.push(group(vec![(0, u32::try_from(ids.len()).expect("few"))], 50));
    let device = |id: &crate::ids::ThinId| DeviceMetadata {
        id: *id,
        mapped: DataBlocks(60),
        transaction: 1,
        created: 1,
        snapshotted: 1,
        origin: None,
    };
    PoolMetadata {
        transaction: 1,
        time: 1,
        block_size: Sectors(1024),
        data: crate::model::Usage { used: DataBlocks(63), total: DataBlocks(100) },
        devices: ids.iter().map(device).collect(),
        mappings: Some(Box::new(Mappings {
            groups: Some(Groups { list, map: None }),
            ..Mappings::default()
        })),
        ..PoolMetadata::default()
    }
}

#[test]
fn a_snapshot_is_offered_only_where_commits_outran_a_reading() {
    let mut stage = Stage::web_3(100, 40);
    assert!(stage.press("M").shows("not needed: commits outran no reading"), "{}", stage.text());
    assert_eq!(stage.effects, []);
    let mut host = web_3();
    host.gaps.push(Gap::new(
        "metadata docker-thinpool",
        "the pool committed during each of 8 readings: look again with --reserve-snapshot",
    ));
    let mut stage = Stage::of(host.snapshot(), 100, 40);
    stage.press("M");
    assert_eq!(stage.effects, [Effect::Ask(Request::ReadReserved)]);
    assert!(stage.shows("this writes to the pool"), "{}", stage.text());
}

#[test]
fn a_pool_that_was_written_to_for_a_reading_says_so() {
    let mut host = web_3();
    let mut contents = shared_by(&[], &[]);
    contents.reserved = Some(Reservation::Released);
    host.pools[0].contents = Some(contents.into());
    let mut stage = Stage::of(host.snapshot(), 160, 50);
    stage.press("]");
    assert!(stage.shows("reserved for it and released"), "{}", stage.text());
}

#[test]
fn a_parent_that_the_metadata_contradicts_is_told_beside_it() {
    let mut host = web_3();
    let web = host.thins.iter().find(|thin| {
        thin.role == Role::Container && thin.container.as_ref().is_some_and(|c| c.name == "web")
    });
    let web = web.expect("there is one");
    let (id, parent) = (web.id.expect("it has one"), web.parent.expect("it has one"));
    let descent = Descent::Contradicted(Contradiction::Blocks(3));
    let delta = Delta { id, parent, added: crate::units::DataBlocks(1), descent };
    let mut contents = shared_by(&[id, parent], &[]);
    contents.mappings = Some(Box::new(Mappings { deltas: vec![delta], ..Mappings::default() }));
    host.pools[0].contents = Some(contents.into());
    let mut stage = Stage::of(host.snapshot(), 180, 60);
    stage.press("/:container web :role container<enter><esc>");
    assert!(stage.shows("contradicted by the pool's metadata"), "{}", stage.text());
}
