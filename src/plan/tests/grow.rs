use super::{
    around, commands, grow, must_plan, must_refuse, occasion, planned, pool_mut, recorded,
    status_mut,
};
use crate::intent::{Activate, Intent};
use crate::model::{Mode, PoolState};
use crate::plan::{Action, Danger, Planned, Want, plan};
use crate::units::{Bytes, DataBlocks, MetadataBlocks, Sectors};

#[test]
fn an_lvm_pool_takes_all_that_is_free_in_extents() {
    // the recorded VG has 78 free extents of 4 MiB; `vgs` said so when it was recorded
    let plan = must_plan(&grow(Some("100%FREE"), None, &[]), &recorded("direct-lvm"));
    assert_eq!(commands(&plan), ["lvextend -l +78 docker/thinpool"]);
    assert!(plan.warnings.iter().any(|warning| warning.contains("nothing is left")));
}

#[test]
fn a_size_is_rounded_up_to_extents_and_counted_from_what_is_there() {
    let host = recorded("direct-lvm");
    for (size, extents) in [("+1b", 1), ("+4M", 1), ("+4097K", 2), ("+100M", 25)] {
        let plan = must_plan(&grow(Some(size), None, &[]), &host);
        assert_eq!(commands(&plan), [format!("lvextend -l +{extents} docker/thinpool")], "{size}");
    }
}

#[test]
fn metadata_comes_before_data_and_its_spare_is_paid_for() {
    let plan = must_plan(&grow(Some("+40M"), Some("+8M"), &[]), &recorded("direct-lvm"));
    assert_eq!(
        commands(&plan),
        [
            "lvextend --poolmetadatasize +8388608b docker/thinpool",
            "lvextend -l +10 docker/thinpool"
        ]
    );
    // 78 free, 2 for metadata, 2 for the spare: 74 are left for data
    let plan = must_plan(&grow(Some("100%FREE"), Some("+8M"), &[]), &recorded("direct-lvm"));
    assert_eq!(commands(&plan)[1], "lvextend -l +74 docker/thinpool");
}

#[test]
fn what_does_not_fit_is_refused_with_what_is_free() {
    let why = must_refuse(&grow(Some("+1T"), None, &[]), &recorded("direct-lvm"));
    assert!(why.contains("has 78 free"), "{why}");
    let mut full = recorded("direct-lvm");
    for node in &mut full.nodes {
        if let Some(vg) = &mut node.facts.vg {
            vg.free = Some(Bytes(0));
        }
    }
    let why = must_refuse(&grow(Some("100%FREE"), None, &[]), &full);
    assert!(why.contains("no free extent"), "{why}");
}

#[test]
fn a_pool_never_shrinks_and_the_same_size_is_nothing_to_do() {
    let host = recorded("direct-lvm");
    // 2431 extents of 4 MiB
    for smaller in ["1G", "10196353023b", "9.4G"] {
        let why = must_refuse(&grow(Some(smaller), None, &[]), &host);
        assert!(why.contains("cannot shrink"), "{smaller}: {why}");
    }
    let same = planned(&grow(Some("10196353024b"), None, &[]), &host);
    assert!(matches!(same, Ok(Planned::Nothing { .. })), "{same:?}");
    let why = must_refuse(&grow(None, Some("1M"), &[]), &host);
    assert!(why.contains("cannot shrink"), "{why}");
}

#[test]
fn a_disk_joins_before_anything_grows() {
    let plan = must_plan(&grow(Some("100%FREE"), None, &["/dev/vdc"]), &recorded("direct-lvm"));
    assert_eq!(
        commands(&plan),
        ["pvcreate /dev/vdc", "vgextend docker /dev/vdc", "lvextend -l +100%FREE docker/thinpool"]
    );
    // an empty disk needs the pool's name and no more
    let words: Vec<_> = plan.consents.iter().flat_map(|consent| &consent.words).collect();
    assert_eq!(words, ["docker-thinpool", "docker/thinpool"]);
}

#[test]
fn a_disk_that_holds_something_needs_its_own_consent() {
    let mut around = around();
    let disk = around.devices.get_mut("/dev/vdc").expect("it is around");
    disk.signatures = Some(Ok(vec!["ext4 (label data)".to_owned()]));
    let intent = grow(None, None, &["/dev/vdc"]);
    let planned = plan(&intent, &recorded("direct-lvm"), &around, &occasion());
    let Ok(Planned::Plan(plan)) = planned else { panic!("{planned:?}") };
    let first = plan.consents.first().expect("two consents");
    assert_eq!(first.words, ["/dev/vdc"]);
    assert_eq!(first.danger, Danger::Destroys);
    assert_eq!(
        first.to,
        "/dev/vdc holds ext4 (label data), which is lost (10737418240 B (10.0 GiB), lab-disk2)"
    );
}

