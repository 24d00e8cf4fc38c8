//! Hosts drawn up by hand: what rests on what, in every shape that pools are met in.

mod below;

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
pub(super) fn with_status(mut facts: Facts, dev: (u32, u32), status: &str) -> Facts {
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
        unfinished: false,
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
