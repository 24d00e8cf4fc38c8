//! Recorded hosts, also those from before a question was asked for the first time: exactly the
//! findings that the host had, and no noise about what nobody recorded.

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
    assert_eq!(found("direct-lvm"), (Vec::new(), 1));
    let gap = &document("direct-lvm", "findings")["gaps"][0];
    assert_eq!(gap["source"], "lvm settings");
    assert_eq!(
        gap["why"],
        "file /etc/lvm/profile/docker-thinpool.profile: not in the recording; record the host again \
         with this version; what it says of growing pools is not known"
    );
    let pools = document("direct-lvm", "pool");
    assert_eq!(pools["pools"][0]["autoextend"], Value::Null, "its profile was not recorded");
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
