//! `tree`: what rests on what, every node drawn once.
//!
//! A node that rests on several (a VG over two PVs, a pool on tdata and tmeta) is drawn under
//! one of them and pointed at from the others. `--inverse` goes the other way, from what is on
//! top down to the disks, by the same rule.

use std::io::{self, Write};

use super::style::{Paint, Style};
use super::table::{Cell, Column, Table};
use super::words::{list, node_kind, node_name, node_state, node_used, size};
use crate::model::{Node, NodeIx, Topology};

/// Which way the tree grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From disks up to thin devices.
    Up,
    /// From thin devices down to disks.
    Down,
}

/// Prints the tree.
pub fn write_tree(
    out: &mut dyn Write,
    topology: &Topology,
    direction: Direction,
    style: Style,
) -> io::Result<()> {
    let mut table = Table::new(style, COLUMNS);
    for line in Walk::new(topology, direction, style) {
        table.push(row(topology, &line, style));
    }
    table.write(out)
}

const COLUMNS: [Column; 8] = [
    Column::left("NAME"),
    Column::left("KIND"),
    Column::left("DEV"),
    Column::right("ID"),
    Column::right("SIZE"),
    Column::right("MAPPED"),
    Column::left("STATE"),
    Column::left("MOUNTED AT"),
];

fn row(topology: &Topology, line: &Line, style: Style) -> Vec<Cell> {
    let node = topology.node(line.node);
    let name = node_name(topology, node);
    if line.pointer {
        return vec![format!("{}{}{name}", line.branches, style.pointer()).into()];
    }
    let nothing = style.nothing();
    vec![
        format!("{}{name}", line.branches).into(),
        node_kind(topology, node).into(),
        node.device.map_or_else(|| nothing.to_owned(), |device| device.to_string()).into(),
        thin_id(topology, node, style).into(),
        size(node.size).into(),
        node_used(topology, node, style).into(),
        node_state(topology, node),
        Cell::painted(list(&node.mountpoints), Paint::Dim),
    ]
}

fn thin_id(topology: &Topology, node: &Node, style: Style) -> String {
    match node.facts.thin.map(|ix| topology.thin(ix).id) {
        None => style.nothing().to_owned(),
        Some(None) => "?".to_owned(),
        Some(Some(id)) => id.to_string(),
    }
}

/// At this depth the indentation begins anew: a host may make a chain as long as it likes, and
/// must not make lines and memory grow with its square.
const DEEPEST: usize = 64;

/// One line of the tree.
struct Line {
    branches: String,
    node: NodeIx,
    pointer: bool,
}

/// What waits to be drawn: a node, the branches before it, and whose turn it is.
struct Pending {
    node: NodeIx,
    above: Option<NodeIx>,
    depth: usize,
    own: String,
    below: String,
}

/// Goes through all nodes without recursion: a chain may be as long as a host likes.
struct Walk<'a> {
    topology: &'a Topology,
    direction: Direction,
    style: Style,
    stack: Vec<Pending>,
    drawn: Vec<bool>,
    /// The next node that may have to be started from.
    next_start: usize,
    /// First the nodes that rest on nothing; then those that only a cycle reaches.
    in_cycles: bool,
}

impl<'a> Walk<'a> {
    fn new(topology: &'a Topology, direction: Direction, style: Style) -> Self {
        let drawn = vec![false; topology.nodes.len()];
        Self {
            topology,
            direction,
            style,
            stack: Vec::new(),
            drawn,
            next_start: 0,
            in_cycles: false,
        }
    }

    fn is_drawn(&self, ix: NodeIx) -> bool {
        self.drawn.get(ix.0 as usize).copied().unwrap_or(true)
    }

    /// What is drawn below a node.
    fn below(&self, ix: NodeIx) -> &'a [NodeIx] {
        match self.direction {
            Direction::Up => self.topology.children(ix),
            Direction::Down => &self.topology.node(ix).parents,
        }
    }

    /// What a node would be drawn under.
    fn above(&self, ix: NodeIx) -> &'a [NodeIx] {
        match self.direction {
            Direction::Up => &self.topology.node(ix).parents,
            Direction::Down => self.topology.children(ix),
        }
    }

    /// The one of several that a node is drawn under: a pool under its data, the rest under the
    /// first.
    fn place(&self, ix: NodeIx) -> Option<NodeIx> {
        let above = self.above(ix);
        let node = self.topology.node(ix);
        let data = match self.direction {
            Direction::Up => node.facts.pool.and_then(|pool| self.topology.pool(pool).data),
            Direction::Down => None,
        };
        data.filter(|data| above.contains(data)).or_else(|| above.first().copied())
    }

    /// The next node to start from.
    fn start(&mut self) -> Option<Pending> {
        loop {
            let Some(ix) = u32::try_from(self.next_start)
                .ok()
                .filter(|at| (*at as usize) < self.drawn.len())
                .map(NodeIx)
            else {
                if self.in_cycles {
                    return None;
                }
                (self.in_cycles, self.next_start) = (true, 0);
                continue;
            };
            self.next_start += 1;
            if !self.is_drawn(ix) && (self.in_cycles || self.above(ix).is_empty()) {
                let (own, below) = (String::new(), String::new());
                return Some(Pending { node: ix, above: None, depth: 0, own, below });
            }
        }
    }

    fn push_below(&mut self, ix: NodeIx, depth: usize, prefix: &str) {
        let items = self.below(ix);
        let prefix = if depth < DEEPEST { prefix } else { "" };
        for (at, item) in items.iter().enumerate().rev() {
            let (branch, rest) = self.style.branch(at + 1 == items.len());
            self.stack.push(Pending {
                node: *item,
                above: Some(ix),
                depth: if depth < DEEPEST { depth + 1 } else { 0 },
                own: format!("{prefix}{branch}"),
                below: format!("{prefix}{rest}"),
            });
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let Pending { node, above, depth, own, below } = match self.stack.pop() {
            Some(pending) => pending,
            None => self.start()?,
        };
        let elsewhere = above.is_some() && self.place(node) != above;
        let pointer = self.is_drawn(node) || elsewhere;
        if !pointer {
            if let Some(drawn) = self.drawn.get_mut(node.0 as usize) {
                *drawn = true;
            }
            self.push_below(node, depth, &below);
        }
        Some(Line { branches: own, node, pointer })
    }
}