#[test]
fn a_partition_is_known_by_the_disk_that_it_is_on() {
    let mut host = recorded("direct-lvm");
    let disk = host.indices().find(|ix| host.node(*ix).name.as_str() == "vdc").expect("a disk");
    let mut part = host.node(disk).clone();
    (part.kind, part.name, part.parents) = (crate::model::Kind::Part, "vdc1".into(), vec![disk]);
    (part.device, part.facts.note) = (Some(crate::ids::DevNo::new(254, 33)), None);
    part.id = crate::ids::NodeId::new("part", "vdc1");
    host.nodes.push(part);
    let thins = std::mem::take(&mut host.thins);
    let host = crate::model::Topology::new(host.nodes, host.pools, thins);
    let mut around = around();
    let mut seen = around.devices["/dev/vdc"].clone();
    seen.number = Some(crate::ids::DevNo::new(254, 33));
    seen.signatures = Some(Ok(vec!["xfs".to_owned()]));
    around.devices.insert("/dev/vdc1".to_owned(), seen);
    let planned = plan(&grow(None, None, &["/dev/vdc1"]), &host, &around, &occasion());
    let Ok(Planned::Plan(plan)) = planned else { panic!("{planned:?}") };
    assert!(
        plan.consents[0]
            .to
            .contains("holds xfs, which is lost (10737418240 B (10.0 GiB), lab-disk2)"),
        "{}",
        plan.consents[0].to
    );
    assert!(plan.steps[0].why.contains("lab-disk2"), "{}", plan.steps[0].why);
}

#[test]
fn a_member_of_an_array_or_of_a_multipath_device_is_never_taken() {
    for kind in ["linux_raid_member (label web:0)", "isw_raid_member", "mpath_member"] {
        let mut around = around();
        let disk = around.devices.get_mut("/dev/vdc").expect("it is around");
        disk.signatures = Some(Ok(vec!["ext4".to_owned(), kind.to_owned()]));
        let intent = grow(None, None, &["/dev/vdc"]);
        let refused = plan(&intent, &recorded("direct-lvm"), &around, &occasion());
        let why = refused.expect_err(kind).why;
        assert!(why.contains("member of another device"), "{why}");
    }
}

#[test]
fn what_is_added_is_shown_as_typed_in_extents_and_exact() {
    let host = recorded("direct-lvm");
    let why = |data, metadata| -> Vec<String> {
        let plan = must_plan(&grow(data, metadata, &[]), &host);
        plan.steps.into_iter().map(|step| step.why).collect()
    };
    let both = why(Some("+40960k"), Some("+8M"));
    assert!(both[0].starts_with("+8M (2 more extents, 8388608 bytes): metadata to "), "{both:?}");
    assert!(both[1].starts_with("+40960k (10 more extents, 41943040 bytes): data to "), "{both:?}");
    let rounded = why(Some("+1b"), None);
    assert!(rounded[0].starts_with("+1b (1 more extent, 4194304 bytes): "), "{rounded:?}");
    let all = why(Some("100%FREE"), None);
    assert!(all[0].starts_with("100%FREE (78 more extents, 327155712 bytes): "), "{all:?}");
    let files = must_plan(&grow(Some("204800M"), None, &[]), &recorded("loop-lvm"));
    assert!(files.steps[0].why.contains("204800M (214748364800 bytes)"), "{}", files.steps[0].why);
}

