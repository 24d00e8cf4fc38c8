//! Runs that were cut off: which there are, and going on with them.

use crate::exec::live::append;
use crate::exec::resume::resume as go_on;
use crate::exec::{Closing, Ending, Record, Run, Standing};
use crate::plan::{Danger, Plan};
use crate::run::{Trouble, print};
use crate::store::runs::{Runs, is_id};

use super::around;
use super::carry::{Audience, Carried, Ground, carried, locked, no_journal};

/// The run of this id.
pub(super) fn named(runs: &Runs, id: &str) -> Result<Run, Trouble> {
    let unknown = || Trouble::usage(format!("there is no run {}", print::quoted(id)));
    if !is_id(id) {
        return Err(unknown());
    }
    let bytes = runs.read(id).map_err(|_| unknown())?;
    Ok(Run::parse(id, &bytes))
}

/// Runs that are open, oldest first.
pub(in crate::run) fn unfinished(runs: &Runs) -> Vec<Run> {
    let read = |id: &String| Some(Run::parse(id, &runs.read(id).ok()?));
    all(runs).iter().filter_map(read).filter(Run::is_open).collect()
}

fn all(runs: &Runs) -> Vec<String> {
    runs.ids().unwrap_or_default()
}

/// Completes what earlier runs left open; their consent was recorded.
pub(in crate::run) fn complete(
    ground: &Ground<'_>,
    audience: &mut dyn Audience,
) -> Result<(), Trouble> {
    let runs = Runs::below(&ground.settings.state_dir);
    for run in unfinished(&runs) {
        audience.say(&format!("{} was cut off; it is gone on with first", run.id));
        let gone_on = resume_one(ground, &runs, &run, audience)?;
        if gone_on.is_some_and(|carried| carried.ending != Ending::Done) {
            return Err(Trouble::Failed(format!(
                "{} could not be completed; nothing new was begun",
                run.id
            )));
        }
    }
    Ok(())
}

/// Goes on with one; `None` where that turned out to need nothing.
pub(super) fn resume_one(
    ground: &Ground<'_>,
    runs: &Runs,
    run: &Run,
    audience: &mut dyn Audience,
) -> Result<Option<Carried>, Trouble> {
    let settings = ground.settings;
    let lock = locked(runs, audience)?;
    // while the lock was waited for, the run may have been completed by the one who held it
    let run = &named(runs, &run.id)?;
    let Some(plan) = run.plan().filter(|_| run.is_open()) else {
        lock.release();
        return Ok(None);
    };
    let mut journal = runs.open(&run.id).map_err(|error| no_journal(settings, &error))?;
    if let Some(later) = overtaken(runs, run, plan) {
        let how = Closing::Superseded { by: later.clone() };
        append(&mut journal, &Record::Closed { how }).map_err(|why| no_journal(settings, &why))?;
        lock.release();
        audience.say(&format!("{} was overtaken by {later}, and is closed", run.id));
        return Ok(None);
    }
    if let Err(why) = still_agreed(run, plan, audience) {
        lock.release();
        return Err(why);
    }
    audience.say(&format!("going on with {}: {}", run.id, plan.intent));
    let asking = ground.look.clone();
    let mut ask = |wants: &[crate::plan::Want]| around::read(&asking, wants);
    carried(ground, (runs, &run.id), (journal, lock), |host| {
        go_on(run, host, &mut ask, &mut |told| audience.told(plan, told))
            .map_err(|refusal| Trouble::Refused(refusal.why))
    })
    .map(Some)
}

/// A later run about the same thing.
fn overtaken(runs: &Runs, run: &Run, plan: &Plan) -> Option<String> {
    let later = all(runs).into_iter().filter(|id| *id > run.id);
    later
        .filter_map(|id| {
            let other = Run::parse(&id, &runs.read(&id).ok()?);
            let same = other.plan()?.basis.names.iter().any(|name| plan.basis.names.contains(name));
            let did =
                other.entries.iter().any(|entry| matches!(entry.record, Record::Intended { .. }));
            (same && did).then_some(id)
        })
        .next_back()
}

/// Consent was recorded when the run began, but for what destroys data and had not begun.
fn still_agreed(run: &Run, plan: &Plan, audience: &mut dyn Audience) -> Result<(), Trouble> {
    let from = match run.standing() {
        Standing::Between { done } => done,
        Standing::InDoubt { step } => step + 1,
        _ => return Ok(()),
    };
    let ahead = plan.steps.iter().skip(from);
    if !ahead.into_iter().any(|step| step.action.danger() == Danger::Destroys) {
        return Ok(());
    }
    let consents = plan.consents.iter().filter(|consent| consent.danger == Danger::Destroys);
    audience.agree(&Plan { consents: consents.cloned().collect(), ..plan.clone() })
}
