//! What tells which pool a data root uses: the driver's home, its loop files and the
//! configuration of automatic direct-lvm (`formats.md` 1.4, 1.5, 1.8).
//!
//! Knows nothing of the devices inside the pool.

use serde::Deserialize;

use super::ask::Asker;
use super::json::{lenient, parse};
use crate::sys::{FailKind, Failure, FileStat, FsSpace, HostPath, Keep};
use crate::text::Printable;

/// One sparse file under a loop device of docker's own pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoopFile {
    /// Where it is.
    pub path: HostPath,
    /// Its size, apparent and allocated.
    pub stat: FileStat,
    /// Room on the filesystem that holds it; `None` where it could not be asked.
    pub space: Option<FsSpace>,
}

/// `setup-config.json`: what automatic direct-lvm was made with. 0 means docker's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirectLvmSetup {
    /// The device it was made on.
    pub device: Option<Printable>,
    /// Percent of the VG for data.
    pub thinp_percent: Option<u64>,
    /// Percent of the VG for metadata.
    pub thinp_meta_percent: Option<u64>,
    /// Percent at which LVM extends.
    pub autoextend_threshold: Option<u64>,
    /// By how much.
    pub autoextend_percent: Option<u64>,
}

/// All of it for one root.
#[derive(Clone, Debug, Default)]
pub struct PoolFiles {
    /// `docker-MAJOR:MINOR-INODE`.
    pub prefix: Option<String>,
    /// The data file.
    pub data: Option<LoopFile>,
    /// The metadata file.
    pub metadata: Option<LoopFile>,
    /// Automatic direct-lvm.
    pub direct_lvm: Option<DirectLvmSetup>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct SetupJson {
    #[serde(deserialize_with = "lenient")]
    device: Option<String>,
    #[serde(deserialize_with = "lenient")]
    thinp_percent: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    thinp_meta_percent: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    auto_extend_percent: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    auto_extend_threshold: Option<u64>,
}

/// Reads it below a driver's home, whose inode is already known.
pub(super) fn read_pool_files(ask: &mut Asker<'_>, home: &HostPath, stat: FileStat) -> PoolFiles {
    let files = home.join("devicemapper");
    PoolFiles {
        prefix: Some(prefix(stat)),
        data: loop_file(ask, files.join("data")),
        metadata: loop_file(ask, files.join("metadata")),
        direct_lvm: setup(ask, home),
    }
}

/// Docker takes 12 bits of the major and 20 of the minor number (`formats.md` 1.4).
fn prefix(home: FileStat) -> String {
    format!("docker-{}:{}-{}", home.dev.major & 0xfff, home.dev.minor & 0xf_ffff, home.ino)
}

fn loop_file(ask: &mut Asker<'_>, path: HostPath) -> Option<LoopFile> {
    let stat = ask.stat(&path)?;
    let space = ask.space(&path);
    Some(LoopFile { path, stat, space })
}

fn setup(ask: &mut Asker<'_>, home: &HostPath) -> Option<DirectLvmSetup> {
    let path = home.join("setup-config.json");
    let bytes = ask.file(path.clone(), Keep::All, Some(home))?;
    match parse::<SetupJson>(&bytes) {
        Ok(json) => Some(DirectLvmSetup {
            device: json.device.filter(|device| !device.is_empty()).map(Printable::from),
            thinp_percent: json.thinp_percent,
            thinp_meta_percent: json.thinp_meta_percent,
            autoextend_threshold: json.auto_extend_threshold,
            autoextend_percent: json.auto_extend_percent,
        }),
        Err(why) => {
            ask.failed(&path, &Failure { kind: FailKind::Malformed, why });
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DevNo;
    use crate::sys::EntryKind;

    #[test]
    fn the_prefix_is_made_of_device_and_inode_as_docker_cuts_them() {
        let stat = |major, minor| FileStat {
            kind: EntryKind::Dir,
            dev: DevNo::new(major, minor),
            rdev: DevNo::new(0, 0),
            ino: 67_183_475,
            size: 0,
            allocated: 0,
            mtime: 0,
        };
        assert_eq!(prefix(stat(253, 0)), "docker-253:0-67183475");
        assert_eq!(prefix(stat(0, 35)), "docker-0:35-67183475");
        assert_eq!(prefix(stat(4097, 0x10_0001)), "docker-1:1-67183475");
    }
}
