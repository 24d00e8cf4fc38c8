//! Pools: fill, mode, size, low water, suspended.

use std::collections::BTreeMap;

use super::Told;
use crate::format;
use crate::ids::NodeId;
use crate::model::{EventKind, Pool, PoolState, Topology, Usage};
use crate::text::Printable;
use crate::units::Bytes;

/// Fill is told when it moved by this part of the whole: one in so many.
const STEP: u64 = 100;
/// Or when it moved at all and so long was nothing told, in milliseconds.
const PAUSE_MS: i64 = 10_000;

/// What was told of each pool.
#[derive(Debug, Default)]
pub(super) struct Pools(BTreeMap<Printable, Known>);

/// What was last known, and last told, of a pool.
#[derive(Clone, Debug)]
struct Known {
    mode: Option<String>,
    suspended: bool,
    monitor: Option<Printable>,
    profile: Option<Printable>,
    sizes: [Option<Bytes>; 2],
    fills: [Option<Fill>; 2],
    event_nr: Option<u32>,
    /// Free data was at or below the mark.
    low: Option<bool>,
}

/// A fill that was told.
#[derive(Clone, Copy, Debug)]
struct Fill {
    used: Bytes,
    at_ms: i64,
}

/// The two things that fill.
const WORDS: [&str; 2] = ["data", "metadata"];

/// A pool in a sentence.
pub(super) fn describe(pool: &Pool) -> String {
    let mode = pool.mode().unwrap_or("state not seen");
    let suspended = if pool.suspended { ", suspended" } else { "" };
    let fills = WORDS.iter().zip(usages(pool)).filter_map(|(word, usage)| {
        usage.map(|usage| format!(", {word} {} of {}", percent(usage), format::long(usage.total)))
    });
    format!("{mode}{suspended}{}", fills.collect::<String>())
}

fn usages(pool: &Pool) -> [Option<Usage<Bytes>>; 2] {
    [pool.data_usage(), pool.metadata_usage()]
}

/// Percent with one decimal, rounded down: 100 only when full.
fn percent(usage: Usage<Bytes>) -> String {
    let total = u128::from(usage.total.get()).max(1);
    let thousandths = u128::from(usage.used.get()) * 1000 / total;
    format!("{}.{}%", thousandths / 10, thousandths % 10)
}

impl Pools {
    /// Tells of each pool. What comes and goes is only told where it was known what there is.
    pub(super) fn take(&mut self, topology: &Topology, settled: bool, told: &mut Told) {
        let before = std::mem::take(&mut self.0);
        for pool in &topology.pools {
            let node = topology.node(pool.node);
            let event_nr = node.facts.dm.as_ref().map(|dm| dm.event_nr);
            let known = before.get(&pool.name);
            let mut one = One { pool, node: &node.id, told };
            if known.is_none() && settled {
                one.tell(EventKind::Pool, format!("is there: {}", describe(pool)));
            }
            let now = match known {
                Some(known) => one.compare(known, event_nr),
                None => one.first(event_nr),
            };
            self.0.insert(pool.name.clone(), now);
        }
        if settled {
            for name in before.keys().filter(|name| !self.0.contains_key(*name)) {
                told.add(EventKind::Pool, name, "is gone");
            }
        }
    }
}

/// One pool in this picture.
struct One<'a> {
    pool: &'a Pool,
    node: &'a NodeId,
    told: &'a mut Told,
}

