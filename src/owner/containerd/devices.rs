//! `<pool>.db`: containerd's record of the pool's devices and of the ids that it gave out
//! (`formats.md` 3.3).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::state::State;
use crate::ids::ThinId;
use crate::sys::{BoltBucket, BoltValue};
use crate::text::Printable;
use crate::units::Bytes;

/// The record of one pool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PoolRecord {
    /// Its devices, in the order of their names.
    pub devices: Vec<Device>,
    /// What became of each id that was ever given out. In the order of bolt, which is that of the
    /// digits: in this order free ones are given out again.
    pub ids: BTreeMap<Vec<u8>, IdIs>,
    /// The last id that was given out for the first time.
    pub last_id: u64,
}

/// One device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Its device-mapper name.
    pub name: Vec<u8>,
    /// Its id in the pool; `None` when the record cannot be read.
    pub id: Option<ThinId>,
    /// Virtual size.
    pub size: Option<Bytes>,
    /// The device it was made from; empty at the bottom.
    pub parent: Vec<u8>,
    /// Its state.
    pub state: State,
    /// What went wrong last; empty where nothing did.
    pub error: Printable,
}

impl Device {
    /// The number of its snapshot.
    pub fn snapshot(&self) -> Option<u64> {
        parse_name(&self.name)
    }
}

const SNAP: &[u8] = b"-snap-";

/// The snapshot's number out of `<pool>-snap-<number>`.
fn parse_name(name: &[u8]) -> Option<u64> {
    let at = name.windows(SNAP.len()).rposition(|part| part == SNAP)?;
    let digits = name.get(at + SNAP.len()..)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Whether a device may be containerd's by its name.
pub fn is_device_name(name: &[u8]) -> bool {
    parse_name(name).is_some()
}

/// What containerd knows of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdIs {
    /// To be given out again.
    Free,
    /// A device has it.
    Taken,
    /// Never given out again, for its device failed.
    Faulty,
    /// A byte of a later version.
    Other,
}

/// A device as it is written. Numbers are containerd's `uint32` and `uint64`.
#[derive(Deserialize)]
struct Written {
    device_id: u64,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    parent_name: String,
    state: u64,
    #[serde(default)]
    error: String,
}

/// The record out of the database's top-level buckets.
pub fn parse_pool(root: &BoltBucket) -> PoolRecord {
    let devices = root.bucket(b"devices").map(|bucket| bucket.entries.as_slice());
    let ids = root.bucket(b"device_ids");
    let bytes = |entry: &(crate::sys::Raw, BoltValue)| match &entry.1 {
        BoltValue::Bytes(bytes) => Some((entry.0.0.clone(), bytes.0.clone())),
        BoltValue::Bucket(_) => None,
    };
    PoolRecord {
        devices: devices
            .unwrap_or_default()
            .iter()
            .filter_map(bytes)
            .map(|(name, text)| parse_device(name, &text))
            .collect(),
        ids: ids
            .map_or(&[][..], |ids| ids.entries.as_slice())
            .iter()
            .filter_map(bytes)
            .map(|(id, byte)| (id, id_is(&byte)))
            .collect(),
        last_id: ids.map_or(0, |ids| ids.sequence),
    }
}

fn parse_device(name: Vec<u8>, text: &[u8]) -> Device {
    match serde_json::from_slice::<Written>(text) {
        Ok(written) => Device {
            name,
            id: ThinId::new(written.device_id),
            size: Some(Bytes(written.size)),
            parent: written.parent_name.into_bytes(),
            state: State::new(written.state),
            error: Printable::from_text(&written.error),
        },
        Err(error) => Device {
            name,
            id: None,
            size: None,
            parent: Vec::new(),
            state: State::Other(u64::MAX),
            error: Printable::from_text(&format!("its record cannot be read: {error}")),
        },
    }
}

const fn id_is(byte: &[u8]) -> IdIs {
    match byte {
        [0] => IdIs::Free,
        [1] => IdIs::Taken,
        [2] => IdIs::Faulty,
        _ => IdIs::Other,
    }
}

impl PoolRecord {
    /// What is known of an id.
    pub fn id_is(&self, id: ThinId) -> Option<IdIs> {
        self.ids.get(id.to_string().as_bytes()).copied()
    }

    /// The id that the next device gets: the first free one, else a new one.
    pub fn next_id(&self) -> Option<ThinId> {
        let free = self.ids.iter().find(|(_, is)| **is == IdIs::Free);
        let free = free.and_then(|(id, _)| std::str::from_utf8(id).ok()?.parse().ok());
        ThinId::new(free.or_else(|| self.last_id.checked_add(1))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::owner::containerd::tests::{bucket, bytes};

    fn record(device: &str) -> Device {
        parse_device(b"fc-dev-pool-snap-12".to_vec(), device.as_bytes())
    }

    #[test]
    fn a_device_is_read_as_containerd_writes_it() {
        let device = record(
            r#"{"device_id":7,"size":134217728,"name":"fc-dev-pool-snap-12","parent_name":"fc-dev-pool-snap-3","state":10,"error":""}"#,
        );
        assert_eq!(device.id, ThinId::new(7));
        assert_eq!(device.size, Some(Bytes(134_217_728)));
        assert_eq!(device.parent, b"fc-dev-pool-snap-3");
        assert_eq!(device.state, State::Deactivated);
        assert_eq!(device.snapshot(), Some(12));
    }

    #[test]
    fn a_broken_record_has_no_id_and_says_so() {
        for text in ["", "{}", r#"{"device_id":-1,"state":4}"#, r#"{"device_id":"7","state":4}"#] {
            let device = record(text);
            assert_eq!(device.id, None, "{text}");
            assert!(device.error.as_str().starts_with("its record cannot be read"), "{text}");
        }
        // 24 bits are an id
        assert_eq!(record(r#"{"device_id":16777216,"state":4}"#).id, None);
    }

    #[test]
    fn a_pool_s_name_may_hold_what_divides_it_from_the_number() {
        let named = |name: &str| Device { name: name.into(), ..record("{}") }.snapshot();
        assert_eq!(named("a-snap-1-snap-2"), Some(2));
        assert_eq!(named("pool-snap-"), None);
        assert_eq!(named("pool-snap-x"), None);
        assert_eq!(named("pool"), None);
    }

    #[test]
    fn free_ids_are_given_out_in_the_order_of_their_digits_before_new_ones() {
        let ids = |ids: &[(&str, u8)], sequence| {
            let mut of = bucket(ids.iter().map(|(id, is)| (*id, bytes(&[*is]))));
            of.sequence = sequence;
            let root = bucket([("device_ids", BoltValue::Bucket(of))]);
            parse_pool(&root).next_id()
        };
        assert_eq!(ids(&[("1", 1), ("10", 0), ("9", 0)], 10), ThinId::new(10));
        assert_eq!(ids(&[("1", 1), ("2", 2)], 2), ThinId::new(3));
        assert_eq!(ids(&[], 0), ThinId::new(1));
        assert_eq!(ids(&[], u64::MAX), None);
    }
}
