//! Where containerd keeps its databases: configured, given, or where its distributions put them
//! (`formats.md` 3.1, 3.2).
//!
//! Knows folders and nothing of what is in the files.

use super::ask::Asker;
use super::config::{Config, parse_config};
use crate::sys::{EntryKind, HostPath};
use crate::text::Printable;

/// Configurations, each with the root that its daemon has when it names none.
const KNOWN: [(&str, &str); 4] = [
    ("/etc/containerd/config.toml", "/var/lib/containerd"),
    ("/etc/firecracker-containerd/config.toml", "/var/lib/firecracker-containerd/containerd"),
    (
        "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
        "/var/lib/rancher/k3s/agent/containerd",
    ),
    (
        "/var/lib/rancher/rke2/agent/etc/containerd/config.toml",
        "/var/lib/rancher/rke2/agent/containerd",
    ),
];

/// The snapshotter's folder below a root.
const HOME: &str = "io.containerd.snapshotter.v1.devmapper";

/// The snapshot store's file; every other database beside it is a pool's.
pub(super) const SNAPSHOTS: &str = "metadata.db";

/// Most files beside the databases that are told.
const MOST_BESIDE: usize = 20;

/// A snapshotter's folder and one pool of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub root: HostPath,
    pub home: HostPath,
    pub pool: String,
    /// A configuration names the pool.
    pub configured: bool,
    /// Files that are none of the databases.
    pub beside: Vec<Printable>,
}

/// Finds them. `given` replaces what is configured; of a configuration that is about a given
/// root, what it says of the plugin counts.
pub(super) fn find_homes(ask: &mut Asker<'_>, given: &[HostPath]) -> Vec<Found> {
    let mut configs = Vec::new();
    for (file, root) in KNOWN {
        let config = ask.config(&HostPath::new(file)).map(|json| parse_config(&json));
        let config = config.unwrap_or_default();
        let root = config.root.clone().unwrap_or_else(|| HostPath::new(root));
        configs.push((root, config));
    }
    if !given.is_empty() {
        configs.retain(|(root, _)| given.contains(root));
        let others = given.iter().filter(|root| configs.iter().all(|(known, _)| known != *root));
        let others: Vec<_> = others.map(|root| (root.clone(), Config::default())).collect();
        configs.extend(others);
    }
    let mut found: Vec<Found> = Vec::new();
    for (root, config) in configs {
        let homes = homes_of(ask, &root, &config);
        if homes.is_empty() && given.contains(&root) {
            ask.gap(format!(
                "{}: no database of the devmapper snapshotter is in it; give the folder that holds \
                 {HOME} with --containerd-root",
                Printable::from_bytes(&root.0.0)
            ));
        }
        for home in homes {
            let known = |other: &Found| other.home == home.home && other.pool == home.pool;
            if !found.iter().any(known) {
                found.push(home);
            }
        }
    }
    found
}

/// The pools of one root: the configured one, or all that have a database.
fn homes_of(ask: &mut Asker<'_>, root: &HostPath, config: &Config) -> Vec<Found> {
    let home = config.home.clone().unwrap_or_else(|| root.join(HOME));
    let entries = ask.essential(|ask| ask.entries(&home)).unwrap_or_default();
    let files = entries.iter().filter(|entry| entry.kind == EntryKind::File);
    let (databases, others): (Vec<_>, Vec<_>) =
        files.map(|entry| entry.name.0.as_slice()).partition(|name| name.ends_with(b".db"));
    let beside: Vec<_> = others
        .into_iter()
        .take(MOST_BESIDE)
        .map(|name| Printable::from_bytes(&home.join(os(name)).0.0))
        .collect();
    let found = |pool: String, configured| Found {
        root: root.clone(),
        home: home.clone(),
        pool,
        configured,
        beside: beside.clone(),
    };
    if let Some(pool) = &config.pool {
        return vec![found(pool.clone(), true)];
    }
    let pools = databases.into_iter().filter(|name| *name != SNAPSHOTS.as_bytes());
    let names = pools.filter_map(|name| std::str::from_utf8(name.strip_suffix(b".db")?).ok());
    names.map(|name| found(name.to_owned(), false)).collect()
}

fn os(name: &[u8]) -> &std::ffi::OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(name)
}
