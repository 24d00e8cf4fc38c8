//! Rules about what an engine says of its pool.

use super::{codes_after, findings_after, only, with_status};
use crate::ids::ThinId;
use crate::model::engine::{
    Base, EngineFacts, Forced, Held, HeldBy, IdsInUse, LoopSpace, Misfit, Mismatch, Pending,
    Transaction,
};
use crate::model::sample::{Parts, container, thin};
use crate::model::{ContainerState, Cure, Engine, Finding, Role, Severity};
use crate::units::{Bytes, DataBlocks, MetadataBlocks};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The pool with docker's word on it.
fn said(change: impl FnOnce(&mut EngineFacts)) -> impl FnOnce(&mut Parts) {
    |parts| {
        let mut facts = EngineFacts::new(Engine::Docker, "/var/lib/docker".into());
        facts.daemon_runs = Some(true);
        change(&mut facts);
        parts.pool.engine_facts = vec![facts];
    }
}

fn codes(change: impl FnOnce(&mut EngineFacts)) -> Vec<&'static str> {
    codes_after(said(change))
}

fn found(change: impl FnOnce(&mut EngineFacts)) -> Vec<Finding> {
    findings_after(said(change))
}

fn id(number: u64) -> ThinId {
    ThinId::new(number).expect("a small id")
}

#[test]
fn an_engine_of_which_nothing_was_seen_is_no_trouble() {
    assert_eq!(codes(|_| ()), [""; 0]);
}

#[test]
fn docker_s_line_is_at_its_percent_of_whole_blocks() {
    let at = |percent, data, metadata| {
        codes_after(move |parts| {
            said(|facts| facts.min_free_percent = Some(percent))(parts);
            with_status(move |status| {
                status.data.used = DataBlocks(data);
                status.metadata.used = MetadataBlocks(metadata);
            })(parts);
        })
    };
    let is = |codes: Vec<&str>| codes.contains(&"min-free-space-reached");
    // 10 % of 194,560 blocks are 19,456: free must not be less
    assert!(!is(at(10, 194_560 - 19_456, 5222)));
    assert!(is(at(10, 194_560 - 19_455, 5222)));
    // 10 % of 261,120 metadata blocks are 26,112
    assert!(!is(at(10, 19_456, 261_120 - 26_112)));
    assert!(is(at(10, 19_456, 261_120 - 26_111)));
    assert!(!is(at(0, 194_560, 5222)), "0 % is no limit");
}

#[test]
fn the_line_is_told_with_docker_s_own_numbers() {
    let found = findings_after(|parts| {
        said(|facts| facts.min_free_percent = Some(10))(parts);
        with_status(|status| status.data.used = DataBlocks(180_000))(parts);
    });
    let finding = only(&found, "min-free-space-reached");
    assert_eq!(finding.severity, Severity::Critical);
    assert!(
        finding
            .evidence
            .iter()
            .any(|line| line
                == "14560 free data blocks, which is less than the minimum of 19456 (10%)"),
        "{finding:?}"
    );
}

#[test]
fn a_transaction_is_open_one_ahead_and_a_mismatch_otherwise() {
    let at = |engine| {
        codes(move |facts| {
            let name = "ab-init".into();
            facts.transaction = Some(Transaction { engine, pool: 24, name, id: Some(id(9)) });
        })
    };
    assert_eq!(at(24), [""; 0]);
    assert_eq!(at(25), ["transaction-open"]);
    assert_eq!(at(26), ["transaction-mismatch"]);
    assert_eq!(at(23), ["transaction-mismatch"]);
    assert_eq!(at(0), ["transaction-mismatch"]);
}

#[test]
fn an_open_transaction_says_what_the_daemon_will_do() {
    let remedy = |runs| {
        let found = found(move |facts| {
            facts.daemon_runs = Some(runs);
            let name = "".into();
            facts.transaction = Some(Transaction { engine: 25, pool: 24, name, id: Some(id(1)) });
        });
        let finding = only(&found, "transaction-open");
        assert!(finding.evidence.iter().any(|line| line.contains("(the base device)")));
        finding.remedy
    };
    assert!(remedy(false).starts_with("start docker: it rolls back"));
    assert!(remedy(true).starts_with("look again in a minute"));
}

