//! Nodes for volume groups, volumes and physical volumes, and what they rest on. Pools and thin
//! volumes become nodes elsewhere.

use std::collections::{BTreeSet, HashMap};

use super::{Group, Sort, Volume, Volumes};
use crate::ids::DevNo;
use crate::model::{Gap, Kind, NodeIx, PvFacts, VgFacts};
use crate::owner::lvm_names::dm_name;
use crate::probe::assemble::build::{Build, activate, node};
use crate::probe::assemble::devices::kind_of;
use crate::probe::assemble::disks::set_parents;
use crate::probe::lvm::Pv;
use crate::text::Printable;
use crate::units::Bytes;

/// Nodes of what was added, by place in [`Volumes`].
pub(in crate::probe::assemble) struct VolumeNodes {
    pub(in crate::probe::assemble) groups: Vec<NodeIx>,
    pub(in crate::probe::assemble) volumes: Vec<Option<NodeIx>>,
}

/// Adds volume groups, and logical volumes but for pools and thin volumes.
pub(in crate::probe::assemble) fn add_volumes(
    build: &mut Build<'_>,
    volumes: &Volumes<'_>,
) -> VolumeNodes {
    let groups: Vec<NodeIx> = volumes.groups.iter().map(|group| add_group(build, group)).collect();
    let mut nodes = VolumeNodes { groups, volumes: vec![None; volumes.list.len()] };
    for (at, volume) in volumes.list.iter().enumerate() {
        let group = nodes.groups.get(volume.group).copied();
        let kind = match volume.sort {
            Sort::Plain => Kind::Lv,
            Sort::Tdata => Kind::Tdata,
            Sort::Tmeta => Kind::Tmeta,
            Sort::Spare => Kind::Pmspare,
            Sort::Pool | Sort::Thin => continue,
        };
        // with a name for the volume itself missing, only its layers are there
        let absent = volume.main.is_none() && volume.seen.is_none();
        let at_node = (!absent).then(|| add_volume(build, volumes, volume, kind));
        if let (Some(node), Some(group)) = (at_node, group) {
            set_parents(build, node, vec![group]);
        }
        if let Some(slot) = nodes.volumes.get_mut(at) {
            *slot = at_node;
        }
        add_layers(build, volume, group);
    }
    nodes
}

fn add_group(build: &mut Build<'_>, group: &Group<'_>) -> NodeIx {
    let mut node = node(Kind::Vg, &group.uuid, group.name.as_str().into());
    if let Some(vg) = group.seen {
        node.size = vg.size;
        node.facts.vg = Some(Box::new(VgFacts {
            uuid: vg.uuid.as_str().into(),
            free: vg.free,
            extent: vg.extent,
            missing_pvs: vg.missing_pvs,
            attr: vg.attr.as_str().into(),
            mda_size: vg.mda_size,
            mda_free: vg.mda_free,
        }));
    } else {
        build.gaps.push(Gap::new(
            "lvm",
            format!(
                "VG {} was not reported by LVM: its volumes and PVs are told from device-mapper, \
                 inactive ones are not seen",
                Printable::from(group.name.as_str())
            ),
        ));
    }
    build.add(node)
}

/// Adds the node of a volume, active or not.
fn add_volume(
    build: &mut Build<'_>,
    volumes: &Volumes<'_>,
    volume: &Volume<'_>,
    kind: Kind,
) -> NodeIx {
    let name = dm_name(volumes.group_name(volume), &volume.name, "");
    let mut node = node(kind, &volume.uuid, name.into());
    node.short = Some(volume.name.as_str().into());
    node.size = volume.seen.and_then(|lv| lv.size);
    node.facts.lv = volumes.facts(volume);
    node.facts.note = under(build, volume).map(Printable::from);
    if let Some(seen) = volume.main.and_then(|at| build.index.get(at)) {
        activate(&mut node, seen);
    }
    build.add(node)
}

/// Other volumes that a volume is made of: the tree has it rest on its VG.
fn under(build: &Build<'_>, volume: &Volume<'_>) -> Option<String> {
    let names: Vec<String> = match volume.main.and_then(|at| build.index.get(at)) {
        Some(seen) => (seen.device.deps.iter())
            .filter_map(|dep| build.index.by_dev(*dep))
            .map(|(_, lower)| Printable::from_bytes(&lower.device.name.0).to_string())
            .collect(),
        None => (volume.seen.iter().flat_map(|lv| &lv.devices))
            .filter(|device| !device.starts_with('/') && !device.starts_with('['))
            .cloned()
            .collect(),
    };
    (!names.is_empty()).then(|| format!("made of {}", names.join(", ")))
}

