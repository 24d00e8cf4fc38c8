//! Hosts drawn up by hand: what rests on what, in every shape that pools are met in.

use std::sync::Arc;

use super::super::assemble_owned;
use super::draw::{assert_sound, draw, draw_thins};
use crate::ids::{DevNo, ThinId};
use crate::model::{Engine, PoolKind, PoolState, Role};
use crate::owner::{Backing, Owned, OwnedDevice, OwnedPool};
use crate::probe::dm::status::parse_status;
use crate::probe::dm::{DmSeen, Status};
use crate::probe::lvm::{LvmSeen, report};
use crate::probe::testing::{block, dm, part, seen_blocks, seen_dm};
use crate::probe::{Assembled, Facts, assemble};
use crate::sys::{DmDevice, EntryKind, FileStat, HostPath, SysBlockDevice};
use crate::text::Printable;
use crate::units::{Bytes, DataBlocks};

const VG: &str = "g7feV2nMZ5ayck0R2es1VZU2kknAHme0";

/// Device-mapper's uuid of an LV; its own uuid is one character, 32 times.
fn uuid(lv: char, suffix: &str) -> String {
    let dash = if suffix.is_empty() { "" } else { "-" };
    format!("LVM-{VG}{}{dash}{suffix}", lv.to_string().repeat(32))
}

fn facts(dm: &[((u32, u32), DmDevice)], blocks: Vec<SysBlockDevice>) -> Facts {
    Facts {
        dm: Some(Arc::new(seen_dm(dm))),
        block: Some(Arc::new(seen_blocks(blocks))),
        ..Facts::default()
    }
}

/// The same with a status for one device.
fn with_status(mut facts: Facts, dev: (u32, u32), status: &str) -> Facts {
    let mut dm: DmSeen = facts.dm.as_deref().cloned().unwrap_or_default();
    for device in dm.devices.iter_mut().filter(|d| d.dev == DevNo::new(dev.0, dev.1)) {
        device.status = Status::Lines(parse_status(status.as_bytes()));
    }
    facts.dm = Some(Arc::new(dm));
    facts
}

pub(super) fn lvm(json: &str) -> Arc<LvmSeen> {
    let report = report::parse_report(json.as_bytes());
    assert_eq!(report.broken, None);
    let (vgs, pvs, lvs) = (report.vgs, report.pvs, report.lvs);
    Arc::new(LvmSeen { vgs, pvs, lvs, whole: true, ..LvmSeen::default() })
}

pub(super) fn device(prefix: &str, name: &str, id: Option<u64>, role: Role) -> OwnedDevice {
    OwnedDevice {
        id: id.and_then(ThinId::new),
        name: name.into(),
        dm_name: format!("{prefix}-{name}").into_bytes(),
        role,
        images: Vec::new(),
        position: None,
        chain_id: None,
        container: None,
        parent: None,
        size: Some(Bytes(10 << 30)),
        transaction_id: id,
        deferred_deletion: false,
        by: format!("metadata/{name}").into(),
        note: None,
    }
}

pub(super) fn docker(pool: &str, backing: Backing, devices: Vec<OwnedDevice>) -> Owned {
    let pool = OwnedPool {
        engine: Engine::Docker,
        root: HostPath::new("/var/lib/docker"),
        root_index: 0,
        pool_name: pool.into(),
        pool_name_certain: true,
        prefix: "docker-8:1-5".to_owned(),
        backing,
        devices,
        names_all: true,
        transaction: None,
    };
    Owned { pools: vec![pool], gaps: Vec::new() }
}

fn sound(assembled: Assembled) -> Assembled {
    assert_sound(&assembled.topology);
    assembled
}

/// A direct-lvm pool in the shape that LVM gives one it has no volumes in.
pub(super) fn direct_lvm() -> Facts {
    facts(
        &[
            (
                (253, 0),
                dm("docker-thinpool_tmeta", &uuid('m', "tmeta"), "0 2088960 linear 254:16 8"),
            ),
            (
                (253, 1),
                dm("docker-thinpool_tdata", &uuid('d', "tdata"), "0 800 linear 254:16 2088968"),
            ),
            (
                (253, 2),
                dm(
                    "docker-thinpool",
                    &uuid('p', "tpool"),
                    "0 800 thin-pool 253:0 253:1 128 0 1 skip_block_zeroing",
                ),
            ),
            ((253, 3), dm("docker-8:1-5-abc", "", "0 20971520 thin 253:2 7")),
        ],
        vec![block("vdb", "254:16", 209_715_200, &[])],
    )
}

