//! A run as it is watched, and what came of it.
//!
//! Knows what is told of a run, not who tells it: a rehearsal is watched the same way.

use std::collections::VecDeque;

use crate::exec::desk::{News, Report};
use crate::exec::{Ending, Told};
use crate::plan::{Plan, Step};
use crate::text::Printable;

/// Lines of output that are kept.
const MOST_LINES: usize = 400;

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// It waits for its turn.
    Waits,
    /// What must hold before it is looked at.
    Looks,
    /// It is done now.
    Runs,
    /// What holds after it was seen.
    Verified,
    /// It failed, or what holds after it was not seen.
    Failed,
    /// What must hold before it does not.
    Refused,
}

/// A run.
#[derive(Debug)]
pub(crate) struct Course {
    /// What is done.
    pub(crate) plan: Box<Plan>,
    /// Nothing is done: it is walked on predictions.
    pub(crate) rehearsal: bool,
    /// How far each step is.
    pub(crate) steps: Vec<Stands>,
    /// What was printed, the newest last.
    pub(crate) lines: VecDeque<String>,
    /// When the step under way began.
    pub(crate) step_began_ms: i64,
    /// The person is asked whether to stop.
    pub(crate) asks: bool,
    /// It was asked to stop after this step.
    pub(crate) stopping: bool,
    /// How it ended.
    pub(crate) report: Option<Report>,
    /// The first line shown.
    pub(crate) offset: usize,
}

impl Course {
    /// One that begins.
    pub(crate) fn new(plan: Box<Plan>, rehearsal: bool, now_ms: i64) -> Self {
        let steps = vec![Stands::Waits; plan.steps.len()];
        Self {
            plan,
            rehearsal,
            steps,
            lines: VecDeque::new(),
            step_began_ms: now_ms,
            asks: false,
            stopping: false,
            report: None,
            offset: 0,
        }
    }

    /// Whether it has not ended.
    pub(crate) const fn runs(&self) -> bool {
        self.report.is_none()
    }

    /// Hears news.
    pub(crate) fn hear(&mut self, news: News, now_ms: i64) {
        match news {
            News::Ready(_) => {}
            News::Said(line) => self.line(&line),
            News::Told(told) => self.told(told, now_ms),
            News::Ended(report) => self.end(*report),
        }
    }

    fn told(&mut self, told: Told, now_ms: i64) {
        match told {
            Told::Begins { step } => {
                self.step_began_ms = now_ms;
                self.set(step, Stands::Looks);
            }
            Told::Ready { step } => self.set(step, Stands::Runs),
            Told::Verified { step } => self.set(step, Stands::Verified),
            Told::Line(line) => self.line(&line),
        }
    }

    fn set(&mut self, step: usize, stands: Stands) {
        if let Some(slot) = self.steps.get_mut(step) {
            *slot = stands;
        }
    }

    /// Keeps a line, made printable: programs print what they like.
    fn line(&mut self, line: &str) {
        if self.lines.len() >= MOST_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(Printable::from_text(line.trim_end()).to_string());
    }

    fn end(&mut self, report: Report) {
        match &report.ending {
            Ok(Ending::Failed { step, .. } | Ending::Undecided { step, .. }) => {
                self.set(*step, Stands::Failed);
            }
            Ok(Ending::Refused { step, .. }) => self.set(*step, Stands::Refused),
            _ => {}
        }
        self.asks = false;
        self.offset = 0;
        self.report = Some(report);
    }

    /// The step under way.
    pub(crate) fn current(&self) -> Option<(usize, &Step)> {
        let at =
            self.steps.iter().position(|stands| matches!(stands, Stands::Looks | Stands::Runs))?;
        Some((at, self.plan.steps.get(at)?))
    }

    /// What brings a suspended pool back by hand, while that could be needed.
    pub(crate) fn rescue(&self) -> Option<String> {
        self.current().and_then(|(_, step)| step.action.rescue())
    }

    /// How many steps are done and verified.
    pub(crate) fn done(&self) -> usize {
        self.steps.iter().filter(|stands| **stands == Stands::Verified).count()
    }
}
