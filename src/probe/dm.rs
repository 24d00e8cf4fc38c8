//! Device-mapper: all devices with tables, dependencies and, where it matters, status.
//!
//! The devices that say most are asked first, so that a look that is cut short by a stuck device
//! still has them. Knows nothing of LVM or engines.

pub mod status;
pub mod table;

use std::collections::{BTreeMap, BTreeSet};

use super::ask::{self, Counted};
use crate::ids::DevNo;
use crate::model::Gap;
use crate::sys::{DmDevice, DmListed, FailKind, Failure, Question, ReadHost, Reply};
use crate::text::Printable;
use crate::units::{Bytes, Sectors};
use status::{StatusLine, parse_status};
use table::{Target, parse_target};

/// Device-mapper as it was seen.
#[derive(Clone, Debug, Default)]
pub struct DmSeen {
    /// Version of the kernel's interface.
    pub version: Option<[u32; 3]>,
    /// All devices, in the kernel's order.
    pub devices: Vec<SeenDm>,
    /// The largest discard that pools, and what they rest on, take.
    pub discard_max: BTreeMap<DevNo, Bytes>,
    /// Seconds after which writes fail that wait for a pool's space; 0 is never.
    pub no_space_timeout: Option<u64>,
    /// Why the devices could not even be listed: what is not among them may be there.
    pub unlisted: Option<Printable>,
    /// The devices could not be listed, or there is no device-mapper to list them.
    pub failed: bool,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
}

/// One device.
#[derive(Clone, Debug)]
pub struct SeenDm {
    /// Its number.
    pub dev: DevNo,
    /// What the kernel says of it; of a device that could not be asked only its name.
    pub device: DmDevice,
    /// Why it could not be asked.
    pub unseen: Option<Printable>,
    /// Its table taken apart, line by line.
    pub targets: Vec<Target>,
    /// Its status.
    pub status: Status,
}

/// A device's status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Status {
    /// Not asked for: nothing depends on it.
    #[default]
    NotAsked,
    /// Its lines.
    Lines(Vec<StatusLine>),
    /// It did not answer.
    Unseen(Printable),
}

impl SeenDm {
    /// A device with its table taken apart and no status.
    pub fn new(dev: DevNo, device: DmDevice) -> Self {
        let targets = device.table.iter().map(parse_target).collect();
        Self { dev, device, unseen: None, targets, status: Status::NotAsked }
    }

    /// Its size: the end of its live table. `None` without one.
    pub fn size(&self) -> Option<Bytes> {
        let ends = self.device.table.iter().map(|line| line.start.saturating_add(line.length));
        ends.max().map(|end| Sectors(end).bytes())
    }

    /// The one target of its table.
    pub fn target(&self) -> Option<&Target> {
        match self.targets.as_slice() {
            [target] => Some(target),
            _ => None,
        }
    }
}

/// Asks for all of this source.
pub fn read_dm(host: &dyn ReadHost) -> DmSeen {
    let mut seen = read_tables(host);
    // what never waits comes before what may
    read_discards(host, &mut seen);
    read_statuses(host, &mut seen);
    seen
}

/// Devices below pools that are asked for their limits; few hosts have a tenth.
const MOST_BELOW: usize = 256;

/// How long writes wait for a pool's space, all pools alike.
const NO_SPACE_TIMEOUT: &str = "/sys/module/dm_thin_pool/parameters/no_space_timeout";

