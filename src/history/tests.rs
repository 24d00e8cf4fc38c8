//! Histories made up by reason: what is kept, what survives, what is foretold.

use super::*;
use crate::model::sample::{direct_lvm, status};
use crate::model::{PoolState, trend::Forecast};
use crate::units::DataBlocks;

const NOW: i64 = 1_795_255_200;
const GIB: u64 = 1 << 30;

fn pool() -> Printable {
    "docker-thinpool".into()
}

/// So many GiB of 100 used, and no metadata to speak of.
fn sample_at(time: i64, gib: f64) -> Sample {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small, positive")]
    #[expect(clippy::cast_precision_loss, reason = "a power of two")]
    let used = Bytes((gib * GIB as f64) as u64);
    let data = Usage { used, total: Bytes(100 * GIB) };
    Sample { time, data, metadata: Usage { used: Bytes(1 << 20), total: Bytes(1 << 30) } }
}

/// A look every so many seconds, back from now, and what was used then.
fn looks(count: u32, every: i64, used: impl Fn(i64) -> f64) -> Vec<Sample> {
    let ago = (0..i64::from(count)).rev().map(|nth| nth * every);
    ago.map(|ago| sample_at(NOW - ago, used(ago))).collect()
}

fn forecast(samples: &[Sample]) -> Option<Forecast> {
    forecast::forecast(samples, |sample| sample.data, NOW)
}

fn hours(seconds: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let seconds = seconds as f64;
    seconds / 3600.0
}

#[test]
fn steady_growth_is_full_when_the_rest_is_used() {
    // one GiB an hour for a day, 60 of 100 GiB used now: 40 hours
    let told = forecast(&looks(97, 900, |ago| 60.0 - hours(ago))).expect("steady");
    assert!(told.full_in_seconds.abs_diff(40 * 3600) < 60, "{told:?}");
    assert!(told.earliest_seconds.abs_diff(told.latest_seconds) < 60, "{told:?}");
    // the shortest window that reaches as far, which is the last two hours
    assert!(told.looks >= 5 && told.over_seconds <= 86_400, "{told:?}");
}

#[test]
fn what_fills_within_minutes_needs_no_day_to_be_seen() {
    // one GiB a minute for ten minutes, 90 used: ten minutes
    let told = forecast(&looks(61, 10, |ago| 90.0 - hours(ago) * 60.0)).expect("fast");
    assert!(told.full_in_seconds.abs_diff(600) < 10, "{told:?}");
    assert_eq!((told.looks, told.over_seconds), (61, 600));
}

#[test]
fn uneven_growth_has_an_earliest_and_a_latest() {
    let told = forecast(&looks(97, 900, |ago| {
        #[expect(clippy::cast_precision_loss, reason = "below four")]
        let wave = (ago / 900 % 4) as f64;
        60.0 - hours(ago) + wave * 0.3
    }))
    .expect("it grows");
    assert!(told.earliest_seconds < told.full_in_seconds, "{told:?}");
    assert!(told.full_in_seconds < told.latest_seconds, "{told:?}");
}

#[test]
fn it_counts_from_now_and_not_from_the_last_look() {
    // 60 % an hour, 10 % left, and the last look was a minute ago
    let mut samples = looks(61, 10, |ago| 90.0 - hours(ago) * 60.0);
    for sample in &mut samples {
        sample.time -= 60;
    }
    let told = forecast(&samples).expect("fast");
    assert!(told.full_in_seconds.abs_diff(540) < 10, "{told:?}");
    assert!(told.earliest_seconds.abs_diff(540) < 10 && told.latest_seconds.abs_diff(540) < 10);
}

#[test]
fn one_jump_does_not_bend_the_forecast() {
    // ten GiB in one look, late on a day of half a GiB an hour
    let steady = |ago: i64| 50.0 - hours(ago) * 0.5;
    let jump = |ago: i64| steady(ago) + if ago < 3 * 3600 { 10.0 } else { 0.0 };
    let told = forecast(&looks(97, 900, jump)).expect("it grows");
    // 40 free: 80 hours; the line through the ends would say 44
    assert!((70 * 3600..=80 * 3600).contains(&told.full_in_seconds), "{told:?}");
}

