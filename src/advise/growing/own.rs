//! More room in a pool that LVM does not own: `thinscope grow` takes the file, or the volume under
//! it, along; a disk must have grown before.

use super::{Part, step_of, typed};
use crate::advise::words::shell;
use crate::format;
use crate::model::{Kind, LvFacts, Pool, Topology};
use crate::units::Bytes;

/// The command, with what has to come before it.
pub(super) fn grow(topology: &Topology, pool: &Pool, part: Part) -> String {
    let by = step_of(pool, part);
    let command = format!(
        "`thinscope grow {} --{what} +{}`",
        shell(pool.name.as_str()),
        typed(by),
        what = part.name()
    );
    let at = match part {
        Part::Data => pool.data,
        Part::Metadata => pool.metadata,
    };
    let Some(node) = at.map(|ix| topology.node(ix)) else { return command };
    if let Some(lv) = &node.facts.lv {
        return match short_of(topology, lv, by) {
            Some(first) => format!("{first}, then {command}"),
            None => command,
        };
    }
    let usage = match part {
        Part::Data => pool.data_usage(),
        Part::Metadata => pool.metadata_usage(),
    };
    let is_longer = |size: Bytes| usage.is_some_and(|usage| usage.total.plus(by) <= size);
    if node.kind == Kind::Loop || node.size.is_some_and(is_longer) {
        return command;
    }
    format!("enlarge {} by {}, then {command}", node.name, format::long(by))
}

/// What is done first where the VG of the volume under a pool lacks the room.
fn short_of(topology: &Topology, lv: &LvFacts, by: Bytes) -> Option<String> {
    let is_group = |kind: Kind, name: &str| kind == Kind::Vg && name == lv.vg.as_str();
    let group = topology.nodes.iter().find(|node| is_group(node.kind, node.name.as_str()))?;
    let free = group.facts.vg.as_ref()?.free.filter(|free| *free < by)?;
    let vg = shell(lv.vg.as_str());
    Some(format!(
        "add a disk (the VG {vg} has {} free), `vgextend {vg} DEVICE`",
        format::long(free)
    ))
}