#[test]
fn a_direct_lvm_pool_is_the_lv_s_own_device_and_docker_s_ids_are_all_there() {
    let owned = docker(
        "docker-thinpool",
        Backing::Given,
        vec![
            device("docker-8:1-5", "base", Some(1), Role::Base),
            device("docker-8:1-5", "abc", Some(7), Role::Container),
        ],
    );
    let facts = with_status(direct_lvm(), (253, 3), "0 20971520 thin 1280 20971519");
    let assembled = sound(assemble_owned(&facts, &owned));
    assert_eq!(
        draw(&assembled.topology),
        [
            "disk vdb 254:16",
            "pv vdb - < disk vdb",
            "vg docker - < pv vdb",
            "tmeta docker-thinpool_tmeta 253:0 < vg docker",
            "tdata docker-thinpool_tdata 253:1 < vg docker",
            "pool docker-thinpool 253:2 < tdata docker-thinpool_tdata, tmeta docker-thinpool_tmeta",
            "thin docker-8:1-5-base - < pool docker-thinpool",
            "thin docker-8:1-5-abc 253:3 < pool docker-thinpool",
        ]
    );
    let pool = &assembled.topology.pools[0];
    assert_eq!((pool.kind, pool.engines.as_slice()), (PoolKind::DirectLvm, &[Engine::Docker][..]));
    assert_eq!(pool.metadata_size, Some(Bytes(2_088_960 * 512)));
    let thins = &assembled.topology.thins;
    assert_eq!((thins[0].active, thins[0].mapped), (false, None));
    assert_eq!((thins[1].active, thins[1].mapped), (true, Some(Bytes(1280 * 512))));
    assert_eq!(thins[1].size, Some(Bytes(20_971_520 * 512)));
}

#[test]
fn an_active_thin_device_that_nobody_names_is_unknown_and_not_leaked() {
    let assembled = sound(assemble(&direct_lvm()));
    assert_eq!(draw_thins(&assembled.topology), ["7 unknown unknown docker-8:1-5-abc < - active"]);
    // LVM owns it, nobody is known to use it: neither Docker's nor LVM's
    assert_eq!(assembled.topology.pools[0].kind, PoolKind::Raw);
}

#[test]
fn a_device_under_an_old_prefix_is_found_by_pool_and_id() {
    let moved = docker(
        "docker-thinpool",
        Backing::Given,
        vec![device("docker-8:2-999", "abc", Some(7), Role::Container)],
    );
    let topology = sound(assemble_owned(&direct_lvm(), &moved)).topology;
    assert_eq!(draw_thins(&topology), ["7 container docker abc < - active"]);
    assert_eq!(topology.node(topology.thins[0].node).name, "docker-8:1-5-abc");
    assert_eq!(topology.thins[0].dm_name, Some("docker-8:1-5-abc".into()));
}

#[test]
fn in_fail_mode_a_thin_device_is_found_by_its_name() {
    let mut host = direct_lvm();
    let mut failed = host.dm.as_deref().cloned().unwrap_or_default();
    if let Some(thin) = failed.devices.last_mut() {
        let mut fail = dm("docker-8:1-5-abc", "", "0 20971520 thin Fail");
        fail.deps = vec![DevNo::new(253, 2)];
        *thin = crate::probe::dm::SeenDm::new(thin.dev, fail);
    }
    host.dm = Some(Arc::new(failed));
    let host = with_status(host, (253, 2), "0 800 thin-pool Fail");
    let owned = docker(
        "docker-thinpool",
        Backing::Given,
        vec![device("docker-8:1-5", "abc", Some(7), Role::Container)],
    );
    let topology = sound(assemble_owned(&host, &owned)).topology;
    assert_eq!(draw_thins(&topology), ["7 container docker abc < - active"]);
    assert_eq!(
        (&topology.pools[0].state, topology.pools[0].mode()),
        (&PoolState::Failed, Some("fail"))
    );
    let nobody = sound(assemble(&host)).topology;
    assert_eq!(draw_thins(&nobody), ["- unknown unknown docker-8:1-5-abc < - active"]);
}

