//! Tables replaced on real devices: what the kernel makes of them, and what it refuses.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use thinscope::ids::DevNo;
use thinscope::sys::live::act::{How, Outcome, act_by, read_outcome};
use thinscope::sys::write::{Acted, Effect, Suspended, Window};
use thinscope::sys::{DmTarget, Raw};

use crate::devices::{Devices, ThinPool};
use crate::tools::{dmsetup, run};
use crate::writer::Writer;
use crate::{PROGRAM, device, in_lab, text};

/// Does an effect as the program would; how it ended and what it said.
pub(crate) fn done(effect: &Effect, folder: &Path) -> (Acted, Vec<String>) {
    let limit = Duration::from_secs(60);
    let how = How { lock: None, folder: folder.to_owned(), stem: "step-1".to_owned(), limit };
    let mut told = Vec::new();
    let acted = act_by(Path::new(PROGRAM), effect, &how, &mut |line| told.push(line.to_owned()));
    (acted, told)
}

pub(crate) fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

/// The window that gives a device this table instead of the one it has.
pub(crate) fn window(dev: DevNo, new: Vec<DmTarget>) -> Window {
    let seen = device(dev);
    Window { device: dev, name: text(&seen.name), uuid: text(&seen.uuid), old: seen.table, new }
}

/// The pool's own table with another length.
pub(crate) fn resized(pool: &ThinPool, bytes: u64) -> Window {
    let mut table = device(pool.pool()).table;
    table[0].length = bytes / 512;
    window(pool.pool(), table)
}

/// Name, open count, events, suspended and tables: what a change would leave a trace in.
fn traces(name: &str) -> String {
    let fields = "name,uuid,events,suspended,tables_loaded";
    let info = dmsetup(&["info", "-c", "--noheadings", "-o", fields, name]);
    info + &dmsetup(&["table", name])
}

/// Runs on this table, with nothing in the inactive slot.
pub(crate) fn assert_runs(name: &str, table: &str) {
    let state = dmsetup(&["info", "-c", "--noheadings", "-o", "suspended,tables_loaded", name]);
    assert_eq!(state.trim(), "Active:Live", "{name}");
    assert_eq!(dmsetup(&["table", name]).trim(), table.trim(), "{name}");
}

fn why(acted: Acted) -> String {
    match acted {
        Acted::Refused { why } => why,
        other => panic!("not refused: {other:?}"),
    }
}

fn fill(node: &str, bytes: usize) {
    let pattern: Vec<u8> = (0..=250).cycle().take(bytes).collect();
    let mut device = File::options().write(true).open(node).expect("it can be opened");
    device.write_all(&pattern).and_then(|()| device.sync_all()).expect("it can be written");
}

fn sum(node: &str, bytes: u64) -> String {
    run("sh", &["-c", &format!("head -c {bytes} {node} | sha256sum")])
}

const MIB: u64 = 1 << 20;

#[test]
fn a_pool_grows_by_its_own_status_while_somebody_writes_and_its_data_stays() {
    if !in_lab() {
        return;
    }
    let (pool, folder) = (ThinPool::half("grow"), folder());
    fill(&pool.thin_node(), 4 << 20);
    let before = sum(&pool.thin_node(), 4 * MIB);
    let writer = Writer::start(&pool.thin_node(), 4 * MIB..8 * MIB);
    assert_eq!(pool.data_blocks().1, 512);
    let mut open = Vec::new();
    for step in 1..=10 {
        let bytes = ThinPool::DATA / 2 + step * MIB;
        let window = resized(&pool, bytes);
        let (acted, told) = done(&Effect::Window(window), folder.path());
        assert_eq!(acted, Acted::Done, "{told:?}");
        assert!(told[0].starts_with("suspended for "), "{told:?}");
        assert_eq!(pool.data_blocks().1, bytes / 65536);
        let outcome = read_outcome(folder.path(), "step-1").expect("it was left");
        open.push(outcome.window_us.expect("a window is measured"));
    }
    let seen = writer.stop();
    assert_eq!(seen.error, None);
    assert!(seen.writes > 20, "{seen:?}");
    File::open(pool.thin_node()).and_then(|file| file.sync_all()).expect("nothing is lost");
    assert_eq!(sum(&pool.thin_node(), 4 * MIB), before);
    open.sort_unstable();
    println!(
        "figure: window over {} growths: median {:.1} ms, worst {:.1} ms; longest write {:.1} ms",
        open.len(),
        f64::from(u32::try_from(open[open.len() / 2]).expect("short")) / 1000.0,
        f64::from(u32::try_from(open[open.len() - 1]).expect("short")) / 1000.0,
        seen.longest.as_secs_f64() * 1000.0,
    );
}