impl One<'_> {
    fn tell(&mut self, kind: EventKind, text: impl AsRef<str>) {
        self.told.add(kind, &self.pool.name, text).node = Some(self.node.clone());
    }

    fn first(&self, event_nr: Option<u32>) -> Known {
        let now = self.told.now_ms;
        let usages = usages(self.pool);
        Known {
            mode: self.pool.mode().map(str::to_owned),
            suspended: self.pool.suspended,
            monitor: self.pool.monitor.clone().filter(|word| !word.is_empty()),
            profile: self.pool.profile.clone(),
            sizes: usages.map(|usage| usage.map(|usage| usage.total)),
            fills: usages.map(|usage| usage.map(|usage| Fill { used: usage.used, at_ms: now })),
            event_nr,
            low: is_low(self.pool),
        }
    }

    /// Tells what is other than before. What cannot be seen now stays as it was known.
    fn compare(&mut self, before: &Known, event_nr: Option<u32>) -> Known {
        let mut now = self.first(event_nr);
        let told = self.told.events.len();
        if let (Some(was), Some(is)) = (&before.mode, &now.mode)
            && was != is
        {
            self.tell(EventKind::Mode, format!("from {was} to {is}"));
        }
        if before.suspended != now.suspended {
            let word =
                if now.suspended { "suspended: whoever touches it waits" } else { "resumed" };
            self.tell(EventKind::Suspend, word);
        }
        self.compare_watch(before, &mut now);
        for (at, word) in WORDS.into_iter().enumerate() {
            self.compare_size(word, before.sizes[at], now.sizes[at]);
            now.fills[at] = self.compare_fill(word, before.fills[at], usages(self.pool)[at]);
            now.sizes[at] = now.sizes[at].or(before.sizes[at]);
        }
        // it counts up and wraps
        let events = before.event_nr.zip(now.event_nr).map_or(0, |(was, is)| is.wrapping_sub(was));
        if before.low == Some(false) && now.low == Some(true) {
            let text = self.low_water(events);
            self.tell(EventKind::LowWater, text);
        } else if events > 0 && self.told.events.len() == told {
            self.tell(EventKind::DmEvent, event_words(events));
        }
        now.mode = now.mode.or_else(|| before.mode.clone());
        now.low = now.low.or(before.low);
        now
    }

    /// Who grows it: LVM's monitor, by a profile.
    fn compare_watch(&mut self, before: &Known, now: &mut Known) {
        if let (Some(was), Some(is)) = (&before.monitor, &now.monitor)
            && was != is
        {
            self.tell(EventKind::Monitor, format!("from {was} to {is}"));
        }
        if let (Some(was), Some(is)) = (&before.profile, &now.profile)
            && was != is
        {
            let name =
                |word: &Printable| if word.is_empty() { "none".into() } else { word.clone() };
            let text = format!("its profile is {} now, before {}", name(is), name(was));
            self.tell(EventKind::Monitor, text);
        }
        now.monitor = now.monitor.take().or_else(|| before.monitor.clone());
        now.profile = now.profile.take().or_else(|| before.profile.clone());
    }

    fn compare_size(&mut self, word: &str, before: Option<Bytes>, now: Option<Bytes>) {
        if let (Some(before), Some(now)) = (before, now)
            && before != now
        {
            let verb = if now > before { "grew" } else { "shrank" };
            let (before, now) = (format::long(before), format::long(now));
            self.tell(EventKind::Pool, format!("{word} {verb} from {before} to {now}"));
        }
    }

    /// What is known as told from now on.
    fn compare_fill(
        &mut self,
        word: &str,
        before: Option<Fill>,
        now: Option<Usage<Bytes>>,
    ) -> Option<Fill> {
        let (Some(before), Some(usage)) = (before, now) else {
            let first = |usage: Usage<Bytes>| Fill { used: usage.used, at_ms: self.told.now_ms };
            return now.map(first).or(before);
        };
        let (rose, by) = difference(before.used, usage.used);
        // a clock that was set back is no reason for silence
        let since = self.told.now_ms.saturating_sub(before.at_ms);
        let rested = !(0..PAUSE_MS).contains(&since);
        let full = usage.used >= usage.total;
        if by == Bytes(0) || (by.get() < usage.total.get() / STEP && !rested && !full) {
            return Some(before);
        }
        let sign = if rose { "+" } else { "-" };
        let over = within(since);
        let text = format!("{word} {} ({sign}{}{over})", percent(usage), format::long(by));
        self.tell(EventKind::Fill, text);
        Some(Fill { used: usage.used, at_ms: self.told.now_ms })
    }

    fn low_water(&self, events: u32) -> String {
        let block = self.pool.block_size.unwrap_or_default();
        let mark = self.pool.low_water.unwrap_or_default().bytes(block);
        let free = self.pool.data_usage().map_or(Bytes(0), |usage| usage.total.minus(usage.used));
        let raised = if events > 0 { format!("; {}", event_words(events)) } else { String::new() };
        let (free, mark) = (format::long(free), format::long(mark));
        format!("{free} of data are free, the low water mark is {mark}{raised}")
    }
}

fn event_words(events: u32) -> String {
    match events {
        1 => "the kernel raised an event".to_owned(),
        events => format!("the kernel raised {events} events"),
    }
}

/// `None` where there is no mark or the fill was not seen. 0 is no mark (LVM, not monitored).
fn is_low(pool: &Pool) -> Option<bool> {
    let (status, mark) = (pool.status()?, pool.low_water?);
    let free = status.data.total.minus(status.data.used);
    (pool.state != PoolState::Inactive && mark.get() > 0).then_some(free <= mark)
}

/// Whether it rose, and by how much it moved.
pub(super) fn difference(before: Bytes, now: Bytes) -> (bool, Bytes) {
    if now >= before { (true, now.minus(before)) } else { (false, before.minus(now)) }
}

/// ` in 12 s`; nothing where the clock was set.
pub(super) fn within(ms: i64) -> String {
    match ms {
        ..=0 => String::new(),
        1..=999 => " within a second".to_owned(),
        1000..=119_999 => format!(" in {} s", ms / 1000),
        _ => format!(" in {} min", ms / 60_000),
    }
}
