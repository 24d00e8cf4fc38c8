//! Real hosts: every device that `lsblk` lists is there once, with its size and its mounts, and
//! the tree is the one that LVM's and dmsetup's own outputs tell.

use std::collections::HashMap;
use std::sync::Arc;

use super::draw::{assert_sound, draw, draw_thins};
use crate::ids::{DevNo, ThinId};
use crate::model::{Mode, PoolKind, Topology};
use crate::probe::dm::status::parse_status;
use crate::probe::dm::{DmSeen, Status};
use crate::probe::lvm::{LvmSeen, report};
use crate::probe::testing::{FakeHost, block, dm, file, part, seen_blocks, seen_dm};
use crate::probe::{Facts, assemble, mounts};
use crate::sys::{Answer, EntryKind, FileStat, SysBlockDevice};
use crate::text::Printable;
use crate::units::{Bytes, Sectors};

/// What one host's tools said.
struct Sample {
    table: &'static str,
    status: &'static str,
    info: &'static str,
    lsblk: &'static str,
    lvs: &'static str,
    vgs: &'static str,
    pvs: &'static str,
    mountinfo: &'static str,
    losetup: &'static str,
}

macro_rules! sample {
    ($host:literal) => {
        Sample {
            table: sample!($host, "dmsetup-table.txt"),
            status: sample!($host, "dmsetup-status.txt"),
            info: sample!($host, "dmsetup-info-c.txt"),
            lsblk: sample!($host, "lsblk.jsonl"),
            lvs: sample!($host, "lvs.json"),
            vgs: sample!($host, "vgs.json"),
            pvs: sample!($host, "pvs.json"),
            mountinfo: sample!($host, "mountinfo"),
            losetup: sample!($host, "losetup.jsonl"),
        }
    };
    ($host:literal, $file:literal) => {
        include_str!(concat!("../../../../tests/data/hosts/", $host, "/", $file))
    };
}

/// One line of `lsblk`'s list.
#[derive(serde::Deserialize)]
struct Listed {
    name: String,
    #[serde(rename = "maj:min")]
    dev: DevNo,
    size: u64,
    #[serde(rename = "type")]
    class: String,
    mountpoints: Vec<Option<String>>,
}

/// One line of `losetup`'s list.
#[derive(serde::Deserialize)]
struct Attached {
    name: String,
    file: String,
    dev: String,
}

impl Sample {
    fn listed(&self) -> Vec<Listed> {
        let parse = |line| serde_json::from_str(line).expect("jq wrote one object a line");
        self.lsblk.lines().map(parse).collect()
    }

    fn facts(&self) -> Facts {
        Facts {
            dm: Some(Arc::new(self.dm())),
            block: Some(Arc::new(seen_blocks(self.blocks()))),
            mounts: Some(Arc::new(mounts::read_mounts(&FakeHost::new([(
                file("/proc/self/mountinfo"),
                Answer::ok_bytes(self.mountinfo),
            )])))),
            lvm: Some(Arc::new(self.lvm())),
            ..Facts::default()
        }
    }

