//! Each rule on the smallest host that shows it, and all of them on a healthy one.

mod below;
mod commands;
mod engines;
mod growing;
mod leaked;
mod lvm;
mod suspended;

use super::*;
use crate::model::sample::{Parts, container, direct_lvm, status, thin};
use crate::model::{
    Claim, ContainerState, Engine, Mode, NoSpace, Pool, PoolKind, PoolState, PoolStatus, Role,
    Severity,
};
use crate::units::{Bytes, DataBlocks, MetadataBlocks};

/// The codes found on a host after `change`.
fn codes_after(change: impl FnOnce(&mut Parts)) -> Vec<&'static str> {
    findings_after(change).iter().map(|finding| finding.code).collect()
}

fn findings_after(change: impl FnOnce(&mut Parts)) -> Vec<Finding> {
    findings_of(change, |_| ())
}

/// What is found on a host after `change`, with this beside its devices.
fn findings_of(
    change: impl FnOnce(&mut Parts),
    host: impl FnOnce(&mut crate::model::HostFacts),
) -> Vec<Finding> {
    let mut parts = direct_lvm();
    change(&mut parts);
    let mut topology = parts.topology();
    host(&mut topology.host);
    let found = findings(&topology);
    commands::check(&found);
    found
}

fn with_status(change: impl FnOnce(&mut PoolStatus)) -> impl FnOnce(&mut Parts) {
    |parts| {
        let mut status = status();
        change(&mut status);
        parts.pool.state = PoolState::Active(status);
    }
}

/// The one finding with this code.
fn only(found: &[Finding], code: &str) -> Finding {
    let with_code: Vec<_> = found.iter().filter(|finding| finding.code == code).collect();
    assert_eq!(with_code.len(), 1, "{code} in {found:?}");
    with_code[0].clone()
}

/// What every page has, in this order.
const PARTS: [&str; 5] =
    ["## How it is noticed", "## Why it matters", "## What to do", "## Which wizard", "## Sources"];

#[test]
fn every_code_has_a_page_that_begins_with_it() {
    for code in codes() {
        let page = page(code).expect("the code comes from the registry");
        assert!(page.starts_with(&format!("# {code}\n")), "{code}");
        let places: Vec<_> = PARTS.iter().map(|part| page.find(part)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{code}: {places:?}");
        assert!(page.is_ascii() && page.lines().all(|line| line.len() <= 100), "{code}");
    }
    assert_eq!(page("no-such-code"), None);
}

#[test]
fn every_page_shows_the_raw_lines_by_which_it_is_noticed() {
    for code in codes() {
        let page = page(code).expect("the code comes from the registry");
        let (_, after) = page.split_once("## How it is noticed\n").expect("every page has it");
        let noticed = after.split("\n## ").next().unwrap_or_default();
        assert!(noticed.lines().any(|line| line.starts_with("    ")), "{code}");
        let (_, after) = page.split_once("## What to do\n").expect("every page has it");
        let steps = after.split("\n## ").next().unwrap_or_default();
        assert!(steps.contains('`') || steps.contains("    "), "{code} names no command");
        let (_, sources) = page.split_once("## Sources\n").expect("every page has them");
        let is_file = |word: &str| {
            let word = word.trim_end_matches([';', ',', '.']);
            let manual = word.ends_with(')') && word.contains('(');
            manual || [".c", ".h", ".go", ".rst"].iter().any(|end| word.ends_with(end))
        };
        assert!(sources.split_whitespace().any(is_file), "{code}: {sources}");
    }
}

#[test]
fn every_page_says_which_wizard_cures_it_or_that_none_does() {
    for code in codes() {
        let wizard = wizard(code).expect("every page has the part");
        let named = wizard.contains("`thinscope ") || wizard.starts_with("None");
        assert!(named && !wizard.contains('\n'), "{code}: {wizard}");
    }
    let full = "`thinscope grow POOL --data +SIZE`, unless it needs a check: then by hand, see \
                pool-needs-check.";
    assert_eq!(wizard("pool-data-full").as_deref(), Some(full));
}

#[test]
fn codes_are_unique_and_kebab_case() {
    let mut seen: Vec<_> = codes().collect();
    assert!(seen.iter().all(|c| c.chars().all(|c| c.is_ascii_lowercase() || c == '-')));
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), codes().count());
}

