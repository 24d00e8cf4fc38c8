//! A topology as lines of text that a person can compare.

use crate::model::{Node, Topology};

/// `KIND NAME DEVICE < PARENT, PARENT`, a node a line, in the topology's order.
pub(super) fn draw(topology: &Topology) -> Vec<String> {
    topology.nodes.iter().map(|node| line(topology, node)).collect()
}

fn line(topology: &Topology, node: &Node) -> String {
    let device = node.device.map_or("-".to_owned(), |dev| dev.to_string());
    let parents: Vec<String> = node
        .parents
        .iter()
        .map(|at| topology.node(*at))
        .map(|parent| format!("{} {}", parent.kind.name(), parent.name))
        .collect();
    let rests =
        if parents.is_empty() { String::new() } else { format!(" < {}", parents.join(", ")) };
    format!("{} {} {device}{rests}", node.kind.name(), node.name)
}

/// `ID ROLE ENGINE NAME`, a thin device a line.
pub(super) fn draw_thins(topology: &Topology) -> Vec<String> {
    let id = |id: Option<crate::ids::ThinId>| id.map_or("-".to_owned(), |id| id.to_string());
    (topology.thins.iter())
        .map(|thin| {
            format!(
                "{} {} {} {} < {}{}",
                id(thin.id),
                thin.role.name(),
                thin.engine.name(),
                thin.name,
                id(thin.parent),
                if thin.active { " active" } else { "" }
            )
        })
        .collect()
}

/// What must hold of every topology: parents first, ids unique, a number on one node only, and
/// everything that points at something points at the thing that points back.
pub(super) fn assert_sound(topology: &Topology) {
    let mut ids = std::collections::HashSet::new();
    let mut devs = std::collections::HashSet::new();
    for (at, node) in topology.nodes.iter().enumerate() {
        assert!(ids.insert(node.id.clone()), "two nodes are {}", node.id);
        assert!(node.id.as_str().starts_with(&format!("{}:", node.kind.name())), "{}", node.id);
        assert!(node.parents.iter().all(|parent| (parent.0 as usize) < at), "{}", node.id);
        if let Some(dev) = node.device {
            assert!(devs.insert(dev), "{dev} stands on two nodes");
        }
    }
    for (at, pool) in topology.pools.iter().enumerate() {
        let node = topology.node(pool.node);
        assert_eq!(node.facts.pool.map(|ix| ix.0 as usize), Some(at), "{}", pool.name);
        assert!(
            pool.data
                .into_iter()
                .chain(pool.metadata)
                .all(|at| topology.nodes.len() > at.0 as usize)
        );
        assert!(pool.devices.iter().all(|ix| topology.thin(*ix).pool.0 as usize == at));
    }
    let mut rows = std::collections::HashSet::new();
    for (at, thin) in topology.thins.iter().enumerate() {
        let node = topology.node(thin.node);
        assert_eq!(node.facts.thin.map(|ix| ix.0 as usize), Some(at), "{}", thin.name);
        assert_eq!(node.device.is_some(), thin.active, "{}", thin.name);
        assert!(
            thin.id.is_none() || rows.insert((thin.pool, thin.id)),
            "two rows of {:?}",
            thin.id
        );
        assert!(topology.pool(thin.pool).devices.iter().any(|ix| ix.0 as usize == at));
    }
}
