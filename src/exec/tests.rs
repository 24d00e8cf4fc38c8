//! The executor over a simulated host with a fault at every effect, and over every journal that a
//! crash can leave.

use std::sync::Arc;

use super::journal::{Entry, Record, Run, Standing};
use super::{Closing, Ending, Host, Told, resume, run};
use crate::model::Topology;
use crate::plan::tests::{grow, must_plan, pool_mut, recorded};
use crate::plan::{Action, Around, Plan};
use crate::sys::write::Acted;

/// What goes wrong at one effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    /// It fails and changes nothing.
    Fails,
    /// It says that it is done and changes nothing.
    Lies,
    /// It fails after its work.
    FailsAfter,
    /// It takes longer than anybody waits.
    Hangs,
    /// The machine dies before it.
    DiesBefore,
    /// The machine dies after it.
    DiesAfter,
    /// The machine dies when LVM has recorded it and the kernel has not taken it.
    DiesHalf,
    /// The machine dies within it and leaves the pool suspended, before the work.
    DiesSuspended,
    /// The machine dies within it and leaves the pool suspended, on its new table.
    DiesInWindow,
}

/// A host that is only a topology.
struct Sim {
    topology: Topology,
    journal: Vec<Record>,
    fault: Option<(usize, Fault)>,
    effects: usize,
    dead: bool,
    stop_after: Option<usize>,
    /// What the kernel is given when it is told to take what LVM has recorded.
    recorded: Option<Topology>,
    /// Windows that found the device suspended on their new table, and finished.
    windows: usize,
}

impl Sim {
    fn new(topology: &Topology) -> Self {
        Self {
            topology: topology.clone(),
            journal: Vec::new(),
            fault: None,
            effects: 0,
            dead: false,
            stop_after: None,
            recorded: None,
            windows: 0,
        }
    }

    fn suspend(&mut self) {
        let at = pool_mut(&mut self.topology).node;
        pool_mut(&mut self.topology).suspended = true;
        let dm = self.topology.nodes[at.0 as usize].facts.dm.as_mut().expect("active");
        dm.suspended = true;
        self.set_inactive_table(true);
    }

    fn set_inactive_table(&mut self, waits: bool) {
        let at = pool_mut(&mut self.topology).node;
        let dm = self.topology.nodes[at.0 as usize].facts.dm.as_mut().expect("active");
        dm.inactive_table = waits;
    }

    /// A window resumes what it finds suspended on its new table.
    fn resume_window(&mut self, action: &Action) {
        if let Action::Reload { name, .. } = action
            && self.is_suspended()
        {
            self.windows += 1;
            let at = pool_mut(&mut self.topology).node;
            pool_mut(&mut self.topology).suspended = false;
            let dm = self.topology.nodes[at.0 as usize].facts.dm.as_mut().expect("active");
            assert_eq!(dm.name.as_str(), name);
            dm.suspended = false;
        }
    }

    fn perform(&mut self, action: &Action) {
        match (action, self.recorded.take()) {
            (Action::Refresh { .. }, Some(recorded)) => self.topology = recorded,
            (action, recorded) => {
                self.recorded = recorded;
                action.predict(&mut self.topology);
            }
        }
    }

    /// Sizes as LVM records them, and the status as the kernel had it.
    fn record_only(&mut self, action: &Action) {
        let mut after = self.topology.clone();
        action.predict(&mut after);
        self.recorded = Some(after.clone());
        after.pools.clone_from(&self.topology.pools);
        self.topology = after;
    }

    fn is_suspended(&self) -> bool {
        self.topology.pools[0].suspended
    }
}

impl Host for Sim {
    fn look(&mut self) -> Result<Arc<Topology>, String> {
        if self.dead { Err("dead".to_owned()) } else { Ok(Arc::new(self.topology.clone())) }
    }

    fn act(&mut self, _: usize, action: &Action, _: &mut dyn FnMut(Told)) -> Acted {
        assert!(!self.dead, "nothing is done on a dead host");
        let fault = self.fault.filter(|(at, _)| *at == self.effects).map(|(_, fault)| fault);
        self.effects += 1;
        let why = || "a fault".to_owned();
        match fault {
            Some(Fault::Fails) => return Acted::Failed { why: why() },
            Some(Fault::Lies) => return Acted::Done,
            Some(Fault::Hangs) => return Acted::Running { why: why() },
            Some(Fault::DiesBefore) => {
                self.dead = true;
                return Acted::Failed { why: why() };
            }
            Some(Fault::DiesSuspended) => {
                self.dead = true;
                if action.suspends() {
                    self.suspend();
                }
                return Acted::Failed { why: why() };
            }
            Some(Fault::DiesInWindow) => {
                self.dead = true;
                self.perform(action);
                self.suspend();
                self.set_inactive_table(false);
                return Acted::Failed { why: why() };
            }
            Some(Fault::DiesHalf) => {
                self.dead = true;
                self.record_only(action);
                return Acted::Failed { why: why() };
            }
            _ => {
                self.perform(action);
                self.resume_window(action);
            }
        }
        match fault {
            Some(Fault::FailsAfter) => Acted::Failed { why: why() },
            Some(Fault::DiesAfter) => {
                self.dead = true;
                Acted::Failed { why: why() }
            }
            _ => Acted::Done,
        }
    }