#[test]
fn a_healthy_host_with_inactive_layers_has_no_finding() {
    assert_eq!(codes_after(|_| ()), [""; 0]);
}

#[test]
fn a_pool_named_nearly_as_one_that_is_there_is_told_with_that_one() {
    let named_for = |engine, configured: &str, real: &str| {
        let mut parts = direct_lvm();
        parts.pool.name = real.into();
        let mut topology = parts.topology();
        let mut wanted = Pool::unknown(topology.pools[0].node, configured.into());
        wanted.engines = vec![engine];
        topology.pools.push(wanted);
        let found = findings(&topology);
        commands::check(&found);
        only(&found, "pool-inactive")
    };
    let named = |configured: &str, real: &str| named_for(Engine::Docker, configured, real);
    let containerd = named_for(Engine::Containerd, "my-vg-pool", "my--vg-pool");
    assert!(containerd.remedy.contains("`pool_name = \"my--vg-pool\"`"), "{containerd:?}");
    assert!(!containerd.remedy.contains("dm.thinpooldev"), "{containerd:?}");
    let tpool = named("docker-thinpool", "docker-thinpool-tpool");
    assert!(tpool.remedy.contains("`dm.thinpooldev=/dev/mapper/docker-thinpool-tpool`"));
    // the sample's device still has that name: it is there and is no pool of the one asked for
    let there = "the device named docker-thinpool is no thin pool, its table: ";
    assert!(tpool.evidence.iter().any(|line| line.starts_with(there)), "{tpool:?}");
    let hyphens = named("my-vg-pool", "my--vg-pool");
    assert!(hyphens.evidence.contains(&"a thin pool has nearly that name: my--vg-pool".to_owned()));
    assert!(hyphens.evidence.contains(&"no device-mapper device is named my-vg-pool".to_owned()));
    let other = named("other", "docker-thinpool");
    assert!(!other.remedy.contains("nearly") && !other.remedy.contains("thinpooldev"), "{other:?}");
}

#[test]
fn an_lvm_pool_that_is_not_active_stops_its_engine() {
    let found = findings_after(|parts| {
        parts.deactivate();
        parts.pool.monitor = Some("not monitored".into());
    });
    let finding = only(&found, "pool-inactive");
    assert_eq!(found.len(), 1, "an inactive pool is monitored by nobody: {found:?}");
    assert_eq!(finding.severity, Severity::Critical);
    assert!(finding.remedy.contains("`lvchange -ay docker/thinpool`"), "{}", finding.remedy);
    assert!(finding.evidence.iter().any(|line| line.contains("twi-aot---")), "{finding:?}");
}

#[test]
fn an_lvm_pool_that_nobody_uses_may_be_inactive_on_purpose() {
    for engines in [vec![], vec![Engine::Lvm]] {
        let found = findings_after(|parts| {
            parts.deactivate();
            parts.pool.engines = engines;
        });
        let finding = only(&found, "pool-inactive");
        assert_eq!(finding.severity, Severity::Warning);
        assert!(!finding.summary.contains("cannot start"), "{}", finding.summary);
    }
}

#[test]
fn docker_s_own_pool_is_gone_when_docker_was_stopped_in_order() {
    let found = findings_after(|parts| {
        parts.deactivate();
        parts.pool.lv = None;
        parts.pool.name = "docker-254:1-131-pool".into();
    });
    assert_eq!(only(&found, "pool-inactive").severity, Severity::Advice);
}

#[test]
fn a_suspended_pool_is_one_finding_with_all_that_rests_on_it() {
    let found = findings_after(|parts| {
        parts.pool.suspended = true;
        for node in &mut parts.nodes {
            if let Some(dm) = &mut node.facts.dm {
                dm.suspended = true;
            }
        }
    });
    assert_eq!(found.len(), 1, "{found:?}");
    let finding = only(&found, "pool-suspended");
    assert_eq!(finding.severity, Severity::Critical);
    assert!(finding.remedy.contains("`dmsetup resume docker-thinpool`"), "{}", finding.remedy);
}

#[test]
fn a_suspended_device_of_a_running_pool_is_named() {
    let found = findings_after(|parts| {
        let dm = parts.nodes[5].facts.dm.as_mut().expect("tdata is active");
        dm.suspended = true;
    });
    assert_eq!(only(&found, "device-suspended").subject, "docker-thinpool_tdata");
}

