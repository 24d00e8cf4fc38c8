//! From the roots down: the internal nodes of one height are read, every one once, and whatever they
//! refer to gets who reaches it and which keys it may hold.

use std::collections::HashSet;
use std::ops::ControlFlow;

use super::edges::Edges;
use super::heights::{First, Heights};
use super::level::Level;
use super::{At, Bounds, Forest, Leaf, Roots};
use crate::ids::ThinId;
use crate::thinmeta::btree::{MAX_DEPTH, check_bounds, check_range, parse_got};
use crate::thinmeta::damage::{DamageKind, Damages, MetaError, Part};
use crate::thinmeta::fetch::{Blocks, Got};
use crate::thinmeta::sets::{MANY, SetId, Sets, Spans};

pub(super) struct Walk<'s> {
    blocks: Blocks<'s>,
    devices: Vec<ThinId>,
    sets: Sets,
    level: Level,
    edges: Edges,
    /// Roots by their height: who has them, and where they are.
    roots: Vec<Vec<(SetId, u32)>>,
    /// The roots of the devices, in their order.
    ours: Vec<Option<At>>,
    /// Internal nodes that are damaged, or contradict those above them.
    bad: Vec<u32>,
    /// Sets of devices of whose trees something is missing.
    lost: HashSet<SetId>,
    damages: Damages,
}

impl<'s> Walk<'s> {
    pub(super) fn new(blocks: Blocks<'s>, roots: &Roots, bounds: Bounds, edges: Edges) -> Self {
        let devices: Vec<ThinId> = roots.devices.iter().map(|(id, _)| *id).collect();
        let count = u32::try_from(devices.len()).unwrap_or(ThinId::MAX);
        Self {
            blocks,
            sets: Sets::new(count, roots.held.is_some(), bounds.runs),
            level: Level::new(blocks.count(), bounds.runs),
            edges,
            bad: Vec::new(),
            roots: vec![Vec::new(); MAX_DEPTH + 1],
            ours: Vec::with_capacity(devices.len()),
            lost: HashSet::new(),
            damages: Damages::default(),
            devices,
        }
    }

    pub(super) fn all(mut self, roots: &Roots, first: First) -> Result<Forest, MetaError> {
        self.place_roots(roots, first)?;
        for height in (1..=MAX_DEPTH).rev() {
            let nodes = self.complete(height);
            self.read(&nodes, height)?;
        }
        let leaves = self.complete(0);
        let hurt = self.hurt();
        let Self { devices, sets, mut edges, ours: roots, bad, damages, .. } = self;
        edges.lose(bad);
        Ok(Forest { devices, roots, edges, leaves, sets, hurt, damages })
    }

    /// Finds the height of every root.
    fn place_roots(&mut self, roots: &Roots, first: First) -> Result<(), MetaError> {
        let held = self.sets.held();
        let owners = (0_u32..).zip(roots.devices.iter().map(|(_, root)| *root));
        let holders = roots.held.iter().flatten().filter_map(|root| Some((held?, *root)));
        let all: Vec<(SetId, u64)> = owners.chain(holders).collect();
        let blocks: Vec<u32> =
            all.iter().filter_map(|(_, root)| self.blocks.number(*root).ok()).collect();
        let mut heights = Heights::new(self.blocks, first);
        heights.read_first_ways(&blocks)?;
        for (set, root) in all {
            let found = match self.blocks.number(root) {
                Err(kind) => {
                    self.lose(root, kind, set);
                    None
                }
                Ok(block) => self.place_root(&mut heights, (set, block))?,
            };
            if let Some(at) = found
                && let Some(level) = self.roots.get_mut(usize::from(at.height))
            {
                level.push((set, at.block));
            }
            if Some(set) != held {
                self.ours.push(found);
            }
        }
        self.damages.append(heights.damages);
        Ok(())
    }

    /// Where a root stands; what is wrong with one that leads to no leaf is told once.
    fn place_root(
        &mut self,
        heights: &mut Heights<'_>,
        (set, block): (SetId, u32),
    ) -> Result<Option<At>, MetaError> {
        if let Some(height) = heights.of(block)? {
            return Ok(Some(At { height, block }));
        }
        self.lost.insert(set);
        for (block, kind) in heights.why_not(block)? {
            self.damages.push(block, self.part(set), kind);
        }
        Ok(None)
    }

