//! Lines of the kernel's log and of LVM's monitor, told as events of the pool they are about.

use crate::model::{Event, EventKind, Pool, Severity, Topology};
use crate::text::Printable;

/// Where a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogSource {
    /// The kernel's log.
    Kernel,
    /// What LVM's monitor writes to the journal.
    Lvm,
}

/// One line, or that some were left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogLine {
    /// A line.
    Line(LogSource, Printable),
    /// So many came too fast to be told.
    Missed(LogSource, u64),
    /// This log cannot be read, and why.
    Unread(LogSource, Printable),
}

impl LogSource {
    const fn kind(self) -> EventKind {
        match self {
            Self::Kernel => EventKind::Kernel,
            Self::Lvm => EventKind::Lvm,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Kernel => "kernel log",
            Self::Lvm => "LVM's journal",
        }
    }
}

/// The event that a line is.
pub(super) fn event(line: &LogLine, topology: &Topology, time_ms: i64) -> Event {
    let (kind, subject, text) = match line {
        LogLine::Line(source, text) => {
            let pool = topology.pools.iter().find(|pool| is_about(topology, pool, text.as_str()));
            let low = text.as_str().contains("reached low water mark");
            let kind = if low { EventKind::LowWater } else { source.kind() };
            let subject = pool.map_or_else(|| source.name().into(), |pool| pool.name.clone());
            let node = pool.map(|pool| topology.node(pool.node).id.clone());
            let severity = severity(text.as_str());
            return Event { time_ms, kind, subject, text: text.clone(), node, severity };
        }
        LogLine::Missed(source, lines) => {
            let text = format!("{lines} more lines came too fast to be told");
            (EventKind::Missed, source.name(), Printable::from(text))
        }
        LogLine::Unread(source, why) => {
            (EventKind::Gap, source.name(), Printable::from(format!("not read: {why}")))
        }
    };
    Event { time_ms, kind, subject: subject.into(), text, node: None, severity: None }
}

/// By the pool's name as LVM and device-mapper write it, or by its number as the kernel does.
fn is_about(topology: &Topology, pool: &Pool, text: &str) -> bool {
    let names = std::iter::once(pool.name.as_str()).chain(pool.lv.as_ref().map(Printable::as_str));
    // LVM's messages leave the layer's suffix out
    let bare = pool.name.as_str().strip_suffix("-tpool");
    let number = topology.node(pool.node).device.map(|device| format!("{device}:"));
    names.chain(bare).any(|name| holds_word(text, name))
        || number.is_some_and(|number| text.contains(&format!(" {number} ")))
}

/// `vg-pool` is not meant by `vg-pool2`.
fn holds_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        // a sentence's end is no part of the name
        let after = text[at + word.len()..].trim_start_matches('.').chars().next();
        !word.is_empty() && !before.is_some_and(part) && !after.is_some_and(part)
    })
}

/// Words of the kernel's and of LVM's that mean trouble.
fn severity(text: &str) -> Option<Severity> {
    let text = text.to_ascii_lowercase();
    let any = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if any(&["out-of-data-space", "read-only mode", "fail mode", "error", "failed", "aborting"]) {
        Some(Severity::Critical)
    } else if any(&["warning", "low water", "unable to"]) {
        Some(Severity::Warning)
    } else {
        None
    }
}
