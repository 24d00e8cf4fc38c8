//! Which devices LVM may touch: an accept-only filter.
//!
//! LVM opens every device it may, thin devices too, and hangs on a suspended one or on a stuck
//! pool (`facts.md`, "Looking"). So it gets a list of the devices that can hold a PV and cannot
//! hang. Pure; knows nothing of LVM's reports.

use std::collections::{HashMap, HashSet};

use crate::ids::DevNo;
use crate::model::Gap;
use crate::probe::block::{BlockSeen, Class, SeenBlock};
use crate::probe::dm::table::Target;
use crate::probe::dm::{DmSeen, SeenDm};
use crate::sys::Raw;
use crate::text::Printable;

/// The kernel refuses a single argument of 128 KiB (`MAX_ARG_STRLEN`).
const MAX_FILTER: usize = 100_000;

/// What LVM is allowed to look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Paths below `/dev`, each safe inside a pattern.
    pub paths: Vec<String>,
}

/// The devices LVM may touch. `scan_lvs` is LVM's own setting of that name: whether PVs on LVs
/// are looked for at all.
pub fn allowed(dm: Option<&DmSeen>, block: Option<&BlockSeen>, scan_lvs: bool) -> Allowed {
    let devices = dm.map_or(&[][..], |dm| &dm.devices);
    let blocks = block.map_or(&[][..], |block| &block.devices);
    let unsafe_devs = Unsafe::find(devices, blocks);
    let mut allowed = Allowed::default();
    let mut length = 0_usize;
    for block in blocks {
        for device in std::iter::once(block).chain(&block.parts) {
            if is_candidate(device) && !unsafe_devs.has(device) {
                allowed.push(&device.name.0, &[], &mut length);
            }
        }
    }
    for device in devices.iter().filter(|device| is_dm_candidate(device, scan_lvs)) {
        if !unsafe_devs.devs.contains(&device.dev) {
            allowed.push(
                &device.device.name.0,
                format!("dm-{}", device.dev.minor).as_bytes(),
                &mut length,
            );
        }
    }
    allowed
}

/// Devices that could hold a PV and whose names cannot stand in a filter.
pub fn refused(dm: Option<&DmSeen>, block: Option<&BlockSeen>) -> Vec<Gap> {
    let devices = dm.map_or(&[][..], |dm| &dm.devices);
    let blocks = block.map_or(&[][..], |block| &block.devices);
    let mapped = devices
        .iter()
        .filter(|device| plain(&device.device.name.0).is_none())
        .filter(|device| is_dm_candidate(device, false) && !may_hang(device))
        .map(|device| &device.device.name);
    let disks = blocks
        .iter()
        .flat_map(|block| std::iter::once(block).chain(&block.parts))
        .filter(|device| plain(&device.name.0).is_none() && is_candidate(device))
        .map(|device| &device.name);
    let gap = |name: &Raw| {
        Gap::new(
            "lvm",
            format!(
                "{} was not shown to LVM: its name cannot stand in a filter; \
                 a PV on it is seen as missing",
                Printable::from_bytes(&name.0)
            ),
        )
    };
    mapped.chain(disks).map(gap).collect()
}

impl Allowed {
    /// Adds a device by its name, and a device-mapper one by its kernel name too.
    fn push(&mut self, name: &[u8], kernel_name: &[u8], length: &mut usize) {
        let folder = if kernel_name.is_empty() { "/dev/" } else { "/dev/mapper/" };
        // what is left out here is told by [`refused`]
        let Some(name) = plain(name) else { return };
        for path in
            [format!("{folder}{name}"), format!("/dev/{}", plain(kernel_name).unwrap_or_default())]
        {
            // each pattern adds `"a|^$|",` and may double its dots
            *length = length.saturating_add(path.len().saturating_add(16));
            if path.len() > "/dev/".len() && *length < MAX_FILTER {
                self.paths.push(path);
            }
        }
    }

    /// LVM's setting that accepts these and refuses all others.
    pub fn setting(&self, name: &str) -> String {
        let accept = self.paths.iter().map(|path| {
            // a dot and a plus mean something in LVM's patterns; in brackets they do not
            let pattern = path.replace('.', "[.]").replace('+', "[+]");
            format!("\"a|^{pattern}$|\",")
        });
        format!("{name}=[{}\"r|.*|\"]", accept.collect::<String>())
    }
}

/// A name that is no surprise inside a pattern inside a quoted string.
fn plain(name: &[u8]) -> Option<&str> {
    let fine = |b: &u8| b.is_ascii_alphanumeric() || b"_-.+:/@=".contains(b);
    std::str::from_utf8(name).ok().filter(|text| !text.is_empty() && text.bytes().all(|b| fine(&b)))
}

