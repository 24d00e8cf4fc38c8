//! The past in equal steps, for a line of small bars.

use super::Sample;
use crate::model::Usage;
use crate::units::{Bytes, ratio};

/// How many.
const STEPS: i64 = 24;
/// The past that is shown: as much as there is, at most this long, in seconds.
const LONGEST: i64 = 7 * 86_400;
/// And at least.
const SHORTEST: i64 = 600;

/// How full it was at the end of each step, and how long all are together.
pub(super) fn steps(
    samples: &[Sample],
    usage: fn(&Sample) -> Usage<Bytes>,
    now: i64,
) -> (Vec<Option<f64>>, u64) {
    let Some(first) = samples.first() else { return (Vec::new(), 0) };
    let over = now.saturating_sub(first.time).clamp(SHORTEST, LONGEST);
    let mut steps = vec![None; usize::try_from(STEPS).unwrap_or(0)];
    for sample in samples {
        let ago = now.saturating_sub(sample.time);
        if !(0..=over).contains(&ago) {
            continue;
        }
        // now is in the last one
        let at = STEPS - 1 - (ago * STEPS / over).min(STEPS - 1);
        let usage = usage(sample);
        if let Some(step) = usize::try_from(at).ok().and_then(|at| steps.get_mut(at)) {
            *step = ratio(usage.used.get(), usage.total.get()).map(|ratio| ratio.min(1.0));
        }
    }
    (steps, u64::try_from(over).unwrap_or(0))
}
