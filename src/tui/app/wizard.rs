//! The wizards, as keys and news move them.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::{App, FindingRow, Move, Overlay, View};
use crate::advise;
use crate::exec::desk::{News, Order, Ready, Report};
use crate::exec::{self, Told};
use crate::model::{Finding, NodeIx};
use crate::plan;
use crate::plan::Planned;
use crate::tui::action::Context;
use crate::tui::event::{Effect, Request};
use crate::tui::outline::What;
use crate::tui::view;
use crate::tui::wizard::course::Course;
use crate::tui::wizard::form::Field;
use crate::tui::wizard::gains::gains;
use crate::tui::wizard::offer::{self, Kind, Offer};
use crate::tui::wizard::review::{Focus, Page, Review};
use crate::tui::wizard::trees::Trees;
use crate::tui::wizard::{Stage, Wizard, is_recorded};

impl App {
    /// The node that a wizard would be about.
    fn wizard_subject(&self) -> Option<NodeIx> {
        if matches!(self.view, View::Findings | View::Events) {
            return self.device_of_line();
        }
        match self.table().selected()? {
            What::Group(at) => self.outline().groups.get(at as usize).map(|group| group.pool_node),
            what => self.outline().node_of(what),
        }
    }

    /// The list of wizards; on a finding, what cures it.
    pub(crate) fn choose_wizard(&mut self) {
        if let (View::Findings, Some(FindingRow::Finding(finding))) =
            (self.view, self.selected_finding())
        {
            let code = finding.code;
            return self.cure_finding(code);
        }
        let subject = self.wizard_subject();
        let offers = offer::offers(self.seen.topology(), subject);
        let cures = |node| self.seen.findings_of(node).find_map(|f| offer::cure(f.code));
        let cure = subject.and_then(cures);
        let at = offers.iter().position(|offer| Some(offer.kind) == cure && offer.not.is_none());
        self.overlay = Some(Overlay::Wizards { offers, cursor: at.unwrap_or(0) });
    }

    /// Opens the wizard that cures a finding; where there is none for it here, names the cure.
    fn cure_finding(&mut self, code: &str) {
        let named = advise::wizard(code).unwrap_or_else(|| "its page has no word of it".to_owned());
        let Some(kind) = offer::cure(code) else {
            self.notice = Some(format!("what cures it: {named}"));
            return;
        };
        let offer = offer::offer(kind, self.seen.topology(), self.wizard_subject());
        match offer.not {
            None => self.open_wizard(kind, offer.target),
            Some(why) => self.notice = Some(format!("what cures it: {named} Not now: {why}")),
        }
    }

    /// Whether a wizard cures a finding, and would be about it now.
    pub(crate) fn is_cured_here(&self, finding: &Finding) -> bool {
        let topology = self.seen.topology();
        let about = finding.node.as_ref().and_then(|id| topology.find(id));
        offer::cure(finding.code).is_some_and(|kind| {
            about.is_some()
                && self.wizard.is_none()
                && self.wizard_subject() == about
                && offer::offer(kind, topology, about).not.is_none()
        })
    }

    /// A wizard by name.
    pub(crate) fn wizard_of(&mut self, kind: Kind) {
        let offer = offer::offer(kind, self.seen.topology(), self.wizard_subject());
        self.take_offer(offer);
    }

    /// Opens what was offered, or says why it is not.
    pub(super) fn take_offer(&mut self, offer: Offer) {
        match offer.not {
            None => self.open_wizard(offer.kind, offer.target),
            Some(why) => self.notice = Some(format!("no wizard {}: {why}", offer.kind.name())),
        }
    }

    fn open_wizard(&mut self, kind: Kind, target: String) {
        self.overlay = None;
        self.asked = self.asked.wrapping_add(1);
        let wizard = Wizard::new(kind, target, &self.seen.snapshot, self.asked);
        let wants = wizard.wants(&self.seen.snapshot);
        self.wizard = Some(Box::new(wizard));
        self.order(Order::Prepare { ask: self.asked, wants });
    }

    fn order(&mut self, order: Order) {
        self.effects.push(Effect::Ask(Request::Desk(order)));
    }

    /// What wizards do with the keys now.
    pub(super) fn wizard_context(&self) -> Option<Context> {
        let wizard = self.wizard.as_deref()?;
        Some(match &wizard.stage {
            Stage::Ask => Context::ASK,
            Stage::Review(review) if matches!(review.focus, Focus::Consent(_)) => Context::CONSENT,
            Stage::Review(_) => Context::REVIEW,
            Stage::Course(course) if course.runs() => Context::RUN,
            Stage::Course(_) => Context::DONE,
        })
    }

    /// Whether keys are thrown away: they were typed before what they would be for was seen.
    pub(super) fn is_blind(&self) -> bool {
        let Some(Stage::Review(review)) = self.wizard.as_deref().map(|wizard| &wizard.stage) else {
            return false;
        };
        !review.drawn || self.areas().too_small()
    }

    /// Whether the screen must be drawn before any more keys are taken.
    pub(crate) fn waits_to_be_drawn(&self) -> bool {
        let stage = self.wizard.as_deref().map(|wizard| &wizard.stage);
        matches!(stage, Some(Stage::Review(review)) if !review.drawn)
    }

    /// The screen was drawn.
    pub(crate) fn drawn(&mut self) {
        if self.areas().too_small() {
            return;
        }
        if let Some(Stage::Review(review)) = self.wizard.as_deref_mut().map(|w| &mut w.stage) {
            review.drawn = true;
        }
    }

