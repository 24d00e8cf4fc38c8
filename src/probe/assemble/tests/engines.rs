//! What containerd's record says against the kernel, as facts come in one after another.

use super::super::assemble;
use super::contents::{contents, seen};
use super::shapes::{direct_lvm, with_status};
use crate::ids::{DevNo, ThinId};
use crate::model::Role;
use crate::model::engine::Misfit;
use crate::owner::containerd::devices::{Device, PoolRecord};
use crate::owner::containerd::state::State;
use crate::owner::containerd::{ContainerdFacts, Home};
use crate::probe::dm::{DmSeen, SeenDm};
use crate::probe::testing::dm;
use crate::probe::{Assembled, Facts, SourceFacts};

const DEVICE: &str = "docker-thinpool-snap-1";

/// A running daemon whose record has one device.
fn containerd(state: State) -> SourceFacts {
    let device = Device {
        name: DEVICE.into(),
        id: ThinId::new(9),
        size: None,
        parent: Vec::new(),
        state,
        error: "".into(),
    };
    let home = Home {
        root: "/c".into(),
        home: "/c/home".into(),
        pool: b"docker-thinpool".to_vec(),
        configured: true,
        devices: Some(PoolRecord { devices: vec![device], ..PoolRecord::default() }),
        running: Some(true),
        still: Some(0),
        ..Home::default()
    };
    SourceFacts::Containerd(ContainerdFacts { homes: vec![home], ..ContainerdFacts::default() })
}

/// The pool's host, and with that device of this table.
fn host(table: Option<&str>) -> DmSeen {
    let Facts { dm: seen, .. } = with_status(
        direct_lvm(),
        (253, 2),
        "0 800 thin-pool 1 10/100 5/100 - rw discard_passdown queue_if_no_space - 24",
    );
    let mut seen = (*seen.expect("it was seen")).clone();
    if let Some(table) = table {
        seen.devices.push(SeenDm::new(DevNo::new(253, 9), dm(DEVICE, "", table)));
    }
    seen
}

fn misfits(assembled: &Assembled) -> Vec<Misfit> {
    let said = assembled.topology.pools.iter().flat_map(|pool| &pool.engine_facts);
    said.flat_map(|said| said.mismatches.iter().map(|one| one.what.clone())).collect()
}

#[test]
fn the_kernel_s_word_counts_when_it_was_asked_before_and_after_the_database_was_read() {
    let told = |record, looks: [Option<Option<&str>>; 2]| {
        let mut facts = direct_lvm();
        let [before, after] = looks.map(|look| look.map(host));
        if let Some(seen) = before {
            facts.put(SourceFacts::Dm(seen));
        }
        facts.put(containerd(record));
        if let Some(seen) = after {
            facts.put(SourceFacts::Dm(seen));
        }
        let assembled = assemble(&facts);
        (misfits(&assembled), assembled.unsure)
    };
    let (thin, error) = (Some(Some("0 800 thin 253:2 9")), Some(Some("0 800 error")));
    let none = Some(None);
    let activated = |looks| told(State::Activated, looks);
    assert_eq!(activated([none, None]), (vec![], true), "it may have come since");
    assert_eq!(activated([none, none]), (vec![Misfit::NotActive], false));
    assert_eq!(activated([none, thin]), (vec![], false), "it came meanwhile");
    assert_eq!(activated([thin, None]), (vec![], false), "what is there is not looked at again");
    // one that is not active any more may be in the middle of its removal
    let idle = |looks| told(State::Deactivated, looks);
    assert_eq!(idle([error, None]), (vec![], true));
    assert_eq!(idle([error, error]), (vec![Misfit::ErrorTarget], false));
    assert_eq!(idle([none, None]), (vec![], false));
}

#[test]
fn a_device_that_containerd_has_in_hand_is_not_missing() {
    let role = |state| {
        let metadata = || SourceFacts::Metadata((*seen(contents(&[7]))).clone());
        let mut facts = direct_lvm();
        facts.put(metadata());
        facts.put(containerd(state));
        facts.put(metadata());
        let topology = assemble(&facts).topology;
        let row = topology.thins.iter().find(|row| row.id == ThinId::new(9));
        row.expect("it is named").role
    };
    assert_eq!(role(State::Deactivated), Role::Missing);
    for state in [State::Creating, State::Created, State::Activating, State::Removing] {
        assert_eq!(role(state), Role::Unknown, "{state:?}");
    }
}
