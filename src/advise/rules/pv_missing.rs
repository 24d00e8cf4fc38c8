//! A volume group that lacks one of its physical volumes.

use crate::advise::Rule;
use crate::advise::words::{about_node, shell};
use crate::model::{Finding, Kind, Node, PvFacts, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "pv-missing", page: include_str!("../pages/pv-missing.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for vg in topology.nodes.iter().filter(|node| node.kind == Kind::Vg) {
        let missing = missing_pvs(topology, vg);
        let counted = vg.facts.vg.as_ref().map_or(0, |facts| facts.missing_pvs);
        let count = counted.max(u64::try_from(missing.len()).unwrap_or(u64::MAX));
        if count > 0 {
            found.push(describe(vg, count, &missing));
        }
    }
}

fn missing_pvs<'a>(topology: &'a Topology, vg: &Node) -> Vec<&'a PvFacts> {
    let pvs = topology.nodes.iter().filter_map(|node| node.facts.pv.as_deref());
    pvs.filter(|pv| pv.missing && pv.vg == vg.name).collect()
}

fn describe(vg: &Node, count: u64, missing: &[&PvFacts]) -> Finding {
    let mut finding = about_node(RULE.code, Severity::Critical, vg);
    finding.summary = format!(
        "{count} PV{} of the VG {} cannot be found: volumes with extents there do not activate, \
         and LVM refuses most changes of the VG",
        if count == 1 { "" } else { "s" },
        vg.name
    );
    finding.evidence.push(format!("vg_missing_pv_count of {}: {count}", vg.name));
    finding.evidence.extend(missing.iter().map(|pv| format!("missing PV {}", pv.uuid)));
    finding.remedy = format!(
        "bring the disk back (cabling, LUKS not unlocked, multipath; `lvmdevices` lists what LVM \
         may use), then `vgchange -ay {}`; do not remove the missing PV before it is lost for good",
        shell(vg.name.as_str())
    );
    finding
}