/// Adds what LVM puts above or below a volume in device-mapper: `-pool` above a `-tpool`,
/// `-real` and `-cow` of old snapshots, `-vpool` of VDO.
pub(in crate::probe::assemble) fn add_layers(
    build: &mut Build<'_>,
    volume: &Volume<'_>,
    group: Option<NodeIx>,
) {
    for at in &volume.layers {
        let (Some(seen), Some(Some(uuid))) = (build.index.get(*at), build.index.lvm.get(*at))
        else {
            continue;
        };
        // a PV's device is not what a layer rests on: the VG is
        let on_volumes = seen.device.deps.iter().any(|dep| build.index.by_dev(*dep).is_some());
        let what = format!("{}-{}", volume.uuid, Printable::from(uuid.suffix.as_str()));
        let mut node = node(kind_of(seen), &what, "".into());
        node.short = Some(volume.name.as_str().into());
        activate(&mut node, seen);
        node.parents.extend(group);
        let layer = build.add(node);
        if on_volumes {
            build.link_later(layer);
        }
    }
}

/// Adds physical volumes and lets volume groups rest on them.
pub(in crate::probe::assemble) fn add_pvs(
    build: &mut Build<'_>,
    volumes: &Volumes<'_>,
    nodes: &VolumeNodes,
) {
    let mut of_group: Vec<Vec<NodeIx>> = vec![Vec::new(); volumes.groups.len()];
    let by_uuid: HashMap<&str, usize> =
        volumes.groups.iter().enumerate().map(|(at, group)| (group.uuid.as_str(), at)).collect();
    for pv in &volumes.pvs {
        let at = add_pv(build, pv);
        if let Some(list) = by_uuid.get(pv.vg_uuid.as_str()).and_then(|at| of_group.get_mut(*at)) {
            list.push(at);
        }
    }
    let told = told_by_tables(build, volumes, &of_group);
    for (group, devs) in told {
        for dev in devs {
            let Some(pv) = add_unreported_pv(build, volumes, group, dev) else { continue };
            if let Some(list) = of_group.get_mut(group) {
                list.push(pv);
            }
        }
    }
    for (node, pvs) in nodes.groups.iter().zip(of_group) {
        set_parents(build, *node, pvs);
    }
}

fn add_pv(build: &mut Build<'_>, pv: &Pv) -> NodeIx {
    let dev = pv.dev.and_then(|dev| build.by_dev.get(&dev).copied());
    let under = dev.or_else(|| build.by_path(pv.path.as_bytes()));
    let name = under.and_then(|at| build.node(at)).map(|node| node.name.clone());
    let name = name.unwrap_or_else(|| pv.path.strip_prefix("/dev/").unwrap_or(&pv.path).into());
    let mut node = node(Kind::Pv, &pv.uuid, name);
    node.size = pv.size;
    node.parents.extend(under);
    node.facts.pv = Some(Box::new(PvFacts {
        uuid: pv.uuid.as_str().into(),
        vg: pv.vg.as_str().into(),
        free: pv.free,
        missing: pv.missing,
    }));
    build.add(node)
}

/// Of groups whose PVs LVM did not tell: the devices under their volumes that are no volumes of
/// the same group.
fn told_by_tables(
    build: &Build<'_>,
    volumes: &Volumes<'_>,
    of_group: &[Vec<NodeIx>],
) -> Vec<(usize, BTreeSet<DevNo>)> {
    let mut told: Vec<(usize, BTreeSet<DevNo>)> = Vec::new();
    let mut place: HashMap<usize, usize> = HashMap::new();
    for volume in &volumes.list {
        if of_group.get(volume.group).is_none_or(|pvs| !pvs.is_empty()) {
            continue;
        }
        let at = *place.entry(volume.group).or_insert_with(|| {
            told.push((volume.group, BTreeSet::new()));
            told.len() - 1
        });
        let Some((_, devs)) = told.get_mut(at) else { continue };
        for seen in volume.main.iter().chain(&volume.layers).filter_map(|at| build.index.get(*at)) {
            let foreign = seen.device.deps.iter().filter(|dep| {
                let lower = build.index.by_dev(**dep).and_then(|(at, _)| volumes.of_dm(at));
                lower.and_then(|at| volumes.list.get(at)).is_none_or(|v| v.group != volume.group)
            });
            devs.extend(foreign);
        }
    }
    told
}

fn add_unreported_pv(
    build: &mut Build<'_>,
    volumes: &Volumes<'_>,
    group: usize,
    dev: DevNo,
) -> Option<NodeIx> {
    let under = build.by_dev.get(&dev).copied()?;
    let (name, what, size) =
        build.node(under).map(|node| (node.name.clone(), format!("on-{}", node.id), node.size))?;
    let mut node = node(Kind::Pv, &what, name);
    // its own size is LVM's to say; the device's is the most it can be
    node.size = size.filter(|size| *size > Bytes(0));
    node.parents.push(under);
    let vg = volumes.groups.get(group)?;
    node.facts.note =
        Some(format!("a PV of {}, told from the tables of its volumes", vg.name).into());
    Some(build.add(node))
}
