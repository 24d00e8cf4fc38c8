//! The blocks of a pool as a strip of cells: which stretch is shown, where the cursor is, and
//! what each cell stands for.
//!
//! Cells are worked out when something changed, not for every frame: a pool may be a million
//! stretches. Knows nothing of signs and colours.

use std::sync::Arc;

use crate::ids::ThinId;
use crate::model::block::{Space, SpaceSort};
use crate::model::metadata::{Group, Groups, PoolMetadata};
use crate::model::{Holder, Pool, PoolIx, Topology};

/// What cells tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum By {
    /// Whom a block counts for.
    #[default]
    Owner,
    /// How it stands to the selected device.
    Sharing,
    /// What it is in the selected device's own address space.
    Own,
}

/// What a block is, in either way of telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sort {
    /// Counts for this holder.
    Of(Holder),
    /// The selected device's alone.
    Alone,
    /// The selected device shares it.
    Shared,
    /// Others use it.
    Other,
    /// A block of a device's own space.
    Own(SpaceSort),
}

/// One cell: as many blocks as the zoom says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    /// How many of its blocks are of each sort, most first.
    pub(crate) sorts: Vec<(Sort, u64)>,
    /// How many blocks it stands for.
    pub(crate) blocks: u64,
}

impl Cell {
    /// How many of its blocks are in use.
    pub(crate) fn used(&self) -> u64 {
        self.sorts.iter().map(|(_, count)| count).sum()
    }

    fn add(&mut self, sort: Sort, count: u64) {
        match self.sorts.iter_mut().find(|(known, _)| *known == sort) {
            Some((_, sum)) => *sum += count,
            None => self.sorts.push((sort, count)),
        }
    }
}

/// What the cells were worked out for. A picture has a generation of its own; what is chosen in
/// this view makes them anew by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Key {
    generation: u64,
    by: By,
    device: Option<ThinId>,
    start: u64,
    per_cell: u64,
    count: usize,
}

/// The strip.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strip {
    /// Of which pool.
    pub(crate) pool: Option<PoolIx>,
    /// The device that was selected when the view was opened.
    pub(crate) device: Option<ThinId>,
    /// What cells tell.
    pub(crate) by: By,
    /// The first block shown.
    pub(crate) start: u64,
    /// Blocks that a cell stands for.
    pub(crate) per_cell: u64,
    /// The block under the cursor: the first of its cell.
    pub(crate) cursor: u64,
    /// The cells.
    pub(crate) cells: Vec<Cell>,
    /// Cells in a row.
    pub(crate) width: usize,
    /// Blocks of the pool, or of the device.
    end: u64,
    /// The device's own address space, where that was read.
    pub(crate) space: Option<Arc<Space>>,
    key: Option<Key>,
}

/// Why there are no cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nothing {
    /// There is no pool.
    NoPool,
    /// Its metadata was not read.
    NotRead,
    /// Its mappings were not read.
    NoMappings,
    /// Its blocks are too scattered to be kept.
    Scattered,
}

/// Who uses which block of a pool.
pub(crate) fn map_of(pool: Option<&Pool>) -> Result<(&Arc<PoolMetadata>, &Groups), Nothing> {
    let contents = pool.ok_or(Nothing::NoPool)?.contents.as_ref().ok_or(Nothing::NotRead)?;
    let mappings = contents.mappings.as_ref().ok_or(Nothing::NoMappings)?;
    let groups = mappings.groups.as_ref().filter(|groups| groups.map.is_some());
    Ok((contents, groups.ok_or(Nothing::Scattered)?))
}

impl Strip {
    /// Tells something else, of other blocks: seen whole again.
    pub(crate) fn look_at(&mut self, by: By) {
        self.by = by;
        (self.start, self.cursor, self.per_cell) = (0, 0, 0);
        self.key = None;
    }

    /// Opens on a pool, as it is seen whole.
    pub(crate) fn open(&mut self, pool: Option<PoolIx>, device: Option<ThinId>) {
        if self.pool != pool {
            *self = Self::default();
        }
        (self.pool, self.device, self.key) = (pool, device, None);
    }

    /// Brings the cells up to date: `width` by `height` of them.
    pub(crate) fn settle(&mut self, topology: &Topology, generation: u64, size: (usize, usize)) {
        let (width, height) = size;
        let pool = self.pool.and_then(|ix| topology.pools.get(ix.0 as usize));
        self.width = width.max(1);
        let count = width.saturating_mul(height);
        let Ok((contents, groups)) = map_of(pool) else {
            self.cells.clear();
            self.key = None;
            return;
        };
        let own =
            self.space.clone().filter(|space| self.by == By::Own && Some(space.id) == self.device);
        let end = match &own {
            Some(space) => self.device_end(topology, pool, contents, space),
            None => contents.data.total.get(),
        };
        self.end = end;
        self.hold_within(end, count);
        let key = Key {
            generation,
            by: self.by,
            device: self.device,
            start: self.start,
            per_cell: self.per_cell,
            count,
        };
        if self.key.as_ref() == Some(&key) {
            return;
        }
        self.cells = if let Some(space) = own {
            let runs = space.runs.iter().map(|run| (run.start, run.length, Sort::Own(run.what)));
            self.work_out(runs, end, count)
        } else {
            let sorts = self.sorts(topology, pool, contents, groups);
            let map = groups.map.as_deref().unwrap_or_default();
            let runs = map
                .iter()
                .filter_map(|run| Some((run.start, run.length, *sorts.get(run.group as usize)?)));
            self.work_out(runs, end, count)
        };
        self.key = Some(key);
    }

