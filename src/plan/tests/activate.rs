use super::hosts::sample;
use super::{
    activate, around, commands, must_plan, must_refuse, occasion, planned, pool_mut, recorded,
};
use crate::ids::DevNo;
use crate::intent::{Activate, Intent};
use crate::model::{BootUnit, Kind, PoolState, ThinCheck, Topology};
use crate::plan::{Action, Danger, Planned, Want, plan};
use crate::units::Bytes;

/// The recorded host with its pool's volumes deactivated.
pub(super) fn inactive() -> Topology {
    let mut host = recorded("direct-lvm");
    pool_mut(&mut host).state = PoolState::Inactive;
    for node in &mut host.nodes {
        if matches!(node.kind, Kind::Pool | Kind::Tdata | Kind::Tmeta | Kind::Thin) {
            node.device = None;
            node.facts.dm = None;
        }
    }
    host
}

fn set_lv(host: &mut Topology, name: &str, change: impl Fn(&mut crate::model::LvFacts)) {
    for node in &mut host.nodes {
        if let Some(lv) = &mut node.facts.lv
            && lv.name.as_str() == name
        {
            change(lv);
        }
    }
}

#[test]
fn what_is_active_is_left_alone_and_said_to_be() {
    let planned = planned(&activate(None), &recorded("direct-lvm"));
    let Ok(Planned::Nothing { why }) = planned else { panic!("{planned:?}") };
    assert_eq!(why, "docker-thinpool is active: nothing to do");
}

#[test]
fn an_inactive_pool_is_activated_by_either_name_or_alone() {
    for name in
        [None, Some("docker-thinpool"), Some("docker/thinpool"), Some("/dev/docker/thinpool")]
    {
        let plan = must_plan(&activate(name), &inactive());
        assert_eq!(commands(&plan), ["lvchange -ay docker/thinpool"], "{name:?}");
        assert_eq!(plan.consents.len(), 1);
        assert_eq!(plan.consents[0].danger, Danger::Reversible);
        assert!(plan.next.iter().any(|next| next.contains("systemctl start docker")));
    }
    let plan = must_plan(&activate(Some("docker")), &inactive());
    assert_eq!(commands(&plan), ["vgchange -ay docker"]);
}

#[test]
fn a_part_that_was_left_active_is_deactivated_first() {
    let mut host = inactive();
    for node in &mut host.nodes {
        if node.kind == Kind::Tmeta {
            node.device = Some(DevNo::new(253, 7));
        }
    }
    let plan = must_plan(&activate(None), &host);
    assert_eq!(
        commands(&plan),
        ["lvchange -an docker/thinpool_tmeta", "lvchange -ay docker/thinpool"]
    );
}

#[test]
fn a_part_that_somebody_has_open_is_left_to_them() {
    let recorded = recorded("direct-lvm");
    let mut host = inactive();
    let tmeta = |node: &&crate::model::Node| node.kind == Kind::Tmeta;
    let was = recorded.nodes.iter().find(tmeta).expect("the pool's metadata");
    let mut dm = was.facts.dm.clone().expect("it is active there");
    dm.open_count = 1;
    for node in &mut host.nodes {
        if node.kind == Kind::Tmeta {
            node.device = was.device;
            node.facts.dm = Some(dm.clone());
        }
    }
    let why = must_refuse(&activate(None), &host);
    assert!(why.contains("has it open"), "{why}");
}

#[test]
fn the_flag_to_be_skipped_is_overruled_and_said() {
    let mut host = inactive();
    set_lv(&mut host, "thinpool", |lv| lv.attr = "twi---t--k".into());
    let plan = must_plan(&activate(None), &host);
    assert_eq!(commands(&plan), ["lvchange -ay -K docker/thinpool"]);
    assert!(plan.steps[0].why.contains("skipped"));
}

#[test]
fn without_thin_check_nothing_is_activated_and_the_package_is_named() {
    let mut around = around();
    around.files.insert("/usr/sbin/thin_check".to_owned(), false);
    let refusal = plan(&activate(None), &inactive(), &around, &occasion()).expect_err("refused");
    assert!(refusal.why.contains("thin-provisioning-tools"), "{}", refusal.why);
}

