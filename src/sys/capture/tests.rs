//! Recordings there and back, cut, broken and hostile.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;
use crate::ids::DevNo;
use crate::sys::{
    Answer, DmListed, FailKind, Failure, HostPath, Keep, Question, Raw, ReadHost, Reply, RunOutput,
    Source, TreeFile,
};

fn header() -> Header {
    let host = HostInfo { name: Raw::from("web-3"), time: 1_700_000_000, ..Default::default() };
    Header::new(host, serde_json::json!({"docker_roots": []}))
}

type Asked = (Source, Question, Answer);

fn small() -> Vec<Asked> {
    let listed = |minor, name: &[u8]| DmListed {
        dev: DevNo::new(253, minor),
        name: Raw(name.to_vec()),
        event_nr: Some(minor),
    };
    let list = Reply::DmList(vec![listed(0, b"vg-pool"), listed(1, b"bad\xff\x1b\n")]);
    let passwd = Question::Stat(HostPath::new("/etc/passwd"));
    vec![
        (Source::Dm, Question::DmList, Answer::ok(list)),
        (
            Source::Dm,
            Question::DmStatus(DevNo::new(253, 0)),
            Answer::failed(FailKind::TimedOut, "no answer"),
        ),
        (Source::Docker, passwd, Answer::failed(FailKind::NotFound, "gone")),
    ]
}

fn written(asked: &[Asked]) -> Vec<u8> {
    let mut writer = Writer::new(Vec::new(), &header()).expect("a vector takes all");
    for (source, question, answer) in asked {
        writer.answer(*source, question, answer).expect("a vector takes all");
    }
    writer.finish().expect("a vector takes all")
}

/// All that could be read, and what was said of the rest.
fn read(file: &[u8]) -> Result<(Vec<Recording>, Option<String>), CaptureError> {
    let (_, mut reader) = Reader::open(file)?;
    let recordings: Vec<_> = reader.by_ref().collect();
    Ok((recordings, reader.damage()))
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text).expect("a vector takes all");
    out.finish().expect("a vector takes all")
}

fn plain(file: &[u8]) -> String {
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut text)
        .expect("what was just packed");
    text
}

#[test]
fn what_was_recorded_is_answered_again_source_by_source() {
    let asked = small();
    let file = written(&asked);
    let (seen, reader) = Reader::open(&file[..]).expect("a recording");
    assert_eq!(seen, header());
    drop(reader);
    let (recordings, damage) = read(&file).expect("a recording");
    assert_eq!(damage, None);
    assert_eq!(
        recordings.iter().map(Recording::source).collect::<Vec<_>>(),
        [Source::Dm, Source::Docker]
    );
    assert_eq!(recordings.iter().map(Recording::len).collect::<Vec<_>>(), [2, 1]);
    for (source, question, answer) in &asked {
        let recording = recordings.iter().find(|one| one.source() == *source).expect("recorded");
        assert_eq!(&recording.ask(question), answer);
    }
}

#[test]
fn the_file_is_gzip_of_json_lines_that_any_tool_can_read() {
    let text = plain(&written(&small()));
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(lines.len(), 5);
    assert_eq!(lines[0]["thinscope_capture"], 1);
    assert_eq!(lines[1]["source"], "dm");
    assert_eq!(lines[1]["question"], "dm-list");
    let names = &lines[1]["answer"]["result"]["Ok"]["dm-list"];
    assert_eq!(names[0]["name"], "vg-pool");
    assert_eq!(names[1]["name"]["base64"], "YmFk/xsK");
    assert_eq!(lines[4], serde_json::json!({"end": {"records": 3}}));
    let (recordings, damage) = read(text.as_bytes()).expect("unpacked it is read as well");
    assert_eq!((recordings.len(), damage), (2, None));
}

#[test]
fn a_question_asked_twice_is_answered_in_the_same_order() {
    let mut recording = Recording::new(Source::Docker);
    let question = Question::Dir(HostPath::new("/x"));
    for kind in [FailKind::NotFound, FailKind::Denied] {
        recording.push(question.clone(), Answer::failed(kind, ""));
    }
    let kinds = [(); 3].map(|()| recording.ask(&question).result.expect_err("a failure").kind);
    assert_eq!(kinds, [FailKind::NotFound, FailKind::Denied, FailKind::Denied]);
}

