//! What of a bolt database goes through the door: some of its buckets with some of their keys,
//! and the transaction that they are of.

use serde::{Deserialize, Serialize};

use crate::sys::Raw;

/// Which keys of a database are let through. Secrets stop here: a container's environment is in
/// the same database as its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoltKeep {
    /// None: the transaction alone is asked for.
    Transaction,
    /// containerd's record of a pool's devices and ids (`formats.md` 3.3): all of it.
    ContainerdPool,
    /// Its snapshot store (`formats.md` 3.4): id, kind, parent.
    ContainerdSnapshots,
    /// Its main store (`formats.md` 3.5): images, containers, snapshots, what refers to what;
    /// of labels those of Kubernetes' and nerdctl's names and of the garbage collector.
    ContainerdMeta,
}

/// A database as it was at one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoltSeen {
    /// The transaction.
    pub transaction: u64,
    /// Its top-level keys.
    pub root: BoltBucket,
}

/// The kept keys of a bucket, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoltBucket {
    /// The counter that numbers are drawn from.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub sequence: u64,
    /// Keys with what stands under them.
    pub entries: Vec<(Raw, BoltValue)>,
}

/// What stands under a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BoltValue {
    /// Bytes.
    Bytes(Raw),
    /// A further bucket.
    Bucket(BoltBucket),
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl BoltBucket {
    /// What stands under a key.
    pub fn get(&self, key: &[u8]) -> Option<&BoltValue> {
        self.entries.iter().find(|(name, _)| name.0 == key).map(|(_, value)| value)
    }

    /// The bytes under a key.
    pub fn bytes(&self, key: &[u8]) -> Option<&[u8]> {
        match self.get(key)? {
            BoltValue::Bytes(bytes) => Some(&bytes.0),
            BoltValue::Bucket(_) => None,
        }
    }

    /// The bucket under a key.
    pub fn bucket(&self, key: &[u8]) -> Option<&Self> {
        match self.get(key)? {
            BoltValue::Bucket(bucket) => Some(bucket),
            BoltValue::Bytes(_) => None,
        }
    }

    /// All buckets in it.
    pub fn buckets(&self) -> impl Iterator<Item = (&[u8], &Self)> {
        self.entries.iter().filter_map(|(key, value)| match value {
            BoltValue::Bucket(bucket) => Some((key.0.as_slice(), bucket)),
            BoltValue::Bytes(_) => None,
        })
    }
}
