//! What stands below a pool or beside it: volumes, mirrors, encryption, paths, and what is missing.

use super::*;
use crate::model::Gap;

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
fn a_pool_is_not_called_inactive_while_nobody_could_list_the_devices() {
    let report = include_str!("../../../../../tests/data/lvm/fullreport-missing-pv.json");
    let silent = DmSeen { unlisted: Some("no answer".into()), ..DmSeen::default() };
    let with = |dm: DmSeen| {
        let host = Facts { dm: Some(Arc::new(dm)), lvm: Some(lvm(report)), ..Facts::default() };
        let owned = docker("docker-thinpool", Backing::Given, vec![]);
        let states = assemble_owned(&host, &owned).topology.pools.into_iter();
        states.map(|pool| pool.state).collect::<Vec<_>>()
    };
    let unseen = PoolState::Unseen { why: "no answer".into() };
    assert_eq!(with(silent), [unseen.clone(), unseen]);
    assert_eq!(with(DmSeen::default()), [PoolState::Inactive, PoolState::Inactive]);
}

#[test]
fn an_inactive_lvm_pool_and_a_missing_pv_are_there_without_a_device() {
    let report = include_str!("../../../../../tests/data/lvm/fullreport-missing-pv.json");
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
        (
            "0 8 thin-pool Error",
            "its status is `Error`: the kernel could not read the pool's own metadata to tell it; \
             `dmesg` may say why",
        ),
        ("0 8 thin-pool 1 2 3", "its status is of no known form: 0 8 thin-pool 1 2 3"),
        ("", "its status is of no known form: "),
    ] {
        let Assembled { topology, gaps, .. } =
            assemble(&with_status(direct_lvm(), (253, 2), status));
        // nobody says then that nothing is left unseen
        let gaps: Vec<_> =
            gaps.iter().filter(|gap| gap.source.as_str().starts_with("dm")).collect();
        assert_eq!(gaps, [&Gap::new("dm docker-thinpool", why)]);
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
