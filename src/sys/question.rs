//! The closed set of questions that a host is asked, and the raw answers.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Medium;
use super::bolt::{BoltKeep, BoltSeen};
use super::raw::{HostPath, Raw};
use crate::command::{CommandSpec, Tool};
use crate::ids::DevNo;

/// A part of the host that is looked at on its own, with its own time limit, age and gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Who and when: host name, kernel, user.
    Host,
    /// Device-mapper, through its control node.
    Dm,
    /// Block devices and loop devices, through sysfs.
    Block,
    /// The mount table.
    Mounts,
    /// LVM's own reports.
    Lvm,
    /// Docker's files.
    Docker,
    /// containerd's databases.
    Containerd,
    /// The metadata of the pools that the other sources know.
    Metadata,
}

impl Source {
    /// All of them, in the order in which they are asked.
    pub const ALL: [Self; 8] = [
        Self::Host,
        Self::Dm,
        Self::Block,
        Self::Mounts,
        Self::Lvm,
        Self::Docker,
        Self::Containerd,
        Self::Metadata,
    ];

    /// Engines: each names the devices of its pools in files of its own.
    pub const ENGINES: [Self; 2] = [Self::Docker, Self::Containerd];

    /// The word used on screen, in gaps and in recordings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Dm => "dm",
            Self::Block => "block",
            Self::Mounts => "mounts",
            Self::Lvm => "lvm",
            Self::Docker => "docker",
            Self::Containerd => "containerd",
            Self::Metadata => "metadata",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How much of a file is let through the door. Secrets stop here: of an engine's JSON only the
/// keys that `formats.md` names are kept, and what is not valid JSON fails as malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Keep {
    /// All bytes (small files without secrets: sysfs, cache-id, device JSON), 1 MiB at most;
    /// below `/proc`, where a table of ten thousand mounts is longer, 64 MiB.
    All,
    /// `daemon.json`: driver, options, data roots, remapping.
    DockerDaemon,
    /// `config.v2.json`: identity, names, image, state, three compose labels.
    DockerContainer,
    /// An image's JSON: `rootfs`, `created`, `architecture`, `os`.
    DockerImage,
    /// `repositories.json`: all of it (names and digests only).
    DockerRepositories,
    /// `/etc/sysconfig/docker-storage` and unit files: only `--storage-opt`, `--storage-driver`,
    /// `-s`, `-g`, `--graph`, `--data-root`, `--userns-remap` words, in the long form
    /// `--storage-opt=VALUE`, one a line (`-s` as `--storage-driver`, `-g` as `--graph`).
    DaemonOptions,
    /// containerd's `config.toml`: its root and its devmapper plugin, as JSON.
    ContainerdConfig,
}

