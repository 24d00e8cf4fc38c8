//! Real files in a temporary folder: links, fifos, holes, missing permission.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a temporary folder can be made")
}

fn put(dir: &Path, path: &str, text: &str) -> HostPath {
    let path = dir.join(path);
    fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
    fs::write(&path, text).expect("written");
    HostPath::new(path)
}

fn here() -> Files {
    Files::new(None)
}

fn kind<T: std::fmt::Debug>(answer: Result<T, Failure>) -> FailKind {
    answer.expect_err("there is no answer").kind
}

#[test]
fn a_file_is_read_through_a_link_within_its_folder() {
    let dir = folder();
    put(dir.path(), "root/real", "text");
    symlink("real", dir.path().join("root/link")).expect("linked");
    symlink(dir.path().join("root"), dir.path().join("alias")).expect("linked");
    let path = HostPath::new(dir.path().join("alias/link"));
    let within = HostPath::new(dir.path().join("alias"));
    assert_eq!(here().file(&path, Keep::All, Some(&within)), Ok(Raw::from("text")));
}

#[test]
fn a_link_out_of_its_folder_is_told_and_not_read() {
    let dir = folder();
    put(dir.path(), "secret", "hunter2");
    put(dir.path(), "root/other", "");
    for (link, target) in [("root/up", "../secret"), ("root/etc", "/etc/passwd")] {
        symlink(target, dir.path().join(link)).expect("linked");
        let path = HostPath::new(dir.path().join(link));
        let within = HostPath::new(dir.path().join("root"));
        assert_eq!(kind(here().file(&path, Keep::All, Some(&within))), FailKind::LeadsOut);
    }
    let sibling = HostPath::new(dir.path().join("root/../secret"));
    let within = HostPath::new(dir.path().join("root"));
    assert_eq!(kind(here().file(&sibling, Keep::All, Some(&within))), FailKind::LeadsOut);
}

#[test]
fn a_folder_s_entries_are_counted_without_their_names() {
    let dir = folder();
    let count = |path: &str| here().count(&HostPath::new(dir.path().join(path)));
    put(dir.path(), "archive/docker_00001-1.vg", "");
    put(dir.path(), "archive/docker_00002-2.vg", "");
    symlink("nowhere", dir.path().join("archive/link")).expect("linked");
    fs::create_dir(dir.path().join("empty")).expect("made");
    assert_eq!((count("archive"), count("empty")), (Ok(3), Ok(0)));
    assert_eq!(kind(count("absent")), FailKind::NotFound);
}

#[test]
fn links_in_a_circle_end() {
    let dir = folder();
    symlink("b", dir.path().join("a")).expect("linked");
    symlink("a", dir.path().join("b")).expect("linked");
    let path = HostPath::new(dir.path().join("a"));
    assert_eq!(kind(here().file(&path, Keep::All, None)), FailKind::Malformed);
}

#[test]
fn a_fifo_a_folder_and_a_device_are_not_opened() {
    let dir = folder();
    let fifo = dir.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("made");
    for path in [fifo.as_path(), dir.path(), Path::new("/dev/zero")] {
        let failure = here().file(&HostPath::new(path), Keep::All, None).expect_err("no file");
        assert_eq!(failure.kind, FailKind::Malformed, "{}", failure.why);
        assert!(failure.why.contains("not a regular file"), "{}", failure.why);
    }
}

#[test]
fn a_file_of_a_gigabyte_is_refused_by_its_size_alone() {
    let dir = folder();
    let path = put(dir.path(), "big", "");
    File::options()
        .write(true)
        .open(path.as_path())
        .and_then(|file| file.set_len(1 << 30))
        .expect("a hole of a gigabyte takes no room");
    for keep in [Keep::All, Keep::DockerContainer, Keep::DockerRepositories] {
        let since = std::time::Instant::now();
        let failure = here().file(&path, keep, None).expect_err("too large");
        assert_eq!(failure.kind, FailKind::TooLarge);
        assert!(failure.why.contains("1073741824 bytes"), "{}", failure.why);
        assert!(since.elapsed().as_millis() < 100, "it was not read");
    }
}

#[test]
fn broken_json_is_named_with_path_place_and_size() {
    let dir = folder();
    let path = put(dir.path(), "config.v2.json", "{\"ID\":");
    let failure = here().file(&path, Keep::DockerContainer, None).expect_err("it is cut");
    assert_eq!(failure.kind, FailKind::Malformed);
    assert_eq!(
        failure.why,
        format!(
            "{}: not valid JSON: EOF while parsing a value at line 1 column 6 (a file of 6 bytes)",
            path.as_path().display()
        )
    );
}

#[test]
fn what_is_missing_is_told_from_what_may_not_be_read() {
    let dir = folder();
    let missing = HostPath::new(dir.path().join("no/such"));
    assert_eq!(kind(here().file(&missing, Keep::All, None)), FailKind::NotFound);
    assert_eq!(kind(here().dir(&missing)), FailKind::NotFound);
    assert_eq!(kind(here().stat(&missing)), FailKind::NotFound);
    assert_eq!(kind(here().tree(&missing, 1, &[], Keep::All)), FailKind::NotFound);
    let denied = fail(missing.as_path(), &Errno::EACCES.into());
    assert_eq!(denied.kind, FailKind::Denied);
    let closed = put(dir.path(), "closed", "x");
    fs::set_permissions(closed.as_path(), fs::Permissions::from_mode(0o000)).expect("set");
    if !nix::unistd::geteuid().is_root() {
        assert_eq!(kind(here().file(&closed, Keep::All, None)), FailKind::Denied);
    }
}

