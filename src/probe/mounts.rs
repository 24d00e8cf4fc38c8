//! Where block devices are mounted, in our namespace and in that of process 1.
//!
//! An engine's daemon may mount thin devices where only its own namespace sees them; 1's is the
//! one that most daemons share. Knows nothing of what the devices are.

use std::collections::{HashMap, HashSet};

use super::ask;
use crate::ids::DevNo;
use crate::model::Gap;
use crate::sys::{FailKind, ReadHost};
use crate::text::Printable;

/// Mount points kept of one device; a container host binds some files hundreds of times.
const PER_DEVICE: usize = 64;

/// Mounts as they were seen.
#[derive(Clone, Debug, Default)]
pub struct MountsSeen {
    /// Mount points by device: whole filesystems first, then parts of one bound elsewhere.
    pub by_dev: HashMap<DevNo, Vec<Printable>>,
    /// Mount points by source path: of filesystems with a number of their own (btrfs), and swap.
    pub by_source: HashMap<Vec<u8>, Vec<Printable>>,
    /// Not even our own namespace could be read.
    pub failed: bool,
    /// What could not be seen.
    pub gaps: Vec<Gap>,
}

/// One line of a mount table.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mount {
    dev: DevNo,
    whole: bool,
    point: Vec<u8>,
    source: Vec<u8>,
}

/// Asks for all of this source.
pub fn read_mounts(host: &dyn ReadHost) -> MountsSeen {
    let mut seen = MountsSeen::default();
    let mut mounts = Vec::new();
    match ask::file(host, "/proc/self/mountinfo") {
        Ok(text) => take(&mut mounts, &text.0, &mut seen.gaps),
        Err(failure) => {
            seen.failed = true;
            seen.gaps.push(Gap::new("mounts", failure.why));
        }
    }
    match ask::file(host, "/proc/1/mountinfo") {
        Ok(text) => take(&mut mounts, &text.0, &mut seen.gaps),
        // what only process 1's namespace has is then not seen; without root that is the rule
        Err(failure) if failure.kind == FailKind::TooLarge => {
            seen.gaps.push(Gap::new("mounts", failure.why));
        }
        Err(_) => {}
    }
    index(&mut seen, mounts);
    if let Ok(swaps) = ask::file(host, "/proc/swaps") {
        add_swaps(&mut seen, &swaps.0);
    }
    seen
}

/// Swap has no mount point; `lsblk` writes `[SWAP]` there. Lines are
/// `/dev/dm-1 partition 1048572 0 -2` behind a head line (proc(5)).
fn add_swaps(seen: &mut MountsSeen, text: &[u8]) {
    for line in text.split(|b| *b == b'\n') {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        if let (Some(path), Some(b"partition")) = (words.next(), words.next()) {
            seen.by_source.entry(unescape(path)).or_default().push("[SWAP]".into());
        }
    }
}

fn take(mounts: &mut Vec<Mount>, text: &[u8], gaps: &mut Vec<Gap>) {
    let mut bad = 0_usize;
    for line in text.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        match parse_mount(line) {
            Some(mount) => mounts.push(mount),
            None => bad = bad.saturating_add(1),
        }
    }
    if bad > 0 {
        let why = format!("{bad} lines of the mount table are not of the kernel's form; left out");
        gaps.push(Gap::new("mounts", why));
    }
}

fn index(seen: &mut MountsSeen, mounts: Vec<Mount>) {
    let mut known = HashSet::new();
    let (whole, bound): (Vec<Mount>, Vec<Mount>) = mounts.into_iter().partition(|m| m.whole);
    for mount in whole.into_iter().chain(bound) {
        if !known.insert((mount.dev, mount.point.clone())) {
            continue;
        }
        let point = Printable::from_bytes(&mount.point);
        // major 0 is no block device: btrfs numbers its subvolumes so, tmpfs and the like too
        let list = if mount.dev.major > 0 {
            seen.by_dev.entry(mount.dev).or_default()
        } else if mount.source.starts_with(b"/dev/") {
            seen.by_source.entry(mount.source).or_default()
        } else {
            continue;
        };
        if list.len() < PER_DEVICE {
            list.push(point);
        }
    }
}

/// `36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/source rw` (proc(5)).
fn parse_mount(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|b| *b == b' ');
    let dev = std::str::from_utf8(fields.nth(2)?).ok()?.parse().ok()?;
    let root = fields.next()?;
    let point = unescape(fields.next()?);
    fields.find(|field| *field == b"-")?;
    let source = unescape(fields.nth(1)?);
    // a subvolume of btrfs has its own root, and is a whole filesystem to a person all the same
    Some(Mount { dev, whole: root == b"/" || dev.major == 0, point, source })
}

