//! One pool: its figures, whether they are within the ranges, and what of it is not known.

use super::perfdata::Figure;
use super::{Problem, State, Summary, Thresholds, Verdict};
use crate::format;
use crate::model::{Mode, Pool, PoolState, Snapshot, Topology, Usage};
use crate::report::text::describe_forecast;
use crate::units::Bytes;

/// A pool that would be full earlier than this is a warning, in seconds.
const SOON: u64 = 86_400;
/// And earlier than this critical: whoever is called now has time to grow it, and not much.
const AT_ONCE: u64 = 3600;

/// All pools in a few words: the only one, or the fullest of several.
pub(super) fn summary(topology: &Topology) -> Summary {
    let fullest = topology.pools.iter().max_by(|one, other| {
        let fill = |pool: &Pool| percent(pool.data_usage()).unwrap_or(-1.0);
        fill(one).total_cmp(&fill(other))
    });
    let Some(pool) = fullest else { return Summary::default() };
    let words = |what: &str, usage| {
        percent(usage)
            .map_or_else(|| format!("{what} ?"), |used| format!("{what} {}%", used.floor()))
    };
    let figures = if pool.state == PoolState::Inactive {
        vec!["inactive".to_owned()]
    } else {
        let (data, metadata) = (pool.data_usage(), pool.metadata_usage());
        vec![words("data", data), words("metadata", metadata)]
    };
    Summary { pools: topology.pools.len(), name: pool.name.to_string(), figures }
}

/// Adds what one pool adds.
pub(super) fn judge(
    snapshot: &Snapshot,
    pool: &Pool,
    thresholds: &Thresholds,
    verdict: &mut Verdict,
) {
    for (what, usage) in [("data", pool.data_usage()), ("metadata", pool.metadata_usage())] {
        verdict.figures.extend(figures(pool, what, usage, thresholds));
        let Some(used) = percent(usage) else { continue };
        let state = if thresholds.crit.alerts(used) {
            State::Critical
        } else if thresholds.warn.alerts(used) {
            State::Warning
        } else {
            continue;
        };
        verdict.problems.push(Problem::about(state, &pool.name, format!("{what} {used}% used")));
    }
    judge_forecast(snapshot, pool, verdict);
    if let Some((short, long)) = unknown(&snapshot.topology, pool) {
        let problem = Problem::about(State::Unknown, &pool.name, short);
        verdict.problems.push(Problem { long, ..problem });
    }
}

/// Full within a day at the pace of the past is a warning, within an hour critical, as long as there
/// is a past to go by.
fn judge_forecast(snapshot: &Snapshot, pool: &Pool, verdict: &mut Verdict) {
    let trend = snapshot.trends.of(&pool.name);
    let forecasts = [
        ("data", trend.and_then(|trend| trend.data.forecast)),
        ("metadata", trend.and_then(|trend| trend.metadata.forecast)),
    ];
    for (what, forecast) in forecasts {
        let seconds = forecast.map(|forecast| forecast.full_in_seconds);
        let label = format!("{} {what} full in", pool.name);
        let mut figure = Figure::new(label, seconds.map(exact), "s");
        (figure.warn, figure.crit) = (format!("{SOON}:"), format!("{AT_ONCE}:"));
        verdict.figures.push(figure);
        let Some(forecast) = forecast.filter(|forecast| forecast.full_in_seconds < SOON) else {
            continue;
        };
        let within = format::about(forecast.full_in_seconds);
        let grave = forecast.full_in_seconds < AT_ONCE;
        let state = if grave { State::Critical } else { State::Warning };
        let mut problem =
            Problem::about(state, &pool.name, format!("{what} full in about {within}"));
        problem.long =
            Some(format!("the {what} of {} {}", pool.name, describe_forecast(&forecast)));
        verdict.problems.push(problem);
    }
}

fn figures(
    pool: &Pool,
    what: &str,
    usage: Option<Usage<Bytes>>,
    thresholds: &Thresholds,
) -> [Figure; 2] {
    let label = format!("{} {what}", pool.name);
    let mut share = Figure::new(label.clone(), percent(usage), "%");
    (share.warn, share.crit) = (thresholds.warn.to_string(), thresholds.crit.to_string());
    share.max = Some(100.0);
    let bytes = |bytes: Bytes| exact(bytes.get());
    let mut used = Figure::new(format!("{label} used"), usage.map(|usage| bytes(usage.used)), "B");
    used.max = usage.map(|usage| bytes(usage.total));
    [share, used]
}

/// What is not known of a pool and would have to be, to say that all is well: in a few words, and
/// in a sentence where there is more to say.
fn unknown(topology: &Topology, pool: &Pool) -> Option<(String, Option<String>)> {
    let name = &pool.name;
    let short = |words: &str| Some((words.to_owned(), None));
    let status = match &pool.state {
        PoolState::Unseen { why } => {
            let long = format!("the status of {name} was not seen: {why}");
            return Some(("status was not seen".to_owned(), Some(long)));
        }
        // a failed one is a finding, and of an inactive one there is no status and no monitoring
        PoolState::Failed | PoolState::Inactive => return None,
        PoolState::Active(status) => status,
    };
    if let Mode::Unknown(word) = &status.mode {
        return short(&format!("mode {word} unknown"));
    }
    if pool.block_size.is_none() {
        return short("block size was not seen");
    }
    let full = [("data", pool.data_usage()), ("metadata", pool.metadata_usage())];
    if let Some((what, _)) = full.into_iter().find(|(_, usage)| percent(*usage).is_none()) {
        return short(&format!("{what} fill unknown"));
    }
    let dm = topology.node(pool.node).facts.dm.as_ref();
    let is_lvm = pool.lv.is_some() || dm.is_some_and(|dm| dm.uuid.as_str().starts_with("LVM-"));
    if is_lvm && pool.monitor.is_none() {
        let long = format!("LVM does not say whether {name} is monitored and can grow");
        return Some(("monitoring unknown".to_owned(), Some(long)));
    }
    let file = pool.policy_hidden_in.as_ref()?;
    let long = format!("whether LVM grows {name} is not known: {file} could not be read");
    Some(("growth unknown".to_owned(), Some(long)))
}

/// Used percent to two decimals: what is printed is what is judged.
fn percent(usage: Option<Usage<Bytes>>) -> Option<f64> {
    let usage = usage.filter(|usage| usage.total.get() > 0)?;
    let hundredths = u128::from(usage.used.get()) * 10_000 / u128::from(usage.total.get());
    // far below 2^53 unless a pool uses more than there is
    Some(exact(u64::try_from(hundredths).unwrap_or(u64::MAX)) / 100.0)
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 8 PiB, and to the digit beyond")]
const fn exact(number: u64) -> f64 {
    number as f64
}
