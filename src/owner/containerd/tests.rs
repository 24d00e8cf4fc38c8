//! A real host's databases through the real door, and made-up ones from there to what is said.

use std::path::Path;

use super::*;
use crate::ids::ThinId;
use crate::model::Role;
use crate::model::engine::{EngineFacts, Misfit};
use crate::owner::{OwnedDevice, OwnedPool};
use crate::sys::live::Live;
use crate::sys::{Answer, BoltBucket, BoltValue, FailKind, Question, Raw};
use state::State;

pub(super) mod made_up;

use made_up::{MadeUp, container, image};

/// A bucket of these keys.
pub(super) fn bucket<'a>(entries: impl IntoIterator<Item = (&'a str, BoltValue)>) -> BoltBucket {
    let entries = entries.into_iter().map(|(key, value)| (Raw::from(key), value));
    BoltBucket { sequence: 0, entries: entries.collect() }
}

/// A bucket as a value.
pub(super) fn inner<'a>(entries: impl IntoIterator<Item = (&'a str, BoltValue)>) -> BoltValue {
    BoltValue::Bucket(bucket(entries))
}

/// Bytes as a value.
pub(super) fn bytes(bytes: &[u8]) -> BoltValue {
    BoltValue::Bytes(Raw(bytes.to_vec()))
}

const POOL_DB: &[u8] = include_bytes!("../../../tests/data/containerd/snap-pool.db");
const SNAPSHOTS_DB: &[u8] = include_bytes!("../../../tests/data/containerd/metadata.db");
const NAMES_DB: &[u8] = include_bytes!("../../../tests/data/containerd/meta.db");

const CONFIG: &str = "[plugins.\"io.containerd.snapshotter.v1.devmapper\"]\n\
    root_path = \"/snap\"\npool_name = \"snap-pool\"\n";

/// A file tree with that host's files.
fn host_of_the_lab() -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a temporary folder can be made");
    put(root.path(), "etc/containerd/config.toml", CONFIG.as_bytes());
    put(root.path(), "snap/snap-pool.db", POOL_DB);
    put(root.path(), "snap/metadata.db", SNAPSHOTS_DB);
    put(root.path(), "snap/data", b"");
    put(root.path(), "var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db", NAMES_DB);
    root
}

fn put(root: &Path, path: &str, content: &[u8]) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().expect("it has a folder")).expect("made");
    std::fs::write(path, content).expect("written");
}

fn look(root: &Path, options: &LookOptions) -> ContainerdFacts {
    read_containerd(&Live::new(Some(root.to_owned())), options)
}

fn mounted() -> LookOptions {
    LookOptions { mounted_tree: true, ..LookOptions::default() }
}

fn device(pool: &OwnedPool, id: u64) -> &OwnedDevice {
    let device = pool.devices.iter().find(|device| device.id == ThinId::new(id));
    device.expect("the device is named")
}

#[test]
fn the_lab_s_devices_are_what_ctr_says_they_are() {
    let root = host_of_the_lab();
    let facts = look(root.path(), &mounted());
    assert_eq!(facts.gaps, []);
    let owned = owned(&facts);
    let [pool] = owned.pools.as_slice() else { panic!("{} pools", owned.pools.len()) };
    assert_eq!((pool.pool_name.as_slice(), pool.names_all), (&b"snap-pool"[..], true));
    assert_eq!(pool.devices.len(), 7);
    let all = [
        "docker.io/shop/base:1",
        "docker.io/shop/web:1.4",
        "docker.io/shop/web:latest",
        "docker.io/shop/worker:1.4",
    ];
    let bottom = device(pool, 1);
    let mut images: Vec<_> = bottom.images.iter().map(Printable::as_str).collect();
    images.sort_unstable();
    assert_eq!((bottom.role, bottom.parent, images.as_slice()), (Role::ImageLayer, None, &all[..]));
    let web = device(pool, 2);
    assert_eq!((web.position, web.parent), (Some((2, 2)), ThinId::new(1)));
    let running = device(pool, 4);
    assert_eq!((running.role, running.parent), (Role::Container, ThinId::new(2)));
    let container = running.container.as_ref().expect("it is a container's");
    assert_eq!((container.id.as_str(), container.name.as_str()), ("web", "shop-web"));
    assert_eq!(container.state, None);
    let pod = device(pool, 6).container.as_ref().expect("it is a container's");
    assert_eq!(pod.pod.as_ref().map(Printable::as_str), Some("app-0"));
    assert_eq!(pod.namespace.as_ref().map(Printable::as_str), Some("shop"));
    assert_eq!((device(pool, 7).role, device(pool, 7).parent), (Role::Snapshot, ThinId::new(3)));
    // 128 MiB
    assert!(pool.devices.iter().all(|device| device.size.map(|size| size.0) == Some(134_217_728)));
    assert_eq!(facts.homes[0].beside, [Printable::from("/snap/data")]);
}

