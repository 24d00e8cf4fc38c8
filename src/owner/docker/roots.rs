//! Where Docker keeps its data: configured, given, or the default; with the sub-folders of
//! remapped user namespaces (`formats.md` 1.1).
//!
//! Knows folders and nothing of what is in them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::ask::Asker;
use super::config::DaemonConfig;
use crate::sys::{EntryKind, FailKind, FileStat, HostPath};
use crate::text::Printable;

/// Docker's default data root.
const DEFAULT_ROOT: &str = "/var/lib/docker";
/// The kernel itself follows no more than this many links in one path.
const MOST_LINKS: u32 = 40;

/// A data root with a `devicemapper` folder.
#[derive(Clone, Debug)]
pub(super) struct FoundRoot {
    /// As configured or given.
    pub path: HostPath,
    /// With symbolic links resolved, which is how the daemon prints it.
    pub real: HostPath,
    /// Inode of the driver's home.
    pub home: FileStat,
    /// Whether it is the one that the configured daemon uses.
    pub configured: bool,
}

/// Finds them. `given` replaces what is configured.
pub(super) fn find_roots(
    ask: &mut Asker<'_>,
    config: &DaemonConfig,
    given: &[HostPath],
) -> Vec<FoundRoot> {
    let base = config.data_root.clone().unwrap_or_else(|| HostPath::new(DEFAULT_ROOT));
    let base_real = real_path(ask, &base);
    let tops = if given.is_empty() { std::slice::from_ref(&base) } else { given };
    let mut found: Vec<FoundRoot> = Vec::new();
    for top in tops {
        let below = roots_below(ask, top);
        if below.is_empty() && !given.is_empty() {
            ask.gap(nothing_there(top));
        }
        for (path, home, remapped) in below {
            let real = real_path(ask, &path);
            if found.iter().any(|other| other.real == real) {
                continue;
            }
            let below = real.as_path().parent() == Some(base_real.as_path());
            let configured =
                if config.userns_remap { remapped && below } else { real == base_real };
            found.push(FoundRoot { path, real, home, configured });
        }
    }
    found
}

fn nothing_there(top: &HostPath) -> String {
    format!(
        "{}: there is no devicemapper folder in it; give the folder that holds one with \
         --docker-root",
        Printable::from_bytes(&top.0.0)
    )
}

/// Those of a folder and its `<uid>.<gid>` sub-folders that hold a driver's home, with whether
/// each is such a sub-folder.
fn roots_below(ask: &mut Asker<'_>, top: &HostPath) -> Vec<(HostPath, FileStat, bool)> {
    let own = match ask.try_stat(&top.join("devicemapper")) {
        Ok(stat) => Some(stat).filter(|stat| stat.kind == EntryKind::Dir),
        Err(failure) if failure.kind == FailKind::NotFound => None,
        Err(failure) => {
            ask.closed = true;
            // what is closed to this user is said once
            ask.failed(&top.join("devicemapper"), &failure);
            return Vec::new();
        }
    };
    let mut roots: Vec<_> = own.map(|stat| (top.clone(), stat, false)).into_iter().collect();
    for entry in ask.entries(top) {
        if entry.kind != EntryKind::File && is_remap_name(&entry.name.0) {
            let path = top.join(OsStr::from_bytes(&entry.name.0));
            let home = ask.stat(&path.join("devicemapper"));
            let home = home.filter(|stat| stat.kind == EntryKind::Dir);
            roots.extend(home.map(|stat| (path, stat, true)));
        }
    }
    roots
}

/// `165536.165536`
fn is_remap_name(name: &[u8]) -> bool {
    let number = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    let mut parts = name.split(|byte| *byte == b'.');
    matches!((parts.next(), parts.next(), parts.next()), (Some(uid), Some(gid), None)
        if number(uid) && number(gid))
}

/// Resolves symbolic links component by component; what cannot be looked at stays as written.
fn real_path(ask: &mut Asker<'_>, path: &HostPath) -> HostPath {
    let mut todo: Vec<Vec<u8>> = components(path.as_path());
    todo.reverse();
    let (mut done, mut links) = (PathBuf::from("/"), 0);
    while let Some(name) = todo.pop() {
        if name == b".." {
            done.pop();
            continue;
        }
        let next = done.join(OsStr::from_bytes(&name));
        match ask.link(&HostPath::new(&next)) {
            Some(target) if links < MOST_LINKS => {
                links += 1;
                let target = Path::new(OsStr::from_bytes(&target));
                if target.is_absolute() {
                    done = PathBuf::from("/");
                }
                todo.extend(components(target).into_iter().rev());
            }
            _ => done = next,
        }
    }
    HostPath::new(done)
}

fn components(path: &Path) -> Vec<Vec<u8>> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.as_bytes().to_vec()),
            Component::ParentDir => Some(b"..".to_vec()),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_uid_dot_gid_is_a_remapped_root() {
        assert!(is_remap_name(b"165536.165536"));
        for name in ["165536", "1.2.3", ".1", "1.", "a.1", "devicemapper", ""] {
            assert!(!is_remap_name(name.as_bytes()), "{name}");
        }
    }
}
