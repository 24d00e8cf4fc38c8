//! The writing half of the door: the closed set of effects on a host, each done by a process of
//! its own that ignores signals and outlives the program that asked for it.
//!
//! Knows how an effect is written down and nothing of why it is done.

use serde::{Deserialize, Serialize};

use super::DmTarget;
use crate::command::Tool;
use crate::ids::DevNo;
use crate::text::Printable;

/// One effect on the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Runs a tool to its end. Never killed, whatever it takes.
    Run {
        /// The program.
        tool: Tool,
        /// Its arguments, without its name.
        args: Vec<String>,
    },
    /// Replaces a device's table: load, suspend with no-flush, resume; the last two are one call,
    /// in which nobody can be killed. The old table is loaded
    /// and resumed again when the new one is refused. A device that is found suspended on the new
    /// table, where an earlier window was cut off, is resumed, or gets its old table again.
    Window(Window),
    /// Brings back suspended devices, in this order.
    Resume(Vec<Suspended>),
    /// Puts a file of ours in its place, whole. Never over one that is not ours.
    Place(NewFile),
}

/// A file that is written whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFile {
    /// Where, absolute.
    pub path: String,
    /// Its text.
    pub text: String,
    /// What the first line begins with when a file that is there already was written by us, and
    /// may be replaced.
    pub mark: String,
}

/// A table that replaces another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// The device, by number.
    pub device: DevNo,
    /// Its name: checked again before anything is loaded.
    pub name: String,
    /// Its uuid: checked again; empty when it has none.
    pub uuid: String,
    /// The table it has: checked again, and the way back.
    pub old: Vec<DmTarget>,
    /// The table it gets.
    pub new: Vec<DmTarget>,
}

impl Window {
    /// What a person types, as root, to bring the device back by hand, wherever whoever did this
    /// ended: the old table goes into the inactive slot, over the new one, and is resumed.
    pub fn rescue(&self) -> String {
        let lines: Vec<_> = self
            .old
            .iter()
            .map(|line| quoted(&format!("{} {} {} ", line.start, line.length, line.kind), line))
            .collect();
        let DevNo { major, minor } = self.device;
        let at = format!("-j {major} -m {minor}");
        format!("printf '%s\\n' {} | dmsetup load {at} && dmsetup resume {at}", lines.join(" "))
    }
}

/// A line of a table as one word of a shell.
fn quoted(head: &str, line: &DmTarget) -> String {
    let params = Printable::from_bytes(&line.params.0);
    format!("'{}'", format!("{head}{params}").trim_end().replace('\'', "'\\''"))
}

/// One suspended device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspended {
    /// By number.
    pub device: DevNo,
    /// Its name: checked again.
    pub name: String,
    /// Whether the table in its inactive slot is thrown away first.
    pub clear: bool,
}

/// How an effect ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Acted {
    /// Done, as far as whoever did it says; looking again decides.
    Done,
    /// Not done, and nothing was changed.
    Refused {
        /// Why, in words.
        why: String,
    },
    /// It ended badly; looking again tells what stands.
    Failed {
        /// Why, in words; for a tool its name, exit status and last words.
        why: String,
    },
    /// Still under way after the time that was given; it goes on, and nobody may start another.
    Running {
        /// What is known of it.
        why: String,
    },
}
