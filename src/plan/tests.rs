//! Plans and refusals for recorded hosts of the lab, and for the same hosts in trouble.

mod activate;
mod agreed;
mod beneath;
mod cause;
mod grow;
pub(crate) mod hosts;
mod lag;
mod properties;
mod recalled;
mod rescue;
mod shapes;

use crate::demo;
use crate::ids::DevNo;
use crate::intent::{Activate, Amount, Grow, Intent, Typed};
use crate::model::{Pool, PoolState, PoolStatus, Topology};
use crate::plan::{Around, DeviceSeen, Occasion, Plan, Planned, Refusal, plan};
use crate::probe::LookOptions;
use crate::survey::{LookPlan, Place, look_once};
use crate::sys::Source;
use crate::units::Bytes;

/// A recorded host.
pub(crate) fn recorded(name: &str) -> Topology {
    recorded_in(name, &Source::ALL)
}

/// A recorded host, as some of its sources show it.
fn recorded_in(name: &str, sources: &[Source]) -> Topology {
    let demo = demo::find(Some(name)).expect("it is built in");
    let place = Place::Demo { name: demo.name, bytes: demo.recording };
    let options = LookOptions::default();
    let look = LookPlan { sources: sources.to_vec(), ..LookPlan::new(place, options) };
    let looked = look_once(&look).expect("a recording can be read");
    (*looked.snapshot.topology).clone()
}

/// The only pool's status, to be changed.
pub(crate) fn status_mut(topology: &mut Topology) -> &mut PoolStatus {
    match &mut pool_mut(topology).state {
        PoolState::Active(status) => status,
        other => panic!("the recorded pool is active, not {other:?}"),
    }
}

/// The only pool, to be changed.
pub(crate) fn pool_mut(topology: &mut Topology) -> &mut Pool {
    topology.pools.first_mut().expect("the recorded host has a pool")
}

pub(crate) fn occasion() -> Occasion {
    Occasion { id: "1".to_owned(), host: "lab".to_owned(), time: 0 }
}

/// What is around the recorded hosts: empty disks, room under files, `thin_check`.
pub(crate) fn around() -> Around {
    let mut around = Around::default();
    for (path, minor) in [("/dev/vdc", 32), ("/dev/vdd", 48)] {
        let seen =
            DeviceSeen { number: Some(DevNo::new(254, minor)), signatures: Some(Ok(Vec::new())) };
        around.devices.insert(path.to_owned(), seen);
    }
    around.files.insert("/usr/sbin/thin_check".to_owned(), true);
    around
}

pub(crate) fn grow(data: Option<&str>, metadata: Option<&str>, add: &[&str]) -> Intent {
    let amount = |text: &str| Amount::parse(text).expect("an amount");
    Intent::Grow(Grow {
        pool: None,
        data: data.map(amount),
        metadata: metadata.map(amount),
        add_pvs: add.iter().map(|path| (*path).to_owned()).collect(),
        typed: Typed { data: data.map(str::to_owned), metadata: metadata.map(str::to_owned) },
    })
}

pub(crate) fn activate(target: Option<&str>) -> Intent {
    let target = target.map(str::to_owned);
    Intent::Activate(Activate { target, ..Activate::default() })
}

pub(crate) fn planned(intent: &Intent, topology: &Topology) -> Result<Planned, Refusal> {
    plan(intent, topology, &around(), &occasion())
}

/// The plan, where there must be one.
pub(crate) fn must_plan(intent: &Intent, topology: &Topology) -> Plan {
    match planned(intent, topology) {
        Ok(Planned::Plan(plan)) => *plan,
        other => panic!("{intent} is planned, not {other:?}"),
    }
}

/// The refusal, where there must be one.
pub(crate) fn must_refuse(intent: &Intent, topology: &Topology) -> String {
    match planned(intent, topology) {
        Err(refusal) => refusal.why,
        other => panic!("{intent} is refused, not {other:?}"),
    }
}

/// All commands of a plan, a line each.
pub(crate) fn commands(plan: &Plan) -> Vec<String> {
    let all = plan.steps.iter().flat_map(|step| step.action.commands());
    all.map(|argv| super::script::line(&argv)).collect()
}

/// The pool's room: data and metadata as the kernel has them.
pub(crate) fn totals(topology: &Topology) -> (Bytes, Bytes) {
    let pool = topology.pools.first().expect("a pool");
    let PoolState::Active(status) = &pool.state else { panic!("an active pool") };
    let block = pool.block_size.expect("its block size");
    (status.data.total.bytes(block), status.metadata.total.bytes())
}
