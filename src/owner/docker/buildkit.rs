//! `buildkit/snapshots.db`: what build snapshots are made from (`formats.md` 1.6.6).
//!
//! Knows snapshot keys, and nothing of thin ids and layers.

use std::collections::HashMap;

use super::ask::Asker;
use super::digest::Digest;
use crate::sys::bolt::{self, Bolt, BoltError, Slice, Value};
use crate::sys::{HostPath, Keep};
use crate::text::Printable;

/// What a build snapshot is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BuildParent {
    /// Nothing: it stands on the base device.
    Base,
    /// The layer with this chain id.
    Layer(Digest),
    /// The build snapshot with this device name.
    Snapshot(Box<[u8]>),
}

/// One build snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildSnapshot {
    /// The key under which it was committed, where it was.
    pub key: Option<Printable>,
    /// What it is made from.
    pub parent: BuildParent,
}

/// Build snapshots by the name of their device; `None` where the database could not be read or
/// is not there.
pub type BuildSnapshots = Option<HashMap<Box<[u8]>, BuildSnapshot>>;

/// How often a database that is committed to while it is read is read again.
const MOST_READINGS: usize = 3;

/// Reads the database below a data root, without its lock.
pub(super) fn read_snapshots(ask: &mut Asker<'_>, root: &HostPath) -> BuildSnapshots {
    let path = root.join("buildkit/snapshots.db");
    let file = |ask: &mut Asker<'_>| ask.file(path.clone(), Keep::All, Some(root));
    let mut bytes = file(ask)?;
    for _ in 0..MOST_READINGS {
        let again = file(ask)?;
        if is_same(&bytes, &again) {
            break;
        }
        bytes = again;
    }
    match parse_snapshots(&bytes) {
        Ok(snapshots) => Some(snapshots),
        Err(error) => {
            let path = Printable::from_bytes(&path.0.0);
            ask.gap(format!(
                "{path}: {error}; what build snapshots were made from is not known, look again \
                 when no build runs"
            ));
            None
        }
    }
}

/// Nothing was committed between the two copies, or there is nothing to be compared.
fn is_same(before: &[u8], after: &[u8]) -> bool {
    let transaction = |bytes: &[u8]| Bolt::open(&Slice(bytes)).map(|db| db.transaction());
    transaction(before) == transaction(after)
}

/// A bucket's keys that matter here.
#[derive(Default)]
struct Bucket {
    parent: Option<Box<[u8]>>,
    committed: Option<Box<[u8]>>,
    chain: Option<Digest>,
}

/// The database: a bucket for each snapshot key; devices are named by the keys of active ones.
fn parse_snapshots(bytes: &[u8]) -> Result<HashMap<Box<[u8]>, BuildSnapshot>, BoltError> {
    let mut buckets: HashMap<Box<[u8]>, Bucket> = HashMap::new();
    Bolt::open(&Slice(bytes))?.root().each(&mut |key, value| {
        if let Value::Bucket(bucket) = value {
            buckets.insert(key.into(), parse_bucket(bucket)?);
        }
        Ok(())
    })?;
    let keys: HashMap<&[u8], &[u8]> = buckets
        .iter()
        .filter_map(|(key, bucket)| Some((bucket.committed.as_deref()?, &**key)))
        .collect();
    let snapshots = buckets.iter().filter_map(|(name, bucket)| {
        let parent = parent(&buckets, bucket.parent.as_deref()?);
        let key = keys.get(&**name).map(|key| Printable::from_bytes(key));
        Some((name.clone(), BuildSnapshot { key, parent }))
    });
    Ok(snapshots.collect())
}

fn parse_bucket(bucket: bolt::Bucket<'_>) -> Result<Bucket, BoltError> {
    let mut parsed = Bucket::default();
    bucket.each(&mut |key, value| {
        match (key, value) {
            (b"parent", Value::Bytes(text)) => parsed.parent = Some(text.into()),
            (b"committed", Value::Bytes(text)) => parsed.committed = Some(text.into()),
            (b"chainid", Value::Bytes(text)) => parsed.chain = Digest::parse(text),
            _ => {}
        }
        Ok(())
    })?;
    Ok(parsed)
}

/// A parent is named by chain id, or by the key of a snapshot that may have become a layer.
fn parent(buckets: &HashMap<Box<[u8]>, Bucket>, key: &[u8]) -> BuildParent {
    if key.is_empty() {
        return BuildParent::Base;
    }
    let bucket = buckets.get(key);
    match (Digest::parse(key), bucket.and_then(|bucket| bucket.chain)) {
        (Some(chain), _) | (None, Some(chain)) => BuildParent::Layer(chain),
        (None, None) => {
            let device = bucket.and_then(|bucket| bucket.committed.as_deref()).unwrap_or(key);
            BuildParent::Snapshot(device.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SNAPSHOTS: &[u8] = include_bytes!("../../../tests/data/docker/snapshots.db");

    #[test]
    fn parents_of_build_snapshots_are_layers_other_snapshots_or_the_base() {
        let snapshots = parse_snapshots(SNAPSHOTS).unwrap_or_default();
        let parent = |name: &str| snapshots.get(name.as_bytes()).map(|snapshot| &snapshot.parent);
        let chain = "sha256:3cd39491c184649885610508cce4c986fd22b4bcde377ce14f37af3c33ca0bc7";
        let layer = Digest::parse(chain.as_bytes()).map(BuildParent::Layer);
        assert_eq!(parent("04g16twrfjqhdoe405tbz0pfv"), Some(&BuildParent::Base));
        assert_eq!(parent("6d2vbwkw7ieb3vdc4vgb4d4kb"), layer.as_ref());
        // its parent's key is that under which this snapshot was committed
        let committed = BuildParent::Snapshot(b"6d2vbwkw7ieb3vdc4vgb4d4kb"[..].into());
        assert_eq!(parent("zt1dsge6ca9nsv9r5hrtqtckr"), Some(&committed));
        assert_eq!(parent("tabutf09n1owmkq27bwcuv1pw"), None);
        let key = snapshots.get(&b"6d2vbwkw7ieb3vdc4vgb4d4kb"[..]).and_then(|s| s.key.clone());
        assert_eq!(key, Some("tabutf09n1owmkq27bwcuv1pw".into()));
    }
}