#[test]
fn a_failed_pool_is_named_failed_and_nothing_else() {
    assert_eq!(codes_after(|parts| parts.pool.state = PoolState::Failed), ["pool-failed"]);
}

#[test]
fn ro_with_full_metadata_and_no_needs_check_is_out_of_metadata_space() {
    let found = findings_after(with_status(|status| {
        status.mode = Mode::Ro;
        status.metadata.used = status.metadata.total;
    }));
    let full = only(&found, "pool-metadata-full");
    assert!(full.summary.contains("out of metadata space (1020 MiB"), "{}", full.summary);
    assert!(
        full.remedy.contains("`lvextend --poolmetadatasize +1020M docker/thinpool`"),
        "{}",
        full.remedy
    );
    let read_only = only(&found, "pool-read-only");
    assert!(read_only.summary.contains("its metadata is full"), "{}", read_only.summary);
    assert_eq!(found[0].code, "pool-metadata-full", "the cause comes first");
    assert_eq!(found.len(), 2);
}

#[test]
fn full_metadata_with_needs_check_must_not_be_grown_first() {
    let found = findings_after(with_status(|status| {
        status.mode = Mode::Ro;
        status.metadata.used = status.metadata.total;
        status.needs_check = Some(true);
    }));
    assert_eq!(found[0].code, "pool-needs-check");
    assert!(only(&found, "pool-metadata-full").remedy.starts_with("clear needs_check first"));
    assert!(only(&found, "pool-read-only").summary.contains("needs_check"));
}

#[test]
fn an_old_kernel_that_cannot_say_needs_check_still_names_full_metadata() {
    let found = findings_after(with_status(|status| {
        status.mode = Mode::Ro;
        status.metadata.used = status.metadata.total;
        status.needs_check = None;
    }));
    assert!(only(&found, "pool-read-only").summary.contains("its metadata is full"));
}

#[test]
fn a_pool_that_its_table_made_read_only_is_no_failure() {
    let found = findings_after(|parts| {
        with_status(|status| status.mode = Mode::Ro)(parts);
        parts.pool.options.push("read_only".into());
    });
    assert_eq!(only(&found, "pool-read-only").severity, Severity::Advice);
}

#[test]
fn read_only_for_no_visible_reason_is_critical() {
    let found = findings_after(with_status(|status| status.mode = Mode::Ro));
    let finding = only(&found, "pool-read-only");
    assert_eq!(finding.severity, Severity::Critical);
    assert!(finding.remedy.contains("dmesg"), "{}", finding.remedy);
}

#[test]
fn out_of_data_space_says_whether_writes_wait_or_have_failed() {
    let summary = |no_space, asked: bool| {
        let found = findings_after(|parts| {
            with_status(|status| {
                status.mode = Mode::OutOfDataSpace;
                status.data.used = status.data.total;
                status.no_space = Some(no_space);
            })(parts);
            if asked {
                parts.pool.options.push("error_if_no_space".into());
            }
        });
        assert_eq!(found[0].code, "pool-out-of-data-space");
        found[0].summary.clone()
    };
    assert!(summary(NoSpace::Queue, false).contains("wait, and fail when"));
    assert!(summary(NoSpace::Error, false).contains("the time to wait is over"));
    assert!(summary(NoSpace::Error, true).contains("as its table asks"));
}

#[test]
fn the_kernel_s_own_time_to_wait_is_told_where_it_was_read() {
    let found = |timeout| {
        let full = with_status(|status| {
            status.mode = Mode::OutOfDataSpace;
            status.data.used = status.data.total;
            status.no_space = Some(NoSpace::Queue);
        });
        only(&findings_of(full, |host| host.no_space_timeout = timeout), "pool-out-of-data-space")
    };
    assert!(found(None).summary.ends_with("is over (60 s unless it was changed)"));
    let changed = found(Some(120));
    assert!(changed.summary.ends_with("is over (120 s after the first of them)"));
    assert!(changed.evidence.contains(&"no_space_timeout: 120".to_owned()));
    assert!(found(Some(0)).summary.contains("without end"), "0 is never");
}

