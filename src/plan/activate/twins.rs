//! A PV that is there twice: a clone, a copy that the storage made, a path of a multipath device that
//! nobody put together. LVM activates nothing of its group, for it cannot know which one is meant.

use super::unseen::{path, unused};
use crate::model::{Kind, Node, Topology};
use crate::plan::around::{Around, Want};
use crate::plan::{Refusal, find};

/// What must be looked at, where LVM would activate anything.
pub(super) fn wants(topology: &Topology) -> impl Iterator<Item = Want> + '_ {
    unused(topology).map(|ix| Want::Device(path(topology, ix)))
}

/// Refuses a group of which a PV is on two devices.
pub(super) fn refuse(topology: &Topology, around: &Around, group: &str) -> Result<(), Refusal> {
    for (pv, device) in find::pvs(topology, group) {
        let Some(facts) = &pv.facts.pv else { continue };
        let uuid = facts.uuid.as_str();
        let here = device.map_or_else(|| pv.name.to_string(), named);
        let listed = find::pvs(topology, group).find_map(|(other, device)| {
            let same = other.id != pv.id && other.facts.pv.as_ref()?.uuid.as_str() == uuid;
            device.filter(|_| same).map(named)
        });
        let twin = || {
            let lies = around.devices.iter().find(|(_, seen)| seen.pv_uuid() == Some(uuid));
            lies.map(|(path, _)| path.clone()).filter(|path| *path != here)
        };
        if uuid.is_empty() {
            continue;
        }
        if let Some(there) = listed.or_else(twin) {
            return Err(refusal(group, uuid, (&here, &there)));
        }
    }
    Ok(())
}

fn named(device: &Node) -> String {
    match &device.facts.dm {
        Some(dm) => format!("/dev/mapper/{}", dm.name),
        None if device.kind == Kind::File => device.name.to_string(),
        None => format!("/dev/{}", device.name),
    }
}

fn refusal(group: &str, uuid: &str, (here, there): (&str, &str)) -> Refusal {
    Refusal::new(format!(
        "the PV {uuid} of {group} is on {here} and on {there}: LVM activates nothing of a group \
         whose PV is there twice. Find out which is the copy (`lsblk -o NAME,SIZE,SERIAL,WWN`). \
         Paths to one disk belong to a multipath device: start multipathd. A copy is detached, or \
         left out by a filter (`lvmconfig devices/global_filter`) or the devices file (`lvmdevices \
         --deldev`), or, if nobody needs it, wiped (`wipefs -a`); \
         `vgimportclone` gives it names of its own, so that both can be used"
    ))
}
