//! The layers view: pools, and under each its devices from the base up, everything under what it
//! was made from.

use super::descent::Descent;
use super::forest::Forest;
use super::{Brood, Outline, Shape, What};
use crate::model::{Role, Topology};

/// A pool with more devices than this opens with its branches folded.
const OPEN_UP_TO: usize = 300;

struct Layers<'t> {
    topology: &'t Topology,
    descent: &'t Descent,
    forest: Forest,
}

/// The outline of the layers view.
pub(crate) fn outline(topology: &Topology, descent: &Descent) -> Outline {
    let pairs = (0_u32..).zip(&descent.parent).filter_map(|(at, p)| Some(((*p)?, at))).collect();
    let forest = Forest::new(pairs, topology);
    Outline::grow(&mut Layers { topology, descent, forest }, topology.nodes.len())
}

impl Shape for Layers<'_> {
    fn roots(&mut self, brood: &mut Brood) {
        self.topology.pools.iter().for_each(|pool| brood.push(What::Node(pool.node), true));
    }

    fn children(&mut self, what: What, brood: &mut Brood) {
        let What::Node(ix) = what else { return };
        let facts = &self.topology.node(ix).facts;
        if let Some(pool) = facts.pool {
            let devices = self.topology.pools.get(pool.0 as usize).map_or(&[][..], |p| &p.devices);
            let heads: Vec<u32> = devices
                .iter()
                .filter(|ix| self.descent.parent_of(**ix).is_none())
                .map(|ix| ix.0)
                .collect();
            self.forest.place(&heads, brood);
        } else if let Some(thin) = facts.thin {
            self.forest.children(thin, brood);
        }
        self.fold_large(brood);
    }
}

impl Layers<'_> {
    fn fold_large(&self, brood: &mut Brood) {
        for seed in &mut brood.seeds {
            let What::Node(ix) = seed.what else { continue };
            let Some(thin) = self.topology.node(ix).facts.thin else { continue };
            let device = self.topology.thin(thin);
            let pool = self.topology.pools.get(device.pool.0 as usize);
            let few = pool.is_none_or(|pool| pool.devices.len() <= OPEN_UP_TO);
            seed.open = few || device.role == Role::Base;
        }
    }
}
