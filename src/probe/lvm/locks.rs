//! Who holds LVM's locks, told from the kernel's lock table without taking any.

use std::collections::BTreeSet;

use crate::probe::ask;
use crate::sys::{HostPath, Question, Raw, ReadHost, Reply};
use crate::text::Printable;

/// Where LVM keeps its lock files.
const FOLDER: &str = "/run/lock/lvm";
/// Lock files looked at; a host has one for each VG and a few more.
const MAX_FILES: usize = 1000;

/// A process that holds a lock of LVM's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The lock file's name: `V_` and the VG's name.
    pub lock: Printable,
    /// The process.
    pub pid: u32,
    /// Its name; empty when it could not be read.
    pub program: Printable,
}

/// All who hold a lock of LVM's so that nobody else may even read, sorted by lock.
///
/// LVM removes a lock's file with the lock (`lvm2/lib/misc/lvm-flock.c`), so that mostly there is
/// none; and the kernel's table waits for all processors before it shows itself
/// (`fs/locks.c`, `locks_start`): tens of milliseconds, half of what LVM itself takes.
pub fn read_holders(host: &dyn ReadHost) -> Vec<Holder> {
    let folder = HostPath::new(FOLDER);
    let Ok(Reply::Entries(entries)) = ask::reply(host, &Question::Dir(folder.clone())) else {
        return Vec::new();
    };
    if entries.is_empty() {
        return Vec::new();
    }
    let Ok(table) = ask::file(host, "/proc/locks") else { return Vec::new() };
    let held = parse_locks(&table);
    let mut holders = Vec::new();
    for entry in entries.into_iter().take(MAX_FILES) {
        let path = HostPath(Raw([&folder.0.0[..], b"/", &entry.name.0[..]].concat()));
        let Ok(Reply::Stat(stat)) = ask::reply(host, &Question::Stat(path)) else { continue };
        let of_file = held.iter().filter(|(_, ino)| *ino == stat.ino).map(|(pid, _)| *pid);
        for pid in of_file.collect::<BTreeSet<u32>>() {
            let program = ask::file(host, &format!("/proc/{pid}/comm")).unwrap_or_default();
            let program = Printable::from_bytes(program.0.trim_ascii());
            holders.push(Holder { lock: Printable::from_bytes(&entry.name.0), pid, program });
        }
    }
    holders
}

/// Process and inode of every exclusive lock that is held, from lines like
/// `1: FLOCK  ADVISORY  WRITE 1234 00:19:567 0 EOF`; those that wait have a `->` (proc(5)).
///
/// The device is left aside: the kernel prints that of the filesystem's inside, which differs
/// from what `stat` says on some, and an inode of a small tmpfs is met by chance hardly ever.
fn parse_locks(table: &Raw) -> Vec<(u32, u64)> {
    let lines = table.0.split(|b| *b == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    lines.filter_map(parse_lock).collect()
}

fn parse_lock(line: &str) -> Option<(u32, u64)> {
    let mut words = line.split_ascii_whitespace().skip(1);
    if words.next()? != "FLOCK" {
        return None;
    }
    if words.nth(1)? != "WRITE" {
        return None;
    }
    let pid = words.next()?.parse().ok()?;
    let (_, ino) = words.next()?.rsplit_once(':')?;
    Some((pid, ino.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DevNo;
    use crate::probe::testing::{FakeHost, file};
    use crate::sys::{Answer, DirEntry, EntryKind, FileStat};

    #[test]
    fn the_holder_of_a_vg_s_lock_is_named_and_who_waits_is_not() {
        let entries = ["P_global", "V_docker"]
            .map(|name| DirEntry { name: name.into(), kind: EntryKind::File })
            .to_vec();
        let stat = |ino| {
            let (kind, dev, rdev) = (EntryKind::File, DevNo::new(0, 25), DevNo::new(0, 0));
            let stat = FileStat { kind, dev, rdev, ino, size: 0, allocated: 0, mtime: 0 };
            Answer::ok(Reply::Stat(stat))
        };
        let locks = "1: FLOCK  ADVISORY  WRITE 4711 00:19:567 0 EOF\n\
                     1: -> FLOCK  ADVISORY  WRITE 4712 00:19:567 0 EOF\n\
                     2: POSIX  ADVISORY  WRITE 900 00:19:566 0 EOF\n\
                     3: FLOCK  ADVISORY  READ 901 00:19:566 0 EOF\nodd\n";
        let host = FakeHost::new([
            (Question::Dir(HostPath::new(FOLDER)), Answer::ok(Reply::Entries(entries))),
            (Question::Stat(HostPath::new("/run/lock/lvm/P_global")), stat(566)),
            (Question::Stat(HostPath::new("/run/lock/lvm/V_docker")), stat(567)),
            (file("/proc/locks"), Answer::ok_bytes(locks)),
            (file("/proc/4711/comm"), Answer::ok_bytes("lvextend\n")),
        ]);
        let holder = Holder { lock: "V_docker".into(), pid: 4711, program: "lvextend".into() };
        assert_eq!(read_holders(&host), [holder]);
    }

    /// A host on which LVM holds no lock.
    struct AtRest;

    impl ReadHost for AtRest {
        fn ask(&self, question: &Question) -> Answer {
            match question {
                Question::Dir(_) => Answer::ok(Reply::Entries(Vec::new())),
                other => panic!("{} takes its time", other.describe()),
            }
        }
    }

    #[test]
    fn without_a_lock_file_the_kernel_s_table_is_not_asked_for() {
        assert!(read_holders(&AtRest).is_empty());
    }

    #[test]
    fn without_a_lock_table_nobody_is_named() {
        assert!(read_holders(&FakeHost::new([])).is_empty());
    }
}
