//! A bolt database cut down to chosen keys while it is walked: what is not kept is never copied.

use crate::sys::bolt::{Bolt, BoltError, Bucket, Pages, Value};
use crate::sys::{BoltBucket, BoltKeep, BoltSeen, BoltValue, Raw};

/// Most bytes of entries that are kept: a host of 10,000 snapshots has a tenth.
const MOST_BYTES: usize = 64 << 20;

/// What an entry takes beside its key and value.
const ENTRY: usize = 64;

/// The longest value that is kept; names, ids and the small JSON of a device are shorter.
const LONGEST: usize = 64 << 10;

/// What is kept of a bucket: keys, and what of each.
type Keys = &'static [(Name, Kept)];

/// Which keys.
#[derive(Clone, Copy)]
enum Name {
    /// This one.
    Is(&'static str),
    /// Those that begin so.
    Begins(&'static str),
    /// Every one.
    Any,
}

/// What is kept under a key.
#[derive(Clone, Copy)]
enum Kept {
    /// A value.
    Value,
    /// Of a bucket these keys.
    Keys(Keys),
    /// A bucket of its own name, whatever is in it.
    NameOnly,
}

/// What is kept of a database.
const fn keys(keep: BoltKeep) -> Keys {
    match keep {
        BoltKeep::Transaction => &[],
        BoltKeep::ContainerdPool => POOL,
        BoltKeep::ContainerdSnapshots => SNAPSHOTS,
        BoltKeep::ContainerdMeta => META,
    }
}

const POOL: Keys = &[
    (Name::Is("devices"), Kept::Keys(&[(Name::Any, Kept::Value)])),
    (Name::Is("device_ids"), Kept::Keys(&[(Name::Any, Kept::Value)])),
];

const SNAPSHOTS: Keys = &[(
    Name::Is("v1"),
    Kept::Keys(&[(
        Name::Is("snapshots"),
        Kept::Keys(&[(
            Name::Any,
            Kept::Keys(&[
                (Name::Is("id"), Kept::Value),
                (Name::Is("kind"), Kept::Value),
                (Name::Is("parent"), Kept::Value),
            ]),
        )]),
    )]),
)];

const META: Keys = &[(
    Name::Is("v1"),
    Kept::Keys(&[(
        Name::Any,
        Kept::Keys(&[
            (Name::Is("images"), Kept::Keys(&[(Name::Any, Kept::Keys(IMAGE))])),
            (Name::Is("containers"), Kept::Keys(&[(Name::Any, Kept::Keys(CONTAINER))])),
            (Name::Is("snapshots"), Kept::Keys(SNAPSHOT_KEYS)),
            (Name::Is("content"), Kept::Keys(&[(Name::Is("blob"), Kept::Keys(BLOBS))])),
            (Name::Is("leases"), Kept::Keys(&[(Name::Any, Kept::Keys(LEASE))])),
        ]),
    )]),
)];

const IMAGE: Keys = &[(Name::Is("target"), Kept::Keys(&[(Name::Is("digest"), Kept::Value)]))];

const CONTAINER: Keys = &[
    (Name::Is("image"), Kept::Value),
    (Name::Is("snapshotter"), Kept::Value),
    (Name::Is("snapshotKey"), Kept::Value),
    (
        Name::Is("labels"),
        Kept::Keys(&[
            (Name::Is("io.cri-containerd.kind"), Kept::Value),
            (Name::Is("io.kubernetes.pod.name"), Kept::Value),
            (Name::Is("io.kubernetes.pod.namespace"), Kept::Value),
            (Name::Is("io.kubernetes.container.name"), Kept::Value),
            (Name::Is("nerdctl/name"), Kept::Value),
        ]),
    ),
];

const DEVMAPPER: Name = Name::Is("devmapper");

const SNAPSHOT_KEYS: Keys = &[(
    DEVMAPPER,
    Kept::Keys(&[(
        Name::Any,
        Kept::Keys(&[(Name::Is("name"), Kept::Value), (Name::Is("parent"), Kept::Value)]),
    )]),
)];

const BLOBS: Keys = &[(
    Name::Any,
    Kept::Keys(&[(
        Name::Is("labels"),
        Kept::Keys(&[
            (Name::Begins("containerd.io/gc.ref.content"), Kept::Value),
            (Name::Is("containerd.io/gc.ref.snapshot.devmapper"), Kept::Value),
        ]),
    )]),
)];

const LEASE: Keys = &[(
    Name::Is("snapshots"),
    Kept::Keys(&[(DEVMAPPER, Kept::Keys(&[(Name::Any, Kept::NameOnly)]))]),
)];

/// The kept keys of a database as they are at its newest transaction.
pub(in crate::sys::live) fn project(
    pages: &dyn Pages,
    keep: BoltKeep,
) -> Result<BoltSeen, BoltError> {
    let db = Bolt::open(pages)?;
    let keys = keys(keep);
    let mut taker = Taker { bytes: MOST_BYTES, elements: pages.length() };
    let root = if keys.is_empty() { BoltBucket::default() } else { taker.take(db.root(), keys)? };
    Ok(BoltSeen { transaction: db.transaction(), root })
}

/// Takes what is kept, and no more of it than a sound database can hold.
struct Taker {
    bytes: usize,
    elements: usize,
}

impl Taker {
    fn take(&mut self, bucket: Bucket<'_>, keys: Keys) -> Result<BoltBucket, BoltError> {
        let mut kept = BoltBucket { sequence: bucket.sequence(), entries: Vec::new() };
        bucket.each(&mut |key, value| {
            // every element takes 16 bytes somewhere: values that overlap would claim more
            self.elements = self.elements.checked_sub(16).ok_or(BoltError::Circle)?;
            let Some((_, what)) = keys.iter().find(|(name, _)| name.is(key)) else { return Ok(()) };
            if let Some(value) = self.take_value(value, *what)? {
                let taken = key.len().saturating_add(ENTRY);
                self.bytes = self.bytes.checked_sub(taken).ok_or(BoltError::TooMuch)?;
                kept.entries.push((Raw(key.to_vec()), value));
            }
            Ok(())
        })?;
        Ok(kept)
    }

    fn take_value(&mut self, value: Value<'_>, what: Kept) -> Result<Option<BoltValue>, BoltError> {
        Ok(match (value, what) {
            (Value::Bytes(bytes), Kept::Value) if bytes.len() <= LONGEST => {
                self.bytes = self.bytes.checked_sub(bytes.len()).ok_or(BoltError::TooMuch)?;
                Some(BoltValue::Bytes(Raw(bytes.to_vec())))
            }
            (Value::Bucket(bucket), Kept::Keys(keys)) => {
                Some(BoltValue::Bucket(self.take(bucket, keys)?))
            }
            (_, Kept::NameOnly) => Some(BoltValue::Bytes(Raw::default())),
            _ => None,
        })
    }
}

impl Name {
    fn is(self, key: &[u8]) -> bool {
        match self {
            Self::Is(name) => key == name.as_bytes(),
            Self::Begins(name) => key.starts_with(name.as_bytes()),
            Self::Any => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::bolt::Slice;

    #[test]
    fn an_entry_counts_with_what_it_takes_beside_its_bytes() {
        fn taken(bucket: &BoltBucket) -> usize {
            let of = |(key, value): &(Raw, BoltValue)| match value {
                BoltValue::Bytes(bytes) => key.0.len() + 64 + bytes.0.len(),
                BoltValue::Bucket(inner) => key.0.len() + 64 + taken(inner),
            };
            bucket.entries.iter().map(of).sum()
        }
        let pages = Slice(include_bytes!("../../../../tests/data/containerd/snap-pool.db"));
        let within = |bytes| {
            let db = Bolt::open(&pages)?;
            Taker { bytes, elements: pages.length() }.take(db.root(), POOL)
        };
        let all = within(MOST_BYTES).expect("a real database");
        assert_eq!(within(taken(&all)), Ok(all.clone()));
        assert_eq!(within(taken(&all) - 1), Err(BoltError::TooMuch));
    }
}
