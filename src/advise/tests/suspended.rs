//! What is told of devices that were left suspended, with or without tables that wait.

use super::{findings_after, only};
use crate::model::sample::{Parts, dm, node};
use crate::model::{Cure, Finding, Kind, NodeIx};

/// The sample's places of tmeta, tdata and pool.
const TMETA: usize = 4;
const TDATA: usize = 5;
const POOL: usize = 6;

/// These are suspended, and tables wait in the slots of those.
fn left(suspended: &[usize], waiting: &[usize]) -> impl FnOnce(&mut Parts) {
    let (suspended, waiting) = (suspended.to_vec(), waiting.to_vec());
    move |parts| {
        parts.pool.suspended = suspended.contains(&POOL);
        for at in 0..parts.nodes.len() {
            if let Some(dm) = &mut parts.nodes[at].facts.dm {
                dm.suspended = suspended.contains(&at);
                dm.inactive_table = waiting.contains(&at);
            }
        }
    }
}

const AGAIN: &str = "look again: a change in progress ends within a second. If it stays: ";
const DEVICE_AGAIN: &str = "look again: a snapshot or a change in progress ends within a second. If \
                            it stays, and no lvm or docker command is at work on it: ";

fn told(code: &str, found: &[Finding]) -> (String, Vec<String>, Cure) {
    let finding = only(found, code);
    let start = if code == "pool-suspended" { AGAIN } else { DEVICE_AGAIN };
    let rest = finding.remedy.strip_prefix(start).expect("it begins with a second look").to_owned();
    let waits = finding.evidence.into_iter().filter(|line| line.starts_with("a second table"));
    (rest, waits.collect(), finding.cure)
}

fn waits(names: &[&str]) -> Vec<String> {
    let line = |name: &&str| format!("a second table waits in the inactive slot of {name}");
    names.iter().map(line).collect()
}

#[test]
fn a_pool_is_brought_back_by_the_wizard_or_from_below_upwards() {
    let found = findings_after(left(&[TMETA, TDATA, POOL], &[]));
    let (remedy, evidence, cure) = told("pool-suspended", &found);
    assert_eq!(
        remedy,
        "`thinscope activate docker-thinpool`; by hand `dmsetup resume docker-thinpool_tmeta`, \
         `dmsetup resume docker-thinpool_tdata`, `dmsetup resume docker-thinpool`"
    );
    assert_eq!((evidence, cure), (Vec::new(), Cure::AsItsPage));
    let wizard = crate::advise::wizard("pool-suspended").expect("it has a page");
    assert!(wizard.starts_with("`thinscope activate POOL`"), "{wizard}");
}

#[test]
fn a_table_that_waits_under_a_suspended_pool_is_not_resumed_blindly() {
    let found = findings_after(left(&[TDATA, POOL], &[TDATA]));
    let (remedy, evidence, _) = told("pool-suspended", &found);
    assert_eq!(
        remedy,
        "`thinscope activate docker-thinpool` finds out whether LVM committed what waits; by hand \
         `dmsetup clear docker-thinpool_tdata` unless the waiting table has the size that the VG \
         records, then `dmsetup resume docker-thinpool_tdata`, `dmsetup resume docker-thinpool`"
    );
    assert_eq!(evidence, waits(&["docker-thinpool_tdata"]));
}

#[test]
fn the_slots_of_the_whole_pool_are_told_with_a_part_that_is_suspended_alone() {
    let found = findings_after(left(&[TDATA], &[TMETA, TDATA]));
    let (remedy, evidence, cure) = told("device-suspended", &found);
    assert_eq!(
        remedy,
        "by hand `dmsetup clear docker-thinpool_tmeta`, `dmsetup clear docker-thinpool_tdata` \
         unless the waiting tables have the sizes that the VG records, then `dmsetup resume \
         docker-thinpool_tmeta`, `dmsetup resume docker-thinpool_tdata`; `thinscope activate \
         docker-thinpool` clears no table of what is not suspended"
    );
    assert_eq!(evidence, waits(&["docker-thinpool_tmeta", "docker-thinpool_tdata"]));
    assert_eq!(cure, Cure::AsItsPage, "the wizard is for pools");
}

#[test]
fn nobody_commits_the_tables_of_a_pool_without_lvm() {
    let found = findings_after(|parts| {
        left(&[POOL], &[POOL])(parts);
        parts.pool.lv = None;
    });
    assert_eq!(
        told("pool-suspended", &found).0,
        "`thinscope activate docker-thinpool` throws away what waits; by hand `dmsetup resume \
         docker-thinpool` puts what waits in force, `dmsetup clear docker-thinpool` before it \
         keeps what was live"
    );
}

/// A thin device of docker's on the pool, suspended.
fn on_the_pool(parts: &mut Parts) {
    let mut device = node(Kind::Thin, "docker-254:1-131-x", 1 << 30);
    device.parents = vec![NodeIx(6)];
    let mut facts = dm("docker-254:1-131-x", "0 8 thin 253:2 5", "0 8 thin 8 7");
    facts.suspended = true;
    device.facts.dm = Some(Box::new(facts));
    parts.nodes.push(device);
}

#[test]
fn what_lies_on_a_pool_is_brought_back_by_the_pools_name() {
    let found = findings_after(on_the_pool);
    let (remedy, _, cure) = told("device-suspended", &found);
    assert_eq!(
        remedy,
        "`thinscope activate docker-thinpool`; by hand `dmsetup resume docker-254:1-131-x`"
    );
    assert_eq!(cure, Cure::AsItsPage);
    let with_pool = findings_after(|parts| {
        on_the_pool(parts);
        left(&[POOL], &[])(parts);
        let last = parts.nodes.last_mut().and_then(|node| node.facts.dm.as_mut());
        last.expect("it was added").suspended = true;
    });
    assert!(
        told("pool-suspended", &with_pool).0.ends_with(
            "by hand `dmsetup resume docker-thinpool`, `dmsetup resume docker-254:1-131-x`"
        ),
        "{with_pool:?}"
    );
}

#[test]
fn a_volume_of_lvm_s_is_brought_back_by_its_own_name_and_another_device_by_hand() {
    let other = |lvm: bool| {
        let found = findings_after(move |parts| {
            let mut device = node(Kind::Linear, "docker-data", 1 << 30);
            let mut facts = dm("docker-data", "0 8 linear 254:16 2048", "0 8 linear");
            (facts.suspended, facts.inactive_table) = (true, lvm);
            device.facts.dm = Some(Box::new(facts));
            device.facts.lv = parts.nodes[TDATA].facts.lv.clone().filter(|_| lvm).map(|mut lv| {
                lv.name = "data".into();
                lv
            });
            parts.nodes.push(device);
        });
        told("device-suspended", &found).0
    };
    assert_eq!(
        other(true),
        "`thinscope activate docker/data` finds out whether LVM committed what waits; by hand \
         `dmsetup clear docker-data` unless the waiting table has the size that the VG records, \
         then `dmsetup resume docker-data`"
    );
    assert_eq!(other(false), "`dmsetup resume docker-data`");
}
