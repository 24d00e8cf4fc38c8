//! A disk or partition that shall join a volume group: what it is, whether anything uses it, what
//! lies on it.

use crate::ids::DevNo;
use crate::model::{Kind, Node, NodeIx, Topology};
use crate::plan::around::{Around, DeviceSeen};
use crate::plan::{Refusal, find};
use crate::units::Bytes;

/// A device that may join.
pub(super) struct Joining {
    /// The path, as it was typed.
    pub(super) path: String,
    /// Its kernel name.
    pub(super) name: String,
    /// Its number.
    pub(super) number: Option<DevNo>,
    /// What tells it from others.
    pub(super) id: String,
    /// Its size.
    pub(super) size: Bytes,
    /// Size, model and serial, in words.
    pub(super) about: String,
    /// It is a PV of no group already.
    pub(super) is_pv: bool,
    /// The signatures on it, which would be lost.
    pub(super) holds: Vec<String>,
}

impl Joining {
    /// What is lost, in words, where anything is.
    pub(super) fn lost(&self) -> Option<String> {
        let holds = self.holds.join(", ");
        (!holds.is_empty())
            .then(|| format!("{} holds {holds}, which is lost ({})", self.path, self.about))
    }
}

/// Judges a device that was named.
pub(super) fn joining(
    topology: &Topology,
    around: &Around,
    path: &str,
    group: &str,
) -> Result<Joining, Refusal> {
    if !find::is_plain(path) || !path.starts_with("/dev/") {
        return Err(Refusal::new(format!("{path} is no path of a device: name it as /dev/…")));
    }
    let seen = around.devices.get(path).cloned().unwrap_or_default();
    let ix = seen
        .number
        .and_then(|number| find::device(topology, number))
        .ok_or_else(|| Refusal::new(format!("{path} is no block device of this host")))?;
    let node = topology.node(ix);
    let size = node
        .size
        .filter(|size| size.get() > 0)
        .ok_or_else(|| Refusal::new(format!("{path} has no size: there is no medium in it")))?;
    refuse_kind(topology, ix, path)?;
    let is_pv = refuse_use(topology, ix, path, group)?;
    refuse_members(path, &seen)?;
    let holds = if is_pv { Vec::new() } else { signatures(path, &seen)? };
    Ok(Joining {
        path: path.to_owned(),
        name: node.name.to_string(),
        number: seen.number,
        id: node.id.to_string(),
        size,
        about: about(topology, ix, size),
        is_pv,
        holds,
    })
}

/// Size, model and serial: what a person knows a disk by. A partition is on a disk.
fn about(topology: &Topology, ix: NodeIx, size: Bytes) -> String {
    let node = topology.node(ix);
    let disk = (node.kind == Kind::Part).then(|| node.parents.first()).flatten();
    let model = disk.map_or(node, |disk| topology.node(*disk)).facts.note.as_ref();
    match model {
        Some(model) => format!("{}, {model}", super::words(size)),
        None => super::words(size),
    }
}

/// A leg of an array or of a multipath device belongs to that device, whatever is consented: also
/// while nobody has put the device together.
fn refuse_members(path: &str, seen: &DeviceSeen) -> Result<(), Refusal> {
    let Some(Ok(found)) = &seen.signatures else { return Ok(()) };
    let is_member = |kind: &str| kind.ends_with("_raid_member") || kind == "mpath_member";
    let kinds = found.iter().map(|one| one.split(' ').next().unwrap_or(one));
    match kinds.into_iter().find(|kind| is_member(kind)) {
        Some(kind) => Err(Refusal::new(format!(
            "{path} is a member of another device ({kind}): the other members would go on without \
             what is written to it. Take that device; or take {path} out of it for good by hand \
             (mdadm --zero-superblock, wipefs), then ask again"
        ))),
        None => Ok(()),
    }
}

/// Whether a device could be offered at all: a disk, partition or the like that nothing uses.
pub fn is_possible(topology: &Topology, ix: NodeIx) -> bool {
    let node = topology.node(ix);
    node.device.is_some()
        && node.size.is_some_and(|size| size.get() >= 8 << 20)
        && refuse_kind(topology, ix, "").is_ok()
        && topology.children(ix).is_empty()
        && node.mountpoints.is_empty()
}

fn refuse_kind(topology: &Topology, ix: NodeIx, path: &str) -> Result<(), Refusal> {
    let node = topology.node(ix);
    let fit = match node.kind {
        Kind::Disk | Kind::Part | Kind::Mpath | Kind::Crypt | Kind::Raid | Kind::Linear => true,
        Kind::Loop => node.facts.loop_device.is_some(),
        _ => false,
    };
    if !fit {
        return Err(Refusal::new(format!(
            "{path} is a {} device: a PV belongs on a disk or partition",
            node.kind.name()
        )));
    }
    let over_thin = find::below(topology, ix)
        .into_iter()
        .map(|below| topology.node(below))
        .find(|below| matches!(below.kind, Kind::Thin | Kind::Pool));
    match over_thin {
        Some(below) => Err(Refusal::new(format!(
            "{path} rests on {}: a pool must not rest on a thin device",
            below.name
        ))),
        None => Ok(()),
    }
}

/// Refuses what is in use; whether it is a PV that waits for a group.
fn refuse_use(topology: &Topology, ix: NodeIx, path: &str, group: &str) -> Result<bool, Refusal> {
    let node = topology.node(ix);
    if let Some(at) = node.mountpoints.first() {
        return Err(Refusal::new(format!("{path} is mounted at {at}: it is in use")));
    }
    let above: Vec<&Node> =
        topology.children(ix).iter().map(|above| topology.node(*above)).collect();
    if let [only] = above.as_slice()
        && let Some(pv) = &only.facts.pv
    {
        return match pv.vg.as_str() {
            "" => Ok(true),
            vg if vg == group => Err(Refusal::new(format!("{path} is a PV of {group} already"))),
            vg => Err(Refusal::new(format!("{path} is a PV of another volume group, {vg}"))),
        };
    }
    match above.first() {
        Some(first) if first.kind == Kind::Part => Err(Refusal::new(format!(
            "{path} has partitions ({}): name one that is not used, or clear the table by hand",
            first.name
        ))),
        Some(first) => Err(Refusal::new(format!("{path} is in use: {} rests on it", first.name))),
        None => Ok(false),
    }
}

/// What lies on it; nothing that could not be read is taken for empty.
fn signatures(path: &str, seen: &DeviceSeen) -> Result<Vec<String>, Refusal> {
    match &seen.signatures {
        Some(Ok(found)) => Ok(found.clone()),
        Some(Err(why)) => Err(Refusal::new(format!(
            "what lies on {path} could not be read: {why}; a device is not taken unseen"
        ))),
        None => Err(Refusal::new(format!(
            "what lies on {path} was not looked at; a device is not taken unseen"
        ))),
    }
}
