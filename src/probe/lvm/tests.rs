//! LVM as it answers: whole, old, slow, locked, broken, absent.

use super::*;
use crate::ids::DevNo;
use crate::probe::testing::{FakeHost, block, dm, file};
use crate::sys::{Answer, DirEntry, DmListed, EntryKind, FileStat, HostPath};
use crate::units::Bytes;

const REAL: &str = include_str!("../../../tests/data/lvm/fullreport-2.03.16.json");
const MISSING_PV: &str = include_str!("../../../tests/data/lvm/fullreport-missing-pv.json");

/// Its limit is no part of the question.
const PLAIN: Ask =
    Ask { fields: Fields::Most, monitor: false, locking: true, limit: Duration::ZERO };

fn ran(exit: i32, stdout: &str, stderr: &str) -> Answer {
    let output = RunOutput { exit: Some(exit), stdout: stdout.into(), stderr: stderr.into() };
    Answer::ok(Reply::Ran(output))
}

/// A host whose LVM has no configuration of its own.
fn plain(answers: impl IntoIterator<Item = (Question, Answer)>) -> FakeHost {
    let absent = |path| (file(path), Answer::failed(FailKind::NotFound, "not there"));
    let files = ["/etc/lvm/lvm.conf", "/etc/lvm/lvmlocal.conf"].map(absent);
    FakeHost::new(files.into_iter().chain(answers))
}

fn no_dmeventd() -> (Question, Answer) {
    (file("/run/dmeventd.pid"), Answer::failed(FailKind::NotFound, "not there"))
}

fn asked(ask: Ask, answer: Answer) -> (Question, Answer) {
    (Question::Run(call(ask, &[])), answer)
}

fn whys(seen: &LvmSeen) -> Vec<&str> {
    seen.gaps.iter().map(|gap| gap.why.as_str()).collect()
}

#[test]
fn a_whole_report_has_no_gap() {
    let seen = read_lvm(&plain([no_dmeventd(), asked(PLAIN, ran(0, REAL, ""))]));
    assert_eq!((seen.vgs.len(), seen.pvs.len(), seen.lvs.len()), (1, 3, 14));
    assert!(seen.whole && seen.gaps.is_empty(), "{:?}", seen.gaps);
    assert_eq!(seen.dmeventd, Some(false));
}

#[test]
fn the_monitoring_daemon_is_asked_only_where_it_runs() {
    let ask = Ask { monitor: true, ..PLAIN };
    let seen = read_lvm(&plain([
        (file("/run/dmeventd.pid"), Answer::ok_bytes("812\n")),
        (file("/proc/812/comm"), Answer::ok_bytes("dmeventd\n")),
        asked(ask, ran(0, REAL, "")),
    ]));
    assert_eq!((seen.dmeventd, seen.lvs.len()), (Some(true), 14));
    let text = call(PLAIN, &[]).args.join(" ");
    assert!(!text.contains("seg_monitor"), "it would start the daemon: {text}");
    assert!(call(ask, &[]).args.join(" ").contains("stripe_size,seg_monitor"));
}

#[test]
fn an_old_version_without_a_field_is_asked_for_fewer() {
    let old = Ask { fields: Fields::Old, ..PLAIN };
    let seen = read_lvm(&plain([
        no_dmeventd(),
        asked(PLAIN, ran(5, "{\"report\":[]}", "  a list\n  Unrecognised field: pv_major\n")),
        asked(old, ran(0, REAL, "")),
    ]));
    assert_eq!(seen.lvs.len(), 14);
    assert!(seen.gaps.is_empty(), "{:?}", seen.gaps);
}

#[test]
fn a_newer_version_says_what_is_activated_at_boot_and_an_older_one_is_asked_for_less() {
    let newest = Ask { fields: Fields::Newest, ..PLAIN };
    let report = r#"{"report": [{
        "vg": [{"vg_uuid":"g", "vg_name":"docker", "vg_autoactivation":""}],
        "lv": [{"lv_uuid":"v", "vg_uuid":"g", "lv_name":"thinpool", "lv_autoactivation":"enabled"}]
    }]}"#;
    let seen = read_lvm(&plain([no_dmeventd(), asked(newest, ran(0, report, ""))]));
    assert_eq!(seen.vgs[0].autoactivation, Some(false));
    assert_eq!(seen.lvs[0].autoactivation, Some(true));
    let seen = read_lvm(&plain([
        no_dmeventd(),
        asked(newest, ran(5, "", "  Unrecognised field: vg_autoactivation\n")),
        asked(PLAIN, ran(0, REAL, "")),
    ]));
    assert_eq!((seen.lvs.len(), seen.lvs[0].autoactivation), (14, None));
    assert!(seen.gaps.is_empty(), "{:?}", seen.gaps);
}

