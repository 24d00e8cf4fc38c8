//! Device-mapper devices by number, by name and by what they are of LVM's.

use std::collections::HashMap;

use crate::ids::DevNo;
use crate::owner::lvm_names::{LvmUuid, dm_name, parse_uuid};
use crate::probe::block::BlockSeen;
use crate::probe::dm::table::{Target, Thin, ThinPool};
use crate::probe::dm::{DmSeen, SeenDm};

/// Place of a device in [`DmIndex::devices`].
pub(super) type DmAt = usize;

/// Look-ups into the devices that were seen.
pub(super) struct DmIndex<'a> {
    pub(super) devices: &'a [SeenDm],
    /// What each is of LVM's, in the same order.
    pub(super) lvm: Vec<Option<LvmUuid>>,
    by_dev: HashMap<DevNo, DmAt>,
    by_name: HashMap<&'a [u8], DmAt>,
    /// The major number of all device-mapper devices: the kernel gives out one at boot.
    major: Option<u32>,
}

impl<'a> DmIndex<'a> {
    pub(super) fn new(dm: Option<&'a DmSeen>) -> Self {
        let devices = dm.map_or(&[][..], |dm| dm.devices.as_slice());
        let mut by_dev = HashMap::with_capacity(devices.len());
        let mut by_name = HashMap::with_capacity(devices.len());
        for (at, seen) in devices.iter().enumerate() {
            by_dev.entry(seen.dev).or_insert(at);
            by_name.entry(seen.device.name.0.as_slice()).or_insert(at);
        }
        Self {
            devices,
            lvm: devices.iter().map(|seen| parse_uuid(&seen.device.uuid.0)).collect(),
            by_dev,
            by_name,
            major: devices.first().map(|seen| seen.dev.major),
        }
    }

    /// All devices, each number once.
    pub(super) fn all(&self) -> impl Iterator<Item = (DmAt, &'a SeenDm)> + '_ {
        self.devices.iter().enumerate().filter(|(at, seen)| self.by_dev.get(&seen.dev) == Some(at))
    }

    pub(super) fn get(&self, at: DmAt) -> Option<&'a SeenDm> {
        self.devices.get(at)
    }

    pub(super) fn by_dev(&self, dev: DevNo) -> Option<(DmAt, &'a SeenDm)> {
        let at = *self.by_dev.get(&dev)?;
        Some((at, self.devices.get(at)?))
    }

    pub(super) fn by_name(&self, name: &[u8]) -> Option<(DmAt, &'a SeenDm)> {
        let at = *self.by_name.get(name)?;
        Some((at, self.devices.get(at)?))
    }

    pub(super) fn has_lvm(&self) -> bool {
        self.lvm.iter().any(Option::is_some)
    }

    /// The device of a kernel name like `dm-3`.
    pub(super) fn by_kernel_name(&self, name: &[u8]) -> Option<DevNo> {
        let minor = std::str::from_utf8(name.strip_prefix(b"dm-")?).ok()?.parse().ok()?;
        Some(DevNo::new(self.major?, minor))
    }

    /// The number of the device that a path names.
    pub(super) fn dev_of_path(&self, path: &[u8], block: Option<&BlockSeen>) -> Option<DevNo> {
        let name = path.strip_prefix(b"/dev/")?;
        if let Some(mapped) = name.strip_prefix(b"mapper/") {
            return self.by_name(mapped).map(|(_, seen)| seen.dev);
        }
        if let Some(dev) = self.by_kernel_name(name) {
            return Some(dev);
        }
        let whole = block.map_or(&[][..], |block| &block.devices);
        let mut all = whole.iter().flat_map(|disk| std::iter::once(disk).chain(&disk.parts));
        all.find(|device| device.name.0 == name).map(|device| device.dev).or_else(|| {
            let (vg, lv) = std::str::from_utf8(name).ok()?.split_once('/')?;
            self.by_name(dm_name(vg, lv, "").as_bytes()).map(|(_, seen)| seen.dev)
        })
    }
}

/// Whether a device is a thin pool.
pub(super) fn is_pool(seen: &SeenDm) -> bool {
    seen.targets.iter().any(|target| matches!(target, Target::ThinPool(_)))
}

/// Whether a device is thin.
pub(super) fn is_thin(seen: &SeenDm) -> bool {
    seen.targets.iter().any(|target| matches!(target, Target::Thin(_)))
}

/// A pool's table, where it was understood.
pub(super) fn pool_table(seen: &SeenDm) -> Option<&ThinPool> {
    seen.targets.iter().find_map(|target| match target {
        Target::ThinPool(table) => table.as_ref(),
        _ => None,
    })
}

/// A thin device's table, where it was understood.
pub(super) fn thin_table(seen: &SeenDm) -> Option<&Thin> {
    seen.targets.iter().find_map(|target| match target {
        Target::Thin(table) => table.as_ref(),
        _ => None,
    })
}