/// One question to a host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// Who the host is and when it was asked → [`Reply::Host`].
    Host,
    /// Version of the kernel's device-mapper interface → [`Reply::DmVersion`].
    DmVersion,
    /// Names of all device-mapper devices → [`Reply::DmList`].
    DmList,
    /// One device's state, tables and dependencies; never waits on the device →
    /// [`Reply::DmDevice`].
    DmDevice(DevNo),
    /// One device's status, asked with no-flush; may hang on a stuck pool → [`Reply::Bytes`], a
    /// line `START LENGTH TYPE STATUS` for each target.
    DmStatus(DevNo),
    /// The table in one device's inactive slot; never waits on the device → [`Reply::Bytes`], a
    /// line `START LENGTH TYPE PARAMETERS` for each target, nothing where the slot is empty.
    DmInactive(DevNo),
    /// The entries of a directory, sorted by name → [`Reply::Entries`].
    Dir(HostPath),
    /// How many entries a folder has; their names are not kept → [`Reply::Number`].
    Count(HostPath),
    /// A file → [`Reply::Bytes`]. `within` is a folder that the file, symbolic links resolved,
    /// must not lead out of.
    File {
        /// The file.
        path: HostPath,
        /// What is kept of it.
        keep: Keep,
        /// The folder that bounds it.
        within: Option<HostPath>,
    },
    /// All files of a folder that an engine keeps, in one answer → [`Reply::Tree`]. Symbolic
    /// links inside are not followed but reported as [`FailKind::LeadsOut`], a sub-folder that
    /// may not be read as [`FailKind::Denied`] under its own path; the folder itself may be a
    /// link.
    Tree {
        /// The folder.
        dir: HostPath,
        /// 1: files right in it; 2: files right in its sub-folders, and no others; at most 4.
        depth: u8,
        /// Names of the files that are wanted; empty for all.
        names: Vec<String>,
        /// What is kept of each.
        keep: Keep,
    },
    /// A bolt database, read without its lock → [`Reply::Bolt`].
    Bolt {
        /// The file.
        path: HostPath,
        /// What is kept of it.
        keep: BoltKeep,
    },
    /// Block devices that are not device-mapper's, with partitions and loop files, from sysfs →
    /// [`Reply::SysBlock`].
    SysBlock,
    /// A file's or folder's inode → [`Reply::Stat`], symbolic links followed.
    Stat(HostPath),
    /// Where a symbolic link points → [`Reply::Bytes`].
    Link(HostPath),
    /// Room on the filesystem of a path; may hang → [`Reply::Space`].
    Space(HostPath),
    /// What time it is: seconds since 1970 → [`Reply::Number`].
    Time,
    /// Which of these words a file, however large, holds → [`Reply::Flags`].
    Mentions {
        /// The file.
        path: HostPath,
        /// The words, at most 64 bytes each.
        words: Vec<String>,
    },
    /// Who holds these device-mapper devices, by their names, over all mount namespaces and open
    /// file tables; never waits on a device or a filesystem → [`Reply::Holders`].
    Holders(Vec<Raw>),
    /// What a read-only call of a tool prints → [`Reply::Ran`].
    Run(CommandSpec),
    /// The size of a device or file that is read at offsets → [`Reply::Number`].
    SizeOf(Medium),
    /// Bytes of one, past the page cache; may hang on a stuck device → [`Reply::Bytes`].
    Read {
        /// What is read.
        of: Medium,
        /// From which byte, a multiple of 4096.
        offset: u64,
        /// How many bytes, a multiple of 4096, at most 4 MiB.
        length: u32,
    },
}

impl Question {
    /// Whether it is a call of LVM, which takes longer than all else.
    pub fn calls_lvm(&self) -> bool {
        matches!(self, Self::Run(call) if call.tool == Tool::Lvm)
    }

    /// Whether an answer to this is kept as part of a source. Device-mapper, sysfs and the host
    /// have a source each; where LVM asks them too, for its filter, that is not recorded again.
    pub const fn belongs_to(&self, source: Source) -> bool {
        match self {
            Self::Host => matches!(source, Source::Host),
            Self::DmVersion
            | Self::DmList
            | Self::DmDevice(_)
            | Self::DmStatus(_)
            | Self::DmInactive(_) => matches!(source, Source::Dm),
            Self::SysBlock => matches!(source, Source::Block),
            _ => true,
        }
    }

    /// What it asks for, in words, for a gap: `status of device 253:7`.
    pub fn describe(&self) -> String {
        match self {
            Self::Host => "name of the host".to_owned(),
            Self::DmVersion => "version of device-mapper".to_owned(),
            Self::DmList => "list of device-mapper devices".to_owned(),
            Self::DmDevice(dev) => format!("table of device {dev}"),
            Self::DmStatus(dev) => format!("status of device {dev}"),
            Self::DmInactive(dev) => format!("inactive table of device {dev}"),
            Self::Dir(path) | Self::Count(path) => format!("folder {}", path.as_path().display()),
            Self::File { path, .. } => format!("file {}", path.as_path().display()),
            Self::Tree { dir, .. } => format!("files below {}", dir.as_path().display()),
            Self::Bolt { path, .. } => format!("database {}", path.as_path().display()),
            Self::SysBlock => "block devices of /sys/block".to_owned(),
            Self::Stat(path) => format!("stat of {}", path.as_path().display()),
            Self::Link(path) => format!("link {}", path.as_path().display()),
            Self::Space(path) => format!("free space of {}", path.as_path().display()),
            Self::Time => "time of day".to_owned(),
            Self::Mentions { path, .. } => format!("words in {}", path.as_path().display()),
            Self::Holders(devices) => format!("who holds {} devices", devices.len()),
            Self::SizeOf(medium) => format!("size of {}", medium.describe()),
            Self::Read { of, offset, .. } => format!("read of {} at byte {offset}", of.describe()),
            // what follows the sub-command are pages of field names
            Self::Run(call) => {
                format!("{} {}", call.tool.program(), call.args.first().map_or("", String::as_str))
            }
        }
    }
}

