//! Going on with a run that was cut off: what was left suspended comes back first, the step in
//! doubt is decided by what holds, the rest goes its way. What cannot be seen decides nothing: the
//! run stays as it is.

use std::sync::Arc;

use super::journal::{Run, Standing};
use super::{
    Ending, Host, Lacking, Record, Told, broken, close, go, intend, look, settle, unseen, verified,
};
use crate::model::Topology;
use crate::plan::{Action, Around, Check, Plan, Refusal, Step, Want};
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
        Standing::Between { done } => Ok(on(plan, done, host, told)),
        Standing::InDoubt { step } => Ok(in_doubt(plan, step, (host, ask), told)),
    }
}

/// The steps from one on. An unfinished run is no first attempt: one that cannot be seen stays.
fn on(plan: &Plan, from: usize, host: &mut dyn Host, told: &mut dyn FnMut(Told)) -> Ending {
    go(plan, (from, false), host, told)
}

/// What became of a step.
enum Stands {
    Done,
    NotBegun,
    /// What it is for is not so, and it cannot be begun again.
    Half,
}

/// A step that was begun and of which nobody wrote down how it ended.
fn in_doubt(
    plan: &Plan,
    at: usize,
    (host, ask): (&mut dyn Host, Asking<'_>),
    told: &mut dyn FnMut(Told),
) -> Ending {
    let Some(step) = plan.steps.get(at) else { return on(plan, at, host, told) };
    told(Told::Begins { step: at });
    // read first: what is done to bring something back leaves its own result in this one's place
    let ended = host.ended(at);
    if step.action.suspends()
        && let Err(ending) = bring_back(plan, (at, step), (&mut *host, ask), told)
    {
        return close(host, ending);
    }
    match stands(host, (at, step)) {
        Err(why) => close(host, Ending::Undecided { step: at, why }),
        Ok(Stands::Done) => {
            told(Told::Line("what it was for holds: it was done before".to_owned()));
            if let Err(why) = host.record(&Record::Verified { step: at }) {
                let why = format!("it was done, but the journal cannot be written: {why}");
                return close(host, Ending::Undecided { step: at, why });
            }
            told(Told::Verified { step: at });
            on(plan, at + 1, host, told)
        }
        Ok(Stands::NotBegun) => {
            let again = if step.action.is_repeatable() { "it is done once more" } else { NOT_DONE };
            told(Told::Line(again.to_owned()));
            on(plan, at, host, told)
        }
        Ok(Stands::Half) => match half(host, (at, step), ended, told) {
            Ok(()) => on(plan, at + 1, host, told),
            Err(ending) => close(host, ending),
        },
    }
}

const NOT_DONE: &str = "it was not done: it is done now";

/// What became of it, by what holds; what cannot be seen is an error and no answer.
fn stands(host: &mut dyn Host, (_, step): (usize, &Step)) -> Result<Stands, String> {
    let seen = look(host).map_err(Lacking::why)?;
    if broken(&step.after, &seen).is_ok() && !step.action.is_repeatable() {
        return Ok(Stands::Done);
    }
    if let Some(why) = unseen(&checks(step), &seen) {
        return Err(why);
    }
    Ok(if broken(&step.before, &seen).is_ok() { Stands::NotBegun } else { Stands::Half })
}

/// All that is asked of a host for a step.
fn checks(step: &Step) -> Vec<Check> {
    step.before.iter().chain(&step.after).cloned().collect()
}

/// The second half of a step, where it has one; else how it ended, as far as that is known.
fn half(
    host: &mut dyn Host,
    (at, step): (usize, &Step),
    ended: Option<Acted>,
    told: &mut dyn FnMut(Told),
) -> Result<(), Ending> {
    let acted = if let Some(completion) = step.action.completion() {
        told(Told::Line(format!("it was half done: {}", completion.title())));
        journalled(host, (at, &completion), told)?
    } else {
        let cut_off = || Acted::Failed { why: "it was cut off half way".to_owned() };
        ended.unwrap_or_else(cut_off)
    };
    settle(host, (at, step), acted).map(|_| ()).map_err(|ending| match ending {
        Ending::Failed { step: at, why } => {
            let seen = host.look().ok();
            let left = seen.and_then(|seen| crate::plan::left_over(&step.action, &seen));
            let left = left.map(|left| format!("; {left}")).unwrap_or_default();
            Ending::Failed { step: at, why: why + &left }
        }
        other => other,
    })
}

/// Does what is no step of the plan, with its records as any effect has them.
fn journalled(
    host: &mut dyn Host,
    (at, action): (usize, &Action),
    told: &mut dyn FnMut(Told),
) -> Result<Acted, Ending> {
    intend(host, at, action).map_err(|why| Ending::Undecided { step: at, why })?;
    Ok(host.act(at, action, told))
}

/// Whatever the run was about that is suspended is brought back, by the rule that `activate` has.
fn bring_back(
    plan: &Plan,
    (at, step): (usize, &Step),
    (host, ask): (&mut dyn Host, Asking<'_>),
    told: &mut dyn FnMut(Told),
) -> Result<(), Ending> {
    let mut seen = seen(host, at)?;
    // what is suspended is brought back although LVM, which may wait for it, tells nothing
    if let Some(why) = unseen(&checks(step), &seen)
        && !crate::plan::tells_suspended(&seen)
    {
        return Err(Ending::Undecided { step: at, why });
    }
    if crate::plan::is_cut_off(&step.action, &seen) {
        finish_window(step, at, host, told)?;
        seen = self::seen(host, at)?;
    }
    for name in &plan.basis.names {
        let around = ask(&crate::plan::rescue_wants(&seen, name));
        let steps = match crate::plan::rescue(&seen, name, &around) {
            Ok(None) => continue,
            Ok(Some(steps)) => steps,
            // for a person: nothing is done over it, and nothing is closed over it
            Err(Refusal { why, .. }) => return Err(Ending::Undecided { step: at, why }),
        };
        for step in &steps {
            seen = rescue(host, (at, step), &seen, told)?;
        }
        // the second name is the same pool
        break;
    }
    Ok(())
}

fn seen(host: &mut dyn Host, at: usize) -> Result<Arc<Topology>, Ending> {
    look(host).map_err(|lacking| Ending::Undecided { step: at, why: lacking.why() })
}

/// One step of a rescue.
fn rescue(
    host: &mut dyn Host,
    (at, step): (usize, &Step),
    seen: &Topology,
    told: &mut dyn FnMut(Told),
) -> Result<Arc<Topology>, Ending> {
    let title = step.action.title();
    let undecided = |why: String| Ending::Undecided { step: at, why: format!("{title}: {why}") };
    broken(&step.before, seen).map_err(|lacking| undecided(lacking.why()))?;
    told(Told::Line(format!("{title}: {}", step.why)));
    let acted = journalled(host, (at, &step.action), told)?;
    host.record(&Record::Applied { step: at, acted: acted.clone() }).map_err(|why| {
        undecided(format!("it was done, but the journal cannot be written: {why}"))
    })?;
    if let Acted::Running { why } = acted {
        return Err(Ending::Running { step: at, why });
    }
    verified(host, &step.after).map_err(|lacking| match lacking {
        Lacking::Unseen(why) => undecided(why),
        Lacking::Broken(why) => {
            Ending::Failed { step: at, why: format!("{title} did not help ({acted:?}): {why}") }
        }
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
    match journalled(host, (at, &step.action), told)? {
        // on its new table, or on its old one again: what it has is looked at next
        Acted::Done | Acted::Refused { .. } => Ok(()),
        Acted::Failed { why } => Err(Ending::Failed { step: at, why }),
        Acted::Running { why } => Err(Ending::Running { step: at, why }),
    }
}
