//! Docker was told to take a disk without looking what is on it.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::model::engine::Forced;
use crate::model::{Cure, EngineFacts, Finding, Kind, NodeIx, Pool, Severity, Topology};
use crate::text::Printable;

pub(super) const RULE: Rule = Rule {
    code: "directlvm-force-set",
    page: include_str!("../pages/directlvm-force-set.md"),
    look,
};

/// Things on the disk that are named one by one.
const NAMED: usize = 10;

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        for facts in &pool.engine_facts {
            found.extend(facts.forced.as_ref().map(|disk| describe(topology, pool, (facts, disk))));
        }
    }
}

fn describe(topology: &Topology, pool: &Pool, (facts, disk): (&EngineFacts, &Forced)) -> Finding {
    let Forced { device, done } = disk;
    let engine = facts.engine.name();
    let node = node_of(topology, device.as_str());
    // docker itself refuses a disk that is in a group
    let in_group = node.is_some_and(|ix| has_pv(topology, ix));
    let severity = if *done || in_group { Severity::Warning } else { Severity::Critical };
    let mut finding = about_pool(RULE.code, severity, topology, pool);
    let when = if *done {
        format!(
            "{engine} made its pool there already and leaves it alone as long as its record lasts; \
             with a new data root it would wipe whatever is called so then"
        )
    } else if in_group {
        format!("{engine} has no record of it, and only that the disk is in a VG keeps it whole")
    } else {
        format!("at its next start {engine} wipes it, whatever lies there")
    };
    finding.summary = format!("{engine} may wipe {device} without asking: {when}");
    finding.evidence = vec![
        format!(
            "dm.directlvm_device={device} and dm.directlvm_device_force=true for {}",
            facts.root
        ),
        format!(
            "{}/devicemapper/setup-config.json: {}",
            facts.root,
            if *done { "there" } else { "not there" }
        ),
    ];
    finding.evidence.extend(node.into_iter().flat_map(|ix| on(topology, ix)));
    finding.remedy = format!(
        "take dm.directlvm_device_force out of /etc/docker/daemon.json before {engine} is started \
         again; see what the disk holds: `lsblk -f {}`, `wipefs -n {}`",
        crate::advise::words::shell(device.as_str()),
        crate::advise::words::shell(device.as_str())
    );
    finding.cure = Cure::ByHand;
    finding
}

/// The disk or partition of that path, where it is named by the kernel's own name.
fn node_of(topology: &Topology, path: &str) -> Option<NodeIx> {
    let name = path.strip_prefix("/dev/")?;
    topology.indices().find(|ix| {
        let node = topology.node(*ix);
        matches!(node.kind, Kind::Disk | Kind::Part) && node.name == name
    })
}

fn has_pv(topology: &Topology, ix: NodeIx) -> bool {
    let pv = |at: &NodeIx| topology.node(*at).facts.pv.as_ref();
    topology.children(ix).iter().any(|at| pv(at).is_some_and(|pv| !pv.vg.is_empty()))
}

/// What is there now.
fn on(topology: &Topology, ix: NodeIx) -> Vec<String> {
    let disk = topology.node(ix);
    let mounted =
        disk.mountpoints.iter().map(|point| format!("{} is mounted at {point}", disk.name));
    let rests = topology.children(ix).iter().take(NAMED).map(|at| {
        let node = topology.node(*at);
        let points: Vec<&str> = node.mountpoints.iter().map(Printable::as_str).collect();
        let mounted =
            if points.is_empty() { String::new() } else { format!(" at {}", points.join(", ")) };
        format!("on {} now: {} {}{mounted}", disk.name, node.kind.name(), node.name)
    });
    mounted.chain(rests).collect()
}
