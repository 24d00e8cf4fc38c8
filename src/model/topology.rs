//! All nodes, and what rests on what.

use std::collections::HashMap;

use super::descent::Descent;
use super::host::HostFacts;
use super::metadata::Lineage;
use super::node::Node;
use super::pool::Pool;
use super::thin::{Engine, Role, ThinDevice};
use crate::ids::NodeId;

/// Index of a node in its topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIx(pub u32);
/// Index of a pool in its topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PoolIx(pub u32);
/// Index of a thin device in its topology.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThinIx(pub u32);

/// The storage of one host at one moment.
#[derive(Clone, Debug, Default)]
pub struct Topology {
    /// All nodes, parents before children where there is no cycle.
    pub nodes: Vec<Node>,
    /// All pools, sorted by name.
    pub pools: Vec<Pool>,
    /// All thin devices, pool by pool, by id.
    pub thins: Vec<ThinDevice>,
    /// What concerns them and belongs to no device.
    pub host: HostFacts,
    children: Vec<Vec<NodeIx>>,
    by_id: HashMap<NodeId, NodeIx>,
}

impl Topology {
    /// Whether a device was made from its parent, by its pool's metadata; `None` where that was not
    /// read, or where it has none.
    pub fn descent(&self, thin: &ThinDevice) -> Option<Descent> {
        let contents = self.pools.get(thin.pool.0 as usize)?.contents.as_ref()?;
        contents.descent(thin.id?, thin.parent?)
    }

    /// Whose snapshot a device is by metadata alone; `None` where its engine says so.
    pub fn lineage(&self, thin: &ThinDevice) -> Option<&Lineage> {
        let contents = self.pools.get(thin.pool.0 as usize)?.contents.as_ref()?;
        contents.device(thin.id?)?.origin.as_ref()
    }

    /// LVM's transaction id of a pool, where LVM compares it with the pool's own: it does where it
    /// has volumes in the pool, and 0 it never compares (`formats.md` 4.4).
    pub fn compared_by_lvm(&self, pool: &Pool) -> Option<u64> {
        let of_lvm = |thin: &ThinDevice| {
            thin.engine == Engine::Lvm && matches!(thin.role, Role::Volume | Role::Snapshot)
        };
        let id = pool.lvm_transaction_id.filter(|id| *id > 0)?;
        pool.devices.iter().any(|ix| of_lvm(self.thin(*ix))).then_some(id)
    }

    /// From its parts; makes the indices.
    pub fn new(nodes: Vec<Node>, pools: Vec<Pool>, thins: Vec<ThinDevice>) -> Self {
        let mut children = vec![Vec::new(); nodes.len()];
        let mut by_id = HashMap::with_capacity(nodes.len());
        for (at, node) in nodes.iter().enumerate() {
            // a topology has far fewer than 2^32 nodes: thin ids alone have 24 bits
            let ix = NodeIx(u32::try_from(at).unwrap_or(u32::MAX));
            by_id.insert(node.id.clone(), ix);
            for parent in &node.parents {
                if let Some(list) = children.get_mut(parent.0 as usize) {
                    list.push(ix);
                }
            }
        }
        Self { nodes, pools, thins, host: HostFacts::default(), children, by_id }
    }

    /// A node. Indices of this topology are always valid in it.
    pub fn node(&self, ix: NodeIx) -> &Node {
        &self.nodes[ix.0 as usize]
    }

    /// A pool.
    pub fn pool(&self, ix: PoolIx) -> &Pool {
        &self.pools[ix.0 as usize]
    }

    /// A thin device.
    pub fn thin(&self, ix: ThinIx) -> &ThinDevice {
        &self.thins[ix.0 as usize]
    }

    /// The pool that a person names: by its device-mapper name, by `VG/LV`, or by the path of
    /// either below `/dev`. Without a name the only one.
    pub fn find_pool(&self, name: Option<&str>) -> Option<PoolIx> {
        let Some(name) = name else {
            return (self.pools.len() == 1).then_some(PoolIx(0));
        };
        let name = name.strip_prefix("/dev/mapper/").or(name.strip_prefix("/dev/")).unwrap_or(name);
        let at = self.pools.iter().position(|pool| {
            pool.name == name || pool.lv.as_ref().is_some_and(|lv| lv.as_str() == name)
        })?;
        u32::try_from(at).ok().map(PoolIx)
    }

    /// What rests directly on a node.
    pub fn children(&self, ix: NodeIx) -> &[NodeIx] {
        self.children.get(ix.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// The node with this id.
    pub fn find(&self, id: &NodeId) -> Option<NodeIx> {
        self.by_id.get(id).copied()
    }

    /// Nodes that rest on nothing.
    pub fn roots(&self) -> impl Iterator<Item = NodeIx> {
        self.indices().filter(|ix| self.node(*ix).parents.is_empty())
    }

    /// All node indices in order.
    pub fn indices(&self) -> impl Iterator<Item = NodeIx> + use<> {
        (0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)).map(NodeIx)
    }
}
