//! Real hosts against what Docker itself said there (`tests/data/docker/README.md`).

use std::collections::BTreeMap;

use serde::Deserialize;

use super::driver_status::tests::{active, pool, status};
use super::fake::FakeHost;
use super::*;
use crate::ids::{DevNo, ThinId};
use crate::model::{ContainerState, PoolKind, Role};
use crate::owner::{OwnedDevice, OwnedPool};
use crate::text::Printable;

#[derive(Deserialize)]
struct Sample {
    device: DevNo,
    inode: u64,
    loop_files: BTreeMap<String, u64>,
    files: BTreeMap<String, String>,
    dmsetup_status: String,
    docker_info: Vec<(String, String)>,
    docker_inspect: Vec<Inspect>,
}

/// One container or image as `docker inspect` shows it.
#[derive(Deserialize)]
struct Inspect {
    container: Option<String>,
    image: Option<String>,
    name: Option<String>,
    state: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    layers: Option<u32>,
    device: InspectDevice,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(clippy::struct_field_names, reason = "docker's own names")]
struct InspectDevice {
    device_id: String,
    device_name: String,
    device_size: String,
}

fn sample(text: &str) -> Sample {
    serde_json::from_str(text).expect("test data is whole")
}

fn direct() -> Sample {
    sample(include_str!("../../../tests/data/docker/direct-lvm.json"))
}

fn loops() -> Sample {
    sample(include_str!("../../../tests/data/docker/loop-lvm.json"))
}

fn raw() -> Sample {
    sample(include_str!("../../../tests/data/docker/raw.json"))
}

fn host(sample: &Sample) -> FakeHost {
    let mut host = FakeHost::default().home(sample.device, sample.inode);
    for (path, content) in &sample.files {
        host = host.with(path, content);
    }
    for name in sample.loop_files.keys() {
        host = host.with(format!("/var/lib/docker/devicemapper/devicemapper/{name}"), "");
    }
    host
}

/// What is claimed on a host, without a gap.
fn claimed(host: &FakeHost) -> OwnedPool {
    let mut owned = owned(&read_docker(host, &LookOptions::default()));
    assert_eq!(owned.gaps, []);
    owned.pools.pop().expect("the host has a pool")
}

fn agrees(device: &OwnedDevice, inspect: &Inspect) {
    let of = &inspect.device;
    let id = device.id.map(|id| id.to_string());
    assert_eq!(id.as_ref(), Some(&of.device_id), "{}", of.device_name);
    assert_eq!(device.size.map(|size| size.0.to_string()).as_ref(), Some(&of.device_size));
    if let Some(id) = &inspect.container {
        let container = device.container.as_ref().expect("a container's device");
        assert_eq!(device.role, Role::Container);
        assert_eq!(container.id, id.as_str());
        let name = inspect.name.as_deref().and_then(|name| name.strip_prefix('/'));
        assert_eq!(Some(container.name.as_str()), name);
        assert_eq!(container.state.map(ContainerState::name), inspect.state.as_deref());
    }
    if let Some(image) = &inspect.image {
        assert_eq!(device.role, Role::ImageLayer);
        let names =
            if inspect.tags.is_empty() { std::slice::from_ref(image) } else { &inspect.tags[..] };
        for name in names {
            assert!(device.images.iter().any(|image| image == name.as_str()), "{name}");
        }
        // the device that docker names is that of the image's top layer
        assert_eq!(device.position.map(|(at, _)| at), inspect.layers);
    }
}

fn every_device_is_what_docker_inspect_says(sample: &Sample) {
    let pool = claimed(&host(sample));
    for inspect in &sample.docker_inspect {
        let name = inspect.device.device_name.as_bytes();
        let mut same = pool.devices.iter().filter(|device| device.dm_name == name);
        agrees(same.next().expect("docker inspect's device is there"), inspect);
        assert!(same.next().is_none());
    }
    let containers = pool.devices.iter().filter(|device| device.role == Role::Container).count();
    let inspected = sample.docker_inspect.iter().filter(|inspect| inspect.container.is_some());
    assert_eq!(containers, inspected.count());
}

