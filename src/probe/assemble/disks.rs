//! Disks, partitions, loop devices with their files, arrays; and where all is mounted.

use std::collections::HashMap;

use super::build::{Build, node};
use crate::ids::DevNo;
use crate::model::{FileFacts, Kind, LoopFacts, Node, NodeIx, QueueFacts};
use crate::owner::Backing;
use crate::probe::block::{Class, SeenBlock, SeenLoop};
use crate::sys::HostPath;
use crate::text::Printable;
use crate::units::Bytes;

/// Adds all whole devices, their partitions and the files under loop devices.
pub(super) fn add_disks(build: &mut Build<'_>) {
    let Some(block) = build.facts.block.as_deref() else { return };
    for disk in &block.devices {
        let what = identity(disk);
        let at = build.add(disk_node(disk, &what));
        if let Class::Loop(found) = &disk.class {
            let file = add_file(build, &found.file, found.deleted);
            fill_file(
                build,
                file,
                found.stat.map(|stat| (Bytes(stat.size), Bytes(stat.allocated))),
            );
            set_parents(build, at, vec![file]);
        }
        for part in &disk.parts {
            let mut part_node = part_node(part, &what);
            part_node.parents = vec![at];
            part_node.facts.queue = Some(Box::new(disk.queue));
            build.add(part_node);
        }
    }
}

fn disk_node(disk: &SeenBlock, what: &str) -> Node {
    let kind = match &disk.class {
        Class::Disk | Class::Part(_) => Kind::Disk,
        Class::Loop(_) => Kind::Loop,
        Class::Md => Kind::Raid,
        Class::Other => Kind::Other,
    };
    let mut node = node(kind, what, Printable::from_bytes(&disk.name.0));
    node.device = Some(disk.dev);
    node.size = disk.size;
    node.facts.queue = Some(Box::new(disk.queue));
    node.facts.note = disk.model.as_ref().map(|model| Printable::from_bytes(&model.0));
    if let Class::Loop(found) = &disk.class {
        node.facts.loop_device = Some(Box::new(LoopFacts {
            backing_file: Printable::from_bytes(&found.file.0.0),
            deleted: found.deleted,
            offset: found.offset,
            autoclear: found.autoclear,
        }));
    }
    node
}

fn part_node(part: &SeenBlock, disk: &str) -> Node {
    let what = match part.class {
        Class::Part(Some(number)) => format!("{disk}-part{number}"),
        _ => format!("{disk}-{}", Printable::from_bytes(&part.name.0)),
    };
    let mut node = node(Kind::Part, &what, Printable::from_bytes(&part.name.0));
    node.device = Some(part.dev);
    node.size = part.size;
    node
}

/// What stays the same of a device over a reboot: a disk's wwid or serial, a loop's file; the
/// kernel's name where there is neither.
fn identity(disk: &SeenBlock) -> String {
    if let Class::Loop(SeenLoop { file, offset, deleted, .. }) = &disk.class {
        let path = Printable::from_bytes(&file.0.0);
        let gone = if *deleted { " (deleted)" } else { "" };
        return match offset.get() {
            0 => format!("{path}{gone}"),
            sectors => format!("{path}{gone}+{sectors}"),
        };
    }
    match &disk.identity {
        // ids hold no blanks; serials do
        Some(raw) => Printable::from_bytes(raw.0.trim_ascii()).as_str().replace(' ', "_"),
        None => Printable::from_bytes(&disk.name.0).to_string(),
    }
}

/// The node of a file, made once. One that was deleted is another than the one at its path now.
pub(super) fn add_file(build: &mut Build<'_>, path: &HostPath, deleted: bool) -> NodeIx {
    let mut key = path.0.0.clone();
    if deleted {
        key.extend_from_slice(b" (deleted)");
    }
    if let Some(at) = build.files.get(&key) {
        return *at;
    }
    let name = Printable::from_bytes(&path.0.0);
    let at = build.add(node(Kind::File, Printable::from_bytes(&key).as_str(), name));
    build.files.insert(key, at);
    at
}

