//! What grew while the screen was open. Of a device that was not seen before nothing is said.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::why::Growth;
use crate::ids::ThinId;
use crate::model::{Origin, Snapshot, ThinDevice, Topology};
use crate::text::Printable;
use crate::units::Bytes;

/// What a device mapped when it was first seen, and when that was.
#[derive(Clone, Copy, Debug)]
struct First {
    mapped: Bytes,
    at_ms: i64,
}

/// What each device mapped at first, pool by pool.
#[derive(Debug, Default)]
pub(crate) struct Grown {
    first: BTreeMap<Printable, HashMap<ThinId, First>>,
    storage: Option<Arc<Topology>>,
    at_ms: i64,
}

impl Grown {
    /// Takes in a look at a living host.
    pub(crate) fn look(&mut self, snapshot: &Snapshot, now_ms: i64) {
        if snapshot.origin != Origin::Live {
            return;
        }
        self.at_ms = snapshot.answered_at_ms("dm").unwrap_or(now_ms);
        let topology = &snapshot.topology;
        if self.storage.as_ref().is_some_and(|before| Arc::ptr_eq(before, topology)) {
            return;
        }
        self.storage = Some(Arc::clone(topology));
        let before = std::mem::take(&mut self.first);
        for pool in &topology.pools {
            let known = before.get(&pool.name);
            let rows = pool.devices.iter().filter_map(|ix| topology.thins.get(ix.0 as usize));
            let seen = rows.filter_map(|device| {
                let known = known.and_then(|known| known.get(&device.id?)).copied();
                let now = device.mapped.map(|mapped| First { mapped, at_ms: self.at_ms });
                // what shrank begins anew; what was not seen this time is not forgotten
                let kept = known.filter(|first| now.is_none_or(|now| now.mapped >= first.mapped));
                Some((device.id?, kept.or(now)?))
            });
            self.first.insert(pool.name.clone(), seen.collect());
        }
    }

    /// By how much a device grew; `None` where it did not, or where that cannot be said.
    pub(crate) fn of(&self, pool: &Printable, device: &ThinDevice) -> Option<Growth> {
        let first = self.first.get(pool)?.get(&device.id?)?;
        let by = device.mapped?.minus(first.mapped);
        let in_ms = self.at_ms.saturating_sub(first.at_ms);
        (by > Bytes(0) && in_ms > 0).then_some(Growth { by, in_ms })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::{ANSWERED_MS, Host, MIB, web_3};

    /// The device of the container that grew, and what is known of it.
    fn growth(grown: &Grown, host: &Host) -> Option<Growth> {
        let device = host.thins.iter().find(|thin| thin.id == ThinId::new(11));
        grown.of(&"docker-thinpool".into(), device.expect("web's"))
    }

    fn at(seconds: i64, mapped: u64) -> Host {
        let mut host = web_3();
        host.sources[0].answered_at_ms = Some(ANSWERED_MS + seconds * 1000);
        let device = host.thins.iter_mut().find(|thin| thin.id == ThinId::new(11));
        device.expect("web's").mapped = Some(Bytes(mapped * MIB));
        host
    }

    #[test]
    fn what_grew_is_told_since_it_was_first_seen_and_nothing_before() {
        let mut grown = Grown::default();
        let mut told = |seconds, mapped| {
            grown.look(&at(seconds, mapped).snapshot(), 0);
            growth(&grown, &at(seconds, mapped)).map(|one| (one.by.get() / MIB, one.in_ms))
        };
        assert_eq!(told(0, 100), None);
        assert_eq!(told(10, 100), None);
        assert_eq!(told(20, 130), Some((30, 20_000)));
        assert_eq!(told(60, 150), Some((50, 60_000)));
        // trimmed: what it was before says nothing any more
        assert_eq!(told(70, 90), None);
        assert_eq!(told(80, 95), Some((5, 10_000)));
    }

    #[test]
    fn a_recording_is_one_moment() {
        let mut grown = Grown::default();
        for (seconds, mapped) in [(0, 100), (20, 130)] {
            let mut snapshot = (*at(seconds, mapped).snapshot()).clone();
            snapshot.origin = Origin::Recorded { name: "x".into() };
            grown.look(&snapshot, 0);
        }
        assert_eq!(growth(&grown, &at(20, 130)), None);
    }
}
