//! What is let through the door of an engine's files: the keys that a storage view needs, and
//! nothing else. A container's environment, commands and mounts never enter the program, so they
//! can be in no recording.
//!
//! Keys: `formats.md` 1.6.3 (images, tags), 1.6.4 (containers), 1.7 (daemon), 3.1 and 3.3 to 3.5
//! (containerd). Knows no files.

pub(super) mod bolt;
mod json;
mod options;
mod toml;

use std::path::Path;

use crate::sys::{Keep, Raw};
use json::Kept;

const MIB: u64 = 1 << 20;

/// Most bytes that are read of a file.
pub(super) fn limit(keep: Keep, path: &Path) -> u64 {
    match keep {
        // the kernel's own tables: a line of mountinfo for every mount
        Keep::All if path.starts_with("/proc") => 64 * MIB,
        Keep::All | Keep::DaemonOptions | Keep::ContainerdConfig => MIB,
        Keep::DockerDaemon | Keep::DockerContainer => 4 * MIB,
        Keep::DockerImage => 16 * MIB,
        Keep::DockerRepositories => 64 * MIB,
    }
}

/// What is kept of a file's bytes, or why they are not what they must be.
pub(super) fn project(keep: Keep, bytes: Vec<u8>) -> Result<Raw, String> {
    match keep {
        Keep::All => Ok(Raw(bytes)),
        Keep::DaemonOptions => Ok(Raw(options::kept(&bytes))),
        Keep::DockerDaemon => json::kept(&bytes, &DAEMON),
        Keep::ContainerdConfig => toml::kept(&bytes, &CONTAINERD),
        Keep::DockerContainer => json::kept(&bytes, &CONTAINER),
        Keep::DockerImage => json::kept(&bytes, &IMAGE),
        Keep::DockerRepositories => json::kept(&bytes, &REPOSITORIES),
    }
}

/// `daemon.json`.
const DAEMON: Kept = Kept::Keys(&[
    ("storage-driver", Kept::Plain),
    ("storage-opts", Kept::Plain),
    ("data-root", Kept::Plain),
    ("graph", Kept::Plain),
    ("userns-remap", Kept::Plain),
    ("exec-root", Kept::Plain),
]);

/// containerd's `config.toml` (`formats.md` 3.1): credentials of registries may be in it too.
/// Version 1 names the plugin shortly.
const CONTAINERD: Kept = Kept::Keys(&[
    ("root", Kept::Plain),
    (
        "plugins",
        Kept::Keys(&[
            ("io.containerd.snapshotter.v1.devmapper", CONTAINERD_PLUGIN),
            ("devmapper", CONTAINERD_PLUGIN),
        ]),
    ),
]);

const CONTAINERD_PLUGIN: Kept = Kept::Keys(&[
    ("root_path", Kept::Plain),
    ("pool_name", Kept::Plain),
    ("base_image_size", Kept::Plain),
    ("async_remove", Kept::Plain),
    ("discard_blocks", Kept::Plain),
    ("fs_type", Kept::Plain),
]);

/// `config.v2.json`.
const CONTAINER: Kept = Kept::Keys(&[
    ("ID", Kept::Plain),
    ("Name", Kept::Plain),
    ("Created", Kept::Plain),
    ("Image", Kept::Plain),
    ("Driver", Kept::Plain),
    ("State", STATE),
    ("Config", CONFIG),
    ("MountLabel", Kept::Plain),
    ("ProcessLabel", Kept::Plain),
]);

const STATE: Kept = Kept::Keys(&[
    ("Running", Kept::Plain),
    ("Paused", Kept::Plain),
    ("Restarting", Kept::Plain),
    ("OOMKilled", Kept::Plain),
    ("RemovalInProgress", Kept::Plain),
    ("Dead", Kept::Plain),
    ("Pid", Kept::Plain),
    ("ExitCode", Kept::Plain),
    ("Error", Kept::Plain),
    ("StartedAt", Kept::Plain),
    ("FinishedAt", Kept::Plain),
    ("Health", Kept::Keys(&[("Status", Kept::Plain)])),
]);

const CONFIG: Kept = Kept::Keys(&[
    ("Image", Kept::Plain),
    ("Hostname", Kept::Plain),
    (
        "Labels",
        Kept::Keys(&[
            ("com.docker.compose.project", Kept::Plain),
            ("com.docker.compose.service", Kept::Plain),
            ("com.docker.compose.container-number", Kept::Plain),
        ]),
    ),
]);

/// `imagedb/content/sha256/*`.
const IMAGE: Kept = Kept::Keys(&[
    ("rootfs", Kept::Keys(&[("type", Kept::Plain), ("diff_ids", Kept::Plain)])),
    ("created", Kept::Plain),
    ("architecture", Kept::Plain),
    ("os", Kept::Plain),
]);

/// `repositories.json`.
const REPOSITORIES: Kept = Kept::Keys(&[("Repositories", Kept::Any)]);

#[cfg(test)]
mod tests;