#[test]
fn the_thin_check_that_lvm_is_set_to_run_counts_before_the_usual_ones() {
    let planned = |set: Option<ThinCheck>, around: &crate::plan::Around| {
        let mut host = inactive();
        host.host.thin_check = set;
        match plan(&activate(None), &host, around, &occasion()) {
            Ok(Planned::Plan(plan)) => Ok(plan.warnings),
            Ok(Planned::Nothing { why }) => panic!("{why}"),
            Err(refusal) => Err(refusal.why),
        }
    };
    let missing = ThinCheck::Missing("/opt/thin_check".into());
    let why = planned(Some(missing), &around()).expect_err("LVM looks for no other one");
    assert!(why.contains("/opt/thin_check, which LVM is set to"), "{why}");
    let mut gone = around();
    gone.files.insert("/usr/sbin/thin_check".to_owned(), false);
    let at = ThinCheck::At("/opt/thin_check".into());
    assert_eq!(planned(Some(at), &gone), Ok(Vec::new()));
    let usual = ThinCheck::Missing("/usr/sbin/thin_check".into());
    assert_eq!(planned(Some(usual.clone()), &around()), Ok(Vec::new()), "installed since");
    assert!(planned(Some(usual), &gone).is_err());
    let warned = planned(Some(ThinCheck::SwitchedOff), &gone).expect("LVM activates it");
    assert!(warned[0].contains("activated unchecked"), "{warned:?}");
    let unseen = crate::plan::Around::default();
    let warned = planned(None, &unseen).expect("nobody knows");
    assert!(warned[0].contains("was not seen"), "{warned:?}");
}

/// The recorded host, inactive, with the uuid of the pool's PV.
fn with_pv() -> (Topology, String) {
    let host = inactive();
    let pvs = host.nodes.iter().filter_map(|node| node.facts.pv.as_ref());
    let uuid = pvs.map(|pv| pv.uuid.to_string()).next().expect("the group has a PV");
    (host, uuid)
}

#[test]
fn a_pv_that_is_there_twice_is_named_with_both_its_devices() {
    let (host, uuid) = with_pv();
    let wish = activate(None);
    let wants = crate::plan::wants(&wish, &host);
    assert!(wants.contains(&Want::Device("/dev/vdc".to_owned())), "{wants:?}");
    let holding = |uuid: &str| {
        let mut around = around();
        let seen = around.devices.get_mut("/dev/vdc").expect("it is around");
        seen.signatures = Some(Ok(vec![format!("LVM2_member (uuid {uuid})")]));
        around
    };
    for target in [None, Some("docker"), Some("docker/thinpool")] {
        let refused = plan(&activate(target), &host, &holding(&uuid), &occasion());
        let why = refused.expect_err("LVM activates nothing of it").why;
        let both = format!("the PV {uuid} of docker is on /dev/vdb and on /dev/vdc");
        assert!(why.contains(&both), "{why}");
    }
    // another group's PV is none of this one's business
    let planned = plan(&wish, &host, &holding("another"), &occasion());
    assert!(matches!(planned, Ok(Planned::Plan(_))), "{planned:?}");
}

#[test]
fn a_pv_that_lvm_itself_lists_twice_is_named() {
    let (mut host, uuid) = with_pv();
    let pv = host.nodes.iter().find(|node| node.facts.pv.is_some()).expect("one").clone();
    let disk = host.indices().find(|ix| host.node(*ix).name.as_str() == "vdd").expect("a disk");
    let id = crate::ids::NodeId::new("pv", "the-same~2");
    host.nodes.push(crate::model::Node { id, parents: vec![disk], ..pv });
    let why = must_refuse(&activate(None), &host);
    assert!(why.contains(&format!("{uuid} of docker is on /dev/vdb and on /dev/vdd")), "{why}");
}

#[test]
fn a_group_that_lacks_a_disk_or_is_exported_is_named() {
    let set = |change: fn(&mut crate::model::VgFacts)| {
        let mut host = inactive();
        for node in &mut host.nodes {
            if let Some(vg) = &mut node.facts.vg {
                change(vg);
            }
        }
        must_refuse(&activate(None), &host)
    };
    let why = set(|vg| vg.missing_pvs = 1);
    assert!(why.contains("misses 1 of its PVs"), "{why}");
    let why = set(|vg| vg.attr = "wzx-n-".into());
    assert!(why.contains("vgimport docker"), "{why}");
}

