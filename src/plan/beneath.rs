//! Whether something lies on what a plan changes: what must be written, read or started while a
//! pool stands still must not wait for that pool.

use super::Plan;
use super::find;
use crate::ids::DevNo;
use crate::model::{NodeIx, PoolIx, Topology};

/// What of a plan's subject a device rests on, in words; `None` where it rests on none of it, or
/// where that device was not seen. The device is what holds a filesystem.
pub fn rests_on_changed(plan: &Plan, topology: &Topology, device: DevNo) -> Option<String> {
    let changed = plan.basis.names.iter().flat_map(|name| changed(topology, name));
    rests_on(topology, device, &changed.collect::<Vec<_>>())
}

/// Which pool of all a device rests on, in words.
pub fn rests_on_a_pool(topology: &Topology, device: DevNo) -> Option<String> {
    let pools = (0_u32..).zip(&topology.pools).map(|(ix, _)| PoolIx(ix));
    rests_on(topology, device, &pools.flat_map(|ix| parts(topology, ix)).collect::<Vec<_>>())
}

fn rests_on(topology: &Topology, device: DevNo, changed: &[NodeIx]) -> Option<String> {
    let at = find::device(topology, device)?;
    let on = find::below(topology, at).into_iter().find(|below| changed.contains(below))?;
    let (name, on_name) = (&topology.node(at).name, &topology.node(on).name);
    Some(if at == on {
        format!("on {name}")
    } else {
        format!("on {name}, which rests on {on_name}")
    })
}

/// A group's other volumes go on while one of its pools stands still: of a group nothing is meant.
fn changed(topology: &Topology, name: &str) -> Vec<NodeIx> {
    if let Some(ix) = topology.find_pool(Some(name)) {
        return parts(topology, ix);
    }
    let is_it = |ix: &NodeIx| {
        let node = topology.node(*ix);
        let lv = node.facts.lv.as_ref();
        let volume = lv.map(|lv| format!("{}/{}", lv.vg, lv.name));
        volume.as_deref() == Some(name)
            || node.facts.dm.as_ref().is_some_and(|dm| dm.name.as_str() == name)
    };
    topology.indices().filter(is_it).collect()
}

fn parts(topology: &Topology, ix: PoolIx) -> Vec<NodeIx> {
    let pool = topology.pool(ix);
    [Some(pool.node), pool.data, pool.metadata].into_iter().flatten().collect()
}
