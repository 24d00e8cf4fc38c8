//! One data block: found, who uses it, who allocated it.

use std::collections::BTreeMap;

use super::space;
use crate::ids::ThinId;
use crate::model::block::{Allocated, BlockAnswer, BlockQuestion, BlockUse, Position};
use crate::thinmeta::{Allocation, LookUpError, Mapping, MetaError, Reader, Whole, allocated_by};

/// Uses that are told, and devices in all of them together.
const MOST_USES: usize = 1000;
const MOST_DEVICES: usize = 100_000;

/// Answers one question; what is damaged on the way to the answer is said in words.
pub(super) fn answer(
    reader: &Reader<'_>,
    whole: &Whole,
    parents: &BTreeMap<ThinId, ThinId>,
    asked: &BlockQuestion,
) -> Result<Result<BlockAnswer, String>, MetaError> {
    let (block, reads) = match asked {
        BlockQuestion::Data(block) if *block >= reader.data_end().get() => {
            let end = reader.data_end().get();
            return Ok(Err(format!("the pool has {end} data blocks: {block} is behind the last")));
        }
        BlockQuestion::Data(block) => (*block, None),
        BlockQuestion::Space { id, other } => return space::answer(reader, whole, *id, *other),
        BlockQuestion::Of { id, at } => match find(reader, *id, *at) {
            Ok(Some(mapping)) => (mapping.data_block, Some((*id, mapping.time))),
            Ok(None) => return Ok(Ok(BlockAnswer::default())),
            Err(LookUpError::Meta(MetaError::NoDevice(id))) => {
                return Ok(Err(format!("the pool has no device {id}")));
            }
            Err(LookUpError::Meta(error)) => return Err(error),
            Err(LookUpError::Damaged(damage)) => return Ok(Err(damage.to_string())),
        },
    };
    let mut found = uses(reader, whole, block)?;
    let first = found.uses.first().and_then(|one| Some((*one.devices.first()?, one.time)));
    if let Some((device, time)) = reads.or(first) {
        found.time = Some(time);
        found.allocated = Some(allocated(whole, parents, &found.uses, (device, time)));
    }
    Ok(Ok(found))
}

fn find(reader: &Reader<'_>, id: ThinId, at: Position) -> Result<Option<Mapping>, LookUpError> {
    let (virtual_block, _) = at.within(reader.superblock().data_block);
    reader.look_up(id, virtual_block)
}

fn uses(reader: &Reader<'_>, whole: &Whole, block: u64) -> Result<BlockAnswer, MetaError> {
    let mut found = BlockAnswer { data_block: Some(block), ..BlockAnswer::default() };
    let mut devices = 0;
    reader.uses(&whole.forest, (block, block), &mut |one| {
        if found.uses.len() >= MOST_USES || devices >= MOST_DEVICES {
            found.more_uses = true;
            return;
        }
        let ids: Vec<ThinId> = one.devices(&whole.forest).take(MOST_DEVICES - devices).collect();
        devices += ids.len();
        found.uses.push(BlockUse {
            virtual_block: one.mapping.virtual_block,
            time: one.mapping.time,
            devices: ids,
            held: one.is_held(&whole.forest),
        });
    })?;
    Ok(found)
}

fn allocated(
    whole: &Whole,
    parents: &BTreeMap<ThinId, ThinId>,
    uses: &[BlockUse],
    (device, time): (ThinId, u32),
) -> Allocated {
    let same: Vec<ThinId> =
        uses.iter().filter(|one| one.time == time).flat_map(|one| one.devices.clone()).collect();
    let parent = |id| parents.get(&id).copied();
    match allocated_by(&whole.details, (device, time), &same, &parent) {
        Allocation::Certain(id) => Allocated::Certain(id),
        Allocation::ByDescent(id) => Allocated::ByDescent(id),
        Allocation::Gone => Allocated::Gone,
    }
}