#[test]
fn lvm_at_transaction_zero_is_no_mismatch() {
    // Docker moves the pool's transaction and LVM stays at 0: normal (`facts.md`)
    let mut host = inactive();
    pool_mut(&mut host).lvm_transaction_id = Some(0);
    must_plan(&activate(None), &host);
}

#[test]
fn a_suspended_pool_is_resumed_from_below_upwards() {
    let mut host = recorded("direct-lvm");
    suspend(&mut host);
    let plan = must_plan(&activate(None), &host);
    let lines = commands(&plan);
    assert_eq!(
        lines,
        [
            "dmsetup resume docker-thinpool_tmeta",
            "dmsetup resume docker-thinpool_tdata",
            "dmsetup resume docker-thinpool"
        ]
    );
}

#[test]
fn a_table_that_lvm_did_not_commit_is_thrown_away_and_one_that_it_did_goes_in() {
    let mut host = recorded("direct-lvm");
    suspend(&mut host);
    let mut number = None;
    for node in &mut host.nodes {
        if node.kind == Kind::Tdata {
            number = node.device;
            node.facts.dm.as_mut().expect("active").inactive_table = true;
        }
    }
    let number = number.expect("tdata has a number");
    let lines = |waits: u64| {
        let mut around = around();
        let line = format!("0 {waits} linear 254:16 227328");
        around.inactive.insert(number, vec![line.as_str().into()]);
        let planned = plan(&activate(None), &host, &around, &occasion());
        let Ok(Planned::Plan(plan)) = planned else { panic!("{planned:?}") };
        commands(&plan)
    };
    let committed = Bytes(10_196_353_024).sectors().get();
    assert!(!lines(committed).iter().any(|line| line.contains("clear")));
    assert_eq!(lines(committed + 8192)[1], "dmsetup clear docker-thinpool_tdata");
}

#[test]
fn a_group_takes_in_what_of_it_is_suspended() {
    let group = activate(Some("docker"));
    let mut host = recorded("direct-lvm");
    let Ok(Planned::Nothing { why }) = planned(&group, &host) else { panic!("it is active") };
    assert_eq!(why, "all of docker is active: nothing to do");
    suspend(&mut host);
    let plan = must_plan(&group, &host);
    assert_eq!(plan.consents[0].words, ["docker"]);
    let by_pool = must_plan(&activate(Some("docker/thinpool")), &host);
    assert_eq!(commands(&plan), commands(&by_pool));
    assert_eq!(commands(&plan).len(), 3);
    // tables that wait are asked for, and what LVM did not commit goes
    let number = host.nodes.iter_mut().find(|node| node.kind == Kind::Tdata).and_then(|node| {
        node.facts.dm.as_mut().expect("active").inactive_table = true;
        node.device
    });
    let number = number.expect("tdata has a number");
    assert!(crate::plan::wants(&group, &host).contains(&Want::InactiveTable(number)));
    assert!(
        commands(&must_plan(&group, &host))
            .contains(&"dmsetup clear docker-thinpool_tdata".to_owned())
    );
    let rescue = crate::plan::rescue(&host, "docker", &around()).expect("it is planned");
    assert_eq!(rescue.map(|steps| steps.len()), Some(1), "a run that died is gone on with");
    assert!(crate::plan::rescue_wants(&host, "docker").contains(&Want::InactiveTable(number)));
    let ending = crate::exec::rehearse(&plan, std::sync::Arc::new(host), &mut |_| {});
    assert_eq!(ending, crate::exec::Ending::Done);
}

/// These volumes of a recorded host are suspended.
fn with_suspended(host: &str, volumes: &[&str]) -> Topology {
    let mut host = sample(host);
    for node in &mut host.nodes {
        let lv = node.facts.lv.as_ref().map(|lv| format!("{}/{}", lv.vg, lv.name));
        if lv.is_some_and(|lv| volumes.contains(&lv.as_str())) {
            node.facts.dm.as_mut().expect("it is active").suspended = true;
        }
    }
    host
}

