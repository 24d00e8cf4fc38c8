//! Something that happened, for the timeline.

use serde::Serialize;

use super::finding::Severity;
use crate::ids::NodeId;
use crate::text::Printable;

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// The watch begins; what is there already.
    Begin,
    /// The watch ends by itself.
    End,
    /// A pool came, went, or has another size.
    Pool,
    /// A pool's data or metadata filled or emptied.
    Fill,
    /// A pool has another mode.
    Mode,
    /// A pool or device was suspended or resumed.
    Suspend,
    /// LVM's monitor watches a pool, or not any more; a pool has another profile.
    Monitor,
    /// Free data fell to the low water mark.
    LowWater,
    /// The kernel raised an event of a pool that nothing else here explains.
    DmEvent,
    /// A thin device grew.
    Growth,
    /// A volume came or went.
    Volume,
    /// A container came, went, or has another state.
    Container,
    /// An image came or went.
    Image,
    /// An engine's daemon came or went, or what it has not finished changed.
    Engine,
    /// A finding came.
    Finding,
    /// A finding went.
    FindingGone,
    /// Something cannot be seen any more.
    Gap,
    /// It can be seen again.
    GapGone,
    /// A run of thinscope's own came further, by its journal.
    Journal,
    /// LVM's monitor wrote to the journal.
    Lvm,
    /// The kernel wrote to its log.
    Kernel,
    /// More happened than is told.
    Missed,
}

impl EventKind {
    /// The word in JSON, in lines and on screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::End => "end",
            Self::Pool => "pool",
            Self::Fill => "fill",
            Self::Mode => "mode",
            Self::Suspend => "suspend",
            Self::Monitor => "monitor",
            Self::LowWater => "low-water",
            Self::DmEvent => "dm-event",
            Self::Growth => "growth",
            Self::Volume => "volume",
            Self::Container => "container",
            Self::Image => "image",
            Self::Engine => "engine",
            Self::Finding => "finding",
            Self::FindingGone => "finding-gone",
            Self::Gap => "gap",
            Self::GapGone => "gap-gone",
            Self::Journal => "journal",
            Self::Lvm => "lvm",
            Self::Kernel => "kernel",
            Self::Missed => "missed",
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Milliseconds since 1970 when it was noticed.
    pub time_ms: i64,
    /// What kind.
    pub kind: EventKind,
    /// What it happened to, as printed elsewhere.
    pub subject: Printable,
    /// What happened, in a sentence.
    pub text: Printable,
    /// The node of the tree that it happened to, where there is one.
    pub node: Option<NodeId>,
    /// How grave, where that is known.
    pub severity: Option<Severity>,
}
