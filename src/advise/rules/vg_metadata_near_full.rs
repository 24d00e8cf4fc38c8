//! LVM's own metadata of a VG, which has little room left on the PVs.

use crate::advise::Rule;
use crate::advise::words::{about_node, percent, shell};
use crate::format;
use crate::model::{Finding, Node, Severity, Topology};
use crate::units::Bytes;

pub(super) const RULE: Rule = Rule {
    code: "vg-metadata-near-full",
    page: include_str!("../pages/vg-metadata-near-full.md"),
    look,
};

/// From so many percent of what it may have.
const NEAR: u64 = 80;

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let mut told: Vec<&str> = Vec::new();
    for vg in topology.pools.iter().filter_map(|pool| topology.vg_of(pool)) {
        if !told.contains(&vg.id.as_str()) {
            told.push(vg.id.as_str());
            found.extend(describe(vg));
        }
    }
}

/// A change is written beside what is there, so the metadata has half of the area, and what LVM
/// calls free is what of that half is left (lvm2, `format-text.c`).
fn describe(vg: &Node) -> Option<Finding> {
    let facts = vg.facts.vg.as_ref()?;
    let size = facts.mda_size.filter(|size| size.get() > 0)?;
    let free = facts.mda_free?;
    let may = Bytes(size.get() / 2);
    let used = may.minus(free);
    let share = percent(used.get(), may.get());
    if share < NEAR {
        return None;
    }
    let severity = if free.get() == 0 { Severity::Critical } else { Severity::Warning };
    let mut finding = about_node(RULE.code, severity, vg);
    finding.summary = format!(
        "LVM's own metadata of the VG {} is at {share}% of what it may have ({} of {}): when it is \
         full LVM refuses every change that makes it longer, growing a pool included",
        vg.name,
        format::long(used),
        format::long(may)
    );
    finding.evidence = vec![format!(
        "vg_mda_size of {}: {}; vg_mda_free: {}",
        vg.name,
        format::exact(size),
        format::exact(free)
    )];
    finding.remedy = format!(
        "remove volumes and snapshots that are no longer needed, or give the VG a PV with a larger \
         area: `pvcreate --metadatasize 16M DEVICE`, `vgextend {} DEVICE`, then `pvchange \
         --metadataignore y` for each of the old PVs",
        shell(vg.name.as_str())
    );
    Some(finding)
}
