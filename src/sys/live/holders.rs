//! Who holds a device: mounts in every mount namespace, and what processes have open.
//!
//! Reads only what the kernel answers from memory: names of links, tables of mounts, inodes as
//! they are cached. It opens no device, reads no process's memory (`cmdline` and `maps` wait for
//! a process that hangs), and asks no network filesystem, so that it cannot hang itself.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, StatxFlags, statx};

use crate::sys::{FailKind, Failure, HeldBy, HolderSeen, HoldersSeen, Raw};

/// How many are told one by one.
const MOST_TOLD: usize = 256;
/// A table of mounts; ten thousand of them are a tenth of that.
const MOST_MOUNTS: u64 = 64 << 20;
/// Open files of one process that are looked at.
const MOST_OPEN: usize = 1 << 16;

/// Looks at every process.
pub(super) fn read_holders(names: &[Raw]) -> Result<HoldersSeen, Failure> {
    let mut search = Search { wanted: wanted(names), ..Search::default() };
    if search.wanted.is_empty() {
        return Ok(search.seen);
    }
    let proc = Path::new("/proc");
    let entries = fs::read_dir(proc).map_err(|error| super::files::fail(proc, &error))?;
    let mut pids: Vec<u32> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    if pids.is_empty() {
        let why = "/proc lists no process".to_owned();
        return Err(Failure { kind: FailKind::Other, why });
    }
    // process 1 first, so that its namespace is known
    for pid in &pids {
        search.mounts_of(*pid);
    }
    for pid in &pids {
        search.files_of(*pid);
    }
    Ok(search.seen)
}

/// The numbers of the devices with these names, as their links below `/dev/mapper` say.
fn wanted(names: &[Raw]) -> HashMap<(u32, u32), Raw> {
    let number = |name: &Raw| {
        let path = Path::new("/dev/mapper").join(std::ffi::OsStr::from_bytes(&name.0));
        // a slash in a name would lead elsewhere
        let inside = !name.0.contains(&b'/');
        let seen = inside.then(|| inode(&path)).flatten()?;
        Some(((seen.stx_rdev_major, seen.stx_rdev_minor), name.clone()))
    };
    names.iter().filter_map(number).collect()
}

/// An inode as it is cached, links followed.
fn inode(path: &Path) -> Option<rustix::fs::Statx> {
    let flags = AtFlags::STATX_DONT_SYNC | AtFlags::NO_AUTOMOUNT;
    statx(CWD, path, flags, StatxFlags::TYPE | StatxFlags::INO).ok()
}

#[derive(Default)]
struct Search {
    wanted: HashMap<(u32, u32), Raw>,
    /// Mount namespaces that were looked at.
    namespaces: HashMap<Vec<u8>, u32>,
    init: Vec<u8>,
    seen: HoldersSeen,
}

impl Search {
    fn add(&mut self, device: Raw, pid: u32, how: HeldBy) {
        if self.seen.list.len() >= MOST_TOLD {
            self.seen.more = self.seen.more.saturating_add(1);
            return;
        }
        let command = small_file(&process(pid).join("comm"));
        self.seen.list.push(HolderSeen { device, pid, command, how });
    }

    /// The mounts of a process's namespace, unless they were seen.
    fn mounts_of(&mut self, pid: u32) {
        let Ok(namespace) = fs::read_link(process(pid).join("ns/mnt")) else {
            // gone, a kernel thread, or another user's
            if process(pid).exists() {
                self.seen.unseen = self.seen.unseen.saturating_add(1);
            }
            return;
        };
        let namespace = namespace.as_os_str().as_bytes().to_vec();
        if pid == 1 {
            self.init.clone_from(&namespace);
        }
        if self.namespaces.insert(namespace.clone(), pid).is_some() {
            return;
        }
        let mut text = Vec::new();
        let Ok(file) = File::open(process(pid).join("mountinfo")) else { return };
        if file.take(MOST_MOUNTS).read_to_end(&mut text).is_err() {
            return;
        }
        for line in text.split(|byte| *byte == b'\n') {
            if let Some((dev, point)) = parse_mount(line)
                && let Some(device) = self.wanted.get(&dev).cloned()
            {
                let how = HeldBy::Mount {
                    point: Raw(point.to_vec()),
                    of_init: namespace == self.init,
                    namespace: Raw(namespace.clone()),
                };
                self.add(device, pid, how);
            }
        }
    }

