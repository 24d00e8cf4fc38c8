//! Who descends from whom among thin devices, and cutting loops out of hostile parent chains.
//!
//! Knows parents and depths, and nothing of images or screens.

use crate::ids::ThinId;
use crate::model::{Role, ThinIx, Topology};

/// Parents of all thin devices, without loops.
#[derive(Debug, Default)]
pub(crate) struct Descent {
    /// The parent of each, in the same pool.
    pub(crate) parent: Vec<Option<u32>>,
    /// How many image layers a chain has up to and with each; 0 for what is no layer.
    pub(crate) layers: Vec<u32>,
}

impl Descent {
    /// Of all thin devices of a topology.
    pub(crate) fn of(topology: &Topology) -> Self {
        let mut parent = vec![None; topology.thins.len()];
        for pool in &topology.pools {
            let of_pool = || pool.devices.iter().filter_map(|ix| Some((*ix, thin(topology, *ix)?)));
            let mut by_id: Vec<(ThinId, u32)> =
                of_pool().filter_map(|(ix, device)| Some((device.id?, ix.0))).collect();
            // in order already but for hosts that never should be
            by_id.sort();
            for (ix, device) in of_pool() {
                let of_id = |id| by_id.binary_search_by_key(&id, |(id, _)| *id).ok();
                parent[ix.0 as usize] = device.parent.and_then(of_id).map(|at| by_id[at].1);
            }
        }
        let depth = cut_loops(&mut parent);
        let layers = count_layers(topology, &parent, &depth);
        Self { parent, layers }
    }

    /// The device that one was made from.
    pub(crate) fn parent_of(&self, ix: ThinIx) -> Option<ThinIx> {
        self.parent.get(ix.0 as usize).copied().flatten().map(ThinIx)
    }
}

fn thin(topology: &Topology, ix: ThinIx) -> Option<&crate::model::ThinDevice> {
    topology.thins.get(ix.0 as usize)
}

fn count_layers(topology: &Topology, parent: &[Option<u32>], depth: &[u32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0_u32..).take(parent.len()).collect();
    order.sort_unstable_by_key(|at| depth[*at as usize]);
    let mut layers = vec![0; parent.len()];
    for at in order {
        if topology.thins[at as usize].role == Role::ImageLayer {
            let below = parent[at as usize].map_or(0, |p| layers[p as usize]);
            layers[at as usize] = below + 1;
        }
    }
    layers
}

/// Cuts every loop at one place, so that each member has a root above it; answers how many stand
/// above each.
pub(crate) fn cut_loops(parent: &mut [Option<u32>]) -> Vec<u32> {
    const UNSEEN: u32 = u32::MAX;
    const ON_PATH: u32 = u32::MAX - 1;
    let mut depth = vec![UNSEEN; parent.len()];
    let mut path = Vec::new();
    for start in (0_u32..).take(parent.len()) {
        let mut at = start;
        let mut below = loop {
            match depth.get(at as usize).copied() {
                Some(UNSEEN) => {
                    depth[at as usize] = ON_PATH;
                    path.push(at);
                    match parent[at as usize] {
                        Some(next) => at = next,
                        None => break 0,
                    }
                }
                Some(known) if known != ON_PATH => break known + 1,
                // a loop, or a parent that does not exist: the last one seen becomes a root
                _ => {
                    if let Some(last) = path.last() {
                        parent[*last as usize] = None;
                    }
                    break 0;
                }
            }
        };
        for at in path.drain(..).rev() {
            depth[at as usize] = below;
            below += 1;
        }
    }
    depth
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_is_cut_once_and_everything_keeps_a_root() {
        // 0 → 1 → 2 → 0 is a loop, 3 hangs on 1, 4 names itself, 5 is a root
        let mut parent = [Some(1), Some(2), Some(0), Some(1), Some(4), None];
        let depth = cut_loops(&mut parent);
        assert_eq!(parent, [Some(1), Some(2), None, Some(1), None, None]);
        assert_eq!(depth, [2, 1, 0, 2, 0, 0]);
    }

    #[test]
    fn a_parent_that_is_not_there_makes_a_root() {
        let mut parent = [Some(9), Some(0)];
        assert_eq!(cut_loops(&mut parent), [0, 1]);
        assert_eq!(parent, [None, Some(0)]);
    }

    #[test]
    fn a_chain_of_a_hundred_thousand_needs_no_stack() {
        let mut parent: Vec<Option<u32>> = (0..100_000_u32).map(|n| n.checked_add(1)).collect();
        parent[99_999] = None;
        assert_eq!(cut_loops(&mut parent)[0], 99_999);
    }
}
