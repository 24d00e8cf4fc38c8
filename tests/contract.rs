//! The door's contract, tried as root on real devices: what `sys` says is what the field's own
//! tools say, asking changes nothing, and an effect changes what it was asked to and nothing else.
//!
//! Runs in the lab only (`THINSCOPE_LAB=1`): it makes small device-mapper devices of its own over
//! loop files and removes them. Elsewhere each test says that it was not run.

#[path = "act/caller.rs"]
mod caller;
#[path = "contract/devices.rs"]
mod devices;
#[path = "contract/killed.rs"]
mod killed;
#[path = "contract/looks.rs"]
mod looks;
#[path = "act/process.rs"]
mod process;
#[path = "contract/tools.rs"]
mod tools;
#[path = "contract/window.rs"]
mod window;
#[path = "contract/writer.rs"]
mod writer;

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use devices::{Devices, ThinPool};
use thinscope::ids::DevNo;
use thinscope::sys::live::Live;
use thinscope::sys::live::watch::{Event, watch};
use thinscope::sys::{
    Answer, DmDevice, DmListed, FailKind, Question, Raw, ReadHost, Reply, SysBlockDevice,
};
use tools::{dmsetup, dmsetup_rows, lsblk};

/// The program that the lab tries, where it lies in the lab.
const PROGRAM: &str = "/usr/local/bin/thinscope";

/// No answer of a healthy kernel takes this long, emulated or not.
const IN_TIME: Duration = Duration::from_secs(5);

/// Whether this is the lab; says so where it is not.
fn in_lab() -> bool {
    let lab = std::env::var_os("THINSCOPE_LAB").is_some();
    if !lab {
        eprintln!(
            "not run: needs root and devices of its own, and the lab's word (THINSCOPE_LAB=1)"
        );
    }
    lab
}

fn live() -> Live {
    Live::new(None)
}

/// Asks in a thread of its own, so that a hang is a failure and not the end of the tests.
fn ask(question: &Question) -> Answer {
    let (tell, told) = mpsc::channel();
    let asked = (*question).clone();
    std::thread::spawn(move || tell.send(live().ask(&asked)));
    told.recv_timeout(IN_TIME).unwrap_or_else(|_| panic!("no answer in time to {question:?}"))
}

fn listed() -> Vec<DmListed> {
    match ask(&Question::DmList).result {
        Ok(Reply::DmList(listed)) => listed,
        other => panic!("no list: {other:?}"),
    }
}

fn device(dev: DevNo) -> DmDevice {
    match ask(&Question::DmDevice(dev)).result {
        Ok(Reply::DmDevice(device)) => device,
        other => panic!("no device {dev}: {other:?}"),
    }
}

fn status(dev: DevNo) -> String {
    match ask(&Question::DmStatus(dev)).result {
        Ok(Reply::Bytes(status)) => String::from_utf8(status.0).expect("a status is text"),
        other => panic!("no status of {dev}: {other:?}"),
    }
}

fn text(raw: &Raw) -> String {
    String::from_utf8(raw.0.clone()).expect("this name is text")
}

#[test]
fn the_version_is_the_driver_s() {
    if !in_lab() {
        return;
    }
    let Ok(Reply::DmVersion(version)) = ask(&Question::DmVersion).result else {
        panic!("device-mapper is there");
    };
    let said = dmsetup(&["version"]);
    let line = said.lines().find_map(|line| line.strip_prefix("Driver version:"));
    let [major, minor, patch] = version;
    assert_eq!(line.map(str::trim), Some(&*format!("{major}.{minor}.{patch}")));
}

#[test]
fn every_device_has_the_name_number_uuid_and_state_that_dmsetup_prints() {
    if !in_lab() {
        return;
    }
    let pool = ThinPool::new("state");
    let _inactive = pool.load_another_table();
    let fields = "name,uuid,open,events,suspended,readonly,tables_loaded";
    let rows = dmsetup_rows(fields);
    let listed = listed();
    assert_eq!(listed.len(), rows.len());
    for one in listed {
        let seen = device(one.dev);
        let word = |is, yes: &'static str, no| if is { yes } else { no };
        let row = [
            text(&seen.name),
            text(&seen.uuid),
            seen.open_count.to_string(),
            seen.event_nr.to_string(),
            word(seen.suspended, "Suspended", "Active").to_owned(),
            word(seen.read_only, "Read-only", "Writeable").to_owned(),
            word(seen.inactive_table, "Both", "Live").to_owned(),
        ];
        assert_eq!(rows.get(&one.dev).map(Vec::as_slice), Some(&row[..]), "{}", one.dev);
        assert_eq!((one.name, one.event_nr), (seen.name, Some(seen.event_nr)));
    }
}

