//! A plan that runs, or goes on after it was cut off: under the lock, with its journal, stopped
//! only between steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{Proposal, around, is_live, show};
use crate::exec::live::{LiveHost, append};
use crate::exec::resume::resume as go_on;
use crate::exec::{self, Closing, Ending, Record, Run, Standing, Told};
use crate::exit::Exit;
use crate::plan::{Danger, Plan};
use crate::run::{Trouble, host, print};
use crate::settings::Settings;
use crate::store::runs::{Lock, Runs, is_id};

/// How long a run that is under way is waited for.
const OTHERS: Duration = Duration::from_secs(30);
/// How often it is looked whether it has ended.
const TURN: Duration = Duration::from_millis(100);

/// Refuses to change what is not this host, or is not to be changed.
pub(super) fn may_change(settings: &Settings) -> Result<(), Trouble> {
    if !is_live(settings) {
        return Err(Trouble::Refused(
            "only this host can be changed, and another one is looked at: --dry-run rehearses, \
             --script and --save keep the plan"
                .to_owned(),
        ));
    }
    if settings.read_only {
        return Err(Trouble::Refused(
            "--read-only forbids changes: --dry-run, --json and --script show the plan".to_owned(),
        ));
    }
    if !crate::sys::live::is_root() {
        return Err(Trouble::Refused(
            "only root can change storage: run it with sudo; --dry-run needs no root".to_owned(),
        ));
    }
    Ok(())
}

/// Runs an agreed plan.
pub(super) fn go(settings: &Settings, proposal: Proposal) -> Result<Exit, Trouble> {
    let Proposal { plan, look, .. } = proposal;
    let runs = prepared(settings)?;
    let lock = locked(&runs)?;
    let opened = runs.create(&plan.id).map_err(|error| no_journal(settings, &error))?;
    let folder = runs.effects(&plan.id).map_err(|error| no_journal(settings, &error))?;
    let mut journal = opened;
    append(&mut journal, &Record::Opened { plan: Box::new(plan.clone()) })
        .map_err(|why| no_journal(settings, &why))?;
    let stop = stop_on_signals();
    let mut host = LiveHost::new(look, journal, lock, (folder, stop));
    let began = Instant::now();
    let ending = exec::run(&plan, 0, &mut host, &mut |told| say(&plan, &told));
    finish(host, &ending);
    told(settings, &plan, &ending, began.elapsed())
}

/// Completes what earlier runs left open; their consent was recorded.
pub(super) fn complete(settings: &Settings, yes: &[String]) -> Result<(), Trouble> {
    let runs = Runs::below(&settings.state_dir);
    let open = unfinished(&runs);
    if open.is_empty() {
        return Ok(());
    }
    for run in open {
        print::message(&format_args!("{} was cut off; it is gone on with first", run.id));
        if resume_one(settings, &runs, &run, yes)? != Exit::Done {
            return Err(Trouble::Failed(format!(
                "{} could not be completed; nothing new was begun",
                run.id
            )));
        }
    }
    Ok(())
}

/// `resume`.
pub(super) fn resume(
    settings: &Settings,
    id: Option<&str>,
    yes: &[String],
) -> Result<Exit, Trouble> {
    may_change(settings)?;
    let runs = Runs::below(&settings.state_dir);
    let open = match id {
        Some(id) => vec![named(&runs, id)?],
        None => unfinished(&runs),
    };
    let open: Vec<Run> = open.into_iter().filter(Run::is_open).collect();
    if open.is_empty() {
        print::message(&"nothing is unfinished");
        return Ok(Exit::Done);
    }
    let mut worst = Exit::Done;
    for run in open {
        match resume_one(settings, &runs, &run, yes) {
            Ok(Exit::Done) => {}
            Ok(other) => worst = other,
            Err(trouble) => {
                print::message(&trouble);
                worst = trouble.exit();
            }
        }
    }
    Ok(worst)
}

fn named(runs: &Runs, id: &str) -> Result<Run, Trouble> {
    let unknown = || Trouble::usage(format!("there is no run {}", print::quoted(id)));
    if !is_id(id) {
        return Err(unknown());
    }
    let bytes = runs.read(id).map_err(|_| unknown())?;
    Ok(Run::parse(id, &bytes))
}

/// Runs that are open, oldest first.
fn unfinished(runs: &Runs) -> Vec<Run> {
    let read = |id: &String| Some(Run::parse(id, &runs.read(id).ok()?));
    all(runs).iter().filter_map(read).filter(Run::is_open).collect()
}

fn all(runs: &Runs) -> Vec<String> {
    runs.ids().unwrap_or_default()
}