/// A raw answer and how long it took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Milliseconds from question to answer.
    pub ms: u64,
    /// What was answered, or why nothing was.
    pub result: Result<Reply, Failure>,
}

impl Answer {
    /// An answer that took no time worth saying.
    pub fn ok(reply: Reply) -> Self {
        Self { ms: 0, result: Ok(reply) }
    }

    /// A failure that took no time worth saying.
    pub fn failed(kind: FailKind, why: impl Into<String>) -> Self {
        Self { ms: 0, result: Err(Failure { kind, why: why.into() }) }
    }
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// To [`Question::Host`].
    Host(HostInfo),
    /// To [`Question::DmVersion`].
    DmVersion([u32; 3]),
    /// To [`Question::DmList`].
    DmList(Vec<DmListed>),
    /// To [`Question::DmDevice`].
    DmDevice(DmDevice),
    /// To [`Question::Dir`].
    Entries(Vec<DirEntry>),
    /// To [`Question::File`], [`Question::Link`], [`Question::DmStatus`], [`Question::Read`].
    Bytes(Raw),
    /// To [`Question::Tree`]; sorted by path.
    Tree(Vec<TreeFile>),
    /// To [`Question::Bolt`].
    Bolt(BoltSeen),
    /// To [`Question::SysBlock`].
    SysBlock(Vec<SysBlockDevice>),
    /// To [`Question::Stat`].
    Stat(FileStat),
    /// To [`Question::Space`].
    Space(FsSpace),
    /// To [`Question::Run`].
    Ran(RunOutput),
    /// To [`Question::SizeOf`], [`Question::Time`], [`Question::Count`].
    Number(u64),
    /// To [`Question::Mentions`], in the order of its words.
    Flags(Vec<bool>),
    /// To [`Question::Holders`].
    Holders(HoldersSeen),
}

/// Why there is no answer, by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailKind {
    /// It is not there. Often no trouble at all.
    NotFound,
    /// This user may not.
    Denied,
    /// No answer within the time limit.
    TimedOut,
    /// There, but not of the form it must have (broken JSON, a directory for a file).
    Malformed,
    /// Larger than what is read.
    TooLarge,
    /// A symbolic link leads out of the folder it belongs to.
    LeadsOut,
    /// Never asked, or not answered before its source was given up. Whoever replays the
    /// recording says so once; a parser makes no gap of its own from it.
    NotRecorded,
    /// Anything else; `why` has the system's words.
    Other,
}

/// Why there is no answer, in words that a person can act on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{why}")]
pub struct Failure {
    /// By kind.
    pub kind: FailKind,
    /// In words: the fact, then the cause.
    pub why: String,
}

/// Who the host is and when it was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostInfo {
    /// The host's name.
    pub name: Raw,
    /// `uname -r`.
    pub kernel: String,
    /// Effective user id of the asker.
    pub euid: u32,
    /// Seconds since 1970 when it was asked.
    pub time: i64,
}

/// One entry of the kernel's list of device-mapper devices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DmListed {
    /// Its number.
    pub dev: DevNo,
    /// Its name, any bytes.
    pub name: Raw,
    /// How many events it has had, where the kernel says so in the list (4.37.0 and later).
    pub event_nr: Option<u32>,
}

/// One device-mapper device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "the kernel's own flags, none excludes another")]
pub struct DmDevice {
    /// Its name, any bytes.
    pub name: Raw,
    /// Its uuid, any bytes; empty when it has none.
    pub uuid: Raw,
    /// Open count.
    pub open_count: i32,
    /// Event number.
    pub event_nr: u32,
    /// Whether it is suspended.
    pub suspended: bool,
    /// Whether it is read-only.
    pub read_only: bool,
    /// Whether it is removed at its last close.
    pub deferred_remove: bool,
    /// Whether a table stands in the inactive slot.
    pub inactive_table: bool,
    /// The live table; keys of encrypted targets are blanked.
    pub table: Vec<DmTarget>,
    /// The devices it rests on.
    pub deps: Vec<DevNo>,
}

