//! Facts of a thin device: whose it is, where in its chain, what it takes.

use super::{Line, Lines};
use crate::format;
use crate::model::{Node, Role, ThinDevice};
use crate::text::Printable;
use crate::tui::seen::Seen;

/// A thin device.
pub(super) fn describe(lines: &mut Lines, seen: &Seen, node: &Node, device: &ThinDevice) {
    lines.push(Line::Title(match (device.role, device.id) {
        (Role::Leaked, Some(id)) => format!("device {id}"),
        _ => device.label().into_owned(),
    }));
    lines.text(format!("{}, of {}", role_sentence(device.role), device.engine.name()));
    lines.fact("device id", device.id.map_or_else(|| "?".to_owned(), |id| id.to_string()));
    let state = device.container.as_ref().map(|c| c.state.map_or("?", |state| state.name()));
    lines.maybe("state", state);
    lines.maybe("image", image_of(seen, node, device));
    describe_sizes(lines, device);
    describe_sharing(lines, seen, device);
    if let Some((at, of)) = device.position {
        lines.fact("layer", format!("{at} of {of}"));
    }
    match (device.parent, parent(seen, node)) {
        (Some(id), Some(parent)) => lines.fact("made from", format!("{id}, {}", parent.label())),
        (Some(id), None) => lines.fact("made from", format!("{id} (not in the pool)")),
        (None, _) => {}
    }
    describe_descent(lines, seen, device);
    let inactive = "no (most layers never are, and that is healthy)";
    if device.role != Role::Missing {
        lines.fact("active", if device.active { "yes" } else { inactive });
    }
    if device.suspended {
        lines.text("suspended: whoever reads or writes it waits");
    }
    if device.deferred_deletion {
        lines.text("to be deleted: the engine could not yet");
    }
    let mounted = device.mountpoint.as_ref().filter(|path| !node.mountpoints.contains(path));
    lines.maybe("mounted on", mounted);
    lines.maybe("note", device.note.as_ref());
    for claim in &device.claims {
        let (engine, name, by) = (claim.engine.name(), &claim.name, &claim.by);
        lines.fact("claimed", format!("by {engine} as {name}, in {by}"));
    }
    describe_names(lines, seen, device);
}

/// Whether the pool's metadata bears its parent out, or whose snapshot it is where no engine says.
fn describe_descent(lines: &mut Lines, seen: &Seen, device: &ThinDevice) {
    let topology = seen.topology();
    if let Some(judged) = topology.descent(device) {
        lines.fact("descent", judged.to_string());
    } else if device.parent.is_none()
        && let Some(lineage) = topology.lineage(device)
    {
        lines.fact("descent", lineage.to_string());
    }
}

fn describe_names(lines: &mut Lines, seen: &Seen, device: &ThinDevice) {
    if let Some(container) = &device.container {
        lines.fact("container", &container.id);
        lines.maybe("pod", container.pod.as_ref());
        lines.maybe("namespace", container.namespace.as_ref());
    }
    if let Some(pool) = seen.topology().pools.get(device.pool.0 as usize) {
        lines.fact("pool", &pool.name);
    }
    lines.fact("name", &device.name);
    lines.maybe("dm name", device.dm_name.as_ref());
    lines.maybe("chain id", device.chain_id.as_ref());
    lines.maybe("transaction", device.transaction_id);
    if device.images.len() > 1 {
        lines.head("images that hold it");
        device.images.iter().for_each(|image| lines.text(image.as_str()));
    }
}

/// The image of a layer, or the one that a container was made from: the first whose uppermost
/// layer it stands on.
fn image_of<'s>(seen: &'s Seen, node: &Node, device: &'s ThinDevice) -> Option<&'s Printable> {
    if !device.images.is_empty() {
        return device.images.first();
    }
    let first = seen.descent.parent_of(node.facts.thin?)?;
    let layer = std::iter::successors(Some(first), |ix| seen.descent.parent_of(*ix))
        .take(2)
        .filter_map(|ix| seen.topology().thins.get(ix.0 as usize))
        .find(|device| device.role == Role::ImageLayer)?;
    let is_top = layer.position.is_some_and(|(at, of)| at == of);
    layer.images.first().filter(|_| is_top)
}

fn describe_sizes(lines: &mut Lines, device: &ThinDevice) {
    lines.size("size", device.size);
    if device.role == Role::Missing {
        return;
    }
    lines.size("mapped", device.mapped);
    lines.size("exclusive", device.exclusive);
    lines.size("shared", device.shared);
    if device.parent.is_some() {
        lines.size("delta", device.delta);
    }
}

/// With whom it shares most.
fn describe_sharing(lines: &mut Lines, seen: &Seen, device: &ThinDevice) {
    const MOST: usize = 4;
    let pool = seen.topology().pools.get(device.pool.0 as usize);
    let (Some(pool), Some(id)) = (pool, device.id) else { return };
    let Some(contents) = pool.contents.as_deref() else { return };
    let groups = contents.mappings.as_ref().and_then(|mappings| mappings.groups.as_ref());
    // asked for every frame: beyond this it would be felt
    if groups.is_none_or(|groups| groups.list.len() > 5000) {
        return;
    }
    let shared = contents.shared_with(id);
    for (other, blocks) in shared.iter().take(MOST) {
        let mut rows = pool.devices.iter().map(|ix| seen.topology().thin(*ix));
        let name = rows
            .find(|row| row.id == Some(*other))
            .map_or_else(|| format!("device {other}"), |row| row.label().into_owned());
        let size = format::long(blocks.bytes(contents.block_size));
        lines.fact("shares", format!("{size} with {name}"));
    }
    if shared.len() > MOST {
        lines.fact("shares", format!("with {} more", shared.len() - MOST));
    }
}

fn parent<'s>(seen: &'s Seen, node: &Node) -> Option<&'s ThinDevice> {
    let parent = seen.descent.parent_of(node.facts.thin?)?;
    seen.topology().thins.get(parent.0 as usize)
}

const fn role_sentence(role: Role) -> &'static str {
    match role {
        Role::Base => "base device, which every bottom layer is made from",
        Role::ImageLayer => "image layer",
        Role::Container => "container",
        Role::ContainerInit => "layer between a container and its image",
        Role::BuildCache => "snapshot of a build",
        Role::Volume => "volume",
        Role::Snapshot => "snapshot of a volume",
        Role::Leaked => "leaked: in the pool, and nobody names it",
        Role::Missing => "missing: named, and not in the pool",
        Role::Unknown => "owner not known",
    }
}
