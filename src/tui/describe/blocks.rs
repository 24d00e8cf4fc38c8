//! What the cursor of the Blocks view stands on.

use super::{Line, Lines};
use crate::format;
use crate::ids::ThinId;
use crate::tui::blocks::{By, Strip, map_of};
use crate::tui::seen::Seen;
use crate::tui::view::block_word;
use crate::units::DataBlocks;

/// Devices that are named one by one.
const NAMED: usize = 24;

/// The cell under the cursor.
pub(crate) fn describe(seen: &Seen, strip: &Strip, exact: bool) -> Vec<Line> {
    let mut lines = Lines { exact, ..Lines::default() };
    let topology = seen.topology();
    let pool = strip.pool.and_then(|ix| topology.pools.get(ix.0 as usize));
    let (Some(pool), Ok((contents, groups)), Some((_, cell))) = (pool, map_of(pool), strip.cell())
    else {
        return lines.list;
    };
    let first = strip.cursor;
    if strip.by == By::Own {
        describe_own(&mut lines, seen, pool, strip);
        return lines.list;
    }
    lines.push(Line::Title(match cell.blocks {
        1 => format!("data block {first} (0x{first:x})"),
        blocks => format!("data blocks {first} to {}", first + blocks - 1),
    }));
    if let (By::Sharing, Some(id)) = (strip.by, strip.device) {
        lines.text(format!("as {} sees them", name(seen, pool, id)));
    }
    let size = |blocks: u64| format::long(DataBlocks(blocks).bytes(contents.block_size));
    for (sort, count) in &cell.sorts {
        lines.fact(block_word(*sort), size(*count));
    }
    if cell.used() < cell.blocks {
        lines.fact("free", size(cell.blocks - cell.used()));
    }
    let run = groups.run_of(first);
    let whole = run.is_some_and(|run| first + cell.blocks <= run.start + run.length);
    let group = run.filter(|_| whole).and_then(|run| groups.list.get(run.group as usize));
    if let Some(group) = group {
        let count = group.device_count();
        lines.head(match count {
            0 => "used by no device",
            1 => "used by",
            _ => "shared by",
        });
        for at in group.places().take(NAMED) {
            if let Some(device) = contents.devices.get(at) {
                lines.text(name(seen, pool, device.id));
            }
        }
        let more = count.saturating_sub(NAMED as u64);
        if more > 0 {
            lines.text(format!("and {more} more"));
        }
        if group.held {
            lines.text("and the metadata snapshot");
        }
    }
    let offset = DataBlocks(first).bytes(contents.block_size).get();
    if let Some(place) = topology.physical(pool, offset).last() {
        let node = topology.node(place.node);
        lines.fact("lies on", format!("{} at byte {}", node.name, place.offset));
    }
    lines.list
}

/// A cell of a device's own address space.
fn describe_own(lines: &mut Lines, seen: &Seen, pool: &crate::model::Pool, strip: &Strip) {
    let (Some((_, cell)), Some(space)) = (strip.cell(), &strip.space) else { return };
    let first = strip.cursor;
    lines.push(Line::Title(match cell.blocks {
        1 => format!("block {first} of the device"),
        blocks => format!("blocks {first} to {} of the device", first + blocks - 1),
    }));
    lines.text(name(seen, pool, space.id));
    if let Some(other) = space.other {
        lines.text(format!("against {}", name(seen, pool, other)));
    }
    let block = pool.block_size.unwrap_or_default();
    let size = |blocks: u64| format::long(DataBlocks(blocks).bytes(block));
    for (sort, count) in &cell.sorts {
        lines.fact(block_word(*sort), size(*count));
    }
    if cell.used() < cell.blocks {
        lines.fact("not mapped", size(cell.blocks - cell.used()));
    }
    lines.fact("from byte", DataBlocks(first).bytes(block).get());
}

fn name(seen: &Seen, pool: &crate::model::Pool, id: ThinId) -> String {
    let mut rows = pool.devices.iter().map(|ix| seen.topology().thin(*ix));
    match rows.find(|row| row.id == Some(id)) {
        Some(row) => format!("{id} {}", row.label()),
        None => format!("device {id}"),
    }
}
