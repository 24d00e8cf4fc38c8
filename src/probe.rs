//! Asks a host, source by source, and turns raw answers into facts, then facts into the
//! [`Topology`].
//!
//! `read_*` functions ask through [`ReadHost`] and parse what comes back; they run twice, in the
//! probe child against the live host (their answers recorded) and here against that recording.
//! [`assemble`] is pure.

pub mod block;
pub mod dm;
pub mod lvm;
pub mod metadata;
pub mod mounts;

mod ask;
mod assemble;
mod boot;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{Engine, Gap, Topology};
use crate::owner::containerd::ContainerdFacts;
use crate::owner::docker::DockerFacts;
use crate::sys::{HostInfo, HostPath, Question, ReadHost, Reply, Source};

pub use assemble::assemble;
#[cfg(test)]
pub(crate) use assemble::tests::samples;

/// What a person said about where to look. Kept in recordings: a replay looks the same way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookOptions {
    /// Docker data roots (`--docker-root`); empty to find them from Docker's configuration.
    #[serde(default)]
    pub docker_roots: Vec<HostPath>,
    /// containerd's roots (`--containerd-root`); empty to find them from its configuration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containerd_roots: Vec<HostPath>,
    /// A mounted file tree of another system is looked at (`--root`): running processes are not
    /// its own.
    #[serde(default)]
    pub mounted_tree: bool,
    /// Only this metadata device, or saved image of one, is looked at (`--metadata`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata_file: Option<MetadataFile>,
}

/// A metadata device, or a saved image of one, that a person named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataFile {
    /// As it was typed, made printable: the name its pool goes by.
    pub name: String,
    /// Where it is, absolute.
    pub path: HostPath,
}

/// The facts of one source.
#[derive(Clone, Debug)]
pub enum SourceFacts {
    /// Who the host is.
    Host(HostInfo),
    /// Device-mapper.
    Dm(dm::DmSeen),
    /// Block devices.
    Block(block::BlockSeen),
    /// Mounts.
    Mounts(mounts::MountsSeen),
    /// LVM.
    Lvm(lvm::LvmSeen),
    /// Docker.
    Docker(DockerFacts),
    /// containerd.
    Containerd(ContainerdFacts),
    /// The pools' own metadata.
    Metadata(metadata::MetadataSeen),
}

/// The newest facts of every source; `None` where a source has not answered. A refresh replaces
/// only what was asked again.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Who the host is.
    pub host: Option<Arc<HostInfo>>,
    /// Device-mapper.
    pub dm: Option<Arc<dm::DmSeen>>,
    /// Block devices.
    pub block: Option<Arc<block::BlockSeen>>,
    /// Mounts.
    pub mounts: Option<Arc<mounts::MountsSeen>>,
    /// LVM.
    pub lvm: Option<Arc<lvm::LvmSeen>>,
    /// Docker.
    pub docker: Option<Arc<DockerFacts>>,
    /// containerd.
    pub containerd: Option<Arc<ContainerdFacts>>,
    /// The pools' own metadata.
    pub metadata: Option<Arc<metadata::MetadataSeen>>,
    /// What was known before each engine's files were read.
    pub before: Before,
    /// The one metadata device or image that is looked at, where a person named one.
    pub metadata_file: Option<MetadataFile>,
}

/// What was known of devices and pools before each engine's files were read: what nobody names,
/// and what an engine names wrongly, is told from what is just being made.
#[derive(Clone, Debug, Default)]
pub struct Before {
    /// The pools' metadata before Docker's files were read.
    pub docker: Option<Arc<metadata::MetadataSeen>>,
    /// The pools' metadata before containerd's databases were read.
    pub containerd: Option<Arc<metadata::MetadataSeen>>,
    /// Device-mapper's devices before containerd's databases were read.
    pub containerd_dm: Option<Arc<dm::DmSeen>>,
}

impl Facts {
    /// The pools' metadata from before an engine's files were read; Docker's time stands for
    /// those without files of their own.
    pub fn metadata_before(&self, engine: Engine) -> Option<&metadata::MetadataSeen> {
        match engine {
            Engine::Containerd => self.before.containerd.as_deref(),
            _ => self.before.docker.as_deref(),
        }
    }

