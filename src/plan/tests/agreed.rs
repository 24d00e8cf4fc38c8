use super::{around, commands, grow, must_plan, occasion, recorded};
use crate::ids::DevNo;
use crate::plan::{Action, Around, Plan, Planned, Want, agreed, document, plan};

/// A plan that takes /dev/vdc, of which these signatures were seen.
fn taking(holds: &[&str]) -> Plan {
    let intent = grow(Some("100%FREE"), None, &["/dev/vdc"]);
    match plan(&intent, &recorded("direct-lvm"), &now(holds), &occasion()) {
        Ok(Planned::Plan(plan)) => *plan,
        other => panic!("it is planned, not {other:?}"),
    }
}

fn now(holds: &[&str]) -> Around {
    let mut around = around();
    let seen = around.devices.get_mut("/dev/vdc").expect("it is around");
    seen.signatures = Some(Ok(holds.iter().map(|one| (*one).to_owned()).collect()));
    around
}

fn breach(plan: &Plan, around: &Around) -> Option<String> {
    plan.steps.iter().find_map(|step| agreed::breach(&step.action, around))
}

#[test]
fn a_disk_that_was_empty_is_taken_without_leave_to_wipe() {
    assert_eq!(commands(&taking(&[]))[0], "pvcreate /dev/vdc");
    assert_eq!(commands(&taking(&["ext4"]))[0], "pvcreate -y /dev/vdc");
}

#[test]
fn what_was_given_to_a_disk_since_it_was_agreed_to_is_not_lost() {
    let empty = taking(&[]);
    assert_eq!(breach(&empty, &now(&[])), None);
    let why = breach(&empty, &now(&["ext4 (label data)"])).expect("it holds something now");
    assert!(why.contains("ext4 (label data)") && why.contains("/dev/vdc"), "{why}");
    let agreed = taking(&["ext4 (label data)"]);
    assert_eq!(breach(&agreed, &now(&["ext4 (label data)"])), None);
    assert_eq!(breach(&agreed, &now(&[])), None, "somebody wiped it: nothing is lost");
    let why = breach(&agreed, &now(&["ext4 (label data)", "dos"])).expect("more than agreed");
    assert!(why.contains("holds dos now"), "{why}");
    assert!(breach(&agreed, &now(&["ext4 (label other)"])).is_some(), "another filesystem");
}

#[test]
fn another_device_of_the_same_name_and_one_that_cannot_be_read_are_not_taken() {
    let plan = taking(&[]);
    let mut other = now(&[]);
    other.devices.get_mut("/dev/vdc").expect("it is around").number = Some(DevNo::new(254, 64));
    let why = breach(&plan, &other).expect("another number");
    assert!(why.contains("254:64, not 254:32"), "{why}");
    let mut unread = now(&[]);
    unread.devices.get_mut("/dev/vdc").expect("it is around").signatures =
        Some(Err("Input/output error".to_owned()));
    let why = breach(&plan, &unread).expect("it was not seen");
    assert!(why.contains("Input/output error"), "{why}");
    assert!(breach(&plan, &Around::default()).is_some(), "nobody looked");
}

#[test]
fn only_what_destroys_is_looked_at_again() {
    let plan = taking(&[]);
    let wants: Vec<Want> =
        plan.steps.iter().filter_map(|step| agreed::want(&step.action)).collect();
    assert_eq!(wants, [Want::Device("/dev/vdc".to_owned())]);
    let other = must_plan(&grow(Some("+40M"), None, &[]), &recorded("direct-lvm"));
    assert_eq!(other.steps.iter().find_map(|step| agreed::want(&step.action)), None);
}

#[test]
fn another_disk_of_the_same_name_and_size_is_not_unused() {
    let plan = taking(&[]);
    let mut host = recorded("direct-lvm");
    let check = &plan.steps[0].before[0];
    assert!(check.judge(&host).holds());
    for node in &mut host.nodes {
        if node.name.as_str() == "vdc" {
            node.id = crate::ids::NodeId::new("disk", "another-serial");
        }
    }
    assert!(!check.judge(&host).holds());
}

#[test]
fn a_journal_of_before_is_read_and_agrees_to_nothing_that_is_found() {
    let old = r#"{"create-pv":{"device":"/dev/vdc","name":"vdc"}}"#;
    let action: Action = serde_json::from_str(old).expect("a step of before");
    assert_eq!(agreed::breach(&action, &now(&[])), None);
    assert!(agreed::breach(&action, &now(&["xfs"])).is_some());
    assert_eq!(serde_json::to_string(&action).expect("our own type"), old);
    // and a new one says all of it
    let plan = taking(&["ext4"]);
    assert_eq!(document::read(&document::write(&plan).to_string()), Ok(plan));
}
