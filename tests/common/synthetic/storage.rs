//! What the synthetic host's storage is made of: disks, LVM's pool, device-mapper, mounts.

use std::fmt::Write;

use thinscope::ids::DevNo;
use thinscope::sys::{DmDevice, DmListed, DmTarget, Raw, SysBlockDevice};

use super::super::files::Files;
use super::docker::{BASE_SIZE, Docker, PREFIX, ROOT};
use super::lvm::{self, CHUNK, EXTENT, Sizes};

/// Device-mapper's major number on Debian.
const DM: u32 = 253;
const TMETA: DevNo = DevNo::new(DM, 0);
const TDATA: DevNo = DevNo::new(DM, 1);
const POOL: DevNo = DevNo::new(DM, 2);
/// The minor number of the first thin device.
const FIRST_THIN: u32 = 3;
/// The disk under the VG.
const DISK: DevNo = DevNo::new(254, 16);
/// Where LVM's extents begin on it, in sectors.
const PE_START: u64 = 2048;

/// One device-mapper device, with what it says when asked for its status.
pub(crate) struct DmEntry {
    /// Its number.
    pub(crate) dev: DevNo,
    /// Its state and table.
    pub(crate) device: DmDevice,
    /// Its status.
    pub(crate) status: String,
}

/// All of it.
pub(crate) struct Storage {
    /// Device-mapper devices by minor number, without gaps.
    pub(crate) devices: Vec<DmEntry>,
    sizes: Sizes,
}

impl Storage {
    /// A pool twice as large as what Docker uses of it, in a VG with room to grow.
    pub(crate) fn new(docker: &Docker) -> Self {
        let used: u64 = docker.devices.iter().map(|device| device.own).sum();
        let data = (used * CHUNK * 2).next_multiple_of(EXTENT);
        let count = docker.devices.len() as u64;
        // a leaf for a hundred mappings, and for each device at least one
        let used_metadata = count * 4 + 200;
        let metadata = (used_metadata * 4096 * 3).next_multiple_of(EXTENT);
        let free = (data / 5).next_multiple_of(EXTENT);
        let sizes = Sizes { data, metadata, disk: data + 2 * metadata + free, free };
        let mut storage = Self { devices: Vec::new(), sizes };
        storage.add_pool(docker, used, used_metadata);
        storage.add_thin_devices(docker);
        storage
    }

    fn add_pool(&mut self, docker: &Docker, used: u64, used_metadata: u64) {
        let (data, metadata) = (self.sizes.data / 512, self.sizes.metadata / 512);
        let linear = |sectors: u64, start: u64| Table {
            sectors,
            kind: "linear",
            params: format!("{DISK} {}", PE_START + start),
            deps: vec![DISK],
        };
        let uuid = |lv: &str, layer: &str| {
            format!("LVM-{}{}-{layer}", lvm::VG_UUID.replace('-', ""), lv.replace('-', ""))
        };
        let tmeta =
            linear(metadata, 0).device("docker-thinpool_tmeta", &uuid(lvm::TMETA_UUID, "tmeta"));
        let tdata =
            linear(data, metadata).device("docker-thinpool_tdata", &uuid(lvm::TDATA_UUID, "tdata"));
        let pool = Table {
            sectors: data,
            kind: "thin-pool",
            params: format!("{TMETA} {TDATA} 1024 0 1 skip_block_zeroing "),
            deps: vec![TMETA, TDATA],
        };
        let mut pool = pool.device("docker-thinpool", &uuid(lvm::POOL_UUID, "tpool"));
        pool.open_count = i32::try_from(docker.devices.len()).unwrap_or(i32::MAX);
        let status = format!(
            "0 {data} thin-pool {} {used_metadata}/{} {used}/{} - rw discard_passdown \
             queue_if_no_space - 1024 \n",
            docker.transaction(),
            self.sizes.metadata / 4096,
            self.sizes.data / CHUNK,
        );
        self.push(tmeta, format!("0 {metadata} linear \n"));
        self.push(tdata, format!("0 {data} linear \n"));
        self.push(pool, status);
    }

    fn add_thin_devices(&mut self, docker: &Docker) {
        let sectors = BASE_SIZE / 512;
        for thin in &docker.devices {
            let table = Table {
                sectors,
                kind: "thin",
                params: format!("{POOL} {}", thin.id),
                deps: vec![POOL],
            };
            let device = table.device(&format!("{PREFIX}-{}", thin.name), "");
            let mapped = thin.mapped * (CHUNK / 512);
            self.push(device, format!("0 {sectors} thin {mapped} {}\n", sectors - 1));
        }
    }

