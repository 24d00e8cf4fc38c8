//! Going on with a run that was cut off: what was left suspended comes back first, the step in
//! doubt is decided by what holds, the rest goes its way.

use std::sync::Arc;

use super::journal::{Run, Standing};
use super::{Ending, Host, Record, Told, broken, close, run, settle};
use crate::model::Topology;
use crate::plan::{Action, Around, Plan, Refusal, Step, Want};
use crate::sys::write::Acted;

/// What resuming needs beyond a host: answers to what a rescue wants to know.
pub type Asking<'a> = &'a mut dyn FnMut(&[Want]) -> Around;

/// Goes on with a run.
pub fn resume(
    unfinished: &Run,
    host: &mut dyn Host,
    ask: Asking<'_>,
    told: &mut dyn FnMut(Told),
) -> Result<Ending, Refusal> {
    let plan = unfinished
        .plan()
        .ok_or_else(|| Refusal::new(format!("the journal of {} holds no plan", unfinished.id)))?;
    match unfinished.standing() {
        Standing::Closed(_) => Err(Refusal::new(format!("{} is closed", unfinished.id))),
        Standing::Unreadable => Err(Refusal::new(format!(
            "the journal of {} cannot be read to its end: a person must look what stands",
            unfinished.id
        ))),
        Standing::Between { done } => Ok(run(plan, done, host, told)),
        Standing::InDoubt { step } => Ok(in_doubt(plan, step, (host, ask), told)),
    }
}

/// A step that was begun and of which nobody wrote down how it ended.
fn in_doubt(
    plan: &Plan,
    at: usize,
    (host, ask): (&mut dyn Host, Asking<'_>),
    told: &mut dyn FnMut(Told),
) -> Ending {
    let Some(step) = plan.steps.get(at) else { return run(plan, at, host, told) };
    told(Told::Begins { step: at });
    if step.action.suspends()
        && let Err(ending) = bring_back(plan, at, (&mut *host, ask), told)
    {
        return close(host, ending);
    }
    let seen = match host.look() {
        Ok(seen) => seen,
        Err(why) => {
            let why = format!("the host could not be seen: {why}");
            return close(host, Ending::Refused { step: at, why });
        }
    };
    let done = broken(&step.after, &seen);
    if done.is_ok() {
        told(Told::Line("what it was for holds: it was done before".to_owned()));
        if let Err(why) = host.record(&Record::Verified { step: at }) {
            return close(host, Ending::Failed { step: at, why });
        }
        told(Told::Verified { step: at });
        return run(plan, at + 1, host, told);
    }
    if broken(&step.before, &seen).is_ok() {
        told(Told::Line("it was not done: it is done now".to_owned()));
        return run(plan, at, host, told);
    }
    // half of it: what it is for is not so, and it cannot be begun again
    let acted = complete(step, (&mut *host, at), told).or_else(|| host.ended(at));
    let cut_off = || Acted::Failed { why: "it was cut off half way".to_owned() };
    let acted = acted.unwrap_or_else(cut_off);
    match settle(host, (at, step), acted) {
        Ok(_) => run(plan, at + 1, host, told),
        Err(ending) => close(host, ending),
    }
}

/// The second half of a step, where it has one.
fn complete(
    step: &Step,
    (host, at): (&mut dyn Host, usize),
    told: &mut dyn FnMut(Told),
) -> Option<Acted> {
    let completion = step.action.completion()?;
    told(Told::Line(format!("it was half done: {}", completion.title())));
    Some(host.act(at, &completion, told))
}

/// Whatever the run was about that is suspended is brought back, by the rule that `activate` has.
fn bring_back(
    plan: &Plan,
    at: usize,
    (host, ask): (&mut dyn Host, Asking<'_>),
    told: &mut dyn FnMut(Told),
) -> Result<(), Ending> {
    let seen = seen(host, at)?;
    let seen = match plan.steps.get(at) {
        Some(step) if crate::plan::is_cut_off(&step.action, &seen) => {
            finish_window(step, at, host, told)?;
            self::seen(host, at)?
        }
        _ => seen,
    };
    for name in &plan.basis.names {
        let around = ask(&crate::plan::rescue_wants(&seen, name));
        let rescue = crate::plan::rescue(&seen, name, &around);
        let Ok(Some(steps)) = rescue else { continue };
        for step in &steps {
            told(Told::Line(format!("{}: {}", step.action.title(), step.why)));
            let acted = host.act(at, &step.action, told);
            after_rescue(host, &step.action, &acted, (at, &step.after))?;
        }
        // the second name is the same pool
        break;
    }
    Ok(())
}

fn seen(host: &mut dyn Host, at: usize) -> Result<Arc<Topology>, Ending> {
    host.look().map_err(|why| Ending::Refused {
        step: at,
        why: format!("the host could not be seen: {why}"),
    })
}

/// A device suspended on its new table: the window that put it there is asked for again, for it
/// alone knows the old table too, should the kernel refuse to run the new one.
fn finish_window(
    step: &Step,
    at: usize,
    host: &mut dyn Host,
    told: &mut dyn FnMut(Told),
) -> Result<(), Ending> {
    told(Told::Line("it was cut off within its window: the window is finished first".to_owned()));
    match host.act(at, &step.action, told) {
        // on its new table, or on its old one again: what it has is looked at next
        Acted::Done | Acted::Refused { .. } => Ok(()),
        Acted::Failed { why } => Err(Ending::Failed { step: at, why }),
        Acted::Running { why } => Err(Ending::Running { step: at, why }),
    }
}

fn after_rescue(
    host: &mut dyn Host,
    action: &Action,
    acted: &Acted,
    (at, after): (usize, &[crate::plan::Check]),
) -> Result<(), Ending> {
    super::verified(host, after).map(|_| ()).map_err(|why| Ending::Failed {
        step: at,
        why: format!("{} did not help ({acted:?}): {why}", action.title()),
    })
}
