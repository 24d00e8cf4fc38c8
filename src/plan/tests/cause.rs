//! Why LVM has not brought something back by itself.

use std::collections::BTreeMap;

use super::activate::inactive;
use super::{activate, around, occasion, recorded};
use crate::model::{Kind, Topology};
use crate::plan::{Around, Plan, Planned, Want, plan};

/// Around a host whose LVM is set like this.
fn set(settings: &[(&str, &[&str])]) -> Around {
    let items = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect();
    let all: BTreeMap<String, Vec<String>> =
        settings.iter().map(|(key, list)| ((*key).to_owned(), items(list))).collect();
    Around { lvm: Some(all), ..around() }
}

fn with(host: &Topology, around: &Around) -> Plan {
    match plan(&activate(None), host, around, &occasion()) {
        Ok(Planned::Plan(plan)) => *plan,
        other => panic!("it is planned, not {other:?}"),
    }
}

/// The host with autoactivation as LVM tells it of the group and of the pool.
fn told(group: bool, pool: bool) -> Topology {
    let mut host = inactive();
    for node in &mut host.nodes {
        if let Some(vg) = &mut node.facts.vg {
            vg.autoactivation = Some(group);
        }
        if let (Kind::Pool, Some(lv)) = (node.kind, &mut node.facts.lv) {
            lv.autoactivation = Some(pool);
        }
    }
    host
}

#[test]
fn autoactivation_that_is_switched_off_is_the_cause_and_how_to_switch_it_on_is_told() {
    let plan = with(&told(false, true), &set(&[]));
    assert_eq!(
        plan.steps[0].why,
        "autoactivation is switched off for docker, so that no boot brings it"
    );
    let next = plan.next.last().expect("what decides the next boot");
    assert!(next.contains("vgchange --setautoactivation y docker"), "{next}");
    let plan = with(&told(true, false), &set(&[]));
    assert!(plan.steps[0].why.contains("switched off for docker/thinpool"));
    let next = plan.next.last().expect("what decides the next boot");
    assert!(next.contains("lvchange --setautoactivation y docker/thinpool"), "{next}");
}

#[test]
fn a_list_of_what_comes_by_itself_is_the_cause_where_it_does_not_name_it() {
    let key = "activation/auto_activation_volume_list";
    let why = |list: &[&str]| with(&told(true, true), &set(&[(key, list)])).steps[0].why.clone();
    assert!(why(&["other", "docker/other"]).contains("it names other, docker/other"));
    assert!(why(&[]).contains("it names nothing"));
    assert!(why(&["other", "@boot"]).contains("names tags"), "{}", why(&["@boot"]));
    for named in ["docker", "docker/thinpool"] {
        assert!(why(&["other", named]).contains("neither its autoactivation nor LVM's lists"));
    }
    let plan = with(&told(true, true), &set(&[(key, &["other"])]));
    let next = plan.next.last().expect("what decides the next boot");
    assert!(next.contains("add docker/thinpool to activation/auto_activation"), "{next}");
}

#[test]
fn what_lvm_itself_would_not_activate_is_refused_with_the_list_that_forbids_it() {
    let key = "activation/volume_list";
    for target in [None, Some("docker"), Some("docker/thinpool")] {
        let planned =
            |list: &[&str]| plan(&activate(target), &inactive(), &set(&[(key, list)]), &occasion());
        let why = planned(&["root"]).expect_err("LVM activates nothing of it").why;
        assert!(why.contains("activation/volume_list does not name docker"), "{why}");
        assert!(planned(&["root", "docker"]).is_ok());
        assert!(planned(&["@host"]).is_ok(), "whose tag it is is LVM's to say");
    }
}

#[test]
fn where_nothing_was_seen_all_that_may_be_is_named() {
    let why = with(&inactive(), &around()).steps[0].why.clone();
    assert!(why.contains("autoactivation off, auto_activation_volume_list, or"), "{why}");
    assert!(crate::plan::wants(&activate(None), &inactive()).contains(&Want::LvmSettings));
    assert!(
        !crate::plan::wants(&activate(None), &recorded("direct-lvm")).contains(&Want::LvmSettings)
    );
}

#[test]
fn what_lvm_s_settings_rule_out_is_no_cause_of_a_pv_that_is_not_listed() {
    let host = recorded("direct-lvm");
    let why = |file: bool, settings: &[(&str, &[&str])]| {
        let mut around = set(settings);
        let seen = around.devices.get_mut("/dev/vdc").expect("it is around");
        seen.signatures = Some(Ok(vec!["LVM2_member (uuid x)".to_owned()]));
        around.files.insert("/etc/lvm/devices/system.devices".to_owned(), file);
        let refused = plan(&activate(Some("gone/pool")), &host, &around, &occasion());
        let why = refused.expect_err("there is no such pool").why;
        let (_, causes) = why.split_once("does not list: ").expect("the disk is named");
        causes.to_owned()
    };
    let all = ("devices/filter", ["a|.*|"].as_slice());
    let foreign = "its group is another host's (`vgs --foreign -o +vg_systemid`)";
    assert_eq!(why(false, &[all]), foreign);
    assert_eq!(why(true, &[all, ("devices/use_devicesfile", &["0"])]), foreign);
    let file = why(true, &[all, ("devices/use_devicesfile", &["1"])]);
    assert!(file.starts_with("LVM's devices file leaves it out"), "{file}");
    assert!(!file.contains("filter"), "{file}");
    let filter = why(false, &[("devices/filter", &["r|/dev/vdc|"])]);
    assert!(
        filter.starts_with("a filter leaves it out (`lvmconfig devices/filter devices/global_filter`: devices/filter is r|/dev/vdc|)"),
        "{filter}"
    );
}
