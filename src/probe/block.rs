//! Block devices that are not device-mapper's: disks, partitions, loop devices, md.
//!
//! The rule of what is listed is `lsblk`'s without `-a`, for that is what a person compares
//! with. Knows nothing of what rests on them.

use std::path::Path;

use super::{ask, boot};
use crate::ids::DevNo;
use crate::model::{BootUnit, Gap, QueueFacts};
use crate::sys::{Failure, FileStat, HostPath, Question, Raw, ReadHost, Reply, SysBlockDevice};
use crate::units::{Bytes, Sectors};

/// The kernel's major number of RAM disks.
const RAM: u32 = 1;
/// What the kernel adds to the path of a loop device's file that was deleted.
const DELETED: &[u8] = b" (deleted)";

/// Block devices as they were seen.
#[derive(Clone, Debug, Default)]
pub struct BlockSeen {
    /// Whole devices, in the natural order of their names.
    pub devices: Vec<SeenBlock>,
    /// The units of systemd that bring some of them back at boot; `None` where none could be seen.
    pub units: Option<Vec<BootUnit>>,
    /// The devices could not be listed.
    pub failed: bool,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
}

/// One block device or partition.
#[derive(Clone, Debug)]
pub struct SeenBlock {
    /// The kernel's name.
    pub name: Raw,
    /// Its number.
    pub dev: DevNo,
    /// The kernel's size.
    pub size: Option<Bytes>,
    /// What it is.
    pub class: Class,
    /// What tells it from others over a reboot: wwid, or serial, as found.
    pub identity: Option<Raw>,
    /// Model and serial, for a person.
    pub model: Option<Raw>,
    /// Kernel names of the devices it rests on.
    pub slaves: Vec<Raw>,
    /// What its queue tells; of a partition nothing, for it has its disk's.
    pub queue: QueueFacts,
    /// Its partitions.
    pub parts: Vec<SeenBlock>,
}

/// What a block device is.
#[derive(Clone, Debug)]
pub enum Class {
    /// A disk of any make.
    Disk,
    /// A partition, with its number.
    Part(Option<u32>),
    /// A loop device.
    Loop(SeenLoop),
    /// An md array.
    Md,
    /// Anything else: an optical drive.
    Other,
}

/// What is special to a loop device.
#[derive(Clone, Debug)]
pub struct SeenLoop {
    /// The path the kernel keeps of its file, without the mark of deletion.
    pub file: HostPath,
    /// The file was deleted.
    pub deleted: bool,
    /// Where in the file it begins.
    pub offset: Sectors,
    /// Goes away at its last close.
    pub autoclear: bool,
    /// The file, where it could be looked at and is still the one under the loop.
    pub stat: Option<FileStat>,
}

/// Asks for all of this source.
pub fn read_block(host: &dyn ReadHost) -> BlockSeen {
    BlockSeen { units: boot::read_units(host), ..read_devices(host) }
}

/// Asks for the devices alone.
pub(super) fn read_devices(host: &dyn ReadHost) -> BlockSeen {
    let mut seen = BlockSeen::default();
    match ask::reply(host, &Question::SysBlock) {
        Ok(Reply::SysBlock(devices)) => {
            seen.devices = devices.iter().filter_map(parse_device).collect();
            seen.devices.sort_by_cached_key(|device| natural(&device.name.0));
        }
        Ok(other) => seen.fail(ask::misfit(&other)),
        Err(failure) => seen.fail(failure),
    }
    seen
}

impl BlockSeen {
    fn fail(&mut self, failure: Failure) {
        self.failed = true;
        self.gaps.push(Gap::new("block", failure.why));
    }
}

/// A device, unless `lsblk` leaves it out (lsblk.c, `ignore_empty` and the default exclusion of
/// RAM disks): hidden paths of a multipath `NVMe` disk, RAM disks, loop devices with no file.
fn parse_device(raw: &SysBlockDevice) -> Option<SeenBlock> {
    let dev: DevNo = text(raw, "dev")?.parse().ok()?;
    if dev.major == RAM || text(raw, "hidden") == Some("1") {
        return None;
    }
    let class = classify(raw, dev);
    let size = size_of(raw);
    if is_loop(&raw.name) && matches!(class, Class::Disk) && size.is_none_or(|s| s == Bytes(0)) {
        return None;
    }
    let mut parts: Vec<SeenBlock> = raw.parts.iter().filter_map(parse_part).collect();
    parts.sort_by_cached_key(|part| natural(&part.name.0));
    Some(SeenBlock {
        name: raw.name.clone(),
        dev,
        size,
        class,
        identity: identity(raw),
        model: model(raw),
        slaves: raw.slaves.clone(),
        queue: queue(raw),
        parts,
    })
}

