//! Facts that contradict each other, or mean harm: never a panic, never a broken tree; and many.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::assemble_owned;
use super::draw::assert_sound;
use crate::ids::{DevNo, ThinId};
use crate::model::{Engine, Role};
use crate::owner::{Backing, Owned, OwnedDevice, OwnedPool};
use crate::probe::Facts;
use crate::probe::dm::status::parse_status;
use crate::probe::dm::{DmSeen, SeenDm, Status};
use crate::probe::lvm::{LvmSeen, report};
use crate::probe::mounts::MountsSeen;
use crate::probe::testing::{block, dm, part, seen_blocks};
use crate::sys::{HostPath, Raw, SysBlockDevice};

/// Few numbers, so that devices meet.
fn dev() -> impl Strategy<Value = DevNo> {
    (prop_oneof![Just(8_u32), Just(253)], 0_u32..6).prop_map(|(a, b)| DevNo::new(a, b))
}

fn uuid() -> impl Strategy<Value = String> {
    let lvm = ("[ab]", "[a-d]", "(-(tpool|pool|tdata|tmeta|real|x))?")
        .prop_map(|(vg, lv, suffix)| format!("LVM-{}{}{suffix}", vg.repeat(32), lv.repeat(32)));
    prop_oneof![lvm, Just(String::new()), Just("part1-x".to_owned()), "\\PC{0,6}"]
}

fn table() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        (dev(), dev()).prop_map(|(a, b)| format!("0 8 thin-pool {a} {b} 128 0 0")),
        (dev(), 0_u32..4).prop_map(|(pool, id)| format!("0 8 thin {pool} {id}")),
        (dev(), dev()).prop_map(|(pool, origin)| format!("0 8 thin {pool} 1 {origin}")),
        dev().prop_map(|dev| format!("0 8 linear {dev} 0")),
        dev().prop_map(|dev| format!("0 8 thin Fail {dev}")),
        "18446744073709551615 9 [a-z]{1,6} \\PC{0,8}",
        "\\PC{0,20}",
    ];
    proptest::collection::vec(line, 0..3).prop_map(|lines| lines.join("\n"))
}

fn device() -> impl Strategy<Value = SeenDm> {
    let name = prop_oneof!["v-[a-d](-tpool)?", "docker-[ab]", "\\PC{0,4}"];
    let status = prop_oneof![
        Just("0 8 thin-pool 1 2/4 3/9 - rw".to_owned()),
        Just("0 8 thin 8 -".to_owned()),
        "\\PC{0,12}",
    ];
    (dev(), name, uuid(), table(), any::<bool>(), status).prop_map(
        |(dev, name, uuid, table, unseen, status)| {
            let mut seen = SeenDm::new(dev, dm(&name, &uuid, &table));
            seen.unseen = unseen.then(|| "no answer".into());
            seen.status = Status::Lines(parse_status(status.as_bytes()));
            seen
        },
    )
}

fn disk() -> impl Strategy<Value = SysBlockDevice> {
    let name = prop_oneof!["sd[a-c]", "loop[0-2]", "dm-[0-4]"];
    (name, dev(), dev(), 0_u64..3, any::<bool>()).prop_map(
        |(name, dev, part_dev, size, on_file)| {
            let mut raw = block(&name, &dev.to_string(), size, &[("wwid", "one and the same")]);
            if on_file {
                raw.attrs.insert("loop/backing_file".to_owned(), "/data (deleted)".into());
            }
            raw.slaves = vec!["sda".into(), "dm-1".into(), name.as_str().into()];
            raw.parts = vec![part(&format!("{name}1"), &part_dev.to_string(), 1, 1)];
            raw
        },
    )
}

