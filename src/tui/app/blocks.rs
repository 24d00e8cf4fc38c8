//! Going about in the Blocks view, and asking about a block.

use super::{App, Move, View};
use crate::model::block::Space;
use crate::model::{NodeIx, PoolIx};
use crate::tui::blocks::By;
use crate::tui::event::{Effect, Request};

impl App {
    /// View 3, on the pool of what is selected.
    pub(crate) fn show_blocks(&mut self) {
        let topology = self.seen.topology();
        let node = self.table().selected_node();
        let thin = node.and_then(|ix| topology.nodes.get(ix.0 as usize)?.facts.thin);
        let thin = thin.and_then(|ix| topology.thins.get(ix.0 as usize));
        let (pool, device) = match thin {
            Some(thin) => (Some(thin.pool), thin.id),
            None => (node.and_then(|node| self.pool_at(node)).or(self.first_pool()), None),
        };
        self.strip.open(pool, device);
        if device.is_none() {
            self.strip.by = By::Owner;
        }
        self.show(View::Blocks);
    }

    /// The pool that a node is, or whose data or metadata it holds.
    pub(super) fn pool_at(&self, node: NodeIx) -> Option<PoolIx> {
        let pools = self.seen.topology().pools.iter();
        let found = pools.enumerate().find(|(_, pool)| {
            pool.node == node || pool.data == Some(node) || pool.metadata == Some(node)
        });
        found.and_then(|(at, _)| u32::try_from(at).ok()).map(PoolIx)
    }

    fn first_pool(&self) -> Option<PoolIx> {
        let pools = &self.seen.topology().pools;
        let read = pools.iter().position(|pool| pool.contents.is_some());
        let at = read.or((!pools.is_empty()).then_some(0))?;
        u32::try_from(at).ok().map(PoolIx)
    }

    /// Moves within the strip.
    pub(super) fn go_in_blocks(&mut self, step: Move) {
        let row = i64::try_from(self.strip.width).unwrap_or(1);
        let page = i64::from(self.areas().body.height.saturating_sub(1).max(1)) * row;
        self.go_cells(match step {
            Move::Up => -row,
            Move::Down => row,
            Move::PageUp => -page,
            Move::PageDown => page,
            Move::First => i64::MIN,
            Move::Last => i64::MAX,
        });
    }

    /// Moves by cells.
    pub(crate) fn go_cells(&mut self, cells: i64) {
        self.strip.go(cells);
        self.pane_offset = 0;
    }

    /// Fewer blocks in a cell.
    pub(crate) fn zoom_in(&mut self) {
        self.strip.zoom_in();
    }

    /// More blocks in a cell.
    pub(crate) fn zoom_out(&mut self) {
        self.strip.zoom_out();
    }

    /// By owner, or by how blocks stand to the selected device.
    pub(crate) fn change_blocks(&mut self) {
        self.strip.by = match (self.strip.by, self.strip.device) {
            (By::Owner, Some(_)) => By::Sharing,
            (By::Owner, None) => {
                self.notice = Some(
                    "select a device in view 1 or 2 first: 3 then shows what it shares".into(),
                );
                By::Owner
            }
            (By::Sharing | By::Own, _) => By::Owner,
        };
    }

    /// The device's own address space, against the one other device that is marked if there is
    /// one; and back to the pool.
    pub(crate) fn show_own_space(&mut self) {
        if self.strip.by == By::Own {
            self.strip.look_at(By::Owner);
            return;
        }
        let topology = self.seen.topology();
        let pool = self.strip.pool.and_then(|ix| topology.pools.get(ix.0 as usize));
        let (Some(pool), Some(id)) = (pool, self.strip.device) else {
            self.notice =
                Some("select a device in view 1 or 2 first: its own blocks are shown then".into());
            return;
        };
        let marked =
            self.marks.iter().filter_map(|id| topology.node(topology.find(id)?).facts.thin);
        let rows =
            marked.map(|ix| topology.thin(ix)).filter(|row| Some(row.pool) == self.strip.pool);
        let others: Vec<_> = rows.filter_map(|row| row.id).filter(|other| *other != id).collect();
        let other = if let [other] = others.as_slice() { Some(*other) } else { None };
        let pool = pool.name.to_string();
        self.notice = Some("reading the device's own blocks".to_owned());
        self.effects.push(Effect::Ask(Request::Space { pool, id, other }));
    }

    /// It has been read.
    pub(super) fn take_space(&mut self, space: Space) {
        if self.view != View::Blocks || self.strip.device != Some(space.id) {
            return;
        }
        self.notice = space
            .cut
            .then(|| "the device is too scattered: only its first blocks are shown".to_owned());
        self.strip.space = Some(std::sync::Arc::new(space));
        self.strip.look_at(By::Own);
    }

    /// Into a cell of several blocks; of one block, who uses it and where it lies.
    pub(super) fn open_block(&mut self) {
        let blocks = self.strip.cell().map_or(0, |(_, cell)| cell.blocks);
        if self.strip.per_cell > 1 {
            self.strip.zoom_in();
            return;
        }
        let pool = self.strip.pool.map(|ix| self.seen.topology().pool(ix).name.to_string());
        if self.strip.by == By::Own {
            self.notice = Some("v leads back to the pool, where enter asks about a block".into());
            return;
        }
        if let Some(pool) = pool.filter(|_| blocks > 0) {
            self.notice = Some("reading the metadata for this block".to_owned());
            let block = self.strip.cursor;
            self.effects.push(Effect::Ask(Request::Block { pool, block }));
        }
    }

    /// Brings the strip up to date.
    pub(super) fn settle_blocks(&mut self) {
        if self.view != View::Blocks {
            return;
        }
        let body = self.areas().body;
        let size = (usize::from(body.width.saturating_sub(2)), usize::from(body.height));
        let generation = self.seen.snapshot.generation;
        self.strip.settle(&self.seen.snapshot.topology, generation, size);
    }
}
