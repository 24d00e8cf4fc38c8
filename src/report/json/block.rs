//! The answer of `block --json`.

use crate::ids::{DevNo, ThinId};
use crate::model::Role;
use crate::model::block::{Allocated, BlockUse};
use crate::report::block::Answered;
use crate::text::Printable;

/// One data block.
#[derive(serde::Serialize)]
pub(super) struct Answer<'a> {
    pool: &'a Printable,
    device_id: Option<ThinId>,
    virtual_block: Option<u64>,
    block_size_bytes: u64,
    data_block: Option<u64>,
    data_offset_bytes: Option<u64>,
    time: Option<u32>,
    allocated_by: Option<Allocator<'a>>,
    shared: bool,
    uses: Vec<Use<'a>>,
    more_uses: bool,
    physical: Vec<Place<'a>>,
}

#[derive(serde::Serialize)]
struct Allocator<'a> {
    device_id: Option<ThinId>,
    certain: bool,
    name: Option<&'a Printable>,
}

#[derive(serde::Serialize)]
struct Use<'a> {
    device_id: Option<ThinId>,
    virtual_block: u64,
    time: u32,
    role: Option<Role>,
    name: Option<&'a Printable>,
    metadata_snapshot: bool,
}

#[derive(serde::Serialize)]
struct Place<'a> {
    node: String,
    name: &'a Printable,
    device: Option<DevNo>,
    offset_bytes: u64,
}

impl<'a> Answer<'a> {
    pub(super) fn new(answered: &'a Answered<'a>) -> Self {
        let (pool, answer) = (answered.pool(), answered.answer);
        let asked = answered.asked();
        let uses: Vec<Use<'a>> = answer.uses.iter().flat_map(|one| uses(answered, one)).collect();
        Self {
            pool: &pool.name,
            device_id: asked.map(|(id, _, _)| id),
            virtual_block: asked.map(|(_, block, _)| block),
            block_size_bytes: answered.block().bytes().get(),
            data_block: answer.data_block,
            data_offset_bytes: answered.offset(),
            time: answer.time,
            allocated_by: answer.allocated.map(|by| allocator(answered, by)),
            shared: uses.len() > 1,
            uses,
            more_uses: answer.more_uses,
            physical: places(answered),
        }
    }
}

fn allocator<'a>(answered: &Answered<'a>, by: Allocated) -> Allocator<'a> {
    let (device_id, certain) = match by {
        Allocated::Certain(id) => (Some(id), true),
        Allocated::ByDescent(id) => (Some(id), false),
        Allocated::Gone => (None, false),
    };
    let name = device_id.and_then(|id| answered.row(id)).map(|row| &row.name);
    Allocator { device_id, certain, name }
}

fn uses<'a>(answered: &Answered<'a>, one: &BlockUse) -> Vec<Use<'a>> {
    let of = |id: Option<ThinId>| {
        let row = id.and_then(|id| answered.row(id));
        Use {
            device_id: id,
            virtual_block: one.virtual_block,
            time: one.time,
            role: row.map(|row| row.role),
            name: row.map(|row| &row.name),
            metadata_snapshot: id.is_none(),
        }
    };
    let mut list: Vec<Use<'a>> = one.devices.iter().map(|id| of(Some(*id))).collect();
    if one.held && list.is_empty() {
        list.push(of(None));
    }
    list
}

fn places<'a>(answered: &Answered<'a>) -> Vec<Place<'a>> {
    let Some(offset) = answered.offset() else { return Vec::new() };
    let places = answered.topology.physical(answered.pool(), offset);
    let place = |place: crate::model::block::PhysicalPlace| {
        let node = answered.topology.node(place.node);
        Place {
            node: node.id.to_string(),
            name: &node.name,
            device: node.device,
            offset_bytes: place.offset,
        }
    };
    places.into_iter().map(place).collect()
}
