//! What something that died has left, and what brings it back.

use super::hosts::{self, sample};
use super::{
    activate, around, commands, grow, must_plan, must_refuse, occasion, planned, pool_mut,
};
use crate::intent::{Amount, GrowVolume, Intent};
use crate::model::{Kind, Node, PoolState, Topology};
use crate::plan::{Action, Check, Planned, Verdict, Want, plan};
use crate::units::Bytes;

const VOLUME: &str = "pve/vm-100-disk-0";

fn volume_mut(host: &mut Topology) -> &mut Node {
    let is_it = |node: &&mut Node| {
        node.facts.lv.as_ref().is_some_and(|lv| lv.name.as_str() == "vm-100-disk-0")
    };
    host.nodes.iter_mut().find(is_it).expect("it is there")
}

fn suspended_volume(slot: bool) -> Topology {
    let mut host = sample("lvm-thin");
    let dm = volume_mut(&mut host).facts.dm.as_mut().expect("it is active");
    (dm.suspended, dm.inactive_table) = (true, slot);
    host
}

#[test]
fn a_suspended_thin_volume_is_resumed_with_the_table_that_lvm_committed_and_no_other() {
    let plan_of = |host: &Topology| must_plan(&activate(Some(VOLUME)), host);
    let bare = plan_of(&suspended_volume(false));
    assert_eq!(commands(&bare), ["dmsetup resume pve-vm--100--disk--0"]);
    assert_eq!(bare.consents[0].words, [VOLUME]);
    let mut host = suspended_volume(true);
    let number = volume_mut(&mut host).device.expect("it is active");
    let wants = crate::plan::wants(&activate(Some(VOLUME)), &host);
    assert!(wants.contains(&Want::InactiveTable(number)), "{wants:?}");
    let with = |sectors: u64| {
        let mut around = around();
        around.inactive.insert(number, vec![format!("0 {sectors} thin 253:2 1").as_str().into()]);
        match plan(&activate(Some(VOLUME)), &host, &around, &occasion()) {
            Ok(Planned::Plan(plan)) => commands(&plan),
            other => panic!("{other:?}"),
        }
    };
    // LVM has 4 GiB
    assert_eq!(with(8_388_608), ["dmsetup resume pve-vm--100--disk--0"]);
    assert_eq!(
        with(16_777_216),
        ["dmsetup clear pve-vm--100--disk--0", "dmsetup resume pve-vm--100--disk--0"]
    );
}

#[test]
fn a_volume_whose_pool_is_suspended_too_is_brought_back_after_it() {
    let mut host = suspended_volume(false);
    let pool = pool_mut(&mut host);
    pool.suspended = true;
    let at = pool.node.0 as usize;
    host.nodes[at].facts.dm.as_mut().expect("it is active").suspended = true;
    let plan = must_plan(&activate(Some(VOLUME)), &host);
    assert_eq!(
        commands(&plan),
        ["dmsetup resume pve-data-tpool", "dmsetup resume pve-vm--100--disk--0"]
    );
}

#[test]
fn what_the_kernel_has_beyond_lvm_is_planned_as_a_growth_of_lvms() {
    let host = hosts::ahead(Bytes(40 << 20));
    let plan = must_plan(&activate(None), &host);
    assert_eq!(commands(&plan), ["lvextend -l +10 docker/thinpool"]);
    assert!(plan.steps[0].why.contains("never committed"), "{}", plan.steps[0].why);
    let again = planned(&activate(None), &plan.predict(&host));
    assert!(matches!(again, Ok(Planned::Nothing { .. })), "{again:?}");
}

