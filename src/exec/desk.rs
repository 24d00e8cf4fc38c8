//! What passes between whoever shows a change and whoever makes it: orders one way, news the
//! other. Both ends can be played in a test.
//!
//! Knows plans and how runs go; nothing of threads, files or screens.

use std::time::Duration;

use super::{Ending, Told};
use crate::plan::{Around, Plan, Want};

/// What is asked of whoever makes changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Look at what a plan wants to know beside the topology, and whether anything may run here.
    Prepare {
        /// Comes back with the answer: an answer to an older question is thrown away.
        ask: u32,
        /// What to look at.
        wants: Vec<Want>,
    },
    /// Run a plan that was agreed to. One at a time.
    Run(Box<Plan>),
    /// Stop after the step that is under way.
    Stop,
}

/// What comes back.
#[derive(Clone, Debug)]
pub enum News {
    /// What was looked at.
    Ready(Box<Ready>),
    /// Something about the run as a whole: it waits for another one, completes an earlier one.
    Said(String),
    /// How the run goes.
    Told(Told),
    /// It has ended, or was not begun.
    Ended(Box<Report>),
}

/// The answer to [`Order::Prepare`].
#[derive(Clone, Debug)]
pub struct Ready {
    /// Which question it answers.
    pub ask: u32,
    /// What was seen.
    pub around: Around,
    /// Why nothing may run here, where nothing may.
    pub forbidden: Option<String>,
    /// Earlier runs that were cut off, which are completed first: id and wish.
    pub unfinished: Vec<(String, String)>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its journal; `None` where none was begun.
    pub id: Option<String>,
    /// How it ended; otherwise why it was not begun.
    pub ending: Result<Ending, String>,
    /// From the first look to the last.
    pub took: Duration,
}