#[test]
fn every_device_of_real_hosts_is_what_docker_inspect_says() {
    for sample in [direct(), loops(), raw()] {
        every_device_is_what_docker_inspect_says(&sample);
    }
}

/// `docker info` of a sample, computed; `free` is the room under its loop files.
fn computed(sample: &Sample, kind: PoolKind, free: u64) -> DriverStatus {
    let fields: Vec<&str> = sample.dmsetup_status.split(' ').collect();
    let number = |field: &str| field.parse::<u64>().expect("a number of dmsetup's");
    let pair = |field: &str| {
        let (used, total) = field.split_once('/').expect("used and total");
        (number(used), number(total))
    };
    let (sectors, metadata, data) = (number(fields[1]), pair(fields[4]), pair(fields[5]));
    let name = &sample.docker_info[0].1;
    let pool = pool(name, kind, sectors / data.1, active(data, metadata));
    status(&host(sample).free(free), &pool, sectors * 512)
}

/// `moved` are figures that changed between docker's answer and the kernel's.
fn equals_docker_info(sample: &Sample, kind: PoolKind, free: u64, moved: &[&str]) {
    let computed = computed(sample, kind, free);
    let keys = |lines: &[(String, String)]| -> Vec<String> {
        lines.iter().map(|(key, _)| key.clone()).collect()
    };
    let mut expected = sample.docker_info.clone();
    // which library the daemon is linked with is its own affair
    let library = expected.pop().map(|(key, _)| key);
    assert_eq!(computed.unknown, library.into_iter().collect::<Vec<_>>());
    assert_eq!(keys(&computed.lines), keys(&expected));
    for (computed, expected) in computed.lines.iter().zip(&expected) {
        assert!(computed == expected || moved.contains(&&*expected.0), "{computed:?} {expected:?}");
    }
}

#[test]
fn the_driver_section_of_real_hosts_equals_docker_info_line_by_line() {
    // containers wrote between docker's answer and the kernel's
    let moved = ["Data Space Used", "Data Space Available"];
    equals_docker_info(&raw(), PoolKind::Raw, 0, &moved);
    equals_docker_info(&direct(), PoolKind::DirectLvm, 0, &moved);
    // docker said 5.409GB, which is what its root filesystem had left
    equals_docker_info(&loops(), PoolKind::LoopLvm, 5_409_000_000, &moved[..1]);
}

/// The blocks that docker counted in use on the three hosts, from its own figures.
#[test]
fn used_and_available_of_real_hosts_are_printed_as_docker_did() {
    for (mut sample, kind, blocks) in [
        (direct(), PoolKind::DirectLvm, "533/19448"),
        (raw(), PoolKind::Raw, "1431/98304"),
        (loops(), PoolKind::LoopLvm, "1431/1638400"),
    ] {
        let mut fields: Vec<_> = sample.dmsetup_status.split(' ').collect();
        fields[5] = blocks;
        sample.dmsetup_status = fields.join(" ");
        equals_docker_info(&sample, kind, 5_409_000_000, &[]);
    }
}

#[test]
fn build_cache_stands_on_what_it_was_made_from() {
    let path = "/var/lib/docker/buildkit/snapshots.db";
    let database = include_bytes!("../../../tests/data/docker/snapshots.db");
    let pool = claimed(&host(&direct()).with(path, database));
    let builds: Vec<_> = pool
        .devices
        .iter()
        .filter(|device| device.role == Role::BuildCache)
        .map(|device| {
            let note = device.note.as_ref().map(Printable::to_string);
            (device.id.map(ThinId::get), device.parent.map(ThinId::get), note)
        })
        .collect();
    // scratch contexts stand on the base, the first RUN on base:1, the second on the first
    assert_eq!(
        builds,
        [(37, 1), (38, 1), (39, 1), (40, 2), (41, 40)].map(|(id, on)| (Some(id), Some(on), None))
    );
}