fn resume_one(
    settings: &Settings,
    runs: &Runs,
    run: &Run,
    yes: &[String],
) -> Result<Exit, Trouble> {
    let lock = locked(runs)?;
    // while the lock was waited for, the run may have been completed by the one who held it
    let run = &named(runs, &run.id)?;
    let Some(plan) = run.plan().filter(|_| run.is_open()) else {
        lock.release();
        return Ok(Exit::Done);
    };
    let mut journal = runs.open(&run.id).map_err(|error| no_journal(settings, &error))?;
    if let Some(later) = overtaken(runs, run, plan) {
        let how = Closing::Superseded { by: later.clone() };
        append(&mut journal, &Record::Closed { how }).map_err(|why| no_journal(settings, &why))?;
        lock.release();
        print::message(&format_args!("{} was overtaken by {later}, and is closed", run.id));
        return Ok(Exit::Done);
    }
    if let Err(why) = still_agreed(run, plan, yes) {
        lock.release();
        return Err(why);
    }
    let folder = runs.effects(&run.id).map_err(|error| no_journal(settings, &error))?;
    let survey = host::plan(settings)?;
    let asking = survey.clone();
    let mut host = LiveHost::new(survey, journal, lock, (folder, stop_on_signals()));
    print::message(&format_args!("going on with {}: {}", run.id, plan.intent));
    let began = Instant::now();
    let mut ask = |wants: &[crate::plan::Want]| around::read(&asking, wants);
    let ending = go_on(run, &mut host, &mut ask, &mut |told| say(plan, &told))
        .map_err(|refusal| Trouble::Refused(refusal.why))?;
    finish(host, &ending);
    told(settings, plan, &ending, began.elapsed())
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
fn still_agreed(run: &Run, plan: &Plan, yes: &[String]) -> Result<(), Trouble> {
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
    let plan = Plan { consents: consents.cloned().collect(), ..plan.clone() };
    super::consent::agree(&plan, yes)
}

fn prepared(settings: &Settings) -> Result<Runs, Trouble> {
    let runs = Runs::below(&settings.state_dir);
    runs.prepare().map_err(|error| no_journal(settings, &error))?;
    Ok(runs)
}

fn no_journal(settings: &Settings, why: &dyn std::fmt::Display) -> Trouble {
    Trouble::Refused(format!(
        "nothing was done: no journal can be kept below {}: {why}; --state-dir names another \
         folder, on storage that is not changed",
        settings.state_dir.display()
    ))
}

/// The lock; another one's run, or an effect that outlived it, is waited for.
fn locked(runs: &Runs) -> Result<Lock, Trouble> {
    let failed = |error: std::io::Error| Trouble::Refused(format!("no lock can be taken: {error}"));
    let since = Instant::now();
    let mut told = false;
    loop {
        if let Some(lock) = runs.lock().map_err(failed)? {
            return Ok(lock);
        }
        if since.elapsed() >= OTHERS {
            return Err(Trouble::Refused(
                "another thinscope is changing this host, or a step that it began still runs: \
                 `thinscope journal` says which; try again when it has ended"
                    .to_owned(),
            ));
        }
        if !told {
            print::message(&"another change of this host is under way: waiting for it");
            told = true;
        }
        std::thread::sleep(TURN);
    }
}

/// A signal means: finish this step, record, stop.
fn stop_on_signals() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let listening = std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(wait_for_signals(&flag));
    });
    // without it a signal ends the program at once, and `resume` goes on
    drop(listening);
    stop
}

async fn wait_for_signals(stop: &AtomicBool) {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind: SignalKind| signal(kind).ok();
    let (Some(mut interrupt), Some(mut terminate), Some(mut hangup)) = (
        listen(SignalKind::interrupt()),
        listen(SignalKind::terminate()),
        listen(SignalKind::hangup()),
    ) else {
        return;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
        stop.store(true, Ordering::SeqCst);
        print::message(&"asked to stop: this step is finished first");
    }
}

fn say(plan: &Plan, told: &Told) {
    if let Some(line) = show::line(plan, told) {
        // a terminal that is gone must not end what runs
        let _ = print::line(&line);
    }
}

/// The lock goes back, unless something still runs under it.
fn finish(host: LiveHost, ending: &Ending) {
    let lock = host.into_lock();
    if !matches!(ending, Ending::Running { .. }) {
        lock.release();
    }
}

fn told(
    settings: &Settings,
    plan: &Plan,
    ending: &Ending,
    took: Duration,
) -> Result<Exit, Trouble> {
    let _ = settings;
    let title =
        |step: &usize| plan.steps.get(*step).map(|step| step.action.title()).unwrap_or_default();
    match ending {
        Ending::Done => {
            let seconds = took.as_secs_f32();
            let _ = print::line(&format!("done and verified in {seconds:.1} s"));
            for next in &plan.next {
                let _ = print::line(&format!("next: {next}"));
            }
            print::message(&format_args!("journal: thinscope journal {}", plan.id));
            Ok(Exit::Done)
        }
        Ending::Stopped { done } => {
            print::message(&format_args!(
                "stopped after {done} of {} steps; `thinscope resume` goes on",
                plan.steps.len()
            ));
            Ok(Exit::Stopped)
        }
        Ending::Refused { step, why } if *step == 0 => {
            Err(Trouble::Refused(format!("nothing was done: {why}")))
        }
        Ending::Refused { step, why } => Err(Trouble::Failed(format!(
            "step {} ({}) was not begun: {why}; the steps before it are done and verified",
            step + 1,
            title(step)
        ))),
        Ending::Failed { step, why } => Err(Trouble::Failed(format!(
            "step {} ({}) failed: {why}; `thinscope journal {}` has all of it, `thinscope findings` \
             says how the host is now",
            step + 1,
            title(step),
            plan.id
        ))),
        Ending::Running { step, why } => Err(Trouble::Failed(format!(
            "step {} ({}) still runs: {why}; leave it, and `thinscope resume` when it has ended",
            step + 1,
            title(step)
        ))),
    }
}
