//! Expected values are what `docker info` prints in Docker's own documentation of the driver
//! (direct-lvm and loop-lvm), with the block counts that give them.

use super::*;
use crate::ids::{DevNo, NodeId};
use crate::model::{Kind, Mode, Node, NodeFacts, NodeIx, PoolKind, PoolStatus, Usage};
use crate::owner::docker::fake::FakeHost;
use crate::owner::docker::read_docker;
use crate::probe::LookOptions;
use crate::units::MetadataBlocks;

const HOME: &str = "/var/lib/docker/devicemapper";

fn node(kind: Kind, name: &str, size: u64) -> Node {
    Node {
        id: NodeId::new(kind.name(), name),
        kind,
        name: name.into(),
        short: None,
        device: Some(DevNo::new(7, 0)),
        size: Some(Bytes(size)),
        parents: Vec::new(),
        mountpoints: Vec::new(),
        facts: NodeFacts::default(),
    }
}

pub(in crate::owner::docker) fn active(data: (u64, u64), metadata: (u64, u64)) -> PoolState {
    PoolState::Active(PoolStatus {
        transaction_id: 7,
        metadata: Usage { used: MetadataBlocks(metadata.0), total: MetadataBlocks(metadata.1) },
        data: Usage { used: DataBlocks(data.0), total: DataBlocks(data.1) },
        held_root: None,
        mode: Mode::Rw,
        discard: None,
        no_space: None,
        needs_check: None,
        metadata_low_water: None,
        more: Vec::new(),
    })
}

pub(in crate::owner::docker) fn pool(
    name: &str,
    kind: PoolKind,
    block: u64,
    state: PoolState,
) -> Pool {
    Pool {
        kind,
        state,
        block_size: Some(Sectors(block)),
        data: Some(NodeIx(0)),
        metadata: Some(NodeIx(1)),
        ..Pool::unknown(NodeIx(2), name.into())
    }
}

/// A look at `host`, whose pool rests on loop0 and loop1 and is `size` bytes long.
pub(in crate::owner::docker) fn status(host: &FakeHost, pool: &Pool, size: u64) -> DriverStatus {
    let nodes = vec![
        node(Kind::Loop, "loop0", size),
        node(Kind::Loop, "loop1", 2 << 30),
        node(Kind::Pool, "pool", size),
    ];
    let topology = Topology::new(nodes, Vec::new(), Vec::new());
    let facts = read_docker(host, &LookOptions::default());
    driver_status(&facts, 0, pool, &topology)
}

fn host() -> FakeHost {
    FakeHost::default()
        .with(
            format!("{HOME}/metadata/base"),
            r#"{"device_id":1,"size":10737418240,"transaction_id":1,"initialized":true}"#,
        )
        .with(
            format!("{HOME}/metadata/deviceset-metadata"),
            r#"{"next_device_id":1,"BaseDeviceUUID":"0c2e","BaseDeviceFilesystem":"xfs"}"#,
        )
        .with(
            format!("{HOME}/metadata/{}", "7".repeat(64)),
            r#"{"device_id":2,"size":10737418240,"transaction_id":2,"deleted":true}"#,
        )
}

fn direct_host(options: &str) -> FakeHost {
    host().with(
        "/etc/docker/daemon.json",
        format!(r#"{{"storage-opts":["dm.thinpooldev=/dev/mapper/docker-thinpool"{options}]}}"#),
    )
}

fn direct_pool() -> Pool {
    pool("docker-thinpool", PoolKind::DirectLvm, 1024, active((38, 194_560), (36, 261_120)))
}

const DIRECT_BYTES: u64 = 95 << 30;

fn value<'a>(status: &'a DriverStatus, key: &str) -> Option<&'a str> {
    status.lines.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