    fn push(&mut self, device: DmDevice, status: String) {
        let minor = u32::try_from(self.devices.len()).unwrap_or(u32::MAX);
        self.devices.push(DmEntry { dev: DevNo::new(DM, minor), device, status });
    }

    /// The device of this number.
    pub(crate) fn find(&self, dev: DevNo) -> Option<&DmEntry> {
        let entry = self.devices.get(usize::try_from(dev.minor).ok()?)?;
        (entry.dev == dev).then_some(entry)
    }

    /// What the kernel lists.
    pub(crate) fn listed(&self) -> Vec<DmListed> {
        let listed = |entry: &DmEntry| DmListed {
            dev: entry.dev,
            name: entry.device.name.clone(),
            event_nr: Some(0),
        };
        self.devices.iter().map(listed).collect()
    }

    /// The disk of the system, with its partition, and the disk under the VG.
    pub(crate) fn disks(&self) -> Vec<SysBlockDevice> {
        let disk = |name: &str, dev: &str, bytes: u64, serial: &str| {
            let size = (bytes / 512).to_string();
            let attrs = [
                ("dev", dev),
                ("size", &size),
                ("ro", "0"),
                ("removable", "0"),
                ("hidden", "0"),
                ("serial", serial),
                ("queue/rotational", "1"),
            ];
            SysBlockDevice {
                name: Raw::from(name),
                attrs: attrs.map(|(key, value)| (key.to_owned(), Raw::from(value))).into(),
                ..SysBlockDevice::default()
            }
        };
        let mut system = disk("vda", "254:0", 40 << 30, "system");
        let mut part = disk("vda1", "254:1", (40 << 30) - (1 << 20), "");
        part.attrs.retain(|key, _| ["dev", "size", "ro"].contains(&&**key));
        part.attrs.insert("start".to_owned(), Raw::from("2048"));
        part.attrs.insert("partition".to_owned(), Raw::from("1"));
        system.parts.push(part);
        // the VG's extents, LVM's header before and a rest behind them
        let pv =
            disk("vdb", &DISK.to_string(), self.sizes.disk + PE_START * 512 + EXTENT / 2, "docker");
        vec![system, pv]
    }

    /// What `lvm fullreport` prints.
    pub(crate) fn lvm_report(&self) -> String {
        lvm::report(&self.sizes)
    }

    /// The mount tables with the system and every running container, and LVM's monitor.
    pub(crate) fn write_files(&self, docker: &Docker, files: &mut Files) {
        let table = self.mount_table(docker);
        files.put("/run/dmeventd.pid", "312\n");
        files.put("/proc/312/comm", "dmeventd\n");
        files.put("/proc/1/mountinfo", table.clone());
        files.put("/proc/self/mountinfo", table);
    }

    fn mount_table(&self, docker: &Docker) -> String {
        let mut text = "21 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n\
                        22 21 0:19 / /proc rw,nosuid shared:5 - proc proc rw\n\
                        23 21 0:20 / /sys rw,nosuid shared:6 - sysfs sysfs rw\n"
            .to_owned();
        let running: std::collections::HashSet<String> = (docker.containers.iter())
            .filter(|one| matches!(one.state, "running" | "paused"))
            .map(|one| format!("{PREFIX}-{}", one.mount_id))
            .collect();
        for entry in self.devices.iter().skip(FIRST_THIN as usize) {
            let name = String::from_utf8_lossy(&entry.device.name.0);
            if running.contains(&*name) {
                let hash = name.trim_start_matches(PREFIX).trim_start_matches('-');
                let _ = writeln!(
                    text,
                    "{} 21 {} / {ROOT}/devicemapper/mnt/{hash} rw,relatime shared:9 - xfs \
                     /dev/mapper/{name} rw,nouuid",
                    entry.dev.minor + 100,
                    entry.dev
                );
            }
        }
        text
    }
}

/// A table of one line.
struct Table {
    sectors: u64,
    kind: &'static str,
    params: String,
    deps: Vec<DevNo>,
}

impl Table {
    fn device(self, name: &str, uuid: &str) -> DmDevice {
        let line = DmTarget {
            start: 0,
            length: self.sectors,
            kind: self.kind.to_owned(),
            params: Raw::from(&*self.params),
        };
        DmDevice {
            name: Raw::from(name),
            uuid: Raw::from(uuid),
            open_count: 1,
            table: vec![line],
            deps: self.deps,
            ..DmDevice::default()
        }
    }
}
