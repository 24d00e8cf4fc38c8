//! What a volume rests on, down to disks and loop devices, by the tables that are in force.

use crate::ids::DevNo;
use crate::model::{Node, NodeIx, Topology};

/// Deepest stack that is followed, against tables that name each other.
const DEEPEST: usize = 16;

/// The node and all that is below it, each once, from the top down. The tables say it exactly
/// where a node has one; an LVM volume's parent in the tree is its VG.
pub(super) fn levels(topology: &Topology, top: NodeIx) -> Vec<NodeIx> {
    let mut levels = vec![top];
    let mut at = 0;
    while let Some(ix) = levels.get(at).copied().filter(|_| levels.len() < 256) {
        at += 1;
        if at > DEEPEST * 16 {
            break;
        }
        for below in below(topology, topology.node(ix)) {
            if !levels.contains(&below) {
                levels.push(below);
            }
        }
    }
    levels
}

/// The lowest devices: those that tell what they are made of.
pub(super) fn lowest(topology: &Topology, top: NodeIx) -> Vec<&Node> {
    let all = levels(topology, top).into_iter();
    let nodes = all.filter(|ix| is_lowest(topology, *ix)).map(|ix| topology.node(ix));
    nodes.collect()
}

fn is_lowest(topology: &Topology, ix: NodeIx) -> bool {
    let node = topology.node(ix);
    let device_below =
        |node: &Node| below(topology, node).iter().any(|ix| topology.node(*ix).device.is_some());
    node.device.is_some() && !device_below(node)
}

fn below(topology: &Topology, node: &Node) -> Vec<NodeIx> {
    let Some(dm) = node.facts.dm.as_ref().filter(|dm| !dm.table.is_empty()) else {
        return node.parents.clone();
    };
    let words = dm.table.iter().flat_map(|line| line.as_str().split(' '));
    let devices: Vec<DevNo> = words.filter_map(|word| word.parse().ok()).collect();
    let at = |dev: &DevNo| topology.indices().find(|ix| topology.node(*ix).device == Some(*dev));
    devices.iter().filter_map(at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sample::direct_lvm;

    #[test]
    fn a_volume_s_table_leads_to_the_disk_and_not_to_the_whole_vg() {
        let topology = direct_lvm().topology();
        let tdata = topology.pools[0].data.expect("the sample has one");
        let names: Vec<_> =
            lowest(&topology, tdata).iter().map(|node| node.name.as_str()).collect();
        assert_eq!(names, ["vdb"]);
        let levels = levels(&topology, topology.pools[0].node);
        assert!(levels.iter().all(|ix| topology.node(*ix).device.is_some()), "{levels:?}");
    }

    #[test]
    fn tables_that_name_each_other_come_to_an_end() {
        let mut parts = direct_lvm();
        let dm = parts.nodes[5].facts.dm.as_mut().expect("tdata is active");
        dm.table = vec!["0 8 linear 253:2 0".into()];
        let topology = parts.topology();
        assert_eq!(levels(&topology, NodeIx(5)).len(), 4, "tdata, the pool, tmeta, the disk");
    }
}