    /// Lets the field that is being typed into take a key.
    pub(super) fn wizard_types(&mut self, key: &KeyEvent) -> bool {
        let Some(wizard) = self.wizard.as_deref_mut().filter(|_| self.overlay.is_none()) else {
            return false;
        };
        match &mut wizard.stage {
            Stage::Ask => {
                // no size has these letters, and help and leaving stay at hand
                let never = matches!(key.code, KeyCode::Char('q' | '?'));
                if never && !key.modifiers.contains(KeyModifiers::CONTROL) {
                    return false;
                }
                self.edit_amount(|edit| edit.take(key))
            }
            Stage::Review(review) => review.typed().is_some_and(|word| {
                let taken = word.edit.take(key);
                word.wrong &= !taken;
                taken
            }),
            Stage::Course(_) => false,
        }
    }

    /// A paste fills a size, and never a word of consent.
    pub(super) fn wizard_paste(&mut self, text: &str) {
        let in_review =
            self.wizard.as_deref().is_some_and(|wizard| matches!(&wizard.stage, Stage::Review(_)));
        if in_review {
            self.notice = Some("a paste agrees to nothing: type it".to_owned());
        } else {
            self.edit_amount(|edit| {
                edit.insert(text);
                true
            });
        }
    }

    fn edit_amount(&mut self, take: impl FnOnce(&mut crate::tui::edit::Edit) -> bool) -> bool {
        let Some(wizard) = self.wizard.as_deref_mut() else { return false };
        if !matches!(wizard.stage, Stage::Ask) {
            return false;
        }
        let focus = wizard.form.focus;
        let Some(Field::Amount(field)) = wizard.form.fields.get_mut(focus) else { return false };
        let before = field.edit.text();
        let taken = take(&mut field.edit);
        if taken && field.edit.text() != before {
            field.touched = true;
            wizard.judge(&self.seen.snapshot);
        }
        taken
    }

    /// Up and down: fields, or the text.
    pub(super) fn wizard_go(&mut self, step: Move) {
        let (lines, page) = view::wizard_lines(self);
        let Some(wizard) = self.wizard.as_deref_mut() else { return };
        let most = lines.saturating_sub(page);
        match &mut wizard.stage {
            Stage::Ask => match step {
                Move::Up | Move::PageUp => wizard.form.step(true),
                Move::Down | Move::PageDown => wizard.form.step(false),
                Move::First => wizard.form.focus = 0,
                Move::Last => wizard.form.focus = wizard.form.fields.len(),
            },
            Stage::Review(review) => {
                review.offset = step.from(review.offset, lines, page).min(most);
            }
            Stage::Course(course) => {
                course.offset = step.from(course.offset, lines, page).min(most);
            }
        }
    }

    /// To the next field or button.
    pub(crate) fn wizard_step(&mut self, back: bool) {
        match self.wizard.as_deref_mut().map(|wizard| (&mut wizard.stage, &mut wizard.form)) {
            Some((Stage::Ask, form)) => form.step(back),
            Some((Stage::Review(review), _)) => review.step(back),
            _ => {}
        }
    }

    /// Takes or leaves a device.
    pub(crate) fn wizard_take(&mut self) {
        let snapshot = Arc::clone(&self.seen.snapshot);
        if let Some(wizard) = self.wizard.as_deref_mut()
            && wizard.form.toggle()
        {
            wizard.judge(&snapshot);
        }
    }

    /// Enter.
    pub(crate) fn wizard_enter(&mut self) {
        let Some(wizard) = self.wizard.as_deref_mut() else { return };
        match &mut wizard.stage {
            Stage::Ask if wizard.form.at_end() => self.ask_for_review(),
            Stage::Ask => wizard.form.step(false),
            Stage::Review(review) => match review.focus {
                Focus::Back => self.wizard_back(),
                Focus::Consent(_) => {
                    let given = review.typed().is_some_and(|word| {
                        word.wrong = !word.is_given();
                        !word.wrong
                    });
                    if given {
                        review.step(false);
                    }
                }
                Focus::Run => self.run_or_rehearse(),
            },
            // to stay is what Enter means while it runs
            Stage::Course(course) if course.runs() => course.asks = false,
            Stage::Course(_) => self.wizard_back(),
        }
    }

    /// One stage back; a run is not left.
    pub(super) fn wizard_back(&mut self) {
        let Some(wizard) = self.wizard.as_deref_mut() else { return };
        let rehearsal = match &mut wizard.stage {
            Stage::Ask => None,
            Stage::Review(review) if review.page == Page::Trees => {
                review.page = Page::Steps;
                review.offset = 0;
                return;
            }
            // what asks nothing has no questions to go back to
            Stage::Review(_) if wizard.form.fields.is_empty() => None,
            Stage::Review(_) => {
                wizard.stage = Stage::Ask;
                wizard.wants_review = false;
                wizard.judge(&self.seen.snapshot);
                return;
            }
            Stage::Course(course) if course.runs() => {
                course.asks = !course.asks;
                return;
            }
            Stage::Course(course) => course.rehearsal.then(|| course.plan.clone()),
        };
        match rehearsal {
            Some(plan) => self.review(plan),
            None => self.wizard = None,
        }
    }

    /// Review is asked for: what a plan needs to know is looked at once more.
    fn ask_for_review(&mut self) {
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
    pub(super) fn hear(&mut self, news: News) {
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
    fn review(&mut self, plan: Box<plan::Plan>) {
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
    pub(super) fn look_at_plan(&mut self) {
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
    fn run_or_rehearse(&mut self) {
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
        let took = std::time::Duration::ZERO;
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
    pub(super) fn asks_before_leaving(&mut self) -> bool {
        match self.wizard.as_deref_mut().map(|wizard| &mut wizard.stage) {
            Some(Stage::Course(course)) if course.runs() => {
                course.asks = true;
                true
            }
            _ => false,
        }
    }
}
