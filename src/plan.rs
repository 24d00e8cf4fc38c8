//! From a wish to a plan or a refusal: which steps, in which order, what holds before and after
//! each, how each is undone.
//!
//! Pure: a plan is made from the topology and from what [`wants`] asks for beside it
//! ([`Around`]), and does nothing. Knows no host.

pub mod action;
mod activate;
pub mod agreed;
pub mod around;
pub mod beneath;
pub mod check;
pub mod document;
mod find;
mod grow;
mod predict;
pub mod recall;
mod rescue;
pub mod script;
mod shape;
pub mod sizing;
#[cfg(test)]
pub(crate) mod tests;
pub mod unit;

use serde::{Deserialize, Serialize};

pub use action::{Action, Danger, Undo};
pub use around::{Around, DeviceSeen, Want};
pub use check::{Check, Verdict};
pub use grow::device::is_possible as may_join;
pub use grow::may_grow;

use crate::intent::Intent;
use crate::model::{PoolIx, Topology};

/// The version of saved plans that this program writes and reads.
pub const FORMAT: u32 = 1;

/// What was decided to do, complete: it is shown, consented to, saved, run and looked back at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of this document.
    pub format: u32,
    /// Unique on its host.
    pub id: String,
    /// The wish.
    pub intent: Intent,
    /// What it was made from.
    pub basis: Basis,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What a person should know and need not agree to.
    pub warnings: Vec<String>,
    /// What to do after it, by hand.
    pub next: Vec<String>,
    /// What must be agreed to.
    pub consents: Vec<Consent>,
}

/// What a plan was made from. It fits a host only while all of this holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// The host's name.
    pub host: String,
    /// When it was looked at, seconds since 1970.
    pub time: i64,
    /// The program's version.
    pub version: String,
    /// The names that the pool or what else is changed goes by.
    pub names: Vec<String>,
    /// The identity of what is changed: uuids and device numbers, by name.
    pub identity: Vec<(String, String)>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// Why.
    pub why: String,
    /// What must hold right before it.
    pub before: Vec<Check>,
    /// What holds when it is done, and not before it.
    pub after: Vec<Check>,
}

/// Something that a person must agree to, by a word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The words, any of which agrees.
    pub words: Vec<String>,
    /// What is agreed to.
    pub to: String,
    /// How much it takes.
    pub danger: Danger,
}

/// Why a wish is not turned into a plan. Nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refusal {
    /// The fact, then the cause, then what can be done.
    pub why: String,
    /// What was named is not there: the wish was mistyped rather than refused.
    pub mistyped: bool,
}

impl Refusal {
    /// From its words.
    pub fn new(why: impl Into<String>) -> Self {
        Self { why: why.into(), mistyped: false }
    }

    /// Of a name that names nothing.
    fn unknown(why: impl Into<String>) -> Self {
        Self { why: why.into(), mistyped: true }
    }
}

/// What comes of a wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Planned {
    /// Steps.
    Plan(Box<Plan>),
    /// It is so already.
    Nothing {
        /// What is so.
        why: String,
    },
}

/// Who plans, when and where: what no topology says.
#[derive(Clone, Debug, Default)]
pub struct Occasion {
    /// A new plan's id.
    pub id: String,
    /// The host's name.
    pub host: String,
    /// Seconds since 1970.
    pub time: i64,
}

/// What must be looked at beside the topology before a plan can be made.
pub fn wants(intent: &Intent, topology: &Topology) -> Vec<Want> {
    match intent {
        Intent::Grow(wish) => grow::wants(wish, topology),
        Intent::GrowVolume(_) => Vec::new(),
        Intent::Activate(wish) => activate::wants(wish, topology),
    }
}

/// Makes a plan.
pub fn plan(
    intent: &Intent,
    topology: &Topology,
    around: &Around,
    occasion: &Occasion,
) -> Result<Planned, Refusal> {
    match intent {
        Intent::Grow(wish) => grow::plan(wish, topology, around),
        Intent::GrowVolume(wish) => grow::volume::plan(wish, topology),
        Intent::Activate(wish) => activate::plan(wish, topology, around),
    }
    .map(|draft| draft.finish(intent, topology, occasion))
}

/// What must be looked at before what is suspended of a pool, volume or group can be brought back.
pub fn rescue_wants(topology: &Topology, name: &str) -> Vec<Want> {
    rescue::wants_of(topology, name)
}

/// Whether it was seen what is suspended: only device-mapper tells.
pub fn tells_suspended(topology: &Topology) -> bool {
    find::is_dm_seen(topology)
}

/// Whether an action was cut off between suspending a device and resuming it on its new table.
pub fn is_cut_off(action: &Action, topology: &Topology) -> bool {
    rescue::is_cut_off(action, topology)
}

