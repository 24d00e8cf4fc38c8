//! The Blocks view by keys, on a pool of which everything is known.

use super::Stage;
use crate::model::Usage;
use crate::model::metadata::{DeviceMetadata, Group, Groups, MapRun, Mappings, PoolMetadata};
use crate::tui::event::{Effect, Notice, Request};
use crate::tui::testing::web_3;
use crate::units::{DataBlocks, Sectors};

/// A pool of 100,000 blocks: 0 to 9 999 the base's and everybody's, 20 000 to 20 099 a
/// container's alone, 30 000 nobody's but a metadata snapshot's.
pub(super) fn stage(width: u16, height: u16) -> Stage {
    let mut host = web_3();
    let mut ids: Vec<_> = (host.thins.iter())
        .filter(|device| device.pool.0 == 0)
        .filter_map(|device| device.id)
        .collect();
    ids.sort_unstable();
    // the container that the keys below select
    let mut first = Stage::of(web_3().snapshot(), width, height);
    let id = first.press(KEYS).app.strip.device.expect("the host has a container");
    let at = u32::try_from(ids.binary_search(&id).expect("it is one of them")).expect("few");
    let all = u32::try_from(ids.len()).expect("few");
    let group = |devices, held, blocks| Group { devices, held, blocks: DataBlocks(blocks) };
    let list = vec![
        group(vec![(0, all)], false, 10_000),
        group(vec![(at, at + 1)], false, 100),
        group(Vec::new(), true, 1),
    ];
    let run = |start, length, group| MapRun { start, length, group };
    let map = vec![run(0, 10_000, 0), run(20_000, 100, 1), run(30_000, 1, 2)];
    let device = |id| DeviceMetadata {
        id,
        mapped: DataBlocks(10_000),
        transaction: 1,
        created: 1,
        snapshotted: 1,
        origin: None,
    };
    host.pools[0].block_size = Some(Sectors(1024));
    host.pools[0].contents = Some(std::sync::Arc::new(PoolMetadata {
        transaction: 1,
        time: 1,
        block_size: Sectors(1024),
        data: Usage { used: DataBlocks(10_101), total: DataBlocks(100_000) },
        devices: ids.into_iter().map(device).collect(),
        mappings: Some(Box::new(Mappings {
            groups: Some(Groups { list, map: Some(map) }),
            ..Mappings::default()
        })),
        ..PoolMetadata::default()
    }));
    let mut stage = Stage::of(host.snapshot(), width, height);
    stage.press(KEYS);
    stage
}

/// To the Blocks view from a container.
const KEYS: &str = "/:role container<enter>3";

/// Blocks in a cell where the pool is seen whole.
fn per_cell(stage: &Stage) -> u64 {
    let body = stage.app.areas().body;
    100_000_u64.div_ceil(u64::from(body.width - 2) * u64::from(body.height))
}

/// The strip's rows.
fn cells(stage: &Stage) -> Vec<String> {
    let body = stage.app.areas().body;
    let lines = stage.lines();
    let rows = usize::from(body.top())..usize::from(body.bottom());
    lines[rows].iter().map(|line| line.trim().to_owned()).collect()
}

#[test]
fn the_pool_is_a_strip_by_owner_with_a_legend() {
    let stage = stage(80, 24);
    let text = cells(&stage).concat();
    assert_eq!(stage.app.strip.per_cell, per_cell(&stage), "{}", stage.text());
    let of_base = 10_000_u64.div_ceil(per_cell(&stage));
    assert_eq!(text.matches('b').count() as u64, of_base);
    // what is less than a cell is seen all the same
    assert!((2..=3).contains(&text.matches('c').count()), "{text}");
    assert_eq!(text.matches('m').count(), 1, "{text}");
    assert!(stage.shows("b base 4.9G") && stage.shows("c containers 50.0M"), "{}", stage.text());
}

