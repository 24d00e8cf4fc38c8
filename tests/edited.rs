//! What the reports say of a recorded host in which some answers were changed: what could not be
//! read or is not understood is said wherever somebody looks, and nothing then says that all is well.

use std::io::{Read, Write};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

const RECORDED: &str = "tests/data/older/direct-lvm.thinscope";

/// The recorded host with its answers changed by a rule.
fn edited(change: impl Fn(&str, &Value, &mut Value)) -> tempfile::NamedTempFile {
    let packed = std::fs::File::open(RECORDED).expect("the demo is there");
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).expect("it is packed text");
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    for line in text.lines() {
        let mut line: Value = serde_json::from_str(line).expect("a line is JSON");
        let source = line["source"].as_str().unwrap_or_default().to_owned();
        let question = line["question"].clone();
        if let Some(result) = line.pointer_mut("/answer/result") {
            change(&source, &question, result);
        }
        writeln!(file, "{line}").expect("there is room");
    }
    file
}

fn run(file: &tempfile::NamedTempFile, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thinscope"));
    command.arg("--from").arg(file.path()).args(words).env_clear().env("LANG", "C.UTF-8");
    command.stdin(Stdio::null()).output().expect("the binary was built for this test")
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).expect("what it prints is UTF-8")
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).expect("what it prints is UTF-8")
}

/// The line of `check` before the figures, and its exit code.
fn check(file: &tempfile::NamedTempFile) -> (String, Option<i32>) {
    let output = run(file, &["check"]);
    let line = stdout(&output).split(" | ").next().unwrap_or_default().to_owned();
    (line, output.status.code())
}

/// The host whose pool has this status.
fn with_status(status: &str) -> tempfile::NamedTempFile {
    edited(|_, question, result| {
        let was = result.pointer("/Ok/bytes").and_then(Value::as_str).unwrap_or_default();
        if question.get("dm-status").is_some() && was.contains(" thin-pool ") {
            *result = json!({"Ok": {"bytes": status}});
        }
    })
}

#[test]
fn a_source_that_could_not_be_read_is_down_and_no_other() {
    let sources = ["host", "dm", "block", "mounts", "lvm", "docker", "metadata"];
    for down in sources {
        let file = edited(|source, _, result| {
            if source == down {
                *result = json!({"Err": {"kind": "denied", "why": "Permission denied"}});
            }
        });
        let output = run(&file, &["metrics"]);
        let figures = stdout(&output);
        for source in sources {
            let up = u8::from(source != down);
            let line = format!("thinscope_source_up{{source=\"{source}\"}} {up}\n");
            assert!(figures.contains(&line), "{down} is down: {line} in {figures}");
            let aged =
                figures.contains(&format!("thinscope_source_age_seconds{{source=\"{source}\"}}"));
            assert_eq!(aged, source != down, "{down} is down: the age of {source}");
        }
        assert!(!figures.contains("\nthinscope_gaps 0\n"), "{down}");
        assert!(stderr(&output).contains("not seen: "), "{down}: {}", stderr(&output));
    }
    let block = edited(|source, _, result| {
        if source == "block" {
            *result = json!({"Err": {"kind": "denied", "why": "Permission denied"}});
        }
    });
    let (line, code) = check(&block);
    assert!(line.starts_with("THINSCOPE UNKNOWN: block gives no answer, "), "{line}");
    assert_eq!(code, Some(3));
}

#[test]
fn a_status_that_is_not_understood_is_a_gap_everywhere() {
    for (status, why) in [
        (
            "0 19914752 thin-pool Error",
            "its status is `Error`: the kernel could not read the pool's own metadata to tell it; \
             `dmesg` may say why",
        ),
        ("hello\u{1b}[31m", "its status is of no known form: hello\\x1b[31m"),
        (
            "0 19914752 thin-pool 76 2604/25600 99999999999999999999/19448 - rw discard_passdown \
             queue_if_no_space - 1024 ",
            "its status is of no known form: 0 19914752 thin-pool 76 2604/25600 \
             99999999999999999999/19448 - rw discard_passdown queue_if_no_space - 1024",
        ),
    ] {
        let file = with_status(status);
        let findings = run(&file, &["findings"]);
        assert!(stdout(&findings).starts_with("Nothing wrong was found, but "), "{status}");
        let gap = format!("thinscope: not seen: dm docker-thinpool: {why}\n");
        assert!(stderr(&findings).contains(&gap), "{}", stderr(&findings));
        let pool = run(&file, &["pool"]);
        let keys = "\nNot known while the pool hides its status: Data Space Used, Data Space \
                    Available, Metadata Space Used, Metadata Space Available\n";
        assert!(stdout(&pool).contains(keys), "{}", stdout(&pool));
        assert!(!stdout(&pool).contains("daemon only: Data"), "{}", stdout(&pool));
        let (line, code) = check(&file);
        let words = "THINSCOPE UNKNOWN: docker-thinpool status was not seen, data ? metadata ?";
        assert_eq!((line.as_str(), code), (words, Some(3)));
    }
}

#[test]
fn a_mode_or_a_fill_that_is_not_known_is_never_ok() {
    let rest = "discard_passdown queue_if_no_space - 1024 ";
    for (status, words) in [
        (
            format!("0 19914752 thin-pool 76 2604/25600 534/19448 - weird {rest}"),
            "THINSCOPE UNKNOWN: docker-thinpool mode weird unknown, data 2% metadata 10%",
        ),
        (
            format!("0 19914752 thin-pool 76 0/0 0/0 - rw {rest}"),
            "THINSCOPE UNKNOWN: docker-thinpool data fill unknown, metadata ?",
        ),
    ] {
        let (line, code) = check(&with_status(&status));
        assert_eq!((line.as_str(), code), (words, Some(3)));
    }
}

#[test]
fn a_configuration_of_lvm_s_that_cannot_be_read_leaves_open_whether_a_pool_grows() {
    let file = edited(|_, question, result| {
        if question.pointer("/file/path").is_some_and(|path| path == "/etc/lvm/lvm.conf") {
            *result = json!({"Err": {"kind": "other", "why": "Input/output error"}});
        }
    });
    let findings = run(&file, &["findings"]);
    let gap = "thinscope: not seen: lvm settings: /etc/lvm/lvm.conf: Input/output error; what it \
               says of growing pools is not known\n";
    assert!(stderr(&findings).contains(gap), "{}", stderr(&findings));
    let pool = run(&file, &["pool"]);
    let next = "\n whether LVM grows it is not known: /etc/lvm/lvm.conf could not be read\n";
    assert!(stdout(&pool).contains(next), "{}", stdout(&pool));
    let (line, code) = check(&file);
    assert!(line.starts_with("THINSCOPE UNKNOWN: docker-thinpool growth unknown, data "), "{line}");
    assert_eq!(code, Some(3));
    let metrics = run(&file, &["metrics"]);
    let up = "thinscope_source_up{source=\"lvm\"} 1\n";
    assert!(stdout(&metrics).contains(up), "one file is not all of LVM");
}
