//! When one source is looked at next, and how thoroughly.
//!
//! Pure but for the children that it waits for to die: moments in, moments out.

use std::time::{Duration, Instant};

use super::follow::Wanted;
use super::order::{Signs, Sums};
use crate::sys::Source;
use crate::sys::live::child::Stuck;

/// After an event, others that belong to it are let in before anybody looks: a part of the fifth of
/// a second in which it shall be on the screen.
const SETTLE: Duration = Duration::from_millis(50);

/// Looks may take no more than one part in so many of the time, unless somebody asks for one.
const SHARE: u32 = 20;
/// So many more may follow a look at once, so that what happens after a quiet time, and what comes
/// of it, is seen when it happens: the time that they take is paid with the rest after them.
const AHEAD: u32 = 2;
/// However long a look took, the next may come after this,
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// or after so many times as long as it took, where that is more: LVM may take minutes, and holds
/// its locks meanwhile.
const LEAST_SHARE: u32 = 5;

/// How often it is tried whether a hanging child has died.
const STUCK_PAUSE: Duration = Duration::from_secs(1);

/// After how many looks for signs of change the state of every single device is one of them.
const ALL_STATES_EVERY: u32 = 12;
/// After how many the source is looked at whole, signs or not.
const WHOLE_EVERY: u32 = 20;

/// One source's turn.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// A look is under way.
    running: bool,
    /// Another look is wanted, since when.
    wanted: Option<(Wanted, Instant)>,
    /// When the next look of its own accord is due.
    due: Option<Instant>,
    /// How long the last whole look took; `None` before the first.
    took: Option<Duration>,
    /// When the last look ended, whole or not.
    ended: Option<Instant>,
    /// When what whole looks took is paid with rest.
    rested: Option<Instant>,
    /// Where a change would show.
    signs: Signs,
    /// What that came to.
    known: Sums,
    /// Children that hang in the kernel: as long as one does, no other is started.
    stuck: Vec<Stuck>,
    not_before: Option<Instant>,
    /// Looks so far.
    rounds: u32,
}

impl Turn {
    /// Somebody wants a look; one at most waits.
    pub(super) fn want(&mut self, wanted: Wanted, now: Instant) {
        let (kind, since) = self.wanted.unwrap_or((wanted, now));
        self.wanted = Some((kind.max(wanted), since));
    }

    /// When the next look may begin; `None` while one is under way or none is wanted.
    pub(super) fn starts_at(&self) -> Option<Instant> {
        if self.running {
            return None;
        }
        let at = match self.wanted {
            Some((Wanted::Now, since)) => since,
            Some((_, since)) => self.rested.map_or(since, |rested| rested.max(since + SETTLE)),
            None => self.due?.max(self.ended? + self.pause()),
        };
        Some(self.not_before.map_or(at, |not_before| not_before.max(at)))
    }

    /// Begins a look if its time has come, and says how thorough it is.
    pub(super) fn begin(&mut self, source: Source, now: Instant) -> Option<Wanted> {
        if self.starts_at()? > now {
            return None;
        }
        self.stuck.retain_mut(|stuck| !stuck.has_ended());
        if !self.stuck.is_empty() {
            self.not_before = Some(now + STUCK_PAUSE);
            return None;
        }
        self.not_before = None;
        self.running = true;
        self.rounds = self.rounds.wrapping_add(1);
        let wanted = self.wanted.take().map_or(Wanted::IfChanged, |(wanted, _)| wanted);
        let whole = source != Source::Dm && self.rounds.is_multiple_of(WHOLE_EVERY);
        Some(if whole { wanted.max(Wanted::Soon) } else { wanted })
    }

    /// Where a change shows in the look that has begun.
    pub(super) fn signs(&self) -> Signs {
        self.signs.clone()
    }

    /// What that came to when nothing was new.
    pub(super) fn known(&self) -> Sums {
        self.known
    }

    /// Whether the state of every device-mapper device is a sign in the look that has begun.
    pub(super) fn asks_states(&self) -> bool {
        self.rounds.is_multiple_of(ALL_STATES_EVERY)
    }

    /// A look has ended, whole or not.
    pub(super) fn end(&mut self, every: Option<Duration>, signs: Signs, known: Sums) {
        let now = Instant::now();
        self.running = false;
        self.ended = Some(now);
        self.due = every.map(|every| now + every);
        (self.signs, self.known) = (signs, known);
    }

    /// That look was whole: how long it took and what is left of it. Whether it was the first.
    pub(super) fn looked(&mut self, took: Duration, stuck: Vec<Stuck>) -> bool {
        self.stuck = stuck;
        let first = self.took.replace(took).is_none();
        self.rested = self.ended.map(|ended| {
            let ahead = ended.checked_sub(self.pause() * AHEAD).unwrap_or(ended);
            let paid = self.rested.map_or(ahead, |rested| rested.max(ahead)) + self.pause();
            // looks that a person asked for run up no debt
            paid.min(ended + self.pause())
        });
        first
    }

