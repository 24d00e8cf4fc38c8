//! What happens on a host: the difference between one picture of it and the next, and what its
//! logs say, as one row of events.
//!
//! Pure: pictures, lines and moments in, events out. Told are steps a person wants to hear of:
//! fill when it moved by a part of the pool or after a while, never every block. Knows nothing of
//! how a host is looked at or how events are shown.

mod devices;
mod engines;
mod findings;
mod log;
mod pools;
#[cfg(test)]
mod tests;
mod timeline;

use std::sync::Arc;

use crate::format;
use crate::model::{Event, EventKind, Origin, Snapshot, Topology};
use crate::text::Printable;

pub use log::{LogLine, LogSource};
pub use timeline::Timeline;

/// More events than this between two pictures are counted and not told.
const MOST_AT_ONCE: usize = 200;

/// Tells what is new in each picture of a host.
#[derive(Debug, Default)]
pub struct Differ {
    /// The picture before.
    before: Option<Arc<Topology>>,
    pools: pools::Pools,
    devices: devices::Devices,
    engines: engines::Engines,
    findings: findings::Findings,
    /// Every source had answered, or was given up, in the picture before.
    settled: bool,
}

/// What happened, gathered.
struct Told {
    now_ms: i64,
    events: Vec<Event>,
}

impl Told {
    fn add(&mut self, kind: EventKind, subject: &Printable, text: impl AsRef<str>) -> &mut Event {
        let at = self.events.len();
        self.events.push(Event {
            time_ms: self.now_ms,
            kind,
            subject: subject.clone(),
            text: text.as_ref().into(),
            node: None,
            severity: None,
        });
        &mut self.events[at]
    }
}

impl Differ {
    /// What is new in this picture. Until every source has answered once nothing can be said to
    /// have come or gone; then the first events say what is there.
    pub fn take(&mut self, snapshot: &Snapshot, now_ms: i64) -> Vec<Event> {
        let mut told = Told { now_ms, events: Vec::new() };
        let topology = &snapshot.topology;
        let settled = self.settled || is_settled(snapshot);
        let changed = self.before.as_ref().is_none_or(|before| !Arc::ptr_eq(before, topology));
        if settled && !self.settled {
            begin(snapshot, &mut told);
        }
        if changed {
            self.pools.take(topology, self.settled, &mut told);
            self.devices.take(topology, self.settled, &mut told);
            self.engines.take(topology, &mut told);
            self.before = Some(Arc::clone(topology));
        }
        if settled {
            self.findings.take(snapshot, &mut told);
        }
        self.settled = settled;
        cut(told)
    }

    /// What a line of a log says.
    pub fn line(&self, line: &LogLine, now_ms: i64) -> Event {
        let nothing = Topology::default();
        log::event(line, self.before.as_deref().unwrap_or(&nothing), now_ms)
    }
}

/// Whether every source has answered or was given up.
fn is_settled(snapshot: &Snapshot) -> bool {
    snapshot.sources.iter().all(|source| source.answered_at_ms.is_some() || source.silent)
}

/// What is there already, a line for each pool.
fn begin(snapshot: &Snapshot, told: &mut Told) {
    let whose = match &snapshot.origin {
        Origin::Live => "watching".to_owned(),
        Origin::Recorded { name } => {
            format!("recorded {} ({name})", format::date::moment(snapshot.host.time))
        }
    };
    let topology = &snapshot.topology;
    let (pools, devices) = (topology.pools.len(), topology.thins.len());
    let (findings, gaps) = (snapshot.findings.len(), snapshot.gaps.len());
    let text =
        format!("{whose}: pools {pools}, thin devices {devices}, findings {findings}, gaps {gaps}");
    told.add(EventKind::Begin, &snapshot.host.name, text);
    for pool in &topology.pools {
        let text = pools::describe(pool);
        told.add(EventKind::Begin, &pool.name, text).node =
            Some(topology.node(pool.node).id.clone());
    }
}

/// A host that turns over is told of in numbers.
fn cut(mut told: Told) -> Vec<Event> {
    let more = told.events.len().saturating_sub(MOST_AT_ONCE);
    if more > 0 {
        told.events.truncate(MOST_AT_ONCE);
        told.add(EventKind::Missed, &"events".into(), format!("{more} more at the same time"));
    }
    told.events
}
