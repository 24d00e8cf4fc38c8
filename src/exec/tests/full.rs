//! Records that cannot be kept, each of them, once or from then on.

use super::*;

/// What `resume` makes of what was kept.
fn assert_goes_on(what: &str, plan: &Plan, host: &Sim, undisturbed: &[String]) {
    let cut = journal(plan, &host.journal);
    match cut.standing() {
        Standing::Closed(Closing::Done) => {
            assert_same(&host.topology, undisturbed, what);
        }
        Standing::Closed(Closing::Refused { step: 0, .. }) => {
            assert_eq!(host.effects, 0, "{what}");
        }
        Standing::Between { .. } | Standing::InDoubt { .. } => {
            let mut again = host.later();
            assert_eq!(go_on(&cut, &mut again), Ending::Done, "{what}");
            assert_same(&again.topology, undisturbed, what);
        }
        other => panic!("{what}: {other:?}"),
    }
}

#[test]
fn a_record_that_cannot_be_kept_stops_the_run_where_it_can_be_gone_on_with() {
    for (what, topology, plan) in plans() {
        let undisturbed = figures(&plan.predict(&topology));
        let records = plan.steps.len() * 3 + 1;
        for at in 0..records {
            for full in [at..at + 1, at..usize::MAX] {
                let what = format!("{what}: record {at} of {full:?}");
                let mut host = Sim { full: Some(full), ..Sim::new(&topology) };
                let ending = run(&plan, 0, &mut host, &mut |_| {});
                // the last record only says that nothing is left to do
                assert_eq!(ending == Ending::Done, at == records - 1, "{what}: {ending:?}");
                assert!(!matches!(ending, Ending::Failed { .. }), "{what}: {ending:?}");
                assert_eq!(host.effects, at.div_ceil(3), "{what}: no effect without its record");
                assert_goes_on(&what, &plan, &host, &undisturbed);
            }
        }
    }
}

#[test]
fn nothing_is_done_when_the_journal_cannot_be_kept_at_all() {
    let (topology, plan) = plan_of("metadata and data");
    let mut host = Sim { full: Some(0..usize::MAX), ..Sim::new(&topology) };
    let Ending::Refused { why, .. } = run(&plan, 0, &mut host, &mut |_| {}) else {
        panic!("it is refused")
    };
    assert!(why.contains("no space left"), "{why}");
    assert_eq!(host.effects, 0);
}

#[test]
fn a_resumed_run_whose_records_cannot_be_kept_does_nothing_and_stays_open() {
    for (what, topology, plan) in plans() {
        let undisturbed = figures(&plan.predict(&topology));
        for (at, fault) in
            (0..plan.steps.len()).flat_map(|at| super::sim::DEATHS.map(|fault| (at, fault)))
        {
            let what = format!("{what}: {fault:?} in step {at}");
            let mut host = Sim { fault: Some((at, fault)), ..Sim::new(&topology) };
            run(&plan, 0, &mut host, &mut |_| {});
            let cut = journal(&plan, &host.journal);
            let mut full = Sim { full: Some(0..usize::MAX), ..host.later() };
            let ending = go_on(&cut, &mut full);
            assert_eq!(full.effects, 0, "{what}");
            if ending != Ending::Done {
                assert!(matches!(ending, Ending::Undecided { .. }), "{what}: {ending:?}");
            }
            let mut again = full.later();
            assert_eq!(go_on(&cut, &mut again), Ending::Done, "{what}");
            assert_same(&again.topology, &undisturbed, &what);
        }
    }
}