/// The longest that a write took while this was done, in milliseconds.
fn stall(pool: &ThinPool, doing: impl FnOnce()) -> f64 {
    let writer = Writer::start(&pool.thin_node(), 4 * MIB..8 * MIB);
    std::thread::sleep(Duration::from_millis(100));
    doing();
    let seen = writer.stop();
    assert_eq!(seen.error, None);
    seen.longest.as_secs_f64() * 1000.0
}

/// The way of the documents, a program a step.
fn by_three_commands(name: &str, window: &Window) {
    let line = &window.new[0];
    let table = format!("{} {} {} {}", line.start, line.length, line.kind, text(&line.params));
    dmsetup(&["suspend", name]);
    dmsetup(&["reload", name, "--table", &table]);
    dmsetup(&["resume", name]);
}

#[test]
fn a_writer_goes_on_through_our_growths_and_those_by_the_three_commands_of_the_documents() {
    if !in_lab() {
        return;
    }
    let (pool, folder) = (ThinPool::half("stall"), folder());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for step in 0..9 {
        let at = ThinPool::DATA / 2 + 2 * step * MIB;
        let window = resized(&pool, at + MIB);
        ours.push(stall(&pool, || {
            assert_eq!(done(&Effect::Window(window), folder.path()).0, Acted::Done);
        }));
        let window = resized(&pool, at + 2 * MIB);
        theirs.push(stall(&pool, || by_three_commands(&pool.pool_name(), &window)));
    }
    let sorted = |mut all: Vec<f64>| {
        all.sort_by(f64::total_cmp);
        (all[all.len() / 2], all[all.len() - 1])
    };
    let (ours, theirs) = (sorted(ours), sorted(theirs));
    println!(
        "figure: longest write during a growth: median {:.1} ms, worst {:.1} ms; with dmsetup \
         suspend, reload, resume: median {:.1} ms, worst {:.1} ms",
        ours.0, ours.1, theirs.0, theirs.1
    );
}

#[test]
fn all_other_words_of_a_table_stay_to_the_letter() {
    if !in_lab() {
        return;
    }
    let (pool, folder) = (ThinPool::half("words"), folder());
    let line = dmsetup(&["table", &pool.pool_name()]);
    let with = line.trim().replace("128 0 0", "128 77 2 skip_block_zeroing error_if_no_space");
    assert_ne!(with, line.trim());
    dmsetup(&["load", &pool.pool_name(), "--table", &with]);
    dmsetup(&["resume", &pool.pool_name()]);
    let running = dmsetup(&["table", &pool.pool_name()]);
    assert_eq!(running.trim(), with);
    let (acted, _) = done(&Effect::Window(resized(&pool, ThinPool::DATA)), folder.path());
    assert_eq!(acted, Acted::Done);
    assert_runs(&pool.pool_name(), &with.replace("0 65536 thin-pool", "0 131072 thin-pool"));
    assert_eq!(pool.data_blocks().1, 1024);
}

