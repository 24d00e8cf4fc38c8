//! Rules about what LVM does, and will do, with a pool.

use super::{codes_after, findings_after, findings_of, only, with_status};
use crate::model::sample::{Parts, node, thin};
use crate::model::{
    Cookie, Cure, Engine, Finding, Kind, NodeIx, Policy, PoolKind, PoolMetadata, ProfileFile,
    QueueFacts, Role, Severity, ThinCheck, Usage, VgText,
};
use crate::units::{Bytes, DataBlocks, MetadataBlocks};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

fn policy(threshold: u64) -> Policy {
    Policy { profile: ProfileFile::Read, ..Policy::new(threshold) }
}

fn with_policy(threshold: u64, free: u64) -> impl FnOnce(&mut Parts) {
    move |parts| {
        parts.pool.policy = Some(policy(threshold));
        free_in_vg(parts, free);
    }
}

fn free_in_vg(parts: &mut Parts, free: u64) {
    let vg = parts.nodes[2].facts.vg.as_mut().expect("the third node is the VG");
    vg.free = Some(Bytes(free));
}

#[test]
fn a_threshold_of_100_is_off_and_99_is_not() {
    let at = |threshold| codes_after(with_policy(threshold, 20 * GIB));
    assert_eq!(at(100), ["autoextend-off"]);
    assert_eq!(at(101), ["autoextend-off"]);
    assert_eq!(at(99), [""; 0]);
    let found = findings_after(with_policy(100, 20 * GIB));
    let finding = only(&found, "autoextend-off");
    assert_eq!(finding.severity, Severity::Advice);
    assert!(finding.evidence.iter().any(|line| line.contains("= 100 (LVM's own default)")));
    assert!(finding.remedy.contains("the pool's own profile"), "{}", finding.remedy);
}

#[test]
fn the_threshold_belongs_into_the_one_profile_that_is_in_force() {
    let remedy = |profile: ProfileFile, name: &str, from: Option<&str>, monitor: &str| {
        let name = name.to_owned();
        let from = from.map(Into::into);
        let monitor = monitor.into();
        let found = findings_after(move |parts| {
            parts.pool.policy = Some(Policy { from, profile, ..Policy::new(100) });
            parts.pool.profile = Some(name.as_str().into());
            parts.pool.monitor = Some(monitor);
        });
        only(&found, "autoextend-off").remedy
    };
    let end = ", the pool's own profile; the VG needs room for it";
    let set = "set `thin_pool_autoextend_threshold=80` in the section `activation` of ";
    let elsewhere = "/srv/lvm/mine.profile";
    assert_eq!(
        remedy(ProfileFile::Read, "mine", Some(elsewhere), "monitored"),
        format!("{set}{elsewhere}{end}")
    );
    // a profile without a threshold: lvm.conf's is not the place
    assert_eq!(
        remedy(ProfileFile::Read, "mine", Some("/etc/lvm/lvm.conf"), "monitored"),
        format!("{set}/etc/lvm/profile/mine.profile{end}")
    );
    let path = "/etc/lvm/profile/mine.profile";
    assert_eq!(
        remedy(ProfileFile::Missing(path.into()), "mine", None, "monitored"),
        format!(
            "write {path} again, the pool's own profile: see profile-missing; the VG needs \
                 room for it"
        )
    );
    assert_eq!(
        remedy(ProfileFile::None, "", None, "not monitored"),
        "`[ -e /etc/lvm/profile/docker-thinpool.profile ] || printf \
         'activation/thin_pool_autoextend_threshold=80\\n' > \
         /etc/lvm/profile/docker-thinpool.profile`, then `lvchange --metadataprofile \
         docker-thinpool docker/thinpool`, then `lvchange --monitor y docker/thinpool`; the VG \
         needs room for it"
    );
}

#[test]
fn off_is_a_warning_when_the_pool_is_near_full() {
    let found = findings_after(|parts| {
        with_policy(100, 20 * GIB)(parts);
        with_status(|status| status.data.used = DataBlocks(180_000))(parts);
    });
    assert_eq!(only(&found, "autoextend-off").severity, Severity::Warning);
}

