//! Effects that hang, machines that die, and what `resume` makes of it.

use super::sim::DEATHS;
use super::*;
use crate::exec::Host;

#[test]
fn an_effect_that_is_under_way_leaves_the_run_open_and_resume_finds_how_it_ended() {
    for (what, topology, plan) in plans() {
        let undisturbed = figures(&plan.predict(&topology));
        for at in 0..plan.steps.len() {
            for fault in [Fault::Hangs, Fault::HangsInVain] {
                let mut host = Sim { fault: Some((at, fault)), ..Sim::new(&topology) };
                let ending = run(&plan, 0, &mut host, &mut |_| {});
                let running = matches!(ending, Ending::Running { step, .. } if step == at);
                assert!(running, "{what}: {ending:?}");
                let cut = journal(&plan, &host.journal);
                assert_eq!(cut.standing(), Standing::InDoubt { step: at });
                let mut again = host.later();
                assert_eq!(go_on(&cut, &mut again), Ending::Done, "{what}: {fault:?} in step {at}");
                assert_same(
                    &again.topology,
                    &undisturbed,
                    &format!("{what}: {fault:?} in step {at}"),
                );
            }
        }
    }
}

#[test]
fn whenever_and_however_the_machine_dies_resume_reaches_the_undisturbed_end() {
    for (what, topology, plan) in plans() {
        let undisturbed = figures(&plan.predict(&topology));
        for at in 0..plan.steps.len() {
            for fault in DEATHS {
                let mut host = Sim { fault: Some((at, fault)), ..Sim::new(&topology) };
                run(&plan, 0, &mut host, &mut |_| {});
                assert!(host.dead);
                let cut = journal(&plan, &host.journal);
                assert_eq!(cut.standing(), Standing::InDoubt { step: at });
                let mut again = host.later();
                assert_eq!(go_on(&cut, &mut again), Ending::Done, "{what}: {fault:?} in step {at}");
                assert_same(
                    &again.topology,
                    &undisturbed,
                    &format!("{what}: {fault:?} in step {at}"),
                );
                assert!(again.is_at_rest(), "{what}: {fault:?} in step {at}");
            }
        }
    }
}

#[test]
fn a_machine_that_dies_once_more_while_it_resumes_loses_nothing_either() {
    for (what, topology, plan) in plans() {
        let undisturbed = figures(&plan.predict(&topology));
        for at in 0..plan.steps.len() {
            for (first, second) in DEATHS.into_iter().flat_map(|one| DEATHS.map(|two| (one, two))) {
                let mut host = Sim { fault: Some((at, first)), ..Sim::new(&topology) };
                run(&plan, 0, &mut host, &mut |_| {});
                let mut records = host.journal.clone();
                let mut again = Sim { fault: Some((0, second)), ..host.later() };
                go_on(&journal(&plan, &records), &mut again);
                records.append(&mut again.journal);
                let cut = journal(&plan, &records);
                if !cut.is_open() {
                    assert_same(
                        &again.topology,
                        &undisturbed,
                        &format!("{what}: nothing was left"),
                    );
                    continue;
                }
                let mut last = again.later();
                let ending = go_on(&cut, &mut last);
                let case = format!("{what}: {first:?}, then {second:?} in step {at}");
                assert_eq!(ending, Ending::Done, "{case}");
                assert_same(&last.topology, &undisturbed, &case);
                assert!(last.is_at_rest(), "{case}");
            }
        }
    }
}

#[test]
fn a_pool_left_suspended_on_its_new_table_is_resumed_by_the_same_window() {
    for kind in ["files", "volumes"] {
        let (topology, plan) = plan_of(kind);
        let at = plan.steps.len() - 1;
        assert!(matches!(plan.steps[at].action, Action::Reload { .. }));
        let mut host = Sim { fault: Some((at, Fault::DiesInWindow)), ..Sim::new(&topology) };
        run(&plan, 0, &mut host, &mut |_| {});
        let cut = journal(&plan, &host.journal);
        let mut again = host.later();
        assert!(!again.is_at_rest());
        assert_eq!(go_on(&cut, &mut again), Ending::Done);
        assert_eq!(again.windows, 1, "it alone knows the old table, should the new one be refused");
        assert!(again.is_at_rest());
        // and when the window cannot, nothing else is tried and the reason is told
        let mut stuck = Sim { fault: Some((0, Fault::Fails)), ..host.later() };
        assert!(matches!(go_on(&cut, &mut stuck), Ending::Failed { .. }));
        assert_eq!(stuck.effects, 1);
    }
}

#[test]
fn a_table_that_was_loaded_and_never_resumed_is_loaded_over_and_another_ones_is_not() {
    let (topology, plan) = plan_of("files");
    let at = plan.steps.len() - 1;
    let mut host = Sim { fault: Some((at, Fault::DiesLoaded)), ..Sim::new(&topology) };
    run(&plan, 0, &mut host, &mut |_| {});
    let cut = journal(&plan, &host.journal);
    let mut again = host.later();
    assert_eq!(again.slots.len(), 1, "ours");
    assert_eq!(go_on(&cut, &mut again), Ending::Done);
    assert!(again.is_at_rest());
    // somebody else's
    let mut foreign = host.later();
    foreign.load(&plan.steps[at].action, "0 8 error");
    let Ending::Failed { why, .. } = go_on(&cut, &mut foreign) else { panic!("it is refused") };
    assert!(why.contains("not ours"), "{why}");
    assert_eq!(foreign.slots.len(), 1, "it is not ours to throw away");
    // ours, on a pool that somebody grew meanwhile: nothing is done, and it is told what waits
    let mut grown = host.later();
    crate::plan::tests::status_mut(&mut grown.topology).data.total.0 += 1;
    let Ending::Failed { why, .. } = go_on(&cut, &mut grown) else { panic!("it is left alone") };
    assert!(why.contains("dmsetup clear docker-"), "{why}");
    assert_eq!(grown.effects, 0);
}