#[test]
fn a_held_lock_names_its_holder_and_the_report_comes_without_locks() {
    let unlocked = Ask { locking: false, ..PLAIN };
    let seen = read_lvm(&plain([
        no_dmeventd(),
        asked(PLAIN, Answer::failed(FailKind::TimedOut, "lvm did not answer within 8 s")),
        asked(unlocked, ran(0, REAL, "  WARNING: File locking is disabled.\n")),
    ]));
    assert_eq!(seen.lvs.len(), 14);
    assert_eq!(
        whys(&seen),
        [
            "LVM gave no answer within 10 s: a device or a lock holds it up, or it has more to tell; asked again without \
          locks, what it tells may be in the middle of a change"
        ]
    );
}

#[test]
fn a_tool_that_hangs_without_locks_too_leaves_two_gaps_and_no_volumes() {
    let unlocked = Ask { locking: false, ..PLAIN };
    let slow = |ask| asked(ask, Answer::failed(FailKind::TimedOut, "no answer"));
    let seen = read_lvm(&plain([no_dmeventd(), slow(PLAIN), slow(unlocked)]));
    assert_eq!((seen.gaps.len(), seen.lvs.len(), seen.whole), (2, 0, false));
}

#[test]
fn no_lvm_at_all_is_marked_for_whoever_knows_whether_it_is_missed() {
    let absent = Answer::failed(FailKind::NotFound, "lvm is not installed");
    let seen = read_lvm(&plain([no_dmeventd(), asked(PLAIN, absent)]));
    assert_eq!(seen.not_installed, Some("lvm is not installed".into()));
    assert!(seen.gaps.is_empty());
}

#[test]
fn a_missing_pv_is_kept_and_lvm_s_warning_with_it() {
    let warning = "  WARNING: Couldn't find device with uuid 0w24dO.\n";
    let answer = ran(0, MISSING_PV, warning);
    let seen = read_lvm(&plain([no_dmeventd(), asked(PLAIN, answer)]));
    assert_eq!(whys(&seen), ["LVM says: WARNING: Couldn't find device with uuid 0w24dO."]);
    let missing: Vec<_> = seen.pvs.iter().filter(|pv| pv.missing).collect();
    assert_eq!(missing.len(), 1);
    assert_eq!((missing[0].dev, missing[0].path.as_str()), (None, "[unknown]"));
    assert_eq!(seen.vgs[0].missing_pvs, 1);
}

#[test]
fn a_report_that_breaks_off_is_used_as_far_as_it_goes() {
    let half = REAL.get(..REAL.len() / 2).expect("the report is ASCII");
    let seen = read_lvm(&plain([no_dmeventd(), asked(PLAIN, ran(5, half, "  Oops\n"))]));
    assert!(!seen.whole && !seen.lvs.is_empty());
    assert!(whys(&seen)[0].starts_with("LVM's report could not be read to its end"));
    assert_eq!(whys(&seen)[1], "LVM says: Oops");
}

#[test]
fn an_error_status_with_a_report_is_a_gap_beside_it() {
    let seen = read_lvm(&plain([no_dmeventd(), asked(PLAIN, ran(5, REAL, ""))]));
    assert_eq!((seen.lvs.len(), seen.whole), (14, false));
    assert_eq!(whys(&seen), ["LVM ended with status 5; shown is what it reported"]);
}

#[test]
fn a_flood_of_messages_is_cut_in_the_middle() {
    let flood = (0..1000).fold(String::new(), |text, n| text + &format!("  message {n}\x1b\n"));
    let seen = read_lvm(&plain([no_dmeventd(), asked(PLAIN, ran(0, REAL, &flood))]));
    let whys = whys(&seen);
    assert_eq!(whys.len(), 1);
    let words: Vec<&str> = whys[0].split("; ").collect();
    assert_eq!((words.len(), words[0]), (11, "LVM says: message 0\\x1b"));
    assert_eq!((words[5], words[10]), ("(990 more messages)", "message 999\\x1b"));
}