#[test]
fn a_deletion_is_stuck_after_three_of_docker_s_tries() {
    let at = |runs, seconds| {
        codes(move |facts| {
            facts.daemon_runs = Some(runs);
            facts.pending = vec![Pending { name: "ab".into(), id: id(9), seconds }];
        })
    };
    assert_eq!(at(true, Some(89)), [""; 0]);
    assert_eq!(at(true, Some(90)), ["deferred-deletion-stuck"]);
    assert_eq!(at(true, None), [""; 0], "its age is not known");
    assert_eq!(at(false, Some(5)), ["deferred-deletion-stuck"]);
}

fn mount(of_init: bool) -> HeldBy {
    let (point, namespace) = ("/x".into(), "mnt:[4026532290]".into());
    HeldBy::Mount { point, namespace, of_init }
}

fn held(how: HeldBy) -> Held {
    let device = format!("docker-254:1-131-{}", "5".repeat(64)).into();
    Held { device, pid: 812, command: "sleep".into(), how }
}

#[test]
fn a_mount_in_another_namespace_is_told_and_one_of_the_system_s_own_is_not() {
    let after = |list: Vec<Held>| codes(move |facts| facts.held = list);
    assert_eq!(after(vec![held(mount(true))]), [""; 0]);
    assert_eq!(after(vec![held(mount(false))]), ["device-busy-in-namespace"]);
    assert_eq!(after(vec![held(HeldBy::Device)]), ["device-busy-in-namespace"]);
    assert_eq!(
        after(vec![held(mount(true)), held(HeldBy::File("/y".into()))]),
        ["device-busy-in-namespace"]
    );
}

#[test]
fn who_holds_a_device_is_named_with_namespace_and_way_out() {
    let found = found(|facts| facts.held = vec![held(mount(false)), held(mount(true))]);
    let finding = only(&found, "device-busy-in-namespace");
    assert!(finding.summary.starts_with("web does not run"), "{}", finding.summary);
    assert!(finding.node.is_some());
    assert!(finding.evidence[0].contains("mounted at /x in mnt:[4026532290], as process 812"));
    assert!(finding.remedy.contains("`nsenter -t 812 -m umount /x`"), "{}", finding.remedy);
}

#[test]
fn a_base_device_is_missing_in_three_ways() {
    assert_eq!(codes(|facts| facts.base = Base::NoRecord), ["base-device-missing"]);
    assert_eq!(codes(|facts| facts.base = Base::Unfinished(id(1))), ["base-device-missing"]);
    let recorded = || Base::Recorded { id: id(1), uuid: None, found: None };
    assert_eq!(codes(|facts| facts.base = recorded()), [""; 0]);
    let found = findings_after(|parts| {
        said(|facts| facts.base = recorded())(parts);
        parts.thins[0].role = Role::Missing;
    });
    assert_eq!(only(&found, "base-device-missing").severity, Severity::Critical);
}

#[test]
fn a_base_s_uuid_is_compared_where_both_were_seen() {
    let at = |recorded: &str, found: Option<&str>| {
        let (uuid, found) = (Some(recorded.into()), found.map(Into::into));
        codes(move |facts| facts.base = Base::Recorded { id: id(1), uuid, found })
    };
    assert_eq!(at("0c2e-11", Some("0C2E-11")), [""; 0]);
    assert_eq!(at("0c2e-11", None), [""; 0]);
    assert_eq!(at("0c2e-11", Some("ffff-11")), ["base-uuid-mismatch"]);
}

fn file(is_data: bool, apparent: u64, allocated: u64, free: u64) -> LoopSpace {
    LoopSpace {
        path: "/var/lib/docker/devicemapper/devicemapper/data".into(),
        is_data,
        apparent: Bytes(apparent),
        configured: None,
        allocated: Bytes(allocated),
        free: Some(Bytes(free)),
    }
}

#[test]
fn sparse_files_are_overcommitted_when_together_they_may_outgrow_their_filesystem() {
    // 99 GiB and 1 GiB more may come
    let at = |free| {
        codes(move |facts| {
            let data = file(true, 100 * GIB, GIB, free);
            facts.loop_files = vec![data, file(false, 2 * GIB, GIB, free)];
        })
    };
    assert_eq!(at(100 * GIB), [""; 0]);
    assert_eq!(at(100 * GIB - 1), ["loop-file-overcommitted"]);
}

