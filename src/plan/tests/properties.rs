//! What holds for every plan.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::{around, occasion, recorded, totals};
use crate::exec::{Ending, rehearse};
use crate::intent::{Amount, Grow, Intent};
use crate::model::Topology;
use crate::plan::{Planned, document, plan, script};
use crate::units::Bytes;

static HOSTS: LazyLock<Vec<Topology>> = LazyLock::new(|| {
    // as recorded, and with room for anything
    let mut hosts = vec![recorded("direct-lvm"), recorded("loop-lvm")];
    let mut roomy = recorded("direct-lvm");
    for node in &mut roomy.nodes {
        if let Some(vg) = &mut node.facts.vg {
            vg.free = Some(Bytes(1 << 44));
        }
    }
    hosts.push(roomy);
    hosts
});

const EXTENT: u64 = 4 << 20;

fn group_of(host: &Topology) -> &crate::model::VgFacts {
    host.nodes.iter().find_map(|node| node.facts.vg.as_deref()).expect("the pool's group")
}

/// The recorded LVM host with so many extents free and so many in its spare; its metadata has 25.
fn with_room(free: u64, spare: u64) -> Topology {
    let mut host = HOSTS[0].clone();
    for node in &mut host.nodes {
        if let Some(vg) = &mut node.facts.vg {
            vg.free = Some(Bytes(free * EXTENT));
        }
        if node.kind == crate::model::Kind::Pmspare {
            node.size = Some(Bytes(spare * EXTENT));
            let lv = node.facts.lv.as_mut().expect("the spare is LVM's");
            lv.size = node.size;
        }
    }
    host
}

fn amounts() -> impl Strategy<Value = Amount> {
    let bytes = prop_oneof![0..1_u64 << 20, 0..1_u64 << 36, any::<u64>()];
    prop_oneof![
        4 => bytes.clone().prop_map(|bytes| Amount::By(Bytes(bytes))),
        4 => bytes.prop_map(|bytes| Amount::To(Bytes(bytes & !511))),
        1 => Just(Amount::AllFree),
    ]
}

fn wishes() -> impl Strategy<Value = Intent> {
    let devices = prop_oneof![
        3 => Just(Vec::new()),
        1 => Just(vec!["/dev/vdc".to_owned()]),
        1 => Just(vec!["/dev/vdc".to_owned(), "/dev/vdd".to_owned()]),
    ];
    (prop::option::of(amounts()), prop::option::of(amounts()), devices).prop_map(
        |(data, metadata, add_pvs)| {
            Intent::Grow(Grow { data, metadata, add_pvs, ..Grow::default() })
        },
    )
}