#[test]
fn tables_and_dependencies_are_those_that_dmsetup_prints() {
    if !in_lab() {
        return;
    }
    let pool = ThinPool::new("tables");
    let _long =
        Devices::concise(&[("contract-segments", "0 8 error,8 16 error,24 1 error,25 999 error")]);
    for one in listed() {
        let (name, seen) = (text(&one.name), device(one.dev));
        let lines: Vec<_> = seen
            .table
            .iter()
            .map(|line| {
                format!("{} {} {} {}", line.start, line.length, line.kind, text(&line.params))
            })
            .collect();
        assert_eq!(lines.join("\n").trim_end(), dmsetup(&["table", &name]).trim_end(), "{name}");
        let mut deps: Vec<_> =
            seen.deps.iter().map(|dev| format!("({}, {})", dev.major, dev.minor)).collect();
        deps.sort();
        let said = dmsetup(&["deps", "-o", "devno", &name]);
        let mut said: Vec<_> =
            said.split('(').skip(1).map(|dep| format!("({}", dep.trim_end())).collect();
        said.sort();
        assert_eq!(deps, said, "{name}");
    }
    assert_eq!(device(pool.thin()).deps, [pool.pool()]);
}

#[test]
fn status_is_that_of_dmsetup_and_asking_it_commits_nothing() {
    if !in_lab() {
        return;
    }
    let pool = ThinPool::new("status");
    pool.write_to_thin();
    let writes = pool.metadata_writes();
    let events = device(pool.pool()).event_nr;
    for (dev, name) in [(pool.pool(), pool.pool_name()), (pool.thin(), pool.thin_name())] {
        let said = dmsetup(&["status", "--noflush", &name]);
        assert_eq!(status(dev).trim_end(), said.trim_end());
    }
    assert!(status(pool.thin()).starts_with("0 16384 thin 128 "), "{}", status(pool.thin()));
    assert_eq!(pool.metadata_writes(), writes, "the metadata device was written to");
    assert_eq!(device(pool.pool()).event_nr, events);
    // and the counter does tell: a flushing status commits
    dmsetup(&["status", &pool.pool_name()]);
    assert!(pool.metadata_writes() > writes);
}

#[test]
fn a_suspended_pool_and_its_thin_device_are_told_of_in_time() {
    if !in_lab() {
        return;
    }
    let pool = ThinPool::new("suspended");
    let resumed = status(pool.pool());
    let _suspended = pool.suspend();
    assert!(device(pool.pool()).suspended);
    assert_eq!(status(pool.pool()), resumed);
    assert_eq!(device(pool.thin()).name, Raw::from(&*pool.thin_name()));
    assert!(status(pool.thin()).starts_with("0 16384 thin "));
    assert!(listed().iter().any(|one| one.dev == pool.thin()));
}

#[test]
fn a_read_only_device_and_one_that_goes_at_its_last_close_say_so() {
    if !in_lab() {
        return;
    }
    let pool = ThinPool::new("flags");
    let devices = Devices::concise_read_only("contract-ro", "0 8 error");
    assert!(device(devices.number("contract-ro")).read_only);
    assert!(!device(pool.thin()).read_only);
    let open = std::fs::File::open(pool.thin_node());
    let open = open.expect("the thin device can be opened");
    dmsetup(&["remove", "--deferred", &pool.thin_name()]);
    let seen = device(pool.thin());
    assert!(seen.deferred_remove && seen.open_count == 1, "{seen:?}");
    drop(open);
}

#[test]
fn names_of_any_bytes_are_listed_and_lose_no_other() {
    if !in_lab() {
        return;
    }
    let names: [&[u8]; 3] = [b"contract-\xff\xfe", b"contract-\x1b[31m\n", b"contract-plain"];
    let before = listed().len();
    let devices = Devices::hostile(&names);
    let listed = listed();
    assert_eq!(listed.len(), before + 3);
    for name in names {
        let found = listed.iter().find(|one| one.name.0 == name).expect("it is listed as it is");
        assert_eq!(device(found.dev).name.0, name);
        assert_eq!(device(found.dev).table[0].kind, "error");
    }
    drop(devices);
}

