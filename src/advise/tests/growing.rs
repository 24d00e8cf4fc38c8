//! What is told to somebody whose pool needs room: exact commands, and what has to come before.

use super::{findings_after, findings_of, only, with_status};
use crate::model::engine::EngineFacts;
use crate::model::sample::Parts;
use crate::model::{Cure, Engine, Kind, Mode, NoSpace, PoolKind, PoolStatus, Severity};
use crate::units::{Bytes, DataBlocks, MetadataBlocks};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const VG: usize = 2;
const SPARE: usize = 3;
const TMETA: usize = 4;
const TDATA: usize = 5;

fn remedy(code: &str, change: impl FnOnce(&mut Parts)) -> (String, Cure) {
    let finding = only(&findings_after(change), code);
    (finding.remedy, finding.cure)
}

/// So much of data and metadata is in use, in percent, in this mode and with or without the flag.
fn filled(data: u64, metadata: u64, mode: Mode, flag: bool) -> impl FnOnce(&mut Parts) {
    with_status(move |status| {
        status.data.used = DataBlocks(194_560 * data / 100);
        status.metadata.used = MetadataBlocks(261_120 * metadata / 100);
        (status.mode, status.needs_check) = (mode, Some(flag));
    })
}

fn free(size: u64) -> impl FnOnce(&mut Parts) {
    move |parts| {
        let vg = parts.nodes[VG].facts.vg.as_mut().expect("the third node is the VG");
        vg.free = Some(Bytes(size));
    }
}

fn docker_minds(parts: &mut Parts) {
    let mut facts = EngineFacts::new(Engine::Docker, "/var/lib/docker".into());
    facts.min_free_percent = Some(10);
    parts.pool.engine_facts = vec![facts];
}

const FLAG: &str = "clear needs_check first (see pool-needs-check), for until then growing is \
                    reported as done and does not happen; then grow the ";

#[test]
fn no_pool_that_needs_a_check_is_told_to_be_grown_first() {
    let after = |code: &str, data, metadata| {
        remedy(code, move |parts| {
            filled(data, metadata, Mode::Ro, true)(parts);
            docker_minds(parts);
        })
    };
    let data = "data: `lvextend -l +50%FREE docker/thinpool` (the VG docker has 3.0 GiB free)";
    let metadata = "metadata: `lvextend --poolmetadatasize +1020M docker/thinpool`";
    for (code, percent, what) in [
        ("pool-data-full", [100, 2], data),
        ("pool-data-near-full", [85, 2], data),
        ("min-free-space-reached", [95, 2], data),
        ("pool-metadata-full", [10, 100], metadata),
        ("pool-metadata-near-full", [10, 85], metadata),
        ("min-free-space-reached", [10, 95], metadata),
    ] {
        let told = after(code, percent[0], percent[1]);
        assert_eq!(told, (format!("{FLAG}{what}"), Cure::ByHand), "{code} {percent:?}");
    }
    let no_room = remedy("vg-no-free-space", |parts| {
        filled(85, 2, Mode::Ro, true)(parts);
        free(0)(parts);
    });
    let by_hand = "add a disk: `pvcreate DEVICE` and `vgextend docker DEVICE`";
    assert_eq!(no_room, (by_hand.to_owned(), Cure::ByHand), "thinscope adds none either");
}

#[test]
fn whatever_else_keeps_a_pool_from_growing_comes_first_too() {
    let of = |mode, metadata| remedy("pool-data-full", filled(100, metadata, mode, false)).0;
    assert!(of(Mode::Ro, 100).starts_with("grow the metadata first (see pool-metadata-full)"));
    assert!(of(Mode::Ro, 2).starts_with("find out first why it is read-only (see pool-read-only)"));
    assert!(of(Mode::Rw, 100).starts_with("grow the data: "));
    let (suspended, cure) = remedy("pool-data-full", |parts| {
        filled(100, 2, Mode::Rw, false)(parts);
        parts.pool.suspended = true;
    });
    assert!(suspended.starts_with("bring it back first (see pool-suspended)"), "{suspended}");
    assert_eq!(cure, Cure::ByHand);
    let metadata = remedy("pool-metadata-full", filled(10, 100, Mode::Ro, false));
    assert_eq!(metadata.1, Cure::GrowMetadata, "full metadata is grown while read-only");
}

