//! What a device maps that another does not, as `thin_delta` tells it.
//!
//! Two layers that descend from each other share most of their blocks of metadata. Whatever node
//! both trees reach holds the same mappings in both and is not read; what is left on either side
//! is compared entry by entry.

use std::cmp::Ordering;

use super::damage::{Damages, MetaError};
use super::forest::{At, Forest};
use super::leaves::{InOrder, Leaves, Mapping};
use crate::units::DataBlocks;

/// How two devices differ, in blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// Blocks that both map, to different data blocks.
    pub different: DataBlocks,
    /// Blocks that only the first maps.
    pub left_only: DataBlocks,
    /// Blocks that only the second maps.
    pub right_only: DataBlocks,
    /// Unless empty, something could not be compared.
    pub damages: Damages,
}

impl Delta {
    /// Blocks that the first maps, and not to the same data block as the second.
    pub fn added(&self) -> DataBlocks {
        self.different.plus(self.left_only)
    }
}

/// One block by which two devices differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// Both map it, to different data blocks.
    Different(Mapping, Mapping),
    /// Only the first maps it.
    LeftOnly(Mapping),
    /// Only the second maps it.
    RightOnly(Mapping),
}

/// Hands every difference to `take`, by ascending virtual block.
pub(super) fn each(
    leaves: &Leaves<'_>,
    forest: &Forest,
    (left, right): (u32, u32),
    take: &mut dyn FnMut(Difference),
) -> Result<Damages, MetaError> {
    let (left, right) = apart(leaves, forest, (left, right))?;
    let (mut left, mut right) = (leaves.in_order(left), leaves.in_order(right));
    merge(&mut left, &mut right, take)?;
    let mut damages = left.into_damages();
    damages.append(right.into_damages());
    Ok(damages)
}

fn merge(
    left: &mut InOrder<'_>,
    right: &mut InOrder<'_>,
    take: &mut dyn FnMut(Difference),
) -> Result<(), MetaError> {
    let (mut one, mut other) = (left.next()?, right.next()?);
    loop {
        let order = match (&one, &other) {
            (None, None) => return Ok(()),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => one.virtual_block.cmp(&other.virtual_block),
        };
        match (order, one, other) {
            (Ordering::Equal, Some(a), Some(b)) if a.data_block != b.data_block => {
                take(Difference::Different(a, b));
            }
            (Ordering::Less, Some(a), _) => take(Difference::LeftOnly(a)),
            (Ordering::Greater, _, Some(b)) => take(Difference::RightOnly(b)),
            _ => {}
        }
        if order != Ordering::Greater {
            one = left.next()?;
        }
        if order != Ordering::Less {
            other = right.next()?;
        }
    }
}

/// The leaves that only one of two trees reaches, each side in key order. Nodes of equal height
/// are compared together, so that a node both reach is dropped with all below it.
fn apart(
    leaves: &Leaves<'_>,
    forest: &Forest,
    (left, right): (u32, u32),
) -> Result<(Vec<u32>, Vec<u32>), MetaError> {
    let [mut left, mut right] = [left, right].map(|device| Vec::from_iter(forest.root(device)));
    let top = left.iter().chain(&right).map(|at| at.height).max().unwrap_or(0);
    for height in (1..=top).rev() {
        let mut left_here = take_height(&mut left, height);
        let mut right_here = take_height(&mut right, height);
        drop_common(&mut left_here, &mut right_here);
        add_below(leaves, &left_here, &mut left)?;
        add_below(leaves, &right_here, &mut right)?;
    }
    let (mut left, mut right) = (take_height(&mut left, 0), take_height(&mut right, 0));
    drop_common(&mut left, &mut right);
    Ok((in_key_order(forest, &left), in_key_order(forest, &right)))
}

/// Takes the nodes of one height out of the list, sorted.
fn take_height(from: &mut Vec<At>, height: u8) -> Vec<At> {
    let mut here: Vec<At> = from.extract_if(.., |at| at.height == height).collect();
    here.sort_unstable();
    here.dedup();
    here
}

fn drop_common(left: &mut Vec<At>, right: &mut Vec<At>) {
    let only = |mine: &[At], other: &[At]| -> Vec<At> {
        mine.iter().copied().filter(|node| other.binary_search(node).is_err()).collect()
    };
    let (one, other) = (only(left, right), only(right, left));
    *left = one;
    *right = other;
}

fn add_below(leaves: &Leaves<'_>, inners: &[At], to: &mut Vec<At>) -> Result<(), MetaError> {
    for inner in inners {
        to.extend(leaves.below(*inner)?.into_iter().map(|(_, at)| at));
    }
    Ok(())
}

/// Leaves of one tree hold disjoint keys, so that their lowest keys order them.
fn in_key_order(forest: &Forest, leaves: &[At]) -> Vec<u32> {
    let mut found: Vec<u32> = leaves.iter().filter_map(|at| forest.leaf_at(at.block)).collect();
    found.sort_unstable_by_key(|leaf| forest.leaves().get(*leaf as usize).map(|leaf| leaf.low));
    found
}
