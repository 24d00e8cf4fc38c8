//! From a device file to what the device is for: the procedure of `formats.md` 1.6.7.
//!
//! Pure: works on what was read.

use std::collections::HashMap;

use super::buildkit::BuildSnapshot;
use super::digest::Digest;
use super::images::{Image, Images};
use super::layers::{Layer, Mount};
use super::parents::Parents;
use super::pool_name::{PoolChoice, pool_choice};
use super::{DockerFacts, DockerRoot};
use crate::ids::ThinId;
use crate::model::{Container, Engine, Gap, Role};
use crate::owner::docker::devices::DeviceFile;
use crate::owner::{Owned, OwnedDevice, OwnedPool};
use crate::text::Printable;

/// The name of the base device's file.
pub(super) const BASE: &[u8] = b"base";

/// Pools and devices that Docker's files name.
pub fn owned(facts: &DockerFacts) -> Owned {
    let mut owned = Owned { pools: Vec::new(), gaps: facts.gaps.clone() };
    for (root_index, root) in facts.roots.iter().enumerate() {
        if !is_in_use(root) {
            continue;
        }
        let choice = pool_choice(facts, root);
        if !choice.certain && !root.metadata.devices.is_empty() {
            owned.gaps.extend(unsure_gap(root, &choice));
        }
        let beyond = root.images.list.len() - images_in_reach(&root.images).len();
        if beyond > 0 {
            owned.gaps.push(too_many_images(root, beyond));
        }
        owned.pools.push(pool(root, root_index, choice));
    }
    owned
}

/// A driver that was only tried leaves an empty folder behind.
fn is_in_use(root: &DockerRoot) -> bool {
    let files = &root.pool;
    !root.metadata.devices.is_empty()
        || files.data.is_some()
        || files.metadata.is_some()
        || files.direct_lvm.is_some()
}

fn unsure_gap(root: &DockerRoot, choice: &PoolChoice) -> Option<Gap> {
    // loop files or the record of direct-lvm are as good as being told
    let guessed = root.pool.data.is_none() && root.pool.direct_lvm.is_none();
    guessed.then(|| {
        Gap::new(
            "docker",
            format!(
                "{}: which pool it uses is not certain, because no dm.thinpooldev was found in \
                 docker's configuration; {} is assumed where no active device shows another; \
                 write the option into /etc/docker/daemon.json to be sure",
                Printable::from_bytes(&root.path.0.0),
                choice.dm_name
            ),
        )
    })
}

fn too_many_images(root: &DockerRoot, beyond: usize) -> Gap {
    let root = Printable::from_bytes(&root.path.0.0);
    let why = format!(
        "{root}: {beyond} images are not named at their layers, because their layers and names come \
         to more than {MOST_PAIRS} pairs; docker image prune removes what nothing uses"
    );
    Gap::new("docker", why)
}

fn pool(root: &DockerRoot, root_index: usize, choice: PoolChoice) -> OwnedPool {
    let index = Index::new(root);
    let parents = Parents::new(root, &index);
    let mut files: Vec<_> = root.metadata.devices.iter().collect();
    // stable: two claims on one id stay in the order of their names
    files.sort_by_key(|file| (file.id.is_none(), file.id));
    let mut devices: Vec<_> =
        files.into_iter().map(|file| device(root, &index, &parents, file)).collect();
    if root.metadata.seen {
        devices.extend(without_file(root, &index));
    }
    OwnedPool {
        engine: Engine::Docker,
        root: root.path.clone(),
        root_index,
        pool_name: choice.dm_name.into_bytes(),
        pool_name_certain: choice.certain,
        prefix: root.pool.prefix.clone().unwrap_or_default(),
        backing: choice.backing,
        devices,
        names_all: root.metadata.seen && root.metadata.devices.iter().all(|file| file.id.is_some()),
        transaction: root
            .metadata
            .transaction
            .as_ref()
            .and_then(|t| Some((t.open_id, t.device_id?))),
    }
}

