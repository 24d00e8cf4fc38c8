//! Why a pool is full: its largest holders, what each holds alone, what deleting each gives back,
//! and what of the pool no device holds. Made once for a picture of the storage, whatever is drawn.
//!
//! A holder is what a person would delete: a container with its init layer, an image with the layers
//! that are drawn under it in the tree, a volume, a device that nobody names. Knows facts; nothing of
//! columns.

mod fill;

use super::grown::Grown;
use super::seen::Seen;
use crate::model::{NodeIx, Pool, PoolIx, ThinIx};
use crate::units::{Bytes, DataBlocks};
use fill::Ledger;

/// How many holders are told.
const LARGEST: usize = 10;

/// How much is known of who uses which block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Who uses which.
    Sharing,
    /// What each device uses alone: several may use more together.
    Devices,
    /// Nothing.
    Nothing,
}

/// What deleting a holder gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frees {
    /// So much.
    Some(Bytes),
    /// It was not read who shares what.
    NotSeen,
    /// It is nothing that a person deletes.
    Never,
}

/// How much something grew, and in how many milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Growth {
    /// So much.
    pub(crate) by: Bytes,
    /// Since it was first seen.
    pub(crate) in_ms: i64,
}

/// Who stands on an image's layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Users {
    /// Containers.
    pub(crate) containers: u32,
    /// Other images.
    pub(crate) images: u32,
    /// Snapshots of builds, and what is not known.
    pub(crate) others: u32,
}

/// What a holder is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sort {
    /// One device, and for a container its init layer.
    Device,
    /// An image, or layers that belong together.
    Layers {
        /// Who stands on them.
        users: Users,
        /// How many there are of them.
        count: u32,
        /// They are one image's.
        image: bool,
    },
}

/// One that holds space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Holder {
    /// Its device, of several the uppermost layer or the one that maps most.
    pub(crate) thin: ThinIx,
    /// The node of that.
    pub(crate) node: NodeIx,
    /// The nodes of all its devices.
    pub(crate) nodes: Vec<NodeIx>,
    /// What a person calls it.
    pub(crate) name: String,
    /// What it is.
    pub(crate) sort: Sort,
    /// What its device maps, shared blocks included.
    pub(crate) mapped: Option<Bytes>,
    /// What nothing else uses.
    pub(crate) alone: Option<Bytes>,
    /// Of that, what a metadata snapshot keeps until it is released.
    pub(crate) held: Bytes,
    /// What deleting it gives back.
    pub(crate) frees: Frees,
    /// What it grew by since it was first seen on this screen.
    pub(crate) grown: Option<Growth>,
}

/// What else is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Smaller holders, so many, each alone.
    Others(usize),
    /// Blocks that several holders use.
    Shared,
    /// Blocks that nothing but the metadata snapshot uses.
    Snapshot,
    /// Blocks that are being written and are in no device yet.
    Pending,
    /// Blocks in use that nothing reaches.
    Lost,
    /// Blocks that the kernel counts and the metadata's last commit does not.
    Uncommitted,
}

/// Who holds a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Why {
    /// How much is known.
    pub(crate) known: Known,
    /// The largest first: by what they hold alone, or by what they map where that is not known.
    pub(crate) holders: Vec<Holder>,
    /// What those do not hold.
    pub(crate) rest: Vec<(Rest, Option<Bytes>)>,
}

impl Why {
    /// Of a pool.
    pub(crate) fn of(seen: &Seen, at: PoolIx, grown: &Grown) -> Self {
        let pool = seen.topology().pool(at);
        let ledger = Ledger::of(seen, pool, grown);
        let mut order: Vec<u32> = (0_u32..).take(ledger.holders.len()).collect();
        let size = |at: &u32| std::cmp::Reverse((ledger.size(*at), std::cmp::Reverse(*at)));
        // the whole order is nothing that anybody sees
        if order.len() > LARGEST {
            order.select_nth_unstable_by_key(LARGEST, size);
        }
        let mut smaller = order.split_off(order.len().min(LARGEST));
        order.sort_unstable_by_key(size);
        // who holds nothing alone is none of those that fill it
        let some = order.partition_point(|at| ledger.size(*at) > 0);
        if ledger.known != Known::Nothing {
            smaller.extend(order.drain(some..));
        }
        let mut holders: Vec<Holder> = order.iter().map(|at| ledger.holder(seen, *at)).collect();
        ledger.list_nodes(seen, pool, order.iter().zip(&mut holders));
        let others = (smaller.len(), ledger.alone(smaller.into_iter()));
        let rest = rest(pool, &ledger, others);
        Self { known: ledger.known, holders, rest }
    }
}

/// What the largest do not hold, so that all together is what is in use.
fn rest(
    pool: &Pool,
    ledger: &Ledger<'_>,
    (others, alone): (usize, DataBlocks),
) -> Vec<(Rest, Option<Bytes>)> {
    let mut rest = Vec::new();
    let contents = pool.contents.as_deref();
    let block = contents.map(|contents| contents.block_size);
    let bytes = |blocks: DataBlocks| block.map(|block| blocks.bytes(block));
    let known = ledger.known != Known::Nothing;
    if others > 0 {
        rest.push((Rest::Others(others), bytes(alone).filter(|_| known)));
    }
    let mappings = contents.and_then(|contents| contents.mappings.as_deref());
    if let (Some(contents), Some(mappings)) = (contents, mappings) {
        let unreached = mappings.pending.plus(mappings.leaked);
        let all = (0_u32..).take(ledger.holders.len());
        let each = ledger.alone(all);
        let shared = contents.data.used.minus(unreached).minus(ledger.snapshot).minus(each);
        for (what, blocks) in [
            (Rest::Shared, shared),
            (Rest::Snapshot, ledger.snapshot),
            (Rest::Pending, mappings.pending),
            (Rest::Lost, mappings.leaked),
        ] {
            if blocks.get() > 0 {
                rest.push((what, bytes(blocks)));
            }
        }
    }
    if let (Some(status), Some(contents)) = (pool.status(), contents) {
        let more = status.data.used.minus(contents.data.used);
        if more.get() > 0 {
            rest.push((Rest::Uncommitted, bytes(more)));
        }
    }
    rest
}

#[cfg(test)]
pub(crate) mod tests;