#[test]
fn a_live_look_is_bounded_to_safe_devices_and_writes_nothing() {
    let conf = "devices {\n# filter = [ \"a|.*|\" ]\n\tfilter = [ \"r|/dev/drbd.*|\" ]\n}\n";
    let thin = dm("docker-8:1-5-base", "", "0 8 thin 253:2 1");
    let listed = DmListed { dev: DevNo::new(253, 3), name: thin.name.clone(), event_nr: None };
    let scope = scope(&FakeHost::new([
        (Question::DmVersion, Answer::ok(Reply::DmVersion([4, 47, 0]))),
        (Question::DmList, Answer::ok(Reply::DmList(vec![listed]))),
        (Question::DmDevice(DevNo::new(253, 3)), Answer::ok(Reply::DmDevice(thin))),
        (Question::SysBlock, Answer::ok(Reply::SysBlock(vec![block("sda", "8:0", 8, &[])]))),
        (file("/etc/lvm/lvm.conf"), Answer::ok_bytes(conf)),
    ]));
    assert_eq!(
        scope.settings,
        [
            "--config",
            "devices{hints=\"none\" ignore_suspended_devices=1 \
             global_filter=[\"a|^/dev/sda$|\",\"r|.*|\"]} global{metadata_read_only=1} \
             backup{backup=0 archive=0} log{report_command_log=0}"
        ]
    );
}

#[test]
fn a_filter_of_the_host_stays_in_force_wherever_it_is_set() {
    for (path, conf) in [
        ("/etc/lvm/lvmlocal.conf", "devices { filter = [ \"r|/dev/vdb|\" ] }"),
        ("/etc/lvm/lvmlocal.conf", "devices {\n\tfilter=[\"r|/dev/vdb|\"]\n}"),
        ("/etc/lvm/lvm.conf", "devices/filter = [ \"r|/dev/vdb|\" ]"),
    ] {
        let answers = [
            (Question::DmVersion, Answer::ok(Reply::DmVersion([4, 47, 0]))),
            (file(path), Answer::ok_bytes(conf)),
        ];
        let scope = scope(&FakeHost::new(answers)).settings.concat();
        assert!(scope.contains("global_filter="), "{path}: {conf}: {scope}");
    }
    let comment = (file("/etc/lvm/lvmlocal.conf"), Answer::ok_bytes("# filter = [ \"r|.*|\" ]"));
    let version = (Question::DmVersion, Answer::ok(Reply::DmVersion([4, 47, 0])));
    let scope = scope(&FakeHost::new([version, comment])).settings.concat();
    assert!(!scope.contains("global_filter="), "{scope}");
}

#[test]
fn a_recording_is_asked_without_computing_a_filter() {
    assert!(scope(&FakeHost::new([])).settings.is_empty());
}

/// Notes how long each call may take.
struct Limits<'a>(&'a FakeHost, std::sync::Mutex<Vec<Duration>>);

impl Limits<'_> {
    fn seconds(self) -> Vec<u64> {
        let limits = self.1.into_inner().expect("no other thread");
        limits.iter().map(Duration::as_secs).collect()
    }
}

impl ReadHost for Limits<'_> {
    fn ask(&self, question: &Question) -> Answer {
        if let Question::Run(call) = question {
            self.1.lock().expect("no other thread").push(call.limit);
        }
        self.0.ask(question)
    }
}

#[test]
fn a_lock_that_is_seen_held_is_waited_for_less_long_and_its_holder_named() {
    let unlocked = Ask { locking: false, ..PLAIN };
    let stat = FileStat {
        kind: EntryKind::File,
        dev: DevNo::new(0, 25),
        rdev: DevNo::new(0, 0),
        ino: 567,
        size: 0,
        allocated: 0,
        mtime: 0,
    };
    let entries = vec![DirEntry { name: "V_docker".into(), kind: EntryKind::File }];
    let host = plain([
        no_dmeventd(),
        (file("/proc/locks"), Answer::ok_bytes("1: FLOCK  ADVISORY  WRITE 4711 00:19:567 0 EOF\n")),
        (Question::Dir(HostPath::new("/run/lock/lvm")), Answer::ok(Reply::Entries(entries))),
        (Question::Stat(HostPath::new("/run/lock/lvm/V_docker")), Answer::ok(Reply::Stat(stat))),
        (file("/proc/4711/comm"), Answer::ok_bytes("lvextend\n")),
        asked(PLAIN, Answer::failed(FailKind::TimedOut, "lvm did not answer within 2 s")),
        asked(unlocked, ran(0, REAL, "")),
    ]);
    let limits = Limits(&host, std::sync::Mutex::default());
    let seen = read_lvm(&limits);
    // asked for the newest fields first, which this host does not answer
    assert_eq!(limits.seconds(), [2, 2, 6]);
    assert_eq!(
        whys(&seen),
        ["LVM gave no answer within 2 s: its lock V_docker is held by lvextend (pid 4711); asked \
          again without locks, what it tells may be in the middle of a change"]
    );
}

