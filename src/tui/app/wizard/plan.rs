//! From answers to a plan, its review, its run, and what is heard of it.

use std::sync::Arc;
use std::time::Duration;

use crate::exec::desk::{News, Order, Ready, Report};
use crate::exec::{self, Told};
use crate::plan::{self, Planned};
use crate::tui::app::App;
use crate::tui::wizard::course::Course;
use crate::tui::wizard::gains::gains;
use crate::tui::wizard::review::{Focus, Page, Review};
use crate::tui::wizard::trees::Trees;
use crate::tui::wizard::{Stage, is_recorded};

impl App {
    /// Review is asked for: what a plan needs to know is looked at once more.
    pub(super) fn ask_for_review(&mut self) {
        let asked = self.asked.wrapping_add(1);
        let Some(wizard) = self.wizard.as_deref_mut() else { return };
        wizard.wants_review = true;
        match &wizard.outcome {
            Some(Ok(Planned::Plan(_))) => {}
            // whoever looks has not answered yet: the review opens when that comes
            None => return,
            Some(_) => {
                wizard.wants_review = false;
                self.notice = Some("there is nothing to review yet".to_owned());
                return;
            }
        }
        wizard.ask = asked;
        let wants = wizard.wants(&self.seen.snapshot);
        self.asked = asked;
        self.order(Order::Prepare { ask: asked, wants });
    }

    /// Something about a change was heard.
    pub(in crate::tui::app) fn hear(&mut self, news: News) {
        let now_ms = self.now_ms;
        match news {
            News::Ready(ready) => self.take_ready(ready),
            news => {
                if let Some(Stage::Course(course)) =
                    self.wizard.as_deref_mut().map(|wizard| &mut wizard.stage)
                {
                    course.hear(news, now_ms);
                }
            }
        }
    }

    fn take_ready(&mut self, ready: Box<Ready>) {
        let snapshot = Arc::clone(&self.seen.snapshot);
        let Some(wizard) = self.wizard.as_deref_mut().filter(|wizard| wizard.ask == ready.ask)
        else {
            return;
        };
        if !matches!(wizard.stage, Stage::Ask) {
            return;
        }
        wizard.ready = Some(ready);
        wizard.judge(&snapshot);
        if wizard.wants_review
            && let Some(Ok(Planned::Plan(plan))) = &wizard.outcome
        {
            let plan = plan.clone();
            self.review(plan);
        } else {
            wizard.wants_review = false;
        }
    }

    /// A plan is reviewed.
    pub(super) fn review(&mut self, plan: Box<plan::Plan>) {
        let snapshot = Arc::clone(&self.seen.snapshot);
        let Some(wizard) = self.wizard.as_deref_mut() else { return };
        let after = plan.predict(&snapshot.topology);
        let trees = Trees::new(&snapshot, &after, &plan.basis.names);
        let gains = gains(&snapshot.topology, &after, &wizard.target);
        let mut review = Review::new(plan, trees, gains);
        review.forbidden = wizard.forbidden().map(str::to_owned);
        let recorded = is_recorded(&snapshot);
        let taken = wizard.form.devices().filter(|device| recorded && device.taken);
        review.assumed = taken.map(|device| device.path.clone()).collect();
        let unfinished = wizard.ready.as_ref().map(|ready| ready.unfinished.clone());
        review.unfinished = unfinished.unwrap_or_default();
        wizard.stage = Stage::Review(Box::new(review));
        self.look_at_plan();
    }

    /// After a new picture: what is typed is judged anew, and a plan that is reviewed may be one
    /// that nobody would make any more.
    pub(in crate::tui::app) fn look_at_plan(&mut self) {
        let snapshot = Arc::clone(&self.seen.snapshot);
        let Some(wizard) = self.wizard.as_deref_mut() else { return };
        if matches!(wizard.stage, Stage::Ask) {
            wizard.judge(&snapshot);
            return;
        }
        let Stage::Review(review) = &wizard.stage else { return };
        let intent = review.plan.intent.clone();
        let now = wizard.plan(&intent, &snapshot);
        let Stage::Review(review) = &mut wizard.stage else { return };
        let same = matches!(&now, Ok(Planned::Plan(now)) if now.steps == review.plan.steps);
        if review.outdated == same {
            review.outdated = !same;
            review.focus = Focus::Back;
        }
    }

    /// Runs the plan once everything is agreed to; where nothing may run, rehearses it.
    pub(super) fn run_or_rehearse(&mut self) {
        let now_ms = self.now_ms;
        let Some(wizard) = self.wizard.as_deref_mut() else { return };
        let Stage::Review(review) = &mut wizard.stage else { return };
        if review.forbidden.is_some() {
            self.rehearse();
            return;
        }
        if let Some(missing) = review.missing() {
            review.focus = Focus::Consent(missing);
            if let Some(word) = review.typed() {
                word.wrong = true;
            }
            return;
        }
        if !review.may_run() {
            return;
        }
        let plan = review.plan.clone();
        wizard.stage = Stage::Course(Box::new(Course::new(plan.clone(), false, now_ms)));
        self.order(Order::Run(plan));
    }

    /// The dry run: the same executor on predictions.
    pub(crate) fn rehearse(&mut self) {
        let now_ms = self.now_ms;
        let topology = Arc::clone(&self.seen.snapshot.topology);
        let Some(wizard) = self.wizard.as_deref_mut() else { return };
        let Stage::Review(review) = &wizard.stage else { return };
        let plan = review.plan.clone();
        let mut course = Course::new(plan.clone(), true, now_ms);
        let ending = exec::rehearse(&plan, topology, &mut |told: Told| {
            course.hear(News::Told(told), now_ms);
        });
        let took = Duration::ZERO;
        let report = Report { id: None, ending: Ok(ending), took };
        course.hear(News::Ended(Box::new(report)), now_ms);
        wizard.stage = Stage::Course(Box::new(course));
    }

    /// The storage before and after, or the steps again.
    pub(crate) fn show_trees(&mut self) {
        self.in_review(|review| {
            let trees = review.page == Page::Trees;
            review.page = if trees { Page::Steps } else { Page::Trees };
        });
    }

    /// Checks and undo of each step, or not.
    pub(crate) fn show_checks(&mut self) {
        self.in_review(|review| {
            review.page = Page::Steps;
            review.all = !review.all;
        });
    }

    fn in_review(&mut self, change: impl FnOnce(&mut Review)) {
        if let Some(Stage::Review(review)) =
            self.wizard.as_deref_mut().map(|wizard| &mut wizard.stage)
        {
            review.offset = 0;
            change(review);
        }
    }

    /// Finish the step under way and stop.
    pub(crate) fn stop_run(&mut self) {
        let Some(Stage::Course(course)) =
            self.wizard.as_deref_mut().map(|wizard| &mut wizard.stage)
        else {
            return;
        };
        if course.runs() && !course.stopping {
            course.stopping = true;
            course.asks = false;
            self.order(Order::Stop);
        }
    }

    /// Leaving while something runs is asked about; whether it does.
    pub(in crate::tui::app) fn asks_before_leaving(&mut self) -> bool {
        match self.wizard.as_deref_mut().map(|wizard| &mut wizard.stage) {
            Some(Stage::Course(course)) if course.runs() => {
                course.asks = true;
                true
            }
            _ => false,
        }
    }
}