#[test]
fn of_an_inactive_pool_nothing_is_said_of_its_growing() {
    let after = |threshold| {
        codes_after(move |parts| {
            with_policy(threshold, 0)(parts);
            parts.deactivate();
        })
    };
    assert_eq!(after(100), ["pool-inactive", "vg-no-free-space"]);
    assert_eq!(after(80), ["pool-inactive", "vg-no-free-space"]);
}

#[test]
fn docker_s_own_layout_cannot_grow_by_what_docker_sets() {
    let found = findings_after(with_policy(80, 3 * GIB));
    let finding = only(&found, "autoextend-cannot-act");
    assert_eq!(finding.severity, Severity::Warning);
    assert_eq!(
        finding.summary,
        "docker-thinpool cannot grow by itself: the data asks 19.0 GiB at 80%, the VG has 3.0 GiB"
    );
    assert_eq!(codes_after(with_policy(80, 19 * GIB)), [""; 0]);
    let just_too_few = with_policy(80, 19 * GIB - 4 * MIB);
    assert_eq!(codes_after(just_too_few), ["autoextend-cannot-act"]);
}

#[test]
fn without_room_for_either_both_are_evidence() {
    let found = findings_after(with_policy(80, 4 * MIB));
    let finding = only(&found, "autoextend-cannot-act");
    let lines: Vec<_> = finding.evidence.iter().filter(|line| line.contains("extends")).collect();
    assert_eq!(
        lines,
        [
            "data: extends above 80%, at the latest above 80%, by 20% = 19.0 GiB",
            "metadata: extends above 80%, at the latest above 80%, by 21% = 216 MiB",
        ]
    );
}

#[test]
fn a_growth_that_fails_is_said_to_be_tried_again() {
    let finding = only(&findings_after(with_policy(80, 3 * GIB)), "autoextend-cannot-act");
    assert_eq!(
        finding.evidence.last().map(String::as_str),
        Some("LVM's monitor tries again after 20 s, then at intervals that double, at most 42 min")
    );
}

/// Both volumes above the threshold of 80 %, and so many bytes free.
fn both_due(free: u64) -> impl FnOnce(&mut Parts) {
    move |parts| {
        with_policy(80, free)(parts);
        with_status(|status| {
            status.data.used = DataBlocks(155_649);
            status.metadata.used = MetadataBlocks(208_897);
        })(parts);
    }
}

#[test]
fn data_and_metadata_that_are_due_at_once_must_fit_together_with_the_spare() {
    let code = "autoextend-cannot-act";
    let together = 19 * GIB + 432 * MIB;
    assert!(!codes_after(both_due(together)).contains(&code));
    let found = findings_after(both_due(together - 4 * MIB));
    let finding = only(&found, code);
    assert_eq!(
        finding.summary,
        "docker-thinpool cannot grow by itself: the data asks 19.0 GiB and the metadata with its \
         spare 432 MiB, the VG has 19.4 GiB, which is enough for either and not for both"
    );
    assert!(
        finding.evidence.contains(&"LVM's spare for repairs: grows with it by 216 MiB".to_owned()),
        "{finding:?}"
    );
}

#[test]
fn a_new_disk_is_the_cure_only_where_room_is_what_is_missing() {
    let cure = |change: fn(&mut Parts)| {
        let found = findings_after(move |parts| {
            with_policy(80, 3 * GIB)(parts);
            change(parts);
        });
        only(&found, "autoextend-cannot-act").cure
    };
    assert_eq!(cure(|_| ()), Cure::GrowDisk);
    assert_eq!(cure(|parts| both_due(19 * GIB + 428 * MIB)(parts)), Cure::GrowDisk);
    let nothing = |parts: &mut Parts| {
        parts.pool.policy.as_mut().expect("it was set").percent = 0;
    };
    assert_eq!(cure(nothing), Cure::ByHand);
    let missing = |parts: &mut Parts| {
        parts.nodes[2].facts.vg.as_mut().expect("the third node is the VG").missing_pvs = 1;
    };
    assert_eq!(cure(missing), Cure::Activate);
    let at_most = |parts: &mut Parts| {
        free_in_vg(parts, 90 * GIB);
        parts.pool.metadata_size = Some(crate::model::growth::METADATA_MAX);
        with_status(|status| status.metadata.used = MetadataBlocks(208_897))(parts);
    };
    assert_eq!(cure(at_most), Cure::ByHand);
}