#[test]
fn a_list_longer_than_the_first_buffer_is_whole() {
    if !in_lab() {
        return;
    }
    let names: Vec<_> = (0..140).map(|n| format!("contract-{}-{n:03}", "x".repeat(110))).collect();
    let tables: Vec<_> = names.iter().map(|name| (name.as_str(), "0 8 error")).collect();
    let _devices = Devices::concise(&tables);
    let listed = listed();
    for name in &names {
        assert!(listed.iter().any(|one| one.name == Raw::from(name.as_str())), "{name}");
    }
    assert_eq!(listed.len(), dmsetup_rows("name").len());
}

#[test]
fn a_table_longer_than_the_first_buffer_is_whole() {
    if !in_lab() {
        return;
    }
    let lines: Vec<_> = (0..2000).map(|n| format!("{} 8 error", n * 8)).collect();
    let devices = Devices::concise(&[("contract-long", &lines.join(","))]);
    let seen = device(devices.number("contract-long"));
    assert_eq!(seen.table.len(), 2000);
    assert_eq!((seen.table[1999].start, seen.table[1999].length), (15992, 8));
}

#[test]
fn a_device_that_is_not_there_is_not_found() {
    if !in_lab() {
        return;
    }
    let dev = DevNo::new(listed().first().map_or(253, |one| one.dev.major), 1_000_000);
    for question in [Question::DmDevice(dev), Question::DmStatus(dev)] {
        let failure = ask(&question).result.expect_err("there is none");
        assert_eq!(failure.kind, FailKind::NotFound, "{}", failure.why);
    }
}

#[test]
fn block_devices_are_those_of_lsblk() {
    if !in_lab() {
        return;
    }
    let Ok(Reply::SysBlock(seen)) = ask(&Question::SysBlock).result else {
        panic!("sysfs is mounted");
    };
    let attr =
        |device: &SysBlockDevice, name: &str| device.attrs.get(name).map(text).unwrap_or_default();
    let mut rows = BTreeMap::new();
    for disk in &seen {
        for device in std::iter::once(disk).chain(&disk.parts) {
            let size: u64 = attr(device, "size").parse().expect("sysfs prints numbers");
            let row = [attr(device, "dev"), (size * 512).to_string(), attr(device, "ro")];
            rows.insert(text(&device.name), row);
        }
    }
    let wanted = lsblk();
    assert!(!wanted.is_empty());
    assert_eq!(rows, wanted);
}

#[test]
fn a_loop_device_tells_the_inode_of_its_file() {
    if !in_lab() {
        return;
    }
    let pool = ThinPool::new("loop");
    let Ok(Reply::SysBlock(seen)) = ask(&Question::SysBlock).result else {
        panic!("sysfs is mounted");
    };
    let (device, file) = pool.data_loop();
    let found = seen.iter().find(|one| text(&one.name) == device).expect("it is there");
    let (backing, wanted) =
        (found.backing.expect("the file is there"), std::fs::metadata(&file).expect("it is there"));
    assert_eq!((backing.ino, backing.size), (wanted.ino(), wanted.len()));
    assert_eq!(backing.dev, DevNo::from_huge(wanted.dev()));
    assert_eq!(backing.allocated, wanted.blocks() * 512);
    assert_eq!(found.attrs.get("loop/backing_file").map(text), file.to_str().map(str::to_owned));
}

#[test]
fn a_new_device_is_an_event() {
    if !in_lab() {
        return;
    }
    let (tell, told) = mpsc::channel();
    assert!(watch(move |event| tell.send(event).is_ok()), "this kernel can be waited on");
    while told.recv_timeout(Duration::from_millis(300)).is_ok() {}
    let devices = Devices::concise(&[("contract-event", "0 8 error")]);
    assert_eq!(told.recv_timeout(IN_TIME), Ok(Event::DeviceMapper));
    while told.recv_timeout(Duration::from_millis(300)).is_ok() {}
    drop(devices);
    assert_eq!(told.recv_timeout(IN_TIME), Ok(Event::DeviceMapper));
}

#[test]
fn who_is_not_root_is_denied_and_told_what_to_do() {
    if !in_lab() {
        return;
    }
    if std::env::var_os("CONTRACT_AS_NOBODY").is_some() {
        for question in [Question::DmList, Question::DmVersion] {
            let failure = live().ask(&question).result.expect_err("nobody may");
            assert_eq!(failure.kind, FailKind::Denied, "{}", failure.why);
            assert!(failure.why.contains("sudo"), "{}", failure.why);
        }
        return;
    }
    let this = std::env::current_exe().expect("it runs");
    let status = Command::new(this)
        .args(["--exact", "who_is_not_root_is_denied_and_told_what_to_do"])
        .env("CONTRACT_AS_NOBODY", "1")
        .uid(65534)
        .gid(65534)
        .status()
        .expect("it can be started again");
    assert!(status.success());
}