#[test]
fn a_filesystem_that_may_have_grown_grows_once_more() {
    let (topology, plan) = plan_of("a thin volume");
    assert!(matches!(plan.steps[1].action, Action::GrowFilesystem { .. }));
    for fault in [Fault::DiesBefore, Fault::DiesAfter] {
        let mut host = Sim { fault: Some((1, fault)), ..Sim::new(&topology) };
        run(&plan, 0, &mut host, &mut |_| {});
        let mut again = host.later();
        assert_eq!(go_on(&journal(&plan, &host.journal), &mut again), Ending::Done);
        assert_eq!(again.effects, 1, "{fault:?}");
    }
    // and what it says is what is told when it fails
    let mut host = Sim { fault: Some((1, Fault::Fails)), ..Sim::new(&topology) };
    let ending = run(&plan, 0, &mut host, &mut |_| {});
    assert_eq!(ending, Ending::Failed { step: 1, why: "a fault".to_owned() });
}

#[test]
fn what_lvm_recorded_and_the_kernel_did_not_take_is_refreshed_and_never_done_twice() {
    let growths = [("metadata and data", 0), ("volumes", 0), ("a thin volume", 0)];
    for (kind, at) in growths {
        let (topology, plan) = plan_of(kind);
        let mut host = Sim { fault: Some((at, Fault::DiesHalf)), ..Sim::new(&topology) };
        run(&plan, 0, &mut host, &mut |_| {});
        let mut again = host.later();
        let cut = journal(&plan, &host.journal);
        assert_eq!(go_on(&cut, &mut again), Ending::Done, "{kind}");
        let Some(Record::Intended { commands, .. }) = again.journal.first() else {
            panic!("{kind}: {:?}", again.journal)
        };
        assert_eq!(commands[0][..2], ["lvchange".to_owned(), "--refresh".to_owned()], "{kind}");
    }
}

#[test]
fn what_the_kernel_has_beyond_lvm_is_extended_and_never_refreshed() {
    let (topology, plan) = plan_of("metadata and data");
    for at in 0..2 {
        let mut host = Sim { fault: Some((at, Fault::DiesAhead)), ..Sim::new(&topology) };
        run(&plan, 0, &mut host, &mut |_| {});
        let mut again = host.later();
        assert_eq!(go_on(&journal(&plan, &host.journal), &mut again), Ending::Done);
        let Some(Record::Intended { commands, .. }) = again.journal.first() else {
            panic!("{:?}", again.journal)
        };
        assert_eq!(commands[0][0], "lvextend");
        let refreshed = again.journal.iter().any(|record| {
            matches!(record, Record::Intended { commands, .. } if commands[0][0] == "lvchange")
        });
        assert!(!refreshed, "step {at}");
    }
}

#[test]
fn what_cannot_be_brought_back_is_told_and_the_run_stays_open() {
    let (topology, plan) = plan_of("metadata and data");
    let mut host = Sim { fault: Some((1, Fault::DiesSuspended)), ..Sim::new(&topology) };
    run(&plan, 0, &mut host, &mut |_| {});
    let mut again = host.later();
    // the kernel has more than LVM, and LVM has no room for it
    let status = crate::plan::tests::status_mut(&mut again.topology);
    status.data.total.0 *= 2;
    let cut = journal(&plan, &host.journal);
    let Ending::Undecided { step: 1, why } = go_on(&cut, &mut again) else { panic!("a person's") };
    assert!(why.contains("`lvextend -L 20392706048b docker/thinpool`"), "{why}");
    assert_eq!((again.effects, again.journal.len()), (0, 0));
}

#[test]
fn every_journal_that_a_crash_can_leave_resumes_to_the_same_end() {
    for (what, topology, plan) in plans() {
        let mut whole = Sim::new(&topology);
        run(&plan, 0, &mut whole, &mut |_| {});
        let undisturbed = figures(&whole.topology);
        for kept in 0..whole.journal.len() {
            let records = &whole.journal[..kept];
            // the host as it was then: done are the steps that were applied
            let applied = |record: &&Record| matches!(record, Record::Applied { .. });
            let done = records.iter().filter(applied).count();
            let mut then = topology.clone();
            plan.steps.iter().take(done).for_each(|step| step.action.predict(&mut then));
            let mut host = Sim::new(&then);
            let ending = go_on(&journal(&plan, records), &mut host);
            assert_eq!(ending, Ending::Done, "{what}: after {kept} records");
            assert_same(&host.topology, &undisturbed, &format!("{what}: after {kept} records"));
            assert!(!host.stops());
        }
    }
}
