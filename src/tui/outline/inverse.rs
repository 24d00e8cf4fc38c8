//! The tree upside down: what nothing rests on stands at the left edge, and under it all that it
//! rests on, down to the disks. A node is drawn once a root; roots that are folded cost nothing.

use std::collections::HashSet;

use super::descent::Descent;
use super::{Brood, Outline, Shape, What};
use crate::model::{NodeIx, Topology};

struct Inverse<'t, F> {
    topology: &'t Topology,
    descent: &'t Descent,
    thins_only: bool,
    is_open: F,
    leaves: HashSet<NodeIx>,
    drawn: HashSet<NodeIx>,
}

/// The inverse outline. `is_open` says which roots a person has unfolded.
pub(crate) fn outline(
    topology: &Topology,
    descent: &Descent,
    thins_only: bool,
    is_open: impl Fn(NodeIx) -> bool,
) -> Outline {
    let (leaves, drawn) = (HashSet::new(), HashSet::new());
    let mut shape = Inverse { topology, descent, thins_only, is_open, leaves, drawn };
    let outline = Outline::grow(&mut shape, topology.nodes.len());
    Outline { inverse: true, ..outline }
}

impl<F: Fn(NodeIx) -> bool> Shape for Inverse<'_, F> {
    fn roots(&mut self, brood: &mut Brood) {
        let mut has_descendants = vec![false; self.topology.thins.len()];
        for parent in self.descent.parent.iter().flatten() {
            has_descendants[*parent as usize] = true;
        }
        for ix in self.topology.indices() {
            let thin = self.topology.node(ix).facts.thin;
            let descends = thin.is_some_and(|t| has_descendants.get(t.0 as usize) == Some(&true));
            let rests = !self.topology.children(ix).is_empty();
            if !rests && !descends && (thin.is_some() || !self.thins_only) {
                self.leaves.insert(ix);
                brood.push(What::Node(ix), false);
            }
        }
    }

    fn children(&mut self, what: What, brood: &mut Brood) {
        let What::Node(ix) = what else { return };
        let is_root = self.leaves.contains(&ix);
        if is_root {
            self.drawn.clear();
            brood.withheld = !(self.is_open)(ix) && !self.topology.node(ix).parents.is_empty();
            if brood.withheld {
                return;
            }
        }
        brood.fixed = true;
        if let Some(thin) = self.topology.node(ix).facts.thin.filter(|_| is_root) {
            let mut next = self.descent.parent_of(thin);
            while let Some(at) = next {
                self.draw(ix, self.topology.thin(at).node, brood);
                next = self.descent.parent_of(at);
            }
        } else if self.topology.node(ix).facts.thin.is_some() {
            // a layer of the chain above: the pool below stands under the root already
            return;
        }
        for to in &self.topology.node(ix).parents {
            self.draw(ix, *to, brood);
        }
    }
}

impl<F> Inverse<'_, F> {
    fn draw(&mut self, from: NodeIx, node: NodeIx, brood: &mut Brood) {
        if (node.0 as usize) >= self.topology.nodes.len() {
            return;
        }
        if self.drawn.insert(node) {
            brood.push(What::Node(node), true);
        } else {
            brood.push(What::Pointer { from, to: node }, false);
        }
    }
}
