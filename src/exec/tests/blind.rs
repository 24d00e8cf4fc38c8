//! Looks that fail, and looks that see nothing, at any moment: nothing is done over them, and
//! nothing is closed over them.

use super::sim::{Blind, DEATHS};
use super::*;

const BOTH: [Blind; 2] = [Blind::Fails, Blind::Unseen];

/// The run that a blind look left behind goes on to the undisturbed end.
fn assert_goes_on(what: &str, plan: &Plan, records: &[Record], host: &Sim, undisturbed: &[String]) {
    let cut = journal(plan, records);
    assert!(cut.is_open(), "{what}: {:?}", cut.standing());
    let mut again = host.later();
    assert_eq!(go_on(&cut, &mut again), Ending::Done, "{what}");
    assert_same(&again.topology, undisturbed, what);
    assert!(again.is_at_rest(), "{what}");
}

#[test]
fn a_run_whose_host_cannot_be_seen_does_nothing_more_and_stays_open() {
    for (what, topology, plan) in plans() {
        let undisturbed = figures(&plan.predict(&topology));
        // one before the first step, one after each
        for (look, how) in (0..=plan.steps.len()).flat_map(|look| BOTH.map(|how| (look, how))) {
            let what = format!("{what}: look {look} {how:?}");
            let mut host = Sim { blind: Some((look, how)), ..Sim::new(&topology) };
            let ending = run(&plan, 0, &mut host, &mut |_| {});
            if ending == Ending::Done {
                // it tells of nothing that was needed, and the rest of it was seen
                assert_eq!(how, Blind::Unseen, "{what}");
                assert_same(&host.topology, &undisturbed, &what);
                continue;
            }
            if look == 0 {
                assert!(matches!(ending, Ending::Refused { step: 0, .. }), "{what}: {ending:?}");
                assert_eq!(host.effects, 0, "nothing was begun, so nothing is left open");
                assert!(!journal(&plan, &host.journal).is_open());
                continue;
            }
            let Ending::Undecided { step, why } = ending else { panic!("{what}: {ending:?}") };
            assert_eq!(step, look - 1, "{what}");
            assert!(why.contains("seen"), "{what}: {why}");
            assert_eq!(host.effects, look, "{what}: nothing is done unseen");
            assert_goes_on(&what, &plan, &host.journal, &host, &undisturbed);
        }
    }
}

#[test]
fn a_step_in_doubt_on_a_host_that_cannot_be_seen_is_neither_completed_nor_closed() {
    for (what, topology, plan) in plans() {
        let undisturbed = figures(&plan.predict(&topology));
        for at in 0..plan.steps.len() {
            for (death, how) in DEATHS.into_iter().flat_map(|death| BOTH.map(|how| (death, how))) {
                let mut host = Sim { fault: Some((at, death)), ..Sim::new(&topology) };
                run(&plan, 0, &mut host, &mut |_| {});
                for look in 0..20 {
                    let what = format!("{what}: {death:?} in step {at}, look {look} {how:?}");
                    let mut again = Sim { blind: Some((look, how)), ..host.later() };
                    let ending = go_on(&journal(&plan, &host.journal), &mut again);
                    if again.looks <= look {
                        assert_eq!(ending, Ending::Done, "{what}: there are no more looks");
                        break;
                    }
                    let records = [host.journal.clone(), again.journal.clone()].concat();
                    if ending == Ending::Done {
                        // it tells of nothing that was needed: another look came after it
                        assert_eq!(how, Blind::Unseen, "{what}");
                        assert_same(&again.topology, &undisturbed, &what);
                        continue;
                    }
                    assert!(matches!(ending, Ending::Undecided { .. }), "{what}: {ending:?}");
                    assert_eq!(again.effects_when_blind, Some(again.effects), "{what}");
                    assert_goes_on(&what, &plan, &records, &again, &undisturbed);
                }
            }
        }
    }
}

#[test]
fn a_failure_that_cannot_be_looked_at_is_not_closed_either() {
    let (topology, plan) = plan_of("metadata and data");
    let mut host = Sim {
        fault: Some((0, Fault::Fails)),
        blind: Some((1, Blind::Fails)),
        ..Sim::new(&topology)
    };
    let ending = run(&plan, 0, &mut host, &mut |_| {});
    let Ending::Undecided { step: 0, why } = ending else { panic!("{ending:?}") };
    assert!(why.contains("a fault; what stands could not be seen"), "{why}");
    let undisturbed = figures(&plan.predict(&topology));
    assert_goes_on("failed", &plan, &host.journal, &host, &undisturbed);
}