/// Gives a file its apparent and allocated size, where they are known and it has none yet.
pub(super) fn fill_file(build: &mut Build<'_>, file: NodeIx, sizes: Option<(Bytes, Bytes)>) {
    if let (Some(node), Some((apparent, allocated))) = (build.node_mut(file), sizes)
        && node.facts.file.is_none()
    {
        node.size = Some(apparent);
        node.facts.file = Some(Box::new(FileFacts { apparent, allocated }));
    }
}

/// The nodes an engine says its own pool rests on: data first, then metadata.
pub(super) fn backing_nodes(
    build: &mut Build<'_>,
    backing: &Backing,
) -> (Option<NodeIx>, Option<NodeIx>) {
    match backing {
        Backing::LoopFiles { data, metadata, data_size, metadata_size } => {
            let (data, metadata) = (add_file(build, data, false), add_file(build, metadata, false));
            fill_file(build, data, *data_size);
            fill_file(build, metadata, *metadata_size);
            (Some(data), Some(metadata))
        }
        Backing::Devices { data, metadata } => {
            (build.by_path(&data.0.0), build.by_path(&metadata.0.0))
        }
        Backing::Given => (None, None),
    }
}

/// Lets arrays rest on their members and files on the filesystem's device.
pub(super) fn link(build: &mut Build<'_>) {
    let Some(block) = build.facts.block.as_deref() else { return };
    let all = || block.devices.iter().flat_map(|disk| std::iter::once(disk).chain(&disk.parts));
    let by_name: HashMap<&[u8], DevNo> =
        all().map(|device| (device.name.0.as_slice(), device.dev)).collect();
    for disk in &block.devices {
        let Some(at) = build.by_dev.get(&disk.dev).copied() else { continue };
        if let Class::Loop(found) = &disk.class {
            link_file(build, found);
            continue;
        }
        let slaves = disk.slaves.iter().filter_map(|name| {
            let dev = by_name.get(name.0.as_slice()).copied();
            let dev = dev.or_else(|| build.index.by_kernel_name(&name.0))?;
            build.by_dev.get(&dev).copied()
        });
        let slaves: Vec<NodeIx> = slaves.collect();
        if !slaves.is_empty() {
            set_parents(build, at, slaves);
        }
    }
}

fn link_file(build: &mut Build<'_>, found: &SeenLoop) {
    let Some(stat) = found.stat else { return };
    let Some(under) = build.by_dev.get(&stat.dev).copied() else { return };
    let Some(file) = build.files.get(&found.file.0.0).copied() else { return };
    set_parents(build, file, vec![under]);
}

/// Writes the limits of the devices below pools to their nodes.
pub(super) fn add_limits(build: &mut Build<'_>) {
    let Some(dm) = build.facts.dm.as_deref() else { return };
    for (dev, discard_max) in &dm.discard_max {
        let at = build.by_dev.get(dev).copied();
        if let Some(node) = at.and_then(|at| build.node_mut(at)) {
            let queue = QueueFacts { discard_max: Some(*discard_max), ..QueueFacts::default() };
            node.facts.queue = Some(Box::new(queue));
        }
    }
}

pub(super) fn set_parents(build: &mut Build<'_>, at: NodeIx, mut parents: Vec<NodeIx>) {
    parents.retain(|parent| *parent != at);
    let mut known = std::collections::HashSet::new();
    parents.retain(|parent| known.insert(*parent));
    if let Some(node) = build.node_mut(at) {
        node.parents = parents;
    }
}

/// Writes mount points to the nodes that are mounted.
pub(super) fn add_mounts(build: &mut Build<'_>) {
    let Some(mounts) = build.facts.mounts.as_deref() else { return };
    for (dev, points) in &mounts.by_dev {
        if let Some(at) = build.by_dev.get(dev).copied()
            && let Some(node) = build.node_mut(at)
        {
            node.mountpoints.clone_from(points);
        }
    }
    for (source, points) in &mounts.by_source {
        if let Some(at) = build.by_path(source)
            && let Some(node) = build.node_mut(at)
        {
            node.mountpoints.extend(points.iter().cloned());
            node.mountpoints.sort();
        }
    }
}