#[test]
fn a_host_of_many_volumes_has_longer_and_a_lvm_that_hangs_there_is_asked_without_locks_too() {
    let (volumes, linear) =
        (10_000, |minor| dm(&format!("vg-{minor}"), "LVM-x", "0 8 linear 8:0 0"));
    let listed =
        |minor| DmListed { dev: DevNo::new(253, minor), name: linear(minor).name, event_nr: None };
    let devices = (0..volumes)
        .map(|minor| (Question::DmDevice(DevNo::new(253, minor)), linear(minor)))
        .map(|(question, device)| (question, Answer::ok(Reply::DmDevice(device))));
    let host = FakeHost::new(devices.chain([
        no_dmeventd(),
        (Question::DmVersion, Answer::ok(Reply::DmVersion([4, 47, 0]))),
        (Question::DmList, Answer::ok(Reply::DmList((0..volumes).map(listed).collect()))),
        asked(PLAIN, Answer::failed(FailKind::TimedOut, "no answer")),
        asked(Ask { locking: false, ..PLAIN }, ran(0, REAL, "")),
    ]));
    let limits = Limits(&host, std::sync::Mutex::default());
    let seen = read_lvm(&limits);
    assert_eq!(limits.seconds(), [210, 210, 206]);
    assert!(whys(&seen)[0].starts_with("LVM gave no answer within 210 s: "), "{seen:?}");
}

#[test]
fn the_area_of_a_group_s_own_metadata_is_asked_for_and_read() {
    assert!(
        call(PLAIN, &[]).args.join(" ").contains("vg_missing_pv_count,vg_mda_size,vg_mda_free")
    );
    let report = "{\"report\":[{\"vg\":[{\"vg_name\":\"docker\",\"vg_mda_size\":\"1044480\",\
                  \"vg_mda_free\":\"81920\"}]}]}";
    let read = report::parse_report(report.as_bytes());
    let vg = &read.vgs[0];
    assert_eq!((vg.mda_size, vg.mda_free), (Some(Bytes(1_044_480)), Some(Bytes(81_920))));
    // an older recording has no such fields
    let older = report::parse_report(b"{\"report\":[{\"vg\":[{\"vg_name\":\"docker\"}]}]}");
    assert_eq!((older.vgs[0].mda_size, older.vgs[0].mda_free), (None, None));
}

/// LVM that does not find a node so many times, and then does.
struct LateNode<'a>(&'a FakeHost, std::sync::Mutex<u32>);

impl ReadHost for LateNode<'_> {
    fn ask(&self, question: &Question) -> Answer {
        let mut late = self.1.lock().expect("no other thread");
        if matches!(question, Question::Run(call) if call == &self::call(PLAIN, &[])) && *late > 0 {
            *late -= 1;
            let words =
                "  /dev/mapper/docker-thinpool_tmeta: open failed: No such file or directory\n";
            return ran(5, "{\"report\":[]}", words);
        }
        self.0.ask(question)
    }
}

#[test]
fn a_node_that_udev_makes_late_is_asked_for_once_more() {
    let host = plain([no_dmeventd(), asked(PLAIN, ran(0, REAL, ""))]);
    let late = |times| read_lvm(&LateNode(&host, std::sync::Mutex::new(times)));
    for times in [0, 1] {
        let seen = late(times);
        assert_eq!((seen.lvs.len(), seen.whole), (14, true));
        assert_eq!(whys(&seen), [""; 0]);
    }
    let seen = late(2);
    assert!(!seen.whole);
    assert_eq!(whys(&seen).last(), Some(&STILL_MISSING));
    // another failure is no reason to ask again
    let other = plain([no_dmeventd(), asked(PLAIN, ran(5, "{\"report\":[]}", "  Volume\n"))]);
    assert_eq!(whys(&read_lvm(&other)).len(), 2);
}

/// Takes longer over LVM than is done twice.
struct Slow<'a>(LateNode<'a>);

impl ReadHost for Slow<'_> {
    fn ask(&self, question: &Question) -> Answer {
        if question.calls_lvm() {
            std::thread::sleep(QUICK + Duration::from_millis(20));
        }
        self.0.ask(question)
    }
}

#[test]
fn what_took_long_is_not_asked_for_once_more() {
    let host = plain([no_dmeventd(), asked(PLAIN, ran(0, REAL, ""))]);
    let seen = read_lvm(&Slow(LateNode(&host, std::sync::Mutex::new(1))));
    assert!(!seen.whole, "whoever waits has a limit");
    assert_eq!(whys(&seen).last(), Some(&STILL_MISSING));
}
