//! A host that is only a topology, and on which any effect, record or look can go wrong.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::exec::journal::Record;
use crate::exec::{Host, Told};
use crate::ids::DevNo;
use crate::model::{Kind, NodeIx, PoolState, Topology};
use crate::plan::{Action, Around, Want};
use crate::sys::write::Acted;

/// What goes wrong at one effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It fails and changes nothing.
    Fails,
    /// It says that it is done and changes nothing.
    Lies,
    /// It fails after its work.
    FailsAfter,
    /// It takes longer than anybody waits, and is done when everybody has left.
    Hangs,
    /// It takes longer than anybody waits, and ends without having done anything.
    HangsInVain,
    /// The machine dies before it.
    DiesBefore,
    /// The machine dies after it.
    DiesAfter,
    /// The machine dies when LVM has recorded it and the kernel has not taken it.
    DiesHalf,
    /// The machine dies within it and leaves what it changes suspended, before the work.
    DiesSuspended,
    /// The same, when LVM has committed it: what waits in the slots is meant.
    DiesCommitted,
    /// The machine dies when the new table is loaded, and nothing is suspended.
    DiesLoaded,
    /// The machine dies within it and leaves the pool suspended, on its new table.
    DiesInWindow,
    /// The machine dies when the kernel has taken a size that LVM never committed.
    DiesAhead,
}

/// Faults after which the machine is gone, and what it was about may be left in any state.
pub(super) const DEATHS: [Fault; 8] = [
    Fault::DiesBefore,
    Fault::DiesAfter,
    Fault::DiesHalf,
    Fault::DiesSuspended,
    Fault::DiesCommitted,
    Fault::DiesLoaded,
    Fault::DiesInWindow,
    Fault::DiesAhead,
];

/// How a look goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blind {
    /// There is none.
    Fails,
    /// Nobody tells of sizes, states and volumes.
    Unseen,
}

#[derive(Clone, Default)]
pub(super) struct Sim {
    pub(super) topology: Topology,
    pub(super) journal: Vec<Record>,
    /// Which effect goes wrong, and how.
    pub(super) fault: Option<(usize, Fault)>,
    /// Which look goes wrong, and how.
    pub(super) blind: Option<(usize, Blind)>,
    /// Which records cannot be kept.
    pub(super) full: Option<std::ops::Range<usize>>,
    pub(super) stop_after: Option<usize>,
    pub(super) dead: bool,
    pub(super) effects: usize,
    pub(super) looks: usize,
    /// Effects that were done when a look went wrong.
    pub(super) effects_when_blind: Option<usize>,
    /// Windows that found the device suspended on their new table, and finished.
    pub(super) windows: usize,
    /// Lines in inactive slots.
    pub(super) slots: BTreeMap<DevNo, String>,
    pub(super) asked_to_record: usize,
    /// What still runs when everybody has left.
    pub(super) pending: Option<Action>,
}

impl Sim {
    pub(super) fn new(topology: &Topology) -> Self {
        Self { topology: topology.clone(), ..Self::default() }
    }

    /// The same host later: alive, with what a crash has left on it.
    pub(super) fn later(&self) -> Self {
        let mut later = Self { slots: self.slots.clone(), ..Self::new(&self.topology) };
        if let Some(action) = &self.pending {
            later.perform(action);
        }
        later
    }

    /// Answers to what a rescue wants to know.
    pub(super) fn answers(&self, wants: &[Want]) -> Around {
        let mut around = Around::default();
        for want in wants {
            if let Want::InactiveTable(device) = want {
                let line = self.slots.get(device).map(|line| line.as_str().into());
                around.inactive.insert(*device, line.into_iter().collect());
            }
        }
        around
    }

    /// Nothing is left suspended and nothing waits in a slot.
    pub(super) fn is_at_rest(&self) -> bool {
        let mut devices = self.topology.nodes.iter().filter_map(|node| node.facts.dm.as_ref());
        !self.topology.pools.iter().any(|pool| pool.suspended)
            && !devices.any(|dm| dm.suspended || dm.inactive_table)
    }

    fn perform(&mut self, action: &Action) {
        if let Action::BringBack { devices } = action {
            for one in devices {
                self.resume(one.device, one.clear);
            }
        }
        if let Action::Reload { device, .. } = action {
            self.slots.remove(device);
        }
        action.predict(&mut self.topology);
    }

    fn resume(&mut self, device: DevNo, clear: bool) {
        let slot = self.slots.remove(&device).filter(|_| !clear);
        let at = self.topology.indices().find(|ix| self.topology.node(*ix).device == Some(device));
        let (Some(at), Some(_)) = (at, slot) else { return };
        let lv = self.topology.node(at).facts.lv.as_deref();
        if let Some(volume) = lv.map(|lv| format!("{}/{}", lv.vg, lv.name)) {
            Action::Refresh { volume }.predict(&mut self.topology);
        }
    }

