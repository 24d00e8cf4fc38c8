//! The real binary: what is typed, what comes out, how it ends.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

/// The program with a quiet environment.
fn thinscope(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thinscope"));
    command.args(arguments).env_clear().env("LANG", "C.UTF-8").env("TERM", "xterm");
    command.stdin(Stdio::null());
    command
}

fn run(arguments: &[&str]) -> Output {
    thinscope(arguments).output().expect("the binary was built for this test")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("no signal ended it")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("what it prints is UTF-8")
}

fn document(arguments: &[&str]) -> Value {
    let output = run(arguments);
    assert!(matches!(code(&output), 0 | 1), "{arguments:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a document is valid JSON")
}

#[test]
fn help_and_version_are_results() {
    for (arguments, word) in [
        (&["--help"][..], "findings"),
        (&["-h"], "capture"),
        (&["tree", "--help"], "--inverse"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), 0, "{arguments:?}");
        assert!(text(&output.stdout).contains(word), "{arguments:?}");
        assert!(output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn what_cannot_be_understood_is_a_usage_error_on_standard_error() {
    for arguments in [
        &["grow"][..],
        &["no-such-command"],
        &["tree", "--no-such-option"],
        &["tree", "surplus"],
        &["layers", "--freed-by", "x"],
        &["layers", "--metadata", "m", "--from", "a"],
        &["--metadata", "m", "--from", "a"],
        &["--metadata", "m", "tree"],
        &["explain"],
        &["--refresh", "soon"],
        &["--refresh", "0", "tree"],
        &["--from", "a", "--root", "b", "tree"],
        &["capture", "--from", "a"],
        &["completions", "no-such-shell"],
        &["demo", "no-such-host"],
        &["--color", "sometimes", "tree"],
        &["--config", "/no/such/file", "tree"],
        &["--root", "/no/such/folder", "tree"],
        &["--root", "Cargo.toml", "findings"],
        &["--root", "/no/such/folder"],
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn what_was_typed_is_printed_back_harmlessly() {
    let output = run(&["explain", "\u{1b}]0;owned\u{7}"]);
    assert_eq!(code(&output), 2);
    assert!(!text(&output.stderr).contains('\u{1b}'), "{:?}", text(&output.stderr));
}

#[test]
fn an_unknown_finding_lists_the_known_ones() {
    let output = run(&["explain", "no-such-code"]);
    assert_eq!(code(&output), 2);
    let message = text(&output.stderr);
    assert!(message.contains("no-such-code") && message.contains("  pool-needs-check\n"));
    let page = run(&["explain", "pool-needs-check"]);
    assert_eq!(code(&page), 0);
    assert!(text(&page.stdout).contains("--clear-needs-check-flag"));
}

#[test]
fn a_file_that_is_no_recording_is_named_with_its_reason() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).expect("a temporary file");
        path.to_str().expect("an ASCII name").to_owned()
    };
    let missing = dir.path().join("missing").to_str().expect("an ASCII name").to_owned();
    for file in [
        missing,
        write("empty", b""),
        write("garbage", b"\x1f\x8b\x08garbage"),
        write("text", b"hello\n"),
        write("json", b"{\"format\": 99}\n"),
    ] {
        for command in ["tree", "layers", "pool", "findings"] {
            let output = run(&["--from", &file, command, "--json"]);
            assert_eq!(code(&output), 3, "{file} {command}: {}", text(&output.stderr));
            assert!(output.stdout.is_empty(), "{file}");
            assert!(text(&output.stderr).contains(&file), "{}", text(&output.stderr));
        }
    }
}

#[test]
fn a_reader_that_has_seen_enough_ends_it_quietly() {
    for arguments in [&["--help"][..], &["man"], &["completions", "bash"], &["tree", "--json"]] {
        let mut child = thinscope(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built for this test");
        let pipe = child.stdout.take().expect("it was asked for");
        let mut first = String::new();
        BufReader::with_capacity(16, pipe).read_line(&mut first).expect("a line");
        let output = child.wait_with_output().expect("it ends by itself");
        assert!(!text(&output.stderr).contains("panic"), "{}", text(&output.stderr));
        assert_eq!(code(&output), 0, "{arguments:?}: {}", text(&output.stderr));
    }
}

#[test]
fn a_full_disk_is_said() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let output = thinscope(&["man"]).stdout(full).output().expect("the binary was built");
    assert_eq!(code(&output), 4);
    assert!(text(&output.stderr).contains("could not be written"), "{}", text(&output.stderr));
}

#[test]
fn every_document_has_its_format_its_gaps_and_its_rows() {
    for (command, rows) in
        [("tree", "nodes"), ("layers", "devices"), ("pool", "pools"), ("findings", "findings")]
    {
        let document = document(&[command, "--json"]);
        assert_eq!(document["format"], 1, "{command}");
        assert!(document["gaps"].is_array() && document[rows].is_array(), "{command}");
    }
}

#[test]
fn text_in_a_pipe_has_no_control_characters() {
    for command in ["tree", "layers", "pool", "findings", "man"] {
        let output = run(&[command]);
        let printed = text(&output.stdout);
        assert!(printed.chars().all(|c| c == '\n' || !c.is_control()), "{command}: {printed:?}");
    }
    let ascii = run(&["--ascii", "tree"]);
    assert!(text(&ascii.stdout).is_ascii());
}

#[test]
fn a_pool_that_is_not_there_is_a_usage_error_that_names_those_that_are() {
    let output = run(&["pool", "no-such-pool"]);
    assert_eq!(code(&output), 2, "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("no-such-pool"));
}

#[test]
fn the_screen_is_not_opened_into_a_pipe() {
    let output = run(&[]);
    assert_eq!(code(&output), 2);
    assert!(output.stdout.is_empty());
    assert!(text(&output.stderr).contains("thinscope tree"), "{}", text(&output.stderr));
}

#[test]
fn the_log_says_when_was_looked_and_what_was_seen() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("log");
    let file = path.to_str().expect("an ASCII name");
    assert_eq!(code(&run(&["tree", "--log", file])), 0);
    let log = std::fs::read_to_string(&path).expect("it was written");
    assert!(log.lines().count() >= 2 && log.contains(": looked in "), "{log}");
    assert_eq!(code(&run(&["tree", "--log", "/no/such/folder/log"])), 4);
}

#[test]
fn a_recording_is_its_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("host");
    let file = path.to_str().expect("an ASCII name");
    let output = run(&["capture", "-o", file]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let mode = std::fs::metadata(&path).expect("it was written").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let piped = run(&["capture", "-o", "-"]);
    assert!(piped.stdout.starts_with(&[0x1f, 0x8b]), "standard output is a gzip stream");
}

#[test]
fn a_recording_shows_what_the_host_showed() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("host");
    let file = path.to_str().expect("an ASCII name");
    // other tests of this machine may make and remove loop devices meanwhile: what counts is a
    // recording from between two equal looks
    for _ in 0..10 {
        let views = ["tree", "layers", "pool", "findings"];
        let before = views.map(|view| document(&[view, "--json"]));
        assert_eq!(code(&run(&["capture", "-o", file])), 0);
        if before == views.map(|view| document(&[view, "--json"])) {
            let replayed = views.map(|view| document(&["--from", file, view, "--json"]));
            assert_eq!(replayed, before);
            return;
        }
    }
    panic!("this machine changes all the time");
}

