//! Which thin device another was made from (`formats.md` 1.6.7, step 9).
//!
//! Docker's files are not trusted: a chain of parents that runs in a circle has no parents, and
//! an id that two files claim has none either.

use std::collections::HashMap;

use super::DockerRoot;
use super::buildkit::BuildParent;
use super::claims::{BASE, Index, Use, id_of, init_file};
use super::digest::Digest;
use crate::ids::ThinId;

/// Parents by thin id; following them always ends.
pub(super) struct Parents(HashMap<ThinId, ThinId>);

impl Parents {
    /// From all device files of one root.
    pub(super) fn new(root: &DockerRoot, index: &Index<'_>) -> Self {
        let mut parents = HashMap::new();
        let mut claims: HashMap<ThinId, u32> = HashMap::new();
        for file in &root.metadata.devices {
            let Some(id) = file.id else { continue };
            *claims.entry(id).or_default() += 1;
            let used = index.use_of(&file.name);
            if let Some(parent) = used.and_then(|used| parent(index, used)) {
                parents.insert(id, parent);
            }
        }
        parents.retain(|id, _| claims.get(id) == Some(&1));
        cut_circles(&mut parents);
        Self(parents)
    }

    /// The parent of a device.
    pub(super) fn of(&self, id: ThinId) -> Option<ThinId> {
        self.0.get(&id).copied()
    }
}

fn parent(index: &Index<'_>, used: Use<'_>) -> Option<ThinId> {
    match used {
        Use::Base => None,
        Use::Build(snapshot) => match &snapshot.parent {
            BuildParent::Base => layer_or_base(index, None),
            BuildParent::Layer(chain) => layer_or_base(index, Some(*chain)),
            BuildParent::Snapshot(name) => id_of(index.file(name)),
        },
        Use::Layer(layer) => layer_or_base(index, layer.parent),
        Use::Init(mount) => layer_or_base(index, mount.parent),
        Use::Mount(mount) => {
            id_of(init_file(index, mount)).or_else(|| layer_or_base(index, mount.parent))
        }
    }
}

/// The device of the layer with that chain id; what has nothing below stands on the base.
fn layer_or_base(index: &Index<'_>, chain: Option<Digest>) -> Option<ThinId> {
    match chain {
        Some(chain) => id_of(index.file(&index.layer(chain)?.cache_id)),
        None => id_of(index.file(BASE)),
    }
}

/// Removes the parent of every device that stands on itself. Every device is walked over once.
fn cut_circles(parents: &mut HashMap<ThinId, ThinId>) {
    let mut walk_of: HashMap<ThinId, usize> = HashMap::with_capacity(parents.len());
    let mut starts: Vec<ThinId> = parents.keys().copied().collect();
    starts.sort_unstable();
    for (walk, start) in starts.into_iter().enumerate() {
        let mut at = start;
        while let Some(parent) = parents.get(&at).copied() {
            match walk_of.insert(at, walk) {
                None => at = parent,
                // met on this very walk: a circle, cut here
                Some(earlier) if earlier == walk => {
                    cut_circle(parents, at);
                    break;
                }
                Some(earlier) => {
                    walk_of.insert(at, earlier);
                    break;
                }
            }
        }
    }
}

fn cut_circle(parents: &mut HashMap<ThinId, ThinId>, start: ThinId) {
    let mut at = start;
    while let Some(parent) = parents.remove(&at) {
        at = parent;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn id(number: u32) -> ThinId {
        ThinId::new(u64::from(number)).expect("test numbers fit 24 bits")
    }

    fn cut(pairs: &[(u32, u32)]) -> Vec<(u32, u32)> {
        let mut parents = pairs.iter().map(|(a, b)| (id(*a), id(*b))).collect();
        cut_circles(&mut parents);
        let mut left: Vec<_> = parents.iter().map(|(a, b)| (a.get(), b.get())).collect();
        left.sort_unstable();
        left
    }

    #[test]
    fn a_circle_loses_its_parents_and_what_hangs_on_it_keeps_its_own() {
        assert_eq!(cut(&[(1, 2), (2, 3), (3, 1), (4, 1)]), [(4, 1)]);
        assert_eq!(cut(&[(5, 5), (6, 5)]), [(6, 5)]);
        assert_eq!(cut(&[(2, 1), (3, 2), (4, 2)]), [(2, 1), (3, 2), (4, 2)]);
    }

    proptest! {
        #[test]
        fn following_parents_always_ends(pairs in proptest::collection::hash_map(0u32..40, 0u32..40, 0..40)) {
            let left = cut(&pairs.clone().into_iter().collect::<Vec<_>>());
            let left: HashMap<u32, u32> = left.into_iter().collect();
            for start in 0..40 {
                let steps = std::iter::successors(Some(start), |at| left.get(at).copied()).take(60);
                prop_assert!(steps.count() < 60);
            }
            // nothing outside a circle was lost
            for (from, to) in &pairs {
                let walk = std::iter::successors(Some(*to), |at| pairs.get(at).copied());
                if !walk.take(60).any(|at| at == *from) {
                    prop_assert_eq!(left.get(from), Some(to));
                }
            }
        }
    }
}
