//! The tree from disks up: storage as it rests on each other, a pool's devices by their owners.

use super::descent::Descent;
use super::forest::Forest;
use super::owners::Item;
use super::place::Places;
use super::{Brood, Outline, Owners, Shape, What};
use crate::model::{NodeIx, PoolIx, ThinIx, Topology};

struct Tree {
    /// What each node is. Nodes are come to in the order of rows, which is not theirs in memory:
    /// read once in that, this is small enough to be at hand in any.
    facts: Vec<(Option<PoolIx>, Option<ThinIx>)>,
    places: Places,
    owners: Owners,
    forest: Forest,
}

/// The outline of the tree.
pub(crate) fn outline(topology: &Topology, descent: &Descent) -> Outline {
    let mut owners = Owners::of(topology, descent);
    let forest = Forest::new(std::mem::take(&mut owners.hang), topology);
    let facts = topology.nodes.iter().map(|node| (node.facts.pool, node.facts.thin)).collect();
    let mut tree = Tree { facts, places: Places::of(topology), owners, forest };
    let outline = Outline::grow(&mut tree, topology.nodes.len());
    Outline { groups: tree.owners.groups, brackets: tree.places.brackets, ..outline }
}

impl Tree {
    fn pool(&mut self, pool: PoolIx, brood: &mut Brood) {
        brood.fixed = false;
        for item in self.owners.pools.get(pool.0 as usize).map_or(&[][..], Vec::as_slice) {
            match item {
                Item::Thin(ix) => {
                    self.forest
                        .node(*ix)
                        .into_iter()
                        .for_each(|ix| brood.push(What::Node(ix), true));
                }
                Item::Group(at) => brood.push(What::Group(*at), false),
            }
        }
    }
}

impl Shape for Tree {
    fn roots(&mut self, brood: &mut Brood) {
        self.places.roots.iter().for_each(|ix| brood.push(What::Node(*ix), true));
    }

    fn children(&mut self, what: What, brood: &mut Brood) {
        match what {
            What::Node(ix) => {
                brood.fixed = true;
                self.places.children(ix).for_each(|what| brood.push(what, true));
                self.thins_of(ix, brood);
            }
            What::Group(at) => {
                let at = at as usize;
                if self.owners.groups.get(at).is_some_and(|group| group.below.is_some()) {
                    brood.push(What::Below(u32::try_from(at).unwrap_or(super::NONE)), false);
                }
                let heads = self.owners.heads.get_mut(at).map(std::mem::take).unwrap_or_default();
                self.forest.place(&heads, brood);
            }
            What::Pointer { .. } | What::Below(_) => {}
        }
    }
}

impl Tree {
    fn thins_of(&mut self, ix: NodeIx, brood: &mut Brood) {
        let (pool, thin) = self.facts[ix.0 as usize];
        if let Some(pool) = pool {
            self.pool(pool, brood);
        }
        if let Some(thin) = thin {
            brood.fixed = false;
            self.forest.children(thin, brood);
        }
    }
}