#[test]
fn a_data_file_that_keeps_a_fifth_for_nothing_is_told() {
    // the pool uses 19,456 blocks of 512 KiB: 9.5 GiB
    let used = 19_456 * (512 << 10);
    let at = |allocated| {
        codes(move |facts| facts.loop_files = vec![file(true, 100 * GIB, allocated, 200 * GIB)])
    };
    assert_eq!(at(used + 2 * GIB), [""; 0]);
    assert_eq!(at(used * 5 / 4 - 5), [""; 0]);
    assert_eq!(at(used * 5 / 4), ["loop-space-not-returned"]);
    let small = |kept| {
        codes_after(move |parts| {
            said(|facts| facts.loop_files = vec![file(true, GIB, kept, GIB)])(parts);
            with_status(|status| status.data.used = DataBlocks(0))(parts);
        })
    };
    assert_eq!(small(256 * MIB - 1), [""; 0]);
    assert_eq!(small(256 * MIB), ["loop-space-not-returned"]);
}

#[test]
fn what_docker_was_told_is_judged_only_where_it_is_known() {
    assert_eq!(codes(|facts| facts.deferred_removal = None), [""; 0]);
    assert_eq!(codes(|facts| facts.deferred_removal = Some(true)), [""; 0]);
    assert_eq!(codes(|facts| facts.deferred_removal = Some(false)), ["deferred-removal-off"]);
    assert_eq!(codes(|facts| facts.udev_sync_overridden = true), ["udev-sync-overridden"]);
    let removed = |facts: &mut EngineFacts| {
        facts.driver_removed_from = Some("/usr/bin/dockerd".into());
    };
    assert_eq!(only(&found(removed), "driver-removed").severity, Severity::Critical);
}

#[test]
fn a_container_writes_heavily_from_a_tenth_of_the_pool_on() {
    // 10 % of 95 GiB are 9.5 GiB
    let after = |state, mapped, parent| {
        codes_after(move |parts| {
            let mut init = thin(0, 20, Role::ContainerInit, "x-init");
            init.mapped = Some(Bytes(parent));
            parts.add(init);
            let mut row = thin(0, 21, Role::Container, "x");
            row.container = Some(container("db", state));
            row.parent = ThinId::new(20);
            row.mapped = Some(Bytes(mapped));
            parts.add(row);
        })
    };
    let running = ContainerState::Running;
    let heavy = 19 * GIB / 2;
    assert_eq!(after(running, heavy - 1 + GIB, GIB), [""; 0]);
    assert_eq!(after(running, heavy + GIB, GIB), ["container-writes-heavy"]);
    assert_eq!(after(ContainerState::Exited, heavy + GIB, GIB), [""; 0]);
}

#[test]
fn a_small_pool_s_container_is_not_heavy_below_256_mib() {
    let after = |delta| {
        codes_after(move |parts| {
            with_status(|status| {
                status.data.total = DataBlocks(2048);
                status.data.used = DataBlocks(1000);
            })(parts);
            parts.thins[4].delta = Some(Bytes(delta));
        })
    };
    // the pool has 1 GiB
    assert_eq!(after(256 * MIB - 1), [""; 0]);
    assert_eq!(after(256 * MIB), ["container-writes-heavy"]);
}

#[test]
fn what_is_short_decides_which_wizard_is_led_to() {
    let cure = |data, metadata| {
        let found = findings_after(move |parts| {
            said(|facts| facts.min_free_percent = Some(10))(parts);
            with_status(move |status| {
                status.data.used = DataBlocks(data);
                status.metadata.used = MetadataBlocks(metadata);
            })(parts);
        });
        let finding = only(&found, "min-free-space-reached");
        (finding.cure, finding.remedy)
    };
    assert_eq!(cure(180_000, 5222).0, Cure::GrowData);
    let (of_metadata, remedy) = cure(19_456, 250_000);
    assert_eq!(of_metadata, Cure::GrowMetadata);
    let command =
        "grow the metadata: `thinscope grow docker-thinpool --metadata +1020M`, or `lvextend ";
    assert!(remedy.starts_with(command), "{remedy}");
    assert_eq!(cure(180_000, 250_000).0, Cure::GrowData, "docker looks at data first");
}

#[test]
fn a_length_that_docker_was_told_and_did_not_give_is_named() {
    let at = |is_data, told: Option<u64>| {
        found(move |facts| {
            let mut file = file(is_data, 100 * GIB, GIB, 200 * GIB);
            file.configured = told.map(Bytes);
            facts.loop_files = vec![file];
        })
    };
    assert_eq!(at(true, None), []);
    assert_eq!(at(true, Some(100 * GIB)), []);
    let larger = only(&at(true, Some(200 * GIB)), "loop-size-differs");
    assert_eq!((larger.severity, larger.cure), (Severity::Advice, Cure::GrowData));
    assert_eq!(larger.remedy, "`thinscope grow docker-thinpool --data 200G`, while it is in use");
    let metadata = only(&at(false, Some(100 * GIB + 1)), "loop-size-differs");
    assert_eq!(metadata.cure, Cure::GrowMetadata);
    let smaller = only(&at(true, Some(50 * GIB)), "loop-size-differs");
    assert!(smaller.summary.ends_with("docker never makes it shorter"), "{}", smaller.summary);
    assert_eq!(smaller.cure, Cure::ByHand);
}

