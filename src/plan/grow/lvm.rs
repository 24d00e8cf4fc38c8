//! A pool that LVM owns: devices join, metadata grows, then data, each by LVM, and counts as done
//! when the kernel's status says so.

use super::device::{Joining, joining};
use super::lag::{Has, add_refresh, refuse_ahead};
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
    extent: Bytes,
    /// Extents that are free, new PVs included, before anything grows.
    free: Extents,
    /// How many PVs are new: of each it is known to an extent how many it brings.
    new: u64,
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
    let has = Has::of(subject)?;
    let sizes = sizes(draft, (subject, &has), wish, &group)?;
    refuse_ahead(subject, &has, (sizes.metadata.is_some(), sizes.data.is_some()))?;
    add_devices(draft, &group, &joined);
    if (wish.data.is_some() || wish.metadata.is_some()) && has.is_behind() {
        add_refresh(draft, subject, &volume, &has);
    }
    add_metadata(draft, (subject, &has), wish, (&group, sizes.metadata.as_ref()));
    add_data(draft, subject, wish, (&volume, &group, &sizes));
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
    let new = u64::try_from(joined.len()).unwrap_or(u64::MAX);
    Ok(Group { name, extent, free, new })
}

fn sizes(
    draft: &mut Draft,
    (subject, has): (&Subject<'_>, &Has),
    wish: &Grow,
    group: &Group<'_>,
) -> Result<Sizes, Refusal> {
    let tmeta = subject.part(true)?;
    let mut sizes = Sizes::default();
    if let Some(amount) = wish.metadata {
        refuse_stacks(subject, tmeta)?;
        sizes.metadata = metadata(draft, (subject, has), amount, group)?;
    }
    let Some(amount) = wish.data else {
        check_room(group, &sizes)?;
        return Ok(sizes);
    };
    refuse_stacks(subject, subject.part(false)?)?;
    let data = has.data;
    let target = match asked(amount, data.kernel) {
        // what the kernel has beyond LVM's record is recorded by growing to it
        Asked::Same if data.is_ahead() => Some(extents_up(data.kernel, group.extent)),
        Asked::Same => return check_room(group, &sizes).map(|()| sizes),
        Asked::Less(size) => return Err(subject.shrinks("data", size, data.kernel)),
        Asked::More(size) => Some(extents_up(size, group.extent)),
        Asked::AllFree => None,
    };
    let now = extents_up(data.recorded, group.extent);
    if data.is_behind() && target.is_some_and(|to| to <= now) {
        return check_room(group, &sizes).map(|()| sizes);
    }
    let to = target.unwrap_or(Extents(now.get().saturating_add(group.free.get())));
    // LVM would grow metadata by itself to what so much data wants: it is done first, and seen
    if let Some(more) = implied((subject, has), group, (tmeta, to), sizes.metadata.as_ref())? {
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
    if by.get() == 0 && data.is_behind() {
        return check_room(group, &sizes).map(|()| sizes);
    }
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
    (subject, has): (&Subject<'_>, &Has),
    amount: Amount,
    group: &Group<'_>,
) -> Result<Option<Metadata>, Refusal> {
    let metadata = has.metadata;
    let now = metadata.recorded;
    let mut to = match asked(amount, metadata.kernel) {
        Asked::Same if metadata.is_ahead() => extents_up(metadata.kernel, group.extent),
        Asked::Same => return Ok(None),
        Asked::Less(size) => return Err(subject.shrinks("metadata", size, metadata.kernel)),
        Asked::More(size) => extents_up(size, group.extent),
        Asked::AllFree => all_for_metadata(subject, now, group),
    };
    let most = extents_down(MOST_METADATA, group.extent);
    if metadata.is_behind() && to.min(most).bytes(group.extent) <= now {
        return Ok(None);
    }
    if now >= most.bytes(group.extent) {
        return Err(Refusal::new(format!(
            "the metadata of {} has {} already: LVM and the kernel use no more than 15.81 GiB, \
             which is {} extents of {}",
            subject.name,
            words(now),
            most.get(),
            crate::format::long(group.extent)
        )));
    }
    if to.bytes(group.extent) <= now {
        return Err(Refusal::new(format!(
            "{} has no free extents for metadata and for LVM's spare for repairs, which grows with \
             it: add a device with --add-pv, or free some",
            group.name
        )));
    }
    if to > most {
        draft.warnings.push(format!(
            "metadata is held at {}: LVM and the kernel use no more than 15.81 GiB",
            words(most.bytes(group.extent))
        ));
        to = most;
    }
    Ok(Some(step_of(subject, now, to.bytes(group.extent), false)))
}

/// To how many extents metadata grows when it takes all that is free. LVM's spare for repairs
/// follows the largest metadata of its group: what lies above it is paid twice.
fn all_for_metadata(subject: &Subject<'_>, now: Bytes, group: &Group<'_>) -> Extents {
    let now = extents_up(now, group.extent).get();
    let free = group.free.get().saturating_sub(group.new);
    let alone = now.saturating_add(free);
    let to = match spare(subject).map(|spare| extents_up(spare, group.extent).get()) {
        Some(spare) if alone > spare => alone.saturating_add(spare) / 2,
        _ => alone,
    };
    Extents(to)
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
    (subject, has): (&Subject<'_>, &Has),
    group: &Group<'_>,
    (tmeta, to): (&Node, Extents),
    asked: Option<&Metadata>,
) -> Result<Option<Metadata>, Refusal> {
    let now = has.metadata.recorded;
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
        let Joining { path, name, number, id, size, about, is_pv, holds } = device;
        let extents = extents_of_pv(*size, group.extent);
        draft.destroys.extend(device.lost().map(|lost| (path.clone(), lost)));
        let pv =
            |of: &str| Check::Pv { device: path.clone(), name: name.clone(), group: of.to_owned() };
        if !is_pv {
            let (device, name) = (path.clone(), name.clone());
            let unused = Check::Unused {
                device: device.clone(),
                name: name.clone(),
                size: *size,
                id: id.clone(),
            };
            draft.push(
                Action::CreatePv { device, name, number: *number, holds: holds.clone() },
                format!("LVM takes {path} as storage: {about}"),
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
    (subject, has): (&Subject<'_>, &Has),
    wish: &Grow,
    (group, metadata): (&Group<'_>, Option<&Metadata>),
) {
    let Some(metadata) = metadata else { return };
    let pool = subject.name.clone();
    let mut before = subject.before();
    before.push(has.totals(subject));
    before.push(Check::VolumeIs {
        volume: format!("{}/{}", group.name, metadata.volume),
        size: metadata.to.minus(metadata.by),
    });
    before.push(Check::Free {
        group: group.name.to_owned(),
        least: metadata.by.plus(metadata.spare_by),
    });
    let least = MetadataBlocks(metadata.to.min(MOST_METADATA).get() / METADATA_BLOCK_BYTES);
    let after =
        vec![Check::MetadataBlocks { pool: pool.clone(), least }, Check::PoolWorks { pool }];
    let spare = match metadata.spare_by {
        Bytes(0) => String::new(),
        by => format!("; LVM's spare for repairs grows by {} with it", words(by)),
    };
    let first = if metadata.unasked { "LVM would do it with the data" } else { "before the data" };
    let by = extents_up(metadata.by, group.extent);
    let more = added(wish.said(true).filter(|_| !metadata.unasked), by, group.extent);
    draft.push(
        Action::GrowMetadata {
            pool: subject.pool.lv.as_ref().map(ToString::to_string).unwrap_or_default(),
            by: metadata.by,
            spare_by: metadata.spare_by,
        },
        format!("{more}: metadata to {}, {first}{spare}", words(metadata.to)),
        (before, after),
    );
}

/// What is added: as it was asked for, in extents, and exact.
fn added(said: Option<String>, by: Extents, extent: Bytes) -> String {
    let (count, bytes) = (by.get(), by.bytes(extent).get());
    let extents = if count == 1 { "extent" } else { "extents" };
    match said {
        Some(said) => format!("{said} ({count} more {extents}, {bytes} bytes)"),
        None => format!("{count} more {extents}, {bytes} bytes"),
    }
}

fn add_data(
    draft: &mut Draft,
    subject: &Subject<'_>,
    wish: &Grow,
    (volume, group, sizes): (&str, &Group<'_>, &Sizes),
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
    let unsure = if data.all { Extents(group.new).bytes(group.extent) } else { Bytes(0) };
    let least = blocks(data.to.minus(unsure));
    let after = vec![Check::DataBlocks { pool: pool.clone(), least }, Check::PoolWorks { pool }];
    let action = Action::GrowData {
        pool: volume.to_owned(),
        by: data.by,
        extent: group.extent,
        all: data.all,
    };
    let why = format!(
        "{}: data to {} in {} extents of {}; the pool stands still for some tens of milliseconds",
        added(wish.said(false), data.by, group.extent),
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