#[test]
fn metadata_needs_the_room_for_lvm_s_spare_too() {
    let of = |room, spare| {
        remedy("pool-metadata-near-full", move |parts| {
            filled(10, 85, Mode::Rw, false)(parts);
            free(room)(parts);
            parts.nodes[SPARE].size = Some(Bytes(spare));
        })
        .0
    };
    // 1020 MiB more, of metadata and of the spare
    let enough = "grow the metadata: `lvextend --poolmetadatasize +1020M docker/thinpool`";
    assert_eq!(of(2040 * MIB, 1020 * MIB), enough);
    assert_eq!(
        of(2036 * MIB, 1020 * MIB),
        "grow the metadata: add a disk (it takes 2.0 GiB with LVM's spare, the VG docker has 2.0 \
         GiB free), `vgextend docker DEVICE`, then `lvextend --poolmetadatasize +1020M \
         docker/thinpool`"
    );
    // a spare that is large enough for another pool's sake does not grow
    assert_eq!(of(1020 * MIB, 4096 * MIB), enough);
    let alone = of(1016 * MIB, 4096 * MIB);
    assert!(alone.contains("(it takes 1020 MiB, the VG docker has 1016 MiB free)"), "{alone}");
}

#[test]
fn docker_s_own_line_names_both_commands_with_sizes_that_fit() {
    let of = |data, metadata, room| {
        let (remedy, _) = remedy("min-free-space-reached", move |parts| {
            filled(data, metadata, Mode::Rw, false)(parts);
            docker_minds(parts);
            free(room)(parts);
        });
        let end = "; or make room: `docker container prune`, `docker image prune`";
        remedy.strip_suffix(end).expect("room may be made").to_owned()
    };
    assert_eq!(
        of(95, 2, 313 * MIB),
        "grow the data: `thinscope grow docker-thinpool --data +156M`, or `lvextend -l +50%FREE \
         docker/thinpool` (the VG docker has 313 MiB free)"
    );
    // the half of one extent is none
    let disk = "grow the data: `thinscope grow docker-thinpool --add-pv DEVICE --data 100%FREE`, or \
                add a disk, `vgextend docker DEVICE`, then `lvextend -l +50%FREE docker/thinpool`";
    assert_eq!(of(95, 2, 4 * MIB), disk);
    assert_eq!(of(95, 2, 0), disk);
    assert!(
        of(95, 2, 8 * MIB)
            .starts_with("grow the data: `thinscope grow docker-thinpool --data +4M`")
    );
    assert!(of(10, 95, 3 * GIB).starts_with(
        "grow the metadata: `thinscope grow docker-thinpool --metadata +1020M`, or `lvextend "
    ));
    assert!(of(10, 95, 150 * MIB).starts_with(
        "grow the metadata: `thinscope grow docker-thinpool --add-pv DEVICE --metadata +1020M`, or "
    ));
}

/// A pool without LVM, over devices of this kind.
fn own(kind: Kind) -> impl FnOnce(&mut Parts) {
    move |parts| {
        parts.pool.lv = None;
        parts.pool.kind = if kind == Kind::Loop { PoolKind::LoopLvm } else { PoolKind::Raw };
        for at in [TMETA, TDATA] {
            let node = &mut parts.nodes[at];
            (node.kind, node.facts.lv, node.facts.dm) = (kind, None, None);
            node.name = ["vdx", "vdy"][at - TMETA].into();
        }
    }
}

#[test]
fn a_pool_over_files_is_grown_by_one_command() {
    let of = |code, data, metadata| {
        remedy(code, move |parts| {
            own(Kind::Loop)(parts);
            filled(data, metadata, Mode::Rw, false)(parts);
        })
    };
    // 95 GiB and 1020 MiB
    let data = "grow the data: `thinscope grow docker-thinpool --data +19G`".to_owned();
    assert_eq!(of("pool-data-full", 100, 2), (data, Cure::GrowData));
    let metadata =
        "grow the metadata: `thinscope grow docker-thinpool --metadata +1020M`".to_owned();
    assert_eq!(of("pool-metadata-full", 10, 100), (metadata, Cure::GrowMetadata));
}

