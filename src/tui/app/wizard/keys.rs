//! What keys and pastes do in a wizard.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::tui::action::Context;
use crate::tui::app::{App, Move};
use crate::tui::edit::Edit;
use crate::tui::view;
use crate::tui::wizard::Stage;
use crate::tui::wizard::form::Field;
use crate::tui::wizard::review::{Focus, Page};

impl App {
    /// What wizards do with the keys now.
    pub(in crate::tui::app) fn wizard_context(&self) -> Option<Context> {
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
    pub(in crate::tui::app) fn is_blind(&self) -> bool {
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
    pub(in crate::tui::app) fn wizard_types(&mut self, key: &KeyEvent) -> bool {
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
    pub(in crate::tui::app) fn wizard_paste(&mut self, text: &str) {
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

    fn edit_amount(&mut self, take: impl FnOnce(&mut Edit) -> bool) -> bool {
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
    pub(in crate::tui::app) fn wizard_go(&mut self, step: Move) {
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
    pub(in crate::tui::app) fn wizard_back(&mut self) {
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
}
