//! Why LVM does not list what should be there: disks that nothing uses and that hold a PV or a closed
//! LUKS container all the same.

use crate::intent::Activate;
use crate::model::{NodeIx, PoolIx, Topology};
use crate::plan::around::{Around, FILTER, GLOBAL_FILTER, USE_DEVICES_FILE, Want};
use crate::plan::{find, grow};

/// Where LVM's devices file is; where there is one it decides what LVM sees.
const DEVICES_FILE: &str = "/etc/lvm/devices/system.devices";
/// Disks that are looked at, at most: a host with more has other means.
const MOST: usize = 64;

/// What must be looked at, where something that should be there was not seen.
pub(super) fn wants(wish: &Activate, topology: &Topology) -> Vec<Want> {
    if is_all_seen(wish, topology) {
        return Vec::new();
    }
    let devices = unused(topology).map(|ix| Want::Device(path(topology, ix)));
    devices.chain([Want::File(DEVICES_FILE.to_owned()), Want::LvmSettings]).collect()
}

/// What the wish is about is there with its parts, and no group misses a PV.
fn is_all_seen(wish: &Activate, topology: &Topology) -> bool {
    let whole = |ix: PoolIx| {
        let pool = topology.pool(ix);
        find::is_active(pool) || (pool.data.is_some() && pool.metadata.is_some())
    };
    let name = wish.target.as_deref();
    let known = match (topology.find_pool(name), name) {
        (Some(ix), _) => whole(ix),
        (None, Some(name)) => {
            find::group(topology, name).is_some() || find::volume(topology, name).is_some()
        }
        (None, None) => true,
    };
    let missing = |node: &crate::model::Node| {
        node.facts.vg.as_ref().is_some_and(|group| group.missing_pvs > 0)
    };
    known && !topology.nodes.iter().any(missing)
}

pub(super) fn unused(topology: &Topology) -> impl Iterator<Item = NodeIx> + '_ {
    let may = |ix: &NodeIx| grow::device::is_possible(topology, *ix);
    topology.indices().filter(may).take(MOST)
}

pub(super) fn path(topology: &Topology, ix: NodeIx) -> String {
    let node = topology.node(ix);
    match node.facts.dm.as_deref() {
        Some(dm) => format!("/dev/mapper/{}", dm.name),
        None => format!("/dev/{}", node.name),
    }
}

/// What was found, as sentences that follow a refusal; empty where nothing was.
pub(super) fn causes(around: &Around) -> String {
    let mut causes = Vec::new();
    for (path, seen) in &around.devices {
        let Some(Ok(found)) = &seen.signatures else { continue };
        let holds = |kind: &str| found.iter().any(|signature| signature.starts_with(kind));
        if holds("crypto_LUKS") {
            causes.push(format!(
                ". {path} holds LUKS that is not open: `cryptsetup open {path} NAME` first"
            ));
        }
        if holds("LVM2_member") {
            let why = why(around);
            causes.push(format!(". {path} holds a PV that LVM does not list: {why}"));
        }
    }
    causes.concat()
}

/// The causes that a PV on a disk of this host can have for not being listed, the likelier ones
/// first: those that are ruled out by LVM's settings are left out.
fn why(around: &Around) -> String {
    let there = around.files.get(DEVICES_FILE) == Some(&true);
    let off = around.lvm_list(USE_DEVICES_FILE).is_some_and(|value| value == ["0"]);
    let mut causes = Vec::new();
    if there && !off {
        causes.push(
            "LVM's devices file leaves it out (`lvmdevices`, then `lvmdevices --adddev`)"
                .to_owned(),
        );
    }
    let set: Vec<String> = [FILTER, GLOBAL_FILTER]
        .into_iter()
        .filter_map(|key| Some((key, around.lvm_list(key)?)))
        .filter(|(_, value)| !accepts_all(value))
        .map(|(key, value)| format!("{key} is {}", value.join(" ")))
        .collect();
    if around.lvm.is_none() {
        causes.push(format!("a filter leaves it out ({FILTERS})"));
    } else if !set.is_empty() {
        causes.push(format!("a filter leaves it out ({FILTERS}: {})", set.join(", ")));
    }
    causes.push("its group is another host's (`vgs --foreign -o +vg_systemid`)".to_owned());
    causes.join(", or ")
}

/// How the filters are shown.
const FILTERS: &str = "`lvmconfig devices/filter devices/global_filter`";

/// LVM's default, or nothing.
fn accepts_all(filter: &[String]) -> bool {
    filter.iter().all(|pattern| pattern == "a|.*|" || pattern == "a/.*/")
}
