//! The thin tools, as the judges of what the reader says.

#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder that takes direct I/O, which the tools insist on and tmpfs refuses.
pub(crate) fn folder() -> tempfile::TempDir {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tempfile::tempdir_in(target).expect("the build folder takes files")
}

/// Runs a thin tool; a missing tool fails the test and says what to install.
pub(crate) fn run(tool: &str, args: &[&str]) -> Result<String, String> {
    let output = Command::new(tool)
        .args(args)
        .stdin(Stdio::null())
        .env("LC_ALL", "C")
        .env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin")
        .output()
        .unwrap_or_else(|why| {
            panic!("{tool} cannot be run ({why}); install thin-provisioning-tools")
        });
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(text) } else { Err(format!("{tool}: {text}{errors}")) }
}

/// Writes an image and returns its path.
pub(crate) fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("the folder takes files");
    path
}

/// An image made by `thin_restore` from XML.
pub(crate) fn restore(folder: &Path, xml: &str, bytes: u64) -> PathBuf {
    let (source, image) = (folder.join("pool.xml"), folder.join("pool.img"));
    std::fs::write(&source, xml).expect("the folder takes files");
    let file = std::fs::File::create(&image).expect("the folder takes files");
    file.set_len(bytes).expect("the folder has room");
    let args = ["-i", &source.to_string_lossy(), "-o", &image.to_string_lossy()];
    run("thin_restore", &args).expect("the XML is one that thin_restore takes");
    image
}

/// One row of `thin_ls`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Row {
    pub(crate) id: u64,
    pub(crate) mapped: u64,
    pub(crate) exclusive: u64,
    pub(crate) shared: u64,
    pub(crate) transaction: u64,
    pub(crate) created: u64,
    pub(crate) snapshotted: u64,
}

/// What `thin_ls` prints of an image.
pub(crate) fn thin_ls(image: &Path) -> Vec<Row> {
    let fields =
        "DEV,MAPPED_BLOCKS,EXCLUSIVE_BLOCKS,SHARED_BLOCKS,TRANSACTION,CREATE_TIME,SNAP_TIME";
    let path = image.to_string_lossy();
    let text = run("thin_ls", &["--no-headers", "-o", fields, &path]).expect("a sound image");
    let row = |line: &str| {
        let n: Vec<u64> = line.split_whitespace().map(|w| w.parse().expect("a number")).collect();
        let [id, mapped, exclusive, shared, transaction, created, snapshotted] = n[..] else {
            panic!("thin_ls printed {line:?}");
        };
        Row { id, mapped, exclusive, shared, transaction, created, snapshotted }
    };
    let mut rows: Vec<Row> = text.lines().filter(|line| !line.trim().is_empty()).map(row).collect();
    rows.sort_unstable();
    rows
}

/// The mappings that `thin_dump` prints: device, virtual block, data block, time.
pub(crate) fn thin_dump(image: &Path) -> Vec<(u64, u64, u64, u64)> {
    let text = run("thin_dump", &[&image.to_string_lossy()]).expect("a sound image");
    let (mut device, mut mappings) = (0, Vec::new());
    for line in text.lines().map(str::trim) {
        let field = |name: &str| attribute(line, name).expect("the field is there");
        if line.starts_with("<device ") {
            device = field("dev_id");
        } else if line.starts_with("<single_mapping ") {
            mappings.push((device, field("origin_block"), field("data_block"), field("time")));
        } else if line.starts_with("<range_mapping ") {
            let (from, to, time) = (field("origin_begin"), field("data_begin"), field("time"));
            mappings.extend((0..field("length")).map(|n| (device, from + n, to + n, time)));
        }
    }
    mappings
}

/// What `thin_delta` prints of two devices: blocks that are the same, different, in the left
/// only, in the right only.
pub(crate) fn thin_delta(image: &Path, left: u64, right: u64) -> [u64; 4] {
    let (left, right) = (left.to_string(), right.to_string());
    let args = ["--thin1", &left, "--thin2", &right, &image.to_string_lossy()];
    let text = run("thin_delta", &args).expect("a sound image");
    let sum = |tag: &str| {
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with(tag));
        lines.map(|line| attribute(line, "length").expect("every range has a length")).sum()
    };
    ["<same ", "<different ", "<left_only ", "<right_only "].map(sum)
}

fn attribute(line: &str, name: &str) -> Option<u64> {
    let (_, rest) = line.split_once(&format!(" {name}=\""))?;
    rest.split('"').next()?.parse().ok()
}
