//! Files that are damaged or made to harm.

use super::*;

#[test]
fn an_image_name_with_control_characters_is_made_visible() {
    let host = ordinary_host().with(
        format!("{ROOT}/image/devicemapper/repositories.json"),
        format!(r#"{{"Repositories":{{"x":{{"x:\u001b]0;\u202e":"sha256:{}"}}}}}}"#, hex('0')),
    );
    assert_eq!(find(&look(&host), &hex('4')).images, ["x:\\x1b]0;\\u{202e}"]);
}

#[test]
fn an_image_of_names_without_end_is_not_named_at_each_of_its_layers() {
    let named = |count: usize| {
        let id = digest('0');
        let names: Vec<_> = (0..count).map(|tag| format!(r#""x:{tag:05}":"{id}""#)).collect();
        let path = format!("{ROOT}/image/devicemapper/repositories.json");
        let json = format!(r#"{{"Repositories":{{"x":{{{}}}}}}}"#, names.join(","));
        let diffs = vec![digest('a'); 127];
        let diffs: Vec<_> = diffs.iter().map(String::as_str).collect();
        let owned = look(&with_image(ordinary_host(), '0', &diffs).with(path, json));
        whys(&owned).iter().any(|why| why.contains("1 images are not named at their layers"))
    };
    assert_eq!([15_000, 16_000].map(named), [false, true]);
}

/// Contents that a damaged or hostile file may have, some of them good.
const CONTENTS: [&str; 14] = [
    "",
    "{",
    "[]",
    "null",
    "7",
    r#"{"device_id":3,"size":1,"transaction_id":1}"#,
    r#"{"device_id":3,"size":-1,"transaction_id":99999999999999999999999}"#,
    r#"{"device_id":4294967299,"deleted":true}"#,
    r#"{"rootfs":{"diff_ids":["sha256:1"]}}"#,
    r#"{"Name":{},"State":{"Running":1},"Driver":7}"#,
    r#"{"Repositories":[{"a":1}]}"#,
    "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "\u{1b}]0;\u{202e}\0",
];

/// Every path that is read, with names of few kinds, so that they meet.
const PATHS: [&str; 16] = [
    "/etc/docker/daemon.json",
    "/etc/sysconfig/docker-storage",
    "/run/docker.pid",
    "devicemapper/metadata/base",
    "devicemapper/metadata/H",
    "devicemapper/metadata/H-init",
    "devicemapper/metadata/deviceset-metadata",
    "devicemapper/metadata/transaction-metadata",
    "devicemapper/setup-config.json",
    "image/devicemapper/layerdb/sha256/H/cache-id",
    "image/devicemapper/layerdb/sha256/H/parent",
    "image/devicemapper/layerdb/mounts/H/mount-id",
    "image/devicemapper/layerdb/mounts/H/parent",
    "image/devicemapper/imagedb/content/sha256/H",
    "image/devicemapper/repositories.json",
    "containers/H/config.v2.json",
];

proptest::proptest! {
    #[test]
    fn whatever_the_files_hold_every_device_file_is_a_row_and_parents_end(
        files in proptest::collection::vec((0..PATHS.len(), "[ab]", 0..CONTENTS.len()), 0..24),
        cut in 0usize..200,
    ) {
        let mut host = FakeHost::default();
        let mut names = std::collections::BTreeSet::new();
        for (path, letter, content) in files {
            let path = PATHS[path].replace('H', &letter.repeat(64));
            let content = CONTENTS[content].as_bytes();
            let path = if path.starts_with('/') { path } else { format!("{ROOT}/{path}") };
            let device = path.strip_prefix(&format!("{ROOT}/devicemapper/metadata/"));
            names.extend(device.filter(|name| !name.ends_with("-metadata")).map(str::to_owned));
            host = host.with(path, &content[..content.len().min(cut)]);
        }
        let owned = look(&host);
        let devices: Vec<_> = owned.pools.iter().flat_map(|pool| &pool.devices).collect();
        for name in names {
            let rows = devices.iter().filter(|device| device.name == name.as_str()).count();
            proptest::prop_assert_eq!(rows, 1, "{}", name);
        }
        for pair in devices.windows(2) {
            let key = |device: &OwnedDevice| (device.id.is_none(), device.id);
            proptest::prop_assert!(key(pair[0]) <= key(pair[1]));
        }
        for device in &devices {
            let above = |at: &ThinId| devices.iter().find(|d| d.id == Some(*at))?.parent;
            let walk = std::iter::successors(device.parent, above);
            proptest::prop_assert!(walk.take(50).count() < 50);
        }
    }
}
