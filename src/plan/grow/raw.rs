//! A pool that LVM does not own, over volumes or disks: the device below grows, by LVM or before
//! now by somebody else, and the pool's table gets its length.

use super::{Subject, amount, refuse_stacks, words};
use crate::intent::{Amount, Grow};
use crate::model::Node;
use crate::plan::sizing::{Asked, asked, extents_down, extents_up};
use crate::plan::{Action, Check, Draft, Refusal, find};
use crate::units::{Bytes, DataBlocks, METADATA_BLOCK_BYTES, MetadataBlocks};

/// Plans the growth.
pub(super) fn plan(draft: &mut Draft, subject: &Subject<'_>, wish: &Grow) -> Result<(), Refusal> {
    let mut sizes = [None, None];
    for (part, size) in [true, false].into_iter().zip(&mut sizes) {
        let Some(amount) = amount(wish, part) else { continue };
        let said = wish.said(part).unwrap_or_default();
        *size = grow_part(draft, subject, (part, amount, &said), &sizes_taken(draft))?;
    }
    let [metadata, data] = sizes;
    if metadata.is_none() && data.is_none() {
        return Ok(());
    }
    reload(draft, subject, metadata, data)
}

/// What earlier steps of the same plan take of each group.
fn sizes_taken(draft: &Draft) -> Vec<(String, Bytes)> {
    let of = |step: &crate::plan::Step| match &step.action {
        Action::GrowVolume { volume, by, extent } => {
            Some((volume.split_once('/')?.0.to_owned(), by.bytes(*extent)))
        }
        _ => None,
    };
    draft.steps.iter().filter_map(of).collect()
}

/// Grows what holds a part, where it is a volume, and says how large the part then is; `None`
/// when the pool has taken in that size already.
fn grow_part(
    draft: &mut Draft,
    subject: &Subject<'_>,
    (metadata, amount, said): (bool, Amount, &str),
    taken: &[(String, Bytes)],
) -> Result<Option<Bytes>, Refusal> {
    let what = if metadata { "metadata" } else { "data" };
    let node = subject.part(metadata)?;
    let device =
        node.size.ok_or_else(|| Refusal::new(format!("the size of {} was not seen", node.name)))?;
    let pool_has = in_pool(subject, metadata);
    refuse_stacks(subject, node)?;
    let Some(lv) = &node.facts.lv else {
        return disk(subject, (what, amount), node, (device, pool_has));
    };
    let volume = format!("{}/{}", lv.vg, lv.name);
    // what the volume has beyond the pool counts as growth already
    let wanted = match asked(amount, pool_has) {
        Asked::Less(size) => return Err(subject.shrinks(what, size, pool_has)),
        Asked::Same => return Ok(None),
        Asked::More(size) => Some(size),
        Asked::AllFree => None,
    };
    let device = level(draft, subject, (&volume, node), device)?;
    let group = find::group(subject.topology, lv.vg.as_str());
    let facts = group.and_then(|group| group.facts.vg.as_deref());
    let (Some(extent), Some(free)) = (facts.and_then(|vg| vg.extent), facts.and_then(|vg| vg.free))
    else {
        return Err(Refusal::new(format!("the room in volume group {} was not seen", lv.vg)));
    };
    let taken = taken.iter().filter(|(group, _)| lv.vg.as_str() == group);
    let free = taken.fold(free, |free, (_, bytes)| free.minus(*bytes));
    let free = extents_down(free, extent);
    let now = extents_up(device, extent);
    let by = match wanted {
        Some(size) => extents_up(size, extent).minus(now),
        None => free,
    };
    if by.get() == 0 {
        return if device > pool_has {
            Ok(Some(device))
        } else {
            Err(Refusal::new(format!("{} has no free extent for {volume}", lv.vg)))
        };
    }
    if by > free {
        return Err(Refusal::new(format!(
            "{} extents are needed for {volume} and {} has {} free: ask for less, or vgextend it",
            by.get(),
            lv.vg,
            free.get()
        )));
    }
    let to = now.plus(by).bytes(extent);
    let mut before = subject.before();
    before.push(Check::VolumeIs { volume: volume.clone(), size: device });
    before.push(Check::Free { group: lv.vg.to_string(), least: by.bytes(extent) });
    let after = vec![
        Check::VolumeSize { volume: volume.clone(), least: to },
        Check::DeviceSize { volume: volume.clone(), least: to },
    ];
    let why = format!(
        "the {what} of {} lies on it: {said} ({} more extents, {} bytes), to {}",
        subject.name,
        by.get(),
        by.bytes(extent).get(),
        words(to)
    );
    draft.push(Action::GrowVolume { volume, by, extent }, why, (before, after));
    Ok(Some(to))
}

