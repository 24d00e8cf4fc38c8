//! Which sources count as failed: those that could not be read at all, and no others.

use std::sync::Arc;

use super::metadata::{MetadataSeen, PoolLook};
use super::testing::{dm, seen_dm};
use super::{Facts, LookOptions, SourceFacts, read_source};
use crate::model::PoolMetadata;
use crate::sys::{
    Answer, DirEntry, EntryKind, FailKind, Question, Raw, ReadHost, Reply, RunOutput, Source,
};

/// Answers by a rule.
struct Host<F>(F);

impl<F: Fn(&Question) -> Answer + Sync> ReadHost for Host<F> {
    fn ask(&self, question: &Question) -> Answer {
        self.0(question)
    }
}

/// The sources that are failed on a host that answers so.
fn failed(answer: impl Fn(&Question) -> Answer + Sync) -> Vec<&'static str> {
    let host = Host(answer);
    let mut facts = Facts::default();
    for source in Source::ALL {
        facts.put(read_source(source, &host, &LookOptions::default()));
    }
    Source::ALL.into_iter().filter(|one| facts.failed(*one)).map(Source::name).collect()
}

#[test]
fn a_source_that_refuses_everything_has_failed() {
    let denied = failed(|_| Answer::failed(FailKind::Denied, "Permission denied"));
    assert_eq!(denied, ["host", "dm", "block", "mounts", "lvm", "docker", "containerd"]);
}

#[test]
fn what_is_not_installed_has_not_failed() {
    let nothing = failed(|_| Answer::failed(FailKind::NotFound, "No such file or directory"));
    assert_eq!(nothing, ["host", "dm", "block", "mounts"], "each kernel that we run on has these");
    let nobody = Facts::default();
    assert!(Source::ALL.into_iter().all(|source| !nobody.failed(source)), "nothing was asked yet");
}

#[test]
fn one_file_that_cannot_be_read_is_no_failed_source() {
    // the daemon's configuration, the second mount table, everything of containerd's but the folder
    let answer = |question: &Question| match question {
        Question::File { path, .. } if path.0.0 == b"/proc/self/mountinfo" => Answer::ok_bytes(""),
        Question::Dir(path) if path.0.0.ends_with(b"devmapper") => {
            Answer::ok(Reply::Entries(Vec::new()))
        }
        Question::File { .. } => Answer::failed(FailKind::Denied, "Permission denied"),
        _ => Answer::failed(FailKind::NotFound, "No such file or directory"),
    };
    assert_eq!(failed(answer), ["host", "dm", "block"]);
    // the record of a pool is what all of it hangs on
    let record = |question: &Question| match question {
        Question::Dir(path) if path.0.0.ends_with(b"devmapper") => {
            let (name, kind) = ("pool.db".into(), EntryKind::File);
            Answer::ok(Reply::Entries(vec![DirEntry { name, kind }]))
        }
        Question::Bolt { .. } => Answer::failed(FailKind::Malformed, "damaged"),
        _ => Answer::failed(FailKind::NotFound, "No such file or directory"),
    };
    assert!(failed(record).contains(&"containerd"));
}

#[test]
fn lvm_has_failed_where_it_reports_nothing_and_not_where_it_complains() {
    let report = |exit, text: &'static str| {
        failed(move |question| match question {
            Question::Run(_) => Answer::ok(Reply::Ran(RunOutput {
                exit: Some(exit),
                stdout: Raw(text.into()),
                stderr: Raw(b"WARNING: Running as a non-root user.\n".to_vec()),
            })),
            _ => Answer::failed(FailKind::NotFound, "No such file or directory"),
        })
        .contains(&"lvm")
    };
    let empty = r#"{"report":[{"vg":[],"pv":[],"lv":[]}]}"#;
    let one = r#"{"report":[{"vg":[{"vg_uuid":"g7feV2-nMZ5-ayck-0R2e-s1VZ-U2kk-nAHme0",
        "vg_name":"vg"}],"pv":[],"lv":[]}]}"#;
    assert!(report(5, empty), "as nobody sees it");
    assert!(!report(0, empty), "a host without volumes");
    assert!(!report(5, one), "one VG of two is damaged");
    assert!(!report(0, one));
}

#[test]
fn lvm_that_is_not_installed_has_failed_on_a_host_with_its_devices() {
    let host = Host(|_: &Question| Answer::failed(FailKind::NotFound, "lvm is not installed"));
    let with = |uuid: &str| {
        let seen = seen_dm(&[((253, 0), dm("a", uuid, "0 8 linear 8:16 8"))]);
        let mut facts = Facts { dm: Some(Arc::new(seen)), ..Facts::default() };
        facts.put(read_source(Source::Lvm, &host, &LookOptions::default()));
        facts.failed(Source::Lvm)
    };
    assert!(with("LVM-g7feV2nMZ5ayck0R2es1VZU2kknAHme0g7feV2nMZ5ayck0R2es1VZU2kknAHme0"));
    assert!(!with("CRYPT-PLAIN-a"));
}

#[test]
fn metadata_has_failed_where_that_of_no_pool_could_be_read() {
    let of = |read: &[bool]| {
        let look = |(at, read): (usize, &bool)| {
            let read = if *read { Ok(PoolMetadata::default()) } else { Err("no".to_owned()) };
            PoolLook::new(at.to_string(), read)
        };
        let mut facts = Facts::default();
        let pools = read.iter().enumerate().map(look).collect();
        facts.put(SourceFacts::Metadata(MetadataSeen { pools }));
        facts.failed(Source::Metadata)
    };
    assert!(!of(&[]) && !of(&[true]) && !of(&[true, false]));
    assert!(of(&[false]) && of(&[false, false]));
}
