//! What one look at device-mapper cannot tell: a device that is being activated while
//! containerd's database is read.

use super::*;
use crate::ids::DevNo;
use crate::model::Engine;
use crate::model::engine::Misfit;
use crate::sys::capture::write_answer;
use crate::sys::{
    Answer, BoltBucket, BoltKeep, BoltSeen, BoltValue, EntryKind, FileStat, HostPath, Keep,
    Question, Raw, Reply,
};

/// The pool `p` without `p-snap-1`, which is there from the second look on where `$dir/comes` is.
const DM: &str = r#"
case $2 in
dm)
    echo whole >> $dir/asked
    more=
    [ -e $dir/comes ] && [ $(wc -l < $dir/asked) -gt 1 ] &&
        more=',{"dev":"253:9","name":"p-snap-1","event_nr":0}'
    echo '{"source":"dm","question":"dm-list","answer":{"ms":0,"result":{"Ok":{"dm-list":[{"dev":"253:2","name":"p","event_nr":0}'$more']}}}}'
    echo '{"source":"dm","question":{"dm-device":"253:2"},"answer":{"ms":0,"result":{"Ok":{"dm-device":{"name":"p","uuid":"","open_count":0,"event_nr":0,"suspended":false,"read_only":false,"deferred_remove":false,"inactive_table":false,"table":[{"start":0,"length":800,"kind":"thin-pool","params":"253:0 253:1 128 0 0 "}],"deps":["253:0"]}}}}}'
    echo '{"source":"dm","question":{"dm-device":"253:9"},"answer":{"ms":0,"result":{"Ok":{"dm-device":{"name":"p-snap-1","uuid":"","open_count":1,"event_nr":0,"suspended":false,"read_only":false,"deferred_remove":false,"inactive_table":false,"table":[{"start":0,"length":800,"kind":"thin","params":"253:2 7"}],"deps":["253:2"]}}}}}'
    echo '{"source":"dm","question":{"dm-status":"253:2"},"answer":{"ms":0,"result":{"Ok":{"bytes":"0 800 thin-pool 1 10/100 5/100 - rw discard_passdown queue_if_no_space - 24"}}}}'
    echo '{"end":{"records":4}}' ;;
containerd)
    # the first look at device-mapper has come in by then: the order that misled
    until [ -e $dir/asked ]; do sleep 0.02; done
    sleep 0.3
    cat $dir/containerd ;;
metadata)
    echo '{"facts":"{\"pools\":[]}"}'
    echo '{"end":{"records":0}}' ;;
*) echo '{"end":{"records":0}}' ;;
esac
"#;

/// A running containerd with the pool `p`, in whose record device 7 is active.
fn containerd() -> Vec<(Question, Answer)> {
    let file = |path: &str, keep, text: &str| {
        let question = Question::File { path: HostPath::new(path), keep, within: None };
        (question, Answer::ok(Reply::Bytes(text.into())))
    };
    let config = r#"{"plugins":{"devmapper":{"pool_name":"p"}}}"#;
    let bucket = |key: &str, value: &[u8]| {
        let entries = vec![(Raw::from(key), BoltValue::Bytes(Raw(value.to_vec())))];
        BoltValue::Bucket(BoltBucket { sequence: 7, entries })
    };
    let devices = bucket("p-snap-1", br#"{"device_id":7,"state":4}"#);
    let entries =
        vec![(Raw::from("devices"), devices), (Raw::from("device_ids"), bucket("7", &[1]))];
    let root = BoltBucket { sequence: 0, entries };
    let path = HostPath::new("/var/lib/containerd/io.containerd.snapshotter.v1.devmapper/p.db");
    let (dev, kind) = (DevNo::new(8, 1), EntryKind::File);
    let stat = FileStat { kind, dev, rdev: dev, ino: 567, size: 8, allocated: 8, mtime: 0 };
    let keep = BoltKeep::ContainerdPool;
    vec![
        file("/etc/containerd/config.toml", Keep::ContainerdConfig, config),
        (
            Question::Bolt { path: path.clone(), keep },
            Answer::ok(Reply::Bolt(BoltSeen { transaction: 3, root })),
        ),
        (Question::Stat(path), Answer::ok(Reply::Stat(stat))),
        file("/proc/locks", Keep::All, "1: FLOCK  ADVISORY  WRITE 312 08:01:567 0 EOF\n"),
    ]
}

fn program(comes: bool) -> Program {
    let program = Program::new(DM);
    let mut out = Vec::new();
    let answers = containerd();
    for (question, answer) in &answers {
        write_answer(Source::Containerd, question, answer, &mut out);
    }
    writeln!(out, r#"{{"end":{{"records":{}}}}}"#, answers.len()).expect("written");
    std::fs::write(program.0.path().join("containerd"), out).expect("written");
    if comes {
        std::fs::write(program.0.path().join("comes"), "").expect("written");
    }
    program
}

fn misfits(seen: &Snapshot) -> Vec<Misfit> {
    let said = seen.topology.pools.iter().flat_map(|pool| &pool.engine_facts);
    let said = said.filter(|said| said.engine == Engine::Containerd);
    said.flat_map(|said| said.mismatches.iter().map(|one| one.what.clone()))
        .filter(|what| *what == Misfit::NotActive)
        .collect()
}

#[test]
fn a_command_looks_at_device_mapper_again_before_it_says_that_a_device_is_not_active() {
    let gone = program(false);
    assert_eq!(misfits(&gone.look(&[])), [Misfit::NotActive]);
    assert_eq!(count(&gone, "whole"), 2);
    let coming = program(true);
    assert_eq!(misfits(&coming.look(&[])), []);
}

#[test]
fn a_recording_holds_both_looks_at_device_mapper() {
    for (comes, expected) in [(false, &[Misfit::NotActive][..]), (true, &[])] {
        let program = program(comes);
        let file = program.0.path().join("host.capture");
        let out = std::fs::File::create(&file).expect("made");
        capture(&program.plan(&[]), out).expect("written");
        let plan = LookPlan::new(Place::File(file), LookOptions::default());
        let replayed = look_once(&plan).expect("a recording").snapshot;
        assert_eq!(misfits(&replayed), expected);
    }
}

#[test]
fn the_screen_is_told_after_a_second_look_at_device_mapper() {
    let program = program(false);
    let (mut watched, _survey) =
        Survey::start(program.plan(&[]), Duration::from_secs(60)).expect("begun");
    wait_for(&mut watched, |seen| !misfits(seen).is_empty());
    assert!(count(&program, "whole") >= 2, "{:?}", program.notes("asked"));
}
