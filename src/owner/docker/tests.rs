//! Whole hosts in memory → every device's owner.

mod hostile;

use super::digest::Digest;
use super::fake::FakeHost;
use super::*;
use crate::ids::ThinId;
use crate::model::{ContainerState, PoolKind, Role};
use crate::owner::{Backing, Owned, OwnedDevice};
use crate::sys::FailKind;
use crate::text::Printable;
use crate::units::Bytes;

const ROOT: &str = "/var/lib/docker";

fn hex(letter: char) -> String {
    letter.to_string().repeat(64)
}

fn digest(letter: char) -> String {
    format!("sha256:{}", hex(letter))
}

fn chained(below: &str, diff: &str) -> String {
    let parse = |text: &str| Digest::parse(text.as_bytes()).expect("test digests are whole");
    parse(below).chained(parse(diff)).to_string()
}

fn device(id: u32, transaction: u32) -> String {
    format!(
        r#"{{"device_id":{id},"size":10737418240,"transaction_id":{transaction},"initialized":false,"deleted":false}}"#
    )
}

fn with_device(host: FakeHost, name: &str, id: u32) -> FakeHost {
    host.with(format!("{ROOT}/devicemapper/metadata/{name}"), device(id, id))
}

/// A layer's folder; `chain` with `sha256:`.
fn with_layer(host: FakeHost, chain: &str, cache_id: &str, parent: Option<&str>) -> FakeHost {
    let name = chain.strip_prefix("sha256:").unwrap_or(chain);
    let dir = format!("{ROOT}/image/devicemapper/layerdb/sha256/{name}");
    let host = host.with(format!("{dir}/cache-id"), cache_id).with(format!("{dir}/size"), "7");
    match parent {
        Some(parent) => host.with(format!("{dir}/parent"), parent),
        None => host,
    }
}

fn with_mount(host: FakeHost, name: &str, mount_id: &str, init: bool, parent: &str) -> FakeHost {
    let dir = format!("{ROOT}/image/devicemapper/layerdb/mounts/{name}");
    let host = host.with(format!("{dir}/mount-id"), mount_id).with(format!("{dir}/parent"), parent);
    if init { host.with(format!("{dir}/init-id"), format!("{mount_id}-init")) } else { host }
}