/// A disk, a partition, an array or a loop can hold a PV; what carries partitions cannot.
fn is_candidate(device: &SeenBlock) -> bool {
    device.size.is_some_and(|size| size.get() > 0)
        && device.parts.is_empty()
        && !matches!(device.class, Class::Other)
}

/// A device-mapper device can hold a PV when it is alive and not a part of LVM's own works.
fn is_dm_candidate(device: &SeenDm, scan_lvs: bool) -> bool {
    let lvm = device.device.uuid.0.strip_prefix(b"LVM-");
    // the uuid of an LV's part has a suffix after 64 characters
    let lvm_fits = lvm.is_none_or(|ids| scan_lvs && ids.len() == 64);
    lvm_fits
        && device.unseen.is_none()
        && device.size().is_some_and(|size| size.get() > 0)
        && !device.targets.iter().all(|target| matches!(target, Target::Error | Target::Zero))
}

/// Devices that may hang, with all that rests on them, and those that belong to something above
/// them that holds the PV in their stead.
struct Unsafe {
    devs: HashSet<DevNo>,
}

impl Unsafe {
    fn find(devices: &[SeenDm], blocks: &[SeenBlock]) -> Self {
        let above = resting_on(devices, blocks);
        let mut queue: Vec<DevNo> =
            devices.iter().filter(|device| may_hang(device)).map(|device| device.dev).collect();
        let mut devs: HashSet<DevNo> = queue.iter().copied().collect();
        while let Some(dev) = queue.pop() {
            for upper in above.get(&dev).into_iter().flatten() {
                if devs.insert(*upper) {
                    queue.push(*upper);
                }
            }
        }
        devs.extend(members(devices, blocks));
        Self { devs }
    }

    fn has(&self, device: &SeenBlock) -> bool {
        self.devs.contains(&device.dev)
    }
}

/// Reading it may wait: it is suspended, its table is unknown, or it is thin.
fn may_hang(device: &SeenDm) -> bool {
    device.unseen.is_some()
        || device.device.suspended
        || device.targets.iter().any(|t| matches!(t, Target::Thin(_) | Target::ThinPool(_)))
}

/// For each device those that rest directly on it.
fn resting_on(devices: &[SeenDm], blocks: &[SeenBlock]) -> HashMap<DevNo, Vec<DevNo>> {
    let mut above: HashMap<DevNo, Vec<DevNo>> = HashMap::new();
    for device in devices {
        for dep in &device.device.deps {
            above.entry(*dep).or_default().push(device.dev);
        }
    }
    let by_name = kernel_names(devices, blocks);
    for block in blocks {
        for part in &block.parts {
            above.entry(block.dev).or_default().push(part.dev);
        }
        for slave in block.slaves.iter().filter_map(|name| by_name.get(&name.0)) {
            above.entry(*slave).or_default().push(block.dev);
        }
        if let Class::Loop(found) = &block.class
            && let Some(stat) = found.stat
        {
            above.entry(stat.dev).or_default().push(block.dev);
        }
    }
    above
}

fn kernel_names(devices: &[SeenDm], blocks: &[SeenBlock]) -> HashMap<Vec<u8>, DevNo> {
    let dm = devices.iter().map(|d| (format!("dm-{}", d.dev.minor).into_bytes(), d.dev));
    let all = blocks.iter().flat_map(|block| std::iter::once(block).chain(&block.parts));
    all.map(|block| (block.name.0.clone(), block.dev)).chain(dm).collect()
}