#[test]
fn many_targets_a_long_table_and_a_read_only_device_are_replaced_as_they_are() {
    if !in_lab() {
        return;
    }
    let folder = folder();
    let lines: Vec<_> = (0..500).map(|n| format!("{} 8 error", n * 8)).collect();
    let long = Devices::concise(&[("contract-window-long", &lines.join(","))]);
    let dev = long.number("contract-window-long");
    let line = |n: u64| DmTarget {
        start: n * 16,
        length: 16,
        kind: if n.is_multiple_of(2) { "zero" } else { "error" }.to_owned(),
        params: Raw::default(),
    };
    let new: Vec<_> = (0..3000).map(line).collect();
    let (acted, _) = done(&Effect::Window(window(dev, new.clone())), folder.path());
    assert_eq!(acted, Acted::Done);
    assert_eq!(device(dev).table, new);
    let fixed = Devices::concise_read_only("contract-window-ro", "0 8 error");
    let dev = fixed.number("contract-window-ro");
    let zero = vec![DmTarget { length: 8, ..line(0) }];
    let (acted, _) = done(&Effect::Window(window(dev, zero)), folder.path());
    assert_eq!(acted, Acted::Done);
    let seen = device(dev);
    assert!(seen.read_only && seen.table[0].kind == "zero", "{seen:?}");
}

#[test]
fn a_table_refused_at_load_leaves_the_running_one_and_an_empty_slot() {
    if !in_lab() {
        return;
    }
    let (pool, folder) = (ThinPool::half("load"), folder());
    let before = traces(&pool.pool_name());
    let mut window = resized(&pool, ThinPool::DATA);
    let params = text(&window.new[0].params).replace(" 128 ", " 129 ");
    window.new[0].params = Raw::from(&*params);
    let (acted, told) = done(&Effect::Window(window), folder.path());
    let why = why(acted);
    assert!(why.contains("refused the new table"), "{why}");
    assert!(why.contains("the old one runs untouched"), "{why}");
    assert_eq!(told, [""; 0], "it was never suspended");
    assert_eq!(traces(&pool.pool_name()), before);
}

#[test]
fn a_table_refused_at_resume_is_answered_by_the_old_one() {
    if !in_lab() {
        return;
    }
    let (pool, folder) = (ThinPool::half("resume"), folder());
    fill(&pool.thin_node(), 1 << 20);
    let before = (sum(&pool.thin_node(), MIB), dmsetup(&["table", &pool.pool_name()]));
    let writer = Writer::start(&pool.thin_node(), 4 * MIB..8 * MIB);
    // smaller than it is: loads, and is refused when it is to run
    let (acted, told) = done(&Effect::Window(resized(&pool, 8 * MIB)), folder.path());
    let why = why(acted);
    assert!(why.contains("refused to run the new table"), "{why}");
    assert!(why.contains("was put back"), "{why}");
    assert!(told[0].starts_with("suspended for "), "{told:?}");
    assert_runs(&pool.pool_name(), &before.1);
    assert_eq!(writer.stop().error, None);
    assert_eq!(sum(&pool.thin_node(), MIB), before.0);
    assert_eq!(pool.data_blocks().1, 512);
    // and it grows as if nothing had been
    let (acted, _) = done(&Effect::Window(resized(&pool, ThinPool::DATA)), folder.path());
    assert_eq!((acted, pool.data_blocks().1), (Acted::Done, 1024));
}

#[test]
fn a_device_that_is_not_the_one_that_was_planned_for_is_not_touched() {
    if !in_lab() {
        return;
    }
    let (pool, folder) = (ThinPool::half("other"), folder());
    let name = pool.pool_name();
    let before = traces(&name);
    let good = resized(&pool, ThinPool::DATA);
    let mut older = good.clone();
    older.old[0].length -= 1;
    let wrong = [
        (Window { name: format!("{name}\x1b"), ..good.clone() }, "another name now: "),
        (Window { uuid: "CRYPT-1".to_owned(), ..good.clone() }, "another uuid now: "),
        (older, "another table than when this was planned"),
        (Window { device: DevNo::new(good.device.major, 1_000_000), ..good.clone() }, "not there"),
    ];
    for (window, said) in wrong {
        let why = why(done(&Effect::Window(window), folder.path()).0);
        assert!(why.contains(said), "{why}");
        assert_eq!(traces(&name), before, "{said}");
    }
    {
        let _suspended = pool.suspend();
        let why = why(done(&Effect::Window(good.clone()), folder.path()).0);
        assert!(why.contains(" is suspended: "), "{why}");
        assert!(device(pool.pool()).suspended, "it is not ours to resume");
    }
    dmsetup(&["load", &name, "--table", "0 65536 error"]);
    let why = why(done(&Effect::Window(good), folder.path()).0);
    assert!(why.contains("a table in its inactive slot that is not ours"), "{why}");
    assert!(device(pool.pool()).inactive_table, "it is not ours to clear");
    dmsetup(&["clear", &name]);
}