/// The kernel writes blank, tab, newline and backslash as three octal digits.
pub(crate) fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, after)) = rest.split_first() {
        if let (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..]) =
            (first, after)
        {
            out.push(((a & 7) << 6) | ((b & 7) << 3) | (c & 7));
            rest = tail;
        } else {
            out.push(*first);
            rest = after;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing::{FakeHost, file};
    use crate::sys::Answer;
    use proptest::prelude::*;

    const SELF: &str = "/proc/self/mountinfo";
    const ONE: &str = "/proc/1/mountinfo";

    fn points(list: Option<&Vec<Printable>>) -> Vec<&str> {
        list.into_iter().flatten().map(Printable::as_str).collect()
    }

    #[test]
    fn mount_points_are_found_by_number_whole_filesystems_first() {
        let text = "30 1 254:1 /etc/hosts /var/lib/x/hosts rw - ext4 /dev/vda1 rw\n\
                    31 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n\
                    32 1 253:7 / /var/lib/docker/devicemapper/mnt/ab rw - xfs /dev/mapper/d rw\n\
                    33 1 0:21 / /proc rw - proc proc rw\n";
        let seen = read_mounts(&FakeHost::new([(file(SELF), Answer::ok_bytes(text))]));
        assert_eq!(points(seen.by_dev.get(&DevNo::new(254, 1))), ["/", "/var/lib/x/hosts"]);
        assert_eq!(
            points(seen.by_dev.get(&DevNo::new(253, 7))),
            ["/var/lib/docker/devicemapper/mnt/ab"]
        );
        assert!(seen.by_source.is_empty() && seen.gaps.is_empty());
    }

    #[test]
    fn what_only_process_1_sees_is_added_and_nothing_stands_twice() {
        let ours = "31 1 8:1 / / rw - ext4 /dev/sda1 rw\n";
        let ones = "31 1 8:1 / / rw - ext4 /dev/sda1 rw\n32 1 8:2 / /data rw - xfs /dev/sda2 rw\n";
        let seen = read_mounts(&FakeHost::new([
            (file(SELF), Answer::ok_bytes(ours)),
            (file(ONE), Answer::ok_bytes(ones)),
        ]));
        assert_eq!(points(seen.by_dev.get(&DevNo::new(8, 1))), ["/"]);
        assert_eq!(points(seen.by_dev.get(&DevNo::new(8, 2))), ["/data"]);
    }

    #[test]
    fn a_filesystem_with_a_number_of_its_own_is_found_by_its_source() {
        let text = "31 1 0:35 /@home /home rw - btrfs /dev/mapper/vg-a\\040b rw\n";
        let seen = read_mounts(&FakeHost::new([(file(SELF), Answer::ok_bytes(text))]));
        assert_eq!(points(seen.by_source.get(b"/dev/mapper/vg-a b".as_slice())), ["/home"]);
    }

    #[test]
    fn swap_stands_where_lsblk_writes_it() {
        let swaps =
            "Filename  Type  Size  Used  Priority\n/dev/dm-1 partition 8 0 -2\n/f file 8 0 -3\n";
        let seen = read_mounts(&FakeHost::new([
            (file(SELF), Answer::ok_bytes("")),
            (file("/proc/swaps"), Answer::ok_bytes(swaps)),
        ]));
        assert_eq!(points(seen.by_source.get(b"/dev/dm-1".as_slice())), ["[SWAP]"]);
        assert_eq!(seen.by_source.len(), 1);
    }

    #[test]
    fn hostile_mount_points_are_decoded_and_made_printable() {
        assert_eq!(unescape(b"/a\\040b\\011\\134\\999\\"), b"/a b\t\\\\999\\");
        let text = "31 1 8:1 / /x\\012\\033[2J rw - ext4 /dev/sda1 rw\nnonsense\n";
        let seen = read_mounts(&FakeHost::new([(file(SELF), Answer::ok_bytes(text))]));
        assert_eq!(points(seen.by_dev.get(&DevNo::new(8, 1))), ["/x\\x0a\\x1b[2J"]);
        assert_eq!(seen.gaps.len(), 1, "the line that is no mount is told: {:?}", seen.gaps);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = parse_mount(&bytes);
        }
    }
}
