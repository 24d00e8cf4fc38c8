//! Scripts that stand for the tool, in a search path of their own.

use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::command::Tool;

/// A folder in which `lvm` is this script.
fn tools(script: &str) -> (tempfile::TempDir, Tools) {
    let dir = tempfile::tempdir().expect("a temporary folder can be made");
    let path = dir.path().join("lvm");
    // written by another process: a descriptor of ours, inherited by a tool that another test
    // starts meanwhile, would make the kernel say "text file busy"
    let mut writer = Command::new("/bin/sh")
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()
        .expect("every Linux has a shell");
    let mut input = writer.stdin.take().expect("it is a pipe");
    std::io::Write::write_all(&mut input, format!("#!/bin/sh\n{script}\n").as_bytes())
        .expect("the shell reads");
    drop(input);
    assert!(writer.wait().expect("it ends").success());
    let search = vec![dir.path().join("absent"), dir.path().to_owned()];
    (dir, Tools { search })
}

fn call(args: &[&str], limit: Duration) -> CommandSpec {
    CommandSpec::look(Tool::Lvm, args.iter().copied(), limit)
}

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(300);

#[test]
fn a_tool_prints_and_its_outputs_and_exit_stay_apart() {
    let (_dir, tools) = tools("echo \"out $*\"; echo err >&2; exit 5");
    let mut call = call(&["lvs", "a b"], LONG);
    call.scope = vec!["--config".to_owned(), "x".to_owned()];
    let output = tools.run(&call).expect("it ran");
    assert_eq!(output.exit, Some(5));
    assert_eq!(output.stdout, Raw::from("out lvs a b --config x\n"));
    assert_eq!(output.stderr, Raw::from("err\n"));
}

#[test]
fn a_tool_gets_a_clean_environment_no_input_and_no_descriptors() {
    let (_dir, tools) = tools("env | sort; cat; ls /proc/self/fd | wc -l");
    let left_open = fs::File::open("/dev/null").expect("every Linux has /dev/null");
    let output = tools.run(&call(&[], LONG)).expect("it ran");
    drop(left_open);
    let printed = String::from_utf8(output.stdout.0).expect("text");
    let lines: Vec<_> = printed.lines().filter(|line| !line.starts_with("PWD=")).collect();
    let path = format!("PATH={}", SEARCH.join(":"));
    let wanted = ["LC_ALL=C", "LVM_SUPPRESS_FD_WARNINGS=1", &path];
    // dash and bash add `_` and SHLVL; ls itself opens the folder it lists
    let own: Vec<_> = lines.iter().filter(|line| !line.starts_with(['_', 'S'])).collect();
    assert_eq!(own, [&wanted[0], &wanted[1], &wanted[2], &"4"]);
}

#[test]
fn a_tool_that_never_ends_is_killed_with_all_it_started() {
    let (dir, tools) = tools("echo $$ > \"$(dirname \"$0\")/pid\"; sleep 100 & sleep 100");
    let since = Instant::now();
    let failure = tools.run(&call(&["lvs"], SHORT)).expect_err("it does not end");
    assert!(since.elapsed() < Duration::from_secs(5));
    assert_eq!(failure.kind, FailKind::TimedOut);
    assert_eq!(failure.why, "`lvm lvs` gave no answer within 0.3 s and was killed");
    let pid = fs::read_to_string(dir.path().join("pid")).expect("it had begun");
    let group = format!("/proc/{}", pid.trim());
    assert!(!Path::new(&group).exists(), "the tool is gone");
}

#[test]
fn a_tool_that_ends_while_its_child_holds_the_output_is_done() {
    let (_dir, tools) = tools("echo done; sleep 5 &");
    let since = Instant::now();
    let output = tools.run(&call(&[], LONG)).expect("it ran");
    assert_eq!((output.exit, output.stdout), (Some(0), Raw::from("done\n")));
    assert!(since.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_tool_that_prints_without_end_is_killed() {
    let (_dir, tools) = tools("exec cat /dev/zero");
    let failure = tools.run(&call(&[], LONG)).expect_err("it is too much");
    assert_eq!(failure.kind, FailKind::TooLarge);
}

#[test]
fn errors_without_end_are_cut_and_the_answer_stays() {
    let (_dir, tools) = tools("head -c 3000000 /dev/zero >&2; echo out");
    let output = tools.run(&call(&[], LONG)).expect("it ran");
    assert_eq!(output.stderr.0.len(), MOST_STDERR);
    assert_eq!(output.stdout, Raw::from("out\n"));
}

#[test]
fn a_tool_that_is_killed_by_another_has_no_exit_status() {
    let (_dir, tools) = tools("kill -9 $$");
    assert_eq!(tools.run(&call(&[], LONG)).expect("it ran").exit, None);
}

#[test]
fn a_tool_that_is_not_installed_is_not_found_and_one_that_is_no_program_not_run() {
    let nowhere = Tools { search: vec![PathBuf::from("/nonexistent")] };
    let failure = nowhere.run(&call(&[], LONG)).expect_err("there is none");
    assert_eq!(failure.kind, FailKind::NotFound);
    assert_eq!(failure.why, "`lvm` is not installed (looked in /nonexistent)");
    let (dir, tools) = tools("");
    fs::set_permissions(dir.path().join("lvm"), fs::Permissions::from_mode(0o644)).expect("set");
    assert_eq!(tools.run(&call(&[], LONG)).expect_err("no program").kind, FailKind::Denied);
}