    fn ended(&mut self, _: usize) -> Option<Acted> {
        None
    }

    fn stops(&self) -> bool {
        self.stop_after.is_some_and(|after| self.effects >= after)
    }

    fn wait(&mut self) -> bool {
        false
    }

    fn record(&mut self, record: &Record) -> Result<(), String> {
        if self.dead {
            return Err("dead".to_owned());
        }
        self.journal.push(record.clone());
        Ok(())
    }
}

fn plans() -> Vec<(Topology, Plan)> {
    let lvm = recorded("direct-lvm");
    let loops = recorded("loop-lvm");
    let both = must_plan(&grow(Some("+40M"), Some("+8M"), &[]), &lvm);
    let disk = must_plan(&grow(Some("100%FREE"), None, &["/dev/vdc"]), &lvm);
    let files = must_plan(&grow(Some("200G"), Some("4G"), &[]), &loops);
    vec![(lvm.clone(), both), (lvm, disk), (loops, files)]
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

fn figures(topology: &Topology) -> Vec<String> {
    let mut all: Vec<String> =
        topology.pools.iter().map(|pool| format!("{:?}", pool.state)).collect();
    all.extend(topology.nodes.iter().map(|node| format!("{} {:?}", node.name, node.size)));
    all
}

fn go_on(run: &Run, host: &mut Sim) -> Ending {
    resume::resume(run, host, &mut |_| Around::default(), &mut |_| {}).expect("a run that is open")
}

#[test]
fn a_run_without_a_fault_is_done_and_says_so() {
    for (topology, plan) in plans() {
        let mut host = Sim::new(&topology);
        assert_eq!(run(&plan, 0, &mut host, &mut |_| {}), Ending::Done);
        assert_eq!(figures(&host.topology), figures(&plan.predict(&topology)));
        assert_eq!(host.journal.last(), Some(&Record::Closed { how: Closing::Done }));
        let per_step = host.journal.len() - 1;
        assert_eq!(per_step, plan.steps.len() * 3, "intended, applied, verified");
    }
}

#[test]
fn a_failure_ends_the_run_and_is_written_down() {
    for (topology, plan) in plans() {
        for at in 0..plan.steps.len() {
            for fault in [Fault::Fails, Fault::Lies, Fault::FailsAfter] {
                let mut host = Sim { fault: Some((at, fault)), ..Sim::new(&topology) };
                let ending = run(&plan, 0, &mut host, &mut |_| {});
                let Ending::Failed { step, why } = &ending else { panic!("{fault:?}: {ending:?}") };
                assert_eq!(*step, at);
                assert!(!why.is_empty());
                let closed = matches!(
                    host.journal.last(),
                    Some(Record::Closed { how: Closing::Failed { step, .. } }) if *step == at
                );
                assert!(closed, "{fault:?}: {:?}", host.journal.last());
                assert!(!journal(&plan, &host.journal).is_open(), "a failed run is closed");
            }
        }
    }
}

#[test]
fn an_effect_that_is_under_way_leaves_the_run_open() {
    let (topology, plan) = plans().swap_remove(0);
    let mut host = Sim { fault: Some((0, Fault::Hangs)), ..Sim::new(&topology) };
    let ending = run(&plan, 0, &mut host, &mut |_| {});
    assert!(matches!(ending, Ending::Running { step: 0, .. }), "{ending:?}");
    assert!(journal(&plan, &host.journal).is_open());
}

#[test]
fn whenever_the_machine_dies_resume_reaches_the_undisturbed_end() {
    for (topology, plan) in plans() {
        let undisturbed = figures(&plan.predict(&topology));
        for at in 0..plan.steps.len() {
            for fault in [Fault::DiesBefore, Fault::DiesAfter, Fault::DiesSuspended] {
                let mut host = Sim { fault: Some((at, fault)), ..Sim::new(&topology) };
                run(&plan, 0, &mut host, &mut |_| {});
                assert!(host.dead);
                let cut = journal(&plan, &host.journal);
                assert_eq!(cut.standing(), Standing::InDoubt { step: at });
                let mut again = Sim::new(&host.topology);
                assert_eq!(go_on(&cut, &mut again), Ending::Done, "{fault:?} in step {at}");
                assert_eq!(figures(&again.topology), undisturbed, "{fault:?} in step {at}");
                assert!(!again.is_suspended(), "{fault:?} in step {at}");
            }
        }
    }
}

#[test]
fn a_pool_left_suspended_on_its_new_table_is_resumed_by_the_same_window() {
    let (topology, plan) = plans().swap_remove(2);
    let at = plan.steps.len() - 1;
    assert!(matches!(plan.steps[at].action, Action::Reload { .. }));
    let mut host = Sim { fault: Some((at, Fault::DiesInWindow)), ..Sim::new(&topology) };
    run(&plan, 0, &mut host, &mut |_| {});
    let cut = journal(&plan, &host.journal);
    let mut again = Sim::new(&host.topology);
    assert!(again.is_suspended());
    assert_eq!(go_on(&cut, &mut again), Ending::Done);
    assert_eq!(again.windows, 1, "it alone knows the old table, should the new one be refused");
    assert!(!again.is_suspended());
    assert_eq!(figures(&again.topology), figures(&plan.predict(&topology)));
    // and when the window cannot, nothing else is tried and the reason is told
    let mut stuck = Sim { fault: Some((0, Fault::Fails)), ..Sim::new(&host.topology) };
    assert!(matches!(go_on(&cut, &mut stuck), Ending::Failed { .. }));
    assert_eq!(stuck.effects, 1);
}

#[test]
fn what_lvm_recorded_and_the_kernel_did_not_take_is_completed_not_done_twice() {
    let (topology, plan) = plans().swap_remove(0);
    let undisturbed = figures(&plan.predict(&topology));
    for at in 0..plan.steps.len() {
        let mut host = Sim { fault: Some((at, Fault::DiesHalf)), ..Sim::new(&topology) };
        run(&plan, 0, &mut host, &mut |_| {});
        let cut = journal(&plan, &host.journal);
        let mut again = Sim { recorded: host.recorded.clone(), ..Sim::new(&host.topology) };
        assert_eq!(go_on(&cut, &mut again), Ending::Done, "step {at}");
        assert_eq!(figures(&again.topology), undisturbed, "step {at}");
    }
}

#[test]
fn every_journal_that_a_crash_can_leave_resumes_to_the_same_end() {
    for (topology, plan) in plans() {
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
            assert_eq!(ending, Ending::Done, "after {kept} records");
            assert_eq!(figures(&host.topology), undisturbed, "after {kept} records");
        }
    }
}