#[test]
fn zoomed_to_one_block_the_cursor_says_who_shares_it_and_enter_asks_more() {
    let mut stage = stage(120, 30);
    stage.press("++++++");
    assert_eq!(stage.app.strip.per_cell, 1);
    assert!(stage.shows("data block 0 (0x0)") && stage.shows("shared by"), "{}", stage.text());
    stage.press("<enter>");
    let pool = "docker-thinpool".to_owned();
    let asked = Effect::Ask(Request::Block { pool, block: 0 });
    assert_eq!(stage.effects.last(), Some(&asked));
    stage.press("<right>");
    assert!(stage.shows("data block 1 (0x1)"));
    stage.press("G");
    assert!(stage.shows("data block 99999 (0x1869f)") && stage.shows("free"), "{}", stage.text());
}

#[test]
fn by_sharing_cells_say_how_blocks_stand_to_the_selected_device() {
    let mut stage = stage(80, 24);
    stage.press("o");
    let text = cells(&stage).concat();
    assert_eq!(text.matches('S').count() as u64, 10_000_u64.div_ceil(per_cell(&stage)), "{text}");
    assert!((2..=3).contains(&text.matches('A').count()), "{text}");
    assert_eq!(text.matches('o').count(), 1, "{text}");
    stage.press("o");
    assert!(cells(&stage).concat().contains('b'));
}

#[test]
fn an_answer_of_some_lines_is_shown_alone_and_esc_leads_back() {
    let mut stage = stage(80, 24);
    stage
        .app
        .update(super::Event::Notice(Notice::Text("data block 7\n  on disk vdb\n".to_owned())));
    assert!(stage.shows("on disk vdb"));
    stage.press("<esc>");
    assert!(stage.shows("b base"));
    stage.press("<esc>");
    assert!(!stage.shows("b base") && stage.shows("NAME"), "{}", stage.text());
}

#[test]
fn what_was_not_read_says_which_key_reads_it() {
    let mut stage = Stage::web_3(80, 24);
    stage.press("3");
    assert!(stage.shows("metadata was not read"), "{}", stage.text());
    stage.press("jjlkh+-oG<enter>");
    assert!(stage.effects.is_empty());
}

#[test]
fn a_device_s_own_space_is_asked_for_and_shown_with_its_holes() {
    use crate::model::block::{Space, SpaceSort};
    let mut stage = stage(120, 30);
    let id = stage.app.strip.device.expect("a container is selected");
    stage.press("v");
    let pool = "docker-thinpool".to_owned();
    assert_eq!(stage.effects.last(), Some(&Effect::Ask(Request::Space { pool, id, other: None })));
    let mut space = Space { id, other: None, runs: Vec::new(), cut: false };
    for block in 0..10_000 {
        space.push(block, SpaceSort::Shared, 10);
    }
    for block in 15_000..15_010 {
        space.push(block, SpaceSort::Alone, 10);
    }
    stage.app.update(super::Event::Notice(Notice::Space(Box::new(space))));
    let text = cells(&stage).concat();
    // the device has 10 GiB, 20,480 blocks: half of it shared, ten of its own
    let per_cell = stage.app.strip.per_cell;
    assert_eq!(text.matches('S').count() as u64, 10_000_u64.div_ceil(per_cell), "{text}");
    assert!((1..=2).contains(&text.matches('A').count()), "{text}");
    assert!(stage.shows("blocks 0 to") && stage.shows("mapped, shared"), "{}", stage.text());
    stage.press("G");
    assert!(stage.shows("not mapped"), "{}", stage.text());
    stage.press("v");
    assert!(cells(&stage).concat().contains('b'), "back to the pool");
}

#[test]
fn against_a_marked_device_the_differences_are_asked_for() {
    let mut stage = stage(120, 30);
    stage.press("<esc>n<space>3");
    let id = stage.app.strip.device;
    stage.press("v");
    let asked = stage.effects.last().cloned();
    let Some(Effect::Ask(Request::Space { id: first, other: Some(other), .. })) = asked else {
        panic!("no comparison was asked for: {asked:?}");
    };
    assert!(Some(first) == id && other != first);
}