#[test]
fn a_disk_is_not_taken_unseen_in_use_or_twice() {
    let host = recorded("direct-lvm");
    let mut unseen = around();
    unseen.devices.get_mut("/dev/vdc").expect("it is around").signatures =
        Some(Err("permission denied".to_owned()));
    let refuse = |intent: crate::intent::Intent, around: &crate::plan::Around| {
        plan(&intent, &host, around, &occasion()).expect_err("it is refused").why
    };
    let why = refuse(grow(None, None, &["/dev/vdc"]), &unseen);
    assert!(why.contains("not taken unseen"), "{why}");
    let why = refuse(grow(None, None, &["/dev/vdc", "/dev/vdc"]), &around());
    assert!(why.contains("twice"), "{why}");
    // vdb is the recorded pool's own PV, vda1's filesystem is mounted
    let mut known = around();
    for (path, minor) in [("/dev/vdb", 16), ("/dev/vda", 0)] {
        let mut seen = known.devices["/dev/vdc"].clone();
        seen.number = Some(crate::ids::DevNo::new(254, minor));
        known.devices.insert(path.to_owned(), seen);
    }
    let why = refuse(grow(None, None, &["/dev/vdb"]), &known);
    assert!(why.contains("PV of docker already"), "{why}");
    let why = refuse(grow(None, None, &["/dev/vda"]), &known);
    assert!(why.contains("in use") || why.contains("mounted"), "{why}");
    let why = refuse(grow(None, None, &["/dev/nope"]), &known);
    assert!(why.contains("no block device"), "{why}");
    let why = refuse(grow(None, None, &["vdc"]), &known);
    assert!(why.contains("no path of a device"), "{why}");
}

#[test]
fn lvms_own_growth_of_metadata_is_a_step_of_its_own() {
    let mut host = recorded("direct-lvm");
    // blocks of 64 KiB: 2431 extents of 4 MiB want 155584 times 64 bytes of metadata, and more
    pool_mut(&mut host).block_size = Some(Sectors(128));
    let status = status_mut(&mut host);
    (status.data.total, status.metadata.total) = (DataBlocks(155_584), MetadataBlocks(2048));
    for node in &mut host.nodes {
        if let Some(lv) = &mut node.facts.lv
            && matches!(lv.name.as_str(), "thinpool_tmeta" | "lvol0_pmspare")
        {
            lv.size = Some(Bytes(8 << 20));
            node.size = Some(Bytes(8 << 20));
        }
    }
    let plan = must_plan(&grow(Some("+100M"), None, &[]), &host);
    // (2431 + 25) × 4 MiB / 64 KiB × 64 B = 9.6 MiB: three extents, one more than there are
    assert_eq!(
        commands(&plan),
        [
            "lvextend --poolmetadatasize +4194304b docker/thinpool",
            "lvextend -l +25 docker/thinpool"
        ]
    );
    assert!(plan.warnings.iter().any(|warning| warning.contains("unasked")));
}

#[test]
fn an_unwell_pool_is_not_grown() {
    let data = || grow(Some("+100M"), None, &[]);
    let refused = |change: fn(&mut crate::model::Topology)| {
        let mut host = recorded("direct-lvm");
        change(&mut host);
        must_refuse(&data(), &host)
    };
    let why = refused(|host| status_mut(host).needs_check = Some(true));
    assert!(why.contains("needs_check"), "{why}");
    let why = refused(|host| status_mut(host).mode = Mode::Ro);
    assert!(why.contains("read-only"), "{why}");
    let why = refused(|host| pool_mut(host).state = PoolState::Failed);
    assert!(why.contains("failed in the kernel"), "{why}");
    let why = refused(|host| pool_mut(host).state = PoolState::Inactive);
    assert!(why.contains("not active"), "{why}");
    let why = refused(|host| pool_mut(host).suspended = true);
    assert!(why.contains("suspended"), "{why}");
    let why = refused(|host| pool_mut(host).state = PoolState::Unseen { why: "stuck".into() });
    assert!(why.contains("stuck"), "{why}");
}

#[test]
fn full_metadata_is_grown_online_and_first() {
    let mut host = recorded("direct-lvm");
    let status = status_mut(&mut host);
    status.mode = Mode::Ro;
    status.metadata.used = status.metadata.total;
    let why = must_refuse(&grow(Some("+100M"), None, &[]), &host);
    assert!(why.contains("grow --metadata first"), "{why}");
    let plan = must_plan(&grow(None, Some("+8M"), &[]), &host);
    assert_eq!(commands(&plan), ["lvextend --poolmetadatasize +8388608b docker/thinpool"]);
}

#[test]
fn a_pool_out_of_data_space_is_grown() {
    let mut host = recorded("direct-lvm");
    let status = status_mut(&mut host);
    status.mode = Mode::OutOfDataSpace;
    status.data.used = status.data.total;
    must_plan(&grow(Some("+100M"), None, &[]), &host);
}

