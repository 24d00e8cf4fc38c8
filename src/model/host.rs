//! What of a host concerns its pools and belongs to no device.

use crate::text::Printable;

/// Such things of one host. What was not seen is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFacts {
    /// The program that LVM checks a pool's metadata with.
    pub thin_check: Option<ThinCheck>,
    /// Whether LVM tells it to leave out the mappings, which are nearly all of its work.
    pub skips_mappings: Option<bool>,
    /// Where the program that monitors LVM's pools should be, and is not.
    pub dmeventd_missing: Option<Printable>,
    /// LVM's folder of earlier states of its metadata, and how many files it has.
    pub lvm_archive: Option<(Printable, u64)>,
    /// Operations on devices that still wait for udev.
    pub cookies: Vec<Cookie>,
    /// The units of systemd that are named as thinscope names its own; `None` where its folder was
    /// not seen, as on a host without systemd.
    pub units: Option<Vec<BootUnit>>,
    /// Seconds after which the kernel fails writes that wait for a pool's space; 0 is never.
    pub no_space_timeout: Option<u64>,
}

/// A unit of systemd that makes a pool again at boot, or a file that only has such a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootUnit {
    /// The name of its file.
    pub name: Printable,
    /// Its lines; none where it is no file that could be read.
    pub lines: Vec<Printable>,
    /// It is started at boot.
    pub enabled: bool,
}

/// Whether LVM can check a pool's metadata before it activates it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThinCheck {
    /// There.
    At(Printable),
    /// Not there, where LVM looks for it.
    Missing(Printable),
    /// LVM was told not to check.
    SwitchedOff,
}

/// A semaphore by which somebody waits for udev: a cookie of libdevmapper's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// The number that `dmsetup udevcomplete` takes.
    pub number: u32,
    /// Seconds since it last changed.
    pub age: u64,
    /// The line of `/proc/sysvipc/sem`.
    pub line: Printable,
}
