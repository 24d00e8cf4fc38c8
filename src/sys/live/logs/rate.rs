//! How many lines of a log are passed on: some at once, then a few a second.

use std::time::{Duration, Instant};

/// So many at once.
const BURST: u32 = 50;
/// After that one in each such time.
const EACH: Duration = Duration::from_millis(100);

/// What may still be passed on, and what was not.
#[derive(Debug)]
pub(super) struct Rate {
    left: u32,
    since: Instant,
    missed: u64,
}

impl Rate {
    pub(super) fn new(now: Instant) -> Self {
        Self { left: BURST, since: now, missed: 0 }
    }

    /// Whether one more line may pass; one that may not is counted.
    pub(super) fn passes(&mut self, now: Instant) -> bool {
        let gained = now.saturating_duration_since(self.since).as_millis() / EACH.as_millis();
        if gained > 0 {
            self.since = now;
            self.left = self.left.saturating_add(u32::try_from(gained).unwrap_or(BURST)).min(BURST);
        }
        if self.left == 0 {
            self.missed = self.missed.saturating_add(1);
            return false;
        }
        self.left -= 1;
        true
    }

    /// Lines that the log itself lost.
    pub(super) const fn lost(&mut self, lines: u64) {
        self.missed = self.missed.saturating_add(lines);
    }

    /// How many did not pass since this was last asked, when there is room to say so.
    pub(super) fn missed(&mut self) -> Option<u64> {
        (self.missed > 0 && self.left > 0).then(|| std::mem::take(&mut self.missed))
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
        assert_eq!(rate.missed(), None, "in the middle of it nothing is said");
        assert!(rate.owes());
        assert!(rate.passes(start + EACH * 3));
        assert_eq!(rate.missed(), Some(9950));
        assert_eq!((rate.missed(), rate.owes()), (None, false));
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