fn parse_part(raw: &SysBlockDevice) -> Option<SeenBlock> {
    Some(SeenBlock {
        name: raw.name.clone(),
        dev: text(raw, "dev")?.parse().ok()?,
        size: size_of(raw),
        class: Class::Part(text(raw, "partition").and_then(|number| number.parse().ok())),
        identity: None,
        model: None,
        slaves: Vec::new(),
        queue: QueueFacts::default(),
        parts: Vec::new(),
    })
}

fn classify(raw: &SysBlockDevice, dev: DevNo) -> Class {
    /// SCSI's major number of optical drives.
    const OPTICAL: u32 = 11;
    if let Some(backing) = raw.attrs.get("loop/backing_file").filter(|file| !file.0.is_empty()) {
        return Class::Loop(parse_loop(raw, backing));
    }
    if raw.attrs.contains_key("md/level") {
        return Class::Md;
    }
    if dev.major == OPTICAL { Class::Other } else { Class::Disk }
}

fn parse_loop(raw: &SysBlockDevice, backing: &Raw) -> SeenLoop {
    let (file, deleted) = match backing.0.strip_suffix(DELETED) {
        Some(file) => (file, true),
        None => (backing.0.as_slice(), false),
    };
    let offset: u64 = text(raw, "loop/offset").and_then(|text| text.parse().ok()).unwrap_or(0);
    SeenLoop {
        file: HostPath(Raw(file.to_vec())),
        deleted,
        offset: Bytes(offset).sectors(),
        autoclear: text(raw, "loop/autoclear") == Some("1"),
        // what stands at the path of a deleted file now is another file
        stat: raw.backing.filter(|_| !deleted),
    }
}

/// What tells a disk from others wherever it is plugged in.
fn identity(raw: &SysBlockDevice) -> Option<Raw> {
    let attr = |name: &str| raw.attrs.get(name).filter(|value| !value.0.trim_ascii().is_empty());
    ["wwid", "device/wwid", "device/serial", "serial"].into_iter().find_map(attr).cloned()
}

fn model(raw: &SysBlockDevice) -> Option<Raw> {
    let words: Vec<&[u8]> = ["device/model", "device/serial", "serial"]
        .into_iter()
        .filter_map(|name| raw.attrs.get(name))
        .map(|value| value.0.trim_ascii())
        .filter(|value| !value.is_empty())
        .collect();
    (!words.is_empty()).then(|| Raw(words.join(&b' ')))
}

fn queue(raw: &SysBlockDevice) -> QueueFacts {
    QueueFacts {
        rotational: text(raw, "queue/rotational").map(|flag| flag == "1"),
        virtual_disk: is_virtual(raw),
        discard_max: text(raw, "queue/discard_max_bytes")
            .and_then(|bytes| bytes.parse().ok())
            .map(Bytes),
    }
}

/// Whether a hypervisor made the disk: by the names that the kernel gives to those of virtio and
/// Xen, and by what others call their model.
fn is_virtual(raw: &SysBlockDevice) -> bool {
    const MODELS: [&str; 6] =
        ["QEMU", "VBOX", "VMware", "Virtual disk", "Virtual Disk", "PersistentDisk"];
    let letter = |rest: &[u8]| rest.first().is_some_and(u8::is_ascii_lowercase);
    let named =
        [&b"vd"[..], b"xvd"].iter().any(|by| raw.name.0.strip_prefix(*by).is_some_and(letter));
    let model = text(raw, "device/model");
    named || model.is_some_and(|model| MODELS.iter().any(|own| model.starts_with(own)))
}

fn size_of(raw: &SysBlockDevice) -> Option<Bytes> {
    text(raw, "size").and_then(|size| size.parse().ok()).map(|size| Sectors(size).bytes())
}

fn text<'a>(raw: &'a SysBlockDevice, name: &str) -> Option<&'a str> {
    raw.attrs.get(name).and_then(|value| std::str::from_utf8(&value.0).ok()).map(str::trim)
}

fn is_loop(name: &Raw) -> bool {
    name.0.strip_prefix(b"loop").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit))
}

/// Sorts `sda9` before `sda10`: text and numbers in turn.
pub(super) fn natural(name: &[u8]) -> Vec<(Vec<u8>, u64)> {
    let mut key = Vec::new();
    let mut rest = name;
    while !rest.is_empty() {
        let text = rest.iter().position(u8::is_ascii_digit).unwrap_or(rest.len());
        let (word, after) = rest.split_at(text);
        let digits = after.iter().position(|b| !b.is_ascii_digit()).unwrap_or(after.len());
        let (number, after) = after.split_at(digits);
        let number = number.iter().fold(0_u64, |sum, digit| {
            sum.saturating_mul(10).saturating_add(u64::from(digit.saturating_sub(b'0')))
        });
        key.push((word.to_vec(), number));
        rest = after;
    }
    key
}

