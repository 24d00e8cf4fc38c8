//! SIGKILL: of whoever asked for an effect, of the runner between any two of its calls, at any
//! moment.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use nix::fcntl::{Flock, FlockArg};
use thinscope::command::Tool;
use thinscope::sys::live::act::read_result;
use thinscope::sys::write::{Acted, Effect, Suspended, Window};

use crate::caller::Caller;
use crate::devices::ThinPool;
use crate::process::{Process, eventually};
use crate::tools::{dmsetup, run};
use crate::window::{assert_runs, done, folder, resized};
use crate::writer::Writer;
use crate::{PROGRAM, device, in_lab, text};

const MIB: u64 = 1 << 20;

/// What a runner is told on its standard input.
pub(crate) fn order(effect: &Effect, folder: &Path) -> String {
    serde_json::json!({ "effect": effect, "folder": folder, "stem": "step-1" }).to_string()
}

fn is_free(lock: &Path) -> bool {
    let file = File::options().write(true).create(true).truncate(false).open(lock);
    let file = file.expect("it can be made");
    Flock::lock(file, FlockArg::LockExclusiveNonblock).is_ok()
}

fn bytes(window: &Window) -> u64 {
    window.new[0].length * 512
}

#[test]
fn a_window_whose_caller_is_killed_at_any_moment_is_passed_whole_or_not_begun() {
    if !in_lab() {
        return;
    }
    let (pool, folder) = (ThinPool::half("caller"), folder());
    let writer = Writer::start(&pool.thin_node(), 4 * MIB..8 * MIB);
    let lock = folder.path().join("lock");
    let mut passed = 0;
    for round in 1..=30_u32 {
        let window = resized(&pool, ThinPool::DATA / 2 + u64::from(round) * MIB);
        for left in ["step-1.result", "step-1.result.new"] {
            let _ = std::fs::remove_file(folder.path().join(left));
        }
        let mut caller = Caller::start(&Effect::Window(window.clone()), folder.path(), Some(&lock));
        let begun = || folder.path().join("step-1.result.new").exists();
        // from before the runner lives until after it has ended
        if round > 5 {
            let until = std::time::Instant::now() + Duration::from_secs(20);
            while !begun() && round % 2 == 0 && std::time::Instant::now() < until {
                std::hint::spin_loop();
            }
            std::thread::sleep(Duration::from_millis(u64::from(round % 10)));
        }
        caller.kill_with_its_group();
        assert!(eventually(|| is_free(&lock)), "the runner ends");
        let seen = device(pool.pool());
        assert!(!seen.suspended && !seen.inactive_table, "round {round}: {seen:?}");
        match read_result(folder.path(), "step-1") {
            Some(acted) => {
                assert_eq!(acted, Acted::Done);
                assert_eq!(pool.data_blocks().1, bytes(&window) / 65536);
                passed += 1;
            }
            None => assert_eq!(seen.table, window.old, "round {round}"),
        }
    }
    assert_eq!(writer.stop().error, None);
    println!("figure: of 30 windows whose caller was killed {passed} had begun, and were passed");
    assert!(passed >= 5, "the moments reach into it");
}

