//! The mount table.
#![no_main]

#[path = "../shared/all.rs"]
mod shared;

use libfuzzer_sys::fuzz_target;
use shared::{Altered, bytes};
use thinscope::sys::{Answer, Question};

fuzz_target!(|table: &[u8]| {
    let host = Altered(|question: &Question, answer: Answer| match question {
        Question::File { path, .. } if path.0.0.ends_with(b"/mountinfo") => bytes(table),
        _ => answer,
    });
    shared::report(&shared::snapshot_of(&host));
});
