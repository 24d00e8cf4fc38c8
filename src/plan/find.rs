//! Finding things in a topology by the names that plans use.

use crate::ids::DevNo;
use crate::model::{Kind, Node, NodeIx, Pool, PoolIx, PoolState, Topology};
use crate::units::Bytes;

/// The volume `VG/LV`.
pub(super) fn volume<'a>(topology: &'a Topology, name: &str) -> Option<&'a Node> {
    topology.nodes.iter().find(|node| {
        node.facts
            .lv
            .as_ref()
            .is_some_and(|lv| name.split_once('/') == Some((lv.vg.as_str(), lv.name.as_str())))
    })
}

/// A volume group by name.
pub(super) fn group<'a>(topology: &'a Topology, name: &str) -> Option<&'a Node> {
    topology.nodes.iter().find(|node| node.kind == Kind::Vg && node.name.as_str() == name)
}

/// The PVs of a group, with the devices that hold them.
pub(super) fn pvs<'a>(
    topology: &'a Topology,
    group: &'a str,
) -> impl Iterator<Item = (&'a Node, Option<&'a Node>)> {
    topology.nodes.iter().filter_map(move |node| {
        let pv = node.facts.pv.as_ref().filter(|pv| pv.vg.as_str() == group)?;
        let _ = pv;
        Some((node, node.parents.first().map(|ix| topology.node(*ix))))
    })
}

/// The pool of this name, in either of its two.
pub(super) fn pool<'a>(topology: &'a Topology, name: &str) -> Option<&'a Pool> {
    topology.find_pool(Some(name)).map(|ix| topology.pool(ix))
}

/// The device of this number; a number stands on one node only.
pub(super) fn device(topology: &Topology, number: DevNo) -> Option<NodeIx> {
    topology.indices().find(|ix| topology.node(*ix).device == Some(number))
}

/// The device of this device-mapper name.
pub(super) fn mapped<'a>(topology: &'a Topology, name: &str) -> Option<&'a Node> {
    topology
        .nodes
        .iter()
        .find(|node| node.facts.dm.as_ref().is_some_and(|dm| dm.name.as_str() == name))
}

/// The loop device of this kernel name, while it is over something.
pub(super) fn loop_device<'a>(topology: &'a Topology, name: &str) -> Option<&'a Node> {
    topology
        .nodes
        .iter()
        .find(|node| node.facts.loop_device.is_some() && node.name.as_str() == name)
}

/// Whether LVM told anything: names in device-mapper tell of groups too, and not of their sizes.
pub(super) fn is_lvm_seen(topology: &Topology) -> bool {
    let facts = topology.nodes.iter().map(|node| &node.facts);
    facts.into_iter().any(|facts| facts.vg.is_some() || facts.lv.is_some() || facts.pv.is_some())
}

/// The size of LVM's spare for repairs in a group.
pub(super) fn spare(topology: &Topology, group: &str) -> Option<Bytes> {
    let spare = topology.nodes.iter().find(|node| {
        let lv = node.facts.lv.as_ref();
        node.kind == Kind::Pmspare && lv.is_some_and(|lv| lv.vg.as_str() == group)
    });
    spare.and_then(committed)
}

/// Whether device-mapper told of any device.
pub(super) fn is_dm_seen(topology: &Topology) -> bool {
    topology.nodes.iter().any(|node| node.facts.dm.is_some())
}

/// How large LVM says that a volume is, whatever the kernel does; without LVM the node's size.
pub(super) fn committed(node: &Node) -> Option<Bytes> {
    node.facts.lv.as_ref().and_then(|lv| lv.size).or(node.size)
}

/// Everything below a node, itself included.
pub(super) fn below(topology: &Topology, from: NodeIx) -> Vec<NodeIx> {
    let mut all = vec![from];
    let mut at = 0;
    while let Some(ix) = all.get(at).copied() {
        for parent in &topology.node(ix).parents {
            if !all.contains(parent) {
                all.push(*parent);
            }
        }
        at += 1;
    }
    all
}

/// The names of a pool, and what its parts are identified by.
pub(super) fn identity(topology: &Topology, pool: PoolIx) -> (Vec<String>, Vec<(String, String)>) {
    let pool = topology.pool(pool);
    let mut names = vec![pool.name.to_string()];
    names.extend(pool.lv.as_ref().map(ToString::to_string));
    let identity = names
        .iter()
        .filter_map(|name| Some((name.clone(), identity_of(topology, name)?)))
        .collect();
    (names, identity)
}

/// What a name stands for: the uuid of a volume or group, else the id of a pool's node.
pub(super) fn identity_of(topology: &Topology, name: &str) -> Option<String> {
    if let Some(pool) = pool(topology, name) {
        return Some(topology.node(pool.node).id.to_string());
    }
    let node = volume(topology, name).or_else(|| group(topology, name))?;
    Some(node.id.to_string())
}

/// Whether a pool is in the kernel.
pub(super) const fn is_active(pool: &Pool) -> bool {
    !matches!(pool.state, PoolState::Inactive)
}

/// Whether a name can stand in a command as it is: nothing in it was made printable.
pub(super) fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.contains('\\')
        && name.bytes().all(|byte| (0x21..=0x7e).contains(&byte))
}
