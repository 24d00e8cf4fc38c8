//! Facts of disks, partitions, files, loops, PVs, VGs, LVs and device-mapper devices.

use super::{Line, Lines};
use crate::format;
use crate::model::{DmFacts, LoopFacts, LvFacts, Node, PvFacts, VgFacts};
use crate::text::Printable;
use crate::tui::seen::Seen;
use crate::units::Bytes;

/// What a node is that is neither pool nor thin device.
pub(super) fn describe(lines: &mut Lines, seen: &Seen, node: &Node) {
    lines.push(Line::Title(node.name.to_string()));
    lines.text(node.kind.name());
    lines.size("size", node.size);
    let facts = &node.facts;
    if let Some(file) = &facts.file {
        lines.size("allocated", Some(file.allocated));
        if file.allocated < file.apparent {
            lines.text("sparse: it grows on its filesystem as blocks are written");
        }
    }
    if let Some(pv) = &facts.pv {
        describe_pv(lines, pv);
    }
    if let Some(vg) = &facts.vg {
        describe_vg(lines, vg, seen.topology().host.lvm_archive.as_ref());
    }
    if let Some(device) = &facts.loop_device {
        describe_loop(lines, device);
    }
}

fn describe_pv(lines: &mut Lines, pv: &PvFacts) {
    lines.fact("VG", if pv.vg.is_empty() { "none" } else { pv.vg.as_str() });
    lines.size("free", pv.free);
    if pv.missing {
        lines.text("missing: LVM knows of it and cannot find it");
    }
    lines.fact("PV uuid", &pv.uuid);
}

fn describe_vg(lines: &mut Lines, vg: &VgFacts, archive: Option<&(Printable, u64)>) {
    lines.size("free", vg.free);
    // the text that describes the group may fill half of its area, and what LVM calls free is of that
    if let (Some(size), Some(free)) = (vg.mda_size, vg.mda_free) {
        let (free, may) = (format::long(free), format::long(Bytes(size.get() / 2)));
        lines.fact("LVM's text", format!("{free} of {may} free"));
    }
    if let Some((folder, count)) = archive {
        lines.fact("archive", format!("{count} files in {folder}"));
    }
    lines.maybe("extent", vg.extent.map(format::long));
    if vg.missing_pvs > 0 {
        lines.fact("missing PVs", vg.missing_pvs);
    }
    lines.fact("attributes", &vg.attr);
    lines.fact("VG uuid", &vg.uuid);
}

fn describe_loop(lines: &mut Lines, device: &LoopFacts) {
    let deleted = if device.deleted { " (deleted while in use)" } else { "" };
    lines.fact("file", format!("{}{deleted}", device.backing_file));
    if device.offset.get() > 0 {
        lines.fact("begins at", format!("{} sectors", device.offset.get()));
    }
    lines.fact("autoclear", if device.autoclear { "yes" } else { "no" });
}

/// What pools and thin devices have in common with all others: names, mounts, LVM, device-mapper.
pub(super) fn describe_common(lines: &mut Lines, seen: &Seen, node: &Node) {
    node.mountpoints.iter().for_each(|path| lines.fact("mounted on", path));
    lines.maybe("note", node.facts.note.as_ref());
    if let Some(lv) = &node.facts.lv {
        describe_lv(lines, lv);
    }
    match &node.facts.dm {
        Some(dm) => describe_dm(lines, dm),
        None if node.device.is_none() && node.facts.lv.is_some() => {
            lines.text("not active: no device for it in the kernel");
        }
        None => {}
    }
    lines.push(Line::Blank);
    lines.fact("also", aliases(node).join("  "));
    if node.facts.thin.is_some() {
        return;
    }
    let rests_on = node.parents.iter().filter_map(|ix| seen.topology().nodes.get(ix.0 as usize));
    lines.fact("rests on", rests_on.map(|n| n.name.to_string()).collect::<Vec<_>>().join(", "));
}

fn describe_lv(lines: &mut Lines, lv: &LvFacts) {
    lines.head("LVM");
    lines.fact("LV", format!("{}/{}", lv.vg, lv.name));
    lines.fact("segment type", &lv.segtype);
    lines.fact("attributes", &lv.attr);
    lines.maybe("origin", lv.origin.as_ref());
    lines.fact("monitor", &lv.monitor);
    lines.fact("profile", &lv.profile);
    let tags: Vec<_> = lv.tags.iter().map(Printable::as_str).collect();
    lines.fact("tags", tags.join(" "));
    lines.fact("LV uuid", &lv.uuid);
}

fn describe_dm(lines: &mut Lines, dm: &DmFacts) {
    lines.head("device-mapper");
    if dm.suspended {
        lines.text("suspended: whoever reads or writes it waits");
    }
    if dm.read_only {
        lines.text("read-only");
    }
    if dm.deferred_remove {
        lines.text("goes away at its last close");
    }
    if dm.inactive_table {
        lines.text("a second table waits in the inactive slot");
    }
    lines.fact("open", dm.open_count);
    lines.fact("events", dm.event_nr);
    lines.fact("uuid", &dm.uuid);
    dm.table.iter().for_each(|line| lines.fact("table", line));
    dm.status.iter().flatten().for_each(|line| lines.fact("status", line));
}

/// Every name the device answers to, in one line.
fn aliases(node: &Node) -> Vec<String> {
    let mut names = Vec::new();
    if let Some(device) = node.device {
        names.push(device.to_string());
        if node.facts.dm.is_some() {
            names.push(format!("/dev/dm-{}", device.minor));
        }
    }
    if let Some(dm) = &node.facts.dm {
        names.push(format!("/dev/mapper/{}", dm.name));
    }
    if let Some(lv) = &node.facts.lv {
        names.push(format!("/dev/{}/{}", lv.vg, lv.name));
    }
    names
}
