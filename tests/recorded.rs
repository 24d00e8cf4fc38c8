//! Recorded hosts, also those from before a question was asked for the first time: exactly the
//! findings that the host had, and no noise about what nobody recorded.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

/// What a recorded host shows.
fn document(name: &str, command: &str) -> Value {
    document_of(&format!("assets/demo/{name}"), command)
}

fn document_of(recording: &str, command: &str) -> Value {
    let path = format!("{}/{recording}.thinscope", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(env!("CARGO_BIN_EXE_thinscope"))
        .args(["--from", &path, command, "--json"])
        .env_clear()
        .output()
        .expect("the binary was built for this test");
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

/// Codes and severities, and how many gaps there are.
fn found(name: &str) -> (Vec<(String, String)>, usize) {
    let document = document(name, "findings");
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let findings = document["findings"].as_array().expect("a list");
    let codes = findings.iter().map(|one| (text(one, "code"), text(one, "severity"))).collect();
    (codes, document["gaps"].as_array().expect("a list").len())
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(code, severity)| ((*code).to_owned(), (*severity).to_owned())).collect()
}

#[test]
fn a_healthy_recording_from_before_policies_were_read_has_no_finding_and_says_what_it_lacks() {
    let findings = document_of("tests/data/older/direct-lvm", "findings");
    assert_eq!(findings["findings"], Value::Array(Vec::new()));
    let gaps = findings["gaps"].as_array().expect("a list");
    let said: Vec<_> = gaps.iter().map(|gap| (&gap["source"], &gap["why"])).collect();
    let why = "file /etc/lvm/profile/docker-thinpool.profile: not in the recording; record the host \
               again with this version; what it says of growing pools is not known";
    assert_eq!(said, [(&"lvm settings".into(), &why.into())]);
    let pools = document_of("tests/data/older/direct-lvm", "pool");
    assert_eq!(pools["pools"][0]["autoextend"], Value::Null, "its profile was not recorded");
}

#[test]
fn a_pool_whose_group_has_no_room_for_its_next_step_is_told_by_the_host_s_own_figures() {
    assert_eq!(found("direct-lvm"), (pairs(&[("autoextend-cannot-act", "warning")]), 0));
    let pools = document("direct-lvm", "pool");
    let step = &pools["pools"][0]["autoextend"];
    let data = pools["pools"][0]["data_total_bytes"].as_u64().expect("a size");
    // a fifth of the pool in whole extents of 4 MiB, of which the group has 78
    let extents = (data / 5).div_ceil(4 << 20);
    assert_eq!(step["data"]["adds_bytes"], extents * (4 << 20));
    assert_eq!((&step["vg_free_bytes"], extents), (&(78_u64 * (4 << 20)).into(), 487));
    assert_eq!(step["hindered"], true);
}

#[test]
fn volumes_that_promise_more_than_their_pool_has_are_advice() {
    let expected = pairs(&[("autoextend-off", "advice"), ("overcommitted", "advice")]);
    assert_eq!(found("lvm-thin"), (expected, 0));
}

#[test]
fn containerd_s_host_is_sound() {
    assert_eq!(found("containerd"), (Vec::new(), 0));
}

#[test]
fn loop_lvm_on_a_small_disk_is_named_for_what_it_is() {
    // 100 GiB and 2 GiB of files on a disk with 5 GiB free
    let expected = pairs(&[("loop-file-overcommitted", "warning"), ("loop-lvm-in-use", "advice")]);
    assert_eq!(found("loop-lvm"), (expected, 0));
}

#[test]
fn a_recorded_containerd_host_names_its_devices_and_is_sound() {
    let layers = document_of("tests/data/containerd/host", "layers");
    assert_eq!(layers["gaps"], Value::Array(Vec::new()));
    let devices = layers["devices"].as_array().expect("a list");
    let told = |device: &Value| {
        let text = |key: &str| device[key].as_str().unwrap_or_default().to_owned();
        (device["device_id"].as_u64(), text("role"), device["mapped_bytes"].as_u64())
    };
    // what thin_ls said of that host, in blocks of 64 KiB
    let expected = [
        (1, "image-layer", 244),
        (2, "image-layer", 261),
        (3, "image-layer", 261),
        (4, "container", 389),
        (5, "container", 261),
        (6, "container", 261),
        (7, "snapshot", 261),
    ];
    let expected =
        expected.map(|(id, role, blocks)| (Some(id), role.to_owned(), Some(blocks << 16)));
    assert_eq!(devices.iter().map(told).collect::<Vec<_>>(), expected);
    let web = &devices[3];
    assert_eq!(
        (&web["engine"], &web["container"]["name"]),
        (&"containerd".into(), &"shop-web".into())
    );
    assert_eq!(web["container"]["state"], Value::Null);
    let findings = document_of("tests/data/containerd/host", "findings");
    assert_eq!(findings["findings"], Value::Array(Vec::new()));
}

/// What the program prints of a recording.
fn printed(recording: &str, before: &[&str], after: &[&str]) -> String {
    let path = format!("{}/{recording}.thinscope", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(env!("CARGO_BIN_EXE_thinscope"))
        .args(before)
        .args(["--from", &path])
        .args(after)
        .env_clear()
        .output()
        .expect("the binary was built for this test");
    String::from_utf8(output.stdout).expect("it prints UTF-8")
}

/// The page of who fills the only pool: name, EXCL and FREES of each row, to the byte.
fn page_of(recording: &str) -> Vec<(String, u64, Option<u64>)> {
    let keys = ["--sharing", "--text", "--size", "200x60", "--keys", "/:kind pool<enter><esc>fb"];
    let text = printed(recording, &["__picture"], &keys);
    let lines: Vec<Vec<char>> = text.lines().map(|line| line.chars().collect()).collect();
    let head = lines.iter().position(|line| line.starts_with(&[' ', ' ', ' ', 'N', 'A', 'M', 'E']));
    let head = head.unwrap_or_else(|| panic!("no page:\n{text}"));
    let ends = |title: &str| {
        let line: String = lines[head].iter().collect();
        line.find(title).expect("there is the column") + title.len()
    };
    let (excl, frees) = (ends("EXCL"), ends("FREES"));
    let cell = |line: &[char], from: usize, to: usize| -> String {
        let text: String = line.iter().skip(from).take(to - from).collect();
        text.trim().to_owned()
    };
    let rows = lines[head + 1..].iter();
    let of_page = rows.map_while(|line| {
        let size = cell(line, excl - 15, excl).parse().ok()?;
        Some((cell(line, 3, excl - 15), size, cell(line, frees - 15, frees).parse().ok()))
    });
    of_page.collect()
}

/// What `layers --freed-by` says of some devices: that is tested against `thin_ls`.
fn freed_by(recording: &str, ids: &[u64]) -> u64 {
    let list = ids.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    let text = printed(recording, &[], &["layers", "--json", "--freed-by", &list]);
    let document: Value = serde_json::from_str(&text).expect("it prints JSON");
    document["freed"]["bytes"].as_u64().expect("it is known")
}

#[test]
fn who_fills_a_pool_adds_up_and_frees_what_its_metadata_says() {
    for recording in
        ["assets/demo/direct-lvm", "assets/demo/loop-lvm", "tests/data/containerd/host"]
    {
        let page = page_of(recording);
        let layers = document_of(recording, "layers");
        let mut owned: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for device in layers["devices"].as_array().expect("a list") {
            let id = device["device_id"].as_u64().expect("it has one");
            let name = match device["role"].as_str() {
                Some("build-cache") => "build cache",
                _ => device["container"]["name"].as_str().unwrap_or_default(),
            };
            owned.entry(name.to_owned()).or_default().push(id);
        }
        owned.remove("");
        let mut checked = 0;
        for (name, alone, frees) in &page {
            // containerd's container without a name of its own is called by its pod
            let Some(ids) = owned.get(name) else { continue };
            let expected = freed_by(recording, ids);
            assert_eq!((*alone, *frees), (expected, Some(expected)), "{recording}: {name}");
            checked += 1;
        }
        assert!(checked >= 2, "{recording}: {page:?}");
        let pool = &document_of(recording, "pool")["pools"][0];
        let sum: u64 = page.iter().map(|(_, alone, _)| alone).sum();
        assert_eq!(Some(sum), pool["data_used_bytes"].as_u64(), "{recording}: {page:?}");
    }
    // an image of one layer is that layer; what others stand on frees nothing by itself
    let page = page_of("assets/demo/direct-lvm");
    let row = |name: &str| {
        let row = page.iter().find(|(own, ..)| own == name).expect("it is there");
        (row.1, row.2)
    };
    let layers = document("direct-lvm", "layers");
    let devices = layers["devices"].as_array().expect("a list");
    let layer = devices.iter().find(|one| one["device_id"] == 28).expect("the dangling image's");
    let image = layer["images"][0].as_str().expect("it is called by its id");
    let id = image.strip_prefix("sha256:").expect("it has no other name");
    let of_28 = freed_by("assets/demo/direct-lvm", &[28]);
    assert_eq!(row(&id[..12]), (of_28, Some(of_28)));
    assert_eq!(row("runtime:3").1, Some(0));
}