    /// Zoom and cursor within the pool, and the cursor within what is shown.
    fn hold_within(&mut self, end: u64, count: usize) {
        let cells = u64::try_from(count.max(1)).unwrap_or(u64::MAX);
        let whole = end.div_ceil(cells).max(1);
        if self.per_cell == 0 || self.per_cell > whole {
            self.per_cell = whole;
        }
        self.cursor = self.cursor.min(end.saturating_sub(1)) / self.per_cell * self.per_cell;
        let row = self.per_cell.saturating_mul(self.width as u64);
        let shown = self.per_cell.saturating_mul(cells);
        if self.cursor < self.start {
            self.start = self.cursor / row * row;
        } else if self.cursor >= self.start.saturating_add(shown) {
            self.start = (self.cursor / row * row + row).saturating_sub(shown);
        }
        let last = end.div_ceil(row).saturating_mul(row).saturating_sub(shown);
        self.start = self.start.min(last) / row * row;
    }

    /// What each group is.
    fn sorts(
        &self,
        topology: &Topology,
        pool: Option<&Pool>,
        contents: &PoolMetadata,
        groups: &Groups,
    ) -> Vec<Sort> {
        let place = self.device.and_then(|id| contents.place(id));
        let holders = pool.map(|pool| topology.holders_by_place(pool, contents));
        let holders = holders.unwrap_or_default();
        let sort = |group: &Group| match self.by {
            By::Owner => {
                let first = group.places().filter_map(|at| holders.get(at).copied()).min();
                Sort::Of(first.unwrap_or(Holder::MetadataSnapshot))
            }
            By::Sharing | By::Own => match place {
                Some(at) if group.holds(at) && group.device_count() == 1 => Sort::Alone,
                Some(at) if group.holds(at) => Sort::Shared,
                _ => Sort::Other,
            },
        };
        groups.list.iter().map(sort).collect()
    }

    /// The blocks of the device: as large as it is, or as far as it is mapped.
    fn device_end(
        &self,
        topology: &Topology,
        pool: Option<&Pool>,
        contents: &PoolMetadata,
        space: &Space,
    ) -> u64 {
        let mut rows = pool.into_iter().flat_map(|pool| &pool.devices).map(|ix| topology.thin(*ix));
        let size = rows.find(|row| row.id == self.device).and_then(|row| row.size);
        let block = contents.block_size.bytes().get().max(1);
        size.map_or(0, |size| size.get().div_ceil(block)).max(space.end())
    }

    fn work_out(
        &self,
        runs: impl Iterator<Item = (u64, u64, Sort)>,
        end: u64,
        count: usize,
    ) -> Vec<Cell> {
        let blocks_of = |at: usize| {
            let first = self.start.saturating_add(self.per_cell.saturating_mul(at as u64));
            end.saturating_sub(first).min(self.per_cell)
        };
        let mut cells: Vec<Cell> = (0..count)
            .map(|at| Cell { sorts: Vec::new(), blocks: blocks_of(at) })
            .take_while(|cell| cell.blocks > 0)
            .collect();
        let shown = self.per_cell.saturating_mul(cells.len() as u64);
        let stop = self.start.saturating_add(shown);
        let shown = runs
            .skip_while(|(start, length, _)| start.saturating_add(*length) <= self.start)
            .take_while(|(start, ..)| *start < stop);
        for (start, length, sort) in shown {
            let (mut at, to) = (start.max(self.start), start.saturating_add(length).min(stop));
            while at < to {
                let cell = (at - self.start) / self.per_cell;
                let next = (self.start + (cell + 1) * self.per_cell).min(to);
                if let Some(cell) = usize::try_from(cell).ok().and_then(|at| cells.get_mut(at)) {
                    cell.add(sort, next - at);
                }
                at = next;
            }
        }
        for cell in &mut cells {
            cell.sorts.sort_by_key(|(sort, count)| (std::cmp::Reverse(*count), *sort));
        }
        cells
    }

    /// The cell under the cursor, and its place.
    pub(crate) fn cell(&self) -> Option<(usize, &Cell)> {
        let at = self.cursor.checked_sub(self.start)?.checked_div(self.per_cell)?;
        let at = usize::try_from(at).ok()?;
        self.cells.get(at).map(|cell| (at, cell))
    }