/// Legs of multipath and crypt devices and members of arrays: what they carry is seen through
/// the device above, and twice would be once too often.
fn members(devices: &[SeenDm], blocks: &[SeenBlock]) -> Vec<DevNo> {
    let by_name = kernel_names(devices, blocks);
    let legs = (devices.iter())
        .filter(|d| d.targets.iter().any(|t| matches!(t, Target::Multipath | Target::Crypt)))
        .flat_map(|device| device.device.deps.iter().copied());
    let members = (blocks.iter().filter(|block| matches!(block.class, Class::Md)))
        .flat_map(|block| &block.slaves)
        .filter_map(|name| by_name.get(&name.0).copied());
    legs.chain(members).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing::{block, dm, part, seen_blocks, seen_dm};
    use crate::sys::{EntryKind, FileStat};

    const LV: &str = "LVM-0123456789012345678901234567890101234567890123456789012345678901";

    fn thin_host() -> DmSeen {
        seen_dm(&[
            ((253, 0), dm("vg-tp_tmeta", &format!("{LV}-tmeta"), "0 8 linear 8:16 0")),
            ((253, 1), dm("vg-tp_tdata", &format!("{LV}-tdata"), "0 8 linear 8:16 8")),
            ((253, 2), dm("vg-tp", &format!("{LV}-tpool"), "0 8 thin-pool 253:0 253:1 128 0 0")),
            ((253, 3), dm("docker-8:1-5-base", "", "0 8 thin 253:2 1")),
            ((253, 4), dm("luks", "CRYPT-LUKS2-x-luks", "0 8 crypt aes :64: 0 8:32 0")),
            ((253, 5), dm("on-thin", "CRYPT-LUKS2-y-on-thin", "0 8 crypt aes :64: 0 253:3 0")),
            ((253, 6), dm("mpatha", "mpath-3600", "0 8 multipath 0 0 1 1 x 0 1 1 8:48 1")),
            ((253, 7), dm("gone", "", "0 8 error")),
        ])
    }

    fn paths(dm: &DmSeen, blocks: &BlockSeen) -> Vec<String> {
        allowed(Some(dm), Some(blocks), false).paths
    }

    #[test]
    fn nothing_thin_nor_what_rests_on_it_nor_lvm_s_own_is_touched() {
        let mut disk = block("sda", "8:0", 64, &[]);
        disk.parts = vec![part("sda1", "8:1", 8, 1)];
        let blocks = seen_blocks(vec![
            disk,
            block("sdb", "8:16", 64, &[]),
            block("sdc", "8:32", 64, &[]),
            block("sdd", "8:48", 64, &[]),
            block("sr0", "11:0", 64, &[]),
            block("zram0", "252:0", 0, &[]),
        ]);
        assert_eq!(
            paths(&thin_host(), &blocks),
            [
                "/dev/sda1",
                "/dev/sdb",
                "/dev/mapper/luks",
                "/dev/dm-4",
                "/dev/mapper/mpatha",
                "/dev/dm-6"
            ]
        );
    }

    #[test]
    fn a_suspended_device_takes_all_above_it_out() {
        let mut host = thin_host();
        for device in &mut host.devices {
            device.device.suspended = device.dev == DevNo::new(253, 4);
        }
        assert_eq!(paths(&host, &BlockSeen::default()), ["/dev/mapper/mpatha", "/dev/dm-6"]);
    }

    #[test]
    fn a_loop_over_a_file_on_a_thin_device_is_left_out() {
        let with_file_on = |dev| {
            let mut raw = block("loop0", "7:0", 8, &[("loop/backing_file", "/f")]);
            let (kind, rdev) = (EntryKind::File, DevNo::new(0, 0));
            raw.backing =
                Some(FileStat { kind, dev, rdev, ino: 1, size: 8, allocated: 8, mtime: 0 });
            seen_blocks(vec![raw])
        };
        let (none, loop0) = (Vec::<String>::new(), vec!["/dev/loop0".to_owned()]);
        let mut host = thin_host();
        host.devices.retain(|device| device.dev.minor <= 3);
        assert_eq!(paths(&host, &with_file_on(DevNo::new(253, 3))), none);
        assert_eq!(paths(&host, &with_file_on(DevNo::new(8, 1))), loop0);
    }

    #[test]
    fn members_of_an_array_are_seen_through_it() {
        let mut md = block("md0", "9:0", 8, &[("md/level", "raid1")]);
        md.slaves = vec!["sda1".into(), "sdb".into()];
        let mut disk = block("sda", "8:0", 64, &[]);
        disk.parts = vec![part("sda1", "8:1", 8, 1)];
        let blocks = seen_blocks(vec![disk, block("sdb", "8:16", 8, &[]), md]);
        assert_eq!(paths(&DmSeen::default(), &blocks), ["/dev/md0"]);
    }

    #[test]
    fn a_name_that_could_break_the_filter_is_left_out_and_said() {
        let host = seen_dm(&[
            ((253, 0), dm("a|b\"]", "", "0 8 linear 8:0 0")),
            ((253, 1), dm("a.b+c", "", "0 8 linear 8:0 0")),
        ]);
        let allowed = allowed(Some(&host), None, false);
        assert_eq!(
            allowed.setting("filter"),
            "filter=[\"a|^/dev/mapper/a[.]b[+]c$|\",\"a|^/dev/dm-1$|\",\"r|.*|\"]"
        );
        let gaps = refused(Some(&host), None);
        assert_eq!(gaps.len(), 1);
        assert!(gaps[0].why.as_str().starts_with("a|b\"] was not shown to LVM"));
    }

    #[test]
    fn pvs_on_lvs_are_shown_only_where_lvm_is_set_to_look_there() {
        let host = seen_dm(&[((253, 0), dm("vg-lv", LV, "0 8 linear 8:0 0"))]);
        assert!(allowed(Some(&host), None, false).paths.is_empty());
        assert_eq!(allowed(Some(&host), None, true).paths, ["/dev/mapper/vg-lv", "/dev/dm-0"]);
    }

    #[test]
    fn with_nothing_to_show_everything_is_refused() {
        assert_eq!(allowed(None, None, false).setting("filter"), "filter=[\"r|.*|\"]");
    }
}
