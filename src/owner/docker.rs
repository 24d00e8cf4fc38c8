//! Docker's `devicemapper` driver: whose is a thin device, and what `docker info` would say.
//!
//! Reads Docker's own files below every data root, never through the daemon. Asking is in
//! [`read_docker`]; what the answers mean is worked out purely: [`owned`] names every device,
//! [`driver_status()`] computes the driver section of `docker info`.

mod ask;
pub mod buildkit;
pub mod busy;
pub mod claims;
pub mod config;
pub mod containers;
pub mod devices;
pub mod digest;
pub mod driver_status;
pub mod engine_facts;
#[cfg(test)]
mod fake;
pub mod images;
mod json;
pub mod layers;
pub mod options;
mod parents;
pub mod pool_files;
pub mod pool_name;
mod program;
#[cfg(test)]
mod real;
mod roots;
#[cfg(test)]
mod tests;

use crate::model::Gap;
use crate::probe::LookOptions;
use crate::sys::{HostPath, Keep, ReadHost};
use crate::text::Printable;

use ask::Asker;
use buildkit::BuildSnapshots;
use busy::Busy;
use config::DaemonConfig;
use containers::Containers;
use devices::MetadataFolder;
use images::Images;
use layers::LayerStore;
use options::StorageOptions;
use pool_files::PoolFiles;

pub use claims::owned;
pub use driver_status::{DriverStatus, driver_status};
pub use engine_facts::engine_facts;

/// What Docker's files say.
#[derive(Clone, Debug, Default)]
pub struct DockerFacts {
    /// What the daemon was told.
    pub config: DaemonConfig,
    /// Data roots with a `devicemapper` folder.
    pub roots: Vec<DockerRoot>,
    /// `uname -r` of the kernel.
    pub kernel: Option<String>,
    /// The daemon's program, where it has the driver no more.
    pub without_driver: Option<Printable>,
    /// A data root could not be looked at, or not what names its devices.
    pub failed: bool,
    /// What could not be read.
    pub gaps: Vec<Gap>,
}

impl DockerFacts {
    /// The storage options of the daemon that uses this root with this driver; `None` when they
    /// cannot be told, because options given for one root or driver say nothing of another.
    pub fn options_of(&self, root: &DockerRoot) -> Option<&StorageOptions> {
        let driver = self.config.driver.as_deref().unwrap_or("devicemapper");
        (root.configured && driver == "devicemapper").then_some(&self.config.options)
    }
}

/// One data root.
#[derive(Clone, Debug)]
pub struct DockerRoot {
    /// As configured or given.
    pub path: HostPath,
    /// With symbolic links resolved.
    pub real: HostPath,
    /// Whether what the daemon was told concerns this root.
    pub configured: bool,
    /// What tells its pool.
    pub pool: PoolFiles,
    /// Device files.
    pub metadata: MetadataFolder,
    /// The layer store.
    pub layers: LayerStore,
    /// Images.
    pub images: Images,
    /// Containers.
    pub containers: Containers,
    /// Whether a daemon of 18.06 or later has run here: it makes the folder for builds.
    pub has_buildkit: bool,
    /// Build snapshots.
    pub snapshots: BuildSnapshots,
    /// What docker could not finish.
    pub busy: Busy,
}

/// How often a folder that moves while it is read is read again.
const MOST_READINGS: usize = 3;

/// Reads all data roots of Docker.
pub fn read_docker(host: &dyn ReadHost, options: &LookOptions) -> DockerFacts {
    let mut ask = Asker::new(host);
    let config = config::read_config(&mut ask, options.mounted_tree);
    let found = roots::find_roots(&mut ask, &config, &options.docker_roots);
    let roots: Vec<_> = found.into_iter().map(|root| read_root(&mut ask, root)).collect();
    let kernel = if roots.is_empty() { None } else { read_kernel(&mut ask) };
    // last, for a program is a hundred times larger than all else
    let without_driver =
        if roots.is_empty() { None } else { program::without_driver(&ask, &config) };
    let failed = ask.closed || roots.iter().any(|root| !root.metadata.seen);
    DockerFacts { config, roots, kernel, without_driver, failed, gaps: ask.into_gaps() }
}

/// From its file, because who the host is belongs to another source.
fn read_kernel(ask: &mut Asker<'_>) -> Option<String> {
    let bytes = ask.file(HostPath::new("/proc/sys/kernel/osrelease"), Keep::All, None)?;
    Some(String::from_utf8_lossy(bytes.trim_ascii()).into_owned())
}

fn read_root(ask: &mut Asker<'_>, found: roots::FoundRoot) -> DockerRoot {
    let home = found.path.join("devicemapper");
    let pool = pool_files::read_pool_files(ask, &home, found.home);
    let has_buildkit = ask.stat(&found.path.join("buildkit")).is_some();
    let mut root = DockerRoot {
        path: found.path,
        real: found.real,
        configured: found.configured,
        pool,
        metadata: MetadataFolder::default(),
        layers: LayerStore::default(),
        images: Images::default(),
        containers: Containers::default(),
        has_buildkit,
        snapshots: None,
        busy: Busy::default(),
    };
    // every creation and deletion of a device rewrites the transaction file
    for _ in 0..MOST_READINGS {
        let before = devices::read_transaction(ask, &home);
        root.metadata = devices::read_metadata(ask, &home);
        root.layers = layers::read_layers(ask, &root.path);
        root.containers = containers::read_containers(ask, &root.path);
        root.images = images::read_images(ask, &root.path);
        if root.has_buildkit {
            root.snapshots = buildkit::read_snapshots(ask, &root.path);
        }
        if before == devices::read_transaction(ask, &home) {
            root.busy = busy::read_busy(ask, &home, &root);
            return root;
        }
    }
    let path = Printable::from_bytes(&root.path.0.0);
    ask.gap(format!(
        "{path}: docker makes or deletes devices faster than they can be read, so some may be \
         named wrongly; look again when it is quieter"
    ));
    root
}
