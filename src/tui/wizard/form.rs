//! The questions of a wizard: what is typed or taken, what is wrong with it, and the wish it makes.
//!
//! Knows nothing of how it is drawn.

use super::grow::{self, Rooms};
use super::offer::Kind;
use crate::ids::DevNo;
use crate::intent::{Activate, Amount, Grow, GrowVolume, Intent};
use crate::model::{NodeIx, Pool, Topology};
use crate::plan::{Around, DeviceSeen, Refusal, unit};
use crate::tui::edit::Edit;

/// What is said of a disk of a recorded host.
pub(crate) const NOT_RECORDED: &str = "what lies on it was not recorded";

/// Which amount a field asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A pool's data.
    Data,
    /// A pool's metadata.
    Metadata,
    /// A volume's size.
    Size,
}

/// A size to be typed.
#[derive(Clone, Debug)]
pub(crate) struct AmountField {
    /// Of what.
    pub(crate) part: Part,
    /// What is typed.
    pub(crate) edit: Edit,
    /// A person typed into it: no suggestion overwrites that.
    pub(crate) touched: bool,
    /// What is there now, in words.
    pub(crate) now: String,
    /// What room there is below, in words, once that was seen.
    pub(crate) room: String,
    /// What is wrong with it.
    pub(crate) wrong: Option<String>,
}

/// A device that may be taken.
#[derive(Clone, Debug)]
pub(crate) struct DeviceField {
    /// Its path, as a command names it.
    pub(crate) path: String,
    /// Its node when the wizard began.
    pub(crate) node: NodeIx,
    /// Its number.
    pub(crate) number: Option<DevNo>,
    /// Size, model, serial.
    pub(crate) about: String,
    /// What lies on it, in words; empty while it is not known.
    pub(crate) holds: String,
    /// It is taken.
    pub(crate) taken: bool,
    /// Why it cannot be.
    pub(crate) wrong: Option<String>,
}

impl DeviceField {
    /// As if nothing lay on it, for a rehearsal on a recorded host.
    pub(crate) fn as_empty(&self) -> DeviceSeen {
        DeviceSeen { number: self.number, signatures: Some(Ok(Vec::new())) }
    }
}

/// A question with yes or no for an answer.
#[derive(Clone, Debug)]
pub(crate) struct ChoiceField {
    /// What is asked.
    pub(crate) question: &'static str,
    /// What yes means, in more words.
    pub(crate) about: &'static str,
    /// The answer.
    pub(crate) yes: bool,
}

/// One question.
#[derive(Clone, Debug)]
pub(crate) enum Field {
    /// Yes or no.
    Choice(ChoiceField),
    /// How much.
    Amount(AmountField),
    /// Whether a device joins.
    Device(DeviceField),
}

/// All questions, and where the person is in them: behind the last there is the way on.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    /// In the order of the screen.
    pub(crate) fields: Vec<Field>,
    /// Which one has the keys.
    pub(crate) focus: usize,
}

/// The questions of a kind about a target.
pub(crate) fn form(kind: Kind, target: &str, topology: &Topology) -> Form {
    match kind {
        Kind::Activate => activate_form(target, topology),
        Kind::GrowVolume => grow::volume_form(target, topology),
        Kind::GrowData | Kind::GrowMetadata | Kind::GrowDisk => {
            grow::pool_form(kind, target, topology)
        }
    }
}

/// What is asked before a pool is brought back: nothing of one that LVM owns, or that has a unit.
fn activate_form(target: &str, topology: &Topology) -> Form {
    let pool = topology.find_pool(Some(target)).map(|ix| topology.pool(ix));
    let asks = |pool: &Pool| unit::is_for(pool) && !unit::is_kept(topology, pool);
    if topology.host.units.is_none() || !pool.is_some_and(asks) {
        return Form::default();
    }
    let field = ChoiceField {
        question: "make it again at every boot",
        about: "nothing else does: a unit of systemd is written that makes this pool",
        yes: false,
    };
    Form { fields: vec![Field::Choice(field)], focus: 0 }
}

impl Form {
    /// The devices among the fields.
    pub(crate) fn devices(&self) -> impl Iterator<Item = &DeviceField> {
        self.fields.iter().filter_map(|field| match field {
            Field::Device(device) => Some(device),
            Field::Amount(_) | Field::Choice(_) => None,
        })
    }

    fn devices_mut(&mut self) -> impl Iterator<Item = &mut DeviceField> {
        self.fields.iter_mut().filter_map(|field| match field {
            Field::Device(device) => Some(device),
            Field::Amount(_) | Field::Choice(_) => None,
        })
    }

    fn amounts(&self) -> impl Iterator<Item = (usize, &AmountField)> {
        self.fields.iter().enumerate().filter_map(|(at, field)| match field {
            Field::Amount(amount) => Some((at, amount)),
            Field::Device(_) | Field::Choice(_) => None,
        })
    }

    fn taken(&self) -> Vec<String> {
        self.devices().filter(|device| device.taken).map(|device| device.path.clone()).collect()
    }

    /// Whether all that is free means anything: there is a volume group to be free in.
    pub(crate) fn has_group(&self) -> bool {
        self.fields.iter().any(|field| match field {
            Field::Amount(field) => field.now.contains(" free"),
            Field::Device(_) => true,
            Field::Choice(_) => false,
        })
    }

    /// Whether the way on has the keys.
    pub(crate) fn at_end(&self) -> bool {
        self.focus >= self.fields.len()
    }

    /// To the next question, or the one before.
    pub(crate) fn step(&mut self, back: bool) {
        let count = self.fields.len() + 1;
        self.focus = if back { self.focus + count - 1 } else { self.focus + 1 } % count;
    }