/// Starts a runner that is killed before its nth ioctl.
fn killed_before(nth: u32, effect: &Effect, folder: &Path) -> ExitStatus {
    let inject = format!("inject=ioctl:signal=KILL:when={nth}");
    let mut runner = Command::new("strace")
        .args(["-qq", "-o", "/dev/null", "-e", "trace=ioctl", "-e", &inject, PROGRAM, "__act"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the lab has strace");
    let mut stdin = runner.stdin.take().expect("it is a pipe");
    stdin.write_all(order(effect, folder).as_bytes()).expect("it reads");
    drop(stdin);
    runner.wait().expect("it ends")
}

/// What was found between two calls.
#[derive(Debug, Default, PartialEq, Eq)]
struct Found {
    untouched: u32,
    loaded: u32,
    suspended: u32,
    refused: u32,
    ended: u32,
}

/// Kills the runner before each of its ioctls, one run each, and brings the device back.
fn kill_between_all(pool: &ThinPool, bytes: impl Fn(u32) -> u64) -> Found {
    let (folder, name) = (folder(), pool.pool_name());
    let mut found = Found::default();
    for nth in 1..40 {
        let window = resized(pool, bytes(nth));
        let before = dmsetup(&["table", &name]);
        let _ = std::fs::remove_file(folder.path().join("step-1.result"));
        let status = killed_before(nth, &Effect::Window(window.clone()), folder.path());
        if read_result(folder.path(), "step-1").is_some() {
            assert!(found.loaded > 0, "{found:?}");
            return found;
        }
        assert!(!status.success());
        let seen = device(pool.pool());
        match (seen.suspended, seen.inactive_table) {
            (false, false) if seen.table == window.new => found.ended += 1,
            (false, false) => found.untouched += 1,
            (false, true) => found.loaded += 1,
            (true, _) if seen.table == window.new => found.refused += 1,
            (true, _) => found.suspended += 1,
        }
        bring_back(pool, &window, folder.path(), &before);
    }
    panic!("it never ended: {found:?}");
}

/// By the effects alone, as the next start of the program does.
fn bring_back(pool: &ThinPool, window: &Window, folder: &Path, before: &str) {
    let (name, seen) = (pool.pool_name(), device(pool.pool()));
    if !seen.suspended {
        if seen.inactive_table {
            load_again(window, folder, before);
        }
        return;
    }
    if seen.table == window.new {
        let (acted, _) = done(&Effect::Window(window.clone()), folder);
        assert!(matches!(acted, Acted::Refused { .. }), "{acted:?}");
    } else {
        let one = Suspended { device: pool.pool(), name: name.clone(), clear: true };
        assert_eq!(done(&Effect::Resume(vec![one]), folder).0, Acted::Done);
    }
    assert_runs(&name, before);
}

/// Killed between load and resume: the same window is asked for again, over its own table.
fn load_again(window: &Window, folder: &Path, before: &str) {
    match done(&Effect::Window(window.clone()), folder).0 {
        Acted::Done => {
            let line = &window.new[0];
            let params = text(&line.params);
            let new = format!("{} {} {} {params}", line.start, line.length, line.kind);
            assert_runs(&window.name, &new);
        }
        // one that the kernel refuses to run
        Acted::Refused { why } => {
            assert!(why.contains("was put back"), "{why}");
            assert_runs(&window.name, before);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_runner_killed_between_any_two_calls_leaves_what_can_be_brought_back() {
    if !in_lab() {
        return;
    }
    let pool = ThinPool::half("runner");
    let writer = Writer::start(&pool.thin_node(), 4 * MIB..8 * MIB);
    let found = kill_between_all(&pool, |nth| ThinPool::DATA / 2 + u64::from(nth) * MIB);
    // loaded, and swapped: suspended it is in no place between, and after it two looks follow
    assert_eq!((found.loaded, found.suspended, found.refused, found.ended), (1, 0, 0, 2));
    assert_eq!(writer.stop().error, None);
}

#[test]
fn a_runner_killed_on_its_way_back_from_a_refused_table_too() {
    if !in_lab() {
        return;
    }
    let pool = ThinPool::half("wayback");
    let writer = Writer::start(&pool.thin_node(), 4 * MIB..8 * MIB);
    let found = kill_between_all(&pool, |_| 8 * MIB);
    // after the refused resume the new table is live, also when the old one waits again
    assert_eq!((found.loaded, found.suspended, found.refused), (1, 0, 2), "{found:?}");
    assert_eq!(writer.stop().error, None);
    assert_eq!(pool.data_blocks().1, 512);
}

#[test]
fn a_runner_killed_while_the_device_is_suspended_leaves_it_resumed() {
    if !in_lab() {
        return;
    }
    let (pool, folder) = (ThinPool::half("sysfs"), folder());
    let suspended = format!("/sys/block/dm-{}/dm/suspended", pool.pool().minor);
    let is_suspended = || std::fs::read_to_string(&suspended).is_ok_and(|text| text.trim() == "1");
    let writer = Writer::start(&pool.thin_node(), 4 * MIB..8 * MIB);
    let (mut seen, mut passed) = (0, 0);
    for round in 1..=30 {
        let window = resized(&pool, ThinPool::DATA / 2 + round * MIB);
        let mut runner = Command::new(PROGRAM)
            .arg("__act")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("it can be started");
        let order = order(&Effect::Window(window.clone()), folder.path());
        let mut stdin = runner.stdin.take().expect("it is a pipe");
        stdin.write_all(order.as_bytes()).expect("it reads");
        drop(stdin);
        while !is_suspended() && runner.try_wait().expect("it is ours").is_none() {}
        seen += u32::from(is_suspended());
        runner.kill().expect("it is ours");
        runner.wait().expect("it ends");
        let after = device(pool.pool());
        assert!(!after.suspended, "round {round}");
        if after.table == window.new {
            passed += 1;
        } else {
            // killed while the kernel waited for what was under way: the new table waits again
            assert_eq!(after.table, window.old);
            dmsetup(&["clear", &pool.pool_name()]);
        }
    }
    assert_eq!(writer.stop().error, None);
    println!(
        "figure: of 30 runners killed within the window, {seen} while the device was seen \
         suspended, {passed} had swapped its table and none left it suspended"
    );
}

/// A volume group over one loop file, gone when it is dropped.
struct Group {
    name: String,
    device: String,
    file: String,
}

impl Group {
    fn new(what: &str) -> Self {
        let (name, file) = (format!("contract_{what}"), format!("/var/tmp/contract-vg-{what}"));
        run("truncate", &["-s", "64M", &file]);
        let device = run("losetup", &["--find", "--show", &file]).trim().to_owned();
        run("vgcreate", &[&name, &device]);
        run("lvcreate", &["-L", "8M", "-n", "lv", &name]);
        Self { name, device, file }
    }

    fn size(&self) -> String {
        let lv = format!("{}/lv", self.name);
        run("lvs", &["--noheadings", "--nosuffix", "--units", "m", "-o", "lv_size", &lv])
            .trim()
            .to_owned()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = Command::new("vgremove").args(["--yes", &self.name]).output();
        let _ = Command::new("losetup").args(["--detach", &self.device]).output();
        let _ = std::fs::remove_file(&self.file);
    }
}

#[test]
fn a_growth_by_lvm_whose_caller_is_killed_goes_on_to_its_end() {
    if !in_lab() {
        return;
    }
    let (group, folder) = (Group::new("killed"), folder());
    assert_eq!(group.size(), "8.00");
    let held = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(format!("/run/lock/lvm/V_{}", group.name))
        .expect("LVM's locks are there");
    let held = Flock::lock(held, FlockArg::LockExclusive).expect("nobody holds it");
    let volume = format!("{}/lv", group.name);
    let args = ["lvextend", "-L", "+8M", &volume].map(str::to_owned).to_vec();
    let lock = folder.path().join("lock");
    let effect = Effect::Run { tool: Tool::Lvm, args };
    let mut caller = Caller::start(&effect, folder.path(), Some(&lock));
    let tool = Process::with_argument(Path::new("lvextend"));
    caller.kill_with_its_group();
    assert!(tool.lives() && !is_free(&lock));
    assert_eq!(read_result(folder.path(), "step-1"), None);
    drop(held);
    assert!(eventually(|| read_result(folder.path(), "step-1").is_some()));
    assert_eq!(read_result(folder.path(), "step-1"), Some(Acted::Done));
    assert_eq!(group.size(), "16.00");
    assert!(eventually(|| is_free(&lock)));
    let said = std::fs::read_to_string(folder.path().join("step-1.out")).expect("it is there");
    assert!(said.contains("successfully resized"), "{said}");
}

#[test]
fn a_growth_that_lvm_refuses_is_told_in_its_words() {
    if !in_lab() {
        return;
    }
    let (group, folder) = (Group::new("refused"), folder());
    let args = ["lvextend", "-L", "+1G", &format!("{}/lv", group.name)].map(str::to_owned);
    let effect = Effect::Run { tool: Tool::Lvm, args: args.to_vec() };
    let (acted, _) = done(&effect, folder.path());
    let Acted::Failed { why } = acted else { panic!("{acted:?}") };
    assert!(why.starts_with("`lvm lvextend -L +1G contract_refused/lv` ended with status 5: "));
    assert!(why.contains("Insufficient free space"), "{why}");
    assert_eq!(group.size(), "8.00");
}
