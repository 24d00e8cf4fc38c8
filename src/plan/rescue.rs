//! A pool that was left suspended by something that died: which of its devices are resumed, in
//! which order, and whether the table in the inactive slot goes first.
//!
//! LVM writes its metadata, suspends, commits, resumes; a blind resume can make the kernel record
//! a size that LVM never committed (`facts.md`, "Killed in the middle"). So LVM's committed size
//! decides.

use super::action::Suspended;
use super::around::{Around, Want};
use super::{Action, Check, Draft, Refusal, find};
use crate::model::{Kind, Node, NodeIx, PoolIx, Topology};
use crate::text::Printable;

/// The tables in the inactive slots of what is suspended.
pub(super) fn wants(topology: &Topology, pool: PoolIx) -> Vec<Want> {
    let suspended = suspended(topology, pool);
    suspended.iter().filter_map(|ix| topology.node(*ix).device.map(Want::InactiveTable)).collect()
}

/// The plan that resumes a pool; `None` when nothing of it is suspended.
pub(super) fn plan(
    topology: &Topology,
    ix: PoolIx,
    around: &Around,
) -> Result<Option<Draft>, Refusal> {
    let list = suspended(topology, ix);
    if list.is_empty() {
        return Ok(None);
    }
    let pool = topology.pool(ix);
    // one slot that does not fit what is committed, and none of LVM's is trusted
    let trusted = list
        .iter()
        .map(|at| topology.node(*at))
        .filter(|node| node.facts.lv.is_some())
        .all(|node| fits(node, around));
    let owned = pool.lv.is_some();
    let mut devices = Vec::new();
    for at in &list {
        let node = topology.node(*at);
        let (Some(device), Some(dm)) = (node.device, node.facts.dm.as_deref()) else { continue };
        if !find::is_plain(dm.name.as_str()) {
            return Err(Refusal::new(format!("{} cannot stand in a command as it is", dm.name)));
        }
        // nobody committed the table of a pool that LVM does not own
        let clear = dm.inactive_table && !(trusted && node.facts.lv.is_some());
        devices.push(Suspended { device, name: dm.name.to_string(), clear });
    }
    let why = if devices.iter().any(|one| one.clear) {
        if owned {
            "the table that waits in the inactive slot is not what LVM committed: it is thrown \
             away, and what was live goes on"
        } else {
            "a table waits in the inactive slot and nobody says that it was meant: it is thrown \
             away, and what was live goes on"
        }
    } else if owned {
        "from below upwards; a table that waits is what LVM committed"
    } else {
        "it was left suspended: whoever touches it waits"
    };
    let after = devices.iter().map(|one| Check::NotSuspended { name: one.name.clone() });
    let mut after: Vec<Check> = after.collect();
    after.push(Check::PoolWorks { pool: pool.name.to_string() });
    let mut draft = Draft::about(topology, ix);
    draft.push(Action::BringBack { devices }, why, (Vec::new(), after));
    draft.next.push(format!(
        "look whether somebody still works on it (`thinscope findings`); an unfinished growth is \
         gone on with by asking for it again, after `thinscope pool {}`",
        pool.name
    ));
    Ok(Some(draft))
}

/// Whether a device is suspended on the very table that an action gives it: whoever did that was
/// cut off within its window, and the same window asked for again finishes it.
pub(super) fn is_cut_off(action: &Action, topology: &Topology) -> bool {
    let Action::Reload { name, new, .. } = action else { return false };
    let suspended = find::mapped(topology, name).and_then(|node| node.facts.dm.as_deref());
    let on_new = Check::Table { name: name.clone(), lines: new.clone() };
    suspended.is_some_and(|dm| dm.suspended) && on_new.judge(topology).holds()
}

/// Everything of a pool that is suspended, from below upwards.
fn suspended(topology: &Topology, ix: PoolIx) -> Vec<NodeIx> {
    let pool = topology.pool(ix);
    let parts = [pool.metadata, pool.data].into_iter().flatten();
    let above = topology.children(pool.node).iter().copied().filter(|at| {
        // the pool's own thin devices wait for it; only LVM's layer and volumes are its business
        matches!(topology.node(*at).kind, Kind::Linear | Kind::Thin)
    });
    let is_suspended =
        |at: &NodeIx| topology.node(*at).facts.dm.as_ref().is_some_and(|dm| dm.suspended);
    parts.chain([pool.node]).chain(above).filter(is_suspended).collect()
}

/// Whether what waits in the inactive slot has the size that LVM committed.
fn fits(node: &Node, around: &Around) -> bool {
    let Some(dm) = node.facts.dm.as_deref() else { return true };
    if !dm.inactive_table {
        return true;
    }
    let Some(lines) = node.device.and_then(|device| around.inactive.get(&device)) else {
        return false;
    };
    let waits = length(lines);
    waits.is_some() && waits == find::committed(node).map(|size| size.sectors().get())
}

fn length(lines: &[Printable]) -> Option<u64> {
    let end = |line: &Printable| {
        let mut words = line.as_str().split(' ');
        let start: u64 = words.next()?.parse().ok()?;
        start.checked_add(words.next()?.parse().ok()?)
    };
    lines.iter().map(end).collect::<Option<Vec<_>>>()?.into_iter().max()
}
