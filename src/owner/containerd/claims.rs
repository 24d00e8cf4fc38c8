//! From a device of containerd's record to what it is for: the procedure of `formats.md` 3.5.
//!
//! Pure: works on what was read.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};

use super::devices::{Device, PoolRecord};
use super::images::{self, Image};
use super::names::{ContainerRecord, Namespace};
use super::snapshots::{Kind, Snapshot};
use super::state::State;
use super::{ContainerdFacts, Home};
use crate::model::{Container, Engine, Role};
use crate::owner::{Backing, Owned, OwnedDevice, OwnedPool};
use crate::sys::HostPath;
use crate::text::Printable;

/// Pools and devices that containerd's databases name.
pub fn owned(facts: &ContainerdFacts) -> Owned {
    let homes = facts.homes.iter().enumerate();
    let pools = homes.map(|(at, home)| pool(facts, home, at)).collect();
    Owned { pools, gaps: facts.gaps.clone() }
}

fn pool(facts: &ContainerdFacts, home: &Home, root_index: usize) -> OwnedPool {
    let namespaces = home.names.iter().flat_map(|names| &names.namespaces);
    let layers: Vec<_> = namespaces.map(Layers::new).collect();
    let index = Index::new(home, &layers);
    let none = PoolRecord::default();
    let record = home.devices.as_ref().unwrap_or(&none);
    let mut devices: Vec<_> = record.devices.iter().map(|one| device(home, &index, one)).collect();
    // stable: two claims on one id stay in the order of their names
    devices.sort_by_key(|device| (device.id.is_none(), device.id));
    if let Some(numbers) = facts.numbers_beside(home) {
        devices.extend(without_device(home, &index, &numbers));
    }
    OwnedPool {
        engine: Engine::Containerd,
        root: HostPath::new(home.root.as_str()),
        root_index,
        pool_name: home.pool.clone(),
        pool_name_certain: true,
        prefix: String::new(),
        backing: Backing::Given,
        devices,
        names_all: home.devices.is_some() && record.devices.iter().all(|one| one.id.is_some()),
        transaction: None,
    }
}

/// Look-ups from names and numbers.
struct Index<'a> {
    devices: HashMap<&'a [u8], &'a Device>,
    snapshots: HashMap<u64, Place<'a>>,
}

/// A snapshot, and what refers to it.
#[derive(Clone, Copy)]
struct Place<'a> {
    snapshot: &'a Snapshot,
    /// Its namespace and its key there.
    named: Option<(&'a Layers<'a>, &'a [u8])>,
}

/// A namespace with its images by the layers they hold.
struct Layers<'a> {
    namespace: &'a Namespace,
    images: HashMap<&'a [u8], Vec<Held<'a>>>,
    /// How many names may still be given to devices.
    left: Cell<usize>,
}

/// An image that holds a layer.
struct Held<'a> {
    image: &'a Image,
    /// Where in its chain the layer stands, from 0: nobody looks for it in a chain without end.
    at: usize,
}

impl<'a> Layers<'a> {
    fn new(namespace: &'a Namespace) -> Self {
        // as many as there are when each layer has one device
        Self::within(namespace, images::MOST)
    }

    fn within(namespace: &'a Namespace, left: usize) -> Self {
        let mut images: HashMap<&[u8], Vec<Held<'_>>> = HashMap::new();
        for image in &namespace.images {
            for (at, key) in image.chain.iter().enumerate() {
                images.entry(key).or_default().push(Held { image, at });
            }
        }
        Self { namespace, images, left: Cell::new(left) }
    }

    /// The images of a layer, where its device may still have their names.
    fn images_of(&self, key: &[u8]) -> Option<&[Held<'a>]> {
        let Some(images) = self.images.get(key) else { return Some(&[]) };
        // once there are enough nobody counts what else there would be: that costs as much
        let left = self.left.take();
        if left < images.len() {
            return None;
        }
        let names = images.iter().map(|held| held.image.names()).sum();
        self.left.set(left.checked_sub(names)?);
        Some(images)
    }
}

