//! Carrying a plan out: the state folder proved, the lock taken, the journal opened, this host
//! acted on, the journal closed, the lock given back. The same for the command line and for the
//! screen, which differ in who hears of it ([`Audience`]).

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use crate::exec::live::{LiveHost, append};
use crate::exec::{self, Ending, Host, Record, Told};
use crate::model::Topology;
use crate::plan::{Action, Plan, Step, agreed};
use crate::run::Trouble;
use crate::settings::Settings;
use crate::store::runs::{Lock, RunFile, Runs};
use crate::survey::{LookPlan, Survey};
use crate::sys::write::Acted;

use super::{around, beneath};

/// How long a run that is under way is waited for.
const OTHERS: Duration = Duration::from_secs(30);
/// How often it is looked whether it has ended.
const TURN: Duration = Duration::from_millis(100);

/// Who hears of runs.
pub(in crate::run) trait Audience {
    /// Something about the run as a whole.
    fn say(&mut self, words: &str);
    /// How a plan goes.
    fn told(&mut self, plan: &Plan, told: Told);
    /// Gets what a plan still needs to be agreed to.
    fn agree(&mut self, plan: &Plan) -> Result<(), Trouble>;
}

/// Where a plan is carried out.
pub(in crate::run) struct Ground<'a> {
    /// What was typed.
    pub(in crate::run) settings: &'a Settings,
    /// How the host is looked at.
    pub(in crate::run) look: LookPlan,
    /// Set when somebody wants it to stop between steps.
    pub(in crate::run) stop: Arc<AtomicBool>,
    /// A survey of the same host, which must not look while anything is suspended.
    pub(in crate::run) survey: Option<&'a Survey>,
}

/// How a run went.
pub(in crate::run) struct Carried {
    /// Its end.
    pub(in crate::run) ending: Ending,
    /// From the first look to the last.
    pub(in crate::run) took: Duration,
}

/// Refuses to change what is not this host, or is not to be changed.
pub(in crate::run) fn may_change(settings: &Settings) -> Result<(), Trouble> {
    if !super::is_live(settings) {
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

/// Carries out an agreed plan.
pub(in crate::run) fn carry_out(
    ground: &Ground<'_>,
    plan: &Plan,
    audience: &mut dyn Audience,
) -> Result<Carried, Trouble> {
    let settings = ground.settings;
    beneath::refuse(ground, plan)?;
    let broken = |step: &Step| breach(&ground.look, &step.action);
    if let Some(why) = plan.steps.iter().find_map(broken) {
        return Err(Trouble::Refused(format!("nothing was done: {why}")));
    }
    let runs = prepared(settings)?;
    let lock = locked(&runs, audience)?;
    let journal = match opened(&runs, plan) {
        Ok(journal) => journal,
        Err(why) => {
            lock.release();
            return Err(no_journal(settings, &why));
        }
    };
    carried(ground, (&runs, &plan.id), (journal, lock), |host| {
        Ok(exec::run(plan, 0, host, &mut |told| audience.told(plan, told)))
    })
}

/// A journal with its first record, on the disk.
fn opened(runs: &Runs, plan: &Plan) -> Result<RunFile, String> {
    let mut journal = runs.create(&plan.id).map_err(|error| error.to_string())?;
    append(&mut journal, &Record::Opened { plan: Box::new(plan.clone()) })?;
    Ok(journal)
}

/// Runs with an open journal under the lock, which goes back unless something still runs.
pub(super) fn carried(
    ground: &Ground<'_>,
    (runs, id): (&Runs, &str),
    (journal, lock): (RunFile, Lock),
    run: impl FnOnce(&mut dyn Host) -> Result<Ending, Trouble>,
) -> Result<Carried, Trouble> {
    let folder: PathBuf = match runs.effects(id) {
        Ok(folder) => folder,
        Err(error) => {
            lock.release();
            return Err(no_journal(ground.settings, &error));
        }
    };
    let host = LiveHost::new(ground.look.clone(), journal, lock, (folder, ground.stop.clone()));
    let mut host = Quiet { host, survey: ground.survey, look: ground.look.clone() };
    let began = Instant::now();
    let ending = run(&mut host);
    let lock = host.host.into_lock();
    if !matches!(ending, Ok(Ending::Running { .. })) {
        lock.release();
    }
    Ok(Carried { ending: ending?, took: began.elapsed() })
}

/// Proves that a journal can be kept.
pub(in crate::run) fn prepared(settings: &Settings) -> Result<Runs, Trouble> {
    let runs = Runs::below(&settings.state_dir);
    runs.prepare().map_err(|error| no_journal(settings, &error))?;
    Ok(runs)
}

pub(super) fn no_journal(settings: &Settings, why: &dyn std::fmt::Display) -> Trouble {
    Trouble::Refused(format!(
        "nothing was done: no journal can be kept below {}: {why}; --state-dir names another \
         folder, on storage that is not changed",
        settings.state_dir.display()
    ))
}

/// The lock; another one's run, or an effect that outlived it, is waited for.
pub(super) fn locked(runs: &Runs, audience: &mut dyn Audience) -> Result<Lock, Trouble> {
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
            audience.say("another change of this host is under way: waiting for it");
            told = true;
        }
        std::thread::sleep(TURN);
    }
}

/// This host, with no look of the screen's survey under way while a step suspends something: one
/// that waits for a suspended device, or holds a lock of LVM, would be in the step's way.
struct Quiet<'a> {
    host: LiveHost,
    survey: Option<&'a Survey>,
    look: LookPlan,
}

/// Why an action would destroy more than was agreed to, by a look at its device.
fn breach(look: &LookPlan, action: &Action) -> Option<String> {
    let want = agreed::want(action)?;
    agreed::breach(action, &around::read(look, &[want]))
}

impl Host for Quiet<'_> {
    fn look(&mut self) -> Result<Arc<Topology>, String> {
        self.host.look()
    }

    fn act(&mut self, step: usize, action: &Action, told: &mut dyn FnMut(Told)) -> Acted {
        // also of a run that is gone on with a day later
        if let Some(why) = breach(&self.look, action) {
            return Acted::Refused { why };
        }
        let survey = self.survey.filter(|_| action.suspends());
        let pause = survey.map(Survey::pause);
        let acted = self.host.act(step, action, told);
        drop(pause);
        acted
    }

    fn ended(&mut self, step: usize) -> Option<Acted> {
        self.host.ended(step)
    }

    fn stops(&self) -> bool {
        self.host.stops()
    }

    fn wait(&mut self) -> bool {
        self.host.wait()
    }

    fn record(&mut self, record: &Record) -> Result<(), String> {
        self.host.record(record)
    }
}