#[test]
fn force_is_critical_where_nothing_keeps_docker_from_wiping_the_disk() {
    let at = |device: &str, done: bool| {
        let disk = Forced { device: device.into(), done };
        only(&found(|facts| facts.forced = Some(disk)), "directlvm-force-set")
    };
    assert_eq!(codes(|facts| facts.forced = None), [""; 0]);
    let other = at("/dev/xvdm", false);
    assert_eq!(other.severity, Severity::Critical);
    assert!(other.summary.contains("at its next start docker wipes it"), "{}", other.summary);
    assert_eq!(at("/dev/xvdm", true).severity, Severity::Warning);
    // the sample's disk is the VG's PV, which docker itself refuses to take
    let in_group = at("/dev/vdb", false);
    assert_eq!(in_group.severity, Severity::Warning);
    assert!(in_group.evidence.contains(&"on vdb now: pv vdb".to_owned()), "{in_group:?}");
}

/// The pool with containerd's word on it.
fn containerd_said(change: impl FnOnce(&mut EngineFacts)) -> Vec<Finding> {
    findings_after(|parts| {
        let mut facts = EngineFacts::new(Engine::Containerd, "/var/lib/containerd".into());
        facts.daemon_runs = Some(true);
        change(&mut facts);
        parts.pool.engine_facts = vec![facts];
    })
}

fn misfit(number: u64, state: &'static str, what: Misfit) -> Mismatch {
    Mismatch { device: format!("p-snap-{number}").into(), id: Some(id(number)), state, what }
}

#[test]
fn what_containerd_s_records_disagree_about_is_one_finding_a_pool() {
    let found = containerd_said(|facts| {
        facts.mismatches = vec![
            misfit(7, "Faulty", Misfit::Faulty("dmsetup: File exists".into())),
            misfit(8, "Activated", Misfit::NotActive),
        ];
    });
    let finding = only(&found, "containerd-state-mismatch");
    assert_eq!(finding.severity, Severity::Warning);
    assert!(finding.summary.contains("gave p-snap-7 up as faulty, and 1 more"), "{finding:?}");
    let line = |text: &str| finding.evidence.iter().any(|line| line == text);
    assert!(line("p-snap-7 (id 7): state Faulty, error: dmsetup: File exists"), "{finding:?}");
    assert!(line("p-snap-8 (id 8): state Activated, no such dm device"), "{finding:?}");
    assert!(finding.remedy.starts_with("restart containerd"), "{finding:?}");
}

#[test]
fn what_is_only_left_over_is_advice() {
    let severity = |what: &[Misfit]| {
        let of = |what: &Misfit| misfit(7, "Faulty", what.clone());
        let found = containerd_said(|facts| facts.mismatches = what.iter().map(of).collect());
        only(&found, "containerd-state-mismatch").severity
    };
    let left = [Misfit::Faulty("".into()), Misfit::IdOfNobody, Misfit::NoSnapshot];
    assert_eq!(severity(&left), Severity::Advice);
    for more in [Misfit::Unfinished, Misfit::NotActive, Misfit::ErrorTarget, Misfit::NoDevice] {
        assert_eq!(severity(&[&left[..], &[more]].concat()), Severity::Warning);
    }
}

#[test]
fn only_the_usual_root_s_daemon_is_known_by_its_unit() {
    let remedy = |root: &str, what| {
        let found = containerd_said(|facts| {
            facts.root = root.into();
            facts.daemon_runs = Some(what == Misfit::NotActive);
            facts.mismatches = vec![misfit(7, "Creating", what)];
        });
        only(&found, "containerd-state-mismatch").remedy
    };
    let usual = remedy("/var/lib/containerd", Misfit::NotActive);
    assert!(usual.starts_with("restart containerd (`systemctl restart containerd`): "), "{usual}");
    let k3s = "/var/lib/rancher/k3s/agent/containerd";
    for (what, verb) in [(Misfit::NotActive, "restart"), (Misfit::Unfinished, "start")] {
        let other = remedy(k3s, what);
        assert!(other.starts_with(&format!("{verb} the daemon of {k3s}: ")), "{other}");
        assert!(!other.contains("systemctl"), "{other}");
    }
}

