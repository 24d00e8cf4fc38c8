//! What was left suspended by something that died: which devices are resumed, in which order, and
//! whether the table in the inactive slot goes first. And a pool that the kernel has larger than
//! LVM does, which is what a blind resume makes of it.
//!
//! LVM writes its metadata, suspends, commits, resumes; a blind resume can make the kernel record
//! a size that LVM never committed (`facts.md`, "Killed in the middle"). So LVM's committed size
//! decides.

mod ahead;

use super::action::Suspended;
use super::around::{Around, Want};
use super::{Action, Check, Draft, Refusal, find};
use crate::model::{Kind, Node, NodeIx, PoolIx, Topology};
use crate::text::Printable;

/// The tables in the inactive slots of what is suspended of a pool.
pub(super) fn wants(topology: &Topology, pool: PoolIx) -> Vec<Want> {
    slots(topology, &suspended(topology, pool))
}

/// The same of a pool, a volume or a group by its name.
pub(super) fn wants_of(topology: &Topology, name: &str) -> Vec<Want> {
    match (topology.find_pool(Some(name)), volume_at(topology, name)) {
        (Some(pool), _) => wants(topology, pool),
        (None, Some(at)) => match suspended_pool(topology, at) {
            Some(pool) => wants(topology, pool),
            None => slots(topology, &[at]),
        },
        (None, None) => wants_of_group(topology, name),
    }
}

/// The same of a group: of its pools and of its other volumes.
pub(super) fn wants_of_group(topology: &Topology, group: &str) -> Vec<Want> {
    let of_pools = pools_of(topology, group).into_iter().flat_map(|ix| wants(topology, ix));
    of_pools.chain(slots(topology, &volumes_of(topology, group))).collect()
}

fn slots(topology: &Topology, list: &[NodeIx]) -> Vec<Want> {
    list.iter().filter_map(|ix| topology.node(*ix).device.map(Want::InactiveTable)).collect()
}

/// The plan that brings a pool, a volume or a group back by its name; `None` when nothing of it needs
/// that.
pub(super) fn plan_of(
    topology: &Topology,
    name: &str,
    around: &Around,
) -> Result<Option<Draft>, Refusal> {
    match topology.find_pool(Some(name)) {
        Some(ix) => plan(topology, ix, around),
        None if name.contains('/') => volume(topology, name, around),
        None => {
            let mut draft = Draft::default();
            Ok(add_group(&mut draft, topology, name, around)?.then_some(draft))
        }
    }
}

/// The plan that resumes a pool, and has LVM take the size that the kernel has recorded where
/// that is more; `None` when nothing of it is so.
pub(super) fn plan(
    topology: &Topology,
    ix: PoolIx,
    around: &Around,
) -> Result<Option<Draft>, Refusal> {
    let pool = topology.pool(ix);
    let list = suspended(topology, ix);
    let ahead = ahead::find(topology, pool);
    if list.is_empty() && ahead.is_empty() {
        return Ok(None);
    }
    let mut draft = Draft::about(topology, ix);
    if !list.is_empty() {
        // a table of the size that LVM has is too small for what the kernel has recorded
        let trusted = ahead.is_empty() && all_fit(topology, &list, around);
        let devices = devices(topology, &list, trusted)?;
        let why = why(&devices, pool.lv.is_some());
        let mut after = not_suspended(&devices);
        // a part may be left suspended alone, below a pool that is away
        if find::is_active(pool) {
            after.push(Check::PoolWorks { pool: pool.name.to_string() });
        } else {
            draft.next.push(format!("then bring the pool back: thinscope activate {}", pool.name));
        }
        draft.push(Action::BringBack { devices }, why, (Vec::new(), after));
    }
    for one in &ahead {
        ahead::add(&mut draft, (topology, pool), one)?;
    }
    draft.next.push(format!(
        "look whether somebody still works on it (`thinscope findings`); an unfinished growth is \
         gone on with by asking for it again, after `thinscope pool {}`",
        pool.name
    ));
    Ok(Some(draft))
}

/// Adds what resumes everything of a group that is suspended, pool by pool and then the other
/// volumes, each by the rule for it alone; whether there was any.
pub(super) fn add_group(
    draft: &mut Draft,
    topology: &Topology,
    group: &str,
    around: &Around,
) -> Result<bool, Refusal> {
    let mut parts = Vec::new();
    for ix in pools_of(topology, group) {
        parts.extend(plan(topology, ix, around)?);
    }
    for at in volumes_of(topology, group) {
        if let Some(lv) = topology.node(at).facts.lv.as_ref() {
            parts.extend(volume(topology, &format!("{}/{}", lv.vg, lv.name), around)?);
        }
    }
    let any = !parts.is_empty();
    for part in parts {
        draft.steps.extend(part.steps);
        draft.warnings.extend(part.warnings);
        draft.next.extend(part.next);
    }
    Ok(any)
}

/// The pools of a group of which something is suspended.
fn pools_of(topology: &Topology, group: &str) -> Vec<PoolIx> {
    let inside = format!("{group}/");
    let all = (0_u32..).map(PoolIx).zip(&topology.pools);
    let mine =
        all.filter(|(_, pool)| pool.lv.as_ref().is_some_and(|lv| lv.as_str().starts_with(&inside)));
    mine.map(|(ix, _)| ix).filter(|ix| !suspended(topology, *ix).is_empty()).collect()
}

/// The volumes of a group that are suspended and come with none of its pools.
fn volumes_of(topology: &Topology, group: &str) -> Vec<NodeIx> {
    let pools = pools_of(topology, group);
    let with_pools: Vec<NodeIx> =
        pools.into_iter().flat_map(|ix| suspended(topology, ix)).collect();
    let is_mine = |at: &NodeIx| {
        let lv = topology.node(*at).facts.lv.as_ref();
        lv.is_some_and(|lv| lv.vg.as_str() == group)
    };
    let mine = topology.indices().filter(is_mine).filter(|at| is_suspended(topology, *at));
    mine.filter(|at| !with_pools.contains(at)).collect()
}