#[test]
fn a_sound_home_has_no_mismatch() {
    let root = host_of_the_lab();
    let facts = look(root.path(), &mounted());
    let ids = (1..=7).filter_map(ThinId::new).collect();
    let kernel = Kernel { device: &|_| Ok(DmIs::Absent), pool_active: true, ids: Some(ids) };
    let (said, unsure) = engine_facts(&facts, 0, &kernel).expect("the home is there");
    // no daemon runs in a mounted tree: its start activates what is not
    assert_eq!((said.mismatches, said.in_use, unsure), (Vec::new(), None, false));
    assert_eq!(said.daemon_runs, Some(false));
}

#[test]
fn without_containerd_nothing_is_said_and_nothing_is_a_gap() {
    let root = tempfile::tempdir().expect("a temporary folder can be made");
    let facts = look(root.path(), &mounted());
    assert_eq!((facts.homes.len(), facts.gaps.len()), (0, 0));
}

#[test]
fn without_a_configuration_databases_are_found_where_they_usually_are() {
    let root = tempfile::tempdir().expect("a temporary folder can be made");
    let home = "var/lib/containerd/io.containerd.snapshotter.v1.devmapper";
    put(root.path(), &format!("{home}/snap-pool.db"), POOL_DB);
    put(root.path(), &format!("{home}/metadata.db"), SNAPSHOTS_DB);
    let facts = look(root.path(), &mounted());
    let [found] = facts.homes.as_slice() else { panic!("{} homes", facts.homes.len()) };
    assert_eq!((found.pool.as_slice(), found.configured), (&b"snap-pool"[..], false));
    assert_eq!(device(&owned(&facts).pools[0], 2).role, Role::ImageLayer);
    assert_eq!(device(&owned(&facts).pools[0], 4).role, Role::Snapshot, "whose is not known");
}

#[test]
fn a_given_root_replaces_the_others_and_says_when_it_is_empty() {
    let root = host_of_the_lab();
    let given = |path| LookOptions { containerd_roots: vec![HostPath::new(path)], ..mounted() };
    let same = look(root.path(), &given("/var/lib/containerd"));
    assert_eq!((same.homes.len(), same.gaps.len()), (1, 0));
    let none = look(root.path(), &given("/srv/containerd"));
    assert_eq!((none.homes.len(), none.gaps.len()), (0, 1));
    assert!(none.gaps[0].why.as_str().contains("--containerd-root"), "{:?}", none.gaps);
}

#[test]
fn a_damaged_database_is_a_gap_and_nobody_is_called_nameless() {
    let root = host_of_the_lab();
    put(root.path(), "snap/snap-pool.db", &POOL_DB[..4096]);
    let facts = look(root.path(), &mounted());
    assert_eq!(facts.gaps.len(), 1, "{:?}", facts.gaps);
    let pool = &owned(&facts).pools[0];
    assert_eq!((pool.devices.len(), pool.names_all), (0, false));
}

/// Whether any value of a bucket holds these bytes.
fn holds(bucket: &BoltBucket, part: &[u8]) -> bool {
    bucket.entries.iter().any(|(_, value)| match value {
        BoltValue::Bytes(bytes) => bytes.0.windows(part.len()).any(|some| some == part),
        BoltValue::Bucket(inner) => holds(inner, part),
    })
}