#[test]
fn many_mismatches_are_counted_and_not_all_told() {
    let found = containerd_said(|facts| {
        facts.mismatches = (1..=50).map(|id| misfit(id, "Creating", Misfit::Unfinished)).collect();
    });
    let finding = only(&found, "containerd-state-mismatch");
    let told = finding.evidence.iter().filter(|line| line.starts_with("p-snap-")).count();
    assert_eq!(told, 20);
    assert_eq!(finding.evidence.last().map(String::as_str), Some("and 30 more"));
}

#[test]
fn what_containerd_gave_up_is_not_missed_as_well() {
    let missing = |told: &'static str| {
        let found = findings_after(|parts| {
            let mut facts = EngineFacts::new(Engine::Containerd, "/var/lib/containerd".into());
            let mut row = thin(7, 9, Role::Missing, "p-snap-9");
            row.engine = Engine::Containerd;
            row.dm_name = Some("p-snap-9".into());
            parts.add(row);
            if !told.is_empty() {
                facts.mismatches = vec![misfit(9, told, Misfit::Faulty("".into()))];
            }
            parts.pool.engine_facts = vec![facts];
        });
        let is = |finding: &&Finding| finding.code == "device-missing";
        found.iter().find(is).map(|finding| finding.remedy.clone())
    };
    assert!(
        missing("").is_some_and(|remedy| remedy.contains("`ctr -n NAMESPACE container rm ID`"))
    );
    assert_eq!(missing("Faulty"), None);
}

#[test]
fn an_id_in_use_is_critical_when_it_is_the_next_one() {
    let at = |ids: &[u64], next| {
        let found = containerd_said(|facts| {
            let ids = ids.iter().copied().map(id).collect();
            facts.in_use = Some(IdsInUse { ids, next: Some(id(next)) });
        });
        only(&found, "containerd-id-in-use")
    };
    let next = at(&[8, 9], 8);
    assert_eq!(next.severity, Severity::Critical);
    assert!(next.summary.contains("\"file exists\"") && next.summary.contains("id 8"), "{next:?}");
    let later = at(&[9000], 8);
    assert_eq!(later.severity, Severity::Warning);
    assert!(later.evidence.iter().any(|line| line.ends_with(": 9000")), "{later:?}");
}

#[test]
fn a_database_that_was_left_behind_is_no_pool_that_an_engine_needs() {
    let at = |configured, daemon_runs, engines: &[Engine]| {
        let found = findings_after(|parts| {
            parts.pool.state = crate::model::PoolState::Inactive;
            parts.pool.lv = None;
            parts.pool.name = "fc-pool".into();
            parts.pool.engines = engines.to_vec();
            let mut facts = EngineFacts::new(Engine::Containerd, "/var/lib/containerd".into());
            (facts.configured, facts.daemon_runs) = (configured, daemon_runs);
            parts.pool.engine_facts = vec![facts];
        });
        only(&found, "pool-inactive")
    };
    let containerd = &[Engine::Containerd];
    let left = at(false, Some(false), containerd);
    assert_eq!(left.severity, Severity::Advice);
    assert!(left.summary.contains("database of containerd's was left behind"), "{left:?}");
    assert_eq!(at(true, Some(false), containerd).severity, Severity::Critical);
    assert_eq!(at(false, Some(true), containerd).severity, Severity::Critical);
    assert_eq!(at(false, None, containerd).severity, Severity::Critical);
    let docker = at(false, Some(false), &[Engine::Containerd, Engine::Docker]);
    assert_eq!(docker.severity, Severity::Critical, "docker needs it");
}

#[test]
fn an_inactive_pool_of_containerd_s_is_told_with_what_it_may_lie_on() {
    let found = findings_after(|parts| {
        parts.pool.state = crate::model::PoolState::Inactive;
        parts.pool.lv = None;
        parts.pool.name = "fc-pool".into();
        parts.pool.engines = vec![Engine::Containerd];
        let mut facts = EngineFacts::new(Engine::Containerd, "/var/lib/containerd".into());
        facts.beside = vec!["/snap/data".into(), "/snap/metadata".into()];
        parts.pool.engine_facts = vec![facts];
    });
    let finding = only(&found, "pool-inactive");
    assert_eq!(finding.severity, Severity::Critical);
    assert!(finding.summary.contains("configured for containerd"), "{finding:?}");
    let evidence = finding.evidence.join("\n");
    assert!(evidence.contains("/snap/data, /snap/metadata"), "{evidence}");
}
