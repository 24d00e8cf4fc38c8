//! Ranges as they are typed for `check`, and the line that a host is judged to by them: one line,
//! whose words and figures are told apart by one bar.
#![no_main]

#[path = "../shared/all.rs"]
mod shared;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use thinscope::model::Snapshot;
use thinscope::report::nagios::{Range, Thresholds, judge};

static SEEN: LazyLock<Snapshot> = LazyLock::new(|| shared::snapshot_of(&*shared::SOUND));

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (warn, crit) = text.split_once('\n').unwrap_or((&text, "90"));
    let (Ok(warn), Ok(crit)) = (Range::parse(warn), Range::parse(crit)) else { return };
    for range in [&warn, &crit] {
        assert_eq!(Range::parse(&range.to_string()).as_ref(), Ok(range), "as it was typed");
        for value in [0.0, 50.0, 100.0, -1.0, f64::MAX, f64::MIN] {
            let _ = range.alerts(value);
        }
    }
    let verdict = judge(&SEEN, &Thresholds { warn, crit });
    let mut line = Vec::new();
    verdict.write(&mut line, 0).expect("memory takes it");
    let line = String::from_utf8(line).expect("text");
    assert_eq!((line.lines().count(), line.matches('|').count()), (1, 1), "{line}");
});