#[test]
fn a_configuration_file_is_read_and_its_errors_have_lines() {
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("config");
    std::fs::write(&path, "refresh = 3\nascii = true\n").expect("a temporary file");
    let file = path.to_str().expect("an ASCII name");
    assert_eq!(code(&run(&["--config", file, "tree"])), 0);
    std::fs::write(&path, "refresh = 3\nunknown = 1\n").expect("a temporary file");
    let output = run(&["--config", file, "tree"]);
    assert_eq!(code(&output), 2);
    assert!(text(&output.stderr).contains("line 2"), "{}", text(&output.stderr));
}

#[test]
fn completions_and_manual_offer_what_there_is_and_no_more() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell]);
        assert_eq!(code(&output), 0, "{shell}");
        let script = text(&output.stdout);
        assert!(script.contains("findings") && script.contains("docker-root"), "{shell}");
        assert!(!script.contains("__probe"), "{shell}");
    }
    let manual = run(&["man"]);
    let page = text(&manual.stdout);
    assert!(page.contains(".TH thinscope 1"), "{page}");
    for words in [r"\fBtree\fR [\-\-json] [\-\-inverse]", r"\fBexplain\fR CODE", "Exit codes:"] {
        assert!(page.contains(words), "{words} in {page}");
    }
    assert!(!page.contains("__probe"));
}

#[test]
fn the_recorded_hosts_are_listed_one_a_line() {
    let output = run(&["demo", "--list"]);
    assert_eq!(code(&output), 0);
    assert!(text(&output.stdout).lines().all(|line| line.contains("  ")));
}
