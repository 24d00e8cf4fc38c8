//! The executor over a simulated host with a fault at every effect, and over every journal that a
//! crash can leave.

mod blind;
mod deaths;
mod full;
mod sim;

use std::sync::LazyLock;

use super::journal::{Entry, Record, Run, Standing};
use super::{Closing, Ending, resume, run};
use crate::intent::{Activate, Amount, GrowVolume, Intent};
use crate::model::Topology;
use crate::plan::tests::{activate, grow, hosts, must_plan, recorded};
use crate::plan::{Action, Plan};
use crate::units::Bytes;
use sim::{Fault, Sim, assert_same, figures};

/// What a plan is for, its host, and the plan.
type Case = (&'static str, Topology, Plan);

/// Plans of every kind.
fn plans() -> Vec<Case> {
    static PLANS: LazyLock<Vec<Case>> = LazyLock::new(|| {
        wishes()
            .into_iter()
            .map(|(what, host, wish)| {
                let plan = must_plan(&wish, &host);
                (what, host, plan)
            })
            .collect()
    });
    PLANS.clone()
}

fn wishes() -> [(&'static str, Topology, Intent); 13] {
    let unit = Intent::Activate(Activate { unit: true, ..Activate::default() });
    let (volume, size) = ("pve/vm-100-disk-0".to_owned(), Amount::By(Bytes(100 << 20)));
    let thin = Intent::GrowVolume(GrowVolume { volume, size, typed: None });
    let (docker, files) = (recorded("direct-lvm"), recorded("loop-lvm"));
    let both = || grow(Some("+40M"), Some("+8M"), &[]);
    [
        ("metadata and data", docker.clone(), both()),
        ("a disk joins", docker, grow(Some("100%FREE"), None, &["/dev/vdc"])),
        ("a third disk joins", hosts::sample("direct-lvm-2pv"), grow(None, None, &["/dev/vdd"])),
        ("files", files, grow(Some("200G"), Some("4G"), &[])),
        ("volumes", hosts::sample("raw"), both()),
        ("a pool with volumes", hosts::sample("lvm-thin"), both()),
        ("a thin volume", hosts::thin_mounted(), thin),
        ("a pool is activated", hosts::inactive(), activate(None)),
        ("a group is activated", hosts::inactive(), activate(Some("docker"))),
        ("an own pool", hosts::booted(), unit),
        ("an own pool over volumes", hosts::raw_inactive(), activate(None)),
        ("what is suspended", hosts::suspended(), activate(None)),
        ("what the kernel has", hosts::ahead(Bytes(40 << 20)), activate(None)),
    ]
}

/// The plan of this kind.
fn plan_of(kind: &str) -> (Topology, Plan) {
    let found = plans().into_iter().find(|(what, ..)| *what == kind);
    found.map(|(_, host, plan)| (host, plan)).expect("it is among them")
}

fn opened(plan: &Plan) -> Record {
    Record::Opened { plan: Box::new(plan.clone()) }
}

/// A journal of these records, as it lies on a disk.
fn journal(plan: &Plan, records: &[Record]) -> Run {
    let mut bytes = Vec::new();
    for record in std::iter::once(&opened(plan)).chain(records) {
        let entry = Entry { time: 1, record: record.clone() };
        bytes.extend(serde_json::to_vec(&entry).expect("our own types"));
        bytes.push(b'\n');
    }
    Run::parse("1", &bytes)
}

fn go_on(run: &Run, host: &mut Sim) -> Ending {
    let then = host.clone();
    let mut ask = |wants: &[crate::plan::Want]| then.answers(wants);
    resume::resume(run, host, &mut ask, &mut |_| {}).expect("a run that is open")
}

#[test]
fn a_run_without_a_fault_is_done_and_says_so() {
    for (what, topology, plan) in plans() {
        let mut host = Sim::new(&topology);
        assert_eq!(run(&plan, 0, &mut host, &mut |_| {}), Ending::Done, "{what}");
        assert_same(&host.topology, &figures(&plan.predict(&topology)), what);
        assert_eq!(host.journal.last(), Some(&Record::Closed { how: Closing::Done }));
        let per_step = host.journal.len() - 1;
        assert_eq!(per_step, plan.steps.len() * 3, "intended, applied, verified");
        assert!(host.is_at_rest(), "{what}");
    }
}

#[test]
fn every_action_is_in_one_of_the_plans_but_what_only_completes() {
    let names: std::collections::BTreeSet<String> = plans()
        .iter()
        .flat_map(|(.., plan)| &plan.steps)
        .map(|step| {
            let text = format!("{:?}", step.action);
            text.split([' ', '{']).next().unwrap_or_default().to_owned()
        })
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    // `Refresh` completes what was cut off; `DeactivateVolume` has a test of its own below
    assert_eq!(
        names,
        [
            "ActivateGroup",
            "ActivateVolume",
            "AttachLoop",
            "BringBack",
            "CreatePool",
            "CreatePv",
            "EnableUnit",
            "ExtendGroup",
            "GrowData",
            "GrowFile",
            "GrowFilesystem",
            "GrowLoop",
            "GrowMetadata",
            "GrowThin",
            "GrowVolume",
            "Reload",
            "WriteUnit",
        ]
    );
}

#[test]
fn a_failure_ends_the_run_and_is_written_down() {
    for (what, topology, plan) in plans() {
        for at in 0..plan.steps.len() {
            for fault in [Fault::Fails, Fault::Lies, Fault::FailsAfter] {
                let repeatable = plan.steps[at].action.is_repeatable();
                if fault == Fault::Lies && repeatable {
                    // whose word is all that there is
                    continue;
                }
                let mut host = Sim { fault: Some((at, fault)), ..Sim::new(&topology) };
                let ending = run(&plan, 0, &mut host, &mut |_| {});
                let Ending::Failed { step, why } = &ending else {
                    panic!("{what}: {fault:?}: {ending:?}")
                };
                assert_eq!(*step, at);
                assert!(!why.is_empty());
                let closed = matches!(
                    host.journal.last(),
                    Some(Record::Closed { how: Closing::Failed { step, .. } }) if *step == at
                );
                assert!(closed, "{what}: {fault:?}: {:?}", host.journal.last());
                assert!(!journal(&plan, &host.journal).is_open(), "a failed run is closed");
            }
        }
    }
}

#[test]
fn a_stop_is_honoured_between_steps_and_resume_goes_on() {
    let (topology, plan) = plan_of("files");
    let mut host = Sim { stop_after: Some(2), ..Sim::new(&topology) };
    assert_eq!(run(&plan, 0, &mut host, &mut |_| {}), Ending::Stopped { done: 2 });
    let cut = journal(&plan, &host.journal);
    assert_eq!(cut.standing(), Standing::Between { done: 2 });
    let mut again = Sim::new(&host.topology);
    assert_eq!(go_on(&cut, &mut again), Ending::Done);
    assert_same(&again.topology, &figures(&plan.predict(&topology)), "stopped");
}

#[test]
fn a_host_that_changed_since_the_review_is_left_alone() {
    let (mut topology, plan) = plan_of("metadata and data");
    crate::plan::tests::status_mut(&mut topology).needs_check = Some(true);
    let mut host = Sim::new(&topology);
    let ending = run(&plan, 0, &mut host, &mut |_| {});
    assert!(matches!(ending, Ending::Refused { step: 0, .. }), "{ending:?}");
    assert_eq!(host.effects, 0);
}

#[test]
fn a_line_cut_off_by_the_crash_is_left_out_and_counted() {
    let (topology, plan) = plan_of("metadata and data");
    let mut host = Sim::new(&topology);
    run(&plan, 0, &mut host, &mut |_| {});
    let entry = Entry { time: 1, record: opened(&plan) };
    let mut bytes = serde_json::to_vec(&entry).expect("our own types");
    bytes.extend(b"\n{\"time\":2,\"record\":\"inten");
    let cut = Run::parse("1", &bytes);
    assert_eq!(cut.unread, 1);
    assert_eq!(cut.standing(), Standing::Between { done: 0 });
}
