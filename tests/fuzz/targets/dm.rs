//! Device-mapper's own text: a first byte that chooses, then status or the words of a table.
#![no_main]

#[path = "../shared/all.rs"]
mod shared;

use libfuzzer_sys::fuzz_target;
use shared::{Altered, bytes};
use thinscope::sys::{Answer, DmTarget, Question, Raw, Reply};

fuzz_target!(|input: &[u8]| {
    let Some((choice, text)) = input.split_first() else { return };
    // the pool is device 2, thin devices follow
    let device = u32::from(choice >> 1) % 6;
    let host = Altered(|question: &Question, answer: Answer| match (question, answer.result) {
        (Question::DmStatus(dev), _) if choice & 1 == 0 && dev.minor == device => bytes(text),
        (Question::DmDevice(dev), Ok(Reply::DmDevice(mut found)))
            if choice & 1 == 1 && dev.minor == device =>
        {
            found.table = text.split(|byte| *byte == b'\n').filter_map(line).collect();
            Answer::ok(Reply::DmDevice(found))
        }
        (_, result) => Answer { ms: 0, result },
    });
    shared::report(&shared::snapshot_of(&host));
});

/// `START LENGTH KIND PARAMS`
fn line(text: &[u8]) -> Option<DmTarget> {
    let mut words = text.splitn(4, |byte| *byte == b' ');
    let mut word = || String::from_utf8_lossy(words.next().unwrap_or_default()).into_owned();
    let (start, length) = (word().parse().ok()?, word().parse().ok()?);
    let kind = word();
    Some(DmTarget { start, length, kind, params: Raw(words.next().unwrap_or_default().to_vec()) })
}
