//! Questions to device-mapper, through `/dev/mapper/control`.
//!
//! Devices are addressed by number, so that no name, however odd, stands in the way, and names
//! are bytes. (The devicemapper crate addresses by name or uuid and fails on a name that is no
//! UTF-8; it serves for the version here and for events in `watch.rs`.) Status is always asked
//! with no-flush: a plain one commits a pool's metadata. [`Control::message`] is the one that
//! changes something, and `reserve.rs` the only one that calls it. Knows nothing of what a target
//! means, except where its table holds a key.

mod mask;
pub(super) mod wire;

use std::fs::File;
use std::sync::OnceLock;

use nix::errno::Errno;

use super::ioctl::{self, Command, HEADER_LEN};
use crate::ids::DevNo;
use crate::sys::{DmDevice, DmListed, DmTarget, FailKind, Failure, Raw};
use wire::{Header, flag};

const CONTROL: &str = "/dev/mapper/control";

/// First size of a buffer; most answers fit.
const FIRST_BUFFER: usize = 16 << 10;
/// The largest: a list of half a million devices. The kernel would go on to 4 GiB.
const LAST_BUFFER: usize = 64 << 20;

/// The control node, opened at the first question.
#[derive(Debug, Default)]
pub(super) struct Control {
    node: OnceLock<Result<File, Failure>>,
}

impl Control {
    /// Version of the kernel's interface.
    pub(super) fn version(&self) -> Result<[u32; 3], Failure> {
        self.node()?;
        let version = devicemapper::DM::new().and_then(|dm| dm.version());
        version.map(|(major, minor, patch)| [major, minor, patch]).map_err(|error| Failure {
            kind: FailKind::Other,
            why: format!("device-mapper did not tell its version: {error}"),
        })
    }

    /// All devices, by name.
    pub(super) fn list(&self) -> Result<Vec<DmListed>, Failure> {
        let (header, answer) = self.call(Command::ListDevices, None, 0)?;
        wire::parse_list(&answer, header.version).ok_or_else(|| garbled("list of devices"))
    }

    /// One device without its status. Its state, table and dependencies are in the kernel's
    /// memory: asking them waits on no device.
    pub(super) fn device(&self, dev: DevNo) -> Result<DmDevice, Failure> {
        let (state, _) = self.call(Command::DeviceState, Some(dev), 0)?;
        let mut table = self.targets(dev, flag::STATUS_TABLE)?;
        table.iter_mut().for_each(mask::blank_keys);
        let (_, deps) = self.call(Command::TableDeps, Some(dev), 0)?;
        Ok(DmDevice {
            suspended: state.flags & flag::SUSPENDED != 0,
            read_only: state.flags & flag::READ_ONLY != 0,
            deferred_remove: state.flags & flag::DEFERRED_REMOVE != 0,
            inactive_table: state.flags & flag::INACTIVE_PRESENT != 0,
            open_count: state.open_count,
            event_nr: state.event_nr,
            name: state.name,
            uuid: state.uuid,
            table,
            deps: wire::parse_deps(&deps).ok_or_else(|| garbled("dependencies of a device"))?,
        })
    }

    /// One device's status, a line a target. May hang when its pool is stuck.
    pub(super) fn status(&self, dev: DevNo) -> Result<Raw, Failure> {
        self.targets(dev, flag::NO_FLUSH).map(|targets| lines(&targets))
    }

    /// The table in one device's inactive slot, a line a target.
    pub(super) fn inactive(&self, dev: DevNo) -> Result<Raw, Failure> {
        let mut table = self.exact_inactive(dev)?;
        table.iter_mut().for_each(mask::blank_keys);
        Ok(lines(&table))
    }

    /// Sends words to a device's target.
    pub(super) fn message(&self, dev: DevNo, words: &str) -> Result<(), Errno> {
        // without the node nothing else was answered either, and that said why
        let node = self.node().map_err(|_| Errno::ENODEV)?;
        let mut buffer = wire::request(Some(dev), 0).to_vec();
        buffer.extend(wire::message(words));
        // the kernel wants room for an answer behind the words
        buffer.resize(buffer.len().max(FIRST_BUFFER), 0);
        ioctl::control(node, Command::TargetMessage, &mut buffer)
    }

    fn targets(&self, dev: DevNo, flags: u32) -> Result<Vec<DmTarget>, Failure> {
        // no-flush also with the table: some kernels' targets look at it there
        let (header, answer) =
            self.call(Command::TableStatus, Some(dev), flags | flag::NO_FLUSH)?;
        wire::parse_targets(&answer, header.target_count).ok_or_else(|| garbled("table"))
    }

    /// One device's header alone: its name, its uuid and its flags.
    pub(super) fn state(&self, dev: DevNo) -> Result<Header, Failure> {
        self.call(Command::DeviceState, Some(dev), 0).map(|(header, _)| header)
    }