    /// Rows of cells before those that are shown.
    pub(crate) fn offset(&self) -> usize {
        let row = self.per_cell.saturating_mul(self.width as u64).max(1);
        usize::try_from(self.start / row).unwrap_or(usize::MAX)
    }

    /// Rows of cells of the whole pool at this zoom.
    pub(crate) fn rows(&self) -> usize {
        let row = self.per_cell.saturating_mul(self.width as u64).max(1);
        usize::try_from(self.end.div_ceil(row)).unwrap_or(usize::MAX)
    }

    /// Moves by cells, within the pool.
    pub(crate) fn go(&mut self, cells: i64) {
        let by = self.per_cell.saturating_mul(cells.unsigned_abs());
        self.cursor =
            if cells < 0 { self.cursor.saturating_sub(by) } else { self.cursor.saturating_add(by) };
    }

    /// Fewer blocks in a cell: a quarter; whether there were more than one.
    pub(crate) fn zoom_in(&mut self) -> bool {
        let before = self.per_cell;
        self.per_cell = (before / 4).max(1);
        // around the cursor
        self.start = self.cursor;
        before > 1
    }

    /// More blocks in a cell.
    pub(crate) fn zoom_out(&mut self) {
        self.per_cell = self.per_cell.saturating_mul(4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Usage;
    use crate::model::metadata::{MapRun, Mappings};
    use crate::model::sample::direct_lvm;
    use crate::units::{DataBlocks, Sectors};

    /// A pool of 100 blocks: 0 to 9 of one group, 30 of another, the rest free.
    fn topology() -> Topology {
        let mut parts = direct_lvm();
        let group = |held| Group { devices: Vec::new(), held, blocks: DataBlocks(1) };
        let map = vec![
            MapRun { start: 0, length: 10, group: 0 },
            MapRun { start: 30, length: 1, group: 1 },
        ];
        let groups = Groups { list: vec![group(true), group(true)], map: Some(map) };
        parts.pool.contents = Some(Arc::new(PoolMetadata {
            block_size: Sectors(128),
            data: Usage { used: DataBlocks(11), total: DataBlocks(100) },
            mappings: Some(Box::new(Mappings { groups: Some(groups), ..Mappings::default() })),
            ..PoolMetadata::default()
        }));
        parts.topology()
    }

    fn used(strip: &Strip) -> Vec<u64> {
        strip.cells.iter().map(Cell::used).collect()
    }

    #[test]
    fn cells_stand_for_the_whole_pool_and_count_every_used_block_once() {
        let (topology, mut strip) = (topology(), Strip::default());
        strip.open(Some(PoolIx(0)), None);
        strip.settle(&topology, 1, (5, 2));
        assert_eq!((strip.per_cell, strip.start), (10, 0));
        assert_eq!(used(&strip), [10, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        strip.settle(&topology, 1, (3, 1));
        assert_eq!(strip.per_cell, 10, "a smaller screen scrolls");
        assert_eq!(used(&strip), [10, 0, 0]);
        strip.zoom_out();
        strip.settle(&topology, 1, (3, 1));
        assert_eq!((strip.per_cell, used(&strip).iter().sum::<u64>()), (34, 11));
        assert_eq!(strip.cells.last().map(|cell| cell.blocks), Some(32));
    }

    #[test]
    fn the_cursor_stays_in_the_pool_and_the_strip_follows_it() {
        let (topology, mut strip) = (topology(), Strip::default());
        strip.open(Some(PoolIx(0)), None);
        strip.settle(&topology, 1, (5, 2));
        while strip.zoom_in() {}
        strip.settle(&topology, 1, (5, 2));
        assert_eq!((strip.per_cell, strip.cells.len()), (1, 10));
        strip.go(1000);
        strip.settle(&topology, 1, (5, 2));
        assert_eq!((strip.cursor, strip.start), (99, 90));
        strip.go(-69);
        strip.settle(&topology, 1, (5, 2));
        assert_eq!(strip.cursor, 30);
        assert_eq!(strip.cell().map(|(_, cell)| cell.used()), Some(1));
        strip.go(i64::MIN);
        strip.settle(&topology, 1, (5, 2));
        assert_eq!((strip.cursor, strip.start), (0, 0));
    }

    #[test]
    fn what_is_not_known_has_no_cells_and_no_size_makes_it_panic() {
        let mut strip = Strip::default();
        strip.settle(&topology(), 1, (5, 2));
        assert!(strip.cells.is_empty() && strip.cell().is_none());
        strip.open(Some(PoolIx(0)), None);
        for size in [(0, 0), (1, 1), (0, 5), (500, 400)] {
            strip.settle(&topology(), 2, size);
            strip.go(7);
            strip.zoom_out();
        }
    }
}
