//! A recording, whatever the file turns out to be: read, made facts of, assembled, reported.
#![no_main]

#[path = "../shared/all.rs"]
mod shared;

use libfuzzer_sys::fuzz_target;
use thinscope::probe::{Facts, LookOptions, read_source};
use thinscope::sys::capture::Reader;

fuzz_target!(|bytes: &[u8]| {
    let Ok((header, mut reader)) = Reader::open(bytes) else { return };
    let options: LookOptions = serde_json::from_value(header.options).unwrap_or_default();
    let mut facts = Facts::default();
    for recording in reader.by_ref() {
        facts.put(read_source(recording.source(), &recording, &options));
    }
    let _ = reader.damage();
    shared::report(&shared::snapshot(&facts));
});