/// What a hash is, by the layer store.
#[derive(Clone, Copy, Debug)]
pub(super) enum Use<'a> {
    /// The base device.
    Base,
    /// A read-only layer.
    Layer(&'a Layer),
    /// A writable layer.
    Mount(&'a Mount),
    /// The init layer of a writable layer.
    Init(&'a Mount),
    /// A build snapshot in no layer-store entry.
    Build(&'a BuildSnapshot),
}

/// Look-ups from hashes and chain ids.
pub(super) struct Index<'a> {
    uses: HashMap<&'a [u8], Use<'a>>,
    files: HashMap<&'a [u8], &'a DeviceFile>,
    chains: HashMap<Digest, &'a Layer>,
    images: HashMap<Digest, Vec<&'a Image>>,
}

impl<'a> Index<'a> {
    fn new(root: &'a DockerRoot) -> Self {
        let mut uses: HashMap<&[u8], Use<'_>> = HashMap::new();
        let (going, staying): (Vec<_>, Vec<_>) =
            root.layers.layers.iter().partition(|layer| layer.removing);
        // later ones win: what is in use outranks what is being removed
        let builds = root.snapshots.iter().flatten();
        uses.extend(builds.map(|(name, snapshot)| (&**name, Use::Build(snapshot))));
        uses.extend(going.into_iter().map(|layer| (&*layer.cache_id, Use::Layer(layer))));
        for mount in &root.layers.mounts {
            uses.extend(mount.init_id.as_deref().map(|init| (init, Use::Init(mount))));
            uses.insert(&mount.mount_id, Use::Mount(mount));
        }
        uses.extend(staying.iter().map(|layer| (&*layer.cache_id, Use::Layer(layer))));
        uses.insert(BASE, Use::Base);
        Self {
            uses,
            files: root.metadata.devices.iter().map(|file| (&*file.name, file)).collect(),
            chains: staying.into_iter().map(|layer| (layer.chain, layer)).collect(),
            images: images_by_chain(&root.images),
        }
    }

    /// What a device file's name is; an init layer also where only its container's record is
    /// left.
    pub(super) fn use_of(&self, name: &[u8]) -> Option<Use<'a>> {
        self.uses.get(name).copied().or_else(|| match self.uses.get(name.strip_suffix(b"-init")?) {
            Some(Use::Mount(mount)) => Some(Use::Init(mount)),
            _ => None,
        })
    }

    /// The device file of that name.
    pub(super) fn file(&self, name: &[u8]) -> Option<&'a DeviceFile> {
        self.files.get(name).copied()
    }

    /// The layer with that chain id.
    pub(super) fn layer(&self, chain: Digest) -> Option<&'a Layer> {
        self.chains.get(&chain).copied()
    }
}

/// Most pairs of a layer and a name of an image of it that are kept; a host of 10,000 images has a
/// few tenths.
const MOST_PAIRS: usize = 2_000_000;

fn images_by_chain(images: &Images) -> HashMap<Digest, Vec<&Image>> {
    let mut by_chain: HashMap<Digest, Vec<&Image>> = HashMap::new();
    for image in images_in_reach(images) {
        for chain in &image.chain {
            by_chain.entry(*chain).or_default().push(image);
        }
    }
    by_chain
}

/// The images whose layers are attributed, those with the shortest chains first.
fn images_in_reach(images: &Images) -> &[Image] {
    let mut pairs = 0_usize;
    let reach = images.list.iter().take_while(|image| {
        let names = image.tags.len().saturating_add(image.digests.len()).max(1);
        pairs = pairs.saturating_add(image.chain.len().saturating_mul(names));
        pairs <= MOST_PAIRS
    });
    let reach = reach.count();
    images.list.get(..reach).unwrap_or_default()
}

fn device(
    root: &DockerRoot,
    index: &Index<'_>,
    parents: &Parents,
    file: &DeviceFile,
) -> OwnedDevice {
    let used = index.use_of(&file.name);
    let mut device = OwnedDevice {
        id: file.id,
        parent: file.id.and_then(|id| parents.of(id)),
        size: file.size,
        transaction_id: file.transaction_id,
        deferred_deletion: file.deleted,
        ..named(root, &file.name)
    };
    match used {
        Some(used) => put_use(&mut device, root, index, used),
        None if is_build_name(&file.name) => {
            device.role = Role::BuildCache;
            if root.snapshots.is_some() {
                device.note = Some("orphan file: no build refers to it".into());
            }
        }
        None if file.deleted => {
            device.note = Some("removed in docker, waits for its deletion".into());
        }
        None => device.note = Some("orphan file: nothing in docker refers to it".into()),
    }
    if let Some(trouble) = &file.trouble {
        device.note = Some(format!("unreadable device file: {trouble}").into());
    }
    device
}

/// A device of which only the name is known.
fn named(root: &DockerRoot, name: &[u8]) -> OwnedDevice {
    let prefix = root.pool.prefix.as_deref().unwrap_or_default();
    let path = root.path.join("devicemapper/metadata");
    OwnedDevice::named(
        Printable::from_bytes(name),
        [prefix.as_bytes(), b"-", name].concat(),
        Printable::from_bytes(&[&path.0.0[..], b"/", name].concat()),
    )
}

/// `BuildKit` names its snapshots by 25 characters of base 36 (`formats.md` 1.2).
fn is_build_name(name: &[u8]) -> bool {
    name.len() == 25 && name.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase())
}

