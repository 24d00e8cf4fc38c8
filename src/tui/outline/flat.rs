//! Everything in one list, nothing under anything: for sorting by a column.

use super::{Brood, Outline, Shape, What};
use crate::model::Topology;

struct Flat<'t> {
    topology: &'t Topology,
    thins_only: bool,
}

/// One list of all nodes, or of all thin devices.
pub(crate) fn outline(topology: &Topology, thins_only: bool) -> Outline {
    Outline::grow(&mut Flat { topology, thins_only }, topology.nodes.len())
}

impl Shape for Flat<'_> {
    fn roots(&mut self, brood: &mut Brood) {
        if self.thins_only {
            self.topology
                .thins
                .iter()
                .for_each(|device| brood.push(What::Node(device.node), false));
        } else {
            self.topology.indices().for_each(|ix| brood.push(What::Node(ix), false));
        }
    }

    fn children(&mut self, _: What, _: &mut Brood) {}
}