#[test]
fn a_raw_pool_s_disk_must_have_grown_before_and_its_volume_needs_the_room() {
    let disk = |size: u64| {
        remedy("pool-data-full", move |parts| {
            own(Kind::Disk)(parts);
            filled(100, 2, Mode::Rw, false)(parts);
            parts.nodes[TDATA].size = Some(Bytes(size));
        })
        .0
    };
    let command = "`thinscope grow docker-thinpool --data +19G`";
    assert_eq!(disk(95 * GIB), format!("grow the data: enlarge vdy by 19.0 GiB, then {command}"));
    assert_eq!(disk(114 * GIB), format!("grow the data: {command}"));
    let volume = |room: u64| {
        remedy("pool-data-full", move |parts| {
            parts.pool.lv = None;
            parts.pool.kind = PoolKind::Raw;
            filled(100, 2, Mode::Rw, false)(parts);
            free(room)(parts);
        })
        .0
    };
    assert_eq!(volume(19 * GIB), format!("grow the data: {command}"));
    assert_eq!(
        volume(19 * GIB - 1),
        format!(
            "grow the data: add a disk (the VG docker has 19.0 GiB free), `vgextend docker \
             DEVICE`, then {command}"
        )
    );
}

/// What three findings say of a pool that is full, or nearly, and does this with writes.
fn fates(
    no_space: &NoSpace,
    timeout: Option<u64>,
    table: bool,
    change: impl Fn(&mut PoolStatus) + Copy + 'static,
) -> [String; 2] {
    let summary = |code: &str, used: u64| {
        let no_space = no_space.clone();
        let set = move |parts: &mut Parts| {
            with_status(move |status| {
                status.no_space = Some(no_space);
                change(status);
                status.data.used = DataBlocks(used);
            })(parts);
            parts.pool.options.extend(table.then(|| "error_if_no_space".into()));
        };
        let found = findings_of(set, |host| host.no_space_timeout = timeout);
        let summary = only(&found, code).summary;
        summary.split_once(": ").expect("a colon").1.to_owned()
    };
    [summary("pool-data-full", 194_560), summary("pool-data-near-full", 180_000)]
}

#[test]
fn what_becomes_of_writes_is_told_by_status_table_and_time_to_wait() {
    let rw = |_: &mut PoolStatus| ();
    let queue = |timeout| fates(&NoSpace::Queue, timeout, false, rw);
    let waits = [
        "the next write that needs a new one waits, then fails",
        "when it is full, writes wait and then fail",
    ];
    assert_eq!(queue(None), waits);
    assert_eq!(queue(Some(60)), waits);
    assert_eq!(
        queue(Some(0)),
        [
            "the next write that needs a new one waits until the pool is grown, without end",
            "when it is full, writes wait until it is grown, without end",
        ]
    );
    assert_eq!(
        fates(&NoSpace::Error, Some(60), true, rw),
        [
            "a write that needs a new one fails at once, as its table asks",
            "when it is full, writes fail at once, as its table asks",
        ]
    );
    let [full, near] = fates(&NoSpace::Queue, None, false, |status| status.mode = Mode::Ro);
    assert_eq!(full, "the pool is read-only as well, and a write that needs a new one fails");
    assert_eq!(near, "it is read-only, so that writes that need a new block fail already");
}

#[test]
fn a_full_pool_does_not_say_otherwise_than_the_mode_that_it_is_in() {
    let found = |table: bool| {
        findings_after(move |parts| {
            with_status(|status| {
                status.mode = Mode::OutOfDataSpace;
                status.no_space = Some(NoSpace::Error);
                status.data.used = status.data.total;
            })(parts);
            parts.pool.options.extend(table.then(|| "error_if_no_space".into()));
        })
    };
    let over = found(false);
    let (mode, full) = (only(&over, "pool-out-of-data-space"), only(&over, "pool-data-full"));
    assert!(
        mode.summary
            .ends_with("the time to wait is over, and writes that need a new block have failed")
    );
    assert!(full.summary.ends_with("have waited in vain, and the next ones fail at once"));
    assert!(!mode.remedy.contains("what waits"), "{}", mode.remedy);
    assert!(mode.remedy.ends_with("then look into the filesystems that met errors (`dmesg`)"));
    let asked = found(true);
    for code in ["pool-out-of-data-space", "pool-data-full"] {
        let finding = only(&asked, code);
        assert_eq!(finding.severity, Severity::Critical);
        assert!(finding.summary.ends_with("at once, as its table asks"), "{}", finding.summary);
    }
}