    /// The nodes of a height, now that everything above was read.
    fn complete(&mut self, height: usize) -> Vec<Leaf> {
        for (set, block) in self.roots.get_mut(height).map(std::mem::take).unwrap_or_default() {
            self.level.reach(&mut self.sets, Leaf { block, set, low: 0, high: u64::MAX });
        }
        let complete = self.level.complete(&mut self.sets);
        for (block, set) in complete.twice {
            self.damages.push(block.into(), self.part(set), DamageKind::ReachedTwice);
        }
        complete.nodes
    }

    /// Follows the nodes of a height: those that are kept as they are, the others read.
    fn read(&mut self, nodes: &[Leaf], height: usize) -> Result<(), MetaError> {
        let height = u8::try_from(height).unwrap_or(u8::MAX);
        let (kept, unread): (Vec<Leaf>, Vec<Leaf>) =
            nodes.iter().partition(|node| self.edges.kept(node.block).is_some());
        for node in kept {
            self.descend_kept(node);
        }
        let wanted: Vec<u32> = unread.iter().map(|node| node.block).collect();
        let blocks = self.blocks;
        blocks.each(&wanted, &mut |at, got| {
            let Some(node) = unread.get(at) else { return ControlFlow::Break(()) };
            if let Err(kind) = self.descend(*node, height, got) {
                self.bad.push(node.block);
                self.lose(node.block.into(), kind, node.set);
            }
            ControlFlow::Continue(())
        })
    }

    /// Follows the references of a node that a scan has met.
    fn descend_kept(&mut self, reach: Leaf) {
        let Self { edges, level, sets, .. } = self;
        let Some(kept) = edges.kept(reach.block) else { return };
        let range = kept.keys.first().copied().zip(kept.keys.last().copied());
        if let Err(kind) = check_range(range, reach.low, reach.high) {
            self.bad.push(reach.block);
            return self.lose(reach.block.into(), kind, reach.set);
        }
        let highs = kept.keys.iter().skip(1).map(|key| key - 1).chain([reach.high]);
        for ((low, block), high) in kept.keys.iter().zip(kept.children).zip(highs) {
            level.reach(sets, Leaf { block: *block, set: reach.set, low: *low, high });
        }
    }

    /// Follows the references of an internal node, unless its keys contradict those above it.
    fn descend(&mut self, reach: Leaf, height: u8, got: Got<'_>) -> Result<(), DamageKind> {
        let node = parse_got::<8>(got, reach.block)?;
        if !node.is_internal() || height == 0 {
            return Err(DamageKind::Height);
        }
        check_bounds(&node, reach.low, reach.high)?;
        self.edges.add(self.blocks, reach.block, &node);
        let highs = node.keys().skip(1).map(|key| key - 1).chain([reach.high]);
        for ((low, child), high) in node.keys().zip(node.numbers()).zip(highs) {
            match self.blocks.number(child) {
                Ok(block) => {
                    let below = Leaf { block, set: reach.set, low, high };
                    self.level.reach(&mut self.sets, below);
                }
                Err(kind) => self.lose(child, kind, reach.set),
            }
        }
        Ok(())
    }

    fn part(&self, set: SetId) -> Part {
        let device = self.sets.first_device(set).and_then(|at| self.devices.get(at as usize));
        Part::Mappings(device.copied())
    }

    /// Notes what is wrong, and that something of these devices is missing.
    fn lose(&mut self, block: u64, kind: DamageKind, set: SetId) {
        self.lost.insert(set);
        self.damages.push(block, self.part(set), kind);
    }

    fn hurt(&self) -> Vec<bool> {
        let mut spans = Spans::new(self.devices.len());
        for set in &self.lost {
            self.sets.runs(*set).as_slice().iter().for_each(|run| spans.add(*run, 1));
        }
        let all = self.lost.contains(&MANY);
        spans.sums().map(|lost| all || lost > 0).collect()
    }
}