#[test]
fn direct_lvm_reads_as_docker_prints_it() {
    let host = direct_host(r#","dm.use_deferred_removal=true","dm.use_deferred_deletion=true""#);
    let status = status(&host, &direct_pool(), DIRECT_BYTES);
    let lines: Vec<_> = status.lines.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    assert_eq!(
        lines,
        [
            "Pool Name: docker-thinpool",
            "Pool Blocksize: 524.3kB",
            "Base Device Size: 10.74GB",
            "Backing Filesystem: xfs",
            "Udev Sync Supported: true",
            "Data Space Used: 19.92MB",
            "Data Space Total: 102GB",
            "Data Space Available: 102GB",
            "Metadata Space Used: 147.5kB",
            "Metadata Space Total: 1.07GB",
            "Metadata Space Available: 1.069GB",
            "Thin Pool Minimum Free Space: 10.2GB",
            "Deferred Removal Enabled: true",
            "Deferred Deletion Enabled: true",
            "Deferred Deleted Device Count: 1",
        ]
    );
    assert_eq!(status.unknown, ["Library Version"]);
}

#[test]
fn loop_lvm_reads_as_docker_prints_it_with_what_its_filesystem_has_left() {
    let host = host()
        .with(format!("{HOME}/devicemapper/data"), "")
        .with(format!("{HOME}/devicemapper/metadata"), "")
        .free(7_440_000_000);
    let name = "docker-254:1-131077-pool";
    let state = active((180, 1_638_400), (142, 524_288));
    let status = status(&host, &pool(name, PoolKind::LoopLvm, 128, state), 100 << 30);
    for (key, expected) in [
        ("Pool Name", name),
        ("Pool Blocksize", "65.54kB"),
        ("Data file", "/dev/loop0"),
        ("Metadata file", "/dev/loop1"),
        ("Data loop file", "/var/lib/docker/devicemapper/devicemapper/data"),
        ("Metadata loop file", "/var/lib/docker/devicemapper/devicemapper/metadata"),
        ("Data Space Used", "11.8MB"),
        ("Data Space Total", "107.4GB"),
        ("Data Space Available", "7.44GB"),
        ("Metadata Space Used", "581.6kB"),
        ("Metadata Space Total", "2.147GB"),
        ("Metadata Space Available", "2.147GB"),
        ("Thin Pool Minimum Free Space", "10.74GB"),
    ] {
        assert_eq!(value(&status, key), Some(expected), "{key}");
    }
    let at = |key: &str| status.lines.iter().position(|(name, _)| name == key);
    assert_eq!(at("Data file"), at("Udev Sync Supported").map(|at| at + 1));
    assert_eq!(at("Data Space Used"), at("Metadata loop file").map(|at| at + 1));
}

#[test]
fn loop_files_below_a_linked_data_root_are_printed_where_they_really_are() {
    let host = FakeHost::default()
        .link("/var/lib/docker", "/srv/docker")
        .with("/srv/docker/devicemapper/metadata/base", r#"{"device_id":1}"#)
        .with("/srv/docker/devicemapper/devicemapper/data", "")
        .with("/srv/docker/devicemapper/devicemapper/metadata", "");
    let pool = pool("docker-254:1-131077-pool", PoolKind::LoopLvm, 128, PoolState::Inactive);
    let status = status(&host, &pool, 100 << 30);
    let expected = "/srv/docker/devicemapper/devicemapper/data";
    assert_eq!(value(&status, "Data loop file"), Some(expected));
}

#[test]
fn a_failed_pool_reads_as_zeros_and_an_inactive_one_as_unknown() {
    let failed = Pool { state: PoolState::Failed, ..direct_pool() };
    let failed = status(&direct_host(""), &failed, DIRECT_BYTES);
    for key in ["Pool Blocksize", "Data Space Total", "Thin Pool Minimum Free Space"] {
        assert_eq!(value(&failed, key), Some("0B"), "{key}");
    }
    let inactive = Pool { state: PoolState::Inactive, ..direct_pool() };
    let inactive = status(&direct_host(""), &inactive, DIRECT_BYTES);
    assert_eq!(value(&inactive, "Base Device Size"), Some("10.74GB"));
    for key in ["Data Space Used", "Data Space Total", "Metadata Space Available"] {
        // whether a daemon runs has nothing to do with it
        assert!(inactive.unseen.iter().any(|unseen| unseen == key), "{key}");
    }
    let seen = |status: &DriverStatus| status.unknown.iter().any(|key| key.contains("Space"));
    assert!(!seen(&inactive), "{:?}", inactive.unknown);
    let unseen = Pool { state: PoolState::Unseen { why: "Error".into() }, ..direct_pool() };
    let unseen = status(&direct_host(""), &unseen, DIRECT_BYTES);
    assert_eq!(unseen.unseen, inactive.unseen);
    assert_eq!(unseen.unknown, inactive.unknown);
    assert_eq!(failed.unseen, [""; 0]);
}

#[test]
fn an_inactive_pool_has_the_totals_that_its_volumes_have() {
    let pool = Pool {
        state: PoolState::Inactive,
        data_size: Some(Bytes(DIRECT_BYTES)),
        metadata_size: Some(Bytes(1020 << 20)),
        ..direct_pool()
    };
    let status = status(&direct_host(""), &pool, DIRECT_BYTES);
    assert_eq!(value(&status, "Data Space Total"), Some("102GB"));
    assert_eq!(value(&status, "Metadata Space Total"), Some("1.07GB"));
    assert_eq!(value(&status, "Thin Pool Minimum Free Space"), Some("10.2GB"));
    assert!(status.unseen.iter().any(|key| key == "Data Space Used"));
}

#[test]
fn minimum_free_space_counts_whole_blocks_of_the_percentage_that_was_given() {
    let given = |percent: &str| {
        let host = direct_host(&format!(r#","dm.min_free_space={percent}""#));
        let state = active((38, 1999), (36, 261_120));
        let pool = Pool { state, ..direct_pool() };
        let status = status(&host, &pool, 1999 * 524_288);
        value(&status, "Thin Pool Minimum Free Space").map(str::to_owned)
    };
    // 5 % of 1999 blocks are 99 whole ones of 524288 bytes
    assert_eq!(given("5%").as_deref(), Some("51.9MB"));
    assert_eq!(given("0%").as_deref(), Some("0B"));
}

#[test]
fn deferred_removal_is_on_by_default_where_the_kernel_can_and_docker_is_new_enough() {
    let removal = |host: &FakeHost| {
        let status = status(host, &direct_pool(), DIRECT_BYTES);
        value(&status, "Deferred Removal Enabled").map(str::to_owned)
    };
    let kernel = |host: FakeHost, release: &str| host.with("/proc/sys/kernel/osrelease", release);
    let new = || direct_host("").with("/var/lib/docker/buildkit/snapshots.db", "");
    assert_eq!(removal(&kernel(new(), "6.1.0-18-cloud-amd64\n")).as_deref(), Some("true"));
    assert_eq!(removal(&kernel(direct_host(""), "6.1.0-18-cloud-amd64\n")), None);
    assert_eq!(removal(&kernel(new(), "3.10.0-1160.el7.x86_64\n")), None);
    assert_eq!(removal(&kernel(new(), "nonsense")), None);
    assert_eq!(removal(&new()), None);
    let off = direct_host(r#","dm.use_deferred_removal=false""#);
    assert_eq!(removal(&off).as_deref(), Some("false"));
}

#[test]
fn options_of_another_driver_or_root_decide_nothing() {
    let host = host()
        .with("/etc/docker/daemon.json", r#"{"storage-driver":"overlay2"}"#)
        .with("/proc/sys/kernel/osrelease", "6.1.0");
    let status = status(&host, &direct_pool(), DIRECT_BYTES);
    for key in ["Udev Sync Supported", "Thin Pool Minimum Free Space", "Deferred Removal Enabled"] {
        assert!(status.unknown.iter().any(|unknown| unknown == key), "{key}");
    }
    assert_eq!(value(&status, "Pool Name"), Some("docker-thinpool"));
}