fn with_image(host: FakeHost, letter: char, diffs: &[&str]) -> FakeHost {
    let diffs: Vec<_> = diffs.iter().map(|diff| format!("\"{diff}\"")).collect();
    host.with(
        format!("{ROOT}/image/devicemapper/imagedb/content/sha256/{}", hex(letter)),
        format!(r#"{{"rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#, diffs.join(",")),
    )
}

fn with_container(host: FakeHost, id: &str, name: &str, state: &str) -> FakeHost {
    host.with(
        format!("{ROOT}/containers/{id}/config.v2.json"),
        format!(r#"{{"ID":"{id}","Name":"/{name}","Driver":"devicemapper","State":{{{state}}}}}"#),
    )
}

const RUNNING: &str = r#""Running":true,"Pid":77,"StartedAt":"2024-01-01T00:00:00Z""#;

/// Base, two layers of `app:one`, a third of `app:two` above them, a dangling image of the
/// bottom layer's sibling, one running container with its init layer.
fn ordinary_host() -> FakeHost {
    let middle = chained(&digest('a'), &digest('b'));
    let top = chained(&middle, &digest('c'));
    let mut host = FakeHost::default().with(
        "/etc/docker/daemon.json",
        r#"{"storage-driver":"devicemapper","storage-opts":["dm.thinpooldev=/dev/mapper/docker-thinpool","dm.use_deferred_removal=true"]}"#,
    );
    for (name, id) in [
        ("base", 1),
        (&*hex('1'), 2),
        (&*hex('2'), 3),
        (&*hex('3'), 4),
        (&*hex('4'), 5),
        (&*format!("{}-init", hex('5')), 6),
        (&*hex('5'), 7),
    ] {
        host = with_device(host, name, id);
    }
    host = with_layer(host, &digest('a'), &hex('1'), None);
    host = with_layer(host, &middle, &hex('2'), Some(&digest('a')));
    host = with_layer(host, &top, &hex('3'), Some(&middle));
    host = with_layer(host, &digest('d'), &hex('4'), None);
    host = with_image(host, 'e', &[&digest('a'), &digest('b')]);
    host = with_image(host, 'f', &[&digest('a'), &digest('b'), &digest('c')]);
    host = with_image(host, '0', &[&digest('d')]);
    host = with_mount(host, &hex('9'), &hex('5'), true, &top);
    host = with_container(host, &hex('9'), "web", RUNNING);
    host.with(
        format!("{ROOT}/image/devicemapper/repositories.json"),
        format!(
            r#"{{"Repositories":{{"app":{{"app:one":"sha256:{e}","app:two":"sha256:{f}","app@{d}":"sha256:{e}"}}}}}}"#,
            e = hex('e'),
            f = hex('f'),
            d = digest('8'),
        ),
    )
    .with(
        format!("{ROOT}/devicemapper/metadata/deviceset-metadata"),
        r#"{"next_device_id":7,"BaseDeviceUUID":"0c2e","BaseDeviceFilesystem":"xfs"}"#,
    )
    .with(
        format!("{ROOT}/devicemapper/metadata/transaction-metadata"),
        format!(r#"{{"open_transaction_id":7,"device_hash":"{}","device_id":7}}"#, hex('5')),
    )
}

fn look(host: &FakeHost) -> Owned {
    owned(&read_docker(host, &LookOptions::default()))
}

fn find<'a>(owned: &'a Owned, name: &str) -> &'a OwnedDevice {
    let mut devices = owned.pools.iter().flat_map(|pool| &pool.devices);
    devices.find(|device| device.name == name).expect("the test's host has this device")
}

fn whys(owned: &Owned) -> Vec<&str> {
    owned.gaps.iter().map(|gap| gap.why.as_str()).collect()
}

#[test]
fn every_device_of_an_ordinary_host_has_its_owner() {
    let owned = look(&ordinary_host());
    assert_eq!(whys(&owned), Vec::<&str>::new());
    let rows: Vec<_> = owned.pools[0]
        .devices
        .iter()
        .map(|device| {
            let images: Vec<_> = device.images.iter().map(Printable::as_str).collect();
            let ids = (device.id.map(ThinId::get), device.parent.map(ThinId::get));
            (ids, device.role.name(), images.join(" "), device.position)
        })
        .collect();
    let digest = format!("app@{}", digest('8'));
    let both = format!("app:one app:two {digest}");
    let expected = [
        ((Some(1), None), "base", "", None),
        ((Some(2), Some(1)), "image-layer", &*both, Some((1, 2))),
        ((Some(3), Some(2)), "image-layer", &*both, Some((2, 2))),
        ((Some(4), Some(3)), "image-layer", "app:two", Some((3, 3))),
        ((Some(5), Some(1)), "image-layer", &*format!("sha256:{}", hex('0')), Some((1, 1))),
        ((Some(6), Some(4)), "container-init", "", None),
        ((Some(7), Some(6)), "container", "", None),
    ]
    .map(|(ids, role, images, at)| (ids, role, images.to_owned(), at));
    assert_eq!(rows, expected);
}

#[test]
fn a_device_carries_what_its_file_says() {
    let owned = look(&ordinary_host());
    let web = find(&owned, &hex('5'));
    assert_eq!(web.dm_name, format!("docker-254:1-131077-{}", hex('5')).into_bytes());
    assert_eq!(web.size, Some(Bytes(10 << 30)));
    assert_eq!(web.transaction_id, Some(7));
    assert_eq!(web.by, format!("{ROOT}/devicemapper/metadata/{}", hex('5')).as_str());
    let container = web.container.as_ref().expect("a container's device has its container");
    assert_eq!((container.name.as_str(), container.id.as_str()), ("web", &*hex('9')));
    assert_eq!(container.state, Some(ContainerState::Running));
    let init = find(&owned, &format!("{}-init", hex('5')));
    assert_eq!(init.container.as_ref(), Some(container));
}

#[test]
fn the_pool_is_the_one_that_the_options_name() {
    let owned = look(&ordinary_host());
    let pool = &owned.pools[0];
    assert_eq!(pool.pool_name, b"docker-thinpool");
    assert_eq!(pool.prefix, "docker-254:1-131077");
    assert_eq!((&pool.backing, pool.pool_name_certain), (&Backing::Given, true));
}

#[test]
fn loop_files_without_options_are_docker_s_own_pool() {
    let host = with_device(FakeHost::default(), "base", 1)
        .with(format!("{ROOT}/devicemapper/devicemapper/data"), "")
        .with(format!("{ROOT}/devicemapper/devicemapper/metadata"), "");
    let owned = look(&host);
    let pool = &owned.pools[0];
    assert_eq!(pool.pool_name, b"docker-254:1-131077-pool");
    let sizes = (Bytes(100 << 30), Bytes(1 << 30));
    let Backing::LoopFiles { data, data_size, .. } = &pool.backing else {
        panic!("loop files are there");
    };
    assert_eq!(*data, HostPath::new(format!("{ROOT}/devicemapper/devicemapper/data")));
    assert_eq!(*data_size, Some(sizes));
}

#[test]
fn devices_of_its_own_are_found_in_the_options() {
    let host = with_device(FakeHost::default(), "base", 1).with(
        "/etc/sysconfig/docker-storage",
        "DOCKER_STORAGE_OPTIONS=\"--storage-opt dm.datadev=/dev/vg/d --storage-opt dm.metadatadev=/dev/vg/m\"",
    );
    let owned = look(&host);
    assert_eq!(owned.pools[0].pool_name, b"docker-254:1-131077-pool");
    let backing =
        Backing::Devices { data: HostPath::new("/dev/vg/d"), metadata: HostPath::new("/dev/vg/m") };
    assert_eq!(owned.pools[0].backing, backing);
}

#[test]
fn automatic_direct_lvm_is_known_by_its_record_alone() {
    let host = with_device(FakeHost::default(), "base", 1)
        .with(format!("{ROOT}/devicemapper/setup-config.json"), r#"{"Device":"/dev/vdb"}"#);
    let owned = look(&host);
    assert_eq!(owned.pools[0].pool_name, b"docker-thinpool");
    assert!(owned.pools[0].pool_name_certain);
    assert_eq!(whys(&owned), Vec::<&str>::new());
}

/// A running daemon that was told nothing, and files for a next one that would use another pool.
fn running_daemon() -> FakeHost {
    with_device(FakeHost::default(), "base", 1)
        .with(format!("{ROOT}/devicemapper/devicemapper/data"), "")
        .with(format!("{ROOT}/devicemapper/devicemapper/metadata"), "")
        .with("/etc/sysconfig/docker-storage", "X=--storage-opt dm.thinpooldev=next")
        .with("/run/docker.pid", "812\n")
        .with("/proc/812/cmdline", "/usr/sbin/dockerd\0")
}

#[test]
fn what_the_running_daemon_was_told_outranks_what_the_next_one_would_be() {
    let host = running_daemon().with("/proc/812/comm", "dockerd\n");
    assert_eq!(look(&host).pools[0].pool_name, b"docker-254:1-131077-pool");
}

#[test]
fn a_stale_pid_file_and_another_system_s_tree_are_not_asked_for_processes() {
    let stale = running_daemon().with("/proc/812/comm", "sshd\n");
    assert_eq!(look(&stale).pools[0].pool_name, b"next");
    let host = running_daemon().with("/proc/812/comm", "dockerd\n");
    let options = LookOptions { mounted_tree: true, ..LookOptions::default() };
    assert_eq!(owned(&read_docker(&host, &options)).pools[0].pool_name, b"next");
}

#[test]
fn a_pool_that_nothing_names_is_a_guess_and_says_so() {
    let owned = look(&with_device(FakeHost::default(), "base", 1));
    assert!(!owned.pools[0].pool_name_certain);
    assert!(whys(&owned)[0].contains("no dm.thinpooldev was found"));
}

#[test]
fn docker_that_is_not_installed_is_no_gap() {
    let owned = look(&FakeHost::default());
    assert_eq!((owned.pools.len(), owned.gaps.len()), (0, 0));
}

#[test]
fn a_data_root_by_link_and_by_remapping_is_found() {
    let host = FakeHost::default()
        .with("/etc/docker/daemon.json", r#"{"data-root":"/docker","userns-remap":"default"}"#)
        .link("/docker", "srv/docker")
        .with("/srv/docker/165536.165536/devicemapper/metadata/base", device(1, 1))
        .with("/srv/docker/overlay2/x/y", "");
    let facts = read_docker(&host, &LookOptions::default());
    let roots: Vec<_> =
        facts.roots.iter().map(|root| (&root.path, &root.real, root.configured)).collect();
    let path = HostPath::new("/docker/165536.165536");
    let real = HostPath::new("/srv/docker/165536.165536");
    assert_eq!(roots, [(&path, &real, true)]);
}

#[test]
fn a_given_root_replaces_the_configured_one_and_its_options_do_not_reach_it() {
    let host = ordinary_host().with("/mnt/old/devicemapper/metadata/base", device(1, 1));
    let options =
        LookOptions { docker_roots: vec![HostPath::new("/mnt/old")], ..LookOptions::default() };
    let facts = read_docker(&host, &options);
    assert_eq!(facts.roots.len(), 1);
    assert!(!facts.roots[0].configured);
    assert!(!owned(&facts).pools[0].pool_name_certain);
}

#[test]
fn a_given_root_without_the_driver_s_folder_is_a_gap() {
    let options =
        LookOptions { docker_roots: vec![HostPath::new("/mnt/no")], ..LookOptions::default() };
    let facts = read_docker(&ordinary_host(), &options);
    assert_eq!(facts.roots.len(), 0);
    assert!(facts.gaps[0].why.as_str().starts_with("/mnt/no: there is no devicemapper folder"));
}

#[test]
fn a_data_root_that_is_closed_to_this_user_is_one_gap() {
    let home = format!("{ROOT}/devicemapper");
    let host = ordinary_host().failing(&home, FailKind::Denied).failing(ROOT, FailKind::Denied);
    assert_eq!(whys(&look(&host)), [format!("{home}: this test says so; look as root to see it")]);
}

#[test]
fn docker_has_failed_where_nothing_of_its_devices_could_be_read() {
    let failed = |host: FakeHost| read_docker(&host, &LookOptions::default()).failed;
    let folder = format!("{ROOT}/devicemapper/metadata");
    assert!(failed(ordinary_host().failing(&folder, FailKind::Denied)));
    assert!(failed(ordinary_host().failing(&format!("{ROOT}/devicemapper"), FailKind::Denied)));
    // not where it could be, where it is not installed, and where one file could not be read
    assert!(!failed(ordinary_host()));
    assert!(!failed(FakeHost::default()));
    assert!(!failed(ordinary_host().failing("/etc/docker/daemon.json", FailKind::Denied)));
}

#[test]
fn build_snapshots_orphans_and_deletions_are_told_apart() {
    let build = "abcdefghij0123456789klmno";
    let mut host = with_device(ordinary_host(), build, 20);
    host = with_device(host, &hex('6'), 21);
    host = host.with(
        format!("{ROOT}/devicemapper/metadata/{}", hex('7')),
        device(22, 22).replace("\"deleted\":false", "\"deleted\":true"),
    );
    let owned = look(&host);
    assert_eq!(find(&owned, build).role, Role::BuildCache);
    let orphan = find(&owned, &hex('6'));
    assert_eq!(orphan.role, Role::Unknown);
    assert!(orphan.note.as_ref().is_some_and(|note| note.as_str().starts_with("orphan file")));
    let deleted = find(&owned, &hex('7'));
    assert_eq!((deleted.role, deleted.deferred_deletion), (Role::Unknown, true));
    assert_eq!(deleted.note, Some("removed in docker, waits for its deletion".into()));
}

#[test]
fn a_buildkit_layer_that_an_image_holds_is_an_image_layer() {
    let build = "abcdefghij0123456789klmno";
    let host = with_layer(with_device(ordinary_host(), build, 20), &digest('d'), build, None);
    let owned = look(&host);
    assert_eq!(find(&owned, build).role, Role::ImageLayer);
}

#[test]
fn a_layer_with_no_image_is_still_an_image_layer() {
    let host =
        with_layer(with_device(ordinary_host(), &hex('6'), 21), &digest('6'), &hex('6'), None);
    let layer = find(&look(&host), &hex('6')).clone();
    assert_eq!((layer.role, layer.images, layer.position), (Role::ImageLayer, Vec::new(), None));
    assert_eq!(layer.chain_id, Some(digest('6').into()));
}

#[test]
fn a_mount_without_container_is_a_builder_s_unless_it_has_an_init_layer() {
    let mut host = with_device(ordinary_host(), &hex('6'), 20);
    host = with_mount(host, &hex('b'), &hex('6'), false, &digest('a'));
    host = with_device(host, &hex('7'), 22);
    host = with_device(host, &format!("{}-init", hex('7')), 21);
    host = with_mount(host, &hex('c'), &hex('7'), true, &digest('a'));
    let owned = look(&host);
    let builder = find(&owned, &hex('6'));
    assert_eq!((builder.role, &builder.container), (Role::BuildCache, &None));
    assert_eq!(builder.parent.map(ThinId::get), Some(2));
    let container = find(&owned, &hex('7'));
    let lost = container.container.as_ref().expect("an init layer is made for containers only");
    assert_eq!(
        (container.role, lost.name.as_str(), lost.state),
        (Role::Container, &*hex('c'), None)
    );
}

#[test]
fn two_files_with_one_id_stand_next_to_each_other_without_parents() {
    let host = with_device(ordinary_host(), &hex('6'), 4);
    let owned = look(&host);
    let four: Vec<_> =
        owned.pools[0].devices.iter().filter(|device| device.id == ThinId::new(4)).collect();
    let names: Vec<_> = four.iter().map(|device| device.name.as_str()).collect();
    assert_eq!(names, [&*hex('3'), &*hex('6')]);
    assert!(four.iter().all(|device| device.parent.is_none()));
}

#[test]
fn layers_whose_parents_run_in_a_circle_have_none() {
    let mut host = with_device(with_device(FakeHost::default(), &hex('1'), 1), &hex('2'), 2);
    host = with_layer(host, &digest('a'), &hex('1'), Some(&digest('b')));
    host = with_layer(host, &digest('b'), &hex('2'), Some(&digest('a')));
    let owned = look(&host);
    assert_eq!(find(&owned, &hex('1')).parent, None);
    assert_eq!(find(&owned, &hex('2')).parent, None);
}

#[test]
fn a_layer_renamed_for_removal_says_so_and_yields_to_the_one_in_use() {
    let renamed = format!("{}-{}-removing", hex('b'), hex('7'));
    let host = with_layer(with_device(ordinary_host(), &hex('6'), 21), &renamed, &hex('6'), None);
    let host = with_layer(host, &renamed.replace('b', "c"), &hex('1'), None);
    let owned = look(&host);
    let going = find(&owned, &hex('6'));
    assert_eq!(going.role, Role::ImageLayer);
    assert!(going.note.as_ref().is_some_and(|note| note.as_str().starts_with("being removed")));
    assert_eq!(find(&owned, &hex('1')).note, None);
}

#[test]
fn a_layer_without_a_device_file_is_named_without_an_id() {
    let host = with_layer(ordinary_host(), &digest('6'), &hex('6'), None);
    let owned = look(&host);
    let device = find(&owned, &hex('6'));
    assert_eq!((device.id, device.role), (None, Role::ImageLayer));
    assert!(device.note.as_ref().is_some_and(|note| note.as_str().contains("no device file")));
    assert_eq!(owned.pools[0].devices.last().map(|last| &last.name), Some(&hex('6').into()));
}

#[test]
fn one_broken_device_file_keeps_its_role_and_loses_no_other() {
    let host = ordinary_host().with(format!("{ROOT}/devicemapper/metadata/{}", hex('2')), "{\"dev");
    let owned = look(&host);
    let broken = find(&owned, &hex('2'));
    assert_eq!((broken.id, broken.role), (None, Role::ImageLayer));
    assert!(broken.note.as_ref().is_some_and(|note| note.as_str().contains("no valid JSON")));
    assert_eq!(owned.pools[0].devices.len(), 7);
    assert_eq!(find(&owned, &hex('3')).parent, None);
}

#[test]
fn a_folder_without_permission_is_one_gap_with_advice_and_loses_no_other() {
    let store = format!("{ROOT}/image/devicemapper/layerdb/sha256");
    let owned = look(&ordinary_host().failing(&store, FailKind::Denied));
    assert_eq!(whys(&owned), [format!("{store}: this test says so; look as root to see it")]);
    assert_eq!(find(&owned, &hex('5')).role, Role::Container);
}

#[test]
fn a_link_out_of_the_data_root_is_a_gap() {
    let file = format!("{ROOT}/devicemapper/metadata/{}", hex('2'));
    let owned = look(&ordinary_host().failing(&file, FailKind::LeadsOut));
    assert!(whys(&owned)[0].starts_with(&file), "{:?}", whys(&owned));
    assert_eq!(find(&owned, &hex('2')).id, None);
}

#[test]
fn a_folder_that_moved_is_read_again_and_settles() {
    let quiet = look(&ordinary_host());
    let moved = look(&ordinary_host().moving(2));
    assert_eq!(whys(&moved), whys(&quiet));
    let restless = look(&ordinary_host().moving(100));
    assert!(whys(&restless)[0].contains("faster than they can be read"));
    assert_eq!(restless.pools[0].devices.len(), 7);
}

#[test]
fn a_transaction_file_that_cannot_be_read_says_nothing_of_the_pool() {
    use driver_status::tests::{active, pool};
    let pool = pool("docker-thinpool", PoolKind::DirectLvm, 1024, active((1, 9), (1, 9)));
    let relation = |host: &FakeHost| {
        let said = engine_facts(&read_docker(host, &LookOptions::default()), 0, &pool);
        said.and_then(|said| said.transaction).map(|last| (last.engine, last.pool))
    };
    let (engine, pools) = relation(&ordinary_host()).expect("both were seen");
    assert_eq!(engine, pools, "the last transaction is closed");
    let file = format!("{ROOT}/devicemapper/metadata/transaction-metadata");
    assert_eq!(relation(&ordinary_host().with(&file, "{\"open")), None);
    assert_eq!(relation(&ordinary_host().failing(&file, FailKind::Denied)), None);
}

#[test]
fn sizes_and_force_that_docker_was_told_stand_beside_what_it_has() {
    use driver_status::tests::{active, pool};
    let pool = pool("docker-thinpool", PoolKind::DirectLvm, 1024, active((1, 9), (1, 9)));
    let said = |options: &str, record: bool| {
        let host = with_device(FakeHost::default(), "base", 1)
            .with(format!("{ROOT}/devicemapper/devicemapper/data"), "")
            .with(
                "/etc/docker/daemon.json",
                format!("{{\"storage-driver\":\"devicemapper\",\"storage-opts\":[{options}]}}"),
            );
        let file = format!("{ROOT}/devicemapper/setup-config.json");
        let host = if record { host.with(file, r#"{"Device":"/dev/xvdf"}"#) } else { host };
        let read = read_docker(&host, &LookOptions::default());
        engine_facts(&read, 0, &pool).expect("there is a root")
    };
    let sizes = said(r#""dm.loopdatasize=200G""#, false);
    assert_eq!(sizes.loop_files[0].configured, Some(Bytes(200 << 30)));
    assert_eq!(sizes.forced, None);
    assert_eq!(said("", false).loop_files[0].configured, None);
    let force = r#""dm.directlvm_device=/dev/xvdf","dm.directlvm_device_force=true""#;
    for record in [false, true] {
        let forced = said(force, record).forced.expect("it was told so");
        assert_eq!((forced.device.as_str(), forced.done), ("/dev/xvdf", record));
    }
    assert_eq!(said(r#""dm.directlvm_device=/dev/xvdf""#, false).forced, None);
    assert_eq!(said(r#""dm.directlvm_device_force=true""#, false).forced, None);
}

#[test]
fn ten_thousand_devices_cost_no_more_questions_than_seven() {
    let few = ordinary_host();
    look(&few);
    let mut many = ordinary_host();
    for id in 100..400 {
        many = with_device(many, &format!("{id:064x}"), id);
    }
    look(&many);
    assert_eq!(few.asked(), many.asked());
}
