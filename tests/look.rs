//! The real program looks at a mounted file tree through its children, records it, and looks at
//! the recording: both looks print the same, and what is secret is in neither.

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

const SECRET: &str = "hunter2";

fn thinscope(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_thinscope"))
        .args(arguments)
        .output()
        .expect("the program was built with this test")
}

fn stdout(arguments: &[&str]) -> String {
    let output = thinscope(arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("documents are text")
}

fn put(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("below the root")).expect("made");
    fs::write(path, text).expect("written");
}

/// The file tree of a host with Docker: one image of one layer, one container, and a file that
/// cannot be read.
fn tree() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder can be made");
    let root = dir.path();
    let hash = |digit: &str| digit.repeat(64);
    let (layer, chain, image) = (hash("a"), hash("b"), hash("c"));
    let (container, mount) = (hash("d"), hash("e"));
    put(
        root,
        "etc/docker/daemon.json",
        r#"{"storage-driver":"devicemapper","data-root":"/srv/docker"}"#,
    );
    symlink("/srv/real", root.join("srv-link")).expect("linked");
    fs::create_dir_all(root.join("srv")).expect("made");
    symlink("../srv-link", root.join("srv/docker")).expect("linked");
    let meta = |name: &str, id: u32| {
        let text = format!(
            r#"{{"device_id":{id},"size":10737418240,"transaction_id":{id},"initialized":false,"deleted":false}}"#
        );
        put(root, &format!("srv/real/devicemapper/metadata/{name}"), &text);
    };
    meta("base", 1);
    meta(&layer, 2);
    meta(&format!("{mount}-init"), 3);
    meta(&mount, 4);
    put(root, &format!("srv/real/devicemapper/metadata/{}", hash("9")), "{\"device_id\":");
    let db = "srv/real/image/devicemapper";
    put(root, &format!("{db}/layerdb/sha256/{chain}/cache-id"), &layer);
    put(root, &format!("{db}/layerdb/sha256/{chain}/diff"), &format!("sha256:{chain}"));
    put(root, &format!("{db}/layerdb/mounts/{container}/mount-id"), &mount);
    put(root, &format!("{db}/layerdb/mounts/{container}/init-id"), &format!("{mount}-init"));
    put(root, &format!("{db}/layerdb/mounts/{container}/parent"), &format!("sha256:{chain}"));
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{"Env":["A={SECRET}"]}},"rootfs":{{"type":"layers","diff_ids":["sha256:{chain}"]}}}}"#
    );
    put(root, &format!("{db}/imagedb/content/sha256/{image}"), &config);
    let repositories = format!(r#"{{"Repositories":{{"app":{{"app:one":"sha256:{image}"}}}}}}"#);
    put(root, &format!("{db}/repositories.json"), &repositories);
    let config = format!(
        r#"{{"ID":"{container}","Name":"/web","Image":"sha256:{image}","Driver":"devicemapper","State":{{"Running":false,"StartedAt":"0001-01-01T00:00:00Z"}},"Config":{{"Image":"app:one","Env":["TOKEN={SECRET}"],"Cmd":["{SECRET}"]}},"Args":["{SECRET}"]}}"#
    );
    put(root, &format!("srv/real/containers/{container}/config.v2.json"), &config);
    dir
}

#[test]
fn a_recorded_host_prints_what_the_live_one_did() {
    let dir = tree();
    let root = dir.path().to_str().expect("a plain path");
    let file = dir.path().join("host.capture");
    let file = file.to_str().expect("a plain path");
    let live = ["layers", "pool"].map(|report| stdout(&[report, "--json", "--root", root]));
    stdout(&["capture", "-o", file, "--root", root]);
    let replayed = ["layers", "pool"].map(|report| stdout(&[report, "--json", "--from", file]));
    assert_eq!(live, replayed);
    for word in ["app:one", "\"web\"", "created"] {
        assert!(live[0].contains(word), "{word} is not in {}", live[0]);
    }
}

#[test]
fn a_recording_holds_no_environment_command_or_argument_and_is_its_owner_s_only() {
    let dir = tree();
    let root = dir.path().to_str().expect("a plain path");
    let file = dir.path().join("host.capture");
    stdout(&["capture", "-o", file.to_str().expect("a plain path"), "--root", root]);
    let mode = fs::metadata(&file).expect("it was written").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let bytes = fs::read(&file).expect("it was written");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("it is gzip");
    assert!(text.contains("app:one"));
    assert!(!text.contains(SECRET));
}

#[test]
fn a_recording_goes_to_standard_output_where_that_is_asked_for() {
    let dir = tree();
    let root = dir.path().to_str().expect("a plain path");
    let output = thinscope(&["capture", "-o", "-", "--root", root]);
    assert!(output.status.success());
    let mut text = String::new();
    flate2::read::GzDecoder::new(&output.stdout[..]).read_to_string(&mut text).expect("gzip");
    assert!(text.starts_with("{\"thinscope_capture\":1,"));
    assert!(text.trim_end().lines().last().expect("lines").starts_with("{\"end\":"));
}

#[test]
fn a_recording_without_a_name_is_named_after_host_and_time_in_the_current_folder() {
    let dir = tree();
    let here = tempfile::tempdir().expect("a temporary folder can be made");
    let output = Command::new(env!("CARGO_BIN_EXE_thinscope"))
        .args(["capture", "--root", dir.path().to_str().expect("a plain path")])
        .current_dir(here.path())
        .output()
        .expect("the program was built with this test");
    assert!(output.status.success());
    let names: Vec<_> = fs::read_dir(here.path())
        .expect("it is there")
        .map(|entry| entry.expect("it is there").file_name().into_string().expect("plain"))
        .collect();
    assert_eq!(names.len(), 1);
    assert!(names[0].starts_with("thinscope-") && names[0].ends_with("Z.capture"), "{names:?}");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains(&names[0]), "{said}");
}

#[test]
fn a_relative_root_is_meant_from_where_the_person_stands() {
    let dir = tree();
    let output = Command::new(env!("CARGO_BIN_EXE_thinscope"))
        .args(["layers", "--json", "--root", "."])
        .current_dir(dir.path())
        .output()
        .expect("the program was built with this test");
    assert!(String::from_utf8_lossy(&output.stdout).contains("app:one"));
}
