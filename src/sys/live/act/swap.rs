//! Replaces a device's table: what is checked before the window and what is said after it.
//!
//! The window itself is in `window.rs`.

use std::time::Duration;

use nix::errno::Errno;

use super::ready::make_ready;
use crate::sys::DmTarget;
use crate::sys::live::dm::Control;
use crate::sys::live::dm::wire::{self, flag};
use crate::sys::live::window::{Call, Change, Ended, Kernel, Prepared, Request, finish, pass};
use crate::sys::write::{Acted, Window};
use crate::text::Printable;

/// Replaces it, and measures how long the device was suspended.
pub(super) fn swap(window: &Window, say: &mut dyn FnMut(&str)) -> (Acted, Option<Duration>) {
    let control = Control::default();
    let checked = check(window, &control).and_then(|found| {
        let prepared = prepare(window, &control, found.read_only)?;
        make_ready()?;
        Ok((found, prepared))
    });
    let (found, mut prepared) = match checked {
        Ok(ready) => ready,
        Err(why) => return (Acted::Refused { why }, None),
    };
    let (ended, open) = if found.cut_off { finish(&mut prepared) } else { pass(&mut prepared) };
    if !matches!(ended, Ended::NotLoaded(_)) {
        say(&format!("suspended for {:.3} ms", open.as_secs_f64() * 1000.0));
    }
    let after = After::read(window, &control);
    if matches!(ended, Ended::Stuck { .. }) && after != After::Suspended {
        // what waits in the slot now would be taken by the next resume, whoever that is
        let _ = prepared.send(Call::Clear);
    }
    (told(window, ended, found.cut_off, after), Some(open))
}

/// The device as it was found.
struct Found {
    /// Its read-only flag, which a table carries.
    read_only: u32,
    /// It is suspended on the new table already: somebody died in this very window.
    cut_off: bool,
}

/// The device is still the one that was planned for.
fn check(window: &Window, control: &Control) -> Result<Found, String> {
    let at = format!("device {} ({})", window.device, Printable::from_text(&window.name));
    let state = control.state(window.device).map_err(|failure| failure.why)?;
    let changed = |what: &str, is: &Printable| format!("{at} has another {what} now: {is}");
    if state.name.0 != window.name.as_bytes() {
        return Err(changed("name", &Printable::from_bytes(&state.name.0)));
    }
    if state.uuid.0 != window.uuid.as_bytes() {
        return Err(changed("uuid", &Printable::from_bytes(&state.uuid.0)));
    }
    let table = control.exact_table(window.device).map_err(|failure| failure.why)?;
    let found = |cut_off| Ok(Found { read_only: state.flags & flag::READ_ONLY, cut_off });
    if state.flags & flag::SUSPENDED != 0 {
        return if is_same(&table, &window.new) { found(true) } else { Err(suspended(&at)) };
    }
    if state.flags & flag::INACTIVE_PRESENT != 0 {
        let waits = control.exact_inactive(window.device).map_err(|failure| failure.why)?;
        if !may_load_over(window, &waits) {
            return Err(format!(
                "{at} has a table in its inactive slot that is not ours: another program changes \
                 it, or one that did has ended in the middle; once nobody does, `dmsetup clear -j \
                 {} -m {}` throws it away",
                window.device.major, window.device.minor
            ));
        }
    }
    if !is_same(&table, &window.old) {
        return Err(format!("{at} has another table than when this was planned: look again"));
    }
    found(false)
}

/// Whoever was in this very window died between its load and its resume: what waits is what is
/// loaded now, over it. A table that the window does not know is somebody else's.
fn may_load_over(window: &Window, waits: &[DmTarget]) -> bool {
    is_same(waits, &window.new)
}

fn suspended(at: &str) -> String {
    format!(
        "{at} is suspended: another program changes it, or one that did has ended in the middle; \
         `thinscope findings` tells what to do"
    )
}

/// The kernel ends some parameters with a space, which those who print them leave out.
fn is_same(is: &[DmTarget], was: &[DmTarget]) -> bool {
    let bare = |target: &DmTarget| {
        let params = target.params.0.trim_ascii_end().to_vec();
        (target.start, target.length, target.kind.clone(), params)
    };
    is.iter().map(bare).eq(was.iter().map(bare))
}

