//! When a pool would be full if it goes on filling as it did: Theil and Sen's slope, the middle one
//! of the slopes between all pairs of samples, which single jumps and clocks that were set do not
//! bend. The quarters of those slopes are its uncertainty.
//!
//! Nothing is said where the past does not carry it: too few samples, too short a time, no steady
//! growth, or an end too far away for the time that was seen.

use super::Sample;
use crate::model::Usage;
use crate::model::trend::Forecast;
use crate::units::Bytes;

/// The pasts that are looked at, in seconds: what fills within the hour has no day to show for it.
const WINDOWS: [i64; 4] = [900, 2 * 3600, 86_400, 14 * 86_400];
/// Fewest samples.
const FEWEST: usize = 5;
/// Most that are paired; of more, every so manyth is.
const MOST: usize = 100;
/// Shortest time between the first and the last.
const SHORTEST: i64 = 60;
/// How far ahead is spoken of: so many times the time that was seen.
const REACH: f64 = 12.0;

/// The nearest end that one of the windows gives.
pub(super) fn forecast(
    samples: &[Sample],
    usage: fn(&Sample) -> Usage<Bytes>,
    now: i64,
) -> Option<Forecast> {
    let windows = WINDOWS.into_iter().filter_map(|window| {
        let known: Vec<&Sample> = samples
            .iter()
            .filter(|sample| sample.time <= now && sample.time > now.saturating_sub(window))
            .collect();
        in_window(&known, usage, (window, now))
    });
    windows.min_by_key(|forecast| forecast.full_in_seconds)
}

fn in_window(
    samples: &[&Sample],
    usage: fn(&Sample) -> Usage<Bytes>,
    (window, now): (i64, i64),
) -> Option<Forecast> {
    let (first, last) = (samples.first()?, samples.last()?);
    let span = last.time.saturating_sub(first.time);
    let stale = now.saturating_sub(last.time) > (span / 4).max(120);
    if samples.len() < FEWEST || span < SHORTEST.max(window / 4) || stale {
        return None;
    }
    let free =
        usage(last).total.get().checked_sub(usage(last).used.get()).filter(|free| *free > 0)?;
    let slopes = slopes(samples, usage);
    let at = |part: usize| slopes.get(slopes.len().saturating_sub(1) * part / 4).copied();
    let (slow, middle, fast) = (at(1)?, at(2)?, at(3)?);
    if slow <= 0.0 {
        return None;
    }
    // what was free at the last look has been filling since
    let since = float(u64::try_from(now.saturating_sub(last.time)).ok()?);
    let left = |pace: f64| whole((float(free) / pace - since).max(0.0));
    (float(free) / middle <= REACH * float(u64::try_from(span).ok()?)).then(|| Forecast {
        full_in_seconds: left(middle),
        earliest_seconds: left(fast),
        latest_seconds: left(slow),
        looks: u32::try_from(samples.len()).unwrap_or(u32::MAX),
        over_seconds: u64::try_from(span).unwrap_or(0),
    })
}

/// Bytes a second between each two samples, the slowest first.
fn slopes(samples: &[&Sample], usage: fn(&Sample) -> Usage<Bytes>) -> Vec<f64> {
    let stride = samples.len().div_ceil(MOST).max(1);
    let some: Vec<(i64, u64)> = samples
        .iter()
        .rev()
        .step_by(stride)
        .map(|sample| (sample.time, usage(sample).used.get()))
        .collect();
    let mut slopes = Vec::with_capacity(some.len() * some.len() / 2);
    for (nth, later) in some.iter().enumerate() {
        for earlier in &some[nth + 1..] {
            let seconds = later.0.saturating_sub(earlier.0);
            if seconds > 0 {
                let rose = float(later.1) - float(earlier.1);
                slopes.push(rose / float(u64::try_from(seconds).unwrap_or(u64::MAX)));
            }
        }
    }
    slopes.sort_unstable_by(f64::total_cmp);
    slopes
}

#[expect(clippy::cast_precision_loss, reason = "a forecast of bytes: 53 bits are plenty")]
const fn float(number: u64) -> f64 {
    number as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive, and a cast from a float saturates"
)]
const fn whole(seconds: f64) -> u64 {
    seconds as u64
}