/// What an action that was cut off has left in its device's inactive slot, in words.
pub fn left_over(action: &Action, topology: &Topology) -> Option<String> {
    rescue::left_over(action, topology)
}

/// The steps that bring a pool, volume or group back from what something that died left of it; `None`
/// where nothing needs that.
pub fn rescue(
    topology: &Topology,
    name: &str,
    around: &Around,
) -> Result<Option<Vec<Step>>, Refusal> {
    Ok(rescue::plan_of(topology, name, around)?.map(|draft| draft.steps))
}

/// A plan without what is the same in all.
#[derive(Debug, Default)]
struct Draft {
    steps: Vec<Step>,
    warnings: Vec<String>,
    next: Vec<String>,
    /// Devices whose content is lost: the path, and the device in words with what it holds.
    destroys: Vec<(String, String)>,
    /// What it is about.
    names: Vec<String>,
    identity: Vec<(String, String)>,
    /// Nothing is to be done, because this is so.
    already: Option<String>,
}

impl Draft {
    fn already(why: impl Into<String>) -> Self {
        Self { already: Some(why.into()), ..Self::default() }
    }

    /// A draft about a pool.
    fn about(topology: &Topology, pool: PoolIx) -> Self {
        let (names, identity) = find::identity(topology, pool);
        Self { names, identity, ..Self::default() }
    }

    fn push(&mut self, action: Action, why: impl Into<String>, checks: (Vec<Check>, Vec<Check>)) {
        let (before, after) = checks;
        self.steps.push(Step { action, why: why.into(), before, after });
    }

    fn finish(self, intent: &Intent, topology: &Topology, occasion: &Occasion) -> Planned {
        let _ = topology;
        if let Some(why) = self.already {
            return Planned::Nothing { why };
        }
        let danger = self.steps.iter().map(|step| step.action.danger()).max();
        let mut consents: Vec<Consent> = (self.destroys.into_iter())
            .map(|(device, lost)| Consent {
                to: lost,
                words: vec![device],
                danger: Danger::Destroys,
            })
            .collect();
        let change = Danger::HardToUndo.min(danger.unwrap_or(Danger::Reversible));
        consents.push(Consent {
            words: self.names.clone(),
            to: format!(
                "{} step{}",
                self.steps.len(),
                if self.steps.len() == 1 { "" } else { "s" }
            ),
            danger: change,
        });
        Planned::Plan(Box::new(Plan {
            format: FORMAT,
            id: occasion.id.clone(),
            intent: intent.clone(),
            basis: Basis {
                host: occasion.host.clone(),
                time: occasion.time,
                version: env!("CARGO_PKG_VERSION").to_owned(),
                names: self.names,
                identity: self.identity,
            },
            steps: self.steps,
            warnings: self.warnings,
            next: self.next,
            consents,
        }))
    }
}

impl Plan {
    /// The topology after all steps, as far as it can be told beforehand.
    pub fn predict(&self, topology: &Topology) -> Topology {
        let mut after = topology.clone();
        self.steps.iter().for_each(|step| step.action.predict(&mut after));
        after
    }

    /// Why this plan does not fit a host as it is now; `None` when it does.
    pub fn misfit(&self, host: &str, topology: &Topology) -> Option<String> {
        self.of_another_host(host)
            .or_else(|| self.of_another_version().map(|why| format!("{why}: make a new one")))
            .or_else(|| self.about_another(topology))
    }

    /// The host that it was made for, where that is another one.
    pub fn of_another_host(&self, host: &str) -> Option<String> {
        let made_for = &self.basis.host;
        (made_for != host).then(|| {
            format!(
                "the plan was made for host {made_for}, and this is {host}: make a new one here"
            )
        })
    }

    /// The version that it was made by, where that is another one.
    pub fn of_another_version(&self) -> Option<String> {
        let (made_by, this) = (&self.basis.version, env!("CARGO_PKG_VERSION"));
        (made_by != this)
            .then(|| format!("the plan was made by version {made_by}, and this is {this}"))
    }

    /// What of it is not there any more, or is another one by now.
    pub fn about_another(&self, topology: &Topology) -> Option<String> {
        // what only LVM could tell of is not gone when LVM told nothing
        let told = |name: &str| !name.contains('/') || find::is_lvm_seen(topology);
        let mut identity = self.basis.identity.iter().filter(|(name, _)| told(name));
        identity.find_map(|(name, was)| {
            let is = find::identity_of(topology, name);
            (is.as_deref() != Some(was)).then(|| match is {
                Some(is) => format!("{name} is another one now: {is}, not {was}; make a new plan"),
                None => format!("{name} is not there any more; make a new plan"),
            })
        })
    }
}
