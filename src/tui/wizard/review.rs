//! The plan as it is looked at: what is shown of it, what must be agreed to, and by which word.
//!
//! The focus is on the way back when it opens. Nothing typed before it was drawn counts, and a
//! consent is typed by hand.

use super::trees::Trees;
use crate::plan::{Consent, Danger, Plan};
use crate::tui::edit::Edit;

/// What has the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Focus {
    /// The way back.
    Back,
    /// A word of consent.
    Consent(usize),
    /// The way on.
    Run,
}

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// The steps.
    Steps,
    /// The storage before and after.
    Trees,
}

/// A consent that is typed.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    /// What is agreed to.
    pub(crate) consent: Consent,
    /// What was typed.
    pub(crate) edit: Edit,
    /// Enter was pressed, and it is not one of the words.
    pub(crate) wrong: bool,
}

impl Word {
    /// Whether one of its words stands there.
    pub(crate) fn is_given(&self) -> bool {
        let typed = self.edit.text();
        self.consent.words.contains(&typed)
    }

    /// The word to type.
    pub(crate) fn word(&self) -> &str {
        self.consent.words.first().map_or("", String::as_str)
    }
}

/// A plan that is reviewed.
#[derive(Debug)]
pub(crate) struct Review {
    /// The plan.
    pub(crate) plan: Box<Plan>,
    /// The storage before and after it.
    pub(crate) trees: Trees,
    /// What it brings.
    pub(crate) gains: Vec<String>,
    /// What is shown.
    pub(crate) page: Page,
    /// Checks and undo of each step are shown too.
    pub(crate) all: bool,
    /// The words to type.
    pub(crate) words: Vec<Word>,
    /// What has the keys.
    pub(crate) focus: Focus,
    /// The first line shown.
    pub(crate) offset: usize,
    /// A person can have seen it.
    pub(crate) drawn: bool,
    /// Why nothing may run here: then it is rehearsed.
    pub(crate) forbidden: Option<String>,
    /// Disks of a recorded host, of which nobody knows what lies on them.
    pub(crate) assumed: Vec<String>,
    /// Earlier runs that are completed first.
    pub(crate) unfinished: Vec<(String, String)>,
    /// The host has changed since: another plan would be made now.
    pub(crate) outdated: bool,
}

impl Review {
    /// Of a plan; nobody has seen it yet.
    pub(crate) fn new(plan: Box<Plan>, trees: Trees, gains: Vec<String>) -> Self {
        let typed = |consent: &&Consent| consent.danger > Danger::Reversible;
        let words = plan.consents.iter().filter(typed).cloned().map(|consent| Word {
            consent,
            edit: Edit::default(),
            wrong: false,
        });
        let words = words.collect();
        Self {
            plan,
            trees,
            gains,
            page: Page::Steps,
            all: false,
            words,
            focus: Focus::Back,
            offset: 0,
            drawn: false,
            forbidden: None,
            assumed: Vec::new(),
            unfinished: Vec::new(),
            outdated: false,
        }
    }

    /// Whether the plan may be run at all from here.
    pub(crate) const fn may_run(&self) -> bool {
        self.forbidden.is_none() && !self.outdated
    }

    /// What can have the keys, in order.
    fn stops(&self) -> Vec<Focus> {
        let words = if self.may_run() { self.words.len() } else { 0 };
        let mut stops = vec![Focus::Back];
        stops.extend((0..words).map(Focus::Consent));
        if !self.outdated {
            stops.push(Focus::Run);
        }
        stops
    }

    /// To the next stop, or the one before.
    pub(crate) fn step(&mut self, back: bool) {
        let stops = self.stops();
        let at = stops.iter().position(|stop| *stop == self.focus).unwrap_or(0);
        let to = if back { at + stops.len() - 1 } else { at + 1 } % stops.len();
        self.focus = stops.get(to).copied().unwrap_or(Focus::Back);
    }

    /// The word that is being typed.
    pub(crate) fn typed(&mut self) -> Option<&mut Word> {
        match self.focus {
            Focus::Consent(at) => self.words.get_mut(at),
            _ => None,
        }
    }

    /// The first word that is still missing.
    pub(crate) fn missing(&self) -> Option<usize> {
        self.words.iter().position(|word| !word.is_given())
    }

    /// What cannot be taken back by a command, by step.
    pub(crate) fn for_good(&self) -> impl Iterator<Item = String> {
        let lasting = self.plan.steps.iter().enumerate();
        lasting.filter(|(_, step)| step.action.danger() > Danger::Reversible).map(|(at, step)| {
            format!("step {}, {}: {}", at + 1, step.action.title(), step.action.undo())
        })
    }
}
