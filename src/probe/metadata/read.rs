//! Reads the metadata of pools, each of one commit.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};

use super::descent;
use super::raid::leg_in_sync;
use super::reserve::{Reserved, Reserving};
use super::rest::{is_at_rest, read_writes};
use super::source::{Recorded, open};
use super::{Asked, Depth, Laid, MetadataSeen, PoolLook, PoolPlace};
use super::{base, block, vg_text};
use crate::ids::ThinId;
use crate::model::Usage;
use crate::model::block::{BlockAnswer, BlockQuestion};
use crate::model::metadata::{
    DeviceMetadata, Freed, FreedBy, Group, Groups, Lineage, MapRun, Mappings, PoolMetadata,
    Reservation,
};
use crate::sys::ReadHost;
use crate::thinmeta::{
    self, Balance, BlockSource, Damages, Details, Limits, Looked, Looking, MetaError, Origin,
    Origins, Reader, Watch, Whole, look,
};
use crate::units::{DataBlocks, MetadataBlocks};

/// Readings of an active pool before commits are said to outrun them.
const TRIES: u32 = 8;
/// Devices whose origin is inferred: each may be a search among all.
const MOST_ORIGINS: usize = 4096;
/// Damages that are named one by one.
const NAMED: usize = 20;
/// Runs of groups, and of devices in groups, that are kept.
const MOST_RUNS: usize = 1 << 20;

/// Who takes part in a reading beside the host.
#[derive(Clone, Copy, Default)]
pub struct Ways<'a> {
    /// Told of its progress.
    pub watch: Option<Watch<'a>>,
    /// Asked for a metadata snapshot where commits outrun it.
    pub reserving: Option<&'a dyn Reserving>,
}

/// Reads the metadata of these pools. Never fails: what could not be read says why.
pub fn read_metadata(host: &dyn ReadHost, asked: &Asked, ways: Ways<'_>) -> MetadataSeen {
    let mut pools = Vec::new();
    for place in &asked.places {
        let question = asked.block.as_ref().filter(|(pool, _)| *pool == place.pool);
        let block = question.map(|(_, question)| question);
        let what = What { depth: asked.depth, block, freed: &asked.freed };
        let pool = place.pool.clone();
        let look = |read: Result<Read, String>, note| match read {
            Ok((read, block, first)) => {
                let base = place.base.as_ref().zip(first);
                let base_uuid = base.and_then(|((_, data), first)| {
                    base::read_uuid(host, data, first.bytes(read.block_size))
                });
                let text = place.vg_text.as_ref().filter(|text| text.differs(read.transaction));
                let vg_text = text.and_then(|text| vg_text::read(host, text));
                PoolLook { note, block, base_uuid, vg_text, ..PoolLook::new(pool, Ok(read)) }
            }
            Err(why) => PoolLook { note, ..PoolLook::new(pool, Err(why)) },
        };
        match &place.at {
            Err(why) => pools.push(look(Err(why.clone()), None)),
            Ok(laid) => {
                let missing = AtomicBool::new(false);
                let recorded = asked.one_by_one.then_some(Recorded { missing: &missing });
                let looked = read_pool(host, (place, laid, recorded), (what, ways));
                let sound = matches!(&looked, Ok(Some((read, ..))) if read.is_sound());
                if sound || !missing.load(Ordering::Relaxed) {
                    pools.extend(looked.transpose().map(|read| look(read, None)));
                    continue;
                }
                // a recording of large metadata holds the details only
                let read = read_pool(host, (place, laid, recorded), (DETAILS, Ways::default()));
                let note = "its mappings are not in the recording: what is shared is not known";
                pools.extend(read.transpose().map(|read| look(read, Some(note.to_owned()))));
            }
        }
    }
    MetadataSeen { pools }
}

/// What is read of one pool.
#[derive(Clone, Copy)]
struct What<'a> {
    depth: Depth,
    block: Option<&'a BlockQuestion>,
    freed: &'a [ThinId],
}