#[test]
fn two_claims_on_one_id_are_one_row() {
    let owned = docker(
        "docker-thinpool",
        Backing::Given,
        vec![
            device("docker-8:1-5", "abc", Some(7), Role::Container),
            device("docker-8:1-5", "old", Some(7), Role::Unknown),
            device("docker-8:1-5", "broken", None, Role::Unknown),
        ],
    );
    let topology = sound(assemble_owned(&direct_lvm(), &owned)).topology;
    assert_eq!(
        draw_thins(&topology),
        ["7 container docker abc < - active", "- unknown docker broken < -"]
    );
    let claims: Vec<_> = topology.thins[0].claims.iter().map(|claim| claim.by.as_str()).collect();
    assert_eq!(claims, ["metadata/abc", "metadata/old"]);
    assert!(topology.thins[1].claims.is_empty());
}

fn loop_files() -> Backing {
    let path = |name| HostPath::new("/var/lib/docker/devicemapper/devicemapper").join(name);
    Backing::LoopFiles {
        data: path("data"),
        metadata: path("metadata"),
        data_size: Some((Bytes(100 << 30), Bytes(300 << 20))),
        metadata_size: Some((Bytes(2 << 30), Bytes(5 << 20))),
    }
}

fn loop_over(name: &str, dev: &str, file: &str) -> SysBlockDevice {
    let path = format!("/var/lib/docker/devicemapper/devicemapper/{file}");
    let mut raw = block(name, dev, 209_715_200, &[("loop/backing_file", &path)]);
    raw.backing = Some(FileStat {
        kind: EntryKind::File,
        dev: DevNo::new(8, 1),
        rdev: DevNo::new(0, 0),
        ino: 9,
        size: 107_374_182_400,
        allocated: 300 << 20,
        mtime: 0,
    });
    raw
}

#[test]
fn a_loop_lvm_pool_rests_on_loops_and_they_on_files() {
    let mut disk = block("sda", "8:0", 800, &[]);
    disk.parts = vec![part("sda1", "8:1", 400, 1)];
    let host = facts(
        &[(
            (253, 0),
            dm(
                "docker-8:1-5-pool",
                "",
                "0 209715200 thin-pool 7:1 7:0 128 32768 1 skip_block_zeroing",
            ),
        )],
        vec![disk, loop_over("loop0", "7:0", "data"), loop_over("loop1", "7:1", "metadata")],
    );
    let owned = docker("docker-8:1-5-pool", loop_files(), Vec::new());
    let topology = sound(assemble_owned(&host, &owned)).topology;
    let folder = "/var/lib/docker/devicemapper/devicemapper";
    assert_eq!(
        draw(&topology),
        [
            "disk sda 8:0".to_owned(),
            "part sda1 8:1 < disk sda".to_owned(),
            format!("file {folder}/data - < part sda1"),
            format!("loop loop0 7:0 < file {folder}/data"),
            format!("file {folder}/metadata - < part sda1"),
            format!("loop loop1 7:1 < file {folder}/metadata"),
            "pool docker-8:1-5-pool 253:0 < loop loop0, loop loop1".to_owned(),
        ]
    );
    let pool = &topology.pools[0];
    assert_eq!((pool.kind, pool.low_water.map(DataBlocks::get)), (PoolKind::LoopLvm, Some(32768)));
    let file = topology.node(topology.node(pool.data.expect("it is active")).parents[0]);
    let sizes = file.facts.file.as_deref().expect("its file could be looked at");
    assert_eq!((sizes.apparent, sizes.allocated), (Bytes(107_374_182_400), Bytes(300 << 20)));
}

#[test]
fn with_the_daemon_dead_a_loop_lvm_pool_is_inactive_on_its_two_files() {
    let owned = docker(
        "docker-8:1-5-pool",
        loop_files(),
        vec![device("docker-8:1-5", "base", Some(1), Role::Base)],
    );
    let topology = sound(assemble_owned(&facts(&[], Vec::new()), &owned)).topology;
    let folder = "/var/lib/docker/devicemapper/devicemapper";
    assert_eq!(
        draw(&topology),
        [
            format!("file {folder}/data -"),
            format!("file {folder}/metadata -"),
            format!("pool docker-8:1-5-pool - < file {folder}/data, file {folder}/metadata"),
            "thin docker-8:1-5-base - < pool docker-8:1-5-pool".to_owned(),
        ]
    );
    let pool = &topology.pools[0];
    assert_eq!((pool.kind, &pool.state), (PoolKind::LoopLvm, &PoolState::Inactive));
    assert_eq!(pool.data_size, Some(Bytes(100 << 30)));
}

