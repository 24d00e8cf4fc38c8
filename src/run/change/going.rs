//! A plan that runs, or goes on after it was cut off, on the command line: who hears of it is
//! standard output, and a signal stops it between steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::carry::{Audience, Ground, carry_out, may_change};
use super::earlier::{self, GoneOn, named, resume_one, unfinished};
use super::{Proposal, consent, show};
use crate::exec::{Ending, Run, Told};
use crate::exit::Exit;
use crate::plan::Plan;
use crate::run::{Trouble, host, print};
use crate::settings::Settings;
use crate::store::runs::Runs;
use crate::survey::LookPlan;

/// Whoever typed the command.
struct Typist<'a> {
    yes: &'a [String],
}

impl Audience for Typist<'_> {
    fn say(&mut self, words: &str) {
        print::message(&words);
    }

    fn told(&mut self, plan: &Plan, told: Told) {
        if let Some(line) = show::line(plan, &told) {
            // a terminal that is gone must not end what runs
            let _ = print::line(&line);
        }
    }

    fn agree(&mut self, plan: &Plan) -> Result<(), Trouble> {
        consent::agree(plan, self.yes)
    }
}

fn ground(settings: &Settings, look: LookPlan) -> Ground<'_> {
    Ground { settings, look, stop: stop_on_signals(), survey: None }
}

/// Runs an agreed plan.
pub(super) fn go(settings: &Settings, proposal: Proposal) -> Result<Exit, Trouble> {
    let Proposal { plan, look, .. } = proposal;
    let plan = Plan { id: Runs::below(&settings.state_dir).later(&plan.id), ..plan };
    let carried = carry_out(&ground(settings, look), &plan, &mut Typist { yes: &[] })?;
    told(&plan, &carried.ending, carried.took)
}

/// Completes what earlier runs left open.
pub(super) fn complete(settings: &Settings, yes: &[String]) -> Result<(), Trouble> {
    let runs = Runs::below(&settings.state_dir);
    if unfinished(&runs).is_empty() {
        return Ok(());
    }
    earlier::complete(&ground(settings, host::plan(settings)?), &mut Typist { yes })
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
    let ground = ground(settings, host::plan(settings)?);
    for run in open {
        let gone_on = resume_one(&ground, &runs, &run, &mut Typist { yes });
        let ended = gone_on.and_then(|gone_on| match (gone_on, run.plan()) {
            (GoneOn::Ran(carried), Some(plan)) => told(plan, &carried.ending, carried.took),
            (GoneOn::Stranger(why), _) => {
                Err(Trouble::Refused(format!("{} is not gone on with: {why}", run.id)))
            }
            _ => Ok(Exit::Done),
        });
        match ended {
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

fn told(plan: &Plan, ending: &Ending, took: Duration) -> Result<Exit, Trouble> {
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
        Ending::Undecided { step, why } => Err(Trouble::Failed(format!(
            "step {} ({}) is not decided: {why}; the run stays open, and `thinscope resume` goes \
             on with it once that can be seen or was seen to",
            step + 1,
            title(step)
        ))),
        Ending::Running { step, why } => Err(Trouble::Failed(format!(
            "step {} ({}) still runs: {why}; leave it, and `thinscope resume` when it has ended",
            step + 1,
            title(step)
        ))),
    }
}
