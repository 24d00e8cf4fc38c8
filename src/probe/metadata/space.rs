//! A device's own address space, alone or against another's.

use crate::ids::ThinId;
use crate::model::block::{BlockAnswer, Space, SpaceSort};
use crate::thinmeta::{Difference, MetaError, Reader, Whole};

/// Runs that are kept.
const MOST_RUNS: usize = 1 << 19;

/// All of it; what is damaged leaves a hole.
pub(super) fn answer(
    reader: &Reader<'_>,
    whole: &Whole,
    id: ThinId,
    other: Option<ThinId>,
) -> Result<Result<BlockAnswer, String>, MetaError> {
    for id in [Some(id), other].into_iter().flatten() {
        if whole.forest.index_of(id).is_none() {
            return Ok(Err(format!("the pool has no device {id}")));
        }
    }
    let mut space = Space { id, other, runs: Vec::new(), cut: false };
    match other {
        Some(other) => compare(reader, whole, (id, other), &mut space)?,
        None => alone(reader, whole, id, &mut space)?,
    }
    Ok(Ok(BlockAnswer { space: Some(space), ..BlockAnswer::default() }))
}

fn alone(
    reader: &Reader<'_>,
    whole: &Whole,
    id: ThinId,
    space: &mut Space,
) -> Result<(), MetaError> {
    let groups = whole.groups.as_ref();
    let sort = |block| {
        let group = groups.and_then(|groups| {
            let group = groups.all().get(groups.of(block)? as usize)?;
            groups.device_count(group)
        });
        if group == Some(1) { SpaceSort::Alone } else { SpaceSort::Shared }
    };
    reader.mappings(&whole.forest, id, (0, u64::MAX), &mut |mapping| {
        space.push(mapping.virtual_block, sort(mapping.data_block), MOST_RUNS);
    })?;
    Ok(())
}

/// What both map alike is not among the differences: the first's mappings fill it in.
fn compare(
    reader: &Reader<'_>,
    whole: &Whole,
    (id, other): (ThinId, ThinId),
    space: &mut Space,
) -> Result<(), MetaError> {
    let mut different = Space { id, other: None, runs: Vec::new(), cut: false };
    reader.differences(&whole.forest, id, other, &mut |difference| {
        let (block, what) = match difference {
            Difference::Different(one, _) => (one.virtual_block, SpaceSort::Different),
            Difference::LeftOnly(one) => (one.virtual_block, SpaceSort::Added),
            Difference::RightOnly(one) => (one.virtual_block, SpaceSort::Lacking),
        };
        different.push(block, what, MOST_RUNS);
    })?;
    let mut left = different.runs.iter().copied().peekable();
    reader.mappings(&whole.forest, id, (0, u64::MAX), &mut |mapping| {
        let block = mapping.virtual_block;
        while let Some(run) = left.next_if(|run| run.start + run.length <= block) {
            put(space, run.what, run.start..run.start + run.length);
        }
        let known = left.peek().is_some_and(|run| run.start <= block);
        if !known {
            space.push(block, SpaceSort::Same, MOST_RUNS);
        }
    })?;
    for run in left {
        put(space, run.what, run.start..run.start + run.length);
    }
    space.cut |= different.cut;
    Ok(())
}

fn put(space: &mut Space, what: SpaceSort, blocks: std::ops::Range<u64>) {
    for block in blocks {
        if !space.push(block, what, MOST_RUNS) {
            break;
        }
    }
}