#[test]
fn data_is_near_full_from_eighty_percent_to_the_last_block() {
    let after = |used| codes_after(with_status(move |status| status.data.used = DataBlocks(used)));
    assert_eq!(after(155_647), [""; 0]);
    assert_eq!(after(155_648), ["pool-data-near-full"]);
    assert_eq!(after(194_559), ["pool-data-near-full"]);
    assert_eq!(after(194_560), ["pool-data-full"]);
}

#[test]
fn metadata_is_near_full_from_eighty_percent_to_the_last_block() {
    let after =
        |used| codes_after(with_status(move |status| status.metadata.used = MetadataBlocks(used)));
    assert_eq!(after(208_895), [""; 0]);
    assert_eq!(after(208_896), ["pool-metadata-near-full"]);
    assert_eq!(after(261_120), ["pool-metadata-full"]);
}

#[test]
fn growing_names_the_room_in_the_vg_and_asks_for_a_disk_without_it() {
    let remedy = |free| {
        let found = findings_after(|parts| {
            with_status(|status| status.data.used = DataBlocks(180_000))(parts);
            let vg = parts.nodes[2].facts.vg.as_mut().expect("the third node is the VG");
            vg.free = free;
        });
        only(&found, "pool-data-near-full").remedy
    };
    let with_room = remedy(Some(Bytes(3 << 30)));
    assert!(with_room.contains("`lvextend -l +50%FREE docker/thinpool`"), "{with_room}");
    assert!(with_room.contains("docker has 3.0 GiB free"), "{with_room}");
    assert!(remedy(Some(Bytes(0))).contains("`vgextend docker DEVICE`"));
    assert!(!remedy(None).contains("free)"));
}

#[test]
fn a_pool_that_did_not_answer_is_no_finding() {
    assert_eq!(
        codes_after(|parts| parts.pool.state = PoolState::Unseen { why: "not root".into() }),
        [""; 0]
    );
}

#[test]
fn an_unwatched_pool_is_a_warning_only_where_it_was_meant_to_grow() {
    let severity = |profile: &str| {
        let found = findings_after(|parts| {
            parts.pool.monitor = Some("not monitored".into());
            parts.pool.profile = Some(profile.into());
        });
        only(&found, "not-monitored").severity
    };
    assert_eq!(severity("docker-thinpool"), Severity::Warning);
    assert_eq!(severity(""), Severity::Advice);
    assert_eq!(codes_after(|parts| parts.pool.monitor = Some("".into())), [""; 0]);
    assert_eq!(codes_after(|parts| parts.pool.monitor = None), [""; 0]);
}

#[test]
fn a_dead_container_is_named_once_and_not_with_its_init_layer() {
    let found = findings_after(|parts| {
        for thin in &mut parts.thins {
            if let Some(container) = &mut thin.container {
                container.state = Some(ContainerState::Dead);
            }
        }
    });
    let finding = only(&found, "container-dead");
    assert_eq!(finding.subject, "web");
    assert!(finding.remedy.contains("`docker rm -f web`"), "{}", finding.remedy);
}

#[test]
fn an_id_that_two_records_claim_is_shown_with_both() {
    let found = findings_after(|parts| {
        let claim = |file: &str| Claim {
            engine: Engine::Docker,
            name: file.into(),
            by: format!("/var/lib/docker/devicemapper/metadata/{file}").into(),
        };
        let mut twice = thin(0, 9, Role::Container, "x");
        twice.container = Some(container("x", ContainerState::Running));
        twice.claims = vec![claim("x"), claim("y")];
        parts.add(twice);
    });
    let finding = only(&found, "device-id-duplicate");
    assert_eq!(finding.severity, Severity::Critical);
    assert_eq!(
        finding.evidence[1],
        "docker claims 9 for y in /var/lib/docker/devicemapper/metadata/y"
    );
}

#[test]
fn a_missing_pv_is_counted_once_by_lvm_s_word_or_by_its_row() {
    let by_count = findings_after(|parts| {
        let vg = parts.nodes[2].facts.vg.as_mut().expect("the third node is the VG");
        vg.missing_pvs = 1;
    });
    let by_row = findings_after(|parts| {
        let pv = parts.nodes[1].facts.pv.as_mut().expect("the second node is the PV");
        pv.missing = true;
    });
    for found in [&by_count, &by_row] {
        let finding = only(found, "pv-missing");
        assert!(finding.summary.starts_with("1 PV of the VG docker"), "{}", finding.summary);
    }
    assert!(only(&by_row, "pv-missing").evidence.contains(&"missing PV aaaaaa-bbbb".to_owned()));
}

