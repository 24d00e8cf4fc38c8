//! Effects as the program does them: the real runner, real tools on files, nobody's root.

#[path = "act/caller.rs"]
mod caller;
#[path = "act/process.rs"]
mod process;

use std::fs;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use caller::Caller;
use nix::fcntl::{Flock, FlockArg};
use process::{Process, eventually};
use thinscope::command::Tool;
use thinscope::sys::live::act::{How, act_by, read_outcome, read_result};
use thinscope::sys::write::{Acted, Effect};

const PROGRAM: &str = env!("CARGO_BIN_EXE_thinscope");
const LONG: Duration = Duration::from_secs(60);

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

fn run(tool: Tool, args: &[&str]) -> Effect {
    Effect::Run { tool, args: args.iter().map(|arg| (*arg).to_owned()).collect() }
}

/// A tool that does not end before the fifo is let go.
fn waiting(folder: &Path) -> (Effect, Fifo) {
    let path = folder.join("fifo");
    let mode = nix::sys::stat::Mode::from_bits_truncate(0o600);
    nix::unistd::mkfifo(&path, mode).expect("a fifo can be made here");
    (run(Tool::Blkid, &["-c", path.to_str().expect("a plain path")]), Fifo(path))
}

/// What a tool waits for; let go at the latest when a test ends, however it does.
struct Fifo(PathBuf);

impl Fifo {
    fn tool(&self) -> Process {
        Process::with_argument(&self.0)
    }

    fn let_go(&self) {
        // the tool looks at it again later: then it is not there
        let writer = fs::File::options().write(true).custom_flags(O_NONBLOCK).open(&self.0);
        let _ = fs::remove_file(&self.0);
        drop(writer);
    }
}

impl Drop for Fifo {
    fn drop(&mut self) {
        self.let_go();
    }
}

const O_NONBLOCK: i32 = nix::fcntl::OFlag::O_NONBLOCK.bits();

fn done(effect: &Effect, folder: &Path, limit: Duration) -> (Acted, Vec<String>) {
    let how = How { lock: None, folder: folder.to_owned(), stem: "step-1".to_owned(), limit };
    let mut told = Vec::new();
    let acted = act_by(Path::new(PROGRAM), effect, &how, &mut |line| told.push(line.to_owned()));
    (acted, told)
}

#[test]
fn a_tool_is_run_and_its_end_is_on_disk() {
    let folder = folder();
    let file = folder.path().join("data");
    let effect = run(Tool::Truncate, &["-s", "1M", file.to_str().expect("a plain path")]);
    assert_eq!(done(&effect, folder.path(), LONG), (Acted::Done, vec![]));
    assert_eq!(fs::metadata(&file).expect("it was made").len(), 1 << 20);
    let outcome = read_outcome(folder.path(), "step-1").expect("it was left");
    assert_eq!((outcome.acted, outcome.window_us), (Acted::Done, None));
    assert!(outcome.time > 1_700_000_000);
    assert_eq!(read_result(folder.path(), "step-1"), Some(Acted::Done));
    assert_eq!(read_result(folder.path(), "step-2"), None);
    for kind in ["out", "err", "result"] {
        let seen = fs::metadata(folder.path().join(format!("step-1.{kind}"))).expect(kind);
        assert_eq!(seen.permissions().mode() & 0o777, 0o600, "{kind}");
    }
    assert!(!folder.path().join("step-1.result.new").exists());
}

#[test]
fn a_tool_that_fails_is_named_with_its_status_and_last_words_safe_to_print() {
    let folder = folder();
    let effect = run(Tool::Truncate, &["-s", "1", "/nonexistent/\x1b[31m/file"]);
    let (acted, told) = done(&effect, folder.path(), LONG);
    let said = "/usr/bin/truncate: cannot open '/nonexistent/'$'\\033''[31m/file' for writing: \
                No such file or directory";
    assert_eq!(told, [said]);
    let why = format!("`truncate -s 1 /nonexistent/\\x1b[31m/file` ended with status 1: {said}");
    assert_eq!(acted, Acted::Failed { why });
    assert_eq!(read_result(folder.path(), "step-1"), Some(acted));
}

#[test]
fn what_earlier_effects_left_is_no_result_of_this_one() {
    let folder = folder();
    let good = run(Tool::Truncate, &["-s", "1", "/dev/null/nothing"]);
    assert!(matches!(done(&good, folder.path(), LONG).0, Acted::Failed { .. }));
    let (effect, fifo) = waiting(folder.path());
    let (acted, _) = done(&effect, folder.path(), Duration::from_millis(200));
    assert!(matches!(acted, Acted::Running { .. }), "{acted:?}");
    assert_eq!(read_result(folder.path(), "step-1"), None);
    fifo.tool();
    fifo.let_go();
    assert!(eventually(|| read_result(folder.path(), "step-1").is_some()));
}

#[test]
fn after_its_time_a_tool_is_told_of_and_goes_on_to_its_end() {
    let folder = folder();
    let (effect, fifo) = waiting(folder.path());
    let (acted, _) = done(&effect, folder.path(), Duration::from_millis(300));
    let Acted::Running { why } = acted else { panic!("{acted:?}") };
    assert!(why.contains("`blkid -c "), "{why}");
    assert!(why.contains("has not ended within 0.3 s and goes on"), "{why}");
    assert!(why.contains("step-1.out"), "{why}");
    let tool = fifo.tool();
    assert!(tool.lives());
    fifo.let_go();
    assert!(eventually(|| !tool.lives()));
    assert!(eventually(|| read_result(folder.path(), "step-1").is_some()));
}