#[test]
fn what_was_never_asked_says_so() {
    let mut recording = Recording::new(Source::Lvm);
    let call = crate::command::CommandSpec::look(
        crate::command::Tool::Lvm,
        ["lvs"],
        std::time::Duration::from_secs(1),
    );
    // LVM asks these for its filter, and they are recorded with their own source
    assert_eq!(recording.ask(&Question::DmList).result.expect_err("absent").kind, {
        FailKind::NotRecorded
    });
    assert_eq!(
        recording.ask(&Question::Run(call.clone())).result.expect_err("absent").why,
        "lvm lvs: not in the recording"
    );
    recording.break_off("no answer within 10 s");
    assert_eq!(
        recording.ask(&Question::Run(call)).result.expect_err("absent").why,
        "not seen: no answer within 10 s"
    );
}

#[test]
fn a_source_that_was_given_up_stays_given_up_in_the_file() {
    let mut writer = Writer::new(Vec::new(), &header()).expect("a vector takes all");
    let mut lost = Recording::new(Source::Lvm);
    lost.break_off("no answer within 10 s to `lvm lvs`");
    lost.write(&mut writer).expect("a vector takes all");
    let (recordings, damage) =
        read(&writer.finish().expect("a vector takes all")).expect("a recording");
    assert_eq!(damage, None);
    assert_eq!(recordings[0].broken_off(), Some("no answer within 10 s to `lvm lvs`"));
}

#[test]
fn a_file_cut_anywhere_gives_what_was_read_and_never_counts_as_whole() {
    let whole = written(&small());
    for end in 0..whole.len() {
        match read(&whole[..end]) {
            Ok((recordings, damage)) => {
                assert!(damage.is_some(), "cut at {end} of {}", whole.len());
                assert!(recordings.iter().map(Recording::len).sum::<usize>() <= 3);
            }
            Err(error) => assert!(matches!(error, CaptureError::NotACapture(_)), "{error}"),
        }
    }
    let text = plain(&whole);
    for end in 0..text.len() {
        if let Ok((recordings, damage)) = read(&text.as_bytes()[..end]) {
            assert!(damage.is_some(), "cut at {end} of {}", text.len());
            assert!(recordings.iter().all(|one| one.is_empty()
                || one.has(&Question::DmList)
                || one.source() == Source::Docker));
        }
    }
}

#[test]
fn a_cut_file_keeps_the_answers_before_the_cut() {
    let text = plain(&written(&small()));
    let third = text.match_indices('\n').nth(2).expect("three lines").0;
    let (recordings, damage) = read(&packed(&text.as_bytes()[..third + 10])).expect("begun");
    assert_eq!(recordings.len(), 1);
    assert_eq!(recordings[0].len(), 2);
    let why = "the recording is damaged: it ends in the middle, after 2 answers";
    assert_eq!(damage.as_deref(), Some(why));
    assert_eq!(recordings[0].broken_off(), Some(why));
}

#[test]
fn a_recording_of_another_format_says_whose_it_is() {
    let text = r#"{"thinscope_capture":2,"version":"9.1.0","hosts":[]}"#.to_owned() + "\n";
    let error = read(&packed(text.as_bytes())).expect_err("another format");
    assert_eq!(
        error.to_string(),
        "it is a recording of format 2, written by thinscope 9.1.0; this version reads format 1 \
         only"
    );
}

#[test]
fn what_is_no_recording_says_so() {
    let long = format!("{{\"x\":\"{}\"}}\n", "y".repeat(3 << 20));
    for file in [
        &b""[..],
        b"\x7fELF\x02\x01\x01",
        b"{\"format\":1,\"nodes\":[]}\n",
        b"\x1f\x8b",
        &packed(b""),
        &packed(b"hello\n"),
        &packed(&vec![0; 100_000]),
        &packed(long.as_bytes()),
        &b"{\"thinscope_capture\":1}\n"[..],
    ] {
        let error = read(file).expect_err("no recording");
        assert!(matches!(error, CaptureError::NotACapture(_)), "{error}");
    }
}

#[test]
fn a_bomb_is_an_error_and_not_memory() {
    let mut text = serde_json::to_vec(&header()).expect("serialises");
    text.push(b'\n');
    text.extend(std::iter::repeat_n(0, 20 << 20));
    let bomb = packed(&text);
    assert!(bomb.len() < 1 << 20, "it is small");
    let (recordings, damage) = read(&bomb).expect("it has a header");
    assert!(recordings.is_empty());
    assert!(damage.expect("it is damaged").contains("a line is no JSON object"));
}

