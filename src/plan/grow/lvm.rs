//! A pool that LVM owns: devices join, metadata grows, then data, each by LVM, and counts as done
//! when the kernel's status says so.

use super::device::{Joining, joining};
use super::{Subject, refuse_stacks, words};
use crate::intent::{Amount, Grow};
use crate::model::{Kind, Node};
use crate::plan::around::Around;
use crate::plan::sizing::{
    Asked, MOST_METADATA, asked, extents_down, extents_of_pv, extents_up, wanted_metadata,
};
use crate::plan::{Action, Check, Draft, Refusal, find};
use crate::units::{Bytes, DataBlocks, Extents, METADATA_BLOCK_BYTES, MetadataBlocks};

/// A pool's volume group, and what a growth takes of it.
struct Group<'a> {
    name: &'a str,
    node: &'a Node,
    extent: Bytes,
    /// Extents that are free, new PVs included, before anything grows.
    free: Extents,
}

/// What grows by how much.
#[derive(Default)]
struct Sizes {
    metadata: Option<Metadata>,
    data: Option<Data>,
}

struct Metadata {
    /// Name of the metadata's volume, without its group.
    volume: String,
    by: Bytes,
    to: Bytes,
    spare_by: Bytes,
    /// Nobody asked for it: LVM would do it by itself with the data.
    unasked: bool,
}

struct Data {
    by: Extents,
    to: Bytes,
    all: bool,
}

/// Plans the growth.
pub(super) fn plan(
    draft: &mut Draft,
    subject: &Subject<'_>,
    wish: &Grow,
    around: &Around,
) -> Result<(), Refusal> {
    let volume = subject.pool.lv.as_ref().map(ToString::to_string).unwrap_or_default();
    let (name, _) = volume.split_once('/').unwrap_or((&volume, ""));
    if !find::is_plain(&volume) {
        return Err(Refusal::new(format!("the name {volume} cannot stand in a command")));
    }
    let joined = join(subject, wish, around, name)?;
    let group = group(subject, name, &joined)?;
    let sizes = sizes(draft, subject, wish, &group)?;
    add_devices(draft, &group, &joined);
    add_metadata(draft, subject, &volume, sizes.metadata.as_ref());
    add_data(draft, subject, &volume, (&group, &sizes));
    say_after(draft, subject, &sizes);
    Ok(())
}

fn join(
    subject: &Subject<'_>,
    wish: &Grow,
    around: &Around,
    group: &str,
) -> Result<Vec<Joining>, Refusal> {
    let mut joined: Vec<Joining> = Vec::new();
    for path in &wish.add_pvs {
        let device = joining(subject.topology, around, path, group)?;
        if joined.iter().any(|other| other.name == device.name) {
            return Err(Refusal::new(format!("{path} was named twice")));
        }
        joined.push(device);
    }
    Ok(joined)
}

fn group<'a>(
    subject: &Subject<'a>,
    name: &'a str,
    joined: &[Joining],
) -> Result<Group<'a>, Refusal> {
    let unseen = |what: &str| {
        Refusal::new(format!(
            "{what} of volume group {name} was not seen (see the gaps of `thinscope tree`): a pool \
             is not grown unseen"
        ))
    };
    let node = find::group(subject.topology, name).ok_or_else(|| unseen("the room"))?;
    let facts = node.facts.vg.as_deref().ok_or_else(|| unseen("the room"))?;
    let extent =
        facts.extent.filter(|extent| extent.get() > 0).ok_or_else(|| unseen("the extent size"))?;
    let free = facts.free.ok_or_else(|| unseen("the room"))?;
    if facts.missing_pvs > 0 {
        return Err(Refusal::new(format!(
            "{name} misses {} of its PVs: LVM changes nothing in it until they are back",
            facts.missing_pvs
        )));
    }
    if facts.attr.as_str().as_bytes().get(2) == Some(&b'x') {
        return Err(Refusal::new(format!("{name} is exported: vgimport it first")));
    }
    let new = joined.iter().map(|device| extents_of_pv(device.size, extent).get());
    let free = Extents(extents_down(free, extent).get().saturating_add(new.sum()));
    Ok(Group { name, node, extent, free })
}