#[test]
fn in_a_group_volumes_are_resumed_too_and_before_the_rest_is_activated() {
    let host = with_suspended("lvm-thin", &["pve/vm-100-disk-0", "pve/data_tmeta"]);
    assert_eq!(
        commands(&must_plan(&activate(Some("pve")), &host)),
        [
            "dmsetup resume pve-data_tmeta",
            "dmsetup resume pve-vm--100--disk--0",
            "vgchange -ay pve"
        ]
    );
    // no pool of LVM's in it, and nothing is away
    let host = with_suspended("raw", &["store/data"]);
    let plan = must_plan(&activate(Some("store")), &host);
    assert_eq!(commands(&plan), ["dmsetup resume store-data"]);
}

pub(super) fn suspend(host: &mut Topology) {
    pool_mut(host).suspended = true;
    for node in &mut host.nodes {
        if matches!(node.kind, Kind::Pool | Kind::Tdata | Kind::Tmeta) {
            node.facts.dm.as_mut().expect("active").suspended = true;
        }
    }
}

/// The recorded host after a boot: no loop device, no pool.
pub(super) fn booted() -> Topology {
    let mut host = recorded("loop-lvm");
    let loops: Vec<_> = host.pools[0].data.into_iter().chain(host.pools[0].metadata).collect();
    let files: Vec<_> = loops.iter().map(|ix| host.node(*ix).parents[0]).collect();
    for ix in &loops {
        let node = host.nodes.get_mut(ix.0 as usize).expect("a node");
        node.facts.loop_device = None;
        node.device = None;
        node.parents.clear();
    }
    let pool = pool_mut(&mut host);
    (pool.data, pool.metadata) = (Some(files[0]), Some(files[1]));
    pool.state = PoolState::Inactive;
    host.host.units = Some(Vec::new());
    host
}

#[test]
fn an_own_pool_is_made_again_over_its_files_with_dockers_table() {
    let plan = must_plan(&activate(None), &booted());
    let lines = commands(&plan);
    assert_eq!(lines.len(), 3);
    assert!(lines[0].ends_with("devicemapper/metadata"), "{}", lines[0]);
    assert!(lines[1].ends_with("devicemapper/data"), "{}", lines[1]);
    assert!(
        lines[2].contains(
            "'0 209715200 thin-pool /dev/loop0 /dev/loop1 128 32768 1 skip_block_zeroing'"
        ),
        "{}",
        lines[2]
    );
    assert!(plan.warnings.iter().any(|warning| warning.contains("gone again")));
}

#[test]
fn what_is_brought_back_can_be_rehearsed_to_its_end() {
    let own = (booted(), Intent::Activate(Activate { unit: true, ..Activate::default() }));
    for (host, wish) in [(inactive(), activate(None)), (inactive(), activate(Some("docker"))), own]
    {
        let plan = must_plan(&wish, &host);
        let ending = crate::exec::rehearse(&plan, std::sync::Arc::new(host), &mut |_| {});
        assert_eq!(ending, crate::exec::Ending::Done, "{wish}");
    }
}

#[test]
fn over_metadata_that_nobody_read_no_pool_is_made() {
    // the kernel takes a device full of zeroes for a pool that is to be made anew
    let mut host = booted();
    pool_mut(&mut host).contents = None;
    let why = must_refuse(&activate(None), &host);
    assert!(why.contains("was not read"), "{why}");
}

fn with_unit() -> Intent {
    Intent::Activate(Activate { unit: true, ..Activate::default() })
}

/// The lines that a plan would write, and the name.
fn unit_of(plan: &crate::plan::Plan) -> (String, Vec<String>) {
    let written = plan.steps.iter().find_map(|step| match &step.action {
        Action::WriteUnit { name, lines, .. } => Some((name.clone(), lines.clone())),
        _ => None,
    });
    written.expect("a unit is written")
}

#[test]
fn a_pool_that_is_made_again_gets_its_unit_where_that_is_wished() {
    let host = booted();
    let plan = must_plan(&with_unit(), &host);
    assert_eq!(plan.steps.len(), 5, "two files, the pool, the unit, its start");
    assert!(!plan.warnings.iter().any(|warning| warning.contains("gone again")));
    let (name, lines) = unit_of(&plan);
    assert!(name.starts_with("thinscope-pool-docker-") && name.ends_with(".service"), "{name}");
    let text = lines.join("\n");
    assert!(text.starts_with(crate::plan::unit::MARK));
    for part in [
        "RequiresMountsFor=/var/lib/docker/devicemapper/devicemapper\n",
        "128 32768 1 skip_block_zeroing",
        "$$(blockdev --getsz \"$$data\")",
        "= ba529c01 ]",
        "WantedBy=multi-user.target",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("dd "), "nothing is written: {text}");
    let after = plan.predict(&host);
    for check in plan.steps.iter().skip(3).flat_map(|step| &step.after) {
        assert!(check.judge(&after).holds(), "{check}");
    }
}

