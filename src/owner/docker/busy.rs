//! What docker could not finish: devices that wait to be deleted, and who holds devices that
//! nothing of docker's should hold any more.
//!
//! Every process of the host is only looked at where there is such a device. Says what was seen;
//! whether that is a trouble is judged elsewhere.

use super::DockerRoot;
use super::ask::Asker;
use crate::ids::ThinId;
use crate::model::ContainerState;
use crate::model::engine::{Held, HeldBy, Pending};
use crate::sys::{self, HostPath, Question, Raw, Reply};
use crate::text::Printable;

/// Devices of which each is asked.
const MOST: usize = 256;

/// All of it for one root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Busy {
    /// Devices that wait to be deleted.
    pub pending: Vec<Pending>,
    /// Who holds devices.
    pub held: Vec<Held>,
    /// Processes that could not be looked into.
    pub unseen: u64,
}

/// Asks, after all of the root was read.
pub(super) fn read_busy(ask: &Asker<'_>, home: &HostPath, root: &DockerRoot) -> Busy {
    let mut busy = Busy { pending: pending(ask, home, root), ..Busy::default() };
    let Some(prefix) = root.pool.prefix.as_deref() else { return busy };
    let waiting = busy.pending.iter().map(|device| device.name.as_str().as_bytes().to_vec());
    let names = waiting.chain(at_rest(root));
    let active: Vec<Raw> = names
        .take(MOST)
        .map(|name| Raw([prefix.as_bytes(), b"-", &name].concat()))
        .filter(|name| is_active(ask, name))
        .collect();
    if active.is_empty() {
        return busy;
    }
    if let Some(Reply::Holders(seen)) = ask.quietly(&Question::Holders(active)) {
        busy.held = seen.list.iter().map(held).collect();
        busy.unseen = seen.unseen;
    }
    busy
}

/// Files that say `deleted`, with the time since docker wrote that.
fn pending(ask: &Asker<'_>, home: &HostPath, root: &DockerRoot) -> Vec<Pending> {
    let folder = home.join("metadata");
    let deleted = root.metadata.devices.iter().filter(|file| file.deleted);
    let deleted: Vec<_> = deleted.filter_map(|file| Some((file, file.id?))).take(MOST).collect();
    if deleted.is_empty() {
        return Vec::new();
    }
    let now = match ask.quietly(&Question::Time) {
        Some(Reply::Number(now)) => i64::try_from(now).ok(),
        _ => None,
    };
    let one = |(file, id): (&super::devices::DeviceFile, ThinId)| {
        let name = Printable::from_bytes(&file.name);
        let since = ask.try_stat(&folder.join(name.as_str())).ok().map(|stat| stat.mtime);
        let seconds = now.zip(since).and_then(|(now, since)| u64::try_from(now - since).ok());
        Pending { name, id, seconds }
    };
    deleted.into_iter().map(one).collect()
}

/// Writable layers of containers that do not run: docker deactivates them.
fn at_rest(root: &DockerRoot) -> impl Iterator<Item = Vec<u8>> {
    use ContainerState::{Created, Dead, Exited, Removing};
    root.layers.mounts.iter().filter_map(|mount| {
        let state = root.containers.get(&mount.name)?.state?;
        matches!(state, Created | Exited | Dead | Removing).then(|| mount.mount_id.to_vec())
    })
}

fn is_active(ask: &Asker<'_>, name: &Raw) -> bool {
    let path = HostPath(Raw([b"/dev/mapper/", name.0.as_slice()].concat()));
    ask.try_stat(&path).is_ok()
}

fn held(seen: &sys::HolderSeen) -> Held {
    let text = |raw: &Raw| Printable::from_bytes(&raw.0);
    let how = match &seen.how {
        sys::HeldBy::Mount { point, namespace, of_init } => HeldBy::Mount {
            point: Printable::from_bytes(&crate::probe::mounts::unescape(&point.0)),
            namespace: text(namespace),
            of_init: *of_init,
        },
        sys::HeldBy::File(path) => HeldBy::File(text(path)),
        sys::HeldBy::Device => HeldBy::Device,
    };
    Held { device: text(&seen.device), pid: seen.pid, command: text(&seen.command), how }
}