#[test]
fn metadata_is_held_below_what_the_kernel_uses() {
    let mut host = recorded("direct-lvm");
    for node in &mut host.nodes {
        if let Some(vg) = &mut node.facts.vg {
            vg.free = Some(Bytes(1 << 40));
        }
    }
    let plan = must_plan(&grow(None, Some("20G"), &[]), &host);
    // 16978542592 bytes are 4048 extents of 4 MiB; the recorded metadata has 25
    let grown = plan.predict(&host);
    let (_, metadata) = super::totals(&grown);
    assert_eq!(metadata, Bytes(4048 * (4 << 20)));
    assert!(plan.warnings.iter().any(|warning| warning.contains("15.81")));
}

#[test]
fn loop_files_grow_sparsely_then_the_loop_device_then_the_table() {
    let plan = must_plan(&grow(Some("200G"), None, &[]), &recorded("loop-lvm"));
    let lines = commands(&plan);
    assert_eq!(lines.len(), 5);
    assert_eq!(
        lines[0],
        "truncate -s '>214748364800' /var/lib/docker/devicemapper/devicemapper/data"
    );
    assert_eq!(lines[1], "losetup -c /dev/loop0");
    // only the length differs from the table that was recorded
    assert!(
        lines[2]
            .ends_with("--table '0 419430400 thin-pool 7:1 7:0 128 32768 1 skip_block_zeroing'"),
        "{}",
        lines[2]
    );
    assert!(lines[3].starts_with("dmsetup suspend --noflush docker-"), "{}", lines[3]);
    assert!(lines[4].starts_with("dmsetup resume docker-"), "{}", lines[4]);
}

#[test]
fn loop_devices_that_are_not_their_file_are_refused() {
    let intent = || grow(Some("200G"), None, &[]);
    let with = |change: fn(&mut crate::model::LoopFacts)| {
        let mut host = recorded("loop-lvm");
        let pool = host.pools.first().expect("a pool").data.expect("its data");
        let node = host.nodes.get_mut(pool.0 as usize).expect("a node");
        change(node.facts.loop_device.as_mut().expect("a loop device"));
        must_refuse(&intent(), &host)
    };
    let why = with(|facts| facts.deleted = true);
    assert!(why.contains("deleted while in use"), "{why}");
    let why = with(|facts| facts.offset = Sectors(8));
    assert!(why.contains("8 sectors into"), "{why}");
    let why = with(|facts| facts.backing_file = "/var/a\\x0ab".into());
    assert!(why.contains("cannot stand in a command"), "{why}");
    let mut two = recorded("loop-lvm");
    let at = two.pools.first().expect("a pool").data.expect("its data");
    let mut other = two.node(at).clone();
    other.name = "loop7".into();
    two.nodes.push(other);
    let why = must_refuse(&intent(), &two);
    assert!(why.contains("loop7 is over"), "{why}");
}

#[test]
fn a_path_that_leads_to_another_file_than_the_loop_device_s_is_refused() {
    let host = recorded("loop-lvm");
    let intent = grow(Some("200G"), None, &[]);
    let path = "/var/lib/docker/devicemapper/devicemapper/data".to_owned();
    let wants = crate::plan::wants(&intent, &host);
    assert!(wants.contains(&Want::Backing { name: "loop0".to_owned(), path }), "{wants:?}");
    let with = |seen: Result<bool, String>| {
        let mut around = around();
        around.backings.insert("loop0".to_owned(), seen);
        plan(&intent, &host, &around, &occasion())
    };
    let why = with(Ok(false)).expect_err("another file would grow").why;
    assert!(why.contains("not the file under loop0 any more"), "{why}");
    assert!(matches!(with(Ok(true)), Ok(Planned::Plan(_))));
    let Ok(Planned::Plan(unsure)) = with(Err("no losetup".to_owned())) else { panic!("planned") };
    assert!(unsure.warnings.iter().any(|warning| warning.contains("no losetup")));
}

#[test]
fn a_sparse_file_that_outgrows_its_filesystem_is_warned_of() {
    let mut around = around();
    let path = "/var/lib/docker/devicemapper/devicemapper/data";
    around.spaces.insert(path.to_owned(), Bytes(5 << 30));
    let host = recorded("loop-lvm");
    let warnings = |size: &str| {
        let planned = plan(&grow(Some(size), None, &[]), &host, &around, &occasion());
        let Ok(Planned::Plan(plan)) = planned else { panic!("{planned:?}") };
        plan.warnings
    };
    assert!(warnings("+10G").iter().any(|warning| warning.contains("I/O errors")));
    assert_eq!(warnings("+4G"), Vec::<String>::new());
}