/// One line of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DmTarget {
    /// First sector.
    pub start: u64,
    /// Length in sectors.
    pub length: u64,
    /// The target's type.
    pub kind: String,
    /// Its parameters as the kernel prints them.
    pub params: Raw,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirEntry {
    /// Its name, any bytes.
    pub name: Raw,
    /// What it is, symbolic links not followed.
    pub kind: EntryKind,
}

/// What a directory entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Link,
    /// A device, fifo, socket or what the filesystem does not tell.
    Other,
}

/// What `stat` says of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStat {
    /// What it is, symbolic links followed.
    pub kind: EntryKind,
    /// The device that holds it.
    pub dev: DevNo,
    /// The device it is, for a device node.
    pub rdev: DevNo,
    /// Its inode.
    pub ino: u64,
    /// Apparent size in bytes.
    pub size: u64,
    /// Allocated size in bytes (`st_blocks` × 512).
    pub allocated: u64,
    /// Modification time, seconds since 1970.
    pub mtime: i64,
}

/// What `statfs` says of a filesystem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FsSpace {
    /// The filesystem's magic number (`f_type`).
    pub magic: u64,
    /// Bytes in all.
    pub total: u64,
    /// Bytes free for anybody (`f_bfree`).
    pub free: u64,
    /// Bytes free for an ordinary user (`f_bavail`).
    pub available: u64,
}

/// Who holds devices, as far as this user may see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldersSeen {
    /// The first of them: mounts, then what processes have open.
    pub list: Vec<HolderSeen>,
    /// How many more there are.
    pub more: u64,
    /// Processes that this user may not look into.
    pub unseen: u64,
}

/// One way in which a device is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HolderSeen {
    /// The device's name, as it was asked.
    pub device: Raw,
    /// A process: of a mount, the first one in its namespace.
    pub pid: u32,
    /// What that process is called (`/proc/PID/comm`).
    pub command: Raw,
    /// How it holds the device.
    pub how: HeldBy,
}

/// How a device is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldBy {
    /// Mounted in a mount namespace.
    Mount {
        /// Where.
        point: Raw,
        /// The namespace, as `/proc/PID/ns/mnt` says.
        namespace: Raw,
        /// It is the namespace of process 1.
        of_init: bool,
    },
    /// A file of its filesystem is open, or a working folder or root lies on it: the path that
    /// the kernel tells.
    File(Raw),
    /// The device itself is open.
    Device,
}

/// What a tool printed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunOutput {
    /// Exit status; `None` when a signal ended it.
    pub exit: Option<i32>,
    /// Standard output.
    pub stdout: Raw,
    /// Standard error.
    pub stderr: Raw,
}

/// One file of a [`Question::Tree`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeFile {
    /// Its path below the folder.
    pub path: Raw,
    /// What was kept of it, or why it could not be read.
    pub content: Result<Raw, Failure>,
}

/// One block device below `/sys/block`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SysBlockDevice {
    /// Its kernel name, `!` already read as `/`.
    pub name: Raw,
    /// Attributes by their path below the device, trailing newline removed: `dev`, `size`, `ro`,
    /// `removable`, `hidden`, `loop/backing_file`, `loop/offset`, `loop/autoclear`,
    /// `device/model`, `device/serial`, `serial`, `wwid`, `md/level`, `queue/rotational`.
    pub attrs: BTreeMap<String, Raw>,
    /// Kernel names of the devices it rests on (`slaves/`).
    pub slaves: Vec<Raw>,
    /// Its partitions, in the order of their numbers; `attrs` of each: `dev`, `size`, `start`,
    /// `ro`, `partition`.
    pub parts: Vec<SysBlockDevice>,
    /// The file under a loop device, by `stat` of its backing path, where it could be had.
    pub backing: Option<FileStat>,
}