#[test]
fn suspended_devices_are_brought_back_in_order_all_of_them_tried() {
    if !in_lab() {
        return;
    }
    let (pool, folder) = (ThinPool::half("back"), folder());
    let (name, thin) = (pool.pool_name(), pool.thin_name());
    let table = dmsetup(&["table", &name]);
    let of = |dev, name: &str, clear| Suspended { device: dev, name: name.to_owned(), clear };
    let both = [of(pool.thin(), &thin, false), of(pool.pool(), &name, true)];
    dmsetup(&["suspend", "--noflush", "--nolockfs", &thin]);
    dmsetup(&["suspend", "--noflush", "--nolockfs", &name]);
    dmsetup(&["load", &name, "--table", "0 65536 error"]);
    let mut other = both.to_vec();
    other[0].name.push('x');
    let (acted, _) = done(&Effect::Resume(other), folder.path());
    assert!(matches!(acted, Acted::Failed { .. }), "{acted:?}");
    assert!(device(pool.thin()).suspended, "that one has another name");
    assert_runs(&name, &table);
    let (acted, told) = done(&Effect::Resume(both.to_vec()), folder.path());
    assert_eq!(acted, Acted::Done);
    let at = |dev: DevNo, name: &str| format!("device {dev} ({name})");
    let lines = [
        format!("{} runs already", at(pool.pool(), &name)),
        format!("{} runs again", at(pool.thin(), &thin)),
    ];
    assert_eq!(told, lines);
    assert!(!device(pool.thin()).suspended);
    let gone = of(DevNo::new(pool.pool().major, 1_000_000), "gone", false);
    let (acted, _) = done(&Effect::Resume(vec![gone]), folder.path());
    assert!(why(acted).contains("not there"));
}

#[test]
fn who_is_not_root_changes_nothing_and_is_told_so() {
    if !in_lab() {
        return;
    }
    let (pool, folder) = (ThinPool::half("nobody"), folder());
    let before = traces(&pool.pool_name());
    let effect = Effect::Window(resized(&pool, ThinPool::DATA));
    std::os::unix::fs::chown(folder.path(), Some(65534), None).expect("root may");
    let order = crate::killed::order(&effect, folder.path());
    let mut runner = std::process::Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", PROGRAM, "__act"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("util-linux is installed");
    let mut stdin = runner.stdin.take().expect("it is a pipe");
    stdin.write_all(order.as_bytes()).expect("it reads");
    drop(stdin);
    assert!(!runner.wait().expect("it ends").success());
    let Some(Outcome { acted, .. }) = read_outcome(folder.path(), "step-1") else {
        panic!("no result")
    };
    assert!(why(acted).contains("sudo"));
    assert_eq!(traces(&pool.pool_name()), before);
}

#[test]
fn the_way_back_by_hand_works_as_it_is_printed() {
    if !in_lab() {
        return;
    }
    let pool = ThinPool::half("hand");
    let (name, table) = (pool.pool_name(), dmsetup(&["table", &pool.pool_name()]));
    let small = resized(&pool, 8 * MIB);
    let text = table.replace("0 65536 thin-pool", "0 16384 thin-pool");
    dmsetup(&["load", &name, "--table", text.trim()]);
    dmsetup(&["suspend", "--noflush", "--nolockfs", &name]);
    let resumed = std::process::Command::new("dmsetup").args(["resume", &name]).output();
    assert!(!resumed.expect("dmsetup is installed").status.success(), "it is refused");
    assert!(device(pool.pool()).suspended);
    run("sh", &["-c", &small.rescue()]);
    assert_runs(&name, &table);
    let mut byte = [0];
    File::open(pool.thin_node()).and_then(|mut file| file.read_exact(&mut byte)).expect("it runs");
}