    /// One device's live table to the letter, keys included: only for comparing it.
    pub(super) fn exact_table(&self, dev: DevNo) -> Result<Vec<DmTarget>, Failure> {
        self.targets(dev, flag::STATUS_TABLE)
    }

    /// The table in one device's inactive slot to the letter, keys included.
    pub(super) fn exact_inactive(&self, dev: DevNo) -> Result<Vec<DmTarget>, Failure> {
        self.targets(dev, flag::STATUS_TABLE | flag::QUERY_INACTIVE_TABLE)
    }

    /// The control node itself.
    pub(super) fn node(&self) -> Result<&File, Failure> {
        let node = self.node.get_or_init(|| File::open(CONTROL).map_err(|error| no_node(&error)));
        node.as_ref().map_err(Clone::clone)
    }

    fn call(
        &self,
        command: Command,
        dev: Option<DevNo>,
        flags: u32,
    ) -> Result<(Header, Vec<u8>), Failure> {
        let node = self.node()?;
        let mut buffer = Vec::new();
        let mut size = FIRST_BUFFER;
        loop {
            buffer.clear();
            buffer.resize(size, 0);
            if let Some(head) = buffer.first_chunk_mut::<HEADER_LEN>() {
                *head = wire::request(dev, flags);
            }
            ioctl::control(node, command, &mut buffer).map_err(|errno| refused(errno, dev))?;
            let header = wire::parse_header(&buffer).ok_or_else(|| garbled("header"))?;
            if header.flags & flag::BUFFER_FULL == 0 {
                return Ok((header, buffer));
            }
            size *= 2;
            if size > LAST_BUFFER {
                return Err(too_large());
            }
        }
    }
}

/// A line a target.
fn lines(targets: &[DmTarget]) -> Raw {
    let mut lines = Vec::new();
    for target in targets {
        let head = format!("{} {} {} ", target.start, target.length, target.kind);
        lines.extend_from_slice(head.as_bytes());
        lines.extend_from_slice(&target.params.0);
        lines.push(b'\n');
    }
    Raw(lines)
}

fn no_node(error: &std::io::Error) -> Failure {
    let errno = error.raw_os_error().map(Errno::from_raw);
    let (kind, hint) = match errno {
        Some(Errno::ENOENT | Errno::ENODEV | Errno::ENXIO | Errno::ENOTDIR) => (
            FailKind::NotFound,
            "this kernel has no device-mapper loaded; `modprobe dm-mod` loads it",
        ),
        Some(Errno::EACCES | Errno::EPERM) => {
            (FailKind::Denied, "only root may ask device-mapper; run thinscope with sudo")
        }
        _ => (FailKind::Other, "device-mapper cannot be asked"),
    };
    let said = errno.map_or_else(|| error.to_string(), |errno| errno.desc().to_owned());
    Failure { kind, why: format!("{CONTROL}: {said}; {hint}") }
}

fn refused(errno: Errno, dev: Option<DevNo>) -> Failure {
    let what = dev.map_or_else(|| "device-mapper".to_owned(), |dev| format!("device {dev}"));
    let said = errno.desc();
    let (kind, why) = match errno {
        // also what is answered for a device that went away while we looked
        Errno::ENXIO | Errno::ENODEV => (FailKind::NotFound, format!("{what} is not there")),
        Errno::EACCES | Errno::EPERM => (
            FailKind::Denied,
            format!("{what}: {said}; only root may ask device-mapper, run thinscope with sudo"),
        ),
        _ => (FailKind::Other, format!("{what} cannot be asked: {said}")),
    };
    Failure { kind, why }
}

fn garbled(what: &str) -> Failure {
    Failure {
        kind: FailKind::Malformed,
        why: format!("the kernel's {what} is not laid out as linux/dm-ioctl.h says"),
    }
}

fn too_large() -> Failure {
    Failure {
        kind: FailKind::TooLarge,
        why: format!("device-mapper's answer is longer than {} MiB", LAST_BUFFER >> 20),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_without_device_mapper_is_told_from_a_user_who_may_not() {
        let told = |errno: Errno| no_node(&std::io::Error::from(errno));
        assert_eq!(told(Errno::ENOENT).kind, FailKind::NotFound);
        assert!(told(Errno::ENOENT).why.contains("modprobe dm-mod"));
        assert_eq!(told(Errno::EACCES).kind, FailKind::Denied);
        assert!(told(Errno::EACCES).why.contains("sudo"));
        assert_eq!(refused(Errno::EPERM, None).kind, FailKind::Denied);
    }

    #[test]
    fn a_device_that_went_away_is_not_found_and_named_by_number() {
        let gone = refused(Errno::ENXIO, Some(DevNo::new(253, 7)));
        assert_eq!(gone.kind, FailKind::NotFound);
        assert_eq!(gone.why, "device 253:7 is not there");
    }
}
