//! What a probe child is told: which source, where, and what to leave out.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ids::DevNo;
use crate::probe::LookOptions;
use crate::probe::metadata::Asked;
use crate::sys::{HostPath, Question, Source};

/// The hidden sub-command; the source follows it, for whoever looks at a list of processes.
pub(super) const SUBCOMMAND: &str = "__probe";

/// One look at one source, a line of what the child reads from its standard input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    pub source: Source,
    pub root: Option<HostPath>,
    pub options: LookOptions,
    /// When the child gives up by itself.
    pub limit: Duration,
    /// Devices whose status is not asked, because an earlier child hangs on it.
    pub skip: Vec<DevNo>,
    /// Where a change would show; what that comes to is told first.
    pub signs: Option<Signs>,
    /// What it came to when nothing was new: if it still does, no more is looked at.
    pub known: Sums,
    /// The state of every device-mapper device is a sign this time.
    pub states: bool,
    /// What to read of metadata, where that is the source.
    pub metadata: Option<Asked>,
    /// The blocks of metadata are wanted themselves, for a recording.
    pub record: bool,
    /// Single questions instead of a source.
    #[serde(default)]
    pub questions: Vec<Question>,
}

/// What a change shows itself in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Signs {
    /// Whether the list of device-mapper devices with their event numbers is one.
    pub list: bool,
    /// Whether the list of block devices is one.
    pub block: bool,
    /// Devices whose status is one.
    pub status: Vec<DevNo>,
    /// Devices whose state is one.
    pub state: Vec<DevNo>,
    /// Files and folders whose inode and times are.
    pub stat: Vec<HostPath>,
    /// Folders whose sub-folders' times are, too.
    pub below: Vec<HostPath>,
}

/// What was seen where a change would show, as numbers; `None` where that is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Sums {
    /// Of the few signs.
    pub few: Option<u64>,
    /// Of the state of every device-mapper device.
    pub states: Option<u64>,
}

impl Signs {
    /// Whether a change would show nowhere.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Order {
    /// A whole look at a source.
    pub(super) fn look(
        source: Source,
        root: Option<PathBuf>,
        options: LookOptions,
        limit: Duration,
    ) -> Self {
        let root = root.map(HostPath::new);
        let (skip, signs, metadata) = (Vec::new(), None, None);
        let (questions, known) = (Vec::new(), Sums::default());
        let (states, record) = (false, false);
        Self {
            source,
            root,
            options,
            limit,
            skip,
            signs,
            known,
            states,
            metadata,
            record,
            questions,
        }
    }

    /// As a line for the child.
    pub(super) fn write(&self) -> Vec<u8> {
        // our own types have text keys only: this cannot fail
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }
}
