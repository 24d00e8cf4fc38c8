//! The newest events, bounded.

use std::collections::VecDeque;

use crate::model::Event;

/// How many are kept: some hours of a busy host, some hundred kilobytes.
const KEPT: usize = 2000;

/// Events in the order in which they were noticed.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    events: VecDeque<Event>,
    dropped: u64,
}

impl Timeline {
    /// Adds the newest.
    pub fn push(&mut self, event: Event) {
        if self.events.len() == KEPT {
            self.events.pop_front();
            self.dropped = self.dropped.saturating_add(1);
        }
        self.events.push_back(event);
    }

    /// All that are kept, the oldest first.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &Event> + ExactSizeIterator {
        self.events.iter()
    }

    /// How many were older and are not kept any more.
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EventKind;

    #[test]
    fn the_oldest_go_first_and_are_counted() {
        let mut timeline = Timeline::default();
        for at in 0..2500 {
            timeline.push(Event {
                time_ms: at,
                kind: EventKind::Kernel,
                subject: "k".into(),
                text: "t".into(),
                node: None,
                severity: None,
            });
        }
        assert_eq!(timeline.dropped(), 500);
        let times: Vec<i64> = timeline.events().map(|event| event.time_ms).collect();
        assert_eq!((times.len(), times[0], times[1999]), (2000, 500, 2499));
    }
}
