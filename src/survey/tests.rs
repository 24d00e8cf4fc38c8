//! Looks through children that are shell scripts: they answer, hang, die and lie.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::*;
use crate::model::Snapshot;

mod twice;

/// A program that is started as `PROGRAM __probe SOURCE` with an order on its input. `$2` is
/// the source, `$order` the order, `$dir` the folder.
struct Program(tempfile::TempDir);

impl Program {
    fn new(script: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder can be made");
        let text =
            format!("#!/bin/sh\nIFS= read -r order\ndir={}\n{script}\n", dir.path().display());
        // written by another process: a descriptor of ours, inherited by a child that another
        // test starts meanwhile, would make the kernel say "text file busy"
        let mut writer = Command::new("/bin/sh")
            .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
            .arg(dir.path().join("program"))
            .stdin(Stdio::piped())
            .spawn()
            .expect("every Linux has a shell");
        let input = writer.stdin.take().expect("it is a pipe");
        let mut input = std::io::BufWriter::new(input);
        input.write_all(text.as_bytes()).expect("the shell reads");
        drop(input);
        assert!(writer.wait().expect("it ends").success());
        Self(dir)
    }

    /// `hung` is given up soon; the others have time on the busiest machine.
    fn plan(&self, hung: &[Source]) -> LookPlan {
        let limit = |source| {
            if hung.contains(&source) { Duration::from_secs(1) } else { Duration::from_secs(60) }
        };
        LookPlan {
            program: self.0.path().join("program"),
            limits: Limits {
                dm: limit(Source::Dm),
                block: limit(Source::Block),
                mounts: limit(Source::Mounts),
                lvm: limit(Source::Lvm),
                docker: limit(Source::Docker),
                containerd: limit(Source::Containerd),
                metadata: limit(Source::Metadata),
            },
            ..LookPlan::new(Place::Live { root: None }, LookOptions::default())
        }
    }

    fn look(&self, hung: &[Source]) -> Snapshot {
        look_once(&self.plan(hung)).expect("children can be started").snapshot
    }

    /// The lines of a file that the script wrote.
    fn notes(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.0.path().join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

fn gap<'a>(snapshot: &'a Snapshot, source: &str) -> Option<&'a str> {
    snapshot.gaps.iter().find(|gap| gap.source == *source).map(|gap| gap.why.as_str())
}

fn silent(snapshot: &Snapshot) -> Vec<&'static str> {
    let silent = snapshot.sources.iter().filter(|source| source.silent);
    silent.map(|source| source.source).collect()
}

/// A child that asked one thing and got no answer to it.
const END: &str = r#"
echo '{"source":"'$2'","question":{"dir":"/x"},"answer":{"ms":0,"result":{"Err":{"kind":"not-found","why":"/x: gone"}}}}'
echo '{"end":{"records":1}}'"#;

#[test]
fn a_source_that_hangs_is_given_up_with_its_question_and_the_others_are_seen() {
    let asking =
        r#"{"asking":{"run":{"tool":"lvm","args":["fullreport"],"limit":{"secs":8,"nanos":0}}}}"#;
    let program =
        Program::new(&format!("[ $2 = lvm ] && {{ echo '{asking}'; exec sleep 60; }}\n{END}"));
    let since = Instant::now();
    let seen = program.look(&[Source::Lvm]);
    assert!(since.elapsed() < Duration::from_secs(30));
    assert_eq!(
        gap(&seen, "lvm"),
        Some(
            "no answer within 1 s to the lvm fullreport; LVM may wait for a suspended device or \
             for a lock that another process holds"
        )
    );
    assert_eq!(silent(&seen), ["lvm"]);
    assert_eq!(seen.sources.len(), 8);
    assert!(seen.host.time > 1_600_000_000 && !seen.host.name.is_empty());
}

#[test]
fn a_child_that_dies_and_one_that_babbles_are_gaps_and_not_the_end() {
    let program = Program::new(&format!(
        "[ $2 = dm ] && exit 101\n[ $2 = block ] && {{ echo garbage; exec sleep 60; }}\n{END}"
    ));
    let seen = program.look(&[]);
    let why = "the process that looked ended before its time (exit status: 101)";
    assert_eq!(gap(&seen, "dm"), Some(why));
    assert_eq!(silent(&seen), ["dm", "block"]);
}

