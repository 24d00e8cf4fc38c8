//! One thin device of a pool and whose it is.

use std::borrow::Cow;

use serde::Serialize;

use super::topology::{NodeIx, PoolIx};
use crate::ids::ThinId;
use crate::text::Printable;
use crate::units::Bytes;

/// What a thin device is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The engine's base device, which every bottom layer is a snapshot of.
    Base,
    /// A layer in the engine's layer store, with an image or without.
    ImageLayer,
    /// A container's writable layer.
    Container,
    /// The layer between a container and its image.
    ContainerInit,
    /// A build snapshot in no layer-store entry.
    BuildCache,
    /// A volume of LVM's.
    Volume,
    /// A snapshot of a volume.
    Snapshot,
    /// In the pool, and nobody names it.
    Leaked,
    /// Named, and not in the pool.
    Missing,
    /// Cannot be told.
    Unknown,
}

impl Role {
    /// The word in JSON and on screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::ImageLayer => "image-layer",
            Self::Container => "container",
            Self::ContainerInit => "container-init",
            Self::BuildCache => "build-cache",
            Self::Volume => "volume",
            Self::Snapshot => "snapshot",
            Self::Leaked => "leaked",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }
}

/// Who made a thin device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Docker's `devicemapper` driver.
    Docker,
    /// containers/storage: Podman, CRI-O, Buildah.
    ContainersStorage,
    /// containerd's `devmapper` snapshotter.
    Containerd,
    /// LVM.
    Lvm,
    /// Cannot be told, or nobody.
    Unknown,
}

impl Engine {
    /// The word in JSON and on screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::ContainersStorage => "containers-storage",
            Self::Containerd => "containerd",
            Self::Lvm => "lvm",
            Self::Unknown => "unknown",
        }
    }
}

/// Docker's words for a container's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "docker's own words")]
pub enum ContainerState {
    Created,
    Running,
    Paused,
    Restarting,
    Removing,
    Exited,
    Dead,
}

impl ContainerState {
    /// Docker's word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Restarting => "restarting",
            Self::Removing => "removing",
            Self::Exited => "exited",
            Self::Dead => "dead",
        }
    }
}

/// The container a thin device belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Container {
    /// The engine's full id.
    pub id: Printable,
    /// Its name, docker's without the slash.
    pub name: Printable,
    /// Its state, where the engine records one.
    pub state: Option<ContainerState>,
    /// Kubernetes pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<Printable>,
    /// Kubernetes namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Printable>,
}

impl Container {
    /// Its name; where it has none but its id, the pod's before that: an id says nothing to a
    /// person.
    fn label(&self) -> Cow<'_, str> {
        match &self.pod {
            Some(pod) if self.name == self.id => format!("{pod} {:.12}", self.id.as_str()).into(),
            _ => self.name.as_str().into(),
        }
    }
}

/// Who says that a thin id is theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// The engine.
    pub engine: Engine,
    /// The name it claims the id under.
    pub name: Printable,
    /// The file or record that says so.
    pub by: Printable,
}

/// When a device was made, as the pool's metadata counts: none of it is a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// The pool's transaction when it was made; its engine may count the one that made it.
    pub transaction: u64,
    /// The snapshot counter when it was made.
    pub created: u32,
    /// The snapshot counter when it last was the origin of a snapshot, or was made.
    pub snapshotted: u32,
}

/// One row per (pool, device id).
#[derive(Clone, Debug)]
pub struct ThinDevice {
    /// Its pool.
    pub pool: PoolIx,
    /// Its node in the tree.
    pub node: NodeIx,
    /// Its id in the pool; `None` when its record could not be read.
    pub id: Option<ThinId>,
    /// What it is for.
    pub role: Role,
    /// Who made it.
    pub engine: Engine,
    /// The engine's name for it: docker's hash (`base`, 64 hex, `…-init`), LVM's `VG/LV`.
    pub name: Printable,
    /// The device-mapper name it has or would have.
    pub dm_name: Option<Printable>,
    /// All images whose chain holds the layer, as the engine prints them: tags first, then
    /// `repo@sha256:…`, an image with neither as `sha256:<64 hex>`.
    pub images: Vec<Printable>,
    /// Position in the chain of the (first) image, from 1 at the bottom, and the chain's length.
    pub position: Option<(u32, u32)>,
    /// Chain id or snapshot key of a layer.
    pub chain_id: Option<Printable>,
    /// The container.
    pub container: Option<Container>,
    /// The thin id it is a snapshot of.
    pub parent: Option<ThinId>,
    /// Virtual size.
    pub size: Option<Bytes>,
    /// Mapped bytes, those shared with others included.
    pub mapped: Option<Bytes>,
    /// Bytes that nothing else holds.
    pub exclusive: Option<Bytes>,
    /// Bytes that something else holds too.
    pub shared: Option<Bytes>,
    /// Bytes that differ from the parent.
    pub delta: Option<Bytes>,
    /// The transaction that made it, as the engine records it.
    pub transaction_id: Option<u64>,
    /// What the pool's metadata notes of its making.
    pub times: Option<Times>,
    /// The engine wants it gone and could not yet delete it.
    pub deferred_deletion: bool,
    /// Whether a device is active for it.
    pub active: bool,
    /// Whether that device is suspended.
    pub suspended: bool,
    /// Where it is mounted.
    pub mountpoint: Option<Printable>,
    /// All who claim the id, when more than one does; else empty.
    pub claims: Vec<Claim>,
    /// What else must be said of it: `orphan file`, `being removed`.
    pub note: Option<Printable>,
}

impl ThinDevice {
    /// The words a person knows it by: the container, the first image with position, or the
    /// engine's name for it.
    pub fn label(&self) -> Cow<'_, str> {
        if let Some(container) = &self.container {
            return match self.role {
                Role::ContainerInit => format!("{} (init)", container.name).into(),
                _ => container.label(),
            };
        }
        match (self.images.first(), self.position) {
            (Some(image), Some((at, of))) => format!("{image} {at}/{of}").into(),
            (Some(image), None) => image.as_str().into(),
            _ => self.name.as_str().into(),
        }
    }
}