#[test]
fn a_broken_line_loses_itself_and_not_the_others() {
    let text = plain(&written(&small()));
    let broken = text.replacen("dm-list\":[", "dm-list\":[[", 1);
    assert_ne!(broken, text);
    let (recordings, damage) = read(broken.as_bytes()).expect("a recording");
    assert_eq!(recordings.iter().map(Recording::len).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(damage.as_deref(), Some("1 of its lines are no records and were passed over"));
}

#[test]
fn sources_out_of_order_end_the_reading() {
    let mut asked = small();
    asked.reverse();
    let (recordings, damage) = read(&written(&asked)).expect("a recording");
    assert_eq!(recordings.len(), 1);
    assert!(damage.expect("damaged").contains("out of order"));
}

#[test]
fn a_recorder_notes_what_belongs_to_its_source() {
    struct Notes(std::sync::Mutex<Vec<Question>>);
    impl Sink for Notes {
        fn answered(&self, source: Source, question: &Question, _: &Answer) {
            assert_eq!(source, Source::Lvm);
            self.0.lock().expect("no other thread").push(question.clone());
        }
    }
    let host = Recording::new(Source::Lvm);
    let notes = Notes(std::sync::Mutex::default());
    let recorder = Recorder::new(&host, Source::Lvm, &notes);
    let dir = Question::Dir(HostPath::new("/etc/lvm"));
    recorder.ask(&Question::SysBlock);
    recorder.ask(&dir);
    assert_eq!(notes.0.into_inner().expect("no other thread"), [dir]);
}

fn raw() -> impl Strategy<Value = Raw> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(Raw),
        "\\PC{0,20}".prop_map(|text| Raw::from(text.as_str())),
    ]
}

fn failure() -> impl Strategy<Value = Failure> {
    ".{0,20}".prop_map(|why| Failure { kind: FailKind::Other, why })
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        raw().prop_map(Reply::Bytes),
        (raw(), raw(), any::<Option<i32>>())
            .prop_map(|(stdout, stderr, exit)| Reply::Ran(RunOutput { exit, stdout, stderr })),
        proptest::collection::vec((raw(), any::<(u32, u32, Option<u32>)>()), 0..4).prop_map(
            |listed| Reply::DmList(
                listed
                    .into_iter()
                    .map(|(name, (major, minor, event_nr))| DmListed {
                        dev: DevNo::new(major, minor),
                        name,
                        event_nr
                    })
                    .collect()
            )
        ),
        proptest::collection::vec((raw(), proptest::result::maybe_ok(raw(), failure())), 0..4)
            .prop_map(|files| Reply::Tree(
                files.into_iter().map(|(path, content)| TreeFile { path, content }).collect()
            )),
    ]
}

fn question() -> impl Strategy<Value = Question> {
    prop_oneof![
        any::<(u32, u32)>().prop_map(|(major, minor)| Question::DmStatus(DevNo::new(major, minor))),
        (raw(), proptest::option::of(raw())).prop_map(|(path, within)| Question::File {
            path: HostPath(path),
            keep: Keep::DockerImage,
            within: within.map(HostPath),
        }),
        (raw(), proptest::collection::vec(".{0,5}", 0..3)).prop_map(|(dir, names)| {
            Question::Tree { dir: HostPath(dir), depth: 2, names, keep: Keep::All }
        }),
    ]
}

proptest! {
    #[test]
    fn every_answer_survives_a_recording(
        asked in proptest::collection::vec(
            (question(), any::<u64>(), proptest::result::maybe_ok(reply(), failure())), 0..8
        )
    ) {
        let asked: Vec<Asked> = asked
            .into_iter()
            .map(|(question, ms, result)| (Source::Dm, question, Answer { ms, result }))
            .collect();
        let (recordings, damage) = read(&written(&asked)).expect("a recording");
        prop_assert_eq!(damage, None);
        prop_assert_eq!(recordings.len(), usize::from(!asked.is_empty()));
        for (_, question, answer) in &asked {
            prop_assert_eq!(&recordings[0].ask(question), answer);
        }
    }

    #[test]
    fn no_bytes_at_all_panic_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut text = serde_json::to_vec(&header()).expect("serialises");
        text.push(b'\n');
        text.extend(&bytes);
        for file in [&bytes[..], &packed(&bytes), &text, &packed(&text)] {
            if let Ok((_, damage)) = read(file) {
                prop_assert!(damage.is_some());
            }
        }
    }
}