impl<'a> Index<'a> {
    fn new(home: &'a Home, layers: &'a [Layers<'a>]) -> Self {
        let devices = home.devices.iter().flat_map(|record| &record.devices);
        let mut named: HashMap<&[u8], (&Layers<'_>, &[u8])> = HashMap::new();
        for layers in layers {
            for (key, reference) in &layers.namespace.snapshots {
                named.insert(&reference.name, (layers, key));
            }
        }
        let snapshots = home.snapshots.iter().flat_map(|all| &all.by_id);
        let place = |snapshot: &'a Snapshot| Place {
            snapshot,
            named: named.get(snapshot.key.as_slice()).copied(),
        };
        Self {
            devices: devices.map(|device| (device.name.as_slice(), device)).collect(),
            snapshots: snapshots.map(|(id, snapshot)| (*id, place(snapshot))).collect(),
        }
    }
}

fn device(home: &Home, index: &Index<'_>, record: &Device) -> OwnedDevice {
    let parent = index.devices.get(record.parent.as_slice());
    let mut device = OwnedDevice {
        id: record.id,
        parent: parent.and_then(|parent| parent.id),
        size: record.size,
        deferred_deletion: record.state == State::Removed,
        unfinished: record.state.is_unfinished(),
        ..named(home, &record.name)
    };
    match record.snapshot().and_then(|number| index.snapshots.get(&number)) {
        Some(place) => put_place(&mut device, home, *place),
        None if record.state == State::Removed => {
            device.note = Some("removed in containerd, waits for its garbage collector".into());
        }
        None if home.snapshots.is_some() => {
            device.note = Some("no snapshot of containerd's has it".into());
        }
        None => {}
    }
    if let Some(note) = trouble(record) {
        device.note = Some(note.into());
    }
    device
}

/// What containerd's own record says is wrong.
fn trouble(record: &Device) -> Option<String> {
    let error = &record.error;
    match record.state {
        _ if record.id.is_none() => Some(error.to_string()),
        State::Faulty if error.is_empty() => Some("faulty".to_owned()),
        State::Faulty => Some(format!("faulty: {error}")),
        state if state.is_unfinished() => Some(format!("state {}", state.name())),
        _ => None,
    }
}

/// A device of which only the name is known.
fn named(home: &Home, name: &[u8]) -> OwnedDevice {
    let file = Printable::from_bytes(&home.pool);
    let by = format!("{}/{file}.db", home.home).into();
    OwnedDevice::named(Printable::from_bytes(name), name.to_vec(), by)
}

fn put_place(device: &mut OwnedDevice, home: &Home, place: Place<'_>) {
    let Some((layers, key)) = place.named else {
        device.chain_id = Some(Printable::from_bytes(&place.snapshot.key));
        device.role = unnamed_role(place.snapshot.kind);
        if home.names.is_some() {
            let note =
                "no namespace of containerd's refers to it: its garbage collector removes it";
            device.note = Some(note.into());
        }
        return;
    };
    device.chain_id = Some(Printable::from_bytes(key));
    let container = layers.namespace.containers.get(key);
    match (place.snapshot.kind, container) {
        (Kind::Committed, _) => put_layer(device, layers, key),
        (Kind::Active, Some(record)) => {
            device.role = Role::Container;
            device.container = Some(describe(record));
        }
        (kind, _) => {
            device.role = unnamed_role(kind);
            device.note = note_of(layers.namespace, key).map(Into::into);
        }
    }
}

/// The role of a snapshot that no container has: what is written to or looked at, and by whom is
/// not known.
const fn unnamed_role(kind: Kind) -> Role {
    match kind {
        Kind::Committed => Role::ImageLayer,
        Kind::Active | Kind::View => Role::Snapshot,
        Kind::Other => Role::Unknown,
    }
}

fn note_of(namespace: &Namespace, key: &[u8]) -> Option<&'static str> {
    if key.starts_with(b"extract-") {
        return Some("a layer being unpacked, or left by an unpack that was cut off");
    }
    namespace.leased.contains(key).then_some("kept by a lease")
}

