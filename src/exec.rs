//! The only writer: runs a plan step by step. Each is looked at, recorded, done, looked at again
//! and recorded; between steps it can be stopped, and after a crash the records say where it was.
//!
//! Knows plans and their checks, nothing of how storage is grown. What it touches stands behind
//! [`Host`].

pub mod desk;
pub mod journal;
pub mod live;
pub mod resume;
#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use journal::{Closing, Entry, Record, Run, Standing};

use crate::model::Topology;
use crate::plan::{Action, Check, Plan, Step, Verdict};
use crate::sys::write::Acted;

/// What the executor acts on: this host, predictions, or a simulated host in tests.
pub trait Host {
    /// Looks afresh.
    fn look(&mut self) -> Result<Arc<Topology>, String>;
    /// Does an action, telling each line that is printed meanwhile.
    fn act(&mut self, step: usize, action: &Action, told: &mut dyn FnMut(Told)) -> Acted;
    /// How an action of an earlier process ended, where that was written down.
    fn ended(&mut self, step: usize) -> Option<Acted>;
    /// Whether a person or the system wants it to stop after this step.
    fn stops(&self) -> bool;
    /// Waits a little before looking again; whether that makes sense at all.
    fn wait(&mut self) -> bool;
    /// Keeps a record: it is on the disk when this returns.
    fn record(&mut self, record: &Record) -> Result<(), String>;
}

/// What is told while a plan runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A step begins.
    Begins {
        /// Which.
        step: usize,
    },
    /// What must hold before it holds.
    Ready {
        /// Which.
        step: usize,
    },
    /// A line that was printed.
    Line(String),
    /// What holds after it was seen.
    Verified {
        /// Which.
        step: usize,
    },
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All of it was done and verified.
    Done,
    /// Stopped between steps; so many are done.
    Stopped {
        /// Steps done.
        done: usize,
    },
    /// A step was not done: what must hold before it does not. Nothing of it was begun.
    Refused {
        /// Which.
        step: usize,
        /// What does not hold.
        why: String,
    },
    /// A step failed, or what holds after it was not seen.
    Failed {
        /// Which.
        step: usize,
        /// What ran, what was seen.
        why: String,
    },
    /// What became of a step cannot be told now, for want of sight or of a person's word. The run
    /// stays open, and `resume` goes on with it.
    Undecided {
        /// Which.
        step: usize,
        /// What could not be seen or is to be decided.
        why: String,
    },
    /// A step is still under way; nobody may start another.
    Running {
        /// Which.
        step: usize,
        /// What is known.
        why: String,
    },
}

/// Runs a plan from a step on.
pub fn run(plan: &Plan, from: usize, host: &mut dyn Host, told: &mut dyn FnMut(Told)) -> Ending {
    go(plan, (from, from == 0), host, told)
}

/// The same, knowing whether this is the run's very first step: what is not begun then for want of
/// sight leaves nothing to go on with.
fn go(
    plan: &Plan,
    (from, fresh): (usize, bool),
    host: &mut dyn Host,
    told: &mut dyn FnMut(Told),
) -> Ending {
    let mut seen = None;
    for (at, step) in plan.steps.iter().enumerate().skip(from) {
        if host.stops() {
            return stop(host, at);
        }
        told(Told::Begins { step: at });
        let begun = begin(host, (at, step), seen.take(), told).map_err(|lacking| match lacking {
            Lacking::Unseen(why) if !(fresh && at == 0) => Ending::Undecided { step: at, why },
            Lacking::Broken(why) | Lacking::Unseen(why) => Ending::Refused { step: at, why },
        });
        match begun.and_then(|()| act(host, (at, step), told)) {
            Ok(after) => seen = Some(after),
            Err(ending) => return close(host, ending),
        }
        told(Told::Verified { step: at });
    }
    close(host, Ending::Done)
}

/// Why something is not taken for granted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Lacking {
    /// It was looked at, and it is otherwise.
    Broken(String),
    /// It could not be looked at.
    Unseen(String),
}

impl Lacking {
    fn why(self) -> String {
        match self {
            Self::Broken(why) | Self::Unseen(why) => why,
        }
    }
}

/// The host, looked at.
fn look(host: &mut dyn Host) -> Result<Arc<Topology>, Lacking> {
    host.look().map_err(|why| Lacking::Unseen(format!("the host could not be seen: {why}")))
}

/// What must hold before a step, and the record that it is about to be done.
fn begin(
    host: &mut dyn Host,
    (at, step): (usize, &Step),
    seen: Option<Arc<Topology>>,
    told: &mut dyn FnMut(Told),
) -> Result<(), Lacking> {
    let before = seen.map_or_else(|| look(host), Ok)?;
    broken(&step.before, &before)?;
    told(Told::Ready { step: at });
    intend(host, at, &step.action).map_err(Lacking::Unseen)
}

/// The record that goes before every effect: without it nothing is done.
fn intend(host: &mut dyn Host, step: usize, action: &Action) -> Result<(), String> {
    let record = Record::Intended { step, commands: action.commands(), rescue: action.rescue() };
    host.record(&record)
        .map_err(|why| format!("the journal cannot be written, so nothing is done: {why}"))
}

/// Does a step, from its first record to the look after it.
fn act(
    host: &mut dyn Host,
    (at, step): (usize, &Step),
    told: &mut dyn FnMut(Told),
) -> Result<Arc<Topology>, Ending> {
    let acted = host.act(at, &step.action, told);
    settle(host, (at, step), acted)
}

