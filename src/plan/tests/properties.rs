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
        |(data, metadata, add_pvs)| Intent::Grow(Grow { pool: None, data, metadata, add_pvs }),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

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
