//! One data block of a pool: who reads it where, who allocated it, and where it lies.

use serde::{Deserialize, Serialize};

use super::node::{Kind, Node};
use super::pool::Pool;
use super::topology::{NodeIx, Topology};
use crate::ids::ThinId;
use crate::units::Sectors;

/// What is asked about one data block of a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockQuestion {
    /// Which data block a device reads at a block of its own.
    Of {
        /// The device.
        id: ThinId,
        /// Where in the device.
        at: Position,
    },
    /// Who uses a data block.
    Data(u64),
    /// All of a device's own address space, or how it differs from another's.
    Space {
        /// The device.
        id: ThinId,
        /// The other, where they are compared.
        other: Option<ThinId>,
    },
}

/// A place in a thin device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Position {
    /// A byte.
    Byte(u64),
    /// A block, which has the size of the pool's data blocks.
    Block(u64),
}

impl Position {
    /// The block, and the byte within it, where blocks have this size.
    pub fn within(self, block: Sectors) -> (u64, u64) {
        match self {
            Self::Byte(byte) => {
                let size = block.bytes().get().max(1);
                (byte / size, byte % size)
            }
            Self::Block(block) => (block, 0),
        }
    }
}

/// What the metadata says of one data block.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockAnswer {
    /// The data block; `None` when the device maps nothing there and reads zeros.
    pub data_block: Option<u64>,
    /// The snapshot counter when it was allocated.
    pub time: Option<u32>,
    /// Who reads it: one entry for each mapping, however many devices share that.
    pub uses: Vec<BlockUse>,
    /// There are more uses than are told.
    pub more_uses: bool,
    /// Who allocated it.
    pub allocated: Option<Allocated>,
    /// A device's own address space, where that was asked for.
    pub space: Option<Space>,
}

/// A device's own address space, block by block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// The device.
    pub id: ThinId,
    /// The device it is compared with.
    pub other: Option<ThinId>,
    /// What is mapped, by ascending block; what is not is a hole.
    pub runs: Vec<SpaceRun>,
    /// There are more runs than are kept.
    pub cut: bool,
}

/// Neighbouring blocks of a device that are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpaceRun {
    /// The first block in the device.
    pub start: u64,
    /// How many.
    pub length: u64,
    /// What they are.
    pub what: SpaceSort,
}

/// What a block of a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpaceSort {
    /// Mapped to a data block that nothing else uses.
    Alone,
    /// Mapped to a data block that others use too.
    Shared,
    /// Both devices map it to the same data block.
    Same,
    /// Both map it, to different data blocks.
    Different,
    /// Only this device maps it.
    Added,
    /// Only the other maps it.
    Lacking,
}

impl Space {
    /// Adds a block behind those that are there; whether there was room.
    pub fn push(&mut self, block: u64, what: SpaceSort, most: usize) -> bool {
        let goes_on = |run: &&mut SpaceRun| run.what == what && run.start + run.length == block;
        if let Some(run) = self.runs.last_mut().filter(goes_on) {
            run.length += 1;
        } else if self.runs.len() < most {
            self.runs.push(SpaceRun { start: block, length: 1, what });
        } else {
            self.cut = true;
        }
        !self.cut
    }

    /// The block behind the last that is mapped.
    pub fn end(&self) -> u64 {
        self.runs.last().map_or(0, |run| run.start.saturating_add(run.length))
    }
}

/// Devices that read a data block at a block of their own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockUse {
    /// The block in the devices.
    pub virtual_block: u64,
    /// The snapshot counter when it was allocated.
    pub time: u32,
    /// The devices.
    pub devices: Vec<ThinId>,
    /// The metadata snapshot reads it too.
    pub held: bool,
}

/// Who allocated a data block, as far as the metadata tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allocated {
    /// This device, for certain: the block is not older than it.
    Certain(ThinId),
    /// This device, if the parents that its engine names are right.
    ByDescent(ThinId),
    /// An ancestor that is gone.
    Gone,
}

/// A byte on one of the devices under a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhysicalPlace {
    /// The device.
    pub node: NodeIx,
    /// The byte on it.
    pub offset: u64,
}

/// Levels of linear devices that are followed.
const DEEPEST: usize = 32;

impl Topology {
    /// Where a byte of a pool's data lies: on its data device, and on each device below that as
    /// far as the tables are linear. The last one is as far down as could be told.
    pub fn physical(&self, pool: &Pool, offset: u64) -> Vec<PhysicalPlace> {
        let Some(mut at) = pool.data else { return Vec::new() };
        let mut offset = offset;
        let mut places = vec![PhysicalPlace { node: at, offset }];
        for _ in 0..DEEPEST {
            let Some((below, there)) = self.linear_below(self.node(at), offset) else { break };
            (at, offset) = (below, there);
            places.push(PhysicalPlace { node: at, offset });
        }
        places
    }

    /// The device under a byte of a linear one (`START LENGTH linear MAJ:MIN OFFSET`, in sectors),
    /// or the disk under a byte of a partition or of a loop's file.
    fn linear_below(&self, node: &Node, offset: u64) -> Option<(NodeIx, u64)> {
        let lines = node.facts.dm.as_ref()?.table.iter();
        lines.filter_map(|line| linear(line.as_str(), offset)).find_map(|(dev, there)| {
            let below = self.nodes.iter().position(|node| {
                node.kind != Kind::Pv && node.device.is_some_and(|found| found.to_string() == dev)
            })?;
            Some((NodeIx(u32::try_from(below).ok()?), there))
        })
    }
}

/// Device and byte of a linear line that covers a byte.
fn linear(line: &str, offset: u64) -> Option<(&str, u64)> {
    let mut words = line.split_ascii_whitespace();
    let mut number = || words.next()?.parse::<u64>().ok()?.checked_mul(512);
    let (start, length) = (number()?, number()?);
    let within = offset.checked_sub(start).filter(|within| *within < length)?;
    if words.next()? != "linear" {
        return None;
    }
    let dev = words.next()?;
    let there = words.next()?.parse::<u64>().ok()?.checked_mul(512)?;
    Some((dev, there.checked_add(within)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_of_a_linear_line_is_found_below_it() {
        let line = "2048 4096 linear 8:16 10240";
        assert_eq!(linear(line, 2048 * 512), Some(("8:16", 10240 * 512)));
        assert_eq!(linear(line, 2049 * 512 + 7), Some(("8:16", 10241 * 512 + 7)));
        assert_eq!(linear(line, 2048 * 512 - 1), None);
        assert_eq!(linear(line, (2048 + 4096) * 512), None);
        assert_eq!(linear("0 8 striped 2 128 8:0 0 8:16 0", 0), None);
        assert_eq!(linear("0 18446744073709551615 linear 8:0 1", 0), None);
        assert_eq!(linear("", 0), None);
    }
}