    /// Whether a source was asked to the end and could not be read, so that what it knows is not
    /// here at all. One file or device of it that gave no answer does not make it so, nor does what
    /// is not installed, unless the host has devices of it.
    pub fn failed(&self, source: Source) -> bool {
        match source {
            // every host has a name: there was no answer
            Source::Host => self.host.as_deref() == Some(&HostInfo::default()),
            Source::Dm => self.dm.as_deref().is_some_and(|dm| dm.failed),
            Source::Block => self.block.as_deref().is_some_and(|block| block.failed),
            Source::Mounts => self.mounts.as_deref().is_some_and(|mounts| mounts.failed),
            Source::Lvm => self.lvm.as_deref().is_some_and(|lvm| {
                lvm.failed || (lvm.not_installed.is_some() && self.has_lvm_devices())
            }),
            Source::Docker => self.docker.as_deref().is_some_and(|docker| docker.failed),
            Source::Containerd => self.containerd.as_deref().is_some_and(|facts| facts.failed),
            Source::Metadata => self.metadata.as_deref().is_some_and(|metadata| {
                let pools = &metadata.pools;
                !pools.is_empty() && pools.iter().all(|look| look.read.is_err())
            }),
        }
    }

    fn has_lvm_devices(&self) -> bool {
        let devices = self.dm.iter().flat_map(|dm| &dm.devices);
        devices.into_iter().any(|seen| seen.device.uuid.0.starts_with(b"LVM-"))
    }

    /// Replaces one source's facts.
    pub fn put(&mut self, facts: SourceFacts) {
        match facts {
            SourceFacts::Host(facts) => self.host = Some(Arc::new(facts)),
            SourceFacts::Dm(facts) => self.dm = Some(Arc::new(facts)),
            SourceFacts::Block(facts) => self.block = Some(Arc::new(facts)),
            SourceFacts::Mounts(facts) => self.mounts = Some(Arc::new(facts)),
            SourceFacts::Lvm(facts) => self.lvm = Some(Arc::new(facts)),
            SourceFacts::Docker(facts) => {
                self.before.docker.clone_from(&self.metadata);
                self.docker = Some(Arc::new(facts));
            }
            SourceFacts::Containerd(facts) => {
                self.before.containerd.clone_from(&self.metadata);
                self.before.containerd_dm.clone_from(&self.dm);
                self.containerd = Some(Arc::new(facts));
            }
            SourceFacts::Metadata(facts) => self.metadata = Some(Arc::new(facts)),
        }
    }
}

/// What [`assemble`] makes of facts.
#[derive(Clone, Debug, Default)]
pub struct Assembled {
    /// The storage.
    pub topology: Topology,
    /// What could not be seen: the sources' own gaps, and contradictions.
    pub gaps: Vec<Gap>,
    /// A pool holds an id that nobody names, or the other way round, and this was seen only once:
    /// a look at the engines' files and then at the pools again tells.
    pub unsure: bool,
}

/// Asks a host everything that belongs to one source. Never fails: what could not be had is a
/// gap within the facts. Nothing of metadata is read here, for it must be said where it lies:
/// [`metadata::read_metadata`].
pub fn read_source(source: Source, host: &dyn ReadHost, options: &LookOptions) -> SourceFacts {
    match source {
        Source::Metadata => SourceFacts::Metadata(metadata::MetadataSeen::default()),
        Source::Host => SourceFacts::Host(read_host(host)),
        Source::Dm => SourceFacts::Dm(dm::read_dm(host)),
        Source::Block => SourceFacts::Block(block::read_block(host)),
        Source::Mounts => SourceFacts::Mounts(mounts::read_mounts(host)),
        Source::Lvm => SourceFacts::Lvm(lvm::read_lvm(host)),
        Source::Docker => SourceFacts::Docker(crate::owner::docker::read_docker(host, options)),
        Source::Containerd => {
            SourceFacts::Containerd(crate::owner::containerd::read_containerd(host, options))
        }
    }
}

fn read_host(host: &dyn ReadHost) -> HostInfo {
    match host.ask(&Question::Host).result {
        Ok(Reply::Host(info)) => info,
        _ => HostInfo::default(),
    }
}