    /// What a process has open: files of the device's filesystem, or the device. One file of each
    /// device tells enough.
    fn files_of(&mut self, pid: u32) {
        let dir = process(pid);
        let open = fs::read_dir(dir.join("fd")).into_iter().flatten().take(MOST_OPEN);
        let mut links: Vec<PathBuf> = ["cwd", "root", "exe"].map(|name| dir.join(name)).to_vec();
        links.extend(open.filter_map(|entry| Some(entry.ok()?.path())));
        let mut told: Vec<Raw> = Vec::new();
        for link in links {
            let Some(seen) = inode(&link) else { continue };
            let number = (seen.stx_dev_major, seen.stx_dev_minor);
            let own = (seen.stx_rdev_major, seen.stx_rdev_minor);
            let found = match (self.wanted.get(&number), self.wanted.get(&own)) {
                (Some(device), _) => Some((device.clone(), false)),
                (None, Some(device)) if is_block(seen.stx_mode) => Some((device.clone(), true)),
                _ => None,
            };
            let Some((device, itself)) = found.filter(|(device, _)| !told.contains(device)) else {
                continue;
            };
            told.push(device.clone());
            let path = fs::read_link(&link).unwrap_or_default();
            let path = Raw(path.as_os_str().as_bytes().to_vec());
            self.add(device, pid, if itself { HeldBy::Device } else { HeldBy::File(path) });
        }
    }
}

fn is_block(mode: u16) -> bool {
    u32::from(mode) & 0o170_000 == 0o060_000
}

fn process(pid: u32) -> PathBuf {
    Path::new("/proc").join(pid.to_string())
}

/// A file of one short line, without its newline; empty where it cannot be read.
fn small_file(path: &Path) -> Raw {
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(path) {
        // what was read before an error is as good as all of it
        let _ = file.take(256).read_to_end(&mut bytes);
    }
    Raw(bytes.trim_ascii_end().to_vec())
}

/// Number and mount point of a line `36 35 98:0 /root /point …` (proc(5)); the point as written.
fn parse_mount(line: &[u8]) -> Option<((u32, u32), &[u8])> {
    let mut fields = line.split(|byte| *byte == b' ');
    let (major, minor) = std::str::from_utf8(fields.nth(2)?).ok()?.split_once(':')?;
    Some(((major.parse().ok()?, minor.parse().ok()?), fields.nth(1)?))
}

/// A device number as the kernel's calls carry it, for who compares with `stat`.
#[cfg(test)]
fn number_of(dev: (u32, u32)) -> u64 {
    rustix::fs::makedev(dev.0, dev.1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    /// A search for whatever device holds this folder, under a made-up name.
    fn search_for(path: &Path) -> Search {
        let seen = inode(path).expect("it is there");
        let dev = (seen.stx_dev_major, seen.stx_dev_minor);
        assert_eq!(number_of(dev), fs::metadata(path).expect("it is there").dev());
        Search { wanted: HashMap::from([(dev, Raw::from("the-device"))]), ..Search::default() }
    }

    #[test]
    fn a_process_with_a_file_open_on_the_device_is_found() {
        let dir = tempfile::tempdir().expect("a temporary folder can be made");
        let held = dir.path().join("held");
        let file = File::create(&held).expect("made");
        let mut search = search_for(dir.path());
        search.files_of(std::process::id());
        // the working folder may lie there too and then stands for it
        let told: Vec<_> = search.seen.list.iter().map(|one| (one.pid, &one.device)).collect();
        assert_eq!(told, [(std::process::id(), &Raw::from("the-device"))]);
        assert!(matches!(search.seen.list[0].how, HeldBy::File(_)), "{:?}", search.seen);
        drop(file);
    }

    #[test]
    fn a_mount_is_found_once_in_a_namespace_however_many_processes_share_it() {
        let root = fs::metadata("/proc/self/").expect("proc is mounted").dev();
        let text = fs::read_to_string("/proc/self/mountinfo").expect("it can be read");
        let of_proc = text.lines().filter_map(|line| parse_mount(line.as_bytes()));
        let mounts = of_proc.filter(|(dev, _)| number_of(*dev) == root).count();
        let mut search = search_for(Path::new("/proc/self/"));
        search.mounts_of(std::process::id());
        search.mounts_of(std::process::id());
        assert_eq!(search.seen.list.len(), mounts);
        assert!(mounts > 0);
    }

    #[test]
    fn lines_of_a_mount_table_are_taken_apart() {
        let line = b"36 35 253:7 / /var/lib/x\\040y rw,noatime - xfs /dev/mapper/d rw";
        assert_eq!(parse_mount(line), Some(((253, 7), &b"/var/lib/x\\040y"[..])));
        assert_eq!(parse_mount(b"36 35 nonsense / / rw"), None);
        assert_eq!(parse_mount(b""), None);
    }

    #[test]
    fn a_name_that_leads_out_of_the_folder_of_devices_is_not_followed() {
        assert!(wanted(&[Raw::from("../null"), Raw::from("no-such-device")]).is_empty());
    }
}