#[test]
fn a_pool_that_runs_gets_a_unit_by_its_own_table_and_once() {
    let mut host = recorded("loop-lvm");
    host.host.units = Some(Vec::new());
    let plan = must_plan(&with_unit(), &host);
    assert_eq!(plan.steps.len(), 2, "nothing is done to the pool");
    assert_eq!(plan.consents[0].danger, Danger::Reversible);
    let after = plan.predict(&host);
    let again = planned(&with_unit(), &after);
    let Ok(Planned::Nothing { why }) = again else { panic!("{again:?}") };
    assert!(why.contains("makes it again at every boot"), "{why}");
}

#[test]
fn a_unit_of_somebody_else_is_never_replaced_and_an_older_one_of_ours_is() {
    let mut host = recorded("loop-lvm");
    host.host.units = Some(Vec::new());
    let (name, _) = unit_of(&must_plan(&with_unit(), &host));
    let pool = pool_mut(&mut host).name.to_string();
    let mut with = |first: &str| {
        let lines = vec![first.into(), "[Unit]".into()];
        let unit = BootUnit { name: name.as_str().into(), lines, enabled: true };
        host.host.units = Some(vec![unit]);
        planned(&with_unit(), &host)
    };
    let refusal = with("# By hand").expect_err("it is not ours");
    assert!(refusal.why.contains("was not written by thinscope"), "{}", refusal.why);
    let other = with("# Written by thinscope: the thin pool of-another-name, made again at boot.");
    assert!(other.is_err(), "a unit of ours for another pool");
    let ours = with(&format!("# Written by thinscope: the thin pool {pool}, in older words"));
    let Ok(Planned::Plan(plan)) = ours else { panic!("{ours:?}") };
    assert!(matches!(plan.steps[0].action, Action::WriteUnit { replaces: true, .. }));
}

#[test]
fn there_is_no_unit_for_what_lvm_owns_nor_without_systemd() {
    let why = must_refuse(&with_unit(), &recorded("direct-lvm"));
    assert!(why.contains("LVM's, which activates it at boot by itself"), "{why}");
    let mut unseen = recorded("loop-lvm");
    must_plan(&with_unit(), &unseen);
    unseen.host.units = None;
    let why = must_refuse(&with_unit(), &unseen);
    assert!(why.contains("without systemd"), "{why}");
}

#[test]
fn a_disk_with_a_pv_that_lvm_does_not_list_or_with_closed_luks_is_named() {
    let mut around = around();
    for (path, holds) in [("/dev/vdc", "LVM2_member"), ("/dev/vdd", "crypto_LUKS")] {
        let seen = around.devices.get_mut(path).expect("it is around");
        seen.signatures = Some(Ok(vec![holds.to_owned()]));
    }
    let host = recorded("direct-lvm");
    let wants = crate::plan::wants(&activate(Some("gone/pool")), &host);
    assert!(wants.iter().any(|want| matches!(want, Want::Device(path) if path == "/dev/vdc")));
    let refused = |around: &crate::plan::Around| {
        plan(&activate(Some("gone/pool")), &host, around, &occasion()).expect_err("refused").why
    };
    let why = refused(&around);
    assert!(why.contains("/dev/vdc holds a PV that LVM does not list: a filter"), "{why}");
    assert!(why.contains("/dev/vdd holds LUKS that is not open"), "{why}");
    around.files.insert("/etc/lvm/devices/system.devices".to_owned(), true);
    let why = refused(&around);
    assert!(why.contains("lvmdevices --adddev"), "{why}");
    // nothing is read of any disk where all is seen
    let wants = crate::plan::wants(&activate(None), &host);
    assert!(!wants.iter().any(|want| matches!(want, Want::Device(_))));
}

#[test]
fn a_word_that_names_nothing_is_answered_with_what_there_is() {
    let why = must_refuse(&activate(Some("nope")), &recorded("direct-lvm"));
    assert!(why.contains("docker-thinpool"), "{why}");
}