#[test]
fn nothing_is_foretold_where_the_past_does_not_carry_it() {
    let silent = [
        ("no look", Vec::new()),
        ("too few", looks(4, 900, |ago| 60.0 - hours(ago))),
        ("too short", looks(6, 10, |ago| 60.0 - hours(ago))),
        ("it does not grow", looks(97, 900, |_| 60.0)),
        ("it shrinks", looks(97, 900, |ago| 60.0 + hours(ago))),
        ("it comes and goes", looks(97, 900, |ago| if ago / 900 % 2 == 0 { 60.0 } else { 50.0 })),
        ("too slow to see the end", looks(97, 900, |ago| 60.0 - hours(ago) * 0.01)),
        ("full already", looks(97, 900, |_| 100.0)),
        ("more used than there is", looks(97, 900, |ago| 200.0 - hours(ago))),
    ];
    for (why, samples) in silent {
        assert_eq!(forecast(&samples), None, "{why}");
    }
    let old: Vec<Sample> = looks(97, 900, |ago| 60.0 - hours(ago))
        .into_iter()
        .map(|sample| Sample { time: sample.time - 86_400, ..sample })
        .collect();
    assert_eq!(forecast(&old), None, "nobody has looked for a day");
}

#[test]
fn samples_from_the_future_are_not_believed() {
    let mut samples = looks(97, 900, |ago| 60.0 - hours(ago));
    let told = forecast(&samples);
    samples.extend((1..50).map(|nth| sample_at(NOW + nth * 900, 0.0)));
    assert_eq!(forecast(&samples), told);
}

#[test]
fn a_look_is_noted_where_it_adds_something() {
    let mut history = History::default();
    assert!(history.add(&pool(), sample_at(NOW, 1.0)));
    assert!(!history.add(&pool(), sample_at(NOW + 59, 1.0)), "the same, within a minute");
    assert!(history.add(&pool(), sample_at(NOW + 60, 1.0)));
    assert!(!history.add(&pool(), sample_at(NOW + 69, 2.0)));
    assert!(history.add(&pool(), sample_at(NOW + 70, 2.0)), "another, after ten seconds");
    assert!(!history.add(&pool(), sample_at(NOW + 70, 3.0)), "twice at one moment");
}

#[test]
fn a_year_of_looks_stays_small() {
    let mut history = History::default();
    for minute in 0..60 * 24 * 60 {
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let used = (minute % 97) as f64;
        history.add(&pool(), sample_at(NOW + minute * 60, used));
    }
    assert!(history.len() < 500, "{}", history.len());
    let oldest = history.pools[&pool()][0].time;
    let days = (NOW + 60 * 86_400 - oldest) / 86_400;
    assert!((29..=31).contains(&days), "{days}");
}

#[test]
fn no_more_pools_than_fit_are_kept() {
    let mut history = History::default();
    for nth in 0..1000 {
        history.add(&format!("pool-{nth}").into(), sample_at(NOW, 1.0));
    }
    assert_eq!(history.len(), 64);
    assert!(history.write().len() as u64 * 500 < LARGEST * 2);
}

#[test]
fn what_was_written_is_read_back() {
    let mut history = History::default();
    for sample in looks(50, 900, |ago| 60.0 - hours(ago)) {
        history.add(&pool(), sample);
        history.add(&"odd \"name\" \\x1b".into(), sample);
    }
    assert_eq!(History::parse(history.write().as_bytes()), (history, None));
}

#[test]
fn a_file_cut_anywhere_gives_what_came_before() {
    let mut history = History::default();
    for sample in looks(20, 900, |ago| 60.0 - hours(ago)) {
        history.add(&pool(), sample);
    }
    let text = history.write();
    let head = text.find('\n').expect("a first line") + 1;
    for cut in head..text.len() {
        let (read, damage) = History::parse(&text.as_bytes()[..cut]);
        assert_eq!(damage, Some(Damage::Cut), "{cut}");
        assert!(read.len() <= 20 && text[..cut].lines().count() <= read.len() + 2, "{cut}");
    }
}

#[test]
fn garbage_within_is_left_out_and_said() {
    let text = "{\"thinscope_history\":1}\n[\"p\",1,2,3,4,5]\nnonsense\n[\"p\",-1,2]\n\
                [\"p\",2,2,3,4,18446744073709551616]\n[\"p\",9,2,3,4,5]\n{\"samples\":2}\n";
    let (read, damage) = History::parse(text.as_bytes());
    assert_eq!((read.len(), damage), (2, Some(Damage::Cut)));
}

#[test]
fn another_version_is_known_as_one_and_an_empty_file_as_cut() {
    for text in ["{\"thinscope_history\":2}\n", "{\"other\":1}\n", "hello\n", "\u{1f}\u{8b}"] {
        let damage = History::parse(text.as_bytes()).1;
        assert_eq!(damage, Some(Damage::OfAnotherVersion), "{text}");
    }
    assert_eq!(History::parse(b"").1, Some(Damage::Cut));
    assert_eq!(History::parse(&[0; 4096]).1, Some(Damage::Cut), "a block that was never written");
}