/// The size of a volume once the kernel has what LVM records, with the step for it: whoever died in
/// a growth may have left the kernel behind. Where it is ahead, nothing is taken on trust.
fn level(
    draft: &mut Draft,
    subject: &Subject<'_>,
    (volume, node): (&str, &Node),
    device: Bytes,
) -> Result<Bytes, Refusal> {
    let recorded = find::committed(node).unwrap_or(device);
    if recorded < device {
        return Err(Refusal::new(format!(
            "the kernel has {} of {volume} and LVM records {}: somebody's growth was cut off and \
             resumed; `lvextend -L {}b {volume}` first, never `lvchange --refresh`",
            words(device),
            words(recorded),
            device.get()
        )));
    }
    if recorded > device {
        let mut before = subject.before();
        before.push(Check::VolumeIs { volume: volume.to_owned(), size: recorded });
        let why = format!(
            "LVM records {} where the kernel has {}: a growth was cut off before the kernel had \
             taken it",
            words(recorded),
            words(device)
        );
        let after = vec![Check::DeviceSize { volume: volume.to_owned(), least: recorded }];
        draft.push(Action::Refresh { volume: volume.to_owned() }, why, (before, after));
    }
    Ok(recorded)
}

/// A disk or partition below: it has grown, or it has not.
fn disk(
    subject: &Subject<'_>,
    (what, amount): (&str, Amount),
    node: &Node,
    (device, pool_has): (Bytes, Bytes),
) -> Result<Option<Bytes>, Refusal> {
    let wanted = match asked(amount, pool_has) {
        Asked::Less(size) => return Err(subject.shrinks(what, size, pool_has)),
        Asked::Same => return Ok(None),
        Asked::More(size) => size,
        Asked::AllFree => device,
    };
    if wanted > device {
        return Err(Refusal::new(format!(
            "the {what} of {} lies on {}, which has {} and is no volume of LVM: enlarge that \
             device first, then ask again",
            subject.name,
            node.name,
            words(device)
        )));
    }
    Ok((device > pool_has).then_some(wanted))
}

/// What the pool has taken in of a part: the length of its table for data, the status' total for
/// metadata.
pub(super) fn in_pool(subject: &Subject<'_>, metadata: bool) -> Bytes {
    if metadata {
        return subject.status.metadata.total.bytes();
    }
    let line = subject.table().ok().and_then(|(_, line)| length_of(line));
    line.unwrap_or_else(|| subject.status.data.total.bytes(subject.block))
}

fn length_of(line: &str) -> Option<Bytes> {
    let sectors = line.split(' ').nth(1)?.parse::<u64>().ok()?;
    Some(Bytes(sectors.checked_mul(512)?))
}

/// The step that has the pool take in its devices' sizes.
pub(super) fn reload(
    draft: &mut Draft,
    subject: &Subject<'_>,
    metadata: Option<Bytes>,
    data: Option<Bytes>,
) -> Result<(), Refusal> {
    let (dm, line) = subject.table()?;
    let node = subject.topology.node(subject.pool.node);
    let (Some(device), true) = (node.device, find::is_plain(dm.name.as_str())) else {
        return Err(Refusal::new(format!(
            "{} has a name that cannot stand in a command, or no number",
            subject.name
        )));
    };
    let now = length_of(line).unwrap_or_default();
    // a pool's length is its data's, in whole blocks as the kernel counts them
    let length = data.unwrap_or(now).max(now);
    let new = with_length(line, length)
        .ok_or_else(|| Refusal::new(format!("the table of {} is not understood", subject.name)))?;
    let mut before = subject.before();
    before.push(subject.totals());
    before.push(Check::Table { name: dm.name.to_string(), lines: vec![line.to_owned()] });
    let pool = subject.name.clone();
    let mut after = vec![
        Check::Table { name: dm.name.to_string(), lines: vec![new.clone()] },
        Check::DataBlocks {
            pool: pool.clone(),
            least: DataBlocks(length.get() / subject.block.bytes().get().max(1)),
        },
    ];
    if let Some(metadata) = metadata {
        let most = crate::plan::sizing::MOST_METADATA;
        let least = MetadataBlocks(metadata.min(most).get() / METADATA_BLOCK_BYTES);
        after.push(Check::MetadataBlocks { pool: pool.clone(), least });
    }
    after.push(Check::PoolWorks { pool });
    let action = Action::Reload {
        device,
        name: dm.name.to_string(),
        uuid: dm.uuid.to_string(),
        old: vec![line.to_owned()],
        new: vec![new],
    };
    let why = "the pool takes in the new size: loaded first, then suspended and resumed by a \
               process of its own, some milliseconds; every other argument stays to the letter";
    draft.push(action, why, (before, after));
    Ok(())
}

/// The same line with another length; nothing else is touched.
fn with_length(line: &str, length: Bytes) -> Option<String> {
    let mut words: Vec<&str> = line.split(' ').collect();
    if words.get(2) != Some(&"thin-pool") {
        return None;
    }
    let sectors = length.sectors().get().to_string();
    *words.get_mut(1)? = &sectors;
    Some(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_length_of_a_table_changes() {
        let line = "0 204800 thin-pool 253:1 253:2 128 32768 1 skip_block_zeroing";
        assert_eq!(
            with_length(line, Bytes(1 << 30)).as_deref(),
            Some("0 2097152 thin-pool 253:1 253:2 128 32768 1 skip_block_zeroing")
        );
        assert_eq!(with_length("0 204800 linear 8:0 0", Bytes(1 << 30)), None);
    }
}
