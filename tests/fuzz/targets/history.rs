//! The file of earlier looks, whoever cut it or wrote into it: what could be read is kept, written
//! and read back as it is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use thinscope::history::{Damage, History, LARGEST};

/// Some moment.
const NOW: i64 = 1_795_255_200;

fuzz_target!(|bytes: &[u8]| {
    let (read, damage) = History::parse(bytes);
    if damage == Some(Damage::OfAnotherVersion) {
        assert!(read.is_empty(), "nothing is taken from another version's file");
    }
    for now in [0, NOW, i64::MIN, i64::MAX] {
        let _ = read.trends(now);
    }
    let mut kept = History::default();
    kept.merge(&read, NOW);
    let text = kept.write();
    assert!(text.len() as u64 <= LARGEST, "{} bytes are too many to be read again", text.len());
    assert_eq!(History::parse(text.as_bytes()), (kept.clone(), None));
    let both = kept.clone();
    kept.merge(&both, NOW);
    assert_eq!(kept, both, "twice is once");
});