#[test]
fn a_loop_pool_has_no_free_extents_and_no_odd_bytes() {
    let host = recorded("loop-lvm");
    let why = must_refuse(&grow(Some("100%FREE"), None, &[]), &host);
    assert!(why.contains("give its length"), "{why}");
    let why = must_refuse(&grow(Some("+513b"), None, &[]), &host);
    assert!(why.contains("no multiple of 512"), "{why}");
    let why = must_refuse(&grow(None, None, &["/dev/vdc"]), &host);
    assert!(why.contains("no LVM pool"), "{why}");
}

#[test]
fn a_pool_behind_its_devices_gets_only_the_table() {
    // somebody grew file and loop device already
    let mut host = recorded("loop-lvm");
    let at = host.pools.first().expect("a pool").data.expect("its data");
    let below = host.node(at).parents.first().copied().expect("its file");
    for ix in [at, below] {
        host.nodes.get_mut(ix.0 as usize).expect("a node").size = Some(Bytes(200 << 30));
    }
    let plan = must_plan(&grow(Some("200G"), None, &[]), &host);
    assert_eq!(plan.steps.len(), 1);
    assert!(commands(&plan)[0].starts_with("dmsetup load"));
}

/// The recorded loop pool over a file that somebody made 200 GiB long, with its unit in place.
fn with_unit() -> crate::model::Topology {
    let mut host = recorded("loop-lvm");
    let at = host.pools.first().expect("a pool").data.expect("its data");
    let below = host.node(at).parents.first().copied().expect("its file");
    for ix in [at, below] {
        host.nodes.get_mut(ix.0 as usize).expect("a node").size = Some(Bytes(200 << 30));
    }
    host.host.units = Some(Vec::new());
    let wish = Intent::Activate(Activate { unit: true, ..Activate::default() });
    let plan = must_plan(&wish, &host);
    plan.predict(&host)
}

#[test]
fn a_unit_that_says_the_pool_s_length_grows_with_it() {
    let host = with_unit();
    let unit = |host: &crate::model::Topology| -> Vec<String> {
        let units = host.host.units.as_ref().expect("they were seen");
        units[0].lines.iter().map(ToString::to_string).collect()
    };
    let line = |length: &str| format!("--table \"0 {length} thin-pool");
    assert!(unit(&host).join("\n").contains(&line("209715200")), "{:?}", unit(&host));
    for (size, length) in [("150G", "314572800"), ("200G", "$$(blockdev --getsz")] {
        let plan = must_plan(&grow(Some(size), None, &[]), &host);
        let last = plan.steps.last().expect("the unit");
        let Action::WriteUnit { lines, replaces: true, .. } = &last.action else {
            panic!("the unit is last: {last:?}")
        };
        let text = lines.join("\n");
        assert!(text.contains(&format!("--table \"0 {length}")), "{size}: {text}");
        assert_eq!(unit(&plan.predict(&host)), *lines);
        let ending = crate::exec::rehearse(&plan, std::sync::Arc::new(host.clone()), &mut |_| {});
        assert_eq!(ending, crate::exec::Ending::Done);
    }
}

#[test]
fn a_unit_that_asks_the_device_and_one_of_somebody_else_stay_as_they_are() {
    let mut whole = recorded("loop-lvm");
    whole.host.units = Some(Vec::new());
    let wish = Intent::Activate(Activate { unit: true, ..Activate::default() });
    let whole = must_plan(&wish, &whole).predict(&whole);
    let mut other = with_unit();
    let units = other.host.units.as_mut().expect("they were seen");
    units[0].lines[0] = "# By hand".into();
    for host in [whole, other] {
        let plan = must_plan(&grow(Some("200G"), None, &[]), &host);
        let written = plan.steps.iter().any(|step| matches!(step.action, Action::WriteUnit { .. }));
        assert!(!written, "{:?}", plan.steps.last());
    }
}

#[test]
fn metadata_of_a_pool_is_counted_in_its_own_blocks() {
    let host = recorded("loop-lvm");
    let plan = must_plan(&grow(None, Some("4G"), &[]), &host);
    let crate::model::PoolState::Active(status) =
        &plan.predict(&host).pools.first().expect("a pool").state.clone()
    else {
        panic!("active")
    };
    assert_eq!(status.metadata.total, MetadataBlocks(1 << 20));
}