fn put_use(device: &mut OwnedDevice, root: &DockerRoot, index: &Index<'_>, used: Use<'_>) {
    match used {
        Use::Base => device.role = Role::Base,
        Use::Layer(layer) => put_layer(device, index, layer),
        Use::Mount(mount) => {
            device.container = container(root, index, mount);
            device.role = match device.container {
                Some(_) => Role::Container,
                None => Role::BuildCache,
            };
        }
        Use::Build(snapshot) => {
            device.role = Role::BuildCache;
            device.chain_id.clone_from(&snapshot.key);
        }
        Use::Init(mount) => {
            device.role = Role::ContainerInit;
            device.container = container(root, index, mount).or_else(|| Some(unnamed(&mount.name)));
        }
    }
}

fn put_layer(device: &mut OwnedDevice, index: &Index<'_>, layer: &Layer) {
    device.role = Role::ImageLayer;
    device.chain_id = Some(layer.chain.printable());
    if layer.removing {
        device.note = Some("being removed: docker deletes it at its next start".into());
        return;
    }
    let images = index.images.get(&layer.chain).map_or(&[][..], Vec::as_slice);
    device.images = image_names(images);
    device.position = first_named(images).and_then(|image| {
        let at = image.chain.iter().position(|chain| *chain == layer.chain)?;
        Some((u32::try_from(at + 1).ok()?, u32::try_from(image.chain.len()).ok()?))
    });
}

/// All tags, then all digest references, then the ids of images that have neither.
fn image_names(images: &[&Image]) -> Vec<Printable> {
    let tags = images.iter().flat_map(|image| image.tags.iter().cloned());
    let digests = images.iter().flat_map(|image| image.digests.iter().cloned());
    let bare = images.iter().filter(|image| image.tags.is_empty() && image.digests.is_empty());
    tags.chain(digests).chain(bare.map(|image| image.id.printable())).collect()
}

/// The image whose name [`image_names`] gives first.
fn first_named<'a>(images: &[&'a Image]) -> Option<&'a Image> {
    let tagged = images.iter().find(|image| !image.tags.is_empty());
    let digested = || images.iter().find(|image| !image.digests.is_empty());
    tagged.or_else(digested).or_else(|| images.first()).copied()
}

/// The container of a writable layer; `None` for a builder's: builders ask for no init layer
/// and have no container, and every container of docker's has at least one of them.
fn container(root: &DockerRoot, index: &Index<'_>, mount: &Mount) -> Option<Container> {
    let Some(file) = root.containers.get(&mount.name) else {
        return has_init(index, mount).then(|| unnamed(&mount.name));
    };
    Some(Container {
        name: file.name.clone().unwrap_or_else(|| mount.name.clone()),
        state: file.state,
        ..unnamed(&mount.name)
    })
}

fn unnamed(id: &Printable) -> Container {
    Container { id: id.clone(), name: id.clone(), state: None, pod: None, namespace: None }
}

/// The hash of a writable layer's init layer, where it has one.
pub(super) fn has_init(index: &Index<'_>, mount: &Mount) -> bool {
    init_file(index, mount).is_some() || mount.init_id.is_some()
}

/// The device file of a writable layer's init layer.
pub(super) fn init_file<'a>(index: &Index<'a>, mount: &Mount) -> Option<&'a DeviceFile> {
    match &mount.init_id {
        Some(init) => index.file(init),
        None => index.file(&[&mount.mount_id[..], b"-init"].concat()),
    }
}

/// What the layer store names and has no device file: docker refuses to use it.
fn without_file(root: &DockerRoot, index: &Index<'_>) -> Vec<OwnedDevice> {
    let layers = &root.layers;
    let cache_ids = layers.layers.iter().filter(|layer| !layer.removing);
    let mounts = layers.mounts.iter();
    let mut names: Vec<&[u8]> = cache_ids
        .map(|layer| &*layer.cache_id)
        .chain(mounts.map(|mount| &*mount.mount_id))
        .filter(|name| index.file(name).is_none())
        .collect();
    names.sort_unstable();
    names.dedup();
    let missing = names.into_iter().map(|name| {
        let mut device = named(root, name);
        if let Some(used) = index.use_of(name) {
            put_use(&mut device, root, index, used);
        }
        device.by = Printable::from_bytes(&root.path.join("image/devicemapper/layerdb").0.0);
        device.note = Some("no device file: docker knows no device of that name".into());
        device
    });
    missing.collect()
}

/// For sorting and look-ups of parents: the id of a file, where it has one.
pub(super) fn id_of(file: Option<&DeviceFile>) -> Option<ThinId> {
    file.and_then(|file| file.id)
}
