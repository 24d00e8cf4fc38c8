//! Whether a daemon works on a database, and for how long nobody has written it.
//!
//! containerd holds a lock on its databases for its whole life (`formats.md` 3.6), so the
//! kernel's lock table tells without asking the daemon, whatever runs it.

use super::ask::Asker;
use crate::ids::DevNo;
use crate::sys::{FileStat, HostPath, Keep, Question, Reply};

/// Whether somebody holds the database's lock; `None` when it cannot be told.
pub(super) fn is_running(ask: &Asker<'_>, database: &HostPath, mounted_tree: bool) -> Option<bool> {
    if mounted_tree {
        return Some(false);
    }
    let stat = ask.stat(database)?;
    let path = HostPath::new("/proc/locks");
    let question = Question::File { path, keep: Keep::All, within: None };
    let Reply::Bytes(table) = ask.quietly(&question)? else { return None };
    let locked = is_locked(&table.0, &stat);
    // processes of other namespaces have no lines in the table
    let may_be_hidden = || !has_locks(&table.0) && !is_first_namespace(ask);
    (locked || !may_be_hidden()).then_some(locked)
}

/// Whether this is the namespace of processes that the kernel began with, which sees all: its
/// inode is `PROC_PID_INIT_INO`, a constant.
fn is_first_namespace(ask: &Asker<'_>) -> bool {
    let link = Question::Link(HostPath::new("/proc/self/ns/pid"));
    matches!(ask.quietly(&link), Some(Reply::Bytes(to)) if to.0 == b"pid:[4026531836]")
}

/// For how many seconds none of these was written; `None` when it cannot be told.
pub(super) fn still_for(ask: &Asker<'_>, databases: [&HostPath; 2]) -> Option<u64> {
    let Reply::Number(now) = ask.quietly(&Question::Time)? else { return None };
    let written = databases.into_iter().map(|path| ask.stat(path).map(|stat| stat.mtime));
    let newest = written.collect::<Option<Vec<_>>>()?.into_iter().max()?;
    // a clock that was set back says nothing
    u64::try_from(i64::try_from(now).ok()?.checked_sub(newest)?).ok()
}

fn has_locks(table: &[u8]) -> bool {
    table.split(|b| *b == b'\n').any(|line| !line.trim_ascii().is_empty())
}

/// Whether an exclusive lock is on this file, by lines like
/// `1: FLOCK  ADVISORY  WRITE 1234 fe:00:567 0 EOF`; those that wait have a `->` (proc(5)).
///
/// The kernel prints the device of the filesystem's inside. Where a file's device is a disk, that is
/// it; a file of btrfs or overlayfs is on a device without a major number of its own, which need not
/// be the same.
fn is_locked(table: &[u8], file: &FileStat) -> bool {
    let lines = table.split(|b| *b == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    let same = |(dev, inode)| inode == file.ino && (dev == file.dev || file.dev.major == 0);
    lines.filter_map(parse_lock).any(same)
}

/// Device and inode; the device's numbers are hexadecimal.
fn parse_lock(line: &str) -> Option<(DevNo, u64)> {
    let words: Vec<&str> = line.split_ascii_whitespace().take(6).collect();
    let [_, "FLOCK", _, "WRITE", _, file] = words.as_slice() else { return None };
    let (dev, inode) = file.rsplit_once(':')?;
    let (major, minor) = dev.split_once(':')?;
    let number = |hex| u32::from_str_radix(hex, 16).ok();
    Some((DevNo::new(number(major)?, number(minor)?), inode.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing::{FakeHost, file};
    use crate::sys::{Answer, EntryKind};

    #[test]
    fn a_lock_counts_when_it_is_held_and_excludes_others() {
        let table = b"1: FLOCK  ADVISORY  WRITE 312 fe:00:567 0 EOF\n\
            1: -> FLOCK  ADVISORY  WRITE 313 fe:00:568 0 EOF\n\
            2: POSIX  ADVISORY  WRITE 5 fe:00:569 0 EOF\n\
            3: FLOCK  ADVISORY  READ 5 fe:00:570 0 EOF\n";
        let is = |ino, major| is_locked(table, &stat(ino, major));
        assert_eq!((565..575).filter(|inode| is(*inode, 0xfe)).collect::<Vec<_>>(), [567]);
        assert!(!is(567, 8), "another filesystem's file of that number");
        assert!(is(567, 0), "btrfs names another device than the kernel");
    }

    fn stat(ino: u64, major: u32) -> FileStat {
        let (dev, kind) = (DevNo::new(major, 0), EntryKind::File);
        FileStat { kind, dev, rdev: dev, ino, size: 8, allocated: 8, mtime: 0 }
    }

    #[test]
    fn an_empty_table_of_another_namespace_tells_nothing() {
        let runs = |table: &str, namespace: Option<&str>| {
            let path = HostPath::new("/x.db");
            let mut answers = vec![
                (Question::Stat(path.clone()), Answer::ok(Reply::Stat(stat(567, 0xfe)))),
                (file("/proc/locks"), Answer::ok_bytes(table)),
            ];
            let link = Question::Link(HostPath::new("/proc/self/ns/pid"));
            answers.extend(namespace.map(|to| (link, Answer::ok_bytes(to))));
            is_running(&Asker::new(&FakeHost::new(answers)), &path, false)
        };
        let (first, other) = (Some("pid:[4026531836]"), Some("pid:[4026532201]"));
        let foreign = "1: POSIX  ADVISORY  WRITE 5 fe:00:569 0 EOF\n";
        let held = "1: FLOCK  ADVISORY  WRITE 312 fe:00:567 0 EOF\n";
        assert_eq!([first, other, None].map(|is| runs("", is)), [Some(false), None, None]);
        assert_eq!([first, other, None].map(|is| runs(foreign, is)), [Some(false); 3]);
        assert_eq!([first, other, None].map(|is| runs(held, is)), [Some(true); 3]);
    }
}