#[test]
fn a_raw_pool_over_two_lvs_rests_on_the_lvs() {
    let host = facts(
        &[
            ((253, 0), dm("vg-data", &uuid('d', ""), "0 800 linear 8:16 8")),
            ((253, 1), dm("vg-meta", &uuid('m', ""), "0 80 linear 8:16 808")),
            ((253, 2), dm("docker-8:1-5-pool", "", "0 800 thin-pool 253:1 253:0 128 32768 0")),
        ],
        vec![block("sdb", "8:16", 8000, &[])],
    );
    let (data, metadata) = (HostPath::new("/dev/vg/data"), HostPath::new("/dev/mapper/vg-meta"));
    let backing = Backing::Devices { data, metadata };
    let topology =
        sound(assemble_owned(&host, &docker("docker-8:1-5-pool", backing.clone(), vec![])))
            .topology;
    let lines = draw(&topology);
    assert_eq!(
        lines.last().map(String::as_str),
        Some("pool docker-8:1-5-pool 253:2 < lv vg-data, lv vg-meta")
    );
    assert_eq!(topology.pools[0].kind, PoolKind::Raw);
    // inactive, its parents come from docker's configuration
    let mut dead = host;
    dead.dm = dead.dm.as_deref().cloned().map(|mut dm| {
        dm.devices.truncate(2);
        Arc::new(dm)
    });
    let topology =
        sound(assemble_owned(&dead, &docker("docker-8:1-5-pool", backing, vec![]))).topology;
    let lines = draw(&topology);
    assert_eq!(
        lines.last().map(String::as_str),
        Some("pool docker-8:1-5-pool - < lv vg-data, lv vg-meta")
    );
}

#[test]
fn a_raid1_tmeta_and_its_images_rest_on_the_vg_and_say_what_they_are_made_of() {
    let host = facts(
        &[
            ((253, 0), dm("vg-p_tmeta_rmeta_0", &uuid('a', ""), "0 8 linear 8:0 0")),
            ((253, 1), dm("vg-p_tmeta_rimage_0", &uuid('b', ""), "0 8 linear 8:0 8")),
            ((253, 2), dm("vg-p_tmeta_rmeta_1", &uuid('c', ""), "0 8 linear 8:16 0")),
            ((253, 3), dm("vg-p_tmeta_rimage_1", &uuid('e', ""), "0 8 linear 8:16 8")),
            (
                (253, 4),
                dm(
                    "vg-p_tmeta",
                    &uuid('m', "tmeta"),
                    "0 8 raid raid1 3 0 region_size 1024 2 253:0 253:1 253:2 253:3",
                ),
            ),
            ((253, 5), dm("vg-p_tdata", &uuid('d', "tdata"), "0 800 linear 8:0 16")),
            ((253, 6), dm("vg-p", &uuid('p', "tpool"), "0 800 thin-pool 253:4 253:5 128 0 0")),
        ],
        vec![block("sda", "8:0", 8000, &[]), block("sdb", "8:16", 8000, &[])],
    );
    let topology = sound(assemble(&host)).topology;
    assert_eq!(
        draw(&topology),
        [
            "disk sda 8:0",
            "disk sdb 8:16",
            "pv sda - < disk sda",
            "pv sdb - < disk sdb",
            "vg vg - < pv sda, pv sdb",
            "lv vg-p_tmeta_rmeta_0 253:0 < vg vg",
            "lv vg-p_tmeta_rimage_0 253:1 < vg vg",
            "lv vg-p_tmeta_rmeta_1 253:2 < vg vg",
            "lv vg-p_tmeta_rimage_1 253:3 < vg vg",
            "tmeta vg-p_tmeta 253:4 < vg vg",
            "tdata vg-p_tdata 253:5 < vg vg",
            "pool vg-p 253:6 < tdata vg-p_tdata, tmeta vg-p_tmeta",
        ]
    );
    let note = topology.nodes[9].facts.note.as_ref().map(Printable::as_str);
    assert_eq!(
        note,
        Some(
            "made of vg-p_tmeta_rmeta_0, vg-p_tmeta_rimage_0, vg-p_tmeta_rmeta_1, \
             vg-p_tmeta_rimage_1"
        )
    );
}