#[test]
fn a_command_of_the_host_s_own_is_neither_off_nor_unable() {
    for threshold in [80, 100] {
        let found = codes_after(move |parts| {
            let command = Some("/usr/local/sbin/grow".into());
            parts.pool.policy = Some(Policy { command, ..policy(threshold) });
        });
        assert_eq!(found, [""; 0], "{threshold}");
    }
}

#[test]
fn an_unwatched_pool_is_a_warning_where_lvm_conf_is_to_grow_it_and_where_it_is_near_full() {
    let severity = |policy: Option<Policy>, used: u64| {
        let found = findings_after(move |parts| {
            parts.pool.monitor = Some("not monitored".into());
            parts.pool.profile = None;
            parts.pool.policy = policy;
            free_in_vg(parts, 90 * GIB);
            with_status(move |status| status.data.used = DataBlocks(used))(parts);
        });
        only(&found, "not-monitored").severity
    };
    assert_eq!(severity(None, 19_456), Severity::Advice);
    assert_eq!(severity(Some(policy(100)), 19_456), Severity::Advice);
    assert_eq!(severity(Some(policy(99)), 19_456), Severity::Warning);
    let own = Policy { command: Some("/usr/local/sbin/grow".into()), ..policy(100) };
    assert_eq!(severity(Some(own), 19_456), Severity::Warning);
    assert_eq!(severity(None, 155_647), Severity::Advice);
    assert_eq!(severity(None, 155_648), Severity::Warning);
}

#[test]
fn who_is_watched_now_and_will_not_be_after_the_next_activation_is_told() {
    let found = |monitoring: bool, missing: Option<&str>, word: &'static str| {
        let missing = missing.map(Into::into);
        findings_of(
            move |parts| {
                with_policy(80, 20 * GIB)(parts);
                parts.pool.policy.as_mut().expect("it was set").monitoring = monitoring;
                parts.pool.monitor = Some(word.into());
            },
            |host| host.dmeventd_missing = missing,
        )
    };
    assert_eq!(found(true, None, "monitored"), []);
    let off = only(&found(false, None, "monitored"), "not-monitored");
    assert_eq!(off.severity, Severity::Warning);
    assert!(off.summary.contains("after its next activation, though it is now"), "{}", off.summary);
    assert_eq!(off.evidence, ["activation/monitoring = 0 in LVM's configuration"]);
    assert!(off.remedy.starts_with("set `activation/monitoring = 1`"), "{}", off.remedy);
    // LVM does not say whether it is watched where it was told not to watch
    let silent = only(&found(false, None, ""), "not-monitored");
    assert!(!silent.summary.contains("though"), "{}", silent.summary);
    let path = "/usr/sbin/dmeventd";
    let gone = only(&found(true, Some(path), "monitored"), "not-monitored");
    assert_eq!(gone.evidence, ["/usr/sbin/dmeventd: no such file"]);
    assert!(gone.remedy.starts_with("install dmeventd"), "{}", gone.remedy);
    let now = only(&found(true, Some(path), "not monitored"), "not-monitored");
    assert!(now.evidence.contains(&"/usr/sbin/dmeventd: no such file".to_owned()), "{now:?}");
}

#[test]
fn lvm_s_own_metadata_is_near_full_at_80_percent_of_half_its_area() {
    // half of 1,000 KiB
    let found = |size: u64, free: u64| {
        findings_after(move |parts| {
            let vg = parts.nodes[2].facts.vg.as_mut().expect("the third node is the VG");
            vg.mda_size = Some(Bytes(size << 10));
            vg.mda_free = Some(Bytes(free << 10));
        })
    };
    assert_eq!(found(1000, 500), []);
    assert_eq!(found(1000, 101), []);
    let near = only(&found(1000, 100), "vg-metadata-near-full");
    assert_eq!((near.severity, near.subject.as_str()), (Severity::Warning, "docker"));
    assert!(near.summary.contains("at 80% of what it may have (400 KiB of 500 KiB)"));
    assert_eq!(only(&found(1000, 0), "vg-metadata-near-full").severity, Severity::Critical);
    assert_eq!(found(0, 0), [], "no PV of it has an area");
}

