//! The topology while it is made: nodes with unique ids, found by device number.

use std::collections::{HashMap, HashSet};

use super::index::DmIndex;
use crate::ids::{DevNo, NodeId};
use crate::model::{DmFacts, Gap, Kind, Node, NodeFacts, NodeIx};
use crate::probe::Facts;
use crate::probe::dm::{SeenDm, Status};
use crate::text::Printable;

/// What all parts of the assembly share.
pub(super) struct Build<'a> {
    pub(super) facts: &'a Facts,
    pub(super) index: DmIndex<'a>,
    pub(super) nodes: Vec<Node>,
    /// The node of every device number, and of no other node.
    pub(super) by_dev: HashMap<DevNo, NodeIx>,
    /// Nodes of files by their path.
    pub(super) files: HashMap<Vec<u8>, NodeIx>,
    /// Nodes whose parents are the devices they rest on, to be linked when all are there.
    pub(super) unlinked: Vec<NodeIx>,
    ids: HashSet<NodeId>,
    pub(super) gaps: Vec<Gap>,
}

impl<'a> Build<'a> {
    pub(super) fn new(facts: &'a Facts) -> Self {
        let index = DmIndex::new(facts.dm.as_deref());
        let room = index.devices.len();
        Self {
            facts,
            index,
            nodes: Vec::with_capacity(room),
            by_dev: HashMap::with_capacity(room),
            files: HashMap::new(),
            unlinked: Vec::new(),
            ids: HashSet::with_capacity(room),
            gaps: Vec::new(),
        }
    }

    /// Adds a node. A device number that another node has already is taken from it: one kernel
    /// has no two devices of one number, so a source is wrong, and the first stands.
    pub(super) fn add(&mut self, mut node: Node) -> NodeIx {
        let at = NodeIx(ix(self.nodes.len()));
        node.id = self.unique(&node.id);
        if let Some(dev) = node.device {
            let first = *self.by_dev.entry(dev).or_insert(at);
            if first != at {
                self.gaps.push(Gap::new(
                    "block",
                    format!("{} and another device both claim the number {dev}", node.name),
                ));
                node.device = None;
            }
        }
        self.nodes.push(node);
        at
    }

    /// The id, or with a number at its end when another node has it.
    fn unique(&mut self, id: &NodeId) -> NodeId {
        let mut unique = id.clone();
        let mut count = 1_u64;
        while !self.ids.insert(unique.clone()) {
            count = count.saturating_add(1);
            let (kind, what) = id.as_str().split_once(':').unwrap_or(("other", id.as_str()));
            unique = NodeId::new(kind, &format!("{what}~{count}"));
        }
        unique
    }

    pub(super) fn node(&self, ix: NodeIx) -> Option<&Node> {
        self.nodes.get(ix.0 as usize)
    }

    pub(super) fn node_mut(&mut self, ix: NodeIx) -> Option<&mut Node> {
        self.nodes.get_mut(ix.0 as usize)
    }

    /// The node of a device named by a path: `/dev/sda`, `/dev/mapper/NAME`, `/dev/VG/LV`.
    pub(super) fn by_path(&self, path: &[u8]) -> Option<NodeIx> {
        self.index
            .dev_of_path(path, self.facts.block.as_deref())
            .and_then(|dev| self.by_dev.get(&dev))
            .copied()
    }

    /// Makes a node rest on the devices that its device-mapper dependencies name, later.
    pub(super) fn link_later(&mut self, node: NodeIx) {
        self.unlinked.push(node);
    }
}

/// An index of 32 bits. A topology has far fewer than 2^32 nodes: thin ids alone have 24 bits.
pub(super) fn ix(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// A node with nothing but what every node has.
pub(super) fn node(kind: Kind, what: &str, name: Printable) -> Node {
    Node {
        id: NodeId::new(kind.name(), what),
        kind,
        name,
        short: None,
        device: None,
        size: None,
        parents: Vec::new(),
        mountpoints: Vec::new(),
        facts: NodeFacts::default(),
    }
}

/// Gives a node the number, the size and the facts of an active device.
pub(super) fn activate(node: &mut Node, seen: &SeenDm) {
    node.name = Printable::from_bytes(&seen.device.name.0);
    node.device = Some(seen.dev);
    node.size = seen.size().or(node.size);
    node.facts.dm = Some(Box::new(dm_facts(seen)));
}

fn dm_facts(seen: &SeenDm) -> DmFacts {
    let device = &seen.device;
    DmFacts {
        name: Printable::from_bytes(&device.name.0),
        uuid: Printable::from_bytes(&device.uuid.0),
        suspended: device.suspended,
        read_only: device.read_only,
        open_count: device.open_count,
        event_nr: device.event_nr,
        deferred_remove: device.deferred_remove,
        inactive_table: device.inactive_table,
        table: device.table.iter().map(table_line).collect(),
        status: match &seen.status {
            Status::Lines(lines) => Some(lines.iter().map(|line| line.text.clone()).collect()),
            Status::NotAsked | Status::Unseen(_) => None,
        },
    }
}

/// As `dmsetup table` prints it.
fn table_line(line: &crate::sys::DmTarget) -> Printable {
    let start = format!("{} {} {}", line.start, line.length, line.kind);
    let params = line.params.0.trim_ascii_end();
    if params.is_empty() {
        return Printable::from(start);
    }
    Printable::from_bytes(&[start.as_bytes(), b" ", params].concat())
}