#[test]
fn a_stop_is_honoured_between_steps_and_resume_goes_on() {
    let (topology, plan) = plans().swap_remove(2);
    let mut host = Sim { stop_after: Some(2), ..Sim::new(&topology) };
    assert_eq!(run(&plan, 0, &mut host, &mut |_| {}), Ending::Stopped { done: 2 });
    let cut = journal(&plan, &host.journal);
    assert_eq!(cut.standing(), Standing::Between { done: 2 });
    let mut again = Sim::new(&host.topology);
    assert_eq!(go_on(&cut, &mut again), Ending::Done);
    assert_eq!(figures(&again.topology), figures(&plan.predict(&topology)));
}

#[test]
fn a_host_that_changed_since_the_review_is_left_alone() {
    let (mut topology, plan) = plans().swap_remove(0);
    crate::plan::tests::status_mut(&mut topology).needs_check = Some(true);
    let mut host = Sim::new(&topology);
    let ending = run(&plan, 0, &mut host, &mut |_| {});
    assert!(matches!(ending, Ending::Refused { step: 0, .. }), "{ending:?}");
    assert_eq!(host.effects, 0);
}

#[test]
fn nothing_is_done_when_the_journal_cannot_be_kept() {
    struct Full(Sim);
    impl Host for Full {
        fn look(&mut self) -> Result<Arc<Topology>, String> {
            self.0.look()
        }
        fn act(&mut self, _: usize, _: &Action, _: &mut dyn FnMut(Told)) -> Acted {
            panic!("nothing may be done")
        }
        fn ended(&mut self, _: usize) -> Option<Acted> {
            None
        }
        fn stops(&self) -> bool {
            false
        }
        fn wait(&mut self) -> bool {
            false
        }
        fn record(&mut self, _: &Record) -> Result<(), String> {
            Err("no space left on device".to_owned())
        }
    }
    let (topology, plan) = plans().swap_remove(0);
    let ending = run(&plan, 0, &mut Full(Sim::new(&topology)), &mut |_| {});
    let Ending::Refused { why, .. } = ending else { panic!("{ending:?}") };
    assert!(why.contains("no space left"), "{why}");
}

#[test]
fn a_line_cut_off_by_the_crash_is_left_out_and_counted() {
    let (topology, plan) = plans().swap_remove(0);
    let mut host = Sim::new(&topology);
    run(&plan, 0, &mut host, &mut |_| {});
    let entry = Entry { time: 1, record: opened(&plan) };
    let mut bytes = serde_json::to_vec(&entry).expect("our own types");
    bytes.extend(b"\n{\"time\":2,\"record\":\"inten");
    let cut = Run::parse("1", &bytes);
    assert_eq!(cut.unread, 1);
    assert_eq!(cut.standing(), Standing::Between { done: 0 });
}