const DETAILS: What<'static> = What { depth: Depth::Details, block: None, freed: &[] };

/// The metadata, the answer about a block, and where the base device's first block lies.
type Read = (PoolMetadata, Option<Result<BlockAnswer, String>>, Option<DataBlocks>);

/// `None` when a recording has none of it.
fn read_pool(
    host: &dyn ReadHost,
    (place, laid, recorded): (&PoolPlace, &Laid, Option<Recorded<'_>>),
    (what, ways): (What<'_>, Ways<'_>),
) -> Result<Option<Read>, String> {
    let laid = if laid.legs.is_empty() { laid } else { leg_in_sync(host, &laid.legs)? };
    let opened = open(host, laid, recorded).map_err(|failure| failure.why)?;
    let Some(source) = opened else { return Ok(None) };
    let writes = || laid.written.and_then(|dev| read_writes(host, dev));
    let tries = if laid.written.is_some() { TRIES } else { 1 };
    let (limits, watch) = (Limits::default(), ways.watch);
    let looking = Looking { source: &*source, writes: &writes, tries, limits, watch };
    let mut left = tries;
    let read = look(&looking, |reader| {
        left = left.saturating_sub(1);
        read_once(reader, place, what, left > 0)
    });
    match (read, ways.reserving, place.device) {
        (Ok(looked), ..) => Ok(Some(settled(host, (place, laid), looked))),
        (Err(MetaError::Changing { .. } | MetaError::Torn), Some(reserving), Some(pool)) => {
            read_reserved(&*source, (place, what, watch), reserving.reserve(pool)?).map(Some)
        }
        (Err(error), ..) => Err(in_words(&error)),
    }
}

/// What nobody reaches in an active pool is lost only where the pool is at rest.
fn settled(host: &dyn ReadHost, (place, laid): (&PoolPlace, &Laid), looked: Looked<Read>) -> Read {
    let Looked { value: mut read, writes, .. } = looked;
    let Some(mappings) = read.0.mappings.as_deref_mut() else { return read };
    let Some(metadata) = laid.written.filter(|_| mappings.leaked.get() > 0) else { return read };
    if !is_at_rest(host, (place.device, place.data), (metadata, writes)) {
        mappings.pending = std::mem::take(&mut mappings.leaked);
    }
    read
}

/// Reads through a metadata snapshot that was reserved for it, and has it released, however the
/// reading went.
fn read_reserved(
    source: &dyn BlockSource,
    (place, what, watch): (&PoolPlace, What<'_>, Option<Watch<'_>>),
    reserved: Box<dyn Reserved>,
) -> Result<Read, String> {
    let root = reserved.root();
    let read = Reader::open_snapshot(source, root).and_then(|reader| {
        let reader = match watch {
            Some(watch) => reader.watched(watch),
            None => reader,
        };
        let read = read_once(&reader, place, what, false)?;
        // somebody who released it meanwhile let the kernel write over what was being read
        if reader.is_still_held(root)? { Ok(read) } else { Err(MetaError::NotHeld(root)) }
    });
    let released = reserved.release();
    let (mut metadata, block, first) = read.map_err(|error| in_words(&error))?;
    metadata.reserved = Some(match released {
        Ok(()) => Reservation::Released,
        Err(why) => Reservation::Stays(why),
    });
    Ok((metadata, block, first))
}

fn read_once(
    reader: &Reader<'_>,
    place: &PoolPlace,
    what: What<'_>,
    again: bool,
) -> Result<Read, MetaError> {
    let first = place.base.as_ref().and_then(|(id, _)| {
        // whatever is damaged on the way is told where all of it is read
        reader.look_up(*id, 0).ok().flatten().map(|mapping| DataBlocks(mapping.data_block))
    });
    if what.block.is_none() && !wants_mappings(reader, what.depth) {
        let details = reader.details()?;
        let mut damages = reader.damages().clone();
        damages.append(details.damages);
        return Ok((begin(reader, &details.value, &damages), None, first));
    }
    let whole = Whole::read(reader)?;
    // what commits that came between leave behind looks like damage: only what stays is one
    if again && !whole.damages.is_empty() {
        return Err(MetaError::Torn);
    }
    let mut read = begin(reader, &whole.details, &whole.damages);
    set_origins(reader, &whole, place, &mut read)?;
    read.data.used = DataBlocks(whole.data.allocated);
    let parents = all_parents(place, &read);
    let mut mappings = read_mappings(reader, (&whole, &read.devices), &parents)?;
    if mappings.groups.is_none() && !what.freed.is_empty() {
        mappings.freed = Some(count_freed(reader, &whole, what.freed)?);
    }
    read.mappings = Some(Box::new(mappings));
    let block = what.block.map(|asked| block::answer(reader, &whole, &parents, asked));
    Ok((read, block.transpose()?, first))
}

fn wants_mappings(reader: &Reader<'_>, depth: Depth) -> bool {
    let used = MetadataBlocks(reader.superblock().metadata_map.allocated).bytes();
    match depth {
        Depth::Details => false,
        Depth::MappingsUpTo(limit) => used <= limit,
        Depth::Mappings => true,
    }
}

/// What superblock and details say.
fn begin(reader: &Reader<'_>, details: &Details, damages: &Damages) -> PoolMetadata {
    let superblock = reader.superblock();
    let device = |(id, detail): (ThinId, thinmeta::Detail)| DeviceMetadata {
        id,
        mapped: detail.mapped,
        transaction: detail.transaction,
        created: detail.created,
        snapshotted: detail.snapshotted,
        origin: None,
    };
    PoolMetadata {
        transaction: superblock.transaction,
        time: superblock.time,
        needs_check: superblock.flags & 1 != 0,
        held_root: superblock.held_root,
        block_size: superblock.data_block,
        data: Usage {
            used: DataBlocks(superblock.data_map.allocated),
            total: DataBlocks(superblock.data_map.blocks),
        },
        metadata: Usage {
            used: MetadataBlocks(superblock.metadata_map.allocated),
            total: MetadataBlocks(superblock.metadata_map.blocks),
        },
        devices: details.iter().map(device).collect(),
        damages: damages.list().iter().take(NAMED).map(ToString::to_string).collect(),
        damage_count: damages.total(),
        mappings: None,
        reserved: None,
    }
}

fn lineage(origin: Origin) -> Lineage {
    match origin {
        Origin::Empty => Lineage::Empty,
        Origin::Certain(id) => Lineage::Certain(id),
        Origin::Likely(id) => Lineage::Likely(id),
        Origin::OneOf(ids) => Lineage::OneOf(u32::try_from(ids.len()).unwrap_or(u32::MAX)),
        Origin::Gone => Lineage::Gone,
    }
}

/// Devices that no engine gives a parent are looked at for mappings older than themselves.
fn set_origins(
    reader: &Reader<'_>,
    whole: &Whole,
    place: &PoolPlace,
    read: &mut PoolMetadata,
) -> Result<(), MetaError> {
    let origins = Origins::new(&whole.details);
    let unknown = |device: &&mut DeviceMetadata| {
        place.parents.binary_search_by_key(&device.id, |(id, _)| *id).is_err()
    };
    for device in read.devices.iter_mut().filter(unknown).take(MOST_ORIGINS) {
        if in_pool(whole, device.id) {
            let inherited = reader.inherited(&whole.forest, device.id, device.created)?;
            device.origin = origins.of(device.id, inherited).map(lineage);
        }
    }
    Ok(())
}

/// Parents by the engine's word, and where it has none by the metadata alone.
fn all_parents(place: &PoolPlace, read: &PoolMetadata) -> BTreeMap<ThinId, ThinId> {
    let certain = |device: &DeviceMetadata| match device.origin {
        Some(Lineage::Certain(origin)) => Some((device.id, origin)),
        _ => None,
    };
    let told = place.parents.iter().copied();
    read.devices.iter().filter_map(certain).chain(told).collect()
}

/// What deleting devices would give back, counted in a pass of its own: groups are too many to keep.
fn count_freed(reader: &Reader<'_>, whole: &Whole, asked: &[ThinId]) -> Result<FreedBy, MetaError> {
    let ids: Vec<ThinId> = asked.iter().copied().filter(|id| in_pool(whole, *id)).collect();
    let freed = reader.freed_by(&whole.forest, &ids)?;
    Ok(FreedBy { ids, freed: Freed { blocks: freed.blocks, held: freed.held } })
}

/// Whether a device is in the pool's mapping trees.
pub(super) fn in_pool(whole: &Whole, id: ThinId) -> bool {
    whole.forest.index_of(id).is_some()
}

fn read_mappings(
    reader: &Reader<'_>,
    (whole, devices): (&Whole, &[DeviceMetadata]),
    parents: &BTreeMap<ThinId, ThinId>,
) -> Result<Mappings, MetaError> {
    let sharing = &whole.sharing;
    let shares: HashMap<ThinId, Option<DataBlocks>> = sharing
        .devices
        .iter()
        .map(|device| (device.id, device.whole.then_some(device.exclusive)))
        .collect();
    let exclusive = whole.details.iter().map(|(id, _)| shares.get(&id).copied().flatten());
    let unreached = match whole.balance {
        Some(Balance::Leaked(blocks)) => blocks,
        _ => DataBlocks(0),
    };
    let mut mappings = Mappings {
        exclusive: exclusive.collect(),
        deltas: Vec::new(),
        reached: sharing.reached,
        held_only: sharing.held_only,
        leaked: unreached,
        pending: DataBlocks(0),
        groups: None,
        freed: None,
    };
    mappings.deltas = descent::compare(reader, (whole, devices), parents)?;
    mappings.groups = whole.groups.as_ref().and_then(|groups| keep_groups(groups, whole));
    Ok(mappings)
}

/// Groups by places in the details; `None` when some device has no details, or when they are too
/// many.
fn keep_groups(groups: &thinmeta::Groups, whole: &Whole) -> Option<Groups> {
    let ids: Vec<ThinId> = whole.details.iter().map(|(id, _)| id).collect();
    let mut list = Vec::new();
    let mut runs = 0;
    for group in groups.all() {
        // those of more devices than are told one by one
        groups.device_count(group)?;
        let mut devices: Vec<(u32, u32)> = Vec::new();
        for id in groups.devices(group) {
            let at = u32::try_from(ids.binary_search(&id).ok()?).ok()?;
            match devices.last_mut() {
                Some((_, end)) if *end == at => *end += 1,
                _ => devices.push((at, at + 1)),
            }
        }
        runs += devices.len();
        if runs > MOST_RUNS {
            return None;
        }
        list.push(Group { devices, held: groups.is_held(group), blocks: group.blocks });
    }
    Some(Groups { list, map: keep_map(groups, whole.data.blocks) })
}

fn keep_map(groups: &thinmeta::Groups, end: u64) -> Option<Vec<MapRun>> {
    let mut map: Vec<MapRun> = Vec::new();
    for (start, group) in (0..end).zip(groups.range(0..end)) {
        let Some(group) = group else { continue };
        let goes_on = |run: &&mut MapRun| run.group == group && run.start + run.length == start;
        if let Some(run) = map.last_mut().filter(goes_on) {
            run.length += 1;
        } else if map.len() < MOST_RUNS {
            map.push(MapRun { start, length: 1, group });
        } else {
            return None;
        }
    }
    Some(map)
}

fn in_words(error: &MetaError) -> String {
    match error {
        MetaError::Changing { tries } => format!(
            "the pool committed during each of {tries} readings: what it holds now was not seen; \
             look again when less is written, or with --reserve-snapshot, which writes to the pool"
        ),
        other => other.to_string(),
    }
}