/// After an action: recorded, looked at, recorded.
fn settle(
    host: &mut dyn Host,
    (at, step): (usize, &Step),
    acted: Acted,
) -> Result<Arc<Topology>, Ending> {
    let failed = |why| Ending::Failed { step: at, why };
    let undecided = |why| Ending::Undecided { step: at, why };
    let kept = host.record(&Record::Applied { step: at, acted: acted.clone() });
    if let Acted::Running { why } = acted {
        return Err(Ending::Running { step: at, why });
    }
    let after = verified(host, &step.after);
    // what was done decides, not what was said of it: a tool may fail after its work
    match (after, acted) {
        (Ok(after), Acted::Done) => {
            kept.and_then(|()| host.record(&Record::Verified { step: at })).map_err(|why| {
                undecided(format!("it was done, but the journal cannot be written: {why}"))
            })?;
            Ok(after)
        }
        (Ok(_), Acted::Refused { why } | Acted::Failed { why }) if step.action.is_repeatable() => {
            Err(failed(why))
        }
        (Ok(_), Acted::Refused { why } | Acted::Failed { why }) => Err(failed(format!(
            "{why}; yet what should hold after it holds: look at it before you go on"
        ))),
        (Err(Lacking::Unseen(seen)), Acted::Done) => {
            Err(undecided(format!("it ended well, and what it was for could not be seen: {seen}")))
        }
        (Err(Lacking::Unseen(seen)), Acted::Refused { why } | Acted::Failed { why }) => {
            Err(undecided(format!("{why}; what stands could not be seen: {seen}")))
        }
        (Err(Lacking::Broken(seen)), Acted::Done) => {
            Err(failed(format!("it ended well, and yet what it was for is not so: {seen}")))
        }
        (Err(Lacking::Broken(seen)), Acted::Refused { why } | Acted::Failed { why }) => {
            let means = step.action.explain(&why).map(|means| format!(" ({means})"));
            Err(failed(format!("{why}{}; seen afterwards: {seen}", means.unwrap_or_default())))
        }
        (_, Acted::Running { why }) => Err(Ending::Running { step: at, why }),
    }
}

/// Looks until what must hold does, as long as waiting makes sense.
fn verified(host: &mut dyn Host, checks: &[Check]) -> Result<Arc<Topology>, Lacking> {
    loop {
        let seen = look(host).and_then(|seen| broken(checks, &seen).map(|()| seen));
        match seen {
            Ok(seen) => return Ok(seen),
            Err(lacking) if !host.wait() => return Err(lacking),
            Err(_) => {}
        }
    }
}

/// The first check that does not hold, in words; one that could not be seen only where all others
/// hold.
fn broken(checks: &[Check], seen: &Topology) -> Result<(), Lacking> {
    let mut unseen = Ok(());
    for check in checks {
        match check.judge(seen) {
            Verdict::Broken(why) => return Err(Lacking::Broken(why)),
            Verdict::Unseen(why) if unseen.is_ok() => {
                unseen = Err(Lacking::Unseen(format!("{why} (needed: {check})")));
            }
            Verdict::Holds | Verdict::Unseen(_) => {}
        }
    }
    unseen
}

/// The first check that could not be seen, whatever the others say.
fn unseen(checks: &[Check], seen: &Topology) -> Option<String> {
    checks.iter().find_map(|check| match check.judge(seen) {
        Verdict::Unseen(why) => Some(format!("{why} (needed: {check})")),
        Verdict::Holds | Verdict::Broken(_) => None,
    })
}

fn stop(host: &mut dyn Host, done: usize) -> Ending {
    // a stop leaves the run open: `resume` goes on with it
    let _ = host.record(&Record::Stopped { done });
    Ending::Stopped { done }
}

/// Says in the journal how it ended. One that still runs, or is not decided, stays open.
fn close(host: &mut dyn Host, ending: Ending) -> Ending {
    let how = match &ending {
        Ending::Done => Closing::Done,
        Ending::Refused { step, why } => Closing::Refused { step: *step, why: why.clone() },
        Ending::Failed { step, why } => Closing::Failed { step: *step, why: why.clone() },
        Ending::Stopped { .. } | Ending::Undecided { .. } | Ending::Running { .. } => {
            return ending;
        }
    };
    // when this cannot be kept, `resume` finds the last step verified or in doubt, and tells
    let _ = host.record(&Record::Closed { how });
    ending
}

/// Walks a plan over its own predictions: the dry run. Nothing is written.
pub fn rehearse(plan: &Plan, topology: Arc<Topology>, told: &mut dyn FnMut(Told)) -> Ending {
    run(plan, 0, &mut Rehearsal { topology }, told)
}

/// A host that is only imagined.
struct Rehearsal {
    topology: Arc<Topology>,
}

impl Host for Rehearsal {
    fn look(&mut self) -> Result<Arc<Topology>, String> {
        Ok(Arc::clone(&self.topology))
    }

    fn act(&mut self, _: usize, action: &Action, told: &mut dyn FnMut(Told)) -> Acted {
        for argv in action.commands() {
            told(Told::Line(format!("would run: {}", crate::plan::script::line(&argv))));
        }
        action.predict(Arc::make_mut(&mut self.topology));
        Acted::Done
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
        Ok(())
    }
}