#[test]
fn a_clock_that_was_set_back_takes_out_what_lies_ahead_and_one_never_set_nothing() {
    let topology = direct_lvm().topology();
    let mut history = History::default();
    for nth in 0..10 {
        assert_eq!(history.look(&topology, NOW + nth * 60), 1);
    }
    assert_eq!(history.look(&topology, 1000), 0, "1970: no clock yet");
    assert_eq!(history.len(), 10);
    assert_eq!(history.look(&topology, NOW + 150), 0, "there is one of half a minute before");
    assert_eq!(history.len(), 3);
    assert_eq!(history.look(&topology, NOW + 400 * 86_400), 1, "a year ahead");
    assert_eq!(history.len(), 1, "all else is too old by that clock");
}

#[test]
fn what_another_run_noted_by_a_clock_set_ahead_is_not_taken_in() {
    let (mut own, mut other) = (History::default(), History::default());
    for sample in looks(20, 900, |ago| 60.0 - hours(ago)) {
        own.add(&pool(), sample);
        other.add(&pool(), sample);
    }
    other.add(&pool(), sample_at(NOW + 60, 60.0));
    own.merge(&other, NOW);
    assert_eq!(own.len(), 21, "a run that looked a minute later is believed");
    other.add(&pool(), sample_at(NOW + 400 * 86_400, 60.0));
    own.merge(&other, NOW + 60);
    assert_eq!(own.pools[&pool()].last().map(|sample| sample.time), Some(NOW + 60));
    assert_eq!(own.len(), 21, "and the year ahead made nothing too old");
    let len = other.len();
    other.merge(&own, 1000);
    assert!(other.len() >= len, "a clock that was never set takes nothing out");
}

#[test]
fn a_pool_that_came_gets_the_place_of_one_that_is_gone_longest() {
    let mut history = History::default();
    for nth in 0..64 {
        history.add(&format!("gone-{nth:02}").into(), sample_at(NOW - 64 + nth, 1.0));
    }
    let topology = direct_lvm().topology();
    assert_eq!(history.look(&topology, NOW), 1);
    assert!(history.pools.contains_key(&pool()));
    assert_eq!(history.pools.len(), 64);
    assert!(!history.pools.contains_key("gone-00"));
    assert!(history.pools.contains_key("gone-01"));
    // the file still has it: put together, the one unseen for longest goes again
    let mut file = History::default();
    file.add(&"gone-00".into(), sample_at(NOW - 64, 1.0));
    history.merge(&file, NOW);
    assert!(history.pools.contains_key(&pool()) && history.pools.len() == 64);
    assert!(!history.pools.contains_key("gone-00"));
}

#[test]
fn a_look_notes_what_the_status_says() {
    let mut parts = direct_lvm();
    let mut full = status();
    full.data.used = DataBlocks(97_280);
    parts.pool.state = PoolState::Active(full);
    let mut history = History::default();
    assert_eq!(history.look(&parts.topology(), NOW), 1);
    let sample = history.pools[&pool()][0];
    assert_eq!(sample.data.used, Bytes(97_280 * 512 * 1024));
    assert_eq!(sample.data.total, Bytes(95 * GIB));
    let mut parts = direct_lvm();
    parts.pool.state = PoolState::Failed;
    assert_eq!(history.look(&parts.topology(), NOW + 600), 0, "a failed pool says nothing");
}

#[test]
fn two_runs_that_kept_their_own_are_put_together() {
    let (mut one, mut other) = (History::default(), History::default());
    for sample in looks(20, 900, |ago| 60.0 - hours(ago)) {
        let half = if sample.time % 1800 == 0 { &mut one } else { &mut other };
        half.add(&pool(), sample);
        other.add(&"another".into(), sample);
    }
    one.merge(&other, NOW);
    assert_eq!(one.pools[&pool()].len(), 20);
    assert!(one.pools[&pool()].is_sorted_by_key(|sample| sample.time));
    let both = one.clone();
    one.merge(&other, NOW);
    assert_eq!(one, both, "twice is once");
}

#[test]
fn the_past_is_shown_in_steps_with_holes_where_nobody_looked() {
    // a day ago 10 %, nothing for half a day, then 50 % and 60 % now
    let samples =
        [sample_at(NOW - 86_400, 10.0), sample_at(NOW - 43_000, 50.0), sample_at(NOW, 60.0)];
    let (steps, over) = steps::steps(&samples, |sample| sample.data, NOW);
    assert_eq!((steps.len(), over), (24, 86_400));
    assert_eq!((steps[0], steps[1], steps[23]), (Some(0.1), None, Some(0.6)));
    assert_eq!(steps[12], Some(0.5));
    assert_eq!(steps::steps(&[], |sample| sample.data, NOW), (Vec::new(), 0));
}
