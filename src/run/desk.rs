//! Changes for the screen: looks at what a plan wants to know, runs plans on a thread of their
//! own, and tells the screen. Outlives the screen: a step that was begun is finished.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use tokio::sync::mpsc::UnboundedSender;

use super::change::around;
use super::change::beneath::state_lies_on_a_pool;
use super::change::carry::{Audience, Carried, Ground, carry_out, prepared};
use super::change::earlier::{complete, unfinished};
use super::change::{is_live, new_id};
use super::{Trouble, print};
use crate::exec::desk::{News, Order, Ready, Report};
use crate::exec::{Ending, Run, Told};
use crate::plan::{Plan, Want};
use crate::settings::{HostChoice, Settings};
use crate::store::runs::Runs;
use crate::survey::{LookPlan, Survey};
use crate::tui::Notice;

/// Whoever makes the changes that the screen asks for.
#[derive(Clone)]
pub(super) struct Desk {
    settings: Arc<Settings>,
    look: LookPlan,
    survey: Arc<Survey>,
    tell: UnboundedSender<Notice>,
    stop: Arc<AtomicBool>,
    running: Arc<Mutex<Option<JoinHandle<()>>>>,
    /// A line for each run, for when the screen is left.
    lines: Arc<Mutex<Vec<String>>>,
}

impl Desk {
    /// For one screen.
    pub(super) fn new(
        settings: &Settings,
        look: LookPlan,
        survey: Arc<Survey>,
        tell: UnboundedSender<Notice>,
    ) -> Self {
        Self {
            settings: Arc::new(settings.clone()),
            look,
            survey,
            tell,
            stop: Arc::default(),
            running: Arc::default(),
            lines: Arc::default(),
        }
    }

    /// Takes an order; what comes of it is told.
    pub(super) fn take(&self, order: Order) {
        match order {
            Order::Prepare { ask, wants } => self.prepare(ask, wants),
            Order::Run(plan) => self.run(*plan),
            Order::Stop => self.stop.store(true, Ordering::SeqCst),
        }
    }

    fn prepare(&self, ask: u32, wants: Vec<Want>) {
        let desk = self.clone();
        let started = thread("prepare", move || {
            let ready = Ready {
                ask,
                around: around::read(&desk.look, &wants),
                forbidden: forbidden(&desk.settings, &desk.look),
                unfinished: cut_off(&desk.settings),
            };
            desk.news(News::Ready(Box::new(ready)));
        });
        if let Err(error) = started {
            self.line(format!("what is around could not be looked at: {error}"));
        }
    }

    fn run(&self, plan: Plan) {
        // a run's id is used once, and begins with the moment at which it began
        let id = Runs::below(&self.settings.state_dir).later(&new_id(&plan.intent));
        let plan = Plan { id, ..plan };
        self.stop.store(false, Ordering::SeqCst);
        let desk = self.clone();
        match thread("run", move || desk.carry(&plan)) {
            Ok(handle) => *lock(&self.running) = Some(handle),
            Err(error) => self.end(None, Err(format!("no thread can be started: {error}"))),
        }
    }

    fn carry(&self, plan: &Plan) {
        let look = self.look.clone();
        let stop = Arc::clone(&self.stop);
        let ground = Ground { settings: &self.settings, look, stop, survey: Some(&*self.survey) };
        let mut watcher = Watcher { desk: self, tells: false };
        let ended = complete(&ground, &mut watcher).and_then(|()| {
            watcher.tells = true;
            carry_out(&ground, plan, &mut watcher)
        });
        self.end(Some(plan), ended.map_err(|trouble| trouble.to_string()));
        // what was changed is seen at once
        self.survey.look_again();
    }

    fn end(&self, plan: Option<&Plan>, ended: Result<Carried, String>) {
        if let Some(plan) = plan {
            lock(&self.lines).push(summary(plan, &ended));
        }
        let (took, ending) = match ended {
            Ok(Carried { ending, took }) => (took, Ok(ending)),
            Err(why) => (std::time::Duration::ZERO, Err(why)),
        };
        let id = plan.filter(|_| ending.is_ok()).map(|plan| plan.id.clone());
        self.news(News::Ended(Box::new(Report { id, ending, took })));
    }