#[test]
fn the_environment_of_a_container_does_not_come_through_the_door() {
    let root = host_of_the_lab();
    let host = Live::new(Some(root.path().to_owned()));
    let path = HostPath::new("/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db");
    let answer = host.ask(&Question::Bolt { path, keep: BoltKeep::ContainerdMeta });
    let text = serde_json::to_string(&answer).expect("an answer is written");
    assert!(text.contains("nerdctl/name"), "{text}");
    let secret = "not-a-secret";
    let in_file = NAMES_DB.windows(secret.len()).any(|part| part == secret.as_bytes());
    assert!(in_file && !text.contains(secret) && !text.contains("DB_PASSWORD"));
    let Ok(crate::sys::Reply::Bolt(seen)) = &answer.result else { panic!("{answer:?}") };
    // what is not text is written otherwise, so the bytes themselves are searched
    assert!(!holds(&seen.root, secret.as_bytes()));
    assert_eq!(serde_json::from_str::<Answer>(&text).expect("it is read back"), answer);
}

#[test]
fn a_lock_that_somebody_holds_is_not_waited_for() {
    use nix::fcntl::{Flock, FlockArg};
    let root = host_of_the_lab();
    let file = std::fs::File::open(root.path().join("snap/snap-pool.db")).expect("it is there");
    let held = Flock::lock(file, FlockArg::LockExclusiveNonblock).expect("nobody else has it");
    assert_eq!(look(root.path(), &mounted()).gaps, []);
    drop(held);
}

// --- made-up homes

fn said(home: Home, kernel: &Kernel<'_>) -> (EngineFacts, bool) {
    let facts = ContainerdFacts { homes: vec![home], ..ContainerdFacts::default() };
    engine_facts(&facts, 0, kernel).expect("the home is there")
}

/// What does not fit, each with its device.
fn misfits(
    made_up: &MadeUp,
    running: Option<bool>,
    still: Option<u64>,
    dm: DmIs,
) -> Vec<(String, Misfit)> {
    let home = Home { running, still, ..made_up.home() };
    let kernel = Kernel { device: &|_| Ok(dm), pool_active: true, ids: None };
    let (said, _) = said(home, &kernel);
    let pair = |one: crate::model::engine::Mismatch| (one.device.to_string(), one.what);
    said.mismatches.into_iter().map(pair).collect()
}

#[test]
fn what_is_unfinished_is_told_when_nobody_is_at_it() {
    let mut host = MadeUp::default();
    host.device(1, 7, State::Creating, "").snapshot(1, 3, "default/1/sha256:a");
    let told = |running, still| misfits(&host, running, still, DmIs::There).len() == 1;
    assert!(told(Some(false), Some(0)), "the daemon is dead");
    assert!(!told(Some(true), Some(59)), "it may be at it");
    assert!(told(Some(true), Some(60)), "it has not written for a minute");
    assert!(!told(Some(true), None) && !told(None, None), "nobody can tell");
}

#[test]
fn every_state_is_judged_as_containerd_s_start_does() {
    for number in 0..=14 {
        let mut host = MadeUp::default();
        host.device(1, 7, State::new(number), "").snapshot(1, 3, "default/1/sha256:a");
        let told = misfits(&host, Some(false), None, DmIs::There);
        let what = told.first().map(|(_, what)| what.clone());
        let expected = match number {
            4 | 6 | 8 | 10 | 12 | 14 => None,
            13 => Some(Misfit::Faulty("".into())),
            _ => Some(Misfit::Unfinished),
        };
        assert_eq!(what, expected, "state {number}");
    }
}

#[test]
fn what_should_be_active_is_missed_only_by_a_running_daemon_and_in_two_looks() {
    let mut host = MadeUp::default();
    host.device(1, 7, State::Activated, "").snapshot(1, 2, "default/1/web");
    host.device(2, 8, State::Deactivated, "").snapshot(2, 3, "default/2/sha256:a");
    let name = "p-snap-1".to_owned();
    let missed = [(name.clone(), Misfit::NotActive)];
    assert_eq!(misfits(&host, Some(true), None, DmIs::Absent), missed);
    assert_eq!(misfits(&host, Some(false), None, DmIs::Absent), [], "its start activates it");
    assert_eq!(misfits(&host, None, None, DmIs::Absent), []);
    assert_eq!(misfits(&host, Some(true), None, DmIs::There), []);
    let once = Kernel { device: &|_| Err(DmIs::Absent), pool_active: true, ids: None };
    let home = Home { running: Some(true), ..host.home() };
    let (facts, unsure) = said(home.clone(), &once);
    assert_eq!((facts.mismatches.len(), unsure), (0, true));
    let (facts, unsure) = said(home, &Kernel { pool_active: false, ..once });
    assert_eq!(
        (facts.mismatches.len(), unsure),
        (0, false),
        "without a pool nothing can be active"
    );
}