#[test]
fn what_is_suspended_and_ahead_takes_no_table_of_lvms_size() {
    let mut host = hosts::ahead(Bytes(40 << 20));
    pool_mut(&mut host).suspended = true;
    let mut around = around();
    for node in &mut host.nodes {
        if node.kind == Kind::Tdata || node.kind == Kind::Pool {
            let committed = node.facts.lv.as_ref().and_then(|lv| lv.size).expect("LVM told");
            let dm = node.facts.dm.as_mut().expect("active");
            (dm.suspended, dm.inactive_table) = (true, true);
            let line = format!("0 {} linear 254:16 2048", committed.sectors().get());
            around.inactive.insert(node.device.expect("active"), vec![line.as_str().into()]);
        }
    }
    let Ok(Planned::Plan(plan)) = plan(&activate(None), &host, &around, &occasion()) else {
        panic!("it is planned")
    };
    assert_eq!(
        commands(&plan),
        [
            "dmsetup clear docker-thinpool_tdata",
            "dmsetup resume docker-thinpool_tdata",
            "dmsetup clear docker-thinpool",
            "dmsetup resume docker-thinpool",
            "lvextend -l +10 docker/thinpool",
        ]
    );
}

#[test]
fn where_the_room_is_lacking_or_the_pool_is_away_the_command_is_told() {
    let mut full = hosts::ahead(Bytes(40 << 20));
    for node in &mut full.nodes {
        if let Some(vg) = &mut node.facts.vg {
            vg.free = Some(Bytes(0));
        }
    }
    let why = must_refuse(&activate(None), &full);
    // 10196353024 bytes and 40 MiB, in whole blocks of 512 KiB
    assert!(why.contains("`lvextend -L 10238296064b docker/thinpool`; docker lacks"), "{why}");
    assert!(why.contains("never `lvchange --refresh`"), "{why}");
    // an inactive one is told of by its own metadata
    let mut away = hosts::inactive();
    let pool = pool_mut(&mut away);
    let mut contents = (**pool.contents.as_ref().expect("it was read")).clone();
    contents.data.total.0 += 80;
    pool.contents = Some(std::sync::Arc::new(contents));
    let why = must_refuse(&activate(None), &away);
    assert!(why.contains("`lvextend -L 10238296064b docker/thinpool`; activate it"), "{why}");
}

#[test]
fn no_recorded_host_is_taken_for_one_that_the_kernel_has_larger() {
    for (name, host) in hosts::all_recorded() {
        for pool in &host.pools {
            let rescue = crate::plan::rescue(&host, pool.name.as_str(), &around());
            assert_eq!(rescue, Ok(None), "{name}");
        }
    }
}

#[test]
fn a_thin_volume_grows_in_two_steps_the_second_of_which_may_be_done_again() {
    let wish = |volume: &str| {
        Intent::GrowVolume(GrowVolume {
            volume: volume.to_owned(),
            size: Amount::By(Bytes(100 << 20)),
            typed: None,
        })
    };
    let plan = must_plan(&wish(VOLUME), &hosts::thin_mounted());
    assert_eq!(
        commands(&plan),
        [format!("lvextend -L 4399824896b {VOLUME}"), format!("fsadm -y resize /dev/{VOLUME}")]
    );
    let [volume, filesystem] = plan.steps.as_slice() else { panic!("two steps") };
    assert!(volume.action.suspends() && !volume.action.is_repeatable());
    assert_eq!(volume.action.completion(), Some(Action::Refresh { volume: VOLUME.to_owned() }));
    assert_eq!(volume.action.rescue(), Some(format!("thinscope activate {VOLUME}")));
    assert!(!filesystem.action.suspends() && filesystem.action.is_repeatable());
    // one that is not mounted grows alone
    let plan = must_plan(&wish(VOLUME), &sample("lvm-thin"));
    assert_eq!(plan.steps.len(), 1);
    assert!(plan.warnings[0].contains("not mounted"));
}

#[test]
fn a_size_that_lvm_recorded_and_the_kernel_did_not_take_is_not_done() {
    let mut host = sample("raw");
    let plan = must_plan(&grow(Some("+40M"), None, &[]), &host);
    let step = &plan.steps[0];
    assert!(matches!(step.action, Action::GrowVolume { .. }));
    // killed after LVM's commit
    for lv in host.nodes.iter_mut().filter_map(|node| node.facts.lv.as_mut()) {
        lv.size = lv.size.map(|size| size.plus(Bytes(40 << 20)));
    }
    let verdicts: Vec<_> = step.after.iter().map(|check| check.judge(&host)).collect();
    assert_eq!(verdicts[0], Verdict::Holds, "LVM has it");
    let Verdict::Broken(why) = &verdicts[1] else { panic!("{verdicts:?}") };
    assert!(why.starts_with("the kernel has store/data with 6442450944 bytes"), "{why}");
    Action::Refresh { volume: "store/data".to_owned() }.predict(&mut host);
    assert!(step.after.iter().all(|check| check.judge(&host).holds()));
}

