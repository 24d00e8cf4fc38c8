//! Made-up homes, from databases to what is said of them.

use crate::sys::{BoltBucket, BoltValue, Raw};

/// A bucket of these keys.
pub(super) fn bucket<'a>(entries: impl IntoIterator<Item = (&'a str, BoltValue)>) -> BoltBucket {
    let entries = entries.into_iter().map(|(key, value)| (Raw::from(key), value));
    BoltBucket { sequence: 0, entries: entries.collect() }
}

/// A bucket as a value.
pub(super) fn inner<'a>(entries: impl IntoIterator<Item = (&'a str, BoltValue)>) -> BoltValue {
    BoltValue::Bucket(bucket(entries))
}

/// Bytes as a value.
pub(super) fn bytes(bytes: &[u8]) -> BoltValue {
    BoltValue::Bytes(Raw(bytes.to_vec()))
}