#[test]
fn with_a_root_links_stay_below_it_as_in_a_chroot() {
    let dir = folder();
    put(dir.path(), "srv/docker/file", "inside");
    symlink("/srv/docker", dir.path().join("data")).expect("linked");
    symlink("../../../../srv/docker", dir.path().join("srv/up")).expect("linked");
    let there = Files::new(Some(dir.path().to_owned()));
    for path in ["/data/file", "/srv/up/file", "/srv/../srv/docker/./file"] {
        let answer = there.file(&HostPath::new(path), Keep::All, None);
        assert_eq!(answer, Ok(Raw::from("inside")), "{path}");
    }
    assert_eq!(there.link(&HostPath::new("/data")), Ok(Raw::from("/srv/docker")));
    let stat = there.stat(&HostPath::new("/data/file")).expect("it is there");
    assert_eq!((stat.kind, stat.size), (EntryKind::File, 6));
}

#[test]
fn with_a_root_the_kernel_s_own_files_are_still_this_kernel_s() {
    let dir = folder();
    let there = Files::new(Some(dir.path().to_owned()));
    let version = there.file(&HostPath::new("/proc/version"), Keep::All, None);
    assert!(version.expect("proc is mounted").0.starts_with(b"Linux version"));
}

#[test]
fn a_tree_of_folders_holds_the_wanted_files_of_each() {
    let dir = folder();
    for layer in ["bb", "aa"] {
        put(dir.path(), &format!("{layer}/cache-id"), layer);
        put(dir.path(), &format!("{layer}/tar-split.json.gz"), "not wanted");
    }
    put(dir.path(), "cache-id", "not at this depth");
    put(dir.path(), "cc/deeper/cache-id", "not at this depth");
    let names = ["cache-id", "parent"].map(str::to_owned);
    let tree = here().tree(&HostPath::new(dir.path()), 2, &names, Keep::All).expect("read");
    let seen: Vec<_> = tree.into_iter().map(|file| (file.path, file.content)).collect();
    assert_eq!(
        seen,
        [
            (Raw::from("aa/cache-id"), Ok(Raw::from("aa"))),
            (Raw::from("bb/cache-id"), Ok(Raw::from("bb"))),
        ]
    );
}

#[test]
fn in_a_tree_one_bad_file_does_not_lose_the_others() {
    let dir = folder();
    put(dir.path(), "good", "{\"ID\":\"1\"}");
    put(dir.path(), "cut", "{\"ID\":");
    symlink("/etc/passwd", dir.path().join("out")).expect("linked");
    nix::unistd::mkfifo(&dir.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("made");
    put(dir.path(), "sub/file", "not at this depth");
    let tree =
        here().tree(&HostPath::new(dir.path()), 1, &[], Keep::DockerContainer).expect("read");
    let seen: Vec<_> = tree
        .into_iter()
        .map(|file| (file.path, file.content.map_err(|failure| failure.kind)))
        .collect();
    assert_eq!(
        seen,
        [
            (Raw::from("cut"), Err(FailKind::Malformed)),
            (Raw::from("good"), Ok(Raw::from("{\"ID\":\"1\"}"))),
            (Raw::from("out"), Err(FailKind::LeadsOut)),
            (Raw::from("pipe"), Err(FailKind::Malformed)),
        ]
    );
}

#[test]
fn a_folder_is_listed_by_name_with_kinds() {
    use std::os::unix::ffi::OsStrExt;
    let dir = folder();
    put(dir.path(), "b", "");
    fs::create_dir(dir.path().join("a")).expect("made");
    symlink("b", dir.path().join("c")).expect("linked");
    fs::write(dir.path().join(std::ffi::OsStr::from_bytes(b"d\xff\n")), "").expect("written");
    let entries = here().dir(&HostPath::new(dir.path())).expect("listed");
    let seen: Vec<_> = entries.iter().map(|entry| (&entry.name.0[..], entry.kind)).collect();
    assert_eq!(
        seen,
        [
            (&b"a"[..], EntryKind::Dir),
            (b"b", EntryKind::File),
            (b"c", EntryKind::Link),
            (b"d\xff\n", EntryKind::File),
        ]
    );
}

#[test]
fn room_on_a_filesystem_is_what_df_says() {
    let dir = folder();
    let space = here().space(&HostPath::new(dir.path())).expect("a mounted filesystem");
    let df = std::process::Command::new("df")
        .args(["--block-size=1", "--output=size"])
        .arg(dir.path())
        .output()
        .expect("df is part of every system");
    let total = String::from_utf8_lossy(&df.stdout);
    let total: u64 = total.lines().nth(1).expect("a figure").trim().parse().expect("a number");
    assert_eq!(space.total, total);
    assert!(space.available <= space.free && space.free <= space.total);
}