#[test]
fn a_volume_under_a_pool_that_was_left_half_grown_is_levelled_before_it_grows() {
    let with = |change: fn(Bytes) -> Bytes| {
        let mut host = sample("raw");
        for lv in host.nodes.iter_mut().filter_map(|node| node.facts.lv.as_mut()) {
            lv.size = lv.size.filter(|_| lv.name.as_str() == "data").map(change).or(lv.size);
        }
        host
    };
    let behind = with(|size| size.plus(Bytes(40 << 20)));
    let lines = commands(&must_plan(&grow(Some("+80M"), None, &[]), &behind));
    assert_eq!(lines[..2], ["lvchange --refresh store/data", "lvextend -l +10 store/data"]);
    let lines = commands(&must_plan(&grow(Some("+40M"), None, &[]), &behind));
    assert_eq!(lines[0], "lvchange --refresh store/data");
    assert!(lines[1].starts_with("dmsetup load"), "{lines:?}");
    let ahead = with(|size| size.minus(Bytes(40 << 20)));
    let why = must_refuse(&grow(Some("+80M"), None, &[]), &ahead);
    assert!(why.contains("`lvextend -L 6442450944b store/data` first"), "{why}");
}

#[test]
fn the_way_back_of_a_window_loads_the_old_table_before_it_resumes() {
    let plan = must_plan(&grow(Some("200G"), None, &[]), &super::recorded("loop-lvm"));
    let reload = plan.steps.last().expect("three steps");
    let Action::Reload { old, .. } = &reload.action else { panic!("a table is replaced") };
    let rescue = reload.action.rescue().expect("it suspends");
    let (load, resume) = rescue.split_once(" && ").expect("two commands");
    assert!(load.starts_with(&format!("printf '%s\\n' '{}' | dmsetup load -j ", old[0])), "{load}");
    assert!(resume.starts_with("dmsetup resume -j "), "{resume}");
}

#[test]
fn a_loop_device_is_inactive_only_while_it_is_over_nothing() {
    let host = super::recorded("loop-lvm");
    let is = |name: &str, host: &Topology| Check::Inactive { name: name.to_owned() }.judge(host);
    assert_eq!(is("loop0", &host), Verdict::Broken("loop0 is active".to_owned()));
    assert_eq!(is("loop9", &host), Verdict::Holds);
    assert_eq!(is("loop0", &hosts::booted()), Verdict::Holds);
}

#[test]
fn what_lvm_and_device_mapper_did_not_tell_is_unseen_and_not_gone() {
    let mut host = super::recorded("direct-lvm");
    let plan = must_plan(&grow(Some("+40M"), Some("+8M"), &["/dev/vdc"]), &host);
    for node in &mut host.nodes {
        (node.facts.lv, node.facts.vg, node.facts.pv) = (None, None, None);
        node.facts.dm = None;
    }
    pool_mut(&mut host).state = PoolState::Unseen { why: "not asked".into() };
    let name = || "docker/thinpool".to_owned();
    let more = [
        Check::Active { name: name() },
        Check::Inactive { name: name() },
        Check::DeviceSize { volume: name(), least: Bytes(1) },
        Check::Complete { group: "docker".to_owned() },
        Check::NotSuspended { name: "docker-thinpool".to_owned() },
        Check::Table { name: "docker-thinpool".to_owned(), lines: Vec::new() },
    ];
    let planned = plan.steps.iter().flat_map(|step| step.before.iter().chain(&step.after));
    let seen = |check: &&Check| !matches!(check, Check::Unused { .. });
    for check in planned.chain(&more).filter(seen) {
        let verdict = check.judge(&host);
        assert!(matches!(verdict, Verdict::Unseen(_)), "{check}: {verdict:?}");
    }
}
