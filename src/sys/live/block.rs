//! Block devices as sysfs tells them, without opening one. Device-mapper's own are left out:
//! `dm.rs` knows them better. Knows nothing of what an attribute means.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::files::{fail, stat_of};
use crate::sys::{Failure, FileStat, Raw, SysBlockDevice};

const SYS_BLOCK: &str = "/sys/block";

/// Attributes of a disk; what a driver does not have is left out.
const DISK: [&str; 16] = [
    "dev",
    "size",
    "ro",
    "removable",
    "hidden",
    "loop/backing_file",
    "loop/offset",
    "loop/autoclear",
    "device/model",
    "device/serial",
    "serial",
    "wwid",
    "device/wwid",
    "md/level",
    "queue/rotational",
    "queue/discard_max_bytes",
];

const PARTITION: [&str; 5] = ["dev", "size", "start", "ro", "partition"];

/// Longest attribute; sysfs itself ends at a page.
const ATTRIBUTE: u64 = 4096;

/// All of them, in the order of their names.
pub(super) fn read_all() -> Result<Vec<SysBlockDevice>, Failure> {
    read_below(Path::new(SYS_BLOCK))
}

fn read_below(sys_block: &Path) -> Result<Vec<SysBlockDevice>, Failure> {
    let names = names(sys_block).map_err(|error| fail(sys_block, &error))?;
    let disks = names.iter().filter(|name| !name.starts_with(b"dm-"));
    Ok(disks.map(|name| disk(&sys_block.join(OsStr::from_bytes(name)), name)).collect())
}

/// Names in a folder, sorted.
fn names(dir: &Path) -> std::io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        names.push(entry?.file_name().as_bytes().to_vec());
    }
    names.sort_unstable();
    Ok(names)
}

fn disk(dir: &Path, name: &[u8]) -> SysBlockDevice {
    let there = names(dir).unwrap_or_default();
    // most disks have half of these: what the folder does not list is not tried
    let has = |wanted: &&str| {
        let first = wanted.split('/').next().unwrap_or_default().as_bytes();
        there.binary_search_by(|name| name.as_slice().cmp(first)).is_ok()
    };
    let attrs = attributes(dir, DISK.iter().copied().filter(has));
    let backing = attrs.get("loop/backing_file").and_then(backing);
    let slaves = names(&dir.join("slaves")).unwrap_or_default();
    let slaves = slaves.iter().map(|name| kernel_name(name)).collect();
    let parts = partitions(dir, there.iter().filter(|one| one.starts_with(name)));
    SysBlockDevice { name: kernel_name(name), slaves, parts, attrs, backing }
}

/// A partition is a sub-folder that has the attribute `partition`; it is named after its disk.
fn partitions<'a>(dir: &Path, names: impl Iterator<Item = &'a Vec<u8>>) -> Vec<SysBlockDevice> {
    let mut parts: Vec<(u64, SysBlockDevice)> = Vec::new();
    for name in names {
        let attrs = attributes(&dir.join(OsStr::from_bytes(name)), PARTITION);
        let Some(number) = attrs.get("partition") else { continue };
        let number = std::str::from_utf8(&number.0).ok().and_then(|text| text.parse().ok());
        let part = SysBlockDevice { name: kernel_name(name), attrs, ..Default::default() };
        parts.push((number.unwrap_or(u64::MAX), part));
    }
    parts.sort_by_key(|(number, _)| *number);
    parts.into_iter().map(|(_, part)| part).collect()
}

/// sysfs writes `/` in a name (`cciss/c0d0`) as `!`.
fn kernel_name(name: &[u8]) -> Raw {
    Raw(name.iter().map(|byte| if *byte == b'!' { b'/' } else { *byte }).collect())
}

fn attributes<'a>(dir: &Path, wanted: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, Raw> {
    let mut attrs = BTreeMap::new();
    for name in wanted {
        if let Some(value) = attribute(&dir.join(name)) {
            attrs.insert(name.to_owned(), value);
        }
    }
    attrs
}

/// One attribute without its newline; `None` where it is not there or cannot be read.
fn attribute(path: &Path) -> Option<Raw> {
    let mut value = Vec::new();
    File::open(path).ok()?.take(ATTRIBUTE).read_to_end(&mut value).ok()?;
    if value.last() == Some(&b'\n') {
        value.pop();
    }
    Some(Raw(value))
}

/// The file under a loop device. The kernel tells its path as it was given, which may lead
/// elsewhere by now.
fn backing(path: &Raw) -> Option<FileStat> {
    let path = Path::new(OsStr::from_bytes(&path.0));
    path.is_absolute().then(|| fs::metadata(path).ok().map(|seen| stat_of(&seen))).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::EntryKind;

    /// A sysfs in a folder: a disk with three partitions, an md over two of them, a loop device,
    /// a device-mapper device.
    fn sysfs() -> tempfile::TempDir {
        let dir = tempfile::tempdir().expect("a temporary folder can be made");
        let put = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("below the folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        put("sda/dev", "8:0\n");
        put("sda/size", "2097152\n");
        put("sda/device/model", "QEMU HARDDISK   \n");
        for (name, number) in [("sda1", "1"), ("sda2", "2"), ("sda10", "10")] {
            put(&format!("sda/{name}/partition"), &format!("{number}\n"));
            put(&format!("sda/{name}/dev"), &format!("8:{number}\n"));
        }
        put("sda/queue/rotational", "1\n");
        put("md0/dev", "9:0\n");
        put("md0/md/level", "raid1\n");
        put("md0/slaves/cciss!c0d0p1/dev", "104:1\n");
        put("cciss!c0d0/dev", "104:0\n");
        put("dm-0/dev", "253:0\n");
        let file = dir.path().join("backing with\nnewline");
        fs::write(&file, [0; 4096]).expect("written");
        let file = file.to_str().expect("the folder's name is text").to_owned();
        put("loop0/loop/backing_file", &format!("{file}\n"));
        dir
    }

    fn named<'a>(seen: &'a [SysBlockDevice], name: &str) -> &'a SysBlockDevice {
        seen.iter().find(|one| one.name == Raw::from(name)).expect("the device is listed")
    }

    #[test]
    fn partitions_stand_under_their_disk_in_the_order_of_their_numbers() {
        let sysfs = sysfs();
        let seen = read_below(sysfs.path()).expect("the folder can be read");
        let disk = named(&seen, "sda");
        let parts: Vec<_> = disk.parts.iter().map(|part| part.name.clone()).collect();
        assert_eq!(parts, ["sda1", "sda2", "sda10"].map(Raw::from));
        assert_eq!(disk.parts[2].attrs["dev"], Raw::from("8:10"));
        assert_eq!(disk.attrs["device/model"], Raw::from("QEMU HARDDISK   "));
        assert_eq!(disk.attrs.get("wwid"), None);
    }

    #[test]
    fn a_slash_in_a_name_is_read_and_slaves_are_named() {
        let sysfs = sysfs();
        let seen = read_below(sysfs.path()).expect("the folder can be read");
        named(&seen, "cciss/c0d0");
        assert_eq!(named(&seen, "md0").slaves, [Raw::from("cciss/c0d0p1")]);
    }

    #[test]
    fn a_loop_device_tells_its_file_s_inode_and_device_mapper_is_left_out() {
        let sysfs = sysfs();
        let seen = read_below(sysfs.path()).expect("the folder can be read");
        let backing = named(&seen, "loop0").backing.expect("the file is there");
        assert_eq!((backing.kind, backing.size), (EntryKind::File, 4096));
        assert!(!seen.iter().any(|one| one.name.0.starts_with(b"dm-")));
    }
}
