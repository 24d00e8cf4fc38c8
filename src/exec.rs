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
    let mut seen = None;
    for (at, step) in plan.steps.iter().enumerate().skip(from) {
        if host.stops() {
            return stop(host, at);
        }
        told(Told::Begins { step: at });
        match one(host, (at, step), seen.take(), told) {
            Ok(after) => seen = Some(after),
            Err(ending) => return close(host, ending),
        }
        told(Told::Verified { step: at });
    }
    close(host, Ending::Done)
}

/// One step, from the look before to the look after.
fn one(
    host: &mut dyn Host,
    (at, step): (usize, &Step),
    seen: Option<Arc<Topology>>,
    told: &mut dyn FnMut(Told),
) -> Result<Arc<Topology>, Ending> {
    let refused = |why| Ending::Refused { step: at, why };
    let before = match seen {
        Some(seen) => seen,
        None => host.look().map_err(|why| refused(format!("the host could not be seen: {why}")))?,
    };
    broken(&step.before, &before).map_err(refused)?;
    told(Told::Ready { step: at });
    let commands = step.action.commands();
    host.record(&Record::Intended { step: at, commands, rescue: step.action.rescue() }).map_err(
        |why| refused(format!("the journal cannot be written, so nothing is done: {why}")),
    )?;
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
    let kept = host.record(&Record::Applied { step: at, acted: acted.clone() });
    if let Acted::Running { why } = acted {
        return Err(Ending::Running { step: at, why });
    }
    let after = verified(host, &step.after);
    // what was done decides, not what was said of it: a tool may fail after its work
    match (after, acted) {
        (Ok(after), Acted::Done) => {
            kept.and_then(|()| host.record(&Record::Verified { step: at })).map_err(|why| {
                failed(format!("it was done, but the journal cannot be written: {why}"))
            })?;
            Ok(after)
        }
        (Ok(_), Acted::Refused { why } | Acted::Failed { why }) => Err(failed(format!(
            "{why}; yet what should hold after it holds: look at it before you go on"
        ))),
        (Err(seen), Acted::Done) => {
            Err(failed(format!("it ended well, and yet what it was for is not so: {seen}")))
        }
        (Err(seen), Acted::Refused { why } | Acted::Failed { why }) => {
            let means = step.action.explain(&why).map(|means| format!(" ({means})"));
            Err(failed(format!("{why}{}; seen afterwards: {seen}", means.unwrap_or_default())))
        }
        (_, Acted::Running { why }) => Err(Ending::Running { step: at, why }),
    }
}

/// Looks until what must hold does, as long as waiting makes sense.
fn verified(host: &mut dyn Host, checks: &[Check]) -> Result<Arc<Topology>, String> {
    loop {
        let seen = host.look().and_then(|seen| broken(checks, &seen).map(|()| seen));
        match seen {
            Ok(seen) => return Ok(seen),
            Err(why) if !host.wait() => return Err(why),
            Err(_) => {}
        }
    }
}

/// The first check that does not hold, in words. What was not seen does not hold.
fn broken(checks: &[Check], seen: &Topology) -> Result<(), String> {
    checks.iter().try_for_each(|check| match check.judge(seen) {
        Verdict::Holds => Ok(()),
        Verdict::Broken(why) => Err(why),
        Verdict::Unseen(why) => Err(format!("{why} (needed: {check})")),
    })
}

fn stop(host: &mut dyn Host, done: usize) -> Ending {
    // a stop leaves the run open: `resume` goes on with it
    let _ = host.record(&Record::Stopped { done });
    Ending::Stopped { done }
}

/// Says in the journal how it ended. One that still runs stays open.
fn close(host: &mut dyn Host, ending: Ending) -> Ending {
    let how = match &ending {
        Ending::Done => Closing::Done,
        Ending::Refused { step, why } => Closing::Refused { step: *step, why: why.clone() },
        Ending::Failed { step, why } => Closing::Failed { step: *step, why: why.clone() },
        Ending::Stopped { .. } | Ending::Running { .. } => return ending,
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