/// How long writes wait, and the limits of the pools' queues and of all device-mapper devices below them, from sysfs.
fn read_discards(host: &dyn ReadHost, seen: &mut DmSeen) {
    let by_dev: BTreeMap<DevNo, &SeenDm> =
        seen.devices.iter().map(|device| (device.dev, device)).collect();
    let is_pool = |device: &&SeenDm| matches!(device.target(), Some(Target::ThinPool(_)));
    let mut waiting: Vec<DevNo> =
        seen.devices.iter().filter(is_pool).map(|pool| pool.dev).collect();
    if !waiting.is_empty() {
        seen.no_space_timeout = read_number(host, NO_SPACE_TIMEOUT);
    }
    let mut below = BTreeSet::new();
    while let Some(dev) = waiting.pop() {
        let Some(device) = by_dev.get(&dev) else { continue };
        if below.len() < MOST_BELOW && below.insert(dev) {
            waiting.extend(&device.device.deps);
        }
    }
    for dev in below {
        let path = format!("/sys/dev/block/{dev}/queue/discard_max_bytes");
        seen.discard_max.extend(read_number(host, &path).map(|bytes| (dev, Bytes(bytes))));
    }
}

fn read_number(host: &dyn ReadHost, path: &str) -> Option<u64> {
    let text = ask::file(host, path).ok()?;
    std::str::from_utf8(&text.0).ok()?.trim().parse().ok()
}

/// Asks for everything but status: none of this ever waits on a device.
pub fn read_tables(host: &dyn ReadHost) -> DmSeen {
    let mut seen = DmSeen::default();
    match ask::reply(host, &Question::DmVersion) {
        Ok(Reply::DmVersion(version)) => seen.version = Some(version),
        Ok(other) => seen.gap(&ask::misfit(&other)),
        Err(failure) => seen.gap(&failure),
    }
    match ask::reply(host, &Question::DmList) {
        Ok(Reply::DmList(list)) => read_devices(host, list, &mut seen),
        Ok(other) => seen.is_unlisted(&ask::misfit(&other)),
        // without device-mapper there is no device of it
        Err(failure) if failure.kind == FailKind::NotFound => {
            seen.failed = true;
            seen.gap(&failure);
        }
        Err(failure) => seen.is_unlisted(&failure),
    }
    seen
}

impl DmSeen {
    fn is_unlisted(&mut self, failure: &Failure) {
        self.unlisted = Some(failure.why.as_str().into());
        self.failed = true;
        self.gap(failure);
    }

    /// One gap for one cause: the first question that fails says what the second would.
    fn gap(&mut self, failure: &Failure) {
        let gap = Gap::new("dm", &failure.why);
        if !self.gaps.contains(&gap) {
            self.gaps.push(gap);
        }
    }
}

fn read_devices(host: &dyn ReadHost, list: Vec<DmListed>, seen: &mut DmSeen) {
    let mut gaps = Counted::default();
    seen.devices.reserve(list.len());
    for listed in list {
        match read_device(host, listed.dev) {
            Ok(device) => seen.devices.push(SeenDm::new(listed.dev, device)),
            // removed since it was listed
            Err(failure) if failure.kind == FailKind::NotFound => {}
            Err(failure) => {
                gaps.add(|| Gap::new(format!("dm {}", listed.dev), &failure.why));
                let device = DmDevice { name: listed.name, ..DmDevice::default() };
                let unseen = Some(Printable::from(failure.why));
                seen.devices.push(SeenDm { unseen, ..SeenDm::new(listed.dev, device) });
            }
        }
    }
    seen.gaps.extend(gaps.into_gaps("dm", "devices did not answer"));
}

fn read_device(host: &dyn ReadHost, dev: DevNo) -> Result<DmDevice, Failure> {
    match ask::reply(host, &Question::DmDevice(dev))? {
        Reply::DmDevice(device) => Ok(device),
        other => Err(ask::misfit(&other)),
    }
}

