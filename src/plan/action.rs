//! The closed set of what may be done to a host, in the subject's own verbs, and what each is in
//! commands.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::DevNo;
use crate::units::{Bytes, Extents};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Makes a PV of a device; what lay on it is lost.
    CreatePv {
        /// Its path.
        device: String,
        /// Its kernel name.
        name: String,
        /// Its number when it was looked at.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        number: Option<DevNo>,
        /// The signatures that were found on it, which are agreed to be lost.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        holds: Vec<String>,
    },
    /// Puts a PV into a group.
    ExtendGroup {
        /// The group.
        group: String,
        /// The device's path.
        device: String,
        /// Its kernel name.
        name: String,
        /// Extents it brings.
        extents: Extents,
    },
    /// Grows the metadata of an LVM pool.
    GrowMetadata {
        /// `VG/LV` of the pool.
        pool: String,
        /// By so much.
        by: Bytes,
        /// By so much the spare grows with it.
        spare_by: Bytes,
    },
    /// Grows the data of an LVM pool.
    GrowData {
        /// `VG/LV` of the pool.
        pool: String,
        /// By so many extents; all that are free when they are those of a new PV too.
        by: Extents,
        /// Size of an extent.
        extent: Bytes,
        /// All free extents, whatever their number turns out to be.
        all: bool,
    },
    /// Grows a volume under a pool that LVM does not own.
    GrowVolume {
        /// `VG/LV`.
        volume: String,
        /// By so many extents.
        by: Extents,
        /// Size of an extent.
        extent: Bytes,
    },
    /// Grows a thin volume, and not the filesystem on it.
    GrowThin {
        /// `VG/LV`.
        volume: String,
        /// To so much.
        to: Bytes,
    },
    /// Grows the filesystem on a mounted volume to the volume's size. Nothing that is looked at
    /// says how large a filesystem is, so it is done again where it is not known to be done.
    GrowFilesystem {
        /// `VG/LV`.
        volume: String,
    },
    /// Makes a file longer, sparsely; never shorter.
    GrowFile {
        /// Its path.
        path: String,
        /// To this length.
        to: Bytes,
    },
    /// Has a loop device see its file's new length.
    GrowLoop {
        /// Its kernel name.
        name: String,
        /// Its file.
        path: String,
        /// How large it then is.
        to: Bytes,
    },
    /// Replaces a pool's table: load, suspend, resume, with the old table as the way back.
    Reload {
        /// Its number.
        device: DevNo,
        /// Its device-mapper name.
        name: String,
        /// Its device-mapper uuid; empty for none.
        uuid: String,
        /// The table now.
        old: Vec<String>,
        /// The table then.
        new: Vec<String>,
    },
    /// Brings back suspended devices, in order.
    BringBack {
        /// The devices.
        devices: Vec<Suspended>,
    },
    /// Has the kernel take what LVM has recorded, after something that died in between.
    Refresh {
        /// `VG/LV`.
        volume: String,
    },
    /// Activates a volume or pool.
    ActivateVolume {
        /// `VG/LV`.
        volume: String,
        /// Although it carries the flag to be skipped.
        although_skipped: bool,
    },
    /// Activates all of a group.
    ActivateGroup {
        /// The group.
        group: String,
    },
    /// Deactivates a part of a pool that keeps the pool from being activated.
    DeactivateVolume {
        /// `VG/LV`.
        volume: String,
    },
    /// Attaches a file to a loop device.
    AttachLoop {
        /// The loop device's kernel name.
        name: String,
        /// The file.
        path: String,
        /// How large it is.
        #[serde(default)]
        size: Bytes,
    },
    /// Makes a pool's device again over what holds its data and metadata. Nothing is written.
    CreatePool {
        /// Its device-mapper name.
        name: String,
        /// Its table.
        table: String,
    },
    /// Writes a unit of systemd, never over a file of somebody else's.
    WriteUnit {
        /// Its path.
        path: String,
        /// Its name.
        name: String,
        /// Its lines.
        lines: Vec<String>,
        /// One that thinscope wrote before is there.
        replaces: bool,
    },
    /// Has a unit started at every boot.
    EnableUnit {
        /// Its path.
        path: String,
        /// Its name.
        name: String,
        /// systemd's own reader is there, and reads it first.
        verify: bool,
    },
}

