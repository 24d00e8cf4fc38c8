//! `meta.db`: what images and containers refer to snapshots, namespace by namespace
//! (`formats.md` 3.5).

use std::collections::{HashMap, HashSet};

use super::images::{Image, Key, read_images};
use crate::sys::BoltBucket;
use crate::text::Printable;

/// What refers to snapshots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Namespaces, in the order of their names.
    pub namespaces: Vec<Namespace>,
}

/// One of containerd's namespaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Its snapshots by their key.
    pub snapshots: HashMap<Key, Reference>,
    /// Its containers by the key of their snapshot.
    pub containers: HashMap<Vec<u8>, ContainerRecord>,
    /// Its images that are unpacked, those with the shortest chains first.
    pub images: Vec<Image>,
    /// Keys of snapshots that a lease keeps.
    pub leased: HashSet<Vec<u8>>,
}

/// What a namespace knows of a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reference {
    /// Its key in the snapshotter's store.
    pub name: Vec<u8>,
    /// The key of the snapshot it was made from; empty at the bottom.
    pub parent: Vec<u8>,
}

/// A container of this snapshotter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerRecord {
    /// Its id.
    pub id: Printable,
    /// nerdctl's name for it.
    pub name: Option<Printable>,
    /// Its Kubernetes pod.
    pub pod: Option<Printable>,
    /// Its pod's namespace.
    pub namespace: Option<Printable>,
}

/// The snapshotter's name in containerd.
const SNAPSHOTTER: &[u8] = b"devmapper";

/// Reads the store.
pub fn parse_names(root: &BoltBucket) -> Names {
    let namespaces = root.bucket(b"v1").into_iter().flat_map(BoltBucket::buckets);
    Names { namespaces: namespaces.map(|(_, bucket)| parse_namespace(bucket)).collect() }
}

fn parse_namespace(bucket: &BoltBucket) -> Namespace {
    let of_devmapper = |name: &[u8]| bucket.bucket(name).and_then(|all| all.bucket(SNAPSHOTTER));
    let snapshots: HashMap<_, _> = of_devmapper(b"snapshots")
        .into_iter()
        .flat_map(BoltBucket::buckets)
        .filter_map(|(key, snapshot)| Some((key.into(), parse_reference(snapshot)?)))
        .collect();
    let containers = bucket.bucket(b"containers").into_iter().flat_map(BoltBucket::buckets);
    let leases = bucket.bucket(b"leases").into_iter().flat_map(BoltBucket::buckets);
    let kept = leases.filter_map(|(_, lease)| lease.bucket(b"snapshots")?.bucket(SNAPSHOTTER));
    Namespace {
        images: read_images(bucket, &snapshots),
        containers: containers.filter_map(|(id, one)| parse_container(id, one)).collect(),
        leased: kept.flat_map(|keys| keys.entries.iter().map(|(key, _)| key.0.clone())).collect(),
        snapshots,
    }
}

fn parse_reference(bucket: &BoltBucket) -> Option<Reference> {
    let parent = bucket.bytes(b"parent").unwrap_or_default().to_vec();
    Some(Reference { name: bucket.bytes(b"name")?.to_vec(), parent })
}

/// A container with the key of its snapshot, where it is one of this snapshotter's.
fn parse_container(id: &[u8], bucket: &BoltBucket) -> Option<(Vec<u8>, ContainerRecord)> {
    if bucket.bytes(b"snapshotter") != Some(SNAPSHOTTER) {
        return None;
    }
    let key = bucket.bytes(b"snapshotKey").filter(|key| !key.is_empty())?.to_vec();
    let labels = bucket.bucket(b"labels");
    let label = |name: &str| {
        let value = labels?.bytes(name.as_bytes()).filter(|value| !value.is_empty())?;
        Some(Printable::from_bytes(value))
    };
    let container = ContainerRecord {
        id: Printable::from_bytes(id),
        name: label("nerdctl/name"),
        pod: label("io.kubernetes.pod.name"),
        namespace: label("io.kubernetes.pod.namespace"),
    };
    Some((key, container))
}