impl SeenBlock {
    /// The path of its node below `/dev`.
    pub fn path(&self) -> HostPath {
        HostPath::new(Path::new("/dev")).join(HostPath(self.name.clone()).as_path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing::{FakeHost, block, part};
    use crate::sys::{Answer, EntryKind, FailKind};

    fn seen(devices: Vec<SysBlockDevice>) -> BlockSeen {
        read_block(&FakeHost::new([(Question::SysBlock, Answer::ok(Reply::SysBlock(devices)))]))
    }

    fn names(seen: &BlockSeen) -> Vec<String> {
        seen.devices.iter().map(|d| String::from_utf8_lossy(&d.name.0).into_owned()).collect()
    }

    #[test]
    fn what_lsblk_leaves_out_is_left_out() {
        let mut hidden = block("nvme0c0n1", "259:9", 4096, &[]);
        hidden.attrs.insert("hidden".to_owned(), "1".into());
        let seen = seen(vec![
            block("sdb", "8:16", 4096, &[]),
            block("ram0", "1:0", 8192, &[]),
            block("loop7", "7:7", 0, &[]),
            block("loop8", "7:8", 8, &[("loop/backing_file", "/f")]),
            // an empty card reader, a zram device that was not set up: lsblk 2.38 shows them
            block("sda", "8:0", 0, &[]),
            hidden,
        ]);
        assert_eq!(names(&seen), ["loop8", "sda", "sdb"]);
        assert!(seen.gaps.is_empty());
    }

    #[test]
    fn partitions_and_disks_stand_in_natural_order() {
        let mut disk = block("vda", "254:0", 4096, &[]);
        disk.parts = ["vda10", "vda2", "vda1"]
            .iter()
            .zip([10, 2, 1])
            .map(|(name, number)| part(name, &format!("254:{number}"), 8, number))
            .collect();
        let seen = seen(vec![block("sda", "8:0", 8, &[]), disk, block("nvme0n1", "259:0", 8, &[])]);
        assert_eq!(names(&seen), ["nvme0n1", "sda", "vda"]);
        let parts: Vec<_> =
            seen.devices.iter().flat_map(|d| &d.parts).map(|p| p.dev.minor).collect();
        assert_eq!(parts, [1, 2, 10]);
        assert_eq!(seen.devices[2].size, Some(Bytes(4096 * 512)));
    }

    #[test]
    fn a_loop_over_a_deleted_file_says_so_and_forgets_the_new_file_there() {
        let mut raw = block(
            "loop0",
            "7:0",
            2048,
            &[
                ("loop/backing_file", "/var/lib/docker/devicemapper/devicemapper/data (deleted)"),
                ("loop/offset", "1048576"),
                ("loop/autoclear", "1"),
            ],
        );
        raw.backing = Some(FileStat {
            kind: EntryKind::File,
            dev: DevNo::new(8, 1),
            rdev: DevNo::new(0, 0),
            ino: 5,
            size: 1 << 20,
            allocated: 4096,
            mtime: 0,
        });
        let seen = seen(vec![raw]);
        let Class::Loop(found) = &seen.devices[0].class else { unreachable!("loop0 has a file") };
        assert_eq!(found.file, HostPath::new("/var/lib/docker/devicemapper/devicemapper/data"));
        assert!(found.deleted && found.autoclear && found.stat.is_none());
        assert_eq!(found.offset, Sectors(2048));
    }

    #[test]
    fn a_disk_is_known_by_wwid_then_by_serial() {
        let with = |attrs: &[(&str, &str)]| {
            seen(vec![block("sda", "8:0", 8, attrs)]).devices[0].identity.clone()
        };
        assert_eq!(with(&[("wwid", "naa.5000"), ("serial", "S1")]), Some("naa.5000".into()));
        assert_eq!(with(&[("wwid", "  "), ("serial", "S1")]), Some("S1".into()));
        assert_eq!(with(&[]), None);
    }

    #[test]
    fn a_virtual_disk_is_known_by_its_name_or_its_model() {
        let is = |name: &str, attrs: &[(&str, &str)]| {
            seen(vec![block(name, "8:0", 8, attrs)]).devices[0].queue.virtual_disk
        };
        for name in ["vda", "vdaa", "xvda"] {
            assert!(is(name, &[]), "{name}");
        }
        for name in ["sda", "nvme0n1", "md0", "vd", "vd0"] {
            assert!(!is(name, &[]), "{name}");
        }
        // as sysfs has them, filled up with blanks
        for model in ["QEMU HARDDISK   ", "VBOX HARDDISK", "Virtual disk    ", "PersistentDisk  "] {
            assert!(is("sda", &[("device/model", model)]), "{model}");
        }
        for model in ["ST4000NM0033-9ZM", "PERC H730 Mini  ", "LOGICAL VOLUME"] {
            assert!(!is("sda", &[("device/model", model)]), "{model}");
        }
    }

    #[test]
    fn no_answer_is_a_gap_with_the_reason() {
        let failed = Answer::failed(FailKind::Denied, "cannot read /sys/block: permission denied");
        let seen = read_block(&FakeHost::new([(Question::SysBlock, failed)]));
        assert_eq!(seen.gaps, [Gap::new("block", "cannot read /sys/block: permission denied")]);
    }
}