#[test]
fn where_no_child_can_be_started_every_source_says_so() {
    let plan = LookPlan {
        program: PathBuf::from("/nonexistent"),
        ..LookPlan::new(Place::Live { root: None }, LookOptions::default())
    };
    let looked = look_once(&plan).expect("a look has an end");
    assert!(looked.nothing);
    assert_eq!(silent(&looked.snapshot), ["dm", "block", "mounts", "lvm", "docker", "containerd"]);
    let why = gap(&looked.snapshot, "dm").expect("it is said");
    assert!(why.starts_with("the process that looks could not be started: No such file"), "{why}");
}

/// Device-mapper with a pool 253:2, its thin devices 253:3 and 253:4, and a pool 253:7; the status
/// of 253:3 never comes.
const STUCK_POOL: &str = r#"
device() { echo '{"source":"dm","question":{"dm-device":"'$1'"},"answer":{"ms":0,"result":{"Ok":{"dm-device":{"name":"n'$1'","uuid":"","open_count":0,"event_nr":0,"suspended":false,"read_only":false,"deferred_remove":false,"inactive_table":false,"table":[{"start":0,"length":8,"kind":"'$2'","params":""}],"deps":["'$3'"]}}}}}'; }
status() { echo '{"source":"dm","question":{"dm-status":"'$1'"},"answer":{"ms":0,"result":{"Ok":{"bytes":"0 8 thin 0 -"}}}}'; }
[ $2 = dm ] || { echo '{"end":{"records":0}}'; exit; }
echo "$order" | sed 's/.*"skip"://; s/,"signs.*//' >> $dir/skips
device 253:2 thin-pool 253:1; device 253:3 thin 253:2; device 253:4 thin 253:2; device 253:7 thin-pool 253:6
case "$order" in
*'"253:3"'*) status 253:7; echo '{"end":{"records":5}}' ;;
*) echo '{"asking":{"dm-status":"253:3"}}'; exec sleep 60 ;;
esac
"#;

#[test]
fn a_device_that_hangs_is_left_out_with_its_pool_and_the_others_are_asked_again() {
    let program = Program::new(STUCK_POOL);
    let seen = program.look(&[Source::Dm]);
    assert_eq!(silent(&seen), [""; 0], "the second child answered");
    assert_eq!(program.notes("skips").len(), 2);
    assert_eq!(program.notes("skips")[0], "[]");
    let mut skipped: Vec<_> =
        program.notes("skips")[1].trim_matches(['[', ']']).split(',').map(str::to_owned).collect();
    skipped.sort();
    skipped.dedup();
    assert_eq!(skipped, [r#""253:2""#, r#""253:3""#, r#""253:4""#], "253:7 is another pool");
}

#[test]
fn device_mapper_that_always_hangs_is_given_up_after_three_children() {
    let program = Program::new(concat!(
        "[ $2 = dm ] || { echo '{\"end\":{\"records\":0}}'; exit; }\n",
        "echo x >> $dir/children\n",
        "echo '{\"asking\":{\"dm-status\":\"253:3\"}}'; exec sleep 60"
    ));
    let seen = program.look(&[Source::Dm]);
    assert_eq!(program.notes("children").len(), 3);
    let why = gap(&seen, "dm").expect("it is said");
    assert!(why.starts_with("no answer within 1 s to the status of device 253:3; "), "{why}");
}

#[test]
fn a_capture_says_what_it_could_not_see_and_a_replay_says_the_same() {
    let asking =
        r#"{"asking":{"run":{"tool":"lvm","args":["fullreport"],"limit":{"secs":8,"nanos":0}}}}"#;
    let program =
        Program::new(&format!("[ $2 = lvm ] && {{ echo '{asking}'; exec sleep 60; }}\n{END}"));
    let file = program.0.path().join("host.capture");
    let out = std::fs::File::create(&file).expect("made");
    let gaps = capture(&program.plan(&[Source::Lvm]), out).expect("written");
    let plan = LookPlan::new(Place::File(file), LookOptions::default());
    let replayed = look_once(&plan).expect("a recording").snapshot;
    assert_eq!(replayed.gaps, gaps);
    assert_eq!(silent(&replayed), ["lvm"]);
    assert_eq!(
        replayed.host.name.as_str().as_bytes(),
        nix::unistd::gethostname().expect("it has a name").as_encoded_bytes()
    );
}

#[test]
fn a_recording_that_was_cut_shows_what_is_left_and_says_so() {
    let program = Program::new(END);
    let mut file = Vec::new();
    capture(&program.plan(&[]), &mut file).expect("written");
    let path = program.0.path().join("cut");
    std::fs::write(&path, &file[..file.len() - 12]).expect("written");
    let plan = LookPlan::new(Place::File(path), LookOptions::default());
    let seen = look_once(&plan).expect("it is one").snapshot;
    let why = seen.gaps.iter().find(|gap| gap.why.as_str().contains("is damaged"));
    assert!(why.is_some(), "{:?}", seen.gaps);
}

#[test]
fn what_is_no_recording_and_what_is_not_there_are_errors_with_the_file_s_name() {
    let error = |path: &str| {
        let plan = LookPlan::new(Place::File(PathBuf::from(path)), LookOptions::default());
        look_once(&plan).expect_err("no recording").to_string()
    };
    assert!(error("/bin/sh").starts_with("/bin/sh: it is not a thinscope recording"));
    let missing = error("/nonexistent\u{1b}[31m");
    assert!(missing.starts_with("/nonexistent\\x1b[31m: it cannot be opened: No such file"));
}

#[test]
fn a_recorded_host_is_not_recorded_again() {
    let plan = LookPlan::new(Place::File(PathBuf::from("/x")), LookOptions::default());
    assert!(matches!(capture(&plan, Vec::new()), Err(LookError::AlreadyRecorded(_))));
}

/// Waits until a snapshot is as wanted; never longer than half a minute.
fn wait_for(watched: &mut Watched, wanted: impl Fn(&Snapshot) -> bool) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    let wait = async {
        let wait = watched.wait_for(|snapshot| wanted(snapshot));
        tokio::time::timeout(Duration::from_secs(30), wait).await.is_ok()
    };
    assert!(runtime.block_on(wait), "it never came");
}

fn loading(snapshot: &Snapshot) -> Vec<&'static str> {
    let loading = snapshot.sources.iter().filter(|source| source.answered_at_ms.is_none());
    loading.map(|source| source.source).collect()
}

