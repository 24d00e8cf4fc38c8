//! Whether two topologies make the same outlines, however their figures differ: then a new
//! picture keeps the rows of the one before.
//!
//! Knows every field that a shape, a row's key or its place among its siblings is made of; what
//! only stands in cells does not count.

use crate::model::{Node, Pool, ThinDevice, Topology};

/// Whether every shape grows the same from both.
pub(crate) fn alike(a: &Topology, b: &Topology) -> bool {
    all(&a.pools, &b.pools, pools)
        && all(&a.thins, &b.thins, thins)
        && all(&a.nodes, &b.nodes, nodes)
}

fn all<T>(a: &[T], b: &[T], same: impl Fn(&T, &T) -> bool) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

fn pools(a: &Pool, b: &Pool) -> bool {
    let place = |pool: &Pool| (pool.node, pool.data, pool.metadata);
    place(a) == place(b) && a.devices == b.devices
}

fn nodes(a: &Node, b: &Node) -> bool {
    let place = |node: &Node| (node.kind, node.facts.pool, node.facts.thin);
    place(a) == place(b) && a.parents == b.parents && a.id == b.id
}

fn thins(a: &ThinDevice, b: &ThinDevice) -> bool {
    let place = |thin: &ThinDevice| (thin.pool, thin.node, thin.id, thin.role, thin.parent);
    place(a) == place(b)
        // the label, by which devices stand in order, and whether they stand at the top
        && (&a.name, a.position, &a.images) == (&b.name, b.position, &b.images)
        && a.container.as_ref().map(|c| (&c.name, c.state))
            == b.container.as_ref().map(|c| (&c.name, c.state))
}