#[test]
fn loop_lvm_is_advice_with_its_files() {
    let found = findings_after(|parts| parts.pool.kind = PoolKind::LoopLvm);
    let finding = only(&found, "loop-lvm-in-use");
    assert_eq!(finding.severity, Severity::Advice);
    assert_eq!(finding.evidence[0], "data of the pool: docker-thinpool_tdata");
}

#[test]
fn the_gravest_come_first() {
    let found = findings_after(|parts| {
        parts.pool.kind = PoolKind::LoopLvm;
        parts.pool.monitor = Some("not monitored".into());
        with_status(|status| status.needs_check = Some(true))(parts);
    });
    let grave: Vec<_> = found.iter().map(|finding| finding.severity).collect();
    assert_eq!(grave, [Severity::Critical, Severity::Warning, Severity::Advice]);
}

/// The pool's metadata with these blocks lost and damages counted, and one group for each device.
fn contents(lost: u64, damages: u64) -> crate::model::PoolMetadata {
    use crate::model::metadata::{DeviceMetadata, Group, Groups, Mappings, PoolMetadata};
    use crate::units::Sectors;
    let ids = [3, 9];
    let device = |number| DeviceMetadata {
        id: crate::ids::ThinId::new(number).expect("a small id"),
        mapped: DataBlocks(4),
        transaction: number,
        created: 1,
        snapshotted: 1,
        origin: None,
    };
    let group = |at| Group { devices: vec![(at, at + 1)], held: false, blocks: DataBlocks(4) };
    let groups = Groups { list: vec![group(0), group(1)], map: None };
    PoolMetadata {
        transaction: 5,
        time: 3,
        block_size: Sectors(1024),
        data: crate::model::Usage { used: DataBlocks(8 + lost), total: DataBlocks(100) },
        devices: ids.map(device).to_vec(),
        damages: (0..damages).map(|n| format!("metadata block {n} is odd")).collect(),
        damage_count: damages,
        mappings: Some(Box::new(Mappings {
            reached: DataBlocks(8),
            leaked: DataBlocks(lost),
            groups: Some(groups),
            ..Mappings::default()
        })),
        ..PoolMetadata::default()
    }
}

#[test]
fn ids_that_nobody_names_say_what_they_hold() {
    let found = findings_after(|parts| {
        parts.pool.contents = Some(contents(0, 0).into());
        let leaked = thin(0, 9, Role::Leaked, "device 9");
        parts.add_thin(crate::model::ThinDevice {
            engine: Engine::Unknown,
            mapped: Some(Bytes(4 << 19)),
            ..leaked
        });
    });
    let finding = only(&found, "device-leaked");
    assert_eq!(finding.severity, Severity::Warning);
    assert!(finding.summary.contains("1 device that nobody names"), "{}", finding.summary);
    assert!(finding.summary.contains("free 2.0 MiB"), "{}", finding.summary);
    assert_eq!(finding.evidence, ["device 9 maps 2.0 MiB; no file names it"]);
}

#[test]
fn names_without_an_id_are_told_with_their_file() {
    let found = findings_after(|parts| {
        parts.add_thin(thin(0, 77, Role::Missing, "abc"));
    });
    let finding = only(&found, "device-missing");
    assert!(finding.summary.starts_with("1 device that docker names is not in docker-thinpool"));
    assert!(finding.evidence[0].contains("abc is device 77"), "{:?}", finding.evidence);
}

#[test]
fn lost_blocks_damage_and_a_held_snapshot_are_told() {
    let found = findings_after(|parts| {
        parts.pool.contents = Some(contents(2, 3).into());
        with_status(|status| status.held_root = Some(12))(parts);
    });
    assert!(only(&found, "data-blocks-leaked").summary.contains("counts 1.0 MiB as used"));
    let damage = only(&found, "metadata-unreadable");
    assert_eq!((damage.severity, damage.evidence.len()), (Severity::Critical, 3));
    assert!(damage.summary.contains("3 places"));
    let held = only(&found, "metadata-snapshot-held");
    assert!(held.remedy.contains("dmsetup message docker-thinpool 0 release_metadata_snap"));
}
