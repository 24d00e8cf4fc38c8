//! Where each node that is no thin device is drawn: under which of the nodes it rests on, and
//! which pools are drawn beside their two halves with a bracket.

use std::collections::HashSet;

use super::descent::cut_loops;
use super::{Bracket, What};
use crate::model::{Kind, NodeIx, Topology};

/// Places of all nodes.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// What is drawn under each node, in order.
    kids: Vec<(u32, Rank, What)>,
    /// What stands at the left edge.
    pub(crate) roots: Vec<NodeIx>,
    /// The bracketed pools.
    pub(crate) brackets: Vec<Bracket>,
}

/// Order among siblings: other volumes, then spares, then each pool with its halves before it,
/// then pointers.
type Rank = (u8, u32, u8, u32);

const ROOT: u32 = u32::MAX;

impl Places {
    /// Of a topology.
    pub(crate) fn of(topology: &Topology) -> Self {
        let mut parent: Vec<Option<u32>> =
            topology.indices().map(|ix| first_parent(topology, ix)).collect();
        let brackets = bracket_pools(topology, &mut parent);
        cut_loops(&mut parent);
        let mut rank: Vec<Rank> = topology
            .indices()
            .map(|ix| (u8::from(topology.node(ix).kind == Kind::Pmspare), 0, 0, ix.0))
            .collect();
        for bracket in &brackets {
            let order = [bracket.metadata, bracket.data, bracket.pool];
            for (place, node) in (0_u8..).zip(order) {
                rank[node.0 as usize] = (2, bracket.pool.0, place, node.0);
            }
        }
        let mut places = Self { brackets, ..Self::default() };
        places.fill(topology, &parent, &rank);
        places
    }

    fn fill(&mut self, topology: &Topology, parent: &[Option<u32>], rank: &[Rank]) {
        let bracketed: HashSet<NodeIx> = self.brackets.iter().map(|b| b.pool).collect();
        for ix in topology.indices() {
            let node = topology.node(ix);
            let at = ix.0 as usize;
            // thin devices stand where their owners put them
            if node.facts.thin.is_none() {
                self.kids.push((parent[at].unwrap_or(ROOT), rank[at], What::Node(ix)));
            }
            let pointed = node.facts.thin.is_none() && !bracketed.contains(&ix);
            for below in node.parents.iter().filter(|_| pointed) {
                let known = (below.0 as usize) < parent.len();
                if Some(below.0) != parent[at] && known && *below != ix {
                    let what = What::Pointer { from: *below, to: ix };
                    self.kids.push((below.0, (3, 0, 0, ix.0), what));
                }
            }
        }
        self.kids.sort_unstable_by_key(|(parent, rank, _)| (*parent, *rank));
        self.kids.dedup_by_key(|(parent, _, what)| (*parent, *what));
        let roots = self.kids.partition_point(|(parent, ..)| *parent != ROOT);
        self.roots = self.kids[roots..]
            .iter()
            .filter_map(|(_, _, what)| if let What::Node(ix) = what { Some(*ix) } else { None })
            .collect();
    }

    /// What is drawn under a node, thin devices aside.
    pub(crate) fn children(&self, of: NodeIx) -> impl Iterator<Item = What> + '_ {
        let from = self.kids.partition_point(|(parent, ..)| *parent < of.0);
        self.kids[from..].iter().take_while(move |(p, ..)| *p == of.0).map(|(_, _, what)| *what)
    }
}

fn first_parent(topology: &Topology, ix: NodeIx) -> Option<u32> {
    let node = topology.node(ix);
    let pool = node.facts.pool.and_then(|pool| topology.pools.get(pool.0 as usize));
    let data = pool.and_then(|pool| pool.data).filter(|data| node.parents.contains(data));
    let valid = |to: &NodeIx| (to.0 as usize) < topology.nodes.len() && *to != ix;
    data.into_iter().chain(node.parents.iter().copied()).find(valid).map(|to| to.0)
}

/// A pool whose data and metadata stand under the same node stands there too, after both.
fn bracket_pools(topology: &Topology, parent: &mut [Option<u32>]) -> Vec<Bracket> {
    let (mut brackets, mut taken) = (Vec::new(), HashSet::new());
    for pool in &topology.pools {
        let (Some(data), Some(metadata)) = (pool.data, pool.metadata) else { continue };
        let node = pool.node;
        let distinct = data != metadata && data != node && metadata != node;
        let (Some(over), Some(beside)) =
            (parent.get(data.0 as usize).copied(), parent.get(metadata.0 as usize).copied())
        else {
            continue;
        };
        let free = !taken.contains(&data) && !taken.contains(&metadata);
        if distinct
            && free
            && over == beside
            && over != Some(node.0)
            && let Some(slot) = parent.get_mut(node.0 as usize)
        {
            *slot = over;
            taken.extend([data, metadata]);
            brackets.push(Bracket { metadata, data, pool: node });
        }
    }
    brackets
}