    /// Takes or leaves the device that has the keys, or answers the other way; whether it is such a
    /// question.
    pub(crate) fn toggle(&mut self) -> bool {
        match self.fields.get_mut(self.focus) {
            Some(Field::Device(device)) => device.taken = !device.taken,
            Some(Field::Choice(choice)) => choice.yes = !choice.yes,
            Some(Field::Amount(_)) | None => return false,
        }
        true
    }

    /// Whether any question was answered with yes.
    fn says_yes(&self) -> bool {
        self.fields.iter().any(|field| matches!(field, Field::Choice(choice) if choice.yes))
    }

    /// Reads what lies on the devices.
    pub(super) fn look(&mut self, around: &Around, (rooms, recorded): (&Rooms, bool)) {
        for field in &mut self.fields {
            if let Field::Amount(field) = field {
                field.room = rooms.of(field.part).map(grow::room).unwrap_or_default();
            }
        }
        for device in self.devices_mut() {
            device.holds = if recorded {
                NOT_RECORDED.to_owned()
            } else {
                grow::holds(around.devices.get(&device.path))
            };
        }
    }

    /// Fills in what nobody typed.
    pub(super) fn suggest(&mut self, kind: Kind, target: &str, topology: &Topology, rooms: &Rooms) {
        let taken: Vec<NodeIx> =
            self.devices().filter(|device| device.taken).map(|device| device.node).collect();
        for field in &mut self.fields {
            let Field::Amount(field) = field else { continue };
            if !field.touched {
                let text = grow::suggestion((kind, field.part), target, topology, (&taken, rooms));
                field.edit = Edit::new(&text);
            }
        }
    }

    /// Forgets what was wrong.
    pub(super) fn forget_wrongs(&mut self) {
        for field in &mut self.fields {
            match field {
                Field::Amount(field) => field.wrong = None,
                Field::Device(field) => field.wrong = None,
                Field::Choice(_) => {}
            }
        }
    }

    /// Says what is wrong with a field.
    pub(super) fn set_wrong(&mut self, at: usize, why: Option<String>) {
        match self.fields.get_mut(at) {
            Some(Field::Amount(field)) => field.wrong = why,
            Some(Field::Device(field)) => field.wrong = why,
            Some(Field::Choice(_)) | None => {}
        }
    }

    /// Whether any field says what is wrong with it.
    pub(crate) fn has_wrong(&self) -> bool {
        self.fields.iter().any(|field| match field {
            Field::Amount(field) => field.wrong.is_some(),
            Field::Device(field) => field.wrong.is_some(),
            Field::Choice(_) => false,
        })
    }

    /// The wish.
    pub(super) fn intent(&self, kind: Kind, target: &str) -> Result<Intent, Refusal> {
        if kind == Kind::Activate {
            let unit = self.says_yes();
            let target = Some(target.to_owned());
            return Ok(Intent::Activate(Activate { target, unit, ..Activate::default() }));
        }
        let mut grow = Grow { pool: Some(target.to_owned()), ..Grow::default() };
        grow.add_pvs = self.taken();
        for (_, field) in self.amounts() {
            let amount = parse(field).map_err(Refusal::new)?;
            match field.part {
                Part::Data => grow.data = amount,
                Part::Metadata => grow.metadata = amount,
                Part::Size => {
                    let size = amount.ok_or_else(|| Refusal::new("say how large"))?;
                    let volume = target.to_owned();
                    return Ok(Intent::GrowVolume(GrowVolume { volume, size }));
                }
            }
        }
        Ok(Intent::Grow(grow))
    }

    /// The wish with every device in it: what it wants to know is all that can be wanted.
    pub(super) fn widest(&self, kind: Kind, target: &str) -> Intent {
        match kind {
            Kind::Activate => Intent::Activate(Activate {
                target: Some(target.to_owned()),
                unit: true,
                ..Activate::default()
            }),
            _ => Intent::Grow(Grow {
                pool: Some(target.to_owned()),
                add_pvs: self.devices().map(|device| device.path.clone()).collect(),
                ..Grow::default()
            }),
        }
    }

    /// For every field that says something, the wish of it alone (with the devices that join), or
    /// what is wrong with its very words.
    pub(super) fn alone(&self, target: &str) -> Vec<(usize, Result<Intent, String>)> {
        let pool = || Some(target.to_owned());
        let amounts = self.amounts().filter_map(|(at, field)| {
            let wish = |amount| match field.part {
                Part::Data => Intent::Grow(Grow {
                    pool: pool(),
                    data: Some(amount),
                    metadata: None,
                    add_pvs: self.taken(),
                }),
                Part::Metadata => Intent::Grow(Grow {
                    pool: pool(),
                    data: None,
                    metadata: Some(amount),
                    add_pvs: self.taken(),
                }),
                Part::Size => {
                    Intent::GrowVolume(GrowVolume { volume: target.to_owned(), size: amount })
                }
            };
            Some((at, parse(field).transpose()?.map(wish)))
        });
        let devices = self.fields.iter().enumerate().filter_map(|(at, field)| match field {
            Field::Device(device) if device.taken => {
                let add_pvs = vec![device.path.clone()];
                Some((at, Ok(Intent::Grow(Grow { pool: pool(), add_pvs, ..Grow::default() }))))
            }
            _ => None,
        });
        let devices: Vec<_> = devices.collect();
        amounts.chain(devices).collect()
    }
}

fn parse(field: &AmountField) -> Result<Option<Amount>, String> {
    let text = field.edit.text();
    let text = text.trim();
    if text.is_empty() { Ok(None) } else { Amount::parse(text).map(Some) }
}
