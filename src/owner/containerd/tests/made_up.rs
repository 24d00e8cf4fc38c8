//! A home of which a test says only what it is about.

use super::super::devices::{Device, IdIs, PoolRecord};
use super::super::names::parse_names;
use super::super::snapshots::{Kind, Snapshot, Snapshots};
use super::super::state::State;
use super::super::{Home, Names};
use super::{bucket, bytes, inner};
use crate::ids::ThinId;
use crate::sys::BoltValue;
use crate::units::Bytes;

/// The pool `p` and its databases.
#[derive(Default)]
pub(super) struct MadeUp {
    record: PoolRecord,
    snapshots: Snapshots,
    names: Names,
}

impl MadeUp {
    /// A device of a snapshot, its id taken.
    pub(super) fn device(
        &mut self,
        snapshot: u64,
        id: u64,
        state: State,
        parent: &str,
    ) -> &mut Self {
        self.record.devices.push(Device {
            name: format!("p-snap-{snapshot}").into_bytes(),
            id: ThinId::new(id),
            size: Some(Bytes(1 << 27)),
            parent: parent.into(),
            state,
            error: "".into(),
        });
        self.id(id, 1)
    }

    pub(super) fn id(&mut self, id: u64, is: u8) -> &mut Self {
        let is = [IdIs::Free, IdIs::Taken, IdIs::Faulty][usize::from(is)];
        self.record.ids.insert(id.to_string().into_bytes(), is);
        self
    }

    pub(super) fn last(&mut self, id: u64) -> &mut Self {
        self.record.last_id = id;
        self
    }

    pub(super) fn snapshot(&mut self, id: u64, kind: u8, key: &str) -> &mut Self {
        let kind = [Kind::Other, Kind::View, Kind::Active, Kind::Committed][usize::from(kind)];
        self.snapshots.by_id.insert(id, Snapshot { key: key.into(), kind });
        self
    }

    /// What the namespace `default` holds.
    pub(super) fn names(&mut self, namespace: BoltValue) -> &mut Self {
        self.names = parse_names(&bucket([("v1", inner([("default", namespace)]))]));
        self
    }

    pub(super) fn home(&self) -> Home {
        Home {
            root: "/c".into(),
            home: "/c/home".into(),
            pool: b"p".to_vec(),
            configured: true,
            devices: Some(self.record.clone()),
            snapshots: Some(self.snapshots.clone()),
            names: Some(self.names.clone()),
            running: None,
            still: None,
            beside: Vec::new(),
        }
    }
}

/// An image's name and target.
pub(in crate::owner::containerd) fn image<'a>(name: &'a str, target: &str) -> (&'a str, BoltValue) {
    (name, inner([("target", inner([("digest", bytes(target.as_bytes()))]))]))
}

/// A container with its snapshot's key and labels.
pub(super) fn container<'a>(
    id: &'a str,
    key: &str,
    labels: &[(&str, &str)],
) -> (&'a str, BoltValue) {
    let labels = labels.iter().map(|(name, value)| (*name, bytes(value.as_bytes())));
    let keys = [
        ("snapshotter", bytes(b"devmapper")),
        ("snapshotKey", bytes(key.as_bytes())),
        ("labels", inner(labels)),
    ];
    (id, inner(keys))
}

/// A manifest that leads to a configuration, and that to a top layer.
pub(in crate::owner::containerd) fn blobs(manifest: &str, config: &str, top: &str) -> BoltValue {
    let label = |name, value: &str| inner([("labels", inner([(name, bytes(value.as_bytes()))]))]);
    inner([(
        "blob",
        inner([
            (manifest, label("containerd.io/gc.ref.content.config", config)),
            (config, label("containerd.io/gc.ref.snapshot.devmapper", top)),
        ]),
    )])
}
