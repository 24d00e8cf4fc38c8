//! What LVM is set to do with a pool that fills: its policy, after configuration and profile.

use crate::text::Printable;

/// A pool's autoextend policy, as `lvextend --use-policies` would take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Above which fill it extends, in percent, as set; 100 is off.
    pub threshold: u64,
    /// By how much of the volume's size, in percent.
    pub percent: u64,
    /// Where the threshold is written: a profile's or a configuration's path; `None` where LVM's
    /// own default stands.
    pub from: Option<Printable>,
    /// The profile that the pool names.
    pub profile: ProfileFile,
    /// Whether volumes are monitored when they are activated (`activation/monitoring`).
    pub monitoring: bool,
    /// The command that the monitor runs in place of LVM's own (`dmeventd/thin_command`), at every
    /// 5 % above 50 and whatever the threshold is.
    pub command: Option<Printable>,
}

/// What became of a pool's profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProfileFile {
    /// The pool names none.
    None,
    /// It was read.
    Read,
    /// The pool names it and it is not there: LVM goes on without it.
    Missing(Printable),
}

/// The least that LVM takes as a threshold; less counts as this (lvm2, `lv_manip.c`).
const LEAST_THRESHOLD: u64 = 50;

impl Policy {
    /// With this threshold, and else as LVM's defaults are (lvm2, `defaults.h`).
    pub const fn new(threshold: u64) -> Self {
        Self {
            threshold,
            percent: 20,
            from: None,
            profile: ProfileFile::None,
            monitoring: true,
            command: None,
        }
    }

    /// Whether somebody meant the pool to grow by itself: by LVM's own means or another's.
    pub const fn is_meant_to_grow(&self) -> bool {
        self.is_on() || self.command.is_some()
    }

    /// Whether the pool is extended at all.
    pub const fn is_on(&self) -> bool {
        self.threshold < 100
    }

    /// The threshold in force.
    pub const fn threshold(&self) -> u64 {
        if self.threshold < LEAST_THRESHOLD { LEAST_THRESHOLD } else { self.threshold }
    }
}
