//! A pool as it was when it was last seen in the kernel: what it is made again from where nothing
//! of this host says how. LVM records its own pools; of a table that somebody made with `dmsetup`
//! nothing remains after a boot but what a look kept of it, in a recording or in thinscope's own
//! files.
//!
//! Pure: from a topology, and as a document. Parts are named by what holds over a boot, the path
//! of a file or the id of a node, never by a number.

use serde::{Deserialize, Serialize};

use super::find;
use crate::model::{Kind, NodeIx, Pool, Topology};
use crate::units::{Bytes, DataBlocks, Sectors};

/// One pool, as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recalled {
    /// Its device-mapper name.
    pub pool: String,
    /// When it was seen, seconds since 1970.
    pub seen: i64,
    /// The one line of its table.
    pub table: String,
    /// What held its metadata.
    pub metadata: PartWas,
    /// What held its data.
    pub data: PartWas,
}

/// What held a part of a pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartWas {
    /// The id of its node; of a loop device that of its file.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// The file that was attached; `None` where it was none.
    pub file: Option<String>,
    /// How large it was.
    pub size: Bytes,
}

/// What lies now where a recalled pool was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recall {
    /// The pool.
    pub was: Recalled,
    /// Who remembers it, in words: `the recording web-3.capture`.
    pub by: String,
    /// How large the metadata's place is; `None` where it is not there.
    pub metadata_size: Option<Bytes>,
    /// How large the data's place is; `None` where it is not there.
    pub data_size: Option<Bytes>,
    /// The superblock at the metadata's place, or why there is none.
    pub superblock: Result<Superblock, String>,
}

/// What a superblock says that decides whether a pool is made over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Superblock {
    /// Size of a data block.
    pub block_size: Sectors,
    /// How many data blocks the pool has.
    pub data_blocks: DataBlocks,
    /// Marked for a check.
    pub needs_check: bool,
}

impl Recalled {
    /// All pools of a topology that nobody else would recall: active, and not LVM's.
    pub fn all(topology: &Topology, now: i64) -> Vec<Self> {
        topology.pools.iter().filter_map(|pool| Self::of(topology, pool, now)).collect()
    }

    fn of(topology: &Topology, pool: &Pool, now: i64) -> Option<Self> {
        if pool.lv.is_some() || !find::is_active(pool) || !find::is_plain(pool.name.as_str()) {
            return None;
        }
        let [line] = topology.node(pool.node).facts.dm.as_deref()?.table.as_slice() else {
            return None;
        };
        Some(Self {
            pool: pool.name.to_string(),
            seen: now,
            table: line.as_str().trim_end().to_owned(),
            metadata: PartWas::of(topology, pool.metadata?)?,
            data: PartWas::of(topology, pool.data?)?,
        })
    }
}

impl PartWas {
    /// `None` where nothing of it holds over a boot: a deleted file, a part of one.
    fn of(topology: &Topology, at: NodeIx) -> Option<Self> {
        let node = topology.node(at);
        let size = node.size?;
        if let Some(facts) = node.facts.loop_device.as_deref() {
            let path = facts.backing_file.as_str();
            if facts.deleted || facts.offset.get() != 0 || !find::is_plain(path) {
                return None;
            }
            let id = crate::ids::NodeId::new(Kind::File.name(), path).to_string();
            return Some(Self { id, name: path.to_owned(), file: Some(path.to_owned()), size });
        }
        Some(Self { id: node.id.to_string(), name: node.name.to_string(), file: None, size })
    }
}
