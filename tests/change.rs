//! The commands that change a host, on recorded hosts: what they plan, what they refuse, with
//! which exit code, and that a recorded host is never changed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn recording(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("assets/demo/{name}.thinscope"))
}

fn thinscope(host: &str, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_thinscope"))
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .arg("--from")
        .arg(recording(host))
        .args(words)
        .output()
        .expect("the program can be started")
}

fn exit(output: &Output) -> i32 {
    output.status.code().expect("it ends by itself")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).expect("a JSON document")
}

#[test]
fn a_plan_is_a_document_with_its_commands_word_by_word() {
    let output = thinscope("direct-lvm", &["grow", "--data", "+40M", "--json"]);
    assert_eq!(exit(&output), 0, "{}", said(&output));
    let plan = document(&output);
    assert_eq!(plan["format"], 1);
    assert_eq!(plan["gaps"], Value::Array(Vec::new()));
    let steps = plan["steps"].as_array().expect("a list");
    assert_eq!(steps.len(), 1);
    assert_eq!(
        steps[0]["commands"],
        serde_json::json!([["lvextend", "-l", "+10", "docker/thinpool"]])
    );
    for key in ["id", "intent", "basis", "warnings"] {
        assert!(!plan[key].is_null(), "{key}");
    }
    for key in ["title", "why", "commands", "before", "after", "undo", "danger"] {
        assert!(!steps[0][key].is_null(), "{key}");
    }
    assert_eq!(steps[0]["danger"], "hard-to-undo");
}

#[test]
fn refusals_end_with_1_and_what_was_mistyped_with_2() {
    for (words, code, part) in [
        (&["grow", "--data", "1G"][..], 1, "cannot shrink"),
        (&["grow", "--data", "+1T"], 1, "has 78 free"),
        (&["grow", "--data", "+40M", "--add-pv", "/dev/sdx"], 1, "no block device"),
        (&["grow", "--data", "20"], 2, "no unit"),
        (&["grow", "--data", "-1G"], 2, "negative"),
        (&["grow", "--data", "junk"], 2, "no size"),
        (&["grow"], 2, "needs to know what"),
        (&["grow", "nope", "--data", "+40M"], 2, "no pool nope"),
        (&["grow", "nope/nope", "--size", "+1G"], 2, "no logical volume"),
        (&["activate", "nope"], 2, "no pool, volume group or volume nope"),
        (&["apply", "/nonexistent/plan"], 2, "cannot be read"),
        (&["journal", "../../etc/passwd"], 2, "no run"),
    ] {
        let mut all = words.to_vec();
        // a plan that is only shown: what is refused is the wish, not the recorded host
        if matches!(words[0], "grow" | "activate" | "apply") {
            all.push("--dry-run");
        }
        let output = thinscope("direct-lvm", &all);
        assert_eq!(exit(&output), code, "{words:?}: {}", said(&output));
        assert!(said(&output).contains(part), "{words:?}: {}", said(&output));
        assert!(output.stdout.is_empty(), "{words:?}");
    }
}

#[test]
fn a_recorded_host_is_rehearsed_on_and_never_changed() {
    for words in [
        &["grow", "--data", "+40M", "--yes=docker-thinpool"][..],
        &["activate", "--yes=docker-thinpool"],
        &["resume"],
    ] {
        let output = thinscope("direct-lvm", words);
        assert_eq!(exit(&output), 1, "{words:?}: {}", said(&output));
        assert!(said(&output).contains("only this host can be changed"), "{}", said(&output));
    }
    let output = thinscope("loop-lvm", &["grow", "--data", "200G", "--dry-run"]);
    assert_eq!(exit(&output), 0, "{}", said(&output));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("would run: losetup -c /dev/loop0"), "{text}");
    assert!(said(&output).contains("nothing was changed"));
}

#[test]
fn what_is_active_is_said_to_be_and_ends_well() {
    let output = thinscope("direct-lvm", &["activate", "--json"]);
    assert_eq!(exit(&output), 0);
    let plan = document(&output);
    assert_eq!(plan["steps"], Value::Array(Vec::new()));
    assert_eq!(plan["already"], "docker-thinpool is active: nothing to do");
}

#[test]
fn a_saved_plan_is_kept_once_for_its_owner_and_fits_its_host_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("plan.json");
    let name = file.to_str().expect("a plain path");
    let output = thinscope("direct-lvm", &["grow", "--data", "+40M", "--save", name]);
    assert_eq!(exit(&output), 0, "{}", said(&output));
    let mode = std::fs::metadata(&file).expect("it was written").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let output = thinscope("direct-lvm", &["grow", "--data", "+40M", "--save", name]);
    assert_eq!(exit(&output), 4, "never over another file: {}", said(&output));
    let output = thinscope("direct-lvm", &["apply", name, "--dry-run"]);
    assert_eq!(exit(&output), 0, "{}", said(&output));
    let output = thinscope("loop-lvm", &["apply", name, "--dry-run"]);
    assert_eq!(exit(&output), 1);
    assert!(said(&output).contains("does not fit"), "{}", said(&output));
}

#[test]
fn a_script_does_the_same_by_hand() {
    let output = thinscope("loop-lvm", &["grow", "--data", "200G", "--script", "-"]);
    assert_eq!(exit(&output), 0, "{}", said(&output));
    let text = String::from_utf8(output.stdout).expect("text");
    let run: Vec<&str> =
        text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(run[0], "set -eu");
    assert!(run[1].starts_with("truncate -s '>214748364800' /"), "{}", run[1]);
    assert_eq!(run[2], "losetup -c /dev/loop0");
    assert_eq!(run.len(), 6);
}