#[test]
fn an_error_target_is_told_whatever_the_record_says() {
    let mut host = MadeUp::default();
    host.device(1, 7, State::Deactivated, "").snapshot(1, 3, "default/1/sha256:a");
    let told = misfits(&host, None, None, DmIs::Error);
    assert_eq!(told, [("p-snap-1".to_owned(), Misfit::ErrorTarget)]);
}

#[test]
fn devices_and_snapshots_need_each_other_when_all_is_quiet() {
    let mut host = MadeUp::default();
    host.device(1, 7, State::Deactivated, "").device(4, 9, State::Removed, "");
    host.snapshot(2, 3, "default/2/sha256:a");
    let expected =
        [("p-snap-1".to_owned(), Misfit::NoSnapshot), ("p-snap-2".to_owned(), Misfit::NoDevice)];
    assert_eq!(misfits(&host, Some(false), None, DmIs::There), expected);
    assert_eq!(misfits(&host, Some(true), Some(3), DmIs::There), []);
    // snapshots that could not be read say nothing
    let home = Home { snapshots: None, running: Some(false), ..host.home() };
    let kernel = Kernel { device: &|_| Err(DmIs::Absent), pool_active: true, ids: None };
    assert_eq!(said(home, &kernel).0.mismatches, []);
}

#[test]
fn pools_in_one_folder_have_one_store_of_snapshots() {
    let mut host = MadeUp::default();
    host.device(1, 7, State::Deactivated, "").snapshot(1, 3, "default/1/sha256:a");
    host.snapshot(2, 3, "default/2/sha256:b").snapshot(3, 3, "default/3/sha256:c");
    let first = Home { running: Some(false), ..host.home() };
    let mut second = Home { pool: b"q".to_vec(), ..first.clone() };
    for device in &mut second.devices.as_mut().expect("it has a record").devices {
        device.name = b"q-snap-2".to_vec();
    }
    let told = |homes: Vec<Home>| {
        let facts = ContainerdFacts { homes, ..ContainerdFacts::default() };
        let kernel = Kernel { device: &|_| Ok(DmIs::There), pool_active: true, ids: None };
        let (said, _) = engine_facts(&facts, 0, &kernel).expect("the home is there");
        let told: Vec<_> = said.mismatches.iter().map(|one| one.device.to_string()).collect();
        let pool = &owned(&facts).pools[0];
        let without = pool.devices.iter().filter(|one| one.id.is_none());
        assert_eq!(without.map(|one| one.name.to_string()).collect::<Vec<_>>(), told);
        told
    };
    assert_eq!(told(vec![first.clone()]), ["p-snap-2", "p-snap-3"]);
    assert_eq!(told(vec![first.clone(), second.clone()]), ["p-snap-3"], "nobody has it");
    let unread = Home { devices: None, ..second.clone() };
    assert_eq!(told(vec![first.clone(), unread]), [""; 0], "it may be in the other's");
    let elsewhere = Home { home: "/other".into(), ..second };
    assert_eq!(told(vec![first, elsewhere]), ["p-snap-2", "p-snap-3"]);
}

#[test]
fn a_pool_is_configured_where_a_configuration_names_it() {
    let root = tempfile::tempdir().expect("a temporary folder can be made");
    let home = "var/lib/containerd/io.containerd.snapshotter.v1.devmapper";
    put(root.path(), &format!("{home}/snap-pool.db"), POOL_DB);
    let configured = || {
        let facts = look(root.path(), &mounted());
        let kernel = Kernel { device: &|_| Ok(DmIs::There), pool_active: false, ids: None };
        let (said, _) = engine_facts(&facts, 0, &kernel).expect("the home is there");
        (said.configured, said.daemon_runs)
    };
    assert_eq!(configured(), (false, Some(false)));
    let config = "[plugins.devmapper]\npool_name = \"snap-pool\"\n";
    put(root.path(), "etc/containerd/config.toml", config.as_bytes());
    assert_eq!(configured(), (true, Some(false)));
}