/// Pools first, then what else has a status worth knowing, thin devices last: there may be
/// thousands, and each may hang in a stuck pool.
fn read_statuses(host: &dyn ReadHost, seen: &mut DmSeen) {
    let mut order: Vec<(u8, usize)> = (seen.devices.iter().enumerate())
        .filter_map(|(at, device)| Some((rank(device)?, at)))
        .collect();
    order.sort_unstable();
    let mut gaps = Counted::default();
    let mut gone = BTreeSet::new();
    for (_, at) in order {
        let Some(device) = seen.devices.get_mut(at) else { continue };
        device.status = match ask::bytes(host, &Question::DmStatus(device.dev)) {
            Ok(text) => Status::Lines(parse_status(&text.0)),
            // removed since its table was read, as a container's device is that ends: no gap
            Err(failure) if failure.kind == FailKind::NotFound => {
                gone.insert(device.dev);
                continue;
            }
            Err(failure) => {
                let source = format!("dm {}", device.dev);
                gaps.add(|| Gap::new(source, format!("no status: {}", failure.why)));
                Status::Unseen(failure.why.into())
            }
        };
    }
    if !gone.is_empty() {
        seen.devices.retain(|device| !gone.contains(&device.dev));
    }
    seen.gaps.extend(gaps.into_gaps("dm", "devices gave no status"));
}

/// The place of a device in the order of asking; `None` when its status says nothing of use.
fn rank(device: &SeenDm) -> Option<u8> {
    let rank_of = |target: &Target| match target {
        Target::ThinPool(_) => Some(0),
        Target::Raid | Target::Mirror | Target::Cache | Target::Snapshot | Target::Vdo => Some(1),
        Target::Thin(_) => Some(2),
        _ => None,
    };
    device.targets.iter().filter_map(rank_of).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing::{FakeHost, dm};
    use crate::sys::Answer;

    const POOL: &str = "0 8388608 thin-pool 253:0 253:1 128 0 1 skip_block_zeroing";

    fn dev(minor: u32) -> DevNo {
        DevNo::new(253, minor)
    }

    fn gone() -> Answer {
        Answer::failed(FailKind::NotFound, "device 253:4 is not there")
    }

    /// A pool and two thin devices that were there when the list was made, and what is answered for
    /// the second of them then.
    fn look(table: Answer, status: Answer) -> DmSeen {
        let listed = [("pool", 2), ("web", 3), ("short-lived", 4)];
        let listed = listed.map(|(name, minor)| DmListed {
            dev: dev(minor),
            name: name.into(),
            event_nr: None,
        });
        let device = |table: &str| Answer::ok(Reply::DmDevice(dm("any", "", table)));
        let rw = "0 8388608 thin-pool 1 1/2 3/4 - rw discard_passdown queue_if_no_space - 1024\n";
        read_dm(&FakeHost::new([
            (Question::DmVersion, Answer::ok(Reply::DmVersion([4, 47, 0]))),
            (Question::DmList, Answer::ok(Reply::DmList(listed.to_vec()))),
            (Question::DmDevice(dev(2)), device(POOL)),
            (Question::DmDevice(dev(3)), device("0 8 thin 253:2 7")),
            (Question::DmDevice(dev(4)), table),
            (Question::DmStatus(dev(2)), Answer::ok_bytes(rw)),
            (Question::DmStatus(dev(3)), Answer::ok_bytes("0 8 thin 8 7\n")),
            (Question::DmStatus(dev(4)), status),
        ]))
    }

    #[test]
    fn a_device_that_goes_in_the_middle_of_a_look_is_gone_and_no_gap() {
        let table = || Answer::ok(Reply::DmDevice(dm("short-lived", "", "0 8 thin 253:2 8")));
        for seen in [look(gone(), gone()), look(table(), gone())] {
            let there: Vec<_> = seen.devices.iter().map(|device| device.dev).collect();
            assert_eq!(there, [dev(2), dev(3)]);
            assert_eq!(seen.gaps, []);
            let answered = |device: &SeenDm| matches!(device.status, Status::Lines(_));
            assert!(seen.devices.iter().all(answered), "{:?}", seen.devices);
        }
        // one that is there and does not answer is something else
        let stuck = look(table(), Answer::failed(FailKind::TimedOut, "no answer"));
        assert_eq!((stuck.devices.len(), stuck.gaps.len()), (3, 1));
    }
}
