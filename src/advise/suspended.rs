//! What brings back a device that was left suspended: whose command does it, in which order by
//! hand, and which tables wait in inactive slots, where a resume would put them in force.
//!
//! LVM writes its metadata, suspends, commits, resumes: to resume blindly can make the kernel record
//! a size that LVM never committed (`facts.md`, "Killed in the middle"). Every slot counts that a
//! resume of the pool comes near, not only the one of the device that is suspended.

use super::words::shell;
use crate::model::{DmFacts, Kind, Node, NodeIx, Pool, Topology};

/// Devices that are named one by one.
const NAMED: usize = 5;

/// What is to be brought back.
pub(super) struct Stuck<'a> {
    /// What `thinscope activate` takes for it.
    target: Option<String>,
    /// Whether LVM commits its tables.
    owned: bool,
    /// What is suspended or has a table waiting, from below upwards.
    devices: Vec<&'a DmFacts>,
}

impl<'a> Stuck<'a> {
    /// Of a pool, with its metadata and data, and with what lies on it.
    pub(super) fn of_pool(topology: &'a Topology, pool: &'a Pool) -> Self {
        let parts = [pool.metadata, pool.data, Some(pool.node)].into_iter().flatten();
        let above = topology
            .children(pool.node)
            .iter()
            .copied()
            .filter(|ix| matches!(topology.node(*ix).kind, Kind::Linear | Kind::Thin));
        let all = parts.chain(above).filter_map(|ix| topology.node(ix).facts.dm.as_deref());
        Self {
            target: Some(pool.name.to_string()),
            owned: pool.lv.is_some(),
            devices: all.filter(|dm| dm.suspended || dm.inactive_table).collect(),
        }
    }

    /// Of any other device; of one that is part of a pool, of that pool.
    pub(super) fn of_device(topology: &'a Topology, ix: NodeIx) -> Self {
        let is_part = |pool: &&Pool| pool.data == Some(ix) || pool.metadata == Some(ix);
        if let Some(pool) = topology.pools.iter().find(is_part) {
            return Self::of_pool(topology, pool);
        }
        let node = topology.node(ix);
        let volume = node.facts.lv.as_ref().map(|lv| format!("{}/{}", lv.vg, lv.name));
        let pool = below(topology, node).map(|pool| pool.name.to_string());
        Self {
            owned: volume.is_some(),
            target: volume.or(pool),
            devices: node.facts.dm.iter().map(AsRef::as_ref).collect(),
        }
    }

    /// Whether a command of thinscope's brings it back.
    pub(super) fn has_command(&self) -> bool {
        self.target.is_some()
    }

    /// A line for each table that waits.
    pub(super) fn evidence(&self) -> impl Iterator<Item = String> {
        self.waiting().map(|dm| format!("a second table waits in the inactive slot of {}", dm.name))
    }

    fn waiting(&self) -> impl Iterator<Item = &DmFacts> {
        self.devices.iter().copied().filter(|dm| dm.inactive_table)
    }

    /// What to do when it stays suspended.
    pub(super) fn remedy(&self) -> String {
        let clear = commands("clear", self.waiting());
        let resume = commands("resume", self.devices.iter().copied());
        let several = self.waiting().count() > 1;
        let by_hand = match (clear.is_empty(), self.owned) {
            (true, _) => resume,
            (false, true) if several => format!(
                "{clear} unless the waiting tables have the sizes that the VG records, then {resume}"
            ),
            (false, true) => format!(
                "{clear} unless the waiting table has the size that the VG records, then {resume}"
            ),
            (false, false) => {
                format!("{resume} puts what waits in force, {clear} before it keeps what was live")
            }
        };
        match &self.target {
            None => by_hand,
            Some(name) => {
                let name = shell(name);
                // it looks into the slots of what it resumes, and into no other
                if self.waiting().any(|dm| !dm.suspended) {
                    return format!(
                        "by hand {by_hand}; `thinscope activate {name}` clears no table of what is \
                         not suspended"
                    );
                }
                let what = match (clear.is_empty(), self.owned) {
                    (true, _) => "",
                    (false, true) => " finds out whether LVM committed what waits",
                    (false, false) => " throws away what waits",
                };
                format!("`thinscope activate {name}`{what}; by hand {by_hand}")
            }
        }
    }
}

/// The pool that a device lies on.
fn below<'a>(topology: &'a Topology, node: &Node) -> Option<&'a Pool> {
    let pools = node.parents.iter().filter_map(|parent| topology.node(*parent).facts.pool);
    pools.into_iter().next().map(|pool| topology.pool(pool))
}

fn commands<'a>(verb: &str, devices: impl Iterator<Item = &'a DmFacts>) -> String {
    let call = |dm: &DmFacts| format!("`dmsetup {verb} {}`", shell(dm.name.as_str()));
    let mut calls: Vec<String> = devices.map(call).collect();
    if calls.len() > NAMED {
        let more = calls.split_off(NAMED).len();
        calls.push(format!("and the same of the {more} others on it"));
    }
    calls.join(", ")
}