fn describe(record: &ContainerRecord) -> Container {
    Container {
        id: record.id.clone(),
        name: record.name.clone().unwrap_or_else(|| record.id.clone()),
        // a task's state is in no database
        state: None,
        pod: record.pod.clone(),
        namespace: record.namespace.clone(),
    }
}

fn put_layer(device: &mut OwnedDevice, layers: &Layers<'_>, key: &[u8]) {
    device.role = Role::ImageLayer;
    let Some(images) = layers.images_of(key) else {
        device.note = Some("its images are not named: too many devices claim the same".into());
        return;
    };
    let all = |names: fn(&Image) -> &Vec<Printable>| {
        images.iter().flat_map(move |held| names(held.image).iter().cloned())
    };
    let names = all(|image| &image.tags).chain(all(|image| &image.digests));
    let mut known = HashSet::new();
    let names = names.chain(all(|image| &image.bare)).filter(|name| known.insert(name.clone()));
    device.images = names.collect();
    device.position = first_named(images).and_then(|Held { image, at }| {
        Some((u32::try_from(at + 1).ok()?, u32::try_from(image.chain.len()).ok()?))
    });
}

/// The image whose name is given first.
fn first_named<'a, 'b>(images: &'b [Held<'a>]) -> Option<&'b Held<'a>> {
    let tagged = images.iter().find(|held| !held.image.tags.is_empty());
    let digested = || images.iter().find(|held| !held.image.digests.is_empty());
    tagged.or_else(digested).or_else(|| images.first())
}

/// Snapshots whose device containerd has no record of, in whatever pool: it can use none of them.
fn without_device(home: &Home, index: &Index<'_>, had: &HashSet<u64>) -> Vec<OwnedDevice> {
    let mut numbers: Vec<u64> =
        index.snapshots.keys().copied().filter(|number| !had.contains(number)).collect();
    numbers.sort_unstable();
    let devices = numbers.into_iter().filter_map(|number| {
        let place = index.snapshots.get(&number)?;
        let mut device = named(home, &device_name(&home.pool, number));
        put_place(&mut device, home, *place);
        device.by = format!("{}/{}", home.home, super::roots::SNAPSHOTS).into();
        device.note = Some("containerd has no record of its device".into());
        Some(device)
    });
    devices.collect()
}

/// `<pool>-snap-<number>`
pub(super) fn device_name(pool: &[u8], number: u64) -> Vec<u8> {
    [pool, format!("-snap-{number}").as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::super::tests::tall;
    use super::*;

    fn namespace(home: &Home) -> &Namespace {
        &home.names.as_ref().expect("it has names").namespaces[0]
    }

    fn name(number: u32) -> String {
        format!("app:{number:02}")
    }

    #[test]
    fn the_index_is_as_large_as_the_chains_and_says_where_a_layer_stands() {
        let home = tall(5_000, &[name(1)]);
        let layers = Layers::new(namespace(&home));
        assert_eq!(layers.images.values().map(Vec::len).sum::<usize>(), 5_000);
        for (at, key) in namespace(&home).images[0].chain.iter().enumerate() {
            assert_eq!(layers.images[&**key].iter().map(|held| held.at).collect::<Vec<_>>(), [at]);
        }
    }

    #[test]
    fn names_are_given_out_until_there_are_enough() {
        let home = tall(1, &[name(1), name(2)]);
        let layers = Layers::within(namespace(&home), 5);
        let layer = || {
            let mut device = named(&home, b"p-snap-1");
            put_layer(&mut device, &layers, b"sha256:1");
            (device.images.len(), device.position, device.note.is_some())
        };
        let (whole, none) = ((2, Some((1, 1)), false), (0, None, true));
        assert_eq!([layer(), layer(), layer(), layer()], [whole, whole, none, none]);
        assert_eq!(layers.left.get(), 0, "and nothing is counted any more");
        assert!(layers.images_of(b"sha256:2").is_some_and(<[_]>::is_empty), "it has no image");
    }
}