#[test]
fn the_archive_is_large_from_ten_thousand_files_on() {
    let found = |count| {
        findings_of(|_| (), |host| host.lvm_archive = Some(("/etc/lvm/archive".into(), count)))
    };
    assert_eq!(found(9_999), []);
    let finding = only(&found(10_000), "lvm-archive-large");
    assert_eq!(
        (finding.severity, finding.subject.as_str()),
        (Severity::Advice, "/etc/lvm/archive")
    );
    let without_lvm = findings_of(
        |parts| parts.pool.lv = None,
        |host| host.lvm_archive = Some(("/etc/lvm/archive".into(), 20_000)),
    );
    assert_eq!(without_lvm, []);
}

#[test]
fn who_is_not_monitored_is_told_that_alone() {
    let found = codes_after(|parts| {
        with_policy(80, 3 * GIB)(parts);
        parts.pool.monitor = Some("not monitored".into());
    });
    assert_eq!(found, ["not-monitored"]);
}

#[test]
fn a_profile_that_is_gone_says_what_is_in_force_instead() {
    let summary = |threshold| {
        let found = findings_after(move |parts| {
            let path = "/etc/lvm/profile/docker-thinpool.profile";
            let profile = ProfileFile::Missing(path.into());
            parts.pool.policy = Some(Policy { profile, ..policy(threshold) });
            free_in_vg(parts, 20 * GIB);
        });
        let finding = only(&found, "profile-missing");
        assert_eq!(finding.severity, Severity::Warning);
        finding.summary
    };
    assert!(summary(100).ends_with("so it does not grow by itself"));
    assert!(summary(70).ends_with("lvm.conf's threshold of 70% is in force instead"));
}

#[test]
fn a_vg_is_empty_below_one_extent() {
    let after = |free| codes_after(move |parts| free_in_vg(parts, free));
    assert_eq!(after(4 * MIB), [""; 0]);
    assert_eq!(after(4 * MIB - 1), ["vg-no-free-space"]);
    assert_eq!(after(0), ["vg-no-free-space"]);
}

#[test]
fn a_spare_must_be_as_large_as_the_metadata_unless_the_vg_has_the_room() {
    let after = |spare, free| {
        codes_after(move |parts| {
            parts.nodes[3].size = Some(Bytes(spare));
            free_in_vg(parts, free);
        })
    };
    assert_eq!(after(1020 * MIB, 100 * MIB), [""; 0]);
    assert_eq!(after(1016 * MIB, 100 * MIB), ["metadata-spare-missing"]);
    assert_eq!(after(1016 * MIB, 1020 * MIB), [""; 0]);
    let none = codes_after(|parts| {
        parts.nodes[3].kind = Kind::Lv;
        free_in_vg(parts, 100 * MIB);
    });
    assert_eq!(none, ["metadata-spare-missing"]);
}

#[test]
fn a_part_that_is_active_alone_keeps_the_pool_down() {
    let found = findings_after(|parts| {
        let tmeta = parts.nodes[4].device;
        parts.deactivate();
        parts.nodes[4].device = tmeta;
    });
    let finding = only(&found, "component-left-active");
    assert!(finding.summary.contains("docker/thinpool_tmeta is active"), "{}", finding.summary);
    assert!(finding.remedy.contains("`lvchange -an docker/thinpool_tmeta`"), "{}", finding.remedy);
    assert!(found.iter().any(|finding| finding.code == "pool-inactive"));
}

/// Two volumes of LVM's in the pool, as large as said.
fn with_volumes(size: u64) -> impl FnOnce(&mut Parts) {
    move |parts| {
        parts.pool.kind = PoolKind::LvmThin;
        parts.pool.engines = vec![Engine::Lvm];
        parts.pool.lvm_transaction_id = Some(24);
        parts.thins.clear();
        parts.pool.devices.clear();
        for id in [1, 2] {
            let mut volume = thin(0, id, Role::Volume, "pve/vm");
            volume.engine = Engine::Lvm;
            volume.size = Some(Bytes(size));
            parts.add(volume);
        }
    }
}

