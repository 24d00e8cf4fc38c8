//! How many lines of a log are passed on: some at once, then a few a second.

use std::time::{Duration, Instant};

/// So many at once.
const BURST: u32 = 50;
/// Even while it floods, what was left out is said this often.
const SAID: Duration = Duration::from_secs(1);
/// After that one in each such time.
const EACH: Duration = Duration::from_millis(100);

/// What may still be passed on, and what was not.
#[derive(Debug)]
pub(super) struct Rate {
    left: u32,
    since: Instant,
    missed: u64,
    /// When the first of those came that were not yet told.
    missed_since: Instant,
}

impl Rate {
    pub(super) fn new(now: Instant) -> Self {
        Self { left: BURST, since: now, missed: 0, missed_since: now }
    }

    /// Whether one more line may pass; one that may not is counted.
    pub(super) fn passes(&mut self, now: Instant) -> bool {
        self.gain(now);
        if self.left == 0 {
            self.lost(1, now);
            return false;
        }
        self.left -= 1;
        true
    }

    fn gain(&mut self, now: Instant) {
        let gained = now.saturating_duration_since(self.since).as_millis() / EACH.as_millis();
        if gained > 0 {
            self.since = now;
            self.left = self.left.saturating_add(u32::try_from(gained).unwrap_or(BURST)).min(BURST);
        }
    }

    /// Lines that did not pass, or that the log itself lost.
    pub(super) fn lost(&mut self, lines: u64, now: Instant) {
        if self.missed == 0 {
            self.missed_since = now;
        }
        self.missed = self.missed.saturating_add(lines);
    }

    /// How many did not pass since this was last asked, when there is room to say so, or when it
    /// is time.
    pub(super) fn missed(&mut self, now: Instant) -> Option<u64> {
        self.gain(now);
        let due = now.saturating_duration_since(self.missed_since) >= SAID;
        (self.missed > 0 && (self.left > 0 || due)).then(|| std::mem::take(&mut self.missed))
    }

    /// Whether something is to be said when the flood is over.
    pub(super) const fn owes(&self) -> bool {
        self.missed > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_and_told_when_it_is_over() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        let passed = (0..10_000).filter(|_| rate.passes(start)).count();
        assert_eq!(passed, 50);
        assert_eq!(rate.missed(start), None, "in the middle of it nothing is said");
        assert!(rate.owes());
        // also when nothing more comes
        assert_eq!(rate.missed(start + EACH), Some(9950));
        assert_eq!((rate.missed(start + SAID), rate.owes()), (None, false));
    }

    #[test]
    fn a_flood_without_end_is_told_once_a_second() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        let mut told = Vec::new();
        for ms in 0..3000 {
            let now = start + Duration::from_millis(ms);
            // ten at every millisecond: all room that there is, is taken
            (0..10).for_each(|_| _ = rate.passes(now));
            told.extend(rate.missed(now));
        }
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.iter().all(|lines| (9900..10_100).contains(lines)), "{told:?}");
    }

    #[test]
    fn a_few_a_second_pass_for_ever() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        for n in 0..1000 {
            assert!(rate.passes(start + EACH * n), "{n}");
        }
    }
}
