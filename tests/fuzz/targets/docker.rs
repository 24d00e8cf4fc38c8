//! One of Docker's files: a first byte that chooses which, then what is in it. All others are
//! sound, so that what it says meets something to be at odds with.
#![no_main]

#[path = "../shared/all.rs"]
mod shared;

use libfuzzer_sys::fuzz_target;
use shared::{Altered, bytes};
use thinscope::sys::{Answer, Question, Raw, Reply};

/// How the paths end of the files that are replaced, one kind at a time; what is in a folder of
/// many is replaced in every third of them.
const KINDS: [&str; 15] = [
    "/etc/docker/daemon.json",
    "/docker.pid",
    "/cmdline",
    "/repositories.json",
    "/transaction-metadata",
    "/setup-config.json",
    "deviceset-metadata",
    "metadata/",
    "cache-id",
    "/parent",
    "/mount-id",
    "/init-id",
    "/diff",
    "config.v2.json",
    "content/sha256/",
];

fuzz_target!(|input: &[u8]| {
    let Some((choice, content)) = input.split_first() else { return };
    let kind = KINDS[usize::from(*choice) % KINDS.len()];
    let host = Altered(|question: &Question, answer: Answer| match (question, answer.result) {
        (Question::File { path, .. }, _) if path.0.0.ends_with(kind.as_bytes()) => bytes(content),
        (Question::Tree { dir, .. }, Ok(Reply::Tree(mut files))) => {
            let within = kind.strip_suffix('/').is_some_and(|end| dir.0.0.ends_with(end.as_bytes()));
            let chosen = files
                .iter_mut()
                .filter(|file| within || file.path.0.ends_with(kind.as_bytes()));
            for file in chosen.step_by(3) {
                file.content = Ok(Raw(content.to_vec()));
            }
            Answer::ok(Reply::Tree(files))
        }
        (_, result) => Answer { ms: 0, result },
    });
    shared::report(&shared::snapshot_of(&host));
});