#[test]
fn the_first_snapshot_is_there_at_once_and_fills_source_by_source() {
    let program =
        Program::new(&format!("[ $2 = dm ] && until [ -e $dir/go ]; do sleep 0.02; done\n{END}"));
    let plan = program.plan(&[]);
    let (mut watched, _survey) = Survey::start(plan, Duration::from_secs(5)).expect("begun");
    assert_eq!(
        loading(&watched.borrow()),
        ["host", "dm", "block", "mounts", "lvm", "docker", "containerd", "metadata"]
    );
    wait_for(&mut watched, |seen| loading(seen) == ["dm"]);
    std::fs::write(program.0.path().join("go"), "").expect("written");
    wait_for(&mut watched, |seen| loading(seen).is_empty());
}

/// Answers with two pools' worth of device-mapper, and tells a number when asked for signs of
/// change; notes what it was asked.
const QUIET: &str = r#"
[ $2 = dm ] || { echo '{"end":{"records":0}}'; exit; }
case "$order" in
*'"signs":null'*) ;;
*) echo signs >> $dir/asked
   sign=$(cat $dir/sign)
   echo '{"sign":'$sign'}'
   case "$order" in *'"known":{"few":'$sign,*) echo '{"end":{"records":0}}'; exit ;; esac ;;
esac
echo whole >> $dir/asked
echo '{"source":"dm","question":"dm-list","answer":{"ms":0,"result":{"Ok":{"dm-list":[]}}}}'
echo '{"end":{"records":1}}'
"#;

fn count(program: &Program, what: &str) -> usize {
    program.notes("asked").iter().filter(|note| *note == what).count()
}