    /// What is suspended while an action is done.
    fn touched(&self, action: &Action) -> Vec<NodeIx> {
        let (Action::GrowMetadata { pool: name, .. }
        | Action::GrowData { pool: name, .. }
        | Action::GrowVolume { volume: name, .. }
        | Action::GrowThin { volume: name, .. }
        | Action::Refresh { volume: name }
        | Action::Reload { name, .. }) = action
        else {
            return Vec::new();
        };
        if let Some(ix) = self.topology.find_pool(Some(name)) {
            let pool = self.topology.pool(ix);
            let parts = [pool.metadata, pool.data].into_iter().flatten();
            let owned = parts.filter(|_| pool.lv.is_some());
            return owned.chain([pool.node]).collect();
        }
        let is_it = |ix: &NodeIx| {
            let lv = self.topology.node(*ix).facts.lv.as_ref();
            lv.is_some_and(|lv| *name == format!("{}/{}", lv.vg, lv.name))
        };
        self.topology.indices().filter(is_it).collect()
    }

    /// Suspends what an action touches, with tables of the sizes that it would have in the slots.
    fn suspend(&mut self, action: &Action) {
        let mut after = self.topology.clone();
        action.predict(&mut after);
        for at in self.touched(action) {
            let then = after.node(at).facts.lv.as_ref().and_then(|lv| lv.size);
            let node = &mut self.topology.nodes[at.0 as usize];
            let (Some(device), Some(dm)) = (node.device, node.facts.dm.as_mut()) else { continue };
            (dm.suspended, dm.inactive_table) = (true, true);
            let length = then.or(node.size).expect("a size").sectors();
            self.slots.insert(device, format!("0 {} linear 8:0 0", length.get()));
            if let Some(pool) = node.facts.pool {
                self.topology.pools[pool.0 as usize].suspended = true;
            }
        }
    }

    /// Puts a line into the slot of the device that an action gives a table.
    pub(super) fn load(&mut self, action: &Action, line: &str) {
        let Action::Reload { device, .. } = action else { return };
        self.slots.insert(*device, line.to_owned());
        for node in &mut self.topology.nodes {
            if node.device == Some(*device) {
                node.facts.dm.as_mut().expect("active").inactive_table = true;
            }
        }
    }

    /// Sizes as LVM records them, and what the kernel has as it was.
    fn record_only(&mut self, action: &Action) {
        let mut after = self.topology.clone();
        action.predict(&mut after);
        for (now, was) in after.nodes.iter_mut().zip(&self.topology.nodes) {
            now.size = if was.device.is_some() { was.size } else { now.size };
        }
        after.pools.clone_from(&self.topology.pools);
        self.topology = after;
    }

    /// What the kernel has as it would be, and sizes as LVM recorded them.
    fn take_only(&mut self, action: &Action) {
        let mut after = self.topology.clone();
        action.predict(&mut after);
        for (now, was) in after.nodes.iter_mut().zip(&self.topology.nodes) {
            now.facts.lv.clone_from(&was.facts.lv);
            now.facts.vg.clone_from(&was.facts.vg);
            // the spare is LVM's alone
            now.size = if now.device.is_some() { now.size } else { was.size };
        }
        self.topology = after;
    }

    /// A window does what `sys/live/act/swap.rs` does: it resumes what it finds suspended on its
    /// new table, loads over its own table, and leaves everybody else's alone.
    fn window(&mut self, action: &Action) -> Result<(), String> {
        let Action::Reload { device, old, new, .. } = action else { return Ok(()) };
        let mut nodes = self.topology.nodes.iter_mut();
        let node = nodes.find(|node| node.device == Some(*device)).expect("it is there");
        let pool = node.facts.pool.expect("a pool");
        let dm = node.facts.dm.as_mut().expect("active");
        let on =
            |lines: &[String]| dm.table.iter().map(crate::text::Printable::as_str).eq(lines.iter());
        if dm.suspended {
            if !on(new) {
                return Err("it is suspended".to_owned());
            }
            dm.suspended = false;
            self.topology.pools[pool.0 as usize].suspended = false;
            self.windows += 1;
        } else if self.slots.get(device).is_some_and(|slot| Some(slot) != new.first()) {
            return Err("a table in its inactive slot that is not ours".to_owned());
        } else if !on(old) {
            return Err("another table than when this was planned".to_owned());
        }
        dm.inactive_table = false;
        self.slots.remove(device);
        Ok(())
    }

