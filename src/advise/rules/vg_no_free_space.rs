//! A VG with a thin pool and no extent left.

use crate::advise::Rule;
use crate::advise::growing::{Part, held_back};
use crate::advise::words::{about_node, is_near_full, shell};
use crate::format;
use crate::model::{Cure, Finding, Node, Pool, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "vg-no-free-space", page: include_str!("../pages/vg-no-free-space.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let mut told: Vec<&str> = Vec::new();
    for pool in &topology.pools {
        let Some(vg) = topology.vg_of(pool).filter(|vg| is_empty(vg)) else { continue };
        if !told.contains(&vg.id.as_str()) {
            told.push(vg.id.as_str());
            found.push(describe(pool, vg));
        }
    }
}

/// Less than one extent is free.
fn is_empty(vg: &Node) -> bool {
    let facts = vg.facts.vg.as_ref();
    let free = facts.and_then(|facts| Some((facts.free?, facts.extent?)));
    free.is_some_and(|(free, extent)| free < extent)
}

fn describe(pool: &Pool, vg: &Node) -> Finding {
    let severity = if is_near_full(pool) { Severity::Warning } else { Severity::Advice };
    let mut finding = about_node(RULE.code, severity, vg);
    finding.summary = format!(
        "the VG {} has no free extent: neither the data nor the metadata of {} can grow, and its \
         metadata cannot be repaired into a new volume",
        vg.name, pool.name
    );
    let facts = vg.facts.vg.as_ref();
    let free = facts.and_then(|facts| facts.free).map_or_else(|| "?".to_owned(), format::exact);
    finding.evidence.push(format!("vg_free of {}: {free}", vg.name));
    let by_hand = format!("`pvcreate DEVICE` and `vgextend {} DEVICE`", shell(vg.name.as_str()));
    // thinscope grows nothing of a pool that is unwell, and neither does it add a disk for it
    (finding.remedy, finding.cure) = if held_back(pool, Part::Data).is_some() {
        (format!("add a disk: {by_hand}"), Cure::ByHand)
    } else {
        let name = shell(pool.name.as_str());
        (
            format!("add a disk: `thinscope grow {name} --add-pv DEVICE`, or {by_hand}"),
            Cure::AsItsPage,
        )
    };
    finding
}
