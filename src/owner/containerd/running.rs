//! Whether a daemon works on a database, and for how long nobody has written it.
//!
//! containerd holds a lock on its databases for its whole life (`formats.md` 3.6), so the
//! kernel's lock table tells without asking the daemon, whatever runs it.

use super::ask::Asker;
use crate::sys::{HostPath, Keep, Question, Reply};

/// Whether somebody holds the database's lock; `None` when it cannot be told.
pub(super) fn is_running(ask: &Asker<'_>, database: &HostPath, mounted_tree: bool) -> Option<bool> {
    if mounted_tree {
        return Some(false);
    }
    let inode = ask.stat(database)?.ino;
    let path = HostPath::new("/proc/locks");
    match ask.quietly(&Question::File { path, keep: Keep::All, within: None })? {
        Reply::Bytes(table) => Some(is_locked(&table.0, inode)),
        _ => None,
    }
}

/// For how many seconds none of these was written; `None` when it cannot be told.
pub(super) fn still_for(ask: &Asker<'_>, databases: [&HostPath; 2]) -> Option<u64> {
    let Reply::Number(now) = ask.quietly(&Question::Time)? else { return None };
    let written = databases.into_iter().map(|path| ask.stat(path).map(|stat| stat.mtime));
    let newest = written.collect::<Option<Vec<_>>>()?.into_iter().max()?;
    // a clock that was set back says nothing
    u64::try_from(i64::try_from(now).ok()?.checked_sub(newest)?).ok()
}

/// Whether an exclusive lock is on this inode, by lines like
/// `1: FLOCK  ADVISORY  WRITE 1234 fe:00:567 0 EOF`; those that wait have a `->` (proc(5)).
///
/// The device is left aside, for the kernel prints that of the filesystem's inside.
fn is_locked(table: &[u8], inode: u64) -> bool {
    let lines = table.split(|b| *b == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    lines.filter_map(parse_lock).any(|locked| locked == inode)
}

fn parse_lock(line: &str) -> Option<u64> {
    let words: Vec<&str> = line.split_ascii_whitespace().take(6).collect();
    let [_, "FLOCK", _, "WRITE", _, file] = words.as_slice() else { return None };
    file.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_counts_when_it_is_held_and_excludes_others() {
        let table = b"1: FLOCK  ADVISORY  WRITE 312 fe:00:567 0 EOF\n\
            1: -> FLOCK  ADVISORY  WRITE 313 fe:00:568 0 EOF\n\
            2: POSIX  ADVISORY  WRITE 5 fe:00:569 0 EOF\n\
            3: FLOCK  ADVISORY  READ 5 fe:00:570 0 EOF\n";
        let held: Vec<u64> = (565..575).filter(|inode| is_locked(table, *inode)).collect();
        assert_eq!(held, [567]);
    }
}