    fn news(&self, news: News) {
        // a screen that was left meanwhile is not told
        let _ = self.tell.send(Notice::Desk(news));
    }

    fn line(&self, line: String) {
        let _ = self.tell.send(Notice::Line(line));
    }

    /// After the screen: the step under way is finished, and every run leaves a line.
    pub(super) fn close(&self) {
        let running = lock(&self.running).take();
        if let Some(handle) = running {
            if !handle.is_finished() {
                self.stop.store(true, Ordering::SeqCst);
                print::message(&"a plan runs: this step is finished first, then it stops");
            }
            // one that panicked has ended the whole program
            let _ = handle.join();
        }
        for line in lock(&self.lines).drain(..) {
            let _ = print::line(&line);
        }
    }
}

/// Tells the screen.
struct Watcher<'a> {
    desk: &'a Desk,
    /// The plan on the screen has begun: before it an earlier one is completed, whose steps are
    /// told as lines.
    tells: bool,
}

impl Audience for Watcher<'_> {
    fn say(&mut self, words: &str) {
        self.desk.news(News::Said(words.to_owned()));
    }

    fn told(&mut self, plan: &Plan, told: Told) {
        if self.tells {
            self.desk.news(News::Told(told));
        } else if let Some(line) = super::change::line(plan, &told) {
            self.say(&line);
        }
    }

    fn agree(&mut self, plan: &Plan) -> Result<(), Trouble> {
        Err(Trouble::Refused(format!(
            "{} was cut off before a step that destroys data, which is agreed to once more: \
             `thinscope resume {}` asks for it",
            plan.id, plan.id
        )))
    }
}

/// Why nothing may run here.
fn forbidden(settings: &Settings, look: &LookPlan) -> Option<String> {
    if !is_live(settings) {
        return Some(match settings.host {
            HostChoice::Metadata(_) => "metadata is looked at, and nothing of its host".to_owned(),
            HostChoice::Live { .. } => "the files of another host are looked at".to_owned(),
            _ => "this is a recorded host".to_owned(),
        });
    }
    if settings.read_only {
        return Some("--read-only was given".to_owned());
    }
    if !crate::sys::live::is_root() {
        return Some("only root can change storage: start it with sudo".to_owned());
    }
    if state_lies_on_a_pool(look, settings) {
        // whether it is the pool that is changed is known when there is a plan
        return None;
    }
    prepared(settings).err().map(|trouble| trouble.to_string())
}

fn cut_off(settings: &Settings) -> Vec<(String, String)> {
    let wish = |run: &Run| run.plan().map(|plan| plan.intent.to_string()).unwrap_or_default();
    let open = unfinished(&Runs::below(&settings.state_dir));
    open.into_iter().map(|run| (run.id.clone(), wish(&run))).collect()
}

/// What stays in the scrollback.
fn summary(plan: &Plan, ended: &Result<Carried, String>) -> String {
    let how = match ended {
        Err(why) => return format!("{}: {why}", plan.intent),
        Ok(Carried { ending, took }) => match ending {
            Ending::Done => format!("done and verified in {:.1} s", took.as_secs_f32()),
            Ending::Stopped { done } => format!(
                "stopped after {done} of {} steps; `thinscope resume` goes on",
                plan.steps.len()
            ),
            Ending::Refused { step, why } => format!("refused at step {}: {why}", step + 1),
            Ending::Failed { step, why } => format!("failed at step {}: {why}", step + 1),
            Ending::Undecided { step, why } => {
                format!("step {} is not decided: {why}; `thinscope resume` goes on", step + 1)
            }
            Ending::Running { step, why } => format!("step {} still runs: {why}", step + 1),
        },
    };
    format!("{}: {how}; thinscope journal {}", plan.intent, plan.id)
}

fn thread(name: &str, run: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run)
}

/// What is behind a lock whose holder panicked is as good as before.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
