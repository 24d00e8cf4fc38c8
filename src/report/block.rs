//! What was asked about a data block, with all that an answer is told by.

use crate::ids::ThinId;
use crate::model::block::{BlockAnswer, BlockQuestion};
use crate::model::{Pool, PoolIx, ThinDevice, Topology};
use crate::units::Sectors;

/// A question about a data block and its answer.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// The host.
    pub topology: &'a Topology,
    /// The pool.
    pub pool: PoolIx,
    /// What was asked.
    pub question: &'a BlockQuestion,
    /// What the metadata says.
    pub answer: &'a BlockAnswer,
}

impl<'a> Answered<'a> {
    /// The pool.
    pub(super) fn pool(&self) -> &'a Pool {
        self.topology.pool(self.pool)
    }

    /// The size of its data blocks.
    pub(super) fn block(&self) -> Sectors {
        self.pool().block_size.unwrap_or_default()
    }

    /// Device, block in it and byte in that block, where that was the question.
    pub(super) fn asked(&self) -> Option<(ThinId, u64, u64)> {
        let BlockQuestion::Of { id, at } = self.question else { return None };
        let (block, byte) = at.within(self.block());
        Some((*id, block, byte))
    }

    /// The first byte of the data block on the pool's data device, moved by the byte asked for.
    pub(super) fn offset(&self) -> Option<u64> {
        let first = self.answer.data_block?.checked_mul(self.block().bytes().get())?;
        first.checked_add(self.asked().map_or(0, |(_, _, byte)| byte))
    }

    /// The row of a device.
    pub(super) fn row(&self, id: ThinId) -> Option<&'a ThinDevice> {
        let rows = self.pool().devices.iter().map(|ix| self.topology.thin(*ix));
        rows.into_iter().find(|row| row.id == Some(id))
    }
}