    fn dm(&self) -> DmSeen {
        let by_device = |text: &'static str| {
            let mut lines: HashMap<&str, String> = HashMap::new();
            for (name, line) in text.lines().filter_map(|line| line.split_once(": ")) {
                let slot = lines.entry(name).or_default();
                slot.push_str(line);
                slot.push('\n');
            }
            lines
        };
        let (tables, statuses) = (by_device(self.table), by_device(self.status));
        let mut devices = Vec::new();
        for line in self.info.lines().skip(1) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, major, minor, stat, open, ..] = words.as_slice() else { continue };
            let uuid = words.get(7).copied().unwrap_or_default();
            let table = tables.get(name).map_or("", String::as_str);
            let mut device = dm(name, uuid, table);
            device.open_count = open.parse().expect("dmsetup prints a number");
            device.suspended = stat.contains('s');
            let number = |word: &str| word.parse::<u32>().expect("dmsetup prints a number");
            devices.push(((number(major), number(minor)), device));
        }
        let mut seen = seen_dm(&devices);
        for device in &mut seen.devices {
            let name = String::from_utf8_lossy(&device.device.name.0).into_owned();
            let status = statuses.get(name.as_str()).map_or("", String::as_str);
            device.status = Status::Lines(parse_status(status.as_bytes()));
        }
        seen
    }

    fn blocks(&self) -> Vec<SysBlockDevice> {
        let mut disks: Vec<SysBlockDevice> = Vec::new();
        for listed in self.listed() {
            let (dev, sectors) = (listed.dev.to_string(), listed.size / 512);
            match listed.class.as_str() {
                "disk" => disks.push(block(&listed.name, &dev, sectors, &[])),
                "loop" => disks.push(self.loop_device(&listed.name, &dev, sectors)),
                "part" => {
                    let disk = disks
                        .iter_mut()
                        .rfind(|disk| listed.name.as_bytes().starts_with(&disk.name.0));
                    let disk = disk.expect("lsblk lists a partition behind its disk");
                    let number = u32::try_from(disk.parts.len() + 1).expect("few partitions");
                    disk.parts.push(part(&listed.name, &dev, sectors, number));
                }
                _ => {}
            }
        }
        disks
    }

    fn loop_device(&self, name: &str, dev: &str, sectors: u64) -> SysBlockDevice {
        let parse = |line| serde_json::from_str(line).expect("jq wrote one object a line");
        let mut attached = self.losetup.lines().map(parse);
        let attached: Attached = attached
            .find(|attached: &Attached| attached.name == format!("/dev/{name}"))
            .expect("lsblk lists only loop devices with a file");
        let mut raw = block(name, dev, sectors, &[("loop/backing_file", &attached.file)]);
        let (dev, rdev) = (attached.dev.trim().parse().expect("MAJ:MIN"), DevNo::new(0, 0));
        let (kind, ino, size) = (EntryKind::File, 1, sectors * 512);
        raw.backing = Some(FileStat { kind, dev, rdev, ino, size, allocated: 4096, mtime: 0 });
        raw
    }

    /// Rows of `lvs` hold the fields of volumes and of segments.
    fn lvm(&self) -> LvmSeen {
        let rows = |text: &str, group: &str| {
            let report: serde_json::Value = serde_json::from_str(text).expect("LVM's own JSON");
            report["report"][0][group].to_string()
        };
        let (vg, pv, lv) = (rows(self.vgs, "vg"), rows(self.pvs, "pv"), rows(self.lvs, "lv"));
        let json = format!(r#"{{"report":[{{"vg":{vg},"pv":{pv},"lv":{lv},"seg":{lv}}}]}}"#);
        let report = report::parse_report(json.as_bytes());
        assert_eq!(report.broken, None);
        LvmSeen {
            vgs: report.vgs,
            pvs: report.pvs,
            lvs: report.lvs,
            whole: true,
            ..LvmSeen::default()
        }
    }
}

/// The hosts that are told of here.
pub(crate) const HOSTS: [&str; 7] = [
    "direct-lvm",
    "direct-lvm-2pv",
    "loop-lvm",
    "raw",
    "tmeta-other-pv",
    "tmeta-raid1",
    "lvm-thin",
];

/// What becomes of a host's facts, for whoever plans for it.
pub(crate) fn topology(host: &str) -> Topology {
    let sample = match host {
        "direct-lvm" => sample!("direct-lvm"),
        "direct-lvm-2pv" => sample!("direct-lvm-2pv"),
        "loop-lvm" => sample!("loop-lvm"),
        "raw" => sample!("raw"),
        "tmeta-other-pv" => sample!("tmeta-other-pv"),
        "tmeta-raid1" => sample!("tmeta-raid1"),
        "lvm-thin" => sample!("lvm-thin"),
        other => panic!("there is no host {other}"),
    };
    assemble(&sample.facts()).topology
}

/// Every device of `lsblk`'s list is on one node, with size and mount points.
fn assert_like_lsblk(sample: &Sample, topology: &Topology) {
    let by_dev: HashMap<DevNo, _> =
        topology.nodes.iter().filter_map(|node| Some((node.device?, node))).collect();
    let listed = sample.listed();
    assert_eq!(by_dev.len(), listed.len(), "as many devices as lsblk lists");
    for listed in listed {
        let node = by_dev.get(&listed.dev).expect("lsblk lists it, so it is there");
        assert_eq!(node.name, listed.name.as_str());
        assert_eq!(node.size, Some(Bytes(listed.size)), "{}", listed.name);
        let points: Vec<&str> = listed.mountpoints.iter().flatten().map(String::as_str).collect();
        let ours: Vec<&str> = node.mountpoints.iter().map(Printable::as_str).collect();
        assert_eq!(ours, points, "{}", listed.name);
    }
}

