//! A pool that only an earlier look knows, made again with the table that it had then over what
//! holds it now: files that are attached again, devices found by what identifies them. Nothing is
//! written; where no metadata of that pool lies, nothing is made, for over nothing the kernel
//! makes a new, empty pool.

use super::own::attached;
use crate::model::Topology;
use crate::plan::around::Around;
use crate::plan::recall::{PartWas, Recall, Superblock};
use crate::plan::shape::Shape;
use crate::plan::unit::GONE_AFTER_BOOT;
use crate::plan::{Action, Check, Draft, Refusal};
use crate::units::{Bytes, Sectors};

/// The pool of this name that is remembered; `None` where nobody was asked or none is.
pub(super) fn find<'a>(around: &'a Around, name: &str) -> Option<&'a Recall> {
    around.recalled.as_ref().ok()?.iter().find(|recall| recall.was.pool == name)
}

/// Plans it.
pub(super) fn plan(topology: &Topology, recall: &Recall) -> Result<(Draft, Shape), Refusal> {
    let was = &recall.was;
    let name = was.pool.clone();
    let then = Shape::of_line(&was.table).ok_or_else(|| {
        Refusal::new(format!("{} knows no table of {name} that could be made again", recall.by))
    })?;
    present(topology, &was.metadata, recall.metadata_size)?;
    present(topology, &was.data, recall.data_size)?;
    let superblock = superblock(recall)?;
    if then.block() != Some(superblock.block_size) {
        return Err(Refusal::new(format!(
            "the metadata in {} is of a pool with blocks of {} sectors, and {} knows {name} with \
             another table ({}): it is not the same pool",
            was.metadata.name,
            superblock.block_size.get(),
            recall.by,
            was.table
        )));
    }
    let shape = Shape { length: length_now(recall, then.length, superblock)?, ..then };
    let mut draft = Draft { names: vec![name.clone()], ..Draft::default() };
    let mut taken = Vec::new();
    let mut is = Vec::new();
    let places = [(&was.metadata, recall.metadata_size), (&was.data, recall.data_size)];
    let [metadata, data] =
        places.map(|place| part(&mut draft, topology, place, (&mut taken, &mut is)));
    let (metadata, data) = (metadata?, data?);
    is.insert(0, Check::Inactive { name: name.clone() });
    let after = vec![Check::Active { name: name.clone() }, Check::PoolWorks { pool: name.clone() }];
    let table = shape.table(&metadata, &data);
    draft.push(
        Action::CreatePool { name: name.clone(), table },
        format!(
            "with the table that it had at {}, over the metadata that is there; the kernel reads \
             it and writes nothing",
            crate::format::date::moment(was.seen)
        ),
        (is, after),
    );
    if superblock.needs_check {
        draft.warnings.push(format!(
            "the metadata of {name} is marked needs_check: the pool will come up read-only"
        ));
    }
    draft.warnings.push(format!(
        "a pool made so is {GONE_AFTER_BOOT}; --unit writes a unit of systemd that makes it"
    ));
    draft.next.push(format!("start what uses {name}"));
    Ok((draft, shape))
}

fn superblock(recall: &Recall) -> Result<&Superblock, Refusal> {
    recall.superblock.as_ref().map_err(|why| {
        Refusal::new(format!(
            "no metadata of a pool could be read in {}, where {} knows that of {}: {why}. Over \
             nothing the kernel would make a new, empty pool",
            recall.was.metadata.name, recall.by, recall.was.pool
        ))
    })
}

/// The length that the pool has: of its table then, or what it has grown to since by its own
/// metadata. A place that was lengthened meanwhile grows no pool that is only brought back.
fn length_now(recall: &Recall, then: Sectors, now: &Superblock) -> Result<Sectors, Refusal> {
    let has = now.block_size.get().saturating_mul(now.data_blocks.get());
    let least = if has > then.get() { Sectors(has) } else { then };
    let place = recall.data_size.unwrap_or_default().sectors();
    if place.get() < has {
        return Err(Refusal::new(format!(
            "the metadata of {} counts {has} sectors of data and {} has {}: the kernel refuses \
             that; it is not what held the pool, or it was cut",
            recall.was.pool,
            recall.was.data.name,
            place.get()
        )));
    }
    Ok(least.min(place))
}

/// A part is there at all.
fn present(topology: &Topology, was: &PartWas, size: Option<Bytes>) -> Result<(), Refusal> {
    let node = topology.nodes.iter().find(|node| node.id.as_str() == was.id);
    let is_file = was.file.is_some();
    if !is_file && node.is_some_and(|node| node.device.is_none()) {
        return Err(Refusal::new(format!(
            "{} is not active: `thinscope activate` it first, then ask again",
            was.name
        )));
    }
    if size.is_none() || (!is_file && node.is_none()) {
        return Err(Refusal::new(format!("{} is not there: find it first", was.name)));
    }
    Ok(())
}

/// The device of a part, as a table names it, and by what it is held to be the one.
fn part(
    draft: &mut Draft,
    topology: &Topology,
    (was, size): (&PartWas, Option<Bytes>),
    (taken, is): (&mut Vec<String>, &mut Vec<Check>),
) -> Result<String, Refusal> {
    let size = size.unwrap_or_default();
    if let Some(path) = &was.file {
        return attached(draft, topology, (path, size), taken);
    }
    let mut nodes = topology.nodes.iter().filter(|node| node.id.as_str() == was.id);
    let device = nodes.find_map(|node| node.device).ok_or_else(|| {
        Refusal::new(format!("{} has no number that a table could name", was.name))
    })?;
    is.push(Check::Is { device, id: was.id.clone(), name: was.name.clone() });
    Ok(device.to_string())
}