fn sizes(
    draft: &mut Draft,
    subject: &Subject<'_>,
    wish: &Grow,
    group: &Group<'_>,
) -> Result<Sizes, Refusal> {
    let tmeta = subject.part(true)?;
    let data_now = find::committed(subject.topology.node(subject.pool.node))
        .ok_or_else(|| Refusal::new(format!("the size of {} was not seen", subject.name)))?;
    let mut sizes = Sizes::default();
    if let Some(amount) = wish.metadata {
        refuse_stacks(subject, tmeta)?;
        sizes.metadata = metadata(draft, subject, amount, group)?;
    }
    let Some(amount) = wish.data else {
        check_room(group, &sizes)?;
        return Ok(sizes);
    };
    refuse_stacks(subject, subject.part(false)?)?;
    let target = match asked(amount, data_now) {
        Asked::Same => return check_room(group, &sizes).map(|()| sizes),
        Asked::Less(size) => return Err(subject.shrinks("data", size, data_now)),
        Asked::More(size) => Some(extents_up(size, group.extent)),
        Asked::AllFree => None,
    };
    let now = extents_up(data_now, group.extent);
    let to = target.unwrap_or(Extents(now.get().saturating_add(group.free.get())));
    // LVM would grow metadata by itself to what so much data wants: it is done first, and seen
    if let Some(more) = implied(subject, group, (tmeta, to), sizes.metadata.as_ref())? {
        draft.warnings.push(format!(
            "so much data wants {} of metadata, to which LVM would grow it unasked: it is a step \
             of its own here",
            words(more.to)
        ));
        sizes.metadata = Some(more);
    }
    let left = group.free.get().checked_sub(taken(group, sizes.metadata.as_ref()).get());
    let by = match target {
        Some(to) => to.minus(now),
        None => Extents(left.unwrap_or(0)),
    };
    if by.get() == 0 {
        return Err(Refusal::new(format!(
            "{} has no free extent for data: add a device with --add-pv, or free some",
            group.name
        )));
    }
    let all = target.is_none() && !wish.add_pvs.is_empty();
    sizes.data = Some(Data { by, to: now.plus(by).bytes(group.extent), all });
    check_room(group, &sizes)?;
    Ok(sizes)
}

fn metadata(
    draft: &mut Draft,
    subject: &Subject<'_>,
    amount: Amount,
    group: &Group<'_>,
) -> Result<Option<Metadata>, Refusal> {
    let now = find::committed(subject.part(true)?)
        .ok_or_else(|| Refusal::new("the size of the metadata volume was not seen"))?;
    let size = match asked(amount, now) {
        Asked::Same => return Ok(None),
        Asked::Less(size) => return Err(subject.shrinks("metadata", size, now)),
        Asked::More(size) => size,
        Asked::AllFree => group.free.bytes(group.extent).plus(now),
    };
    if now >= MOST_METADATA {
        return Err(Refusal::new(format!(
            "the metadata of {} has {} already: LVM and the kernel use no more than 15.81 GiB",
            subject.name,
            words(now)
        )));
    }
    let most = extents_down(MOST_METADATA, group.extent);
    let mut to = extents_up(size, group.extent);
    if to > most {
        draft.warnings.push(format!(
            "metadata is held at {}: LVM and the kernel use no more than 15.81 GiB",
            words(most.bytes(group.extent))
        ));
        to = most;
    }
    Ok(Some(step_of(subject, now, to.bytes(group.extent), false)))
}

fn step_of(subject: &Subject<'_>, now: Bytes, to: Bytes, unasked: bool) -> Metadata {
    let spare_by = spare(subject).map_or(Bytes(0), |spare| to.minus(spare));
    let part = subject.pool.metadata.map(|ix| subject.topology.node(ix));
    let lv = part.and_then(|node| node.facts.lv.as_deref());
    let volume = lv.map(|lv| lv.name.to_string()).unwrap_or_default();
    Metadata { volume, by: to.minus(now), to, spare_by, unasked }
}

/// What LVM's spare for repairs has: it follows the largest metadata of its group.
fn spare(subject: &Subject<'_>) -> Option<Bytes> {
    let group = subject.pool.lv.as_ref()?.as_str().split_once('/')?.0;
    let spare = subject.topology.nodes.iter().find(|node| {
        let lv = node.facts.lv.as_ref();
        node.kind == Kind::Pmspare && lv.is_some_and(|lv| lv.vg.as_str() == group)
    });
    spare.and_then(find::committed)
}

/// The metadata that so much data makes LVM grow by itself, where it is not asked for anyway.
fn implied(
    subject: &Subject<'_>,
    group: &Group<'_>,
    (tmeta, to): (&Node, Extents),
    asked: Option<&Metadata>,
) -> Result<Option<Metadata>, Refusal> {
    let now = find::committed(tmeta)
        .ok_or_else(|| Refusal::new("the size of the metadata volume was not seen"))?;
    let wanted = wanted_metadata(to.bytes(group.extent), subject.block);
    let wanted = extents_up(wanted, group.extent).bytes(group.extent);
    let wanted = wanted.min(extents_down(MOST_METADATA, group.extent).bytes(group.extent));
    if wanted <= asked.map_or(now, |asked| asked.to) {
        return Ok(None);
    }
    refuse_stacks(subject, tmeta)?;
    Ok(Some(step_of(subject, now, wanted, asked.is_none())))
}

fn taken(group: &Group<'_>, metadata: Option<&Metadata>) -> Extents {
    metadata.map_or(Extents(0), |metadata| {
        extents_up(metadata.by, group.extent).plus(extents_up(metadata.spare_by, group.extent))
    })
}

