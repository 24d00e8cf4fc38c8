//! `metadata.db`: the snapshotter's own store of snapshots (`formats.md` 3.4).

use std::collections::HashMap;

use super::number::uvarint;
use crate::sys::BoltBucket;

/// All snapshots by their number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshots {
    /// By number; of two with one number the last.
    pub by_id: HashMap<u64, Snapshot>,
}

/// One snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its key here: `<namespace>/<number>/<key of the namespace>`.
    pub key: Vec<u8>,
    /// What it is.
    pub kind: Kind,
}

/// What a snapshot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Read-only, for looking.
    View,
    /// Writable.
    Active,
    /// A layer.
    Committed,
    /// A number of a later version.
    Other,
}

/// Reads the store. What has no number is no snapshot.
pub fn parse_snapshots(root: &BoltBucket) -> Snapshots {
    let all = root.bucket(b"v1").and_then(|v1| v1.bucket(b"snapshots"));
    let all = all.into_iter().flat_map(BoltBucket::buckets);
    let by_id = all.filter_map(|(key, bucket)| {
        let id = uvarint(bucket.bytes(b"id")?)?;
        let kind = match bucket.bytes(b"kind") {
            Some([1]) => Kind::View,
            Some([2]) => Kind::Active,
            Some([3]) => Kind::Committed,
            _ => Kind::Other,
        };
        Some((id, Snapshot { key: key.to_vec(), kind }))
    });
    Snapshots { by_id: by_id.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owner::containerd::tests::{bucket, bytes, inner};

    #[test]
    fn snapshots_are_known_by_number_with_their_kind() {
        let one = |id: &[u8], kind: u8| inner([("id", bytes(id)), ("kind", bytes(&[kind]))]);
        let root = bucket([(
            "v1",
            inner([(
                "snapshots",
                inner([
                    ("default/2/sha256:aa", one(&[0x01], 3)),
                    ("default/4/web", one(&[0xac, 0x02], 2)),
                    ("default/5/look", one(&[0x03], 1)),
                    ("default/6/later", one(&[0x04], 9)),
                    ("default/7/broken", one(&[0x80], 2)),
                    ("default/8/none", inner([("kind", bytes(&[2]))])),
                ]),
            )]),
        )]);
        let seen = parse_snapshots(&root).by_id;
        let mut kinds: Vec<_> = seen.iter().map(|(id, one)| (*id, one.kind)).collect();
        kinds.sort_unstable_by_key(|(id, _)| *id);
        let expected =
            [(1, Kind::Committed), (3, Kind::View), (4, Kind::Other), (300, Kind::Active)];
        assert_eq!(kinds, expected);
        assert_eq!(seen.get(&300).map(|one| one.key.as_slice()), Some(&b"default/4/web"[..]));
    }
}
