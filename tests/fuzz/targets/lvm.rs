//! What `lvm fullreport` prints, on a host whose device-mapper is sound.
#![no_main]

#[path = "../shared/all.rs"]
mod shared;

use libfuzzer_sys::fuzz_target;
use shared::Altered;
use thinscope::sys::{Answer, Question, Raw, Reply, RunOutput};

fuzz_target!(|stdout: &[u8]| {
    let host = Altered(|question: &Question, answer: Answer| match question {
        Question::Run(_) => Answer::ok(Reply::Ran(RunOutput {
            exit: Some(0),
            stdout: Raw(stdout.to_vec()),
            stderr: Raw(stdout.iter().copied().take(200).collect()),
        })),
        _ => answer,
    });
    shared::report(&shared::snapshot_of(&host));
});
