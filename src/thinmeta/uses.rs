//! Who uses a data block: the way back that the metadata keeps no index of.

use super::damage::{Damages, MetaError};
use super::forest::Forest;
use super::leaves::{Leaves, Mapping};
use super::sets::SetId;
use crate::ids::ThinId;

/// One leaf entry that maps a data block, and the devices that reach it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// The mapping.
    pub mapping: Mapping,
    set: SetId,
}

impl Use {
    /// The devices that read the data block through this mapping. Empty when only the metadata
    /// snapshot does, or when they are too many to tell.
    pub fn devices<'f>(&self, forest: &'f Forest) -> impl Iterator<Item = ThinId> + use<'f> {
        forest.members(self.set)
    }

    /// Whether the metadata snapshot reads it as well.
    pub fn is_held(&self, forest: &Forest) -> bool {
        forest.is_held(self.set)
    }
}

/// Hands every use of data blocks `low` to `high` to `take`, in one pass over all leaves.
pub(super) fn each(
    leaves: &Leaves<'_>,
    forest: &Forest,
    (low, high): (u64, u64),
    take: &mut dyn FnMut(Use),
) -> Result<Damages, MetaError> {
    let mut damages = Damages::default();
    let wanted: Vec<u32> = (0..).take(forest.leaves().len()).collect();
    leaves.each(&wanted, &mut damages, &mut |_, leaf, node| {
        for (key, value) in node.keys().zip(node.numbers()) {
            if (low..=high).contains(&(value >> 24)) {
                take(Use { mapping: Mapping::unpack(key, value), set: leaf.set });
            }
        }
    })?;
    Ok(damages)
}
