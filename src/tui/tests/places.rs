//! What is drawn under what, whatever the host.

use std::collections::HashMap;

use super::Stage;
use crate::ids::ThinId;
use crate::model::{Container, ContainerState, Kind, NodeIx, PoolKind, Role, Topology};
use crate::tui::outline::descent::Descent;
use crate::tui::outline::{Outline, What, flat, inverse, layers, tree};
use crate::tui::testing::{GIB, Host, web_3};

fn topology(host: Host) -> std::sync::Arc<Topology> {
    host.snapshot().topology.clone()
}

fn count(outline: &Outline) -> HashMap<NodeIx, usize> {
    let mut counts = HashMap::new();
    for entry in &outline.entries {
        if let What::Node(node) = entry.what {
            *counts.entry(node).or_default() += 1;
        }
    }
    counts
}

#[test]
fn the_tree_and_the_list_draw_every_node_once_and_layers_every_device() {
    let topology = topology(web_3());
    let descent = Descent::of(&topology);
    for outline in [tree::outline(&topology, &descent), flat::outline(&topology, false)] {
        let counts = count(&outline);
        assert!(topology.indices().all(|ix| counts.get(&ix) == Some(&1)));
    }
    let counts = count(&layers::outline(&topology, &descent));
    assert!(topology.thins.iter().all(|device| counts.get(&device.node) == Some(&1)));
    assert_eq!(counts.len(), topology.thins.len() + topology.pools.len());
}

#[test]
fn upside_down_every_leaf_stands_at_the_edge_and_reaches_its_disk() {
    let topology = topology(web_3());
    let descent = Descent::of(&topology);
    let closed = inverse::outline(&topology, &descent, false, |_| false);
    // every container that nothing was made from, the other leaves, and nothing below them
    assert!(closed.entries.iter().all(|entry| entry.parent == crate::tui::outline::NONE));
    let open = inverse::outline(&topology, &descent, false, |_| true);
    let counts = count(&open);
    assert!(topology.indices().all(|ix| counts.contains_key(&ix)));
}

#[test]
fn a_pool_whose_halves_stand_apart_is_drawn_under_its_data() {
    let stage = Stage::web_3(120, 40);
    let lines = stage.lines();
    let at = |name: &str| lines.iter().position(|line| line.contains(name)).expect("it is there");
    assert_eq!(at("└ docker-8:1-131-pool"), at("└ loop0") + 1);
    assert_eq!(at("└ → docker-8:1-131-pool"), at("└ loop1") + 1);
}

#[test]
fn a_pool_over_two_disks_is_bracketed_at_the_edge() {
    let mut host = Host::default();
    let data = host.node(Kind::Disk, "sdb", &[], 100 * GIB);
    host.node(Kind::Disk, "sdc", &[], 100 * GIB);
    let metadata = host.node(Kind::Disk, "sdd", &[], GIB);
    let node = host.node(Kind::Pool, "raw", &[data, metadata], 100 * GIB);
    host.pool(node, (data, metadata), PoolKind::Raw);
    let stage = Stage::of(host.snapshot(), 80, 24);
    let rows: Vec<String> = stage.lines()[1..6]
        .iter()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(rows[1], "> sdc disk 100G");
    assert_eq!(rows[2], "sdd disk 1.0G ┐");
    assert_eq!(rows[3], "sdb disk 100G ┤");
    assert!(rows[4].starts_with("raw pool 100G ┘"), "{rows:?}");
}

#[test]
fn a_chain_of_127_layers_takes_one_column() {
    let mut host = Host::default();
    let disk = host.node(Kind::Disk, "sda", &[], 100 * GIB);
    let node = host.node(Kind::Pool, "pool", &[disk], 100 * GIB);
    let pool = host.pool(node, (disk, disk), PoolKind::Raw);
    host.thin(pool, 1, Role::Base, "base");
    let ids: Vec<u32> = (2..129).collect();
    host.layers(pool, 1, &ids, &["deep:1"]);
    host.container(pool, 128, 200, "top", ContainerState::Exited);
    let mut stage = Stage::of(host.snapshot(), 80, 150);
    stage.press("/deep<enter><esc>l");
    let column = |name: &str| {
        let lines = stage.lines();
        let line = lines.iter().find(|line| line.contains(name)).expect("it is there").clone();
        line.chars().position(|c| c.is_ascii_digit() || c == 't')
    };
    assert_eq!(column("1/127"), column("127/127"));
    stage.press("G");
    assert!(stage.selected().starts_with("top cont."), "{}", stage.selected());
}

#[test]
fn unknown_devices_stand_alone_when_nothing_else_is_known() {
    let mut host = Host::default();
    let disk = host.node(Kind::Disk, "sda", &[], 100 * GIB);
    let node = host.node(Kind::Pool, "pool", &[disk], 100 * GIB);
    let pool = host.pool(node, (disk, disk), PoolKind::Raw);
    host.thin(pool, 1, Role::Unknown, "one");
    host.thin(pool, 2, Role::Unknown, "two");
    let stage = Stage::of(host.snapshot(), 80, 24);
    assert!(stage.shows("├ one") && stage.shows("└ two") && !stage.shows("owner not known"));
}

#[test]
fn volumes_stand_with_their_snapshots_under_them() {
    let mut host = Host::default();
    let disk = host.node(Kind::Disk, "sda", &[], 100 * GIB);
    let node = host.node(Kind::Pool, "pool", &[disk], 100 * GIB);
    let pool = host.pool(node, (disk, disk), PoolKind::LvmThin);
    host.thin(pool, 1, Role::Volume, "vg/root");
    host.thin(pool, 2, Role::Snapshot, "vg/monday").parent = crate::ids::ThinId::new(1);
    let filesystem = host.thins[0].node;
    host.node(Kind::Part, "inside", &[filesystem], GIB);
    let stage = Stage::of(host.snapshot(), 80, 24);
    assert!(stage.line("vg/root").starts_with("└ vg/root volume 1"), "{}", stage.text());
    assert!(stage.line("inside").starts_with("├ inside part"));
    assert!(stage.line("vg/monday").starts_with("└ vg/monday snap 2"));
}

#[test]
fn where_an_engine_keeps_no_state_a_container_with_a_device_stands_first_by_its_pod() {
    let mut host = Host::default();
    let disk = host.node(Kind::Disk, "sda", &[], 100 * GIB);
    let node = host.node(Kind::Pool, "pool", &[disk], 100 * GIB);
    let pool = host.pool(node, (disk, disk), PoolKind::Raw);
    host.layers(pool, 1, &[1, 2], &["app:1"]);
    for (id, pod, active) in [(3, Some("app-0"), true), (4, Some("app-1"), false), (5, None, true)]
    {
        let name = format!("{id}c0ffee00000{:052}", 0);
        let device = host.thin(pool, id, Role::Container, &name);
        (device.parent, device.active) = (ThinId::new(2), active);
        device.container = Some(Container {
            id: name.as_str().into(),
            name: name.as_str().into(),
            state: None,
            pod: pod.map(Into::into),
            namespace: None,
        });
    }
    let shown = Stage::of(host.snapshot(), 100, 24).lines().join("\n");
    assert!(shown.contains("app-0 3c0ffee00000 "), "{shown}");
    assert!(shown.contains(" 5c0ffee0000"), "{shown}");
    assert!(!shown.contains("app-1"), "{shown}");
}