/// Every request that may be needed, before the first is sent.
fn prepare<'a>(
    window: &Window,
    control: &'a Control,
    read_only: u32,
) -> Result<Prepared<'a>, String> {
    let dev = window.device;
    let load = |table| {
        let bytes = wire::load_request(dev, read_only, table);
        bytes.and_then(|bytes| Request::new(Change::Load, bytes))
    };
    let plain = |change, flags| Request::new(change, wire::request(Some(dev), flags).to_vec());
    let unwritable = || "a table cannot be written down for the kernel".to_owned();
    Ok(Prepared {
        control: control.node().map_err(|failure| failure.why)?,
        load_new: load(&window.new).ok_or_else(unwritable)?,
        load_old: load(&window.old).ok_or_else(unwritable)?,
        clear: plain(Change::Clear, 0).ok_or_else(unwritable)?,
        resume: plain(Change::Resume, RESUME).ok_or_else(unwritable)?,
    })
}

/// How the kernel suspends what it resumes on another table, like LVM suspends a thin pool: what
/// is under way waits inside device-mapper instead of being waited for, and no filesystem is
/// frozen. A pool has none on itself; those on its thin devices go on and only wait for the time
/// of the window.
///
/// The event number stays 0, so the kernel's "change" event carries no udev cookie. A cookie is
/// for whoever waits until udev has done its work, and nothing may be waited for here: the nodes
/// exist already, and udev's rules keep what they knew of a device whose event has no flags.
pub(super) const RESUME: u32 = flag::NO_FLUSH | flag::SKIP_LOCKFS;

/// The device after the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    Suspended,
    RunsOld,
    Runs,
    Unseen,
}

impl After {
    fn read(window: &Window, control: &Control) -> Self {
        let Ok(state) = control.state(window.device) else { return Self::Unseen };
        if state.flags & flag::SUSPENDED != 0 {
            return Self::Suspended;
        }
        match control.exact_table(window.device) {
            Ok(table) if is_same(&table, &window.old) => Self::RunsOld,
            _ => Self::Runs,
        }
    }
}

fn told(window: &Window, ended: Ended, cut_off: bool, after: After) -> Acted {
    let at = format!("device {} ({})", window.device, Printable::from_text(&window.name));
    let refused = |what: &str, errno: Errno, runs: &str| Acted::Refused {
        why: format!("{what} {at} ({}); {runs}, and `dmesg` says more", errno.desc()),
    };
    match (ended, after) {
        (Ended::Stuck { .. }, After::Unseen) | (_, After::Suspended) => {
            Acted::Failed { why: stuck(window, &at, ended) }
        }
        (Ended::NotLoaded(errno), _) => {
            refused("the kernel refused the new table of", errno, "the old one runs untouched")
        }
        (Ended::Stuck { new, .. }, After::RunsOld) => {
            refused("the kernel did not suspend", new, "it runs on its old table")
        }
        (Ended::Stuck { new, .. }, After::Runs) => Acted::Failed {
            why: format!(
                "the kernel refused the new table of {at} ({}), yet it runs on another than its \
                 old one: look again",
                new.desc()
            ),
        },
        (Ended::PutBack(errno), _) | (Ended::Unclear(errno), After::RunsOld) => refused(
            "the kernel refused to run the new table of",
            errno,
            "the old one was put back and runs",
        ),
        // in the slot of a device found suspended its old table may have waited
        (Ended::Swapped, After::RunsOld) if cut_off => Acted::Refused {
            why: format!(
                "{at} was suspended, where an earlier attempt was cut off; it runs on its old \
                 table again"
            ),
        },
        (Ended::Swapped | Ended::Unclear(_), _) => Acted::Done,
    }
}

fn stuck(window: &Window, at: &str, ended: Ended) -> String {
    let why = match ended {
        Ended::Stuck { new, old } => format!(
            "the new table does not run ({}) and the old one cannot be put back ({})",
            new.desc(),
            old.desc()
        ),
        _ => "another program has suspended it".to_owned(),
    };
    format!("{at} is suspended: {why}; this brings it back: {}", window.rescue())
}

#[cfg(test)]
mod tests;