#[test]
fn a_real_lvm_thin_host_is_one_tree() {
    let sample = sample!("lvm-thin");
    let assembled = assemble(&sample.facts());
    let topology = &assembled.topology;
    assert_sound(topology);
    assert_like_lsblk(&sample, topology);
    assert_eq!(assembled.gaps, []);
    assert_eq!(
        draw(topology),
        [
            "disk vda 254:0",
            "disk vdb 254:16",
            "disk vdc 254:32",
            "disk vdd 254:48",
            "disk vde 254:64",
            "pv vdb - < disk vdb",
            "vg pve - < pv vdb",
            "tdata pve-data_tdata 253:1 < vg pve",
            "tmeta pve-data_tmeta 253:0 < vg pve",
            "pmspare pve-lvol0_pmspare - < vg pve",
            "pool pve-data-tpool 253:2 < tdata pve-data_tdata, tmeta pve-data_tmeta",
            "linear pve-data 253:3 < pool pve-data-tpool",
            "thin pve-base--900--disk--0 - < pool pve-data-tpool",
            "thin pve-snap_vm--100--disk--0_before - < pool pve-data-tpool",
            "thin pve-vm--100--disk--0 253:4 < pool pve-data-tpool",
            "thin pve-vm--101--disk--0 253:5 < pool pve-data-tpool",
            "thin pve-vm--102--disk--0 - < pool pve-data-tpool",
        ]
    );
    assert_eq!(
        draw_thins(topology),
        [
            "1 volume lvm pve/vm-100-disk-0 < - active",
            "2 volume lvm pve/vm-101-disk-0 < - active",
            "3 volume lvm pve/vm-102-disk-0 < -",
            "4 snapshot lvm pve/snap_vm-100-disk-0_before < 1",
            "5 volume lvm pve/base-900-disk-0 < -",
        ]
    );
    let pool = &topology.pools[0];
    assert_eq!((pool.kind, pool.name.as_str()), (PoolKind::LvmThin, "pve-data-tpool"));
    assert_eq!(
        (pool.lv.as_ref().map(Printable::as_str), pool.block_size),
        (Some("pve/data"), Some(Sectors(128)))
    );
    let status = pool.status().expect("it is active");
    assert_eq!((status.transaction_id, &status.mode, status.data.used.get()), (5, &Mode::Rw, 1995));
    // `thin 173440 8388607` is 2.07 % of 4 GiB, as lvs says
    assert_eq!(topology.thins[0].mapped, Some(Bytes(173_440 * 512)));
}

#[test]
fn without_lvm_a_real_host_is_told_from_its_device_mapper_names() {
    let sample = sample!("lvm-thin");
    let facts = Facts { lvm: None, ..sample.facts() };
    let assembled = assemble(&facts);
    assert_sound(&assembled.topology);
    assert_like_lsblk(&sample, &assembled.topology);
    let lines = draw(&assembled.topology);
    for line in [
        "pv vdb - < disk vdb",
        "vg pve - < pv vdb",
        "tdata pve-data_tdata 253:1 < vg pve",
        "tmeta pve-data_tmeta 253:0 < vg pve",
        "pool pve-data-tpool 253:2 < tdata pve-data_tdata, tmeta pve-data_tmeta",
        "linear pve-data 253:3 < pool pve-data-tpool",
        "thin pve-vm--101--disk--0 253:5 < pool pve-data-tpool",
    ] {
        assert!(lines.iter().any(|l| l == line), "{line} is not in {lines:#?}");
    }
    assert_eq!(
        draw_thins(&assembled.topology),
        ["1 volume lvm pve/vm-100-disk-0 < - active", "2 volume lvm pve/vm-101-disk-0 < - active"]
    );
    assert_eq!(assembled.gaps.len(), 1, "{:?}", assembled.gaps);
}

#[test]
fn ids_are_the_same_with_lvm_and_without() {
    let sample = sample!("lvm-thin");
    let ids = |facts: &Facts| -> HashMap<DevNo, String> {
        let topology = assemble(facts).topology;
        let by_dev = |node: &crate::model::Node| Some((node.device?, node.id.to_string()));
        topology.nodes.iter().filter_map(by_dev).collect()
    };
    let facts = sample.facts();
    assert_eq!(ids(&facts), ids(&Facts { lvm: None, ..facts.clone() }));
}

/// The tree of a sample, hashes of thin devices left out.
fn tree(sample: &Sample) -> Vec<String> {
    let assembled = assemble(&sample.facts());
    assert_sound(&assembled.topology);
    assert_like_lsblk(sample, &assembled.topology);
    assert_eq!(assembled.gaps, []);
    let short = |line: String| {
        let mut words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        if let [kind, name, ..] = words.as_mut_slice()
            && kind == "thin"
        {
            name.truncate("docker-254:0-11586-9bc3f9".len());
        }
        words.join(" ")
    };
    draw(&assembled.topology).into_iter().map(short).collect()
}

const SPARE_DISKS: [&str; 2] = ["disk vdd 254:48", "disk vde 254:64"];