#[test]
fn a_pv_on_luks_rests_on_the_crypt_device() {
    let mut disk = block("sda", "8:0", 8000, &[]);
    disk.parts = vec![part("sda1", "8:1", 800, 1)];
    let mut host = facts(
        &[
            (
                (253, 0),
                dm("luks-x", "CRYPT-LUKS2-ab-luks-x", "0 800 crypt aes :64:logon:k 0 8:1 32768"),
            ),
            ((253, 1), dm("vg-root", &uuid('r', ""), "0 80 linear 253:0 2048")),
        ],
        vec![disk],
    );
    let expected = [
        "disk sda 8:0",
        "part sda1 8:1 < disk sda",
        "crypt luks-x 253:0 < part sda1",
        "pv luks-x - < crypt luks-x",
        "vg vg - < pv luks-x",
        "lv vg-root 253:1 < vg vg",
    ];
    let told = sound(assemble(&host));
    let mut lines = draw(&told.topology);
    lines.sort_by_key(|line| expected.iter().position(|e| e == line));
    assert_eq!(lines, expected);
    host.lvm = Some(lvm(r#"{"report":[
        {"vg":[{"vg_uuid":"g7feV2-nMZ5-ayck-0R2e-s1VZ-U2kk-nAHme0","vg_name":"vg","vg_size":"4096"}],
         "pv":[{"pv_uuid":"P1","vg_uuid":"g7feV2-nMZ5-ayck-0R2e-s1VZ-U2kk-nAHme0","vg_name":"vg",
                "pv_name":"/dev/mapper/luks-x","pv_size":"4096"}],
         "lv":[{"lv_uuid":"rrrrrr-rrrr-rrrr-rrrr-rrrr-rrrr-rrrrrr","lv_name":"root",
                "vg_uuid":"g7feV2-nMZ5-ayck-0R2e-s1VZ-U2kk-nAHme0"}]}]}"#));
    let reported = sound(assemble(&host));
    let mut lines = draw(&reported.topology);
    lines.sort_by_key(|line| expected.iter().position(|e| e == line));
    assert_eq!(lines, expected);
    assert_eq!(reported.gaps, []);
}

#[test]
fn an_inactive_lvm_pool_and_a_missing_pv_are_there_without_a_device() {
    let report = include_str!("../../../../tests/data/lvm/fullreport-missing-pv.json");
    let host = Facts {
        block: Some(Arc::new(seen_blocks(vec![
            block("loop0", "7:0", 614_400, &[("loop/backing_file", "/a.img")]),
            block("loop2", "7:2", 204_800, &[("loop/backing_file", "/c.img")]),
        ]))),
        lvm: Some(lvm(report)),
        ..Facts::default()
    };
    let owned = docker("docker-thinpool", Backing::Given, vec![]);
    let assembled = sound(assemble_owned(&host, &owned));
    let topology = &assembled.topology;
    assert_eq!(
        draw(topology),
        [
            "file /a.img -",
            "loop loop0 7:0 < file /a.img",
            "file /c.img -",
            "loop loop2 7:2 < file /c.img",
            "pv loop0 - < loop loop0",
            "pv [unknown] -",
            "vg docker - < pv loop0, pv [unknown]",
            "pmspare docker-lvol0_pmspare - < vg docker",
            "lv docker-plain - < vg docker",
            "tdata docker-thinpool_tdata - < vg docker",
            "tmeta docker-thinpool_tmeta - < vg docker",
            "lv docker-thinpool_tmeta_rimage_0 - < vg docker",
            "lv docker-thinpool_tmeta_rimage_1 - < vg docker",
            "lv docker-thinpool_tmeta_rmeta_0 - < vg docker",
            "lv docker-thinpool_tmeta_rmeta_1 - < vg docker",
            "tdata docker-tp2_tdata - < vg docker",
            "tmeta docker-tp2_tmeta - < vg docker",
            "pool docker-thinpool - < tdata docker-thinpool_tdata, tmeta docker-thinpool_tmeta",
            "pool docker-tp2-tpool - < tdata docker-tp2_tdata, tmeta docker-tp2_tmeta",
            "thin docker-snap_vm--100--disk--0_s1 - < pool docker-tp2-tpool",
            "thin docker-vm--100--disk--0 - < pool docker-tp2-tpool",
            "pv loop2 - < loop loop2",
        ]
    );
    let kinds: Vec<_> =
        topology.pools.iter().map(|p| (p.name.as_str(), p.kind, p.mode())).collect();
    assert_eq!(
        kinds,
        [
            ("docker-thinpool", PoolKind::DirectLvm, Some("inactive")),
            ("docker-tp2-tpool", PoolKind::LvmThin, Some("inactive")),
        ]
    );
    assert_eq!(topology.pools[1].engines, [Engine::Lvm]);
    assert_eq!(topology.pools[0].data_size, Some(Bytes(104_857_600)));
    let missing =
        topology.nodes.iter().filter_map(|node| node.facts.pv.as_ref()).filter(|pv| pv.missing);
    assert_eq!(missing.count(), 1);
}