#[test]
fn an_id_that_is_taken_by_nobody_is_told() {
    let mut host = MadeUp::default();
    host.device(1, 7, State::Deactivated, "").snapshot(1, 3, "default/1/sha256:a");
    host.id(12, 1).id(13, 2).id(14, 0);
    let told = misfits(&host, Some(true), Some(0), DmIs::There);
    assert_eq!(told, [(String::new(), Misfit::IdOfNobody)]);
}

#[test]
fn ids_in_the_pool_that_would_be_given_out_are_in_use() {
    let mut host = MadeUp::default();
    host.device(1, 2, State::Deactivated, "").snapshot(1, 3, "default/1/sha256:a");
    host.id(3, 0).id(4, 2).last(4);
    let in_use = |ids: &[u64]| {
        let ids = Some(ids.iter().copied().filter_map(ThinId::new).collect());
        let kernel = Kernel { device: &|_| Err(DmIs::Absent), pool_active: true, ids };
        said(host.home(), &kernel).0.in_use
    };
    assert_eq!(in_use(&[2, 4]), None, "one is named, one is faulty and never given out");
    let found = in_use(&[2, 3, 4, 9]).expect("3 is free, 9 is to come");
    assert_eq!(found.ids, [ThinId::new(3), ThinId::new(9)].map(|id| id.expect("small")));
    assert_eq!(found.next, ThinId::new(3));
    assert_eq!(in_use(&[1]), None, "below the last id, and not among them: never given out");
}

#[test]
fn roles_come_from_kind_and_reference() {
    let mut host = MadeUp::default();
    host.device(1, 1, State::Deactivated, "").snapshot(1, 3, "default/1/sha256:a");
    host.device(2, 2, State::Activated, "p-snap-1").snapshot(2, 2, "default/2/web");
    host.device(3, 3, State::Activated, "p-snap-1").snapshot(
        3,
        2,
        "default/3/extract-7-x sha256:b",
    );
    host.device(4, 4, State::Deactivated, "").snapshot(4, 3, "default/4/gone");
    host.device(5, 5, State::Removed, "");
    host.device(6, 6, State::Faulty, "");
    host.names(inner([
        ("images", inner([image("reg/app:1", "sha256:m"), image("sha256:c", "sha256:m")])),
        ("containers", inner([container("web", "web", &[("nerdctl/name", "shop")])])),
        (
            "snapshots",
            inner([(
                "devmapper",
                inner([
                    ("sha256:a", inner([("name", bytes(b"default/1/sha256:a"))])),
                    (
                        "web",
                        inner([("name", bytes(b"default/2/web")), ("parent", bytes(b"sha256:a"))]),
                    ),
                    (
                        "extract-7-x sha256:b",
                        inner([("name", bytes(b"default/3/extract-7-x sha256:b"))]),
                    ),
                ]),
            )]),
        ),
        ("content", made_up::blobs("sha256:m", "sha256:c", "sha256:a")),
    ]));
    let facts = ContainerdFacts { homes: vec![host.home()], ..ContainerdFacts::default() };
    let owned = owned(&facts);
    let is = |id, role, note: &str| {
        let device = device(&owned.pools[0], id);
        let said = device.note.as_ref().map_or("", Printable::as_str);
        assert_eq!(device.role, role, "{id}");
        assert!(said.contains(note) && said.is_empty() == note.is_empty(), "{id}: {said}");
    };
    is(1, Role::ImageLayer, "");
    is(2, Role::Container, "");
    is(3, Role::Snapshot, "unpack");
    is(4, Role::ImageLayer, "garbage collector removes it");
    is(5, Role::Unknown, "waits for its garbage collector");
    is(6, Role::Unknown, "faulty");
    assert!(device(&owned.pools[0], 5).deferred_deletion);
    let images: Vec<_> =
        device(&owned.pools[0], 1).images.iter().map(ToString::to_string).collect();
    assert_eq!(images, ["reg/app:1"], "the configuration's name only where there is no other");
    assert_eq!(device(&owned.pools[0], 2).parent, ThinId::new(1));
}

