//! Runs that were cut off: which there are, and going on with them.

use crate::exec::live::append;
use crate::exec::resume::resume as go_on;
use crate::exec::{Closing, Ending, Record, Run, Standing};
use crate::model::Snapshot;
use crate::plan::{Danger, Plan};
use crate::run::{Trouble, print};
use crate::store::runs::{Runs, is_id};
use crate::survey;

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
        match resume_one(ground, &runs, &run, audience)? {
            GoneOn::Ran(Carried { ending: Ending::Done, .. }) | GoneOn::Needless => {}
            GoneOn::Ran(_) => {
                return Err(Trouble::Failed(format!(
                    "{} could not be completed; nothing new was begun",
                    run.id
                )));
            }
            // it is about what is not here, and so in nobody's way
            GoneOn::Stranger(why) => audience.say(&format!("{} is left as it is: {why}", run.id)),
        }
    }
    Ok(())
}

/// What became of going on with a run.
pub(super) enum GoneOn {
    /// It went on.
    Ran(Carried),
    /// It turned out to need nothing.
    Needless,
    /// It is no run of this host, or about what is not on it any more; it stays open.
    Stranger(String),
}

/// Goes on with one.
pub(super) fn resume_one(
    ground: &Ground<'_>,
    runs: &Runs,
    run: &Run,
    audience: &mut dyn Audience,
) -> Result<GoneOn, Trouble> {
    let settings = ground.settings;
    let lock = locked(runs, audience)?;
    // while the lock was waited for, the run may have been completed by the one who held it
    let run = &named(runs, &run.id)?;
    let Some(plan) = run.plan().filter(|_| run.is_open()) else {
        lock.release();
        return Ok(GoneOn::Needless);
    };
    match misfit(ground, plan) {
        Ok(None) => {}
        Ok(Some(why)) => {
            lock.release();
            return Ok(GoneOn::Stranger(why));
        }
        Err(trouble) => {
            lock.release();
            return Err(trouble);
        }
    }
    let mut journal = runs.open(&run.id).map_err(|error| no_journal(settings, &error))?;
    if let Some(later) = overtaken(runs, run, plan) {
        let how = Closing::Superseded { by: later.clone() };
        append(&mut journal, &Record::Closed { how }).map_err(|why| no_journal(settings, &why))?;
        lock.release();
        audience.say(&format!("{} was overtaken by {later}, and is closed", run.id));
        return Ok(GoneOn::Needless);
    }
    if let Err(why) = still_agreed(run, plan, audience) {
        lock.release();
        return Err(why);
    }
    audience.say(&format!("going on with {}: {}", run.id, plan.intent));
    if let Some(why) = plan.of_another_version() {
        audience.say(&format!("{why}: the steps are gone on with as they were agreed to"));
    }
    let asking = ground.look.clone();
    let mut ask = |wants: &[crate::plan::Want]| around::read(&asking, wants);
    carried(ground, (runs, &run.id), (journal, lock), |host| {
        go_on(run, host, &mut ask, &mut |told| audience.told(plan, told))
            .map_err(|refusal| Trouble::Refused(refusal.why))
    })
    .map(GoneOn::Ran)
}

/// Whose run it is, and what it is about: neither may be another one. The version alone is no
/// hindrance, for whoever replaced the program has no other way to finish what it began.
fn misfit(ground: &Ground<'_>, plan: &Plan) -> Result<Option<String>, Trouble> {
    let looked = survey::look_once(&ground.look)?;
    let Snapshot { host, topology, .. } = &looked.snapshot;
    if looked.nothing {
        return Err(Trouble::NothingRead(format!(
            "nothing could be read of this host: {} stays as it is",
            plan.id
        )));
    }
    let other = plan.of_another_host(host.name.as_str());
    Ok(other.or_else(|| plan.about_another(topology)))
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

#[cfg(test)]
mod tests;
