use super::{
    activate, around, commands, must_plan, must_refuse, occasion, planned, pool_mut, recorded,
};
use crate::ids::DevNo;
use crate::model::{Kind, PoolState, Topology};
use crate::plan::{Danger, Planned, plan};
use crate::units::Bytes;

/// The recorded host with its pool's volumes deactivated.
fn inactive() -> Topology {
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

fn suspend(host: &mut Topology) {
    pool_mut(host).suspended = true;
    for node in &mut host.nodes {
        if matches!(node.kind, Kind::Pool | Kind::Tdata | Kind::Tmeta) {
            node.facts.dm.as_mut().expect("active").suspended = true;
        }
    }
}

#[test]
fn an_own_pool_is_made_again_over_its_files_with_dockers_table() {
    let mut host = recorded("loop-lvm");
    // after a boot: no loop device, no pool
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
    let plan = must_plan(&activate(None), &host);
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
}

#[test]
fn a_word_that_names_nothing_is_answered_with_what_there_is() {
    let why = must_refuse(&activate(Some("nope")), &recorded("direct-lvm"));
    assert!(why.contains("docker-thinpool"), "{why}");
}