#[test]
fn volumes_that_promise_more_than_the_pool_has_are_told_in_plain_words() {
    assert_eq!(codes_after(with_volumes(95 * GIB / 2)), [""; 0]);
    let found = findings_after(with_volumes(50 * GIB));
    let finding = only(&found, "overcommitted");
    assert_eq!(finding.severity, Severity::Advice);
    assert_eq!(
        finding.summary,
        "the 2 volumes of docker-thinpool promise 100 GiB, the pool has 95.0 GiB: if all were \
         filled, 5.0 GiB would find no place"
    );
}

#[test]
fn what_lvm_adds_by_itself_counts_against_what_is_promised() {
    let after = |free| {
        codes_after(move |parts| {
            with_volumes(60 * GIB)(parts);
            with_policy(80, free)(parts);
        })
    };
    assert_eq!(after(25 * GIB), [""; 0]);
    assert_eq!(after(24 * GIB), ["overcommitted"]);
}

#[test]
fn an_engine_s_layers_are_never_called_overcommitted() {
    // eleven containers of 10 GiB each in 95 GiB
    let found = codes_after(|parts| {
        for id in 10..21 {
            parts.add(thin(0, id, Role::Container, &format!("c{id}")));
        }
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn lvm_s_transaction_may_be_the_pool_s_or_one_ahead() {
    let after = |lvm| {
        codes_after(move |parts| {
            with_volumes(GIB)(parts);
            parts.pool.lvm_transaction_id = Some(lvm);
        })
    };
    assert_eq!(after(24), [""; 0]);
    assert_eq!(after(25), [""; 0]);
    assert_eq!(after(26), ["transaction-mismatch"]);
    assert_eq!(after(23), ["transaction-mismatch"]);
    assert_eq!(after(0), [""; 0], "0 is never compared");
}

/// The finding of a pool whose id is 24 and LVM's this, with LVM's text of it.
fn mismatch(lvm: u64, text: Option<VgText>) -> Finding {
    let found = findings_after(move |parts| {
        with_volumes(GIB)(parts);
        parts.pool.lvm_transaction_id = Some(lvm);
        parts.pool.vg_text = text;
    });
    only(&found, "transaction-mismatch")
}

fn vg_text(transaction: u64) -> VgText {
    let lines =
        ["    pool = \"thinpool_tdata\"", "    transaction_id = 26", "    chunk_size = 128"];
    VgText {
        path: "/etc/lvm/backup/docker".into(),
        first: 57,
        lines: lines.map(Into::into).to_vec(),
        transaction,
    }
}

#[test]
fn the_line_of_lvm_s_text_to_be_edited_is_shown_as_a_diff() {
    let finding = mismatch(26, Some(vg_text(26)));
    let diff = [
        "--- /etc/lvm/backup/docker",
        "+++ /etc/lvm/backup/docker, as it would be edited: nothing was",
        "@@ -57,3 +57,3 @@",
        "     pool = \"thinpool_tdata\"",
        "-    transaction_id = 26",
        "+    transaction_id = 24",
        "     chunk_size = 128",
    ];
    assert!(finding.evidence.ends_with(&diff.map(str::to_owned)), "{:?}", finding.evidence);
    let (first, then) = ("`thin_check` of its metadata must end with 0", "vgcfgrestore");
    let places = [first, then].map(|words| finding.remedy.find(words).expect("both are said"));
    assert!(places.is_sorted(), "{}", finding.remedy);
    assert!(finding.summary.contains("LVM's metadata is newer"));
    assert!(finding.remedy.contains("missing"), "{}", finding.remedy);
    assert!(mismatch(23, None).remedy.contains("leaked"));
}

#[test]
fn a_text_of_another_moment_is_not_edited() {
    let finding = mismatch(27, Some(vg_text(26)));
    let said = "/etc/lvm/backup/docker says transaction_id = 26: it is not of now";
    assert!(finding.evidence.last().is_some_and(|line| line.starts_with(said)));
    assert!(!finding.evidence.iter().any(|line| line.starts_with('+')), "{:?}", finding.evidence);
}

#[test]
fn the_command_that_edits_lvm_s_text_changes_the_pool_s_line_alone() {
    let remedy = mismatch(26, None).remedy;
    let script = remedy.split("`sed -i '").nth(1).and_then(|rest| rest.split('\'').next());
    let text = "docker {\n\tlogical_volumes {\n\n\t\tthinpool {\n\t\t\tsegment1 {\n\
                \t\t\t\ttransaction_id = 26\n\t\t\t}\n\t\t}\n\n\t\tother {\n\t\t\tsegment1 {\n\
                \t\t\t\ttransaction_id = 26\n\t\t\t}\n\t\t}\n\t}\n}\n";
    let dir = tempfile::tempdir().expect("a temporary folder");
    let file = dir.path().join("vg.txt");
    std::fs::write(&file, text).expect("written");
    let mut sed = std::process::Command::new("sed");
    let output = sed.arg(script.expect("it is there")).arg(&file).output();
    let output = output.expect("every host has sed");
    let edited = text.replacen("transaction_id = 26", "transaction_id = 24", 1);
    assert_eq!(String::from_utf8_lossy(&output.stdout), edited);
}

/// What is found where this much metadata is in use on a disk that turns or does not.
fn checked(blocks: u64, turns: Option<bool>, skips: Option<bool>) -> Vec<Finding> {
    checked_on(QueueFacts { rotational: turns, ..QueueFacts::default() }, blocks, skips)
}

fn checked_on(queue: QueueFacts, blocks: u64, skips: Option<bool>) -> Vec<Finding> {
    findings_of(
        move |parts| {
            with_status(move |status| {
                status.metadata.total = MetadataBlocks(blocks * 4);
                status.metadata.used = MetadataBlocks(blocks);
            })(parts);
            parts.nodes[0].facts.queue = Some(Box::new(queue));
        },
        move |host| {
            host.thin_check = Some(ThinCheck::At("/usr/sbin/thin_check".into()));
            host.skips_mappings = skips;
        },
    )
}

#[test]
fn a_check_that_outlasts_the_boot_s_patience_is_estimated_from_the_metadata_in_use() {
    // two reads of 5 ms a block: 9,000 blocks are 90 s
    assert_eq!(checked(8_999, Some(true), Some(false)), []);
    let finding = only(&checked(9_000, Some(true), Some(false)), "thin-check-slow");
    assert_eq!(finding.severity, Severity::Advice);
    assert!(finding.summary.contains("takes about 90 s by an estimate"), "{}", finding.summary);
    let counted = "9000 blocks in use, read 2 times each, 5 ms a read on a disk that turns";
    assert!(finding.evidence.iter().any(|line| line.ends_with(counted)), "{finding:?}");
    // 0.1 ms a read where nothing turns
    assert_eq!(checked(449_999, Some(false), Some(false)), []);
    let long = checked(4_000_000, Some(false), Some(false));
    assert!(only(&long, "thin-check-slow").summary.contains("about 13 minutes"), "{long:?}");
}

#[test]
fn a_virtual_disk_that_says_that_it_turns_is_not_believed_and_the_estimate_says_so() {
    let on = |rotational, blocks| {
        let queue =
            QueueFacts { rotational: Some(rotational), virtual_disk: true, discard_max: None };
        checked_on(queue, blocks, Some(false))
    };
    assert_eq!(on(true, 449_999), []);
    let finding = only(&on(true, 450_000), "thin-check-slow");
    let unsure = "0.1 ms a read, or many times that: the disk is a virtual one and does not know \
                  whether it turns";
    assert!(finding.evidence.iter().any(|line| line.ends_with(unsure)), "{finding:?}");
    // it was told that what is below does not turn
    let finding = only(&on(false, 450_000), "thin-check-slow");
    assert!(finding.evidence.iter().any(|line| line.ends_with("one that does not turn")));
}

#[test]
fn what_is_checked_is_what_the_space_map_counts_and_not_the_kernel_s_reserve() {
    let found = |counted| {
        findings_of(
            move |parts| {
                with_status(|status| status.metadata.used = MetadataBlocks(9_500))(parts);
                let used = MetadataBlocks(counted);
                let metadata = Usage { used, total: MetadataBlocks(261_120) };
                let contents = PoolMetadata { metadata, ..PoolMetadata::default() };
                parts.pool.contents = Some(std::sync::Arc::new(contents));
                let queue = QueueFacts { rotational: Some(true), ..QueueFacts::default() };
                parts.nodes[0].facts.queue = Some(Box::new(queue));
            },
            |host| {
                host.thin_check = Some(ThinCheck::At("/usr/sbin/thin_check".into()));
                host.skips_mappings = Some(false);
            },
        )
    };
    assert!(!found(8_000).iter().any(|finding| finding.code == "thin-check-slow"));
    assert!(found(9_000).iter().any(|finding| finding.code == "thin-check-slow"));
}

#[test]
fn a_check_that_skips_the_mappings_or_of_which_little_is_known_is_not_estimated() {
    assert_eq!(checked(4_000_000, Some(true), Some(true)), []);
    assert_eq!(checked(4_000_000, Some(true), None), []);
    assert_eq!(checked(4_000_000, None, Some(false)), []);
}

#[test]
fn a_pool_of_docker_s_with_lvm_at_0_is_no_mismatch_and_neither_is_one_without_volumes() {
    assert_eq!(codes_after(|parts| parts.pool.lvm_transaction_id = Some(0)), [""; 0]);
    assert_eq!(codes_after(|parts| parts.pool.lvm_transaction_id = Some(7)), [""; 0]);
}

#[test]
fn metadata_beyond_what_the_kernel_uses_is_told_unless_it_is_rounding() {
    let after = |size| {
        codes_after(move |parts| {
            parts.pool.metadata_size = Some(Bytes(size));
            parts.nodes[3].size = Some(Bytes(size));
        })
    };
    assert_eq!(after(16 * GIB), [""; 0]);
    assert_eq!(after(17 * GIB), ["metadata-device-oversized"]);
}

#[test]
fn thin_check_matters_where_lvm_has_a_pool() {
    let after = |check: ThinCheck, lv: bool| {
        findings_of(
            |parts| {
                if !lv {
                    parts.pool.lv = None;
                }
            },
            |host| host.thin_check = Some(check),
        )
    };
    let path = || "/usr/sbin/thin_check".into();
    assert_eq!(after(ThinCheck::At(path()), true), []);
    assert_eq!(after(ThinCheck::Missing(path()), false), []);
    let missing = after(ThinCheck::Missing(path()), true);
    assert_eq!(only(&missing, "thin-check-missing").severity, Severity::Warning);
    let off = after(ThinCheck::SwitchedOff, true);
    assert_eq!(only(&off, "thin-check-missing").severity, Severity::Advice);
}

#[test]
fn a_cookie_is_stuck_after_a_minute() {
    let cookie = |age| Cookie { number: 0x0d4d_5b2a, age, line: " 223173418 3".into() };
    let after = |ages: &[u64]| {
        let cookies: Vec<_> = ages.iter().map(|age| cookie(*age)).collect();
        findings_of(|_| (), |host| host.cookies = cookies)
    };
    assert_eq!(after(&[0, 59]), []);
    let finding = only(&after(&[3, 61, 400]), "udev-cookie-stuck");
    assert!(finding.summary.starts_with("2 operations"), "{}", finding.summary);
    assert!(finding.remedy.contains("`dmsetup udevcomplete 0x0d4d5b2a`"), "{}", finding.remedy);
    let waits = "cookie 0x0d4d5b2a, unchanged for";
    let lines = [61, 400].map(|age| format!("{waits} {age} s:  223173418 3"));
    assert_eq!(finding.evidence, lines, "each with its age, and not the one that is young");
}

#[test]
fn the_metadata_s_reserve_counts_as_used() {
    // the kernel's own count: 261,120 blocks of which 80 % are 208,896
    let after = |used| codes_after(with_status(move |s| s.metadata.used = MetadataBlocks(used)));
    assert_eq!(after(208_896), ["pool-metadata-near-full"]);
    assert_eq!(after(208_895), [""; 0]);
}

#[test]
fn a_node_of_another_vg_is_no_spare_of_this_one() {
    let found = codes_after(|parts| {
        parts.nodes[3].kind = Kind::Lv;
        let mut other = node(Kind::Pmspare, "pve-lvol0_pmspare", 1020 * MIB);
        other.parents = vec![NodeIx(0)];
        parts.nodes.push(other);
        free_in_vg(parts, 100 * MIB);
    });
    assert_eq!(found, ["metadata-spare-missing"]);
}