fn wait_until(program: &Program, mut done: impl FnMut(&Program) -> bool) {
    let until = Instant::now() + Duration::from_secs(30);
    while !done(program) {
        assert!(Instant::now() < until, "it never came: {:?}", program.notes("asked"));
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_quiet_host_is_only_asked_for_signs_of_change() {
    let program = Program::new(QUIET);
    let sign = |number: &str| {
        std::fs::write(program.0.path().join("sign"), number).expect("written");
    };
    sign("7");
    let (mut watched, survey) =
        Survey::start(program.plan(&[]), Duration::from_millis(20)).expect("begun");
    // also where the state of all devices is one of them, now and then
    wait_until(&program, |program| count(program, "signs") >= 30);
    // the first look, and one more after signs were first known
    assert_eq!(count(&program, "whole"), 2);
    // the first looks of slower sources may still come between
    wait_until(&program, |_| {
        let before = std::sync::Arc::clone(&watched.borrow().topology);
        let generation = watched.borrow().generation;
        wait_for(&mut watched, |seen| seen.generation > generation);
        std::sync::Arc::ptr_eq(&before, &watched.borrow().topology)
    });

    sign("8");
    wait_until(&program, |program| count(program, "whole") >= 3);
    survey.look_again();
    wait_until(&program, |program| count(program, "whole") >= 4);
    drop(survey);
    wait_for_end(&mut watched);
}

/// Answers one order after another, and notes who does.
const STANDING: &str = r#"
[ $2 = dm ] || { echo '{"end":{"records":0}}'; exit; }
while :; do
    echo $$ >> $dir/asked
    echo '{"source":"dm","question":"dm-list","answer":{"ms":0,"result":{"Ok":{"dm-list":[]}}}}'
    echo '{"end":{"records":1}}'
    IFS= read -r order || { echo ended >> $dir/asked; exit; }
done
"#;

#[test]
fn a_child_stays_for_the_next_look_and_one_that_was_killed_is_replaced_unsaid() {
    let program = Program::new(STANDING);
    let (watched, survey) =
        Survey::start(program.plan(&[]), Duration::from_millis(20)).expect("begun");
    wait_until(&program, |program| program.notes("asked").len() >= 5);
    let first = program.notes("asked")[0].clone();
    assert_eq!(count(&program, &first), program.notes("asked").len(), "one child answers all");

    let pid: i32 = first.parse().expect("a number");
    let pid = nix::unistd::Pid::from_raw(pid);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).expect("it is there");
    let others = |program: &Program| {
        program.notes("asked").into_iter().filter(|note| *note != first).collect::<Vec<_>>()
    };
    wait_until(&program, |program| others(program).len() >= 5);
    let second = others(&program)[0].clone();
    assert_eq!(count(&program, &second), others(&program).len(), "and one again");
    assert_eq!(silent(&watched.borrow()), [""; 0]);
    let not_asked = "version of device-mapper: not in the recording";
    assert_eq!(gap(&watched.borrow(), "dm"), Some(not_asked), "and none that speaks of an end");
    drop(survey);
    let gone = format!("/proc/{second}");
    wait_until(&program, |_| !Path::new(&gone).exists());
}

#[test]
fn while_it_pauses_no_look_is_under_way_and_none_begins() {
    let program = Program::new(&format!(
        "[ $2 = lvm ] || {{ {END}\nexit; }}\necho begun >> $dir/asked\n\
         until [ -e $dir/go ]; do sleep 0.02; done\necho ended >> $dir/asked\n{END}"
    ));
    let (_watched, survey) =
        Survey::start(program.plan(&[]), Duration::from_millis(20)).expect("begun");
    wait_until(&program, |program| count(program, "begun") == 1);
    let go = program.0.path().join("go");
    let opened = std::thread::spawn(move || std::fs::write(go, "").expect("written"));
    let pause = survey.pause();
    assert_eq!(count(&program, "ended"), 1, "the look under way was waited for");
    survey.look_again();
    // what was asked for before is dealt with when this comes back
    let other = survey.pause();
    drop(pause);
    let third = survey.pause();
    assert_eq!(count(&program, "begun"), 1, "as long as one is held");
    drop((other, third));
    wait_until(&program, |program| count(program, "begun") >= 2);
    opened.join().expect("it wrote");
}

fn wait_for_end(watched: &mut Watched) {
    let until = Instant::now() + Duration::from_secs(30);
    while watched.has_changed().is_ok() {
        assert!(Instant::now() < until, "the survey goes on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_source_that_falls_silent_keeps_what_it_said_and_says_that_it_is_silent() {
    let program = Program::new(concat!(
        "[ $2 = docker ] && [ -e $dir/hang ] && exec sleep 60\n",
        "echo '{\"end\":{\"records\":0}}'"
    ));
    let (mut watched, survey) =
        Survey::start(program.plan(&[Source::Docker]), Duration::from_secs(60)).expect("begun");
    wait_for(&mut watched, |seen| loading(seen).is_empty());
    let answered = |seen: &Snapshot| {
        seen.sources.iter().find(|source| source.source == "docker").map(|one| one.answered_at_ms)
    };
    let before = answered(&watched.borrow());
    std::fs::write(program.0.path().join("hang"), "").expect("written");
    survey.look_again();
    wait_for(&mut watched, |seen| silent(seen) == ["docker"]);
    assert_eq!(answered(&watched.borrow()), before, "its age goes on");
    assert_eq!(gap(&watched.borrow(), "docker"), Some("no answer within 1 s"));
    std::fs::remove_file(program.0.path().join("hang")).expect("it is there");
    survey.look_again();
    wait_for(&mut watched, |seen| silent(seen).is_empty());
}

#[test]
fn a_recorded_host_is_named_at_once_and_is_one_snapshot_that_stays() {
    let program = Program::new(END);
    let file = program.0.path().join("host.capture");
    let out = std::fs::File::create(&file).expect("made");
    capture(&program.plan(&[]), out).expect("written");
    let plan = LookPlan::new(Place::File(file.clone()), LookOptions::default());
    let (mut watched, survey) = Survey::start(plan, Duration::from_millis(1)).expect("a recording");
    let host = watched.borrow().host.clone();
    wait_for(&mut watched, |seen| loading(seen).is_empty());
    survey.look_again();
    let seen = watched.borrow();
    assert_eq!((&host.name, host.time), (&seen.host.name, seen.host.time));
    assert_eq!(seen.generation, 2);
    let name = file.to_str().expect("the folder's name is text").into();
    assert_eq!(seen.origin, crate::model::Origin::Recorded { name });
    assert!(loading(&seen).is_empty());
}

#[test]
fn a_program_path_is_this_program_unless_a_test_says_otherwise() {
    let plan = LookPlan::new(Place::Live { root: None }, LookOptions::default());
    assert_eq!(plan.program, Path::new("/proc/self/exe"));
}

/// A host with one active pool, whose metadata is read for ever, telling how far, unless only the
/// details are wanted.
const ENDLESS: &str = r#"
case $2 in
dm)
    echo '{"source":"dm","question":"dm-list","answer":{"ms":0,"result":{"Ok":{"dm-list":[{"dev":"253:2","name":"p","event_nr":0},{"dev":"253:0","name":"m","event_nr":0}]}}}}'
    echo '{"source":"dm","question":{"dm-device":"253:2"},"answer":{"ms":0,"result":{"Ok":{"dm-device":{"name":"p","uuid":"","open_count":0,"event_nr":0,"suspended":false,"read_only":false,"deferred_remove":false,"inactive_table":false,"table":[{"start":0,"length":800,"kind":"thin-pool","params":"253:0 253:1 128 0 0 "}],"deps":["253:0"]}}}}}'
    echo '{"source":"dm","question":{"dm-device":"253:0"},"answer":{"ms":0,"result":{"Ok":{"dm-device":{"name":"m","uuid":"","open_count":0,"event_nr":0,"suspended":false,"read_only":false,"deferred_remove":false,"inactive_table":false,"table":[{"start":0,"length":800,"kind":"linear","params":"8:0 0"}],"deps":[]}}}}}'
    echo '{"end":{"records":3}}' ;;
metadata)
    echo "$order" >> $dir/asked
    case "$order" in
    *'"depth":"mappings"'*) while echo '{"progress":[3,10]}'; do sleep 0.05; done ;;
    esac
    echo '{"facts":"{\"pools\":[]}"}'
    echo '{"end":{"records":0}}' ;;