/// The plan that resumes a volume alone, by the same rule; with its pool where that is suspended
/// too, for the volume would wait for it. `None` when it is not suspended.
pub(super) fn volume(
    topology: &Topology,
    name: &str,
    around: &Around,
) -> Result<Option<Draft>, Refusal> {
    let Some(at) = volume_at(topology, name).filter(|at| is_suspended(topology, *at)) else {
        return Ok(None);
    };
    if let Some(pool) = suspended_pool(topology, at) {
        return plan(topology, pool, around);
    }
    let trusted = all_fit(topology, &[at], around);
    let devices = devices(topology, &[at], trusted)?;
    let mut draft = Draft { names: vec![name.to_owned()], ..Draft::default() };
    draft.identity =
        find::identity_of(topology, name).map(|id| (name.to_owned(), id)).into_iter().collect();
    let (why, after) = (why(&devices, true), not_suspended(&devices));
    draft.push(Action::BringBack { devices }, why, (Vec::new(), after));
    Ok(Some(draft))
}

fn volume_at(topology: &Topology, name: &str) -> Option<NodeIx> {
    let (group, volume) = name.split_once('/')?;
    topology.indices().find(|ix| {
        let lv = topology.node(*ix).facts.lv.as_ref();
        lv.is_some_and(|lv| lv.vg.as_str() == group && lv.name.as_str() == volume)
    })
}

/// The pool that a thin volume lies in, while anything of that is suspended below the volume.
fn suspended_pool(topology: &Topology, volume: NodeIx) -> Option<PoolIx> {
    let below = topology.node(volume).parents.iter();
    let mut pools = below.filter_map(|ix| topology.node(*ix).facts.pool);
    pools.find(|pool| suspended(topology, *pool).iter().any(|at| *at != volume))
}

fn devices(topology: &Topology, list: &[NodeIx], trusted: bool) -> Result<Vec<Suspended>, Refusal> {
    let mut devices = Vec::new();
    for at in list {
        let node = topology.node(*at);
        let (Some(device), Some(dm)) = (node.device, node.facts.dm.as_deref()) else { continue };
        if !find::is_plain(dm.name.as_str()) {
            return Err(Refusal::new(format!(
                "{} is suspended, and its name cannot stand in a command as it is",
                dm.name
            )));
        }
        // nobody committed the table of a pool that LVM does not own
        let clear = dm.inactive_table && !(trusted && node.facts.lv.is_some());
        devices.push(Suspended { device, name: dm.name.to_string(), clear });
    }
    Ok(devices)
}

fn why(devices: &[Suspended], owned: bool) -> &'static str {
    match (devices.iter().any(|one| one.clear), owned) {
        (true, true) => {
            "the table that waits in the inactive slot is not what LVM committed: it is thrown \
             away, and what was live goes on"
        }
        (true, false) => {
            "a table waits in the inactive slot and nobody says that it was meant: it is thrown \
             away, and what was live goes on"
        }
        (false, true) => "from below upwards; a table that waits is what LVM committed",
        (false, false) => "it was left suspended: whoever touches it waits",
    }
}

fn not_suspended(devices: &[Suspended]) -> Vec<Check> {
    devices.iter().map(|one| Check::NotSuspended { name: one.name.clone() }).collect()
}

/// Whether a device is suspended on the very table that an action gives it: whoever did that was
/// cut off within its window, and the same window asked for again finishes it.
pub(super) fn is_cut_off(action: &Action, topology: &Topology) -> bool {
    let Action::Reload { name, new, .. } = action else { return false };
    let suspended = find::mapped(topology, name).and_then(|node| node.facts.dm.as_deref());
    let on_new = Check::Table { name: name.clone(), lines: new.clone() };
    suspended.is_some_and(|dm| dm.suspended) && on_new.judge(topology).holds()
}

/// The table of an action that was loaded and never resumed, where it still waits, in words: the
/// next resume, whoever that is, would take it.
pub(super) fn left_over(action: &Action, topology: &Topology) -> Option<String> {
    let Action::Reload { name, .. } = action else { return None };
    let dm = find::mapped(topology, name)?.facts.dm.as_deref()?;
    dm.inactive_table.then(|| {
        format!(
            "a table that was loaded before waits in the inactive slot of {name}: `dmsetup clear \
             {name}` throws it away"
        )
    })
}

/// Everything of a pool that is suspended, from below upwards.
fn suspended(topology: &Topology, ix: PoolIx) -> Vec<NodeIx> {
    let pool = topology.pool(ix);
    let parts = [pool.metadata, pool.data].into_iter().flatten();
    let above = topology.children(pool.node).iter().copied().filter(|at| {
        // the pool's own thin devices wait for it; only LVM's layer and volumes are its business
        matches!(topology.node(*at).kind, Kind::Linear | Kind::Thin)
    });
    parts.chain([pool.node]).chain(above).filter(|at| is_suspended(topology, *at)).collect()
}

fn is_suspended(topology: &Topology, at: NodeIx) -> bool {
    topology.node(at).facts.dm.as_ref().is_some_and(|dm| dm.suspended)
}

/// One slot that does not fit what is committed, and none of LVM's is trusted.
fn all_fit(topology: &Topology, list: &[NodeIx], around: &Around) -> bool {
    let nodes = list.iter().map(|at| topology.node(*at));
    nodes.filter(|node| node.facts.lv.is_some()).all(|node| fits(node, around))
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
