//! The wizards: a few questions become a plan, the plan is reviewed and agreed to, its run is
//! watched, and what came of it is told.
//!
//! ```text
//! offer ─▶ ask ─▶ review ─▶ run ─▶ done
//!           ▲       │ ▲
//!           └───────┘ └── dry run, on predictions
//! ```
//!
//! Plans are made here, for making one is pure. Looking at disks and running are asked for by
//! [`Order`](crate::exec::desk::Order), and what comes of it is heard as
//! [`News`](crate::exec::desk::News): nothing here touches a host.

pub(crate) mod course;
pub(crate) mod form;
pub(crate) mod gains;
pub(crate) mod grow;
pub(crate) mod offer;
pub(crate) mod review;
pub(crate) mod trees;

use crate::exec::desk::Ready;
use crate::intent::Intent;
use crate::model::{Origin, Snapshot};
use crate::plan::{self, Around, Occasion, Planned, Refusal};

use course::Course;
use form::Form;
use grow::Rooms;
use offer::Kind;
use review::Review;

/// Where a wizard stands.
#[derive(Debug)]
pub(crate) enum Stage {
    /// It asks.
    Ask,
    /// The plan is looked at and agreed to.
    Review(Box<Review>),
    /// It runs, or has ended.
    Course(Box<Course>),
}

/// A wizard.
#[derive(Debug)]
pub(crate) struct Wizard {
    /// Which.
    pub(crate) kind: Kind,
    /// The pool, volume or group, as a plan names it.
    pub(crate) target: String,
    /// Where it stands.
    pub(crate) stage: Stage,
    /// Its questions.
    pub(crate) form: Form,
    /// What was seen beside the topology, once it was.
    pub(crate) ready: Option<Box<Ready>>,
    /// The number of the newest question to whoever looks.
    pub(crate) ask: u32,
    /// The person wants to go on, which waits for a fresh look.
    pub(crate) wants_review: bool,
    /// What comes of what was typed so far.
    pub(crate) outcome: Option<Result<Planned, Refusal>>,
}

impl Wizard {
    /// One that begins.
    pub(crate) fn new(kind: Kind, target: String, snapshot: &Snapshot, ask: u32) -> Self {
        let form = form::form(kind, &target, &snapshot.topology);
        // what asks nothing goes on as soon as it knows enough
        let wants_review = form.fields.is_empty();
        let (stage, ready, outcome) = (Stage::Ask, None, None);
        Self { kind, target, stage, form, ready, ask, wants_review, outcome }
    }

    /// The wish as it is typed now.
    pub(crate) fn intent(&self) -> Result<Intent, Refusal> {
        self.form.intent(self.kind, &self.target)
    }

    /// All that a plan could want to know, whatever is typed.
    pub(crate) fn wants(&self, snapshot: &Snapshot) -> Vec<plan::Want> {
        let widest = self.form.widest(self.kind, &self.target);
        plan::wants(&widest, &snapshot.topology)
    }

    /// What was seen beside the topology. Of a recorded host nothing was; there every disk that
    /// could be taken is rehearsed with as if it were empty, which the review says.
    fn around(&self, snapshot: &Snapshot) -> Around {
        let mut around = self.ready.as_ref().map(|ready| ready.around.clone()).unwrap_or_default();
        if is_recorded(snapshot) {
            self.form.devices().for_each(|device| {
                around.devices.insert(device.path.clone(), device.as_empty());
            });
        }
        around
    }

    /// Makes the plan of a wish.
    pub(crate) fn plan(&self, intent: &Intent, snapshot: &Snapshot) -> Result<Planned, Refusal> {
        let occasion = Occasion {
            id: String::new(),
            host: snapshot.host.name.to_string(),
            time: snapshot.host.time,
        };
        plan::plan(intent, &snapshot.topology, &self.around(snapshot), &occasion)
    }

    /// Looks at what is typed: what comes of it, and which field is wrong.
    pub(crate) fn judge(&mut self, snapshot: &Snapshot) {
        if self.ready.is_none() {
            return;
        }
        let around = self.around(snapshot);
        let rooms = Rooms::new(&self.target, &snapshot.topology, &around);
        self.form.look(&around, (&rooms, is_recorded(snapshot)));
        self.form.suggest(self.kind, &self.target, &snapshot.topology, &rooms);
        self.form.forget_wrongs();
        let whole = match self.intent() {
            Ok(intent) => self.plan(&intent, snapshot),
            Err(refusal) => Err(refusal),
        };
        if whole.is_err() {
            self.blame(snapshot);
        }
        self.outcome = Some(whole);
    }

    /// Says at each field what is wrong with it alone.
    fn blame(&mut self, snapshot: &Snapshot) {
        for (at, wish) in self.form.alone(&self.target) {
            let wrong = match wish {
                Ok(intent) => self.plan(&intent, snapshot).err().map(|refusal| refusal.why),
                Err(why) => Some(why),
            };
            self.form.set_wrong(at, wrong);
        }
    }

    /// Why nothing may run here.
    pub(crate) fn forbidden(&self) -> Option<&str> {
        self.ready.as_ref()?.forbidden.as_deref()
    }

    /// Whether a run is under way: then nothing may take the wizard away.
    pub(crate) fn runs(&self) -> bool {
        matches!(&self.stage, Stage::Course(course) if course.runs())
    }
}

/// Whether a picture is of a recorded host.
pub(crate) fn is_recorded(snapshot: &Snapshot) -> bool {
    matches!(snapshot.origin, Origin::Recorded { .. })
}

/// What the planner says in the command line's words, in the screen's.
pub(crate) fn on_screen(why: &str) -> String {
    let words = [
        (" with --add-pv", " from the list below"),
        ("--metadata", "metadata"),
        ("--data", "data"),
        ("--add-pv", "a disk"),
    ];
    words.iter().fold(why.to_owned(), |why, (typed, shown)| why.replace(typed, shown))
}
