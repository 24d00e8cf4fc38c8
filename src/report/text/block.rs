//! `block`: one data block in sentences, the answer first.

use std::io::{self, Write};

use super::style::{Paint, Painted, Style};
use super::words::{node_name, thin_name};
use crate::format;
use crate::ids::ThinId;
use crate::model::block::Allocated;
use crate::report::block::Answered;
use crate::units::Bytes;

/// Devices that are named one by one.
const NAMED: usize = 40;

/// Prints the answer.
pub fn write_block(out: &mut dyn Write, answered: &Answered<'_>, style: Style) -> io::Result<()> {
    let answer = answered.answer;
    let pool = answered.pool();
    let Some(block) = answer.data_block else {
        let Some((id, at, _)) = answered.asked() else { return Ok(()) };
        let name = style.fit(device(answered, id));
        return writeln!(out, "block {at} of {name} is not mapped: it reads as zeros");
    };
    if let Some((id, at, byte)) = answered.asked() {
        let within = if byte == 0 { String::new() } else { format!(", byte {byte} in it,") };
        let name = style.fit(device(answered, id));
        writeln!(out, "block {at}{within} of {name} is")?;
    }
    let size = format::short(answered.block().bytes());
    let head = format!("data block {block} (0x{block:x}) of {}", pool.name);
    writeln!(out, "{}, {size} a block", Painted(style, Paint::Bold, &style.fit(head)))?;
    write_places(out, answered, style)?;
    write_allocated(out, answered, style)?;
    write_uses(out, answered, style)
}

fn device(answered: &Answered<'_>, id: ThinId) -> String {
    match answered.row(id) {
        Some(row) => format!("{} (device {id})", thin_name(row)),
        None => format!("device {id}"),
    }
}

fn write_places(out: &mut dyn Write, answered: &Answered<'_>, style: Style) -> io::Result<()> {
    let Some(offset) = answered.offset() else { return Ok(()) };
    for place in answered.topology.physical(answered.pool(), offset) {
        let node = answered.topology.node(place.node);
        let name = style.fit(node_name(answered.topology, node));
        let at = format::exact(Bytes(place.offset));
        writeln!(out, "  on {} {name} at byte {at}", node.kind.name())?;
    }
    Ok(())
}

fn write_allocated(out: &mut dyn Write, answered: &Answered<'_>, style: Style) -> io::Result<()> {
    let Some(allocated) = answered.answer.allocated else { return Ok(()) };
    let time = answered.answer.time.unwrap_or_default();
    match allocated {
        Allocated::Certain(id) => {
            let name = style.fit(device(answered, id));
            writeln!(out, "  allocated by {name} at time {time}, for certain")
        }
        Allocated::ByDescent(id) => {
            let name = style.fit(device(answered, id));
            writeln!(
                out,
                "  allocated by {name} at time {time}, if the parents are as its engine says"
            )
        }
        Allocated::Gone => {
            writeln!(out, "  allocated at time {time} by an ancestor that is gone")
        }
    }
}

fn write_uses(out: &mut dyn Write, answered: &Answered<'_>, style: Style) -> io::Result<()> {
    let answer = answered.answer;
    let all: Vec<(ThinId, u64)> = answer
        .uses
        .iter()
        .flat_map(|one| one.devices.iter().map(|id| (*id, one.virtual_block)))
        .collect();
    match all.len() {
        0 => writeln!(out, "  no device reads it")?,
        1 => writeln!(out, "  read by one device")?,
        n => writeln!(out, "  shared by {n} devices")?,
    }
    for (id, at) in all.iter().take(NAMED) {
        writeln!(out, "    {} at block {at}", style.fit(device(answered, *id)))?;
    }
    let more = all.len().saturating_sub(NAMED);
    if more > 0 || answer.more_uses {
        let at_least = if answer.more_uses { "at least " } else { "" };
        writeln!(out, "    and {at_least}{more} more: --json names them")?;
    }
    if answer.uses.iter().any(|one| one.held) {
        writeln!(out, "    and the metadata snapshot that is held")?;
    }
    Ok(())
}
