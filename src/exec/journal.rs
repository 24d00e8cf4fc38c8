//! What is written down of a run: lines of JSON, each on the disk before or after an effect, and
//! what they say of where a run stands.

use serde::{Deserialize, Serialize};

use crate::plan::Plan;
use crate::sys::write::Acted;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "record")]
pub enum Record {
    /// A run begins; everything was agreed to.
    Opened {
        /// What will be done.
        plan: Box<Plan>,
    },
    /// A step is about to be done.
    Intended {
        /// Which.
        step: usize,
        /// Its literal commands.
        commands: Vec<Vec<String>>,
        /// What brings a suspended pool back by hand.
        rescue: Option<String>,
    },
    /// A step was done, or what became of it.
    Applied {
        /// Which.
        step: usize,
        /// How it ended.
        acted: Acted,
    },
    /// What must hold after a step was seen.
    Verified {
        /// Which.
        step: usize,
    },
    /// Stopped between steps; `resume` goes on.
    Stopped {
        /// Steps done.
        done: usize,
    },
    /// Nothing more will be done.
    Closed {
        /// How it ended.
        how: Closing,
    },
}

/// How a run was closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "end")]
pub enum Closing {
    /// All was done and verified.
    Done,
    /// A step was not begun, for what must hold before it does not.
    Refused {
        /// Which.
        step: usize,
        /// What does not hold.
        why: String,
    },
    /// A step failed.
    Failed {
        /// Which.
        step: usize,
        /// What was seen.
        why: String,
    },
    /// A later run went on with the same thing.
    Superseded {
        /// The later run.
        by: String,
    },
}

/// One line with its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Seconds since 1970.
    pub time: i64,
    /// What was written.
    #[serde(flatten)]
    pub record: Record,
}

/// A run, as far as its journal can be read.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its id.
    pub id: String,
    /// Its lines.
    pub entries: Vec<Entry>,
    /// Lines that could not be read: cut off, or of another version.
    pub unread: usize,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing more is to be done.
    Closed(Closing),
    /// So many steps are done, and the next was not begun.
    Between {
        /// Steps done.
        done: usize,
    },
    /// This step was begun, and it is not known how it ended.
    InDoubt {
        /// Which.
        step: usize,
    },
    /// There is no plan to go on with.
    Unreadable,
}

impl Run {
    /// Reads a journal. A line cut off by a crash is left out and counted.
    pub fn parse(id: &str, bytes: &[u8]) -> Self {
        let mut run = Self { id: id.to_owned(), entries: Vec::new(), unread: 0 };
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            match serde_json::from_slice(line) {
                Ok(entry) => run.entries.push(entry),
                Err(_) => run.unread += 1,
            }
        }
        run
    }

    /// What was to be done.
    pub fn plan(&self) -> Option<&Plan> {
        self.entries.iter().find_map(|entry| match &entry.record {
            Record::Opened { plan } => Some(&**plan),
            _ => None,
        })
    }

    /// When it began.
    pub fn began(&self) -> Option<i64> {
        self.entries.first().map(|entry| entry.time)
    }

    /// Where it stands.
    pub fn standing(&self) -> Standing {
        let Some(plan) = self.plan() else { return Standing::Unreadable };
        let mut standing = Standing::Between { done: 0 };
        for entry in &self.entries {
            match &entry.record {
                Record::Opened { .. } | Record::Applied { .. } => {}
                Record::Intended { step, .. } => standing = Standing::InDoubt { step: *step },
                Record::Verified { step } => standing = Standing::Between { done: step + 1 },
                Record::Stopped { done } => standing = Standing::Between { done: *done },
                Record::Closed { how } => return Standing::Closed(how.clone()),
            }
        }
        // a record of another plan's steps is no record of this one
        match standing {
            Standing::InDoubt { step } if step >= plan.steps.len() => Standing::Unreadable,
            Standing::Between { done } if done > plan.steps.len() => Standing::Unreadable,
            standing => standing,
        }
    }

    /// Whether `resume` has something to do with it.
    pub fn is_open(&self) -> bool {
        matches!(self.standing(), Standing::Between { .. } | Standing::InDoubt { .. })
    }
}