fn check_room(group: &Group<'_>, sizes: &Sizes) -> Result<(), Refusal> {
    let data = sizes.data.as_ref().map_or(Extents(0), |data| data.by);
    let metadata = taken(group, sizes.metadata.as_ref());
    let needed = data.plus(metadata);
    if needed <= group.free {
        return Ok(());
    }
    let part = if metadata.get() > 0 && data.get() > 0 {
        format!(" ({} of them for metadata and its spare)", metadata.get())
    } else {
        String::new()
    };
    Err(Refusal::new(format!(
        "{} extents of {} are needed{part} and {} has {} free: ask for less, or add a device with \
         --add-pv",
        needed.get(),
        crate::format::long(group.extent),
        group.name,
        group.free.get()
    )))
}

fn add_devices(draft: &mut Draft, group: &Group<'_>, joined: &[Joining]) {
    for device in joined {
        let Joining { path, name, size, is_pv, holds } = device;
        let extents = extents_of_pv(*size, group.extent);
        if let Some(holds) = holds {
            draft.destroys.push((path.clone(), holds.clone()));
        }
        let pv =
            |of: &str| Check::Pv { device: path.clone(), name: name.clone(), group: of.to_owned() };
        if !is_pv {
            let unused = Check::Unused { device: path.clone(), name: name.clone(), size: *size };
            draft.push(
                Action::CreatePv { device: path.clone(), name: name.clone() },
                format!("LVM takes {} of {path} as storage", words(*size)),
                (vec![unused], vec![pv("")]),
            );
        }
        let action = Action::ExtendGroup {
            group: group.name.to_owned(),
            device: path.clone(),
            name: name.clone(),
            extents,
        };
        let why = format!(
            "{} gets about {} more extents of {}",
            group.name,
            extents.get(),
            crate::format::long(group.extent)
        );
        draft.push(action, why, (vec![pv("")], vec![pv(group.name)]));
    }
}

fn add_metadata(
    draft: &mut Draft,
    subject: &Subject<'_>,
    volume: &str,
    metadata: Option<&Metadata>,
) {
    let Some(metadata) = metadata else { return };
    let pool = subject.name.clone();
    let (group, _) = volume.split_once('/').unwrap_or((volume, ""));
    let mut before = subject.before();
    before.push(subject.totals());
    before.push(Check::VolumeIs {
        volume: format!("{group}/{}", metadata.volume),
        size: metadata.to.minus(metadata.by),
    });
    before
        .push(Check::Free { group: group.to_owned(), least: metadata.by.plus(metadata.spare_by) });
    let least = MetadataBlocks(metadata.to.min(MOST_METADATA).get() / METADATA_BLOCK_BYTES);
    let after =
        vec![Check::MetadataBlocks { pool: pool.clone(), least }, Check::PoolWorks { pool }];
    let spare = match metadata.spare_by {
        Bytes(0) => String::new(),
        by => format!("; LVM's spare for repairs grows by {} with it", words(by)),
    };
    let first = if metadata.unasked { "LVM would do it with the data" } else { "before the data" };
    draft.push(
        Action::GrowMetadata {
            pool: volume.to_owned(),
            by: metadata.by,
            spare_by: metadata.spare_by,
        },
        format!("metadata to {}, {first}{spare}", words(metadata.to)),
        (before, after),
    );
}

fn add_data(
    draft: &mut Draft,
    subject: &Subject<'_>,
    volume: &str,
    (group, sizes): (&Group<'_>, &Sizes),
) {
    let Some(data) = &sizes.data else { return };
    let pool = subject.name.clone();
    let mut before = subject.before();
    before.push(Check::VolumeIs {
        volume: volume.to_owned(),
        size: data.to.minus(data.by.bytes(group.extent)),
    });
    before.push(Check::Free {
        group: group.name.to_owned(),
        // the extents of a new PV are known when it is one
        least: if data.all { group.extent } else { data.by.bytes(group.extent) },
    });
    let blocks = |size: Bytes| DataBlocks(size.get() / subject.block.bytes().get().max(1));
    // as many as are there now, and some of what was promised of a device that is no PV yet
    let least = if data.all { blocks(data.to.minus(group.extent)) } else { blocks(data.to) };
    let after = vec![Check::DataBlocks { pool: pool.clone(), least }, Check::PoolWorks { pool }];
    let action = Action::GrowData {
        pool: volume.to_owned(),
        by: data.by,
        extent: group.extent,
        all: data.all,
    };
    let why = format!(
        "data to {} in {} extents of {}; the pool stands still for some tens of milliseconds",
        words(data.to),
        extents_up(data.to, group.extent).get(),
        crate::format::long(group.extent)
    );
    draft.push(action, why, (before, after));
    let left = group.free.minus(data.by).minus(taken(group, sizes.metadata.as_ref()));
    if left.get() == 0 {
        draft.warnings.push(format!(
            "nothing is left in {} then: neither LVM's autoextend nor a repair finds room",
            group.name
        ));
    }
    let _ = group.node;
}

fn say_after(draft: &mut Draft, subject: &Subject<'_>, sizes: &Sizes) {
    let docker = subject.pool.engines.contains(&crate::model::Engine::Docker);
    if docker && sizes.data.is_some() {
        draft.next.push(
            "`docker info` says the new Data Space Total by itself; nothing is to be restarted"
                .to_owned(),
        );
    }
}