#[test]
fn what_a_pool_s_status_does_not_say_is_unseen_and_never_a_figure() {
    for (status, why) in [
        ("0 8 thin-pool Error", "the kernel could not gather its status"),
        ("0 8 thin-pool 1 2 3", "its status is of no known form: 0 8 thin-pool 1 2 3"),
        ("", "its status is of no known form: "),
    ] {
        let topology = assemble(&with_status(direct_lvm(), (253, 2), status)).topology;
        assert_eq!(topology.pools[0].state, PoolState::Unseen { why: why.into() });
        assert_eq!(topology.pools[0].mode(), None);
    }
}

#[test]
fn a_pool_that_could_not_be_asked_is_still_a_pool_under_its_devices() {
    let mut host = direct_lvm();
    let mut dm = host.dm.as_deref().cloned().unwrap_or_default();
    dm.devices.retain(|device| device.dev.minor >= 2);
    for pool in dm.devices.iter_mut().filter(|device| device.dev.minor == 2) {
        pool.device = DmDevice { name: "docker-thinpool".into(), ..DmDevice::default() };
        pool.targets.clear();
        pool.unseen = Some("no answer".into());
    }
    host.dm = Some(Arc::new(dm));
    let topology = sound(assemble(&host)).topology;
    assert_eq!(
        draw(&topology),
        [
            "disk vdb 254:16",
            "pool docker-thinpool 253:2",
            "thin docker-8:1-5-abc 253:3 < pool docker-thinpool"
        ]
    );
    assert_eq!(topology.pools[0].state, PoolState::Unseen { why: "no answer".into() });
}

#[test]
fn lvm_missing_on_a_host_without_lvm_is_no_gap() {
    let mut host = facts(&[], vec![block("sda", "8:0", 8, &[])]);
    let absent =
        LvmSeen { not_installed: Some("lvm is not installed".into()), ..LvmSeen::default() };
    host.lvm = Some(Arc::new(absent.clone()));
    assert_eq!(assemble(&host).gaps, []);
    let mut host = direct_lvm();
    host.lvm = Some(Arc::new(absent));
    let gaps = assemble(&host).gaps;
    assert!(
        gaps.iter().any(|gap| gap.why.as_str().starts_with("lvm is not installed")),
        "{gaps:?}"
    );
}

#[test]
fn multipath_md_and_their_partitions_keep_their_kinds() {
    let mut md = block("md0", "9:0", 80, &[("md/level", "raid1")]);
    md.slaves = vec!["dm-1".into(), "sdc".into()];
    let topology = sound(assemble(&facts(
        &[
            (
                (253, 0),
                dm(
                    "mpatha",
                    "mpath-3600",
                    "0 80 multipath 0 0 1 1 service-time 0 2 2 8:0 1 1 8:16 1 1",
                ),
            ),
            ((253, 1), dm("mpatha-part1", "part1-mpath-3600", "0 40 linear 253:0 8")),
            ((253, 2), dm("odd", "", "0 4 striped 2 8 8:32 0 8:32 8\n4 4 error")),
        ],
        vec![
            block("sda", "8:0", 80, &[]),
            block("sdb", "8:16", 80, &[]),
            block("sdc", "8:32", 80, &[]),
            md,
        ],
    )))
    .topology;
    let mut lines = draw(&topology);
    lines.sort();
    assert_eq!(
        lines,
        [
            "disk sda 8:0",
            "disk sdb 8:16",
            "disk sdc 8:32",
            "mpath mpatha 253:0 < disk sda, disk sdb",
            "other odd 253:2 < disk sdc",
            "part mpatha-part1 253:1 < mpath mpatha",
            "raid md0 9:0 < part mpatha-part1, disk sdc",
        ]
    );
}