    /// What a fault leaves.
    fn die(&mut self, action: &Action, fault: Fault) {
        self.dead = true;
        let by_lvm = action.completion().is_some();
        match fault {
            Fault::DiesHalf if by_lvm => self.record_only(action),
            Fault::DiesSuspended if action.suspends() => self.suspend(action),
            Fault::DiesCommitted if by_lvm => {
                let mut committed = self.clone();
                committed.record_only(action);
                self.suspend(action);
                let suspended = std::mem::take(&mut self.topology);
                self.topology = committed.topology;
                for (now, then) in self.topology.nodes.iter_mut().zip(suspended.nodes) {
                    now.facts.dm = then.facts.dm;
                }
                for (now, then) in self.topology.pools.iter_mut().zip(suspended.pools) {
                    now.suspended = then.suspended;
                }
            }
            Fault::DiesLoaded => {
                if let Action::Reload { new, .. } = action {
                    self.load(action, &new[0]);
                }
            }
            Fault::DiesInWindow if matches!(action, Action::Reload { .. }) => {
                self.perform(action);
                self.suspend(action);
                self.slots.clear();
                for node in &mut self.topology.nodes {
                    if let Some(dm) = &mut node.facts.dm {
                        dm.inactive_table = false;
                    }
                }
            }
            Fault::DiesAhead
                if matches!(action, Action::GrowData { .. } | Action::GrowMetadata { .. }) =>
            {
                self.take_only(action);
            }
            Fault::DiesBefore | Fault::DiesSuspended => {}
            _ => self.perform(action),
        }
    }

    fn blinded(&self, how: Blind) -> Result<Arc<Topology>, String> {
        if how == Blind::Fails {
            return Err("a fault".to_owned());
        }
        let mut unseen = self.topology.clone();
        for node in &mut unseen.nodes {
            node.size = None;
            (node.facts.lv, node.facts.vg, node.facts.pv) = (None, None, None);
            node.facts.dm = None;
        }
        for pool in &mut unseen.pools {
            pool.state = PoolState::Unseen { why: "a fault".into() };
        }
        unseen.host.units = None;
        Ok(Arc::new(unseen))
    }
}

impl Host for Sim {
    fn look(&mut self) -> Result<Arc<Topology>, String> {
        let at = self.looks;
        self.looks += 1;
        if self.dead {
            return Err("dead".to_owned());
        }
        if let Some((_, how)) = self.blind.filter(|(blind, _)| *blind == at) {
            self.effects_when_blind = Some(self.effects);
            return self.blinded(how);
        }
        Ok(Arc::new(self.topology.clone()))
    }

    fn act(&mut self, _: usize, action: &Action, _: &mut dyn FnMut(Told)) -> Acted {
        assert!(!self.dead, "nothing is done on a dead host");
        let intended = |record: &Record| matches!(record, Record::Intended { commands, .. } if *commands == action.commands());
        assert!(self.journal.iter().any(intended), "{} is not in the journal", action.title());
        let fault = self.fault.filter(|(at, _)| *at == self.effects).map(|(_, fault)| fault);
        self.effects += 1;
        let failed = || Acted::Failed { why: "a fault".to_owned() };
        match fault {
            Some(Fault::Fails) => return failed(),
            Some(Fault::Lies) => return Acted::Done,
            Some(Fault::Hangs) => self.pending = Some(action.clone()),
            Some(Fault::HangsInVain | Fault::FailsAfter) | None => {}
            Some(death) => {
                self.die(action, death);
                return failed();
            }
        }
        if matches!(fault, Some(Fault::Hangs | Fault::HangsInVain)) {
            return Acted::Running { why: "a fault".to_owned() };
        }
        if let Err(why) = self.window(action) {
            return Acted::Refused { why };
        }
        self.perform(action);
        if fault.is_some() { failed() } else { Acted::Done }
    }

    fn ended(&mut self, _: usize) -> Option<Acted> {
        None
    }

    fn stops(&self) -> bool {
        self.stop_after.is_some_and(|after| self.effects >= after)
    }

    fn wait(&mut self) -> bool {
        false
    }

    fn record(&mut self, record: &Record) -> Result<(), String> {
        let at = self.asked_to_record;
        self.asked_to_record += 1;
        if self.dead || self.full.as_ref().is_some_and(|full| full.contains(&at)) {
            return Err("no space left on device".to_owned());
        }
        self.journal.push(record.clone());
        Ok(())
    }
}

/// All that a plan is about, in lines.
pub(super) fn figures(topology: &Topology) -> Vec<String> {
    let pools = topology.pools.iter().map(|pool| format!("{:?} {}", pool.state, pool.suspended));
    let nodes = topology.nodes.iter().map(|node| {
        let facts = &node.facts;
        let dm = facts.dm.as_ref().map(|dm| (dm.suspended, dm.inactive_table, &dm.table));
        let lv = facts.lv.as_ref().and_then(|lv| lv.size);
        let free = facts.vg.as_ref().and_then(|vg| vg.free);
        let is_active = node.kind != Kind::Vg && node.device.is_some();
        format!("{} {:?} {lv:?} {free:?} {dm:?} {is_active}", node.name, node.size)
    });
    let units = topology.host.units.iter().flatten().map(|unit| format!("{unit:?}"));
    pools.chain(nodes).chain(units).collect()
}

/// Tells only what is different.
pub(super) fn assert_same(is: &Topology, wanted: &[String], what: &str) {
    let is = figures(is);
    let differ = is.iter().zip(wanted).filter(|(is, wanted)| is != wanted);
    let differ: Vec<_> = differ.collect();
    assert!(differ.is_empty() && is.len() == wanted.len(), "{what}: {differ:#?}");
}