#[test]
fn what_cannot_be_followed_is_not_begun() {
    let folder = folder();
    let file = folder.path().join("data");
    let effect = run(Tool::Truncate, &["-s", "1", file.to_str().expect("a plain path")]);
    let mut refused = Vec::new();
    for (dir, stem) in [("/nonexistent", "step"), ("relative", "step"), ("/tmp", "../step")] {
        let how = How { lock: None, folder: dir.into(), stem: stem.to_owned(), limit: LONG };
        refused.push(act_by(Path::new(PROGRAM), &effect, &how, &mut |_| {}));
    }
    let how =
        How { lock: None, folder: folder.path().into(), stem: "step".to_owned(), limit: LONG };
    refused.push(act_by(Path::new("/nonexistent/thinscope"), &effect, &how, &mut |_| {}));
    for acted in refused {
        assert!(matches!(acted, Acted::Refused { .. }), "{acted:?}");
    }
    assert!(!file.exists());
}

#[test]
fn no_room_for_the_result_is_found_out_before_anything_is_done() {
    let folder = folder();
    let file = folder.path().join("data");
    fs::create_dir(folder.path().join("step-1.result.new")).expect("it can be made");
    let effect = run(Tool::Truncate, &["-s", "1", file.to_str().expect("a plain path")]);
    let (acted, _) = done(&effect, folder.path(), LONG);
    let Acted::Refused { why } = acted else { panic!("{acted:?}") };
    assert!(why.starts_with("nothing was done: there is no room for the result"), "{why}");
    assert!(!file.exists());
}

#[test]
fn an_order_that_was_cut_off_is_none() {
    let folder = folder();
    let file = folder.path().join("data");
    let order = serde_json::json!({
        "effect": run(Tool::Truncate, &["-s", "1", file.to_str().expect("a plain path")]),
        "folder": folder.path(),
        "stem": "step",
    });
    let order = order.to_string();
    for length in [0, 1, order.len() / 2, order.len() - 1, order.len()] {
        let mut runner = Command::new(PROGRAM)
            .arg("__act")
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it can be started");
        let mut stdin = runner.stdin.take().expect("it is a pipe");
        std::io::Write::write_all(&mut stdin, &order.as_bytes()[..length]).expect("it reads");
        drop(stdin);
        let status = runner.wait().expect("it ends");
        let whole = length == order.len();
        assert_eq!(status.code(), Some(if whole { 0 } else { 75 }), "{length}");
        assert_eq!(file.exists(), whole);
    }
}

#[test]
fn neither_the_runner_nor_the_tool_is_reached_by_what_ends_the_caller() {
    let folder = folder();
    let (effect, fifo) = waiting(folder.path());
    let mut caller = Caller::start(&effect, folder.path(), None);
    let tool = fifo.tool();
    let runner = tool.parent();
    let sessions = [caller.process().session(), runner.session(), tool.session()];
    assert_eq!(sessions, [caller.process().session(), runner.pid, tool.pid]);
    assert_ne!(caller.process().session(), runner.pid);
    caller.kill_with_its_group();
    // and whatever a closed terminal or a person sends to each of them
    for signal in ["HUP", "TERM", "INT", "QUIT", "PIPE", "TSTP", "USR1", "USR2", "ALRM", "TTOU"] {
        runner.signal(signal);
    }
    assert!(runner.lives() && tool.lives());
    fifo.let_go();
    assert!(eventually(|| read_result(folder.path(), "step-1").is_some()));
    assert!(eventually(|| !tool.lives() && !runner.lives()));
}

#[test]
fn a_tool_has_usual_signals_and_only_files_for_its_outputs() {
    let folder = folder();
    let (effect, fifo) = waiting(folder.path());
    let left_open = fs::File::open("/dev/null").expect("every Linux has /dev/null");
    let inherited = left_open.try_clone().expect("it can be opened twice");
    let flags = nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty());
    nix::fcntl::fcntl(&inherited, flags).expect("it is open");
    let mut caller = Caller::start(&effect, folder.path(), None);
    let tool = fifo.tool();
    for what in ["SigIgn", "SigBlk", "SigCgt"] {
        // 32 and 33 are the C library's own
        let usual = || tool.mask(what).trailing_zeros() >= 31;
        assert!(eventually(usual), "{what}: {:x}", tool.mask(what));
    }
    let err = folder.path().join("step-1.err");
    let out = folder.path().join("step-1.out");
    // it is opening the fifo: that is not among them yet
    let wanted = [PathBuf::from("/dev/null"), out, err];
    // while a program is loaded, its libraries are open too
    assert!(eventually(|| tool.descriptors() == wanted), "{:?}", tool.descriptors());
    assert_eq!(tool.environment(), ["LC_ALL=C", "LVM_SUPPRESS_FD_WARNINGS=1", "PATH"]);
    fifo.let_go();
    assert!(caller.ended());
}

#[test]
fn the_lock_is_held_until_the_effect_has_ended_and_never_by_the_tool() {
    let folder = folder();
    let (effect, fifo) = waiting(folder.path());
    let path = folder.path().join("lock");
    let mut caller = Caller::start(&effect, folder.path(), Some(&path));
    let tool = fifo.tool();
    assert!(!tool.descriptors().contains(&path), "{:?}", tool.descriptors());
    assert!(tool.parent().descriptors().contains(&path), "{:?}", tool.parent().descriptors());
    caller.kill_with_its_group();
    let lock = || {
        let file = fs::File::options().write(true).open(&path).expect("it is there");
        Flock::lock(file, FlockArg::LockExclusiveNonblock)
    };
    assert!(lock().is_err(), "the effect is under way");
    fifo.let_go();
    assert!(eventually(|| read_result(folder.path(), "step-1").is_some()));
    assert!(eventually(|| lock().is_ok()));
}