/// What fits into the roomy host by any reckoning: at most a TiB of data, which wants 16 GiB of
/// metadata at the very most, and metadata below its cap.
fn modest() -> impl Strategy<Value = Intent> {
    let data = prop::option::of(prop_oneof![
        3 => (1..1_u64 << 40).prop_map(|bytes| Amount::By(Bytes(bytes))),
        1 => (1_u64 << 34..1 << 40).prop_map(|bytes| Amount::To(Bytes(bytes))),
    ]);
    let metadata = prop_oneof![
        1 => Just(None),
        3 => (1..1_u64 << 33).prop_map(|bytes| Some(Amount::By(Bytes(bytes)))),
        1 => (1_u64 << 30..1 << 33).prop_map(|bytes| Some(Amount::To(Bytes(bytes)))),
        2 => Just(Some(Amount::AllFree)),
    ];
    (data, metadata)
        .prop_filter("something", |(data, metadata)| data.is_some() || metadata.is_some())
        .prop_map(|(data, metadata)| Intent::Grow(Grow { data, metadata, ..Grow::default() }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_there_is_room_for_is_never_refused(wish in modest()) {
        let planned = plan(&wish, &HOSTS[2], &around(), &occasion());
        prop_assert!(matches!(planned, Ok(Planned::Plan(_))), "{wish}: {planned:?}");
    }

    #[test]
    fn all_that_is_free_is_planned_as_long_as_anything_can_be_taken(
        free in 0..300_u64,
        spare in 0..60_u64,
        metadata in any::<bool>(),
    ) {
        let host = with_room(free, spare);
        let all = Some(Amount::AllFree);
        let wish = if metadata {
            Grow { metadata: all, ..Grow::default() }
        } else {
            Grow { data: all, ..Grow::default() }
        };
        let planned = plan(&Intent::Grow(wish), &host, &around(), &occasion());
        // of metadata the spare takes as much again, but for what it is ahead
        let now = 25;
        let least = if !metadata || spare > now { 1 } else { 2 + (now - spare) };
        if free < least {
            prop_assert!(planned.is_err(), "{planned:?}");
            return Ok(());
        }
        let Ok(Planned::Plan(plan)) = planned else {
            return Err(TestCaseError::fail(format!("{planned:?}")));
        };
        let after = plan.predict(&host);
        let left = group_of(&after).free.map(|free| free.get() / EXTENT).unwrap_or_default();
        // an odd extent has no twin for the spare
        prop_assert!(left <= u64::from(metadata), "{left} of {free} are left");
    }

    #[test]
    fn every_plan_meets_its_own_checks_and_shrinks_nothing(wish in wishes(), host in 0..3_usize) {
        let host = &HOSTS[host];
        let Ok(Planned::Plan(plan)) = plan(&wish, host, &around(), &occasion()) else {
            return Ok(());
        };
        prop_assert!(!plan.steps.is_empty());
        let ending = rehearse(&plan, Arc::new(host.clone()), &mut |_| {});
        prop_assert_eq!(ending, Ending::Done);
        let (before, after) = (totals(host), totals(&plan.predict(host)));
        prop_assert!(after.0 >= before.0 && after.1 >= before.1, "{:?} {:?}", before, after);
    }

    #[test]
    fn a_plan_is_read_back_as_it_was_saved(wish in wishes(), host in 0..3_usize) {
        let Ok(Planned::Plan(plan)) = plan(&wish, &HOSTS[host], &around(), &occasion()) else {
            return Ok(());
        };
        let text = document::write(&plan).to_string();
        prop_assert_eq!(document::read(&text), Ok(*plan.clone()));
        let shown = script::script(&plan);
        prop_assert!(shown.starts_with("#!/bin/sh\n"));
        // every line is a comment, a setting or a command that the plan shows
        let commands = super::commands(&plan);
        for line in shown.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            prop_assert!(line == "set -eu" || commands.iter().any(|it| it == line), "{}", line);
        }
    }
}

#[test]
fn a_saved_plan_that_was_edited_or_is_of_another_kind_is_refused() {
    let wish = super::grow(Some("+100M"), None, &[]);
    let plan = super::must_plan(&wish, &HOSTS[0]);
    let text = document::write(&plan).to_string();
    let edited = text.replacen("\"+25\"", "\"+24\"", 1);
    assert_ne!(edited, text);
    let why = document::read(&edited).expect_err("what it shows is not what it does");
    assert!(why.contains("changed after it was saved"), "{why}");
    let why = document::read(&text.replacen("\"format\":1", "\"format\":9", 1)).expect_err("newer");
    assert!(why.contains("format 9"), "{why}");
    assert!(document::read("{}").is_err());
    assert!(document::read("").is_err());
}

#[test]
fn a_plan_fits_only_the_host_and_pool_that_it_was_made_for() {
    let host = &HOSTS[0];
    let plan = super::must_plan(&super::grow(Some("+100M"), None, &[]), host);
    assert_eq!(plan.misfit("lab", host), None);
    assert!(plan.misfit("other", host).is_some_and(|why| why.contains("host lab")));
    let loops = &HOSTS[1];
    assert!(plan.misfit("lab", loops).is_some_and(|why| why.contains("not there any more")));
    let mut renewed = host.clone();
    for node in &mut renewed.nodes {
        if node.kind == crate::model::Kind::Pool {
            node.id = crate::ids::NodeId::new("pool", "another-uuid");
        }
    }
    assert!(plan.misfit("lab", &renewed).is_some_and(|why| why.contains("another one now")));
}