*) echo '{"end":{"records":0}}' ;;
esac
"#;

#[test]
fn a_long_reading_tells_how_far_it_is_and_can_be_stopped() {
    let program = Program::new(ENDLESS);
    let (mut watched, survey) =
        Survey::start(program.plan(&[]), Duration::from_secs(5)).expect("begun");
    let metadata = |seen: &Snapshot| {
        let found = seen.sources.iter().find(|source| source.source == "metadata");
        found.expect("it is a source").clone()
    };
    wait_for(&mut watched, |seen| metadata(seen).answered_at_ms.is_some());
    survey.read_mappings();
    wait_for(&mut watched, |seen| metadata(seen).progress == Some((3, 10)));
    let before = metadata(&watched.borrow()).answered_at_ms;
    survey.stop_mappings();
    wait_for(&mut watched, |seen| metadata(seen).progress.is_none());
    wait_for(&mut watched, |seen| metadata(seen).answered_at_ms > before);
    let last = program.notes("asked").pop().expect("it was asked");
    assert!(last.contains(r#""depth":"details""#), "{last}");
    assert!(last.contains(r#""device":"253:0""#), "the pool's metadata device: {last}");
}

#[test]
fn only_a_program_may_be_silent_for_as_long_as_all_of_its_look() {
    use crate::command::{CommandSpec, Tool};
    let seconds = Duration::from_secs;
    let call = CommandSpec::look(Tool::Lvm, ["fullreport"], seconds(210));
    let of = |limit, asking: Option<&Question>| silence(seconds(limit), asking).as_secs();
    assert_eq!(of(500, Some(&Question::Run(call.clone()))), 500);
    // what hangs in the kernel is told as soon as ever
    assert_eq!((of(500, Some(&Question::DmList)), of(500, None)), (20, 20));
    assert_eq!((of(6, Some(&Question::Run(call))), of(6, None)), (6, 6));
}