#[test]
fn a_real_direct_lvm_host_is_one_tree() {
    let sample = sample!("direct-lvm");
    let lines = tree(&sample);
    let expected = [
        "disk vda 254:0",
        "disk vdb 254:16",
        "disk vdc 254:32",
        SPARE_DISKS[0],
        SPARE_DISKS[1],
        "pv vdb - < disk vdb",
        "vg docker - < pv vdb",
        "pmspare docker-lvol0_pmspare - < vg docker",
        "tdata docker-thinpool_tdata 253:1 < vg docker",
        "tmeta docker-thinpool_tmeta 253:0 < vg docker",
        "pool docker-thinpool 253:2 < tdata docker-thinpool_tdata, tmeta docker-thinpool_tmeta",
        "thin docker-254:0-11586-9bc3f9 253:3 < pool docker-thinpool",
        "thin docker-254:0-11586-fd6487 253:4 < pool docker-thinpool",
    ];
    assert_eq!(lines, expected);
    let topology = assemble(&sample.facts()).topology;
    let pool = &topology.pools[0];
    let usage = pool.data_usage().expect("it is active");
    // `docker info`: Data Space Total 10.2GB, Metadata Space Total 104.9MB
    assert_eq!(
        (usage.total, pool.metadata_size),
        (Bytes(10_196_353_024), Some(Bytes(104_857_600)))
    );
    // 2.89 % and 10.14 % of lvs
    assert_eq!(
        (usage.used.get() * 10_000 / usage.total.get(), pool.lvm_transaction_id),
        (289, Some(0))
    );
    let ids: Vec<_> = topology.thins.iter().filter_map(|thin| thin.id).map(ThinId::get).collect();
    assert_eq!(ids, [44, 46]);
}

#[test]
fn a_vg_over_two_pvs_rests_on_both() {
    let lines = tree(&sample!("direct-lvm-2pv"));
    for line in [
        "vg docker - < pv vdb, pv vdc",
        "pv vdc - < disk vdc",
        "tdata docker-thinpool_tdata 253:1 < vg docker",
        "pool docker-thinpool 253:2 < tdata docker-thinpool_tdata, tmeta docker-thinpool_tmeta",
    ] {
        assert_eq!(lines.iter().filter(|l| *l == line).count(), 1, "{line} in {lines:#?}");
    }
}

#[test]
fn a_real_raw_pool_rests_on_two_lvs() {
    let lines = tree(&sample!("raw"));
    for line in [
        "lv store-data 253:1 < vg store",
        "lv store-metadata 253:0 < vg store",
        "pool docker-254:0-11583-pool 253:2 < lv store-data, lv store-metadata",
    ] {
        assert!(lines.iter().any(|l| l == line), "{line} in {lines:#?}");
    }
}

#[test]
fn a_real_loop_lvm_pool_rests_on_loops_files_and_the_disk_that_holds_them() {
    let sample = sample!("loop-lvm");
    let folder = "/var/lib/docker/devicemapper/devicemapper";
    assert_eq!(
        tree(&sample),
        [
            "disk vda 254:0".to_owned(),
            format!("file {folder}/data - < disk vda"),
            format!("loop loop0 7:0 < file {folder}/data"),
            format!("file {folder}/metadata - < disk vda"),
            format!("loop loop1 7:1 < file {folder}/metadata"),
            "disk vdb 254:16".to_owned(),
            "disk vdc 254:32".to_owned(),
            SPARE_DISKS[0].to_owned(),
            SPARE_DISKS[1].to_owned(),
            "pool docker-254:0-11579-pool 253:0 < loop loop0, loop loop1".to_owned(),
            "thin docker-254:0-11579-ecdb6d 253:1 < pool docker-254:0-11579-pool".to_owned(),
        ]
    );
}

#[test]
fn a_real_raid1_tmeta_keeps_its_kind_and_its_images_are_lvs() {
    let sample = sample!("tmeta-raid1");
    let lines = tree(&sample);
    for line in [
        "tmeta docker-thinpool_tmeta 253:0 < vg docker",
        "lv docker-thinpool_tmeta_rimage_0 253:6 < vg docker",
        "lv docker-thinpool_tmeta_rmeta_1 253:7 < vg docker",
        "pool docker-thinpool 253:2 < tdata docker-thinpool_tdata, tmeta docker-thinpool_tmeta",
        "vg docker - < pv vdb, pv vdc",
    ] {
        assert!(lines.iter().any(|l| l == line), "{line} in {lines:#?}");
    }
    let topology = assemble(&sample.facts()).topology;
    let tmeta = topology.nodes.iter().find(|node| node.name == "docker-thinpool_tmeta");
    let dm = tmeta.and_then(|node| node.facts.dm.as_ref()).expect("it is active");
    assert_eq!(
        dm.status.as_deref(),
        Some(&["0 204800 raid raid1 2 AA 204800/204800 idle 0 0 -".into()][..])
    );
    let other = tree(&sample!("tmeta-other-pv"));
    assert!(other.iter().any(|line| line == "tmeta docker-thinpool_tmeta 253:0 < vg docker"));
}
