//! Thin devices and whose they are: growth, volumes, containers, images.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Told;
use super::pools::{difference, within};
use crate::format;
use crate::ids::{NodeId, ThinId};
use crate::model::{ContainerState, EventKind, Role, ThinDevice, Topology};
use crate::text::Printable;
use crate::units::Bytes;

/// Growth below this is told only after a while.
const STEP: Bytes = Bytes(64 << 20);
/// How long that is, in milliseconds.
const PAUSE_MS: i64 = 10_000;
/// Of the devices that grew, the fastest are told.
const FASTEST: usize = 5;

/// What was known in the picture before.
#[derive(Debug, Default)]
pub(super) struct Devices {
    mapped: HashMap<(Printable, ThinId), Mapped>,
    containers: BTreeMap<Printable, (Printable, Option<ContainerState>)>,
    images: BTreeSet<Printable>,
    volumes: BTreeSet<Printable>,
}

/// A size that was told.
#[derive(Clone, Copy, Debug)]
struct Mapped {
    bytes: Bytes,
    at_ms: i64,
}

/// A device that grew.
struct Grown<'a> {
    device: &'a ThinDevice,
    by: Bytes,
    since_ms: i64,
}

impl Devices {
    /// Tells of all devices. What comes and goes is only told where it was known what there is.
    pub(super) fn take(&mut self, topology: &Topology, settled: bool, told: &mut Told) {
        self.growth(topology, told);
        self.containers(topology, settled, told);
        let images = topology.thins.iter().flat_map(|thin| &thin.images).cloned().collect();
        let images = std::mem::replace(&mut self.images, images);
        let volumes = topology.thins.iter().filter(|thin| is_volume(thin));
        let volumes = volumes.map(|thin| thin.name.clone()).collect();
        let volumes = std::mem::replace(&mut self.volumes, volumes);
        if settled {
            came_and_went(EventKind::Image, &images, &self.images, told);
            came_and_went(EventKind::Volume, &volumes, &self.volumes, told);
        }
    }

    /// The fastest first. A device that is not known from before has not grown.
    fn growth(&mut self, topology: &Topology, told: &mut Told) {
        let mut before = std::mem::take(&mut self.mapped);
        let mut grown = Vec::new();
        for device in &topology.thins {
            let pool = &topology.pool(device.pool).name;
            let Some(id) = device.id else { continue };
            let key = (pool.clone(), id);
            let Some(bytes) = device.mapped else {
                // not seen this time: what was told of it still stands
                self.mapped.extend(before.remove_entry(&key));
                continue;
            };
            let now = Mapped { bytes, at_ms: told.now_ms };
            let known = before.get(&key).copied().unwrap_or(now);
            let (rose, by) = difference(known.bytes, bytes);
            let since_ms = told.now_ms.saturating_sub(known.at_ms);
            let tells = by >= STEP || !(0..PAUSE_MS).contains(&since_ms);
            if rose && by > Bytes(0) && tells {
                grown.push(Grown { device, by, since_ms });
            }
            // what shrank begins anew, and so does what was told
            self.mapped.insert(key, if !rose || (by > Bytes(0) && tells) { now } else { known });
        }
        grown.sort_by_key(|grown| std::cmp::Reverse(grown.by));
        for one in grown.iter().take(FASTEST) {
            let subject = Printable::from_text(&one.device.label());
            told.add(EventKind::Growth, &subject, one.describe()).node =
                node_of(topology, one.device);
        }
        if let Some(more) = grown.len().checked_sub(FASTEST).filter(|more| *more > 0) {
            told.add(
                EventKind::Growth,
                &"others".into(),
                format!("{more} more devices grew, by less"),
            );
        }
    }

    fn containers(&mut self, topology: &Topology, settled: bool, told: &mut Told) {
        let before = std::mem::take(&mut self.containers);
        for device in topology.thins.iter().filter(|thin| thin.role == Role::Container) {
            let Some(container) = &device.container else { continue };
            let now = (container.name.clone(), container.state);
            let text = match before.get(&container.id) {
                _ if !settled => None,
                None => Some(format!("came: {}", word(now.1))),
                Some((_, was)) if *was != now.1 => {
                    Some(format!("from {} to {}", word(*was), word(now.1)))
                }
                Some(_) => None,
            };
            if let Some(text) = text {
                told.add(EventKind::Container, &now.0, text).node = node_of(topology, device);
            }
            self.containers.insert(container.id.clone(), now);
        }
        if settled {
            let gone = before.iter().filter(|(id, _)| !self.containers.contains_key(*id));
            for (_, (name, _)) in gone {
                told.add(EventKind::Container, name, "is gone");
            }
        }
    }
}

impl Grown<'_> {
    fn describe(&self) -> String {
        let rate = u64::try_from(self.since_ms).ok().filter(|ms| *ms >= 1000).map(|ms| {
            let a_second = u128::from(self.by.get()) * 1000 / u128::from(ms);
            format!(", {}/s", format::long(Bytes(u64::try_from(a_second).unwrap_or(u64::MAX))))
        });
        let (by, rate) = (format::long(self.by), rate.unwrap_or_default());
        format!("grew by {by}{}{rate}", within(self.since_ms))
    }
}

fn node_of(topology: &Topology, device: &ThinDevice) -> Option<NodeId> {
    topology.nodes.get(device.node.0 as usize).map(|node| node.id.clone())
}

const fn is_volume(thin: &ThinDevice) -> bool {
    matches!(thin.role, Role::Volume | Role::Snapshot)
}

const fn word(state: Option<ContainerState>) -> &'static str {
    match state {
        Some(state) => state.name(),
        None => "state not known",
    }
}

fn came_and_went(
    kind: EventKind,
    before: &BTreeSet<Printable>,
    now: &BTreeSet<Printable>,
    told: &mut Told,
) {
    for name in now.difference(before) {
        told.add(kind, name, "came");
    }
    for name in before.difference(now) {
        told.add(kind, name, "is gone");
    }
}
