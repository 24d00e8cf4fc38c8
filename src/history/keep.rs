//! Which samples are kept: the older, the fewer.

use super::Sample;

/// Up to such an age, one in so many seconds.
const SPACING: [(i64, i64); 4] = [(600, 10), (3600, 60), (86_400, 900), (30 * 86_400, 10_800)];

/// Leaves at most one sample in each step of time, the newest always.
pub(super) fn thin_out(samples: &mut Vec<Sample>, now: i64) {
    let mut kept: Vec<Sample> = Vec::with_capacity(samples.len());
    for sample in samples.iter().rev() {
        let age = now.saturating_sub(sample.time);
        let Some((_, spacing)) = SPACING.iter().find(|(oldest, _)| age <= *oldest) else { break };
        // by steps of the clock and not of age, so that what is kept once stays kept
        let step = |time: i64| time.div_euclid(*spacing);
        if kept.last().is_none_or(|last| step(last.time) != step(sample.time)) {
            kept.push(*sample);
        }
    }
    kept.reverse();
    *samples = kept;
}
