//! What reaches the screen and what it answers with.

use std::sync::Arc;

use crate::exec::desk::{News, Order};
use crate::ids::ThinId;
use crate::model::block::Space;
use crate::model::{self, Snapshot, Trends};

/// Something happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A key, a paste, a new size.
    Terminal(crossterm::event::Event),
    /// A new picture of the host.
    Snapshot(Arc<Snapshot>),
    /// A second has passed, or many: milliseconds since 1970.
    Tick(i64),
    /// Something asked for is done.
    Notice(Notice),
}

/// What comes back from what was asked for.
#[derive(Clone, Debug)]
pub enum Notice {
    /// A line to show once.
    Line(String),
    /// A text to show alone.
    Text(String),
    /// A device's own address space.
    Space(Box<Space>),
    /// What happened, for the timeline.
    Events(Vec<model::Event>),
    /// What the past says of the pools.
    Trends(Arc<Trends>),
    /// Something about a change.
    Desk(News),
}

/// What the screen asks of the rest of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Look at the host again now.
    LookAgain,
    /// Read from now on who uses which data block.
    ReadMappings,
    /// Read them once through a metadata snapshot that is reserved for it, which writes to the pool.
    ReadReserved,
    /// Stop that, where it takes long.
    StopMappings,
    /// Who uses a data block, and where it lies; the answer comes as a notice of some lines.
    Block {
        /// The pool's device-mapper name.
        pool: String,
        /// The data block.
        block: u64,
    },
    /// A device's own address space, or how it differs from another's.
    Space {
        /// The pool's device-mapper name.
        pool: String,
        /// The device.
        id: ThinId,
        /// The other.
        other: Option<ThinId>,
    },
    /// Record the host into a file; the answer comes as a notice.
    Capture,
    /// Something about a change; the answers come as notices.
    Desk(Order),
}

/// What is to be done after an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The rest of the program is asked.
    Ask(Request),
    /// A text goes to the clipboard of the person's terminal.
    Copy(String),
    /// The screen is drawn anew from nothing.
    Redraw,
    /// The program is suspended, as the shell's job.
    Suspend,
    /// The program ends.
    Quit,
}