fn volumes() -> impl Strategy<Value = LvmSeen> {
    let uuid = |c: &str| {
        let c = c.chars().next().unwrap_or('a').to_string();
        [6, 4, 4, 4, 4, 4, 6].map(|n| c.repeat(n)).join("-")
    };
    let lv = ("[a-d]", "[ab]", "(thin-pool|thin|linear|)", "[a-d]?", 0_u32..4).prop_map(
        move |(name, vg, segtype, other, id)| {
            let (lv, vg) = (uuid(&name), uuid(&vg));
            format!(
                r#"{{"lv_uuid":"{lv}","vg_uuid":"{vg}","lv_name":"{name}","segtype":"{segtype}",
                "pool_lv":"{other}","data_lv":"[{other}]","metadata_lv":"[{name}]",
                "origin":"{other}","thin_id":"{id}"}}"#
            )
        },
    );
    let pv = ("[ab]?", "[pq]", "(/dev/sda|/dev/mapper/v-a|[a-z]{0,3})").prop_map(
        move |(vg, pv, path)| {
            let vg = uuid(&vg);
            format!(r#"{{"pv_uuid":"{pv}","vg_uuid":"{vg}","pv_name":"{path}"}}"#)
        },
    );
    let vg = "[a-c]".prop_map(move |vg| {
        let id = uuid(&vg);
        format!(r#"{{"vg_uuid":"{id}","vg_name":"v"}}"#)
    });
    let rows = |row: BoxedStrategy<String>| proptest::collection::vec(row, 0..5);
    (rows(vg.boxed()), rows(pv.boxed()), rows(lv.boxed())).prop_map(|(vg, pv, lv)| {
        let (vg, pv, lv) = (vg.join(","), pv.join(","), lv.join(","));
        let json =
            format!(r#"{{"report":[{{"vg":[{vg}],"pv":[{pv}],"lv":[{lv}],"seg":[{lv}]}}]}}"#);
        let report = report::parse_report(json.as_bytes());
        assert_eq!(report.broken, None, "{json}");
        LvmSeen { vgs: report.vgs, pvs: report.pvs, lvs: report.lvs, ..LvmSeen::default() }
    })
}

fn engine() -> impl Strategy<Value = OwnedPool> {
    let backing = prop_oneof![
        Just(Backing::Given),
        Just(Backing::Devices {
            data: HostPath::new("/dev/sda"),
            metadata: HostPath::new("/dev/v/a")
        }),
        Just(Backing::LoopFiles {
            data: HostPath::new("/data"),
            metadata: HostPath::new("/data"),
            data_size: None,
            metadata_size: None,
        }),
    ];
    let device = (proptest::option::of(0_u64..5), "docker-[a-c]");
    let devices = proptest::collection::vec(device, 0..6);
    ("v-[a-d](-tpool)?|docker-[ab]", any::<bool>(), backing, devices).prop_map(
        |(pool, pool_name_certain, backing, devices)| OwnedPool {
            engine: Engine::Docker,
            root: HostPath::new("/d"),
            root_index: 0,
            pool_name: pool.into_bytes(),
            pool_name_certain,
            prefix: "docker".to_owned(),
            backing,
            devices: devices.into_iter().map(|(id, name)| owned_device(id, &name)).collect(),
            names_all: true,
            transaction: None,
        },
    )
}

fn owned_device(id: Option<u64>, name: &str) -> OwnedDevice {
    let (name, dm_name) = (name.into(), name.as_bytes().to_vec());
    OwnedDevice {
        id: id.and_then(ThinId::new),
        role: Role::ImageLayer,
        ..OwnedDevice::named(name, dm_name, "file".into())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_facts_make_a_broken_tree(
        devices in proptest::collection::vec(device(), 0..9),
        disks in proptest::collection::vec(disk(), 0..4),
        lvm in proptest::option::of(volumes()),
        engines in proptest::collection::vec(engine(), 0..3),
    ) {
        let gaps = Vec::new();
        let facts = Facts {
            dm: Some(Arc::new(DmSeen { devices, gaps, ..DmSeen::default() })),
            block: Some(Arc::new(seen_blocks(disks))),
            lvm: lvm.map(Arc::new),
            ..Facts::default()
        };
        let assembled = assemble_owned(&facts, &Owned { pools: engines, gaps: Vec::new() });
        assert_sound(&assembled.topology);
        // made again, it is the same to the letter
        let again = assemble_owned(&facts, &Owned { pools: Vec::new(), gaps: Vec::new() });
        let once_more = assemble_owned(&facts, &Owned { pools: Vec::new(), gaps: Vec::new() });
        prop_assert_eq!(format!("{:?}", again.topology.nodes), format!("{:?}", once_more.topology.nodes));
    }
}

#[test]
fn a_name_that_means_harm_is_printable_everywhere() {
    let evil = "\u{1b}[2J\n\u{202e}x";
    let mut seen = SeenDm::new(DevNo::new(253, 0), dm(evil, evil, "0 8 linear 8:0 0"));
    seen.device.name = Raw([evil.as_bytes(), b"\xff"].concat());
    let facts = Facts {
        dm: Some(Arc::new(DmSeen { devices: vec![seen], ..DmSeen::default() })),
        block: Some(Arc::new(seen_blocks(vec![block("sda", "8:0", 8, &[("wwid", evil)])]))),
        mounts: Some(Arc::new(MountsSeen::default())),
        ..Facts::default()
    };
    let assembled = assemble_owned(&facts, &Owned::default());
    for node in &assembled.topology.nodes {
        let safe = |text: &str| text.chars().all(|c| !c.is_control() && c != '\u{202e}');
        assert!(safe(node.id.as_str()) && safe(node.name.as_str()), "{node:?}");
    }
}

/// Ten thousand devices of an engine, a tenth of them active.
fn many(count: u32) -> (Facts, Owned) {
    let mut devices = vec![
        SeenDm::new(DevNo::new(253, 0), dm("m", "", "0 8 linear 8:0 0")),
        SeenDm::new(DevNo::new(253, 1), dm("d", "", "0 8 linear 8:0 8")),
        SeenDm::new(DevNo::new(253, 2), dm("pool", "", "0 8 thin-pool 253:0 253:1 128 0 0")),
    ];
    let name = |id: u32| format!("docker-8:1-5-{id:064}");
    for id in (0..count).step_by(10) {
        let mut seen = SeenDm::new(
            DevNo::new(253, id + 10),
            dm(&name(id), "", &format!("0 20971520 thin 253:2 {id}")),
        );
        seen.status = Status::Lines(parse_status(b"0 20971520 thin 1280 20971519"));
        devices.push(seen);
    }
    let owned = (0..count).map(|id| owned_device(Some(u64::from(id)), &name(id))).collect();
    let pool = OwnedPool {
        engine: Engine::Docker,
        root: HostPath::new("/d"),
        root_index: 0,
        pool_name: b"pool".to_vec(),
        pool_name_certain: true,
        prefix: "docker-8:1-5".to_owned(),
        backing: Backing::Given,
        devices: owned,
        names_all: true,
        transaction: None,
    };
    let facts = Facts {
        dm: Some(Arc::new(DmSeen { devices, ..DmSeen::default() })),
        block: Some(Arc::new(seen_blocks(vec![block("sda", "8:0", 800, &[])]))),
        ..Facts::default()
    };
    (facts, Owned { pools: vec![pool], gaps: Vec::new() })
}

#[test]
fn ten_times_the_devices_take_about_ten_times_as_long() {
    let fastest = |count: u32| {
        let (facts, owned) = many(count);
        let run = |_| {
            // of this thread alone: what else the machine does is no matter
            let worked = || {
                let clock = nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID;
                std::time::Duration::from(clock.now().expect("every Linux has this clock"))
            };
            let start = worked();
            let assembled = assemble_owned(&facts, &owned);
            assert_eq!(assembled.topology.thins.len(), count as usize);
            worked().saturating_sub(start)
        };
        (0..5).map(run).min().expect("it ran five times")
    };
    let (few, many) = (fastest(2_000), fastest(20_000));
    // a quadratic step would make it a hundred times as long
    assert!(many < few * 40, "2,000 devices took {few:?}, 20,000 took {many:?}");
}