    /// How long is rested for a look that took as long as the last.
    fn pause(&self) -> Duration {
        let took = self.took.unwrap_or_default();
        (took * SHARE).min(LONGEST_PAUSE.max(took * LEAST_SHARE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn ended(took: Duration) -> (Turn, Instant) {
        let mut turn = Turn::default();
        let now = Instant::now();
        turn.want(Wanted::Now, now);
        assert_eq!(turn.begin(Source::Dm, now), Some(Wanted::Now));
        turn.end(Some(5000 * MS), Signs::default(), Sums::default());
        assert!(turn.looked(took, Vec::new()), "it is the first");
        let ended = turn.ended.expect("it has ended");
        (turn, ended)
    }

    #[test]
    fn one_look_runs_and_one_waits() {
        let mut turn = Turn::default();
        let now = Instant::now();
        assert_eq!(turn.starts_at(), None, "nobody wants one");
        turn.want(Wanted::Soon, now);
        assert_eq!(turn.begin(Source::Dm, now), Some(Wanted::Soon));
        turn.want(Wanted::IfChanged, now);
        turn.want(Wanted::Now, now);
        turn.want(Wanted::Soon, now);
        assert_eq!(turn.begin(Source::Dm, now), None, "one is under way");
        turn.end(None, Signs::default(), Sums::default());
        assert_eq!(turn.begin(Source::Dm, Instant::now()), Some(Wanted::Now));
        turn.end(None, Signs::default(), Sums::default());
        assert_eq!(turn.starts_at(), None, "all were one");
    }

    #[test]
    fn events_that_come_together_are_one_look() {
        let (mut turn, ended) = ended(Duration::ZERO);
        let event = ended + 1000 * MS;
        turn.want(Wanted::Soon, event);
        turn.want(Wanted::Soon, event + 100 * MS);
        assert_eq!(turn.starts_at(), Some(event + SETTLE));
    }

    #[test]
    fn a_long_look_rests_long_unless_a_person_asks() {
        let (mut turn, ended) = ended(300 * MS);
        assert_eq!(turn.starts_at(), Some(ended + 6000 * MS), "later than the 5 s it is due in");
        for _ in 0..2 {
            turn.want(Wanted::Soon, ended);
            assert_eq!(turn.starts_at(), Some(ended + SETTLE), "after a quiet time");
            assert_eq!(turn.begin(Source::Dm, ended + SETTLE), Some(Wanted::Soon));
            turn.end(None, Signs::default(), Sums::default());
            turn.looked(300 * MS, Vec::new());
        }
        turn.want(Wanted::Soon, ended);
        assert_eq!(turn.starts_at(), Some(ended + 6000 * MS));
        turn.want(Wanted::Now, ended);
        assert_eq!(turn.starts_at(), Some(ended));
    }

    #[test]
    fn however_often_a_person_asks_the_next_event_waits_for_one_rest() {
        let (mut turn, _) = ended(300 * MS);
        let now = Instant::now();
        for _ in 0..10 {
            turn.want(Wanted::Now, now);
            assert_eq!(turn.begin(Source::Dm, Instant::now()), Some(Wanted::Now));
            turn.end(None, Signs::default(), Sums::default());
            turn.looked(300 * MS, Vec::new());
        }
        let ended = turn.ended.expect("it has ended");
        turn.want(Wanted::Soon, ended);
        assert_eq!(turn.starts_at(), Some(ended + 6000 * MS));
    }

    #[test]
    fn an_event_does_not_wait_for_the_rest_after_a_look_for_signs() {
        let (mut turn, ended) = ended(300 * MS);
        turn.end(Some(5000 * MS), Signs::default(), Sums { few: Some(7), states: None });
        turn.want(Wanted::Soon, ended + 1000 * MS);
        assert_eq!(turn.starts_at(), Some(ended + 1000 * MS + SETTLE));
    }

    #[test]
    fn a_source_that_took_all_its_time_is_tried_again_after_a_minute() {
        let (turn, ended) = ended(10_000 * MS);
        assert_eq!(turn.starts_at(), Some(ended + LONGEST_PAUSE));
        let (turn, ended) = self::ended(120_000 * MS);
        assert_eq!(turn.starts_at(), Some(ended + 600_000 * MS));
    }

    #[test]
    fn a_quiet_source_is_looked_at_for_signs_and_whole_now_and_then() {
        let mut turn = Turn::default();
        let mut whole = 0;
        for _ in 0..40 {
            turn.want(Wanted::IfChanged, Instant::now());
            turn.ended = None;
            if turn.begin(Source::Lvm, Instant::now()) > Some(Wanted::IfChanged) {
                whole += 1;
            }
            turn.end(None, Signs::default(), Sums::default());
        }
        assert_eq!(whole, 2);
    }

    #[test]
    fn the_state_of_all_devices_is_a_sign_now_and_then() {
        let (mut turn, ended) = ended(Duration::ZERO);
        let mut asked = Vec::new();
        for round in 2..30 {
            turn.want(Wanted::Now, ended);
            assert_eq!(turn.begin(Source::Dm, ended), Some(Wanted::Now));
            if turn.asks_states() {
                asked.push(round);
            }
            turn.end(None, Signs::default(), Sums::default());
        }
        assert_eq!(asked, [12, 24]);
    }
}
