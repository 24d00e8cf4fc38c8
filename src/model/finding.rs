//! Findings (looked, and something is wrong) and gaps (could not look): two different things.

use serde::Serialize;

use crate::ids::NodeId;
use crate::text::Printable;

/// How grave a finding is. Ordered: the gravest is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Works, could be better.
    Advice,
    /// Will hurt if nothing is done.
    Warning,
    /// Hurts now.
    Critical,
}

/// The wizard that a finding leads to, where its page names one for each of several causes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cure {
    /// The one that its page names first.
    #[default]
    AsItsPage,
    /// More data.
    GrowData,
    /// More metadata.
    GrowMetadata,
    /// A disk for the volume group.
    GrowDisk,
    /// Bringing back what is not there.
    Activate,
    /// None: what is to be done is done by hand.
    ByHand,
}

/// Something wrong that was seen.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// Stable kebab-case code; `explain CODE` has its page.
    pub code: &'static str,
    /// How grave.
    pub severity: Severity,
    /// The device or file it is about, as printed elsewhere.
    pub subject: Printable,
    /// The node of the tree it is about, where there is one.
    pub node: Option<NodeId>,
    /// One sentence.
    pub summary: String,
    /// What was seen, raw lines included.
    pub evidence: Vec<String>,
    /// What to do.
    pub remedy: String,
    /// Which wizard does it; for the screen, documents have the remedy.
    #[serde(skip)]
    pub cure: Cure,
}

/// Something that could not be seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Gap {
    /// The source, or the thing within it: `lvm`, `docker`, `dm 253:7`.
    pub source: Printable,
    /// Why, and what can be done.
    pub why: Printable,
}

impl Gap {
    /// A gap; both texts are made printable.
    pub fn new(source: impl AsRef<str>, why: impl AsRef<str>) -> Self {
        Self { source: source.as_ref().into(), why: why.as_ref().into() }
    }
}
