//! Where a path of the looked-at host really is, with `--root` in front or without.
//!
//! Follows links by hand, because `openat2` with `RESOLVE_IN_ROOT` is missing before kernel 5.6
//! and the hosts this is for run older ones.

use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;

/// Folders that are the running kernel's, or live only while it runs: never below `--root`.
const KERNEL_STATE: [&str; 4] = ["/sys", "/proc", "/dev", "/run"];

/// As many links as the kernel follows.
const MOST_LINKS: u32 = 40;

/// Whether a link at the end of a path is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Last {
    Follow,
    Keep,
}

/// What stands in front of every path.
#[derive(Debug)]
pub(super) struct Root(pub Option<PathBuf>);

impl Root {
    /// The path with every link resolved as a chroot into the root would, `..` included; still
    /// without the root in front.
    pub(super) fn resolve(&self, path: &Path, last: Last) -> io::Result<PathBuf> {
        let mut todo = names(path);
        let mut at = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = todo.pop() {
            if name == ".." {
                at.pop();
                continue;
            }
            at.push(name);
            if todo.is_empty() && last == Last::Keep {
                break;
            }
            let Some(target) = read_link(&self.real(&at))? else { continue };
            links += 1;
            if links > MOST_LINKS {
                return Err(Errno::ELOOP.into());
            }
            at.pop();
            if target.is_absolute() {
                at = PathBuf::from("/");
            }
            todo.extend(names(&target));
        }
        Ok(at)
    }

    /// Where a resolved path is for this process.
    pub(super) fn real(&self, path: &Path) -> PathBuf {
        match &self.0 {
            Some(root) if !KERNEL_STATE.iter().any(|state| path.starts_with(state)) => {
                root.join(path.strip_prefix("/").unwrap_or(path))
            }
            _ => path.to_owned(),
        }
    }
}

/// The names of a path, last one first, without `.`; `..` is kept.
fn names(path: &Path) -> Vec<OsString> {
    let names = path.components().rev().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    });
    names.collect()
}

/// The target of a link, `None` for what is no link.
fn read_link(path: &Path) -> io::Result<Option<PathBuf>> {
    match std::fs::read_link(path) {
        Ok(target) => Ok(Some(target)),
        // readlink's answer for everything else that exists
        Err(error) if error.raw_os_error() == Some(Errno::EINVAL as i32) => Ok(None),
        Err(error) => Err(error),
    }
}
