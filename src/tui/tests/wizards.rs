//! The wizards by keys: from what is selected to what came of it. Whoever looks and runs is
//! played here.

mod ask;
mod review;
mod run;

use std::time::Duration;

use super::Stage;
use crate::exec::desk::{News, Order, Ready, Report};
use crate::exec::{Ending, Told};
use crate::ids::DevNo;
use crate::model::{Kind, NodeIx, PoolState};
use crate::plan::{Around, DeviceSeen, Plan};
use crate::tui::action::Context;
use crate::tui::event::{Effect, Event, Notice, Request};
use crate::tui::testing::{GIB, Host, web_3};

/// The example host with two disks that nothing uses: an empty one, and one that holds a
/// filesystem.
fn host() -> Host {
    let mut host = web_3();
    for name in ["xvdh", "xvdi"] {
        host.node(Kind::Disk, name, &[], 50 * GIB);
    }
    host
}

fn number(host: &Host, name: &str) -> DevNo {
    let node = host.nodes.iter().find(|node| node.name.as_str() == name);
    node.and_then(|node| node.device).expect("the disk has a number")
}

/// What whoever looks would see on that host.
fn around(host: &Host) -> Around {
    let mut around = Around::default();
    for (name, holds) in [("xvdh", vec![]), ("xvdi", vec!["ext4 (label backup)".to_owned()])] {
        let number = Some(number(host, name));
        let seen = DeviceSeen { number, signatures: Some(Ok(holds)) };
        around.devices.insert(format!("/dev/{name}"), seen);
    }
    around.files.insert("/usr/sbin/thin_check".to_owned(), true);
    around
}

/// A screen with somebody behind it who looks.
struct Desk {
    stage: Stage,
    around: Around,
    forbidden: Option<&'static str>,
    unfinished: Vec<(String, String)>,
    answered: usize,
}

impl Desk {
    fn new(host: Host, size: (u16, u16)) -> Self {
        let around = around(&host);
        let stage = Stage::of(host.snapshot(), size.0, size.1);
        Self { stage, around, forbidden: None, unfinished: Vec::new(), answered: 0 }
    }

    /// A host without disks that could join.
    fn new_bare(host: Host) -> Self {
        let stage = Stage::of(host.snapshot(), 80, 24);
        let around = Around::default();
        Self { stage, around, forbidden: None, unfinished: Vec::new(), answered: 0 }
    }

    /// Presses keys, with every question answered as soon as it is asked.
    fn press(&mut self, keys: &str) -> &mut Self {
        let mut rest = keys;
        while !rest.is_empty() {
            let end = if rest.starts_with('<') { rest.find('>').map_or(1, |at| at + 1) } else { 1 };
            self.stage.press(&rest[..end]);
            self.answer();
            rest = &rest[end..];
        }
        self
    }

    fn answer(&mut self) {
        let asked: Vec<u32> = self
            .orders()
            .filter_map(|order| match order {
                Order::Prepare { ask, .. } => Some(*ask),
                _ => None,
            })
            .collect();
        for ask in asked.iter().skip(self.answered) {
            let ready = Ready {
                ask: *ask,
                around: self.around.clone(),
                forbidden: self.forbidden.map(str::to_owned),
                unfinished: self.unfinished.clone(),
            };
            self.stage.hear(News::Ready(Box::new(ready)));
        }
        self.answered = asked.len();
    }

    fn orders(&self) -> impl Iterator<Item = &Order> {
        self.stage.effects.iter().filter_map(|effect| match effect {
            Effect::Ask(Request::Desk(order)) => Some(order),
            _ => None,
        })
    }

    /// The plan that was ordered to run, if any.
    fn ordered(&self) -> Option<&Plan> {
        self.orders().find_map(|order| match order {
            Order::Run(plan) => Some(&**plan),
            _ => None,
        })
    }

    fn told(&mut self, told: Told) -> &mut Self {
        self.stage.hear(News::Told(told));
        self
    }

    fn ends(&mut self, ending: Ending) -> &mut Self {
        let report = Report {
            id: Some("20261126-1-grow".to_owned()),
            ending: Ok(ending),
            took: Duration::from_millis(3210),
        };
        self.stage.hear(News::Ended(Box::new(report)));
        self
    }

    fn shows(&self, text: &str) -> bool {
        self.stage.shows(text)
    }

    #[track_caller]
    fn must_show(&self, text: &str) {
        assert!(self.shows(text), "{text:?} is not on the screen:\n{}", self.stage.text());
    }

    #[track_caller]
    fn must_not_show(&self, text: &str) {
        assert!(!self.shows(text), "{text:?} is on the screen:\n{}", self.stage.text());
    }
}

impl Stage {
    fn hear(&mut self, news: News) {
        let effects = self.app.update(Event::Notice(Notice::Desk(news)));
        self.effects.extend(effects);
    }
}

/// A screen where a key of wizards means something.
pub(super) fn stage_in(context: Context) -> Stage {
    let mut desk = Desk::new(host(), (80, 24));
    desk.press("]w<home><enter>");
    desk.press(if context.has(Context::ASK) {
        "<down><down>"
    } else if context.has(Context::REVIEW) {
        "<up><enter>"
    } else {
        "<up><enter><tab>docker-thinpool<enter><enter>"
    });
    desk.stage.effects.clear();
    desk.stage.app.drawn();
    desk.stage
}

/// All commands of a plan, a line each.
fn commands(plan: &Plan) -> Vec<String> {
    let argv = plan.steps.iter().flat_map(|step| step.action.commands());
    argv.map(|argv| argv.join(" ")).collect()
}

/// The pool is in LVM and not in the kernel.
fn put_away(host: &mut Host) {
    let pool = &mut host.pools[0];
    pool.state = PoolState::Inactive;
    let parts = [Some(pool.node), pool.data, pool.metadata];
    parts.into_iter().flatten().for_each(|at| host.at(at).device = None);
}

/// The node of a name.
fn node(host: &Host, name: &str) -> NodeIx {
    let at = host.nodes.iter().position(|node| node.name.as_str() == name);
    NodeIx(u32::try_from(at.expect("it is there")).expect("a test has few nodes"))
}