/// A suspended device, and whether the table in its inactive slot goes first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspended {
    /// Its number.
    pub device: DevNo,
    /// Its name.
    pub name: String,
    /// Whether the inactive slot is cleared first.
    pub clear: bool,
}

/// How much a step asks of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Danger {
    /// It can be taken back as it was.
    Reversible,
    /// It cannot be taken back by a command: storage that grew does not shrink.
    HardToUndo,
    /// It destroys what is on a device.
    Destroys,
}

impl Danger {
    /// The words for it, also in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reversible => "reversible",
            Self::HardToUndo => "hard-to-undo",
            Self::Destroys => "destroys",
        }
    }
}

/// How a step is taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// By these commands, exactly.
    Exact(Vec<Vec<String>>),
    /// By hand, like this.
    ByHand(&'static str),
    /// Not at all.
    Never(&'static str),
}

impl fmt::Display for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(commands) => {
                let lines: Vec<_> = commands.iter().map(|argv| super::script::line(argv)).collect();
                f.write_str(&lines.join(" && "))
            }
            Self::ByHand(how) => write!(f, "by hand: {how}"),
            Self::Never(why) => write!(f, "never: {why}"),
        }
    }
}

fn argv(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

impl Action {
    /// What it does, in a line.
    pub fn title(&self) -> String {
        match self {
            Self::CreatePv { device, .. } => format!("make {device} a physical volume"),
            Self::ExtendGroup { group, device, .. } => format!("add {device} to {group}"),
            Self::GrowMetadata { pool, .. } => format!("grow the metadata of {pool}"),
            Self::GrowData { pool, .. } => format!("grow the data of {pool}"),
            Self::GrowVolume { volume, .. } | Self::GrowThin { volume, .. } => {
                format!("grow {volume}")
            }
            Self::GrowFilesystem { volume } => format!("grow the filesystem on {volume}"),
            Self::GrowFile { path, .. } => format!("grow the file {path}"),
            Self::GrowLoop { name, .. } => format!("have {name} see its file's new length"),
            Self::Reload { name, .. } => format!("give {name} its longer table"),
            Self::BringBack { devices } => {
                let names: Vec<_> = devices.iter().map(|one| one.name.as_str()).collect();
                format!("resume {}", names.join(", "))
            }
            Self::Refresh { volume } => format!("have the kernel take the size of {volume}"),
            Self::ActivateVolume { volume, .. } => format!("activate {volume}"),
            Self::ActivateGroup { group } => format!("activate all of {group}"),
            Self::DeactivateVolume { volume } => format!("deactivate {volume}"),
            Self::AttachLoop { name, path, .. } => format!("attach {path} to {name}"),
            Self::CreatePool { name, .. } => format!("make the device {name} again"),
            Self::WriteUnit { path, .. } => format!("write {path}"),
            Self::EnableUnit { name, .. } => format!("have {name} started at every boot"),
        }
    }

    /// The commands that do it, each as its words.
    pub fn commands(&self) -> Vec<Vec<String>> {
        match self {
            // without `-y` LVM itself stops at a signature that appeared since
            Self::CreatePv { device, holds, .. } if holds.is_empty() => {
                vec![argv(&["pvcreate", device])]
            }
            Self::CreatePv { device, .. } => vec![argv(&["pvcreate", "-y", device])],
            Self::ExtendGroup { group, device, .. } => vec![argv(&["vgextend", group, device])],
            Self::GrowMetadata { pool, by, .. } => {
                let by = format!("+{}b", by.get());
                vec![argv(&["lvextend", "--poolmetadatasize", &by, pool])]
            }
            Self::GrowData { pool, all: true, .. } => {
                vec![argv(&["lvextend", "-l", "+100%FREE", pool])]
            }
            Self::GrowData { pool: volume, by, .. } | Self::GrowVolume { volume, by, .. } => {
                vec![argv(&["lvextend", "-l", &format!("+{}", by.get()), volume])]
            }
            Self::GrowThin { volume, to } => {
                vec![argv(&["lvextend", "-L", &format!("{}b", to.get()), volume])]
            }
            Self::GrowFilesystem { volume } => {
                vec![argv(&["fsadm", "-y", "resize", &format!("/dev/{volume}")])]
            }
            Self::GrowFile { path, to } => {
                vec![argv(&["truncate", "-s", &format!(">{}", to.get()), path])]
            }
            Self::GrowLoop { name, .. } => {
                vec![argv(&["losetup", "-c", &format!("/dev/{name}")])]
            }
            Self::Reload { name, new, .. } => vec![
                argv(&["dmsetup", "load", name, "--table", &new.join("\n")]),
                argv(&["dmsetup", "suspend", "--noflush", name]),
                argv(&["dmsetup", "resume", name]),
            ],
            Self::BringBack { devices } => devices.iter().flat_map(bring_back).collect(),
            Self::Refresh { volume } => vec![argv(&["lvchange", "--refresh", volume])],
            Self::ActivateVolume { volume, although_skipped: true } => {
                vec![argv(&["lvchange", "-ay", "-K", volume])]
            }
            Self::ActivateVolume { volume, .. } => vec![argv(&["lvchange", "-ay", volume])],
            Self::ActivateGroup { group } => vec![argv(&["vgchange", "-ay", group])],
            Self::DeactivateVolume { volume } => vec![argv(&["lvchange", "-an", volume])],
            Self::AttachLoop { name, path, .. } => {
                vec![argv(&["losetup", &format!("/dev/{name}"), path])]
            }
            Self::CreatePool { name, table } => {
                vec![argv(&["dmsetup", "create", name, "--table", table])]
            }
            Self::WriteUnit { path, lines, replaces, .. } => {
                vec![write_lines(path, lines, *replaces)]
            }
            Self::EnableUnit { path, name, verify } => {
                let verify = verify.then(|| argv(&["systemd-analyze", "verify", path]));
                verify.into_iter().chain([argv(&["systemctl", "enable", name])]).collect()
            }
        }
    }

    /// How it is taken back.
    pub fn undo(&self) -> Undo {
        match self {
            Self::CreatePv { .. } => {
                Undo::Never("what lay on the device before is lost; pvremove only takes the label")
            }
            Self::ExtendGroup { group, device, .. } => {
                Undo::Exact(vec![argv(&["vgreduce", group, device])])
            }
            Self::GrowMetadata { .. } | Self::GrowData { .. } => {
                Undo::Never("a thin pool cannot shrink")
            }
            Self::GrowVolume { .. } => {
                Undo::Never("the pool over it takes it in, and a thin pool cannot shrink")
            }
            Self::GrowThin { .. } | Self::GrowFilesystem { .. } => {
                Undo::ByHand("shrink the filesystem first, where it can, then lvreduce")
            }
            Self::GrowFile { .. } | Self::GrowLoop { .. } => {
                Undo::Never("the pool over it takes it in; the file stays sparse until it is used")
            }
            Self::Reload { .. } => Undo::Never("a thin pool cannot shrink"),
            Self::BringBack { .. } => Undo::Never("nothing is to be taken back"),
            Self::Refresh { .. } => {
                Undo::Never("LVM has recorded that size already, and a thin pool cannot shrink")
            }
            Self::ActivateVolume { volume, .. } => {
                Undo::Exact(vec![argv(&["lvchange", "-an", volume])])
            }
            Self::ActivateGroup { group } => Undo::Exact(vec![argv(&["vgchange", "-an", group])]),
            Self::DeactivateVolume { volume } => {
                Undo::Exact(vec![argv(&["lvchange", "-ay", "-y", volume])])
            }
            Self::AttachLoop { name, .. } => {
                Undo::Exact(vec![argv(&["losetup", "-d", &format!("/dev/{name}")])])
            }
            Self::CreatePool { name, .. } => Undo::Exact(vec![argv(&["dmsetup", "remove", name])]),
            Self::WriteUnit { path, replaces: false, .. } => {
                Undo::Exact(vec![argv(&["rm", path]), argv(&["systemctl", "daemon-reload"])])
            }
            Self::WriteUnit { .. } => {
                Undo::ByHand("write its earlier lines again: they stand in what holds before it")
            }
            Self::EnableUnit { name, .. } => {
                Undo::Exact(vec![argv(&["systemctl", "disable", name])])
            }
        }
    }

    /// What it asks of a person.
    pub const fn danger(&self) -> Danger {
        match self {
            Self::CreatePv { .. } => Danger::Destroys,
            Self::GrowMetadata { .. }
            | Self::GrowData { .. }
            | Self::GrowVolume { .. }
            | Self::GrowThin { .. }
            | Self::GrowFilesystem { .. }
            | Self::GrowFile { .. }
            | Self::GrowLoop { .. }
            | Self::Refresh { .. }
            | Self::Reload { .. } => Danger::HardToUndo,
            _ => Danger::Reversible,
        }
    }

    /// Whether a device is suspended while it runs: nothing of ours may look meanwhile.
    pub const fn suspends(&self) -> bool {
        matches!(
            self,
            Self::GrowMetadata { .. }
                | Self::GrowData { .. }
                | Self::GrowVolume { .. }
                | Self::GrowThin { .. }
                | Self::Reload { .. }
                | Self::BringBack { .. }
                | Self::Refresh { .. }
        )
    }

    /// What completes it where it was cut off after LVM had recorded it and before the kernel had
    /// taken it.
    pub fn completion(&self) -> Option<Self> {
        match self {
            Self::GrowMetadata { pool: volume, .. }
            | Self::GrowData { pool: volume, .. }
            | Self::GrowVolume { volume, .. }
            | Self::GrowThin { volume, .. } => Some(Self::Refresh { volume: volume.clone() }),
            _ => None,
        }
    }

    /// Whether it is done again where it is not known how it ended: nothing that is looked at
    /// tells, and a second time changes nothing more.
    pub const fn is_repeatable(&self) -> bool {
        matches!(self, Self::GrowFilesystem { .. })
    }

    /// What a failure of it means, where its words do not say so.
    pub fn explain(&self, words: &str) -> Option<&'static str> {
        let activates = matches!(self, Self::ActivateVolume { .. } | Self::ActivateGroup { .. });
        (activates && words.contains("Check of pool")).then_some(
            "thin_check, which LVM runs before it activates a pool, found damage; save the \
             metadata before anything else",
        )
    }

    /// What brings a pool back by hand, should everything else be gone.
    pub fn rescue(&self) -> Option<String> {
        match self {
            Self::Reload { device, old, .. } => Some(load_and_resume(*device, old)),
            Self::GrowMetadata { pool, .. } | Self::GrowData { pool, .. } => {
                Some(format!("thinscope activate {pool}"))
            }
            Self::GrowVolume { volume, .. }
            | Self::GrowThin { volume, .. }
            | Self::Refresh { volume } => Some(format!("thinscope activate {volume}")),
            _ => None,
        }
    }
}

/// Resuming alone does not help where the kernel refused to run the new table: the old one goes
/// into the slot first, over whatever is there (`facts.md`).
fn load_and_resume(device: DevNo, old: &[String]) -> String {
    let quoted = |line: &String| format!("'{}'", line.trim_end().replace('\'', "'\\''"));
    let lines: Vec<_> = old.iter().map(quoted).collect();
    let at = format!("-j {} -m {}", device.major, device.minor);
    format!("printf '%s\\n' {} | dmsetup load {at} && dmsetup resume {at}", lines.join(" "))
}

/// What writes a file by hand; without leave to replace one a shell refuses to.
fn write_lines(path: &str, lines: &[String], replaces: bool) -> Vec<String> {
    let keep = if replaces { "" } else { "set -C; " };
    let script = format!("{keep}printf '%s\\n' \"$@\" >\"$0\"");
    let mut words = argv(&["sh", "-c", &script, path]);
    words.extend(lines.iter().cloned());
    words
}

fn bring_back(one: &Suspended) -> Vec<Vec<String>> {
    let clear = one.clear.then(|| argv(&["dmsetup", "clear", &one.name]));
    clear.into_iter().chain([argv(&["dmsetup", "resume", &one.name])]).collect()
}