#[test]
fn circles_of_labels_and_of_parents_end() {
    let mut host = MadeUp::default();
    host.device(1, 1, State::Deactivated, "p-snap-1").snapshot(1, 3, "default/1/sha256:a");
    let labels = inner([
        ("containerd.io/gc.ref.content.0", bytes(b"sha256:m")),
        ("containerd.io/gc.ref.snapshot.devmapper", bytes(b"sha256:a")),
    ]);
    host.names(inner([
        ("images", inner([image("app", "sha256:m")])),
        (
            "snapshots",
            inner([(
                "devmapper",
                inner([(
                    "sha256:a",
                    inner([("name", bytes(b"default/1/sha256:a")), ("parent", bytes(b"sha256:a"))]),
                )]),
            )]),
        ),
        ("content", inner([("blob", inner([("sha256:m", inner([("labels", labels)]))]))])),
    ]));
    let facts = ContainerdFacts { homes: vec![host.home()], ..ContainerdFacts::default() };
    let owned = owned(&facts);
    let device = device(&owned.pools[0], 1);
    assert_eq!((device.position, device.images.len()), (Some((1, 1)), 1));
}

/// A chain of layers, each with its device, and one image of these names over them.
pub(super) fn tall(layers: u64, names: &[String]) -> Home {
    let mut host = MadeUp::default();
    let key = |layer: u64| if layer == 0 { String::new() } else { format!("sha256:{layer}") };
    for layer in 1..=layers {
        host.device(layer, layer, State::Deactivated, "");
        host.snapshot(layer, 3, &format!("default/{layer}/{}", key(layer)));
    }
    let keys: Vec<_> = (1..=layers).map(key).collect();
    let references = (1..=layers).zip(&keys).map(|(layer, own)| {
        let name = bytes(format!("default/{layer}/{own}").as_bytes());
        (own.as_str(), inner([("name", name), ("parent", bytes(key(layer - 1).as_bytes()))]))
    });
    host.names(inner([
        ("images", inner(names.iter().map(|name| image(name, "sha256:m")))),
        ("snapshots", inner([("devmapper", inner(references))])),
        ("content", made_up::blobs("sha256:m", "sha256:c", &key(layers))),
    ]));
    host.home()
}

#[test]
fn every_layer_of_a_chain_without_end_has_its_position() {
    let home = tall(20_000, &["app".to_owned()]);
    let facts = ContainerdFacts { homes: vec![home], ..ContainerdFacts::default() };
    let owned = owned(&facts);
    let positions = owned.pools[0].devices.iter().map(|device| device.position);
    assert!(positions.eq((1..=20_000).map(|at| Some((at, 20_000)))));
}

#[test]
fn two_devices_with_one_id_stay_two_claims() {
    let mut host = MadeUp::default();
    host.device(1, 7, State::Deactivated, "").device(2, 7, State::Deactivated, "");
    let facts = ContainerdFacts { homes: vec![host.home()], ..ContainerdFacts::default() };
    let ids: Vec<_> = owned(&facts).pools[0].devices.iter().map(|device| device.id).collect();
    assert_eq!(ids, [ThinId::new(7), ThinId::new(7)]);
}

#[test]
fn a_database_that_may_not_be_read_is_a_gap() {
    struct Closed;
    impl ReadHost for Closed {
        fn ask(&self, question: &Question) -> Answer {
            match question {
                Question::File { path, .. } if path.0.0.starts_with(b"/etc/containerd") => {
                    let json = r#"{"plugins":{"devmapper":{"pool_name":"p"}}}"#;
                    Answer::ok(crate::sys::Reply::Bytes(json.into()))
                }
                Question::Bolt { .. } => Answer::failed(FailKind::Denied, "permission denied"),
                _ => Answer::failed(FailKind::NotFound, "not there"),
            }
        }
    }
    let facts = read_containerd(&Closed, &LookOptions::default());
    assert_eq!(facts.gaps.len(), 3, "{:?}", facts.gaps);
    assert!(!owned(&facts).pools[0].names_all);
}
