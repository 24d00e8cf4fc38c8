//! Replaces a device's table: what is checked before the window and what is said after it.
//!
//! The window itself is in `window.rs`.

use std::time::Duration;

use super::ready::make_ready;
use crate::ids::DevNo;
use crate::sys::DmTarget;
use crate::sys::live::dm::Control;
use crate::sys::live::dm::wire::{self, flag};
use crate::sys::live::window::{Change, Ended, Prepared, Request, pass};
use crate::sys::write::{Acted, Window};
use crate::text::Printable;

/// Replaces it, and measures how long the device was suspended.
pub(super) fn swap(window: &Window, say: &mut dyn FnMut(&str)) -> (Acted, Option<Duration>) {
    let control = Control::default();
    let mut prepared = match check(window, &control).and_then(|flags| {
        let prepared = prepare(window, &control, flags)?;
        make_ready()?;
        Ok(prepared)
    }) {
        Ok(prepared) => prepared,
        Err(why) => return (Acted::Refused { why }, None),
    };
    let (ended, open) = pass(&mut prepared);
    if !matches!(ended, Ended::NotLoaded(_)) {
        say(&format!("suspended for {:.3} ms", open.as_secs_f64() * 1000.0));
    }
    let acted = told(window, ended, is_suspended(&control, window.device));
    (acted, Some(open))
}

/// The device is still the one that was planned for; its read-only flag, which a table carries.
fn check(window: &Window, control: &Control) -> Result<u32, String> {
    let at = format!("device {} ({})", window.device, Printable::from_text(&window.name));
    let state = control.state(window.device).map_err(|failure| failure.why)?;
    let changed = |what: &str, is: &Printable| format!("{at} has another {what} now: {is}");
    if state.name.0 != window.name.as_bytes() {
        return Err(changed("name", &Printable::from_bytes(&state.name.0)));
    }
    if state.uuid.0 != window.uuid.as_bytes() {
        return Err(changed("uuid", &Printable::from_bytes(&state.uuid.0)));
    }
    if state.flags & flag::SUSPENDED != 0 {
        return Err(format!(
            "{at} is suspended: another program changes it, or one that did has ended in the \
             middle; `thinscope findings` tells what to do"
        ));
    }
    if state.flags & flag::INACTIVE_PRESENT != 0 {
        return Err(format!(
            "{at} has a table in its inactive slot that is not ours: another program changes it, \
             or one that did has ended in the middle"
        ));
    }
    let table = control.exact_table(window.device).map_err(|failure| failure.why)?;
    if !is_same(&table, &window.old) {
        return Err(format!("{at} has another table than when this was planned: look again"));
    }
    Ok(state.flags & flag::READ_ONLY)
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
        suspend: plain(Change::SuspendOrResume, SUSPEND).ok_or_else(unwritable)?,
        resume: plain(Change::SuspendOrResume, RESUME).ok_or_else(unwritable)?,
    })
}

/// Like LVM suspends a thin pool: what is under way waits inside device-mapper instead of being
/// waited for, and no filesystem is frozen. A pool has none on itself; those on its thin devices
/// go on and only wait for the time of the window.
const SUSPEND: u32 = flag::SUSPENDED | flag::NO_FLUSH | flag::SKIP_LOCKFS;

/// The same flags: they count where resuming has to suspend for itself.
///
/// The event number stays 0, so the kernel's "change" event carries no udev cookie. A cookie is
/// for whoever waits until udev has done its work, and nothing may be waited for here: the nodes
/// exist already, and udev's rules keep what they knew of a device whose event has no flags.
pub(super) const RESUME: u32 = flag::NO_FLUSH | flag::SKIP_LOCKFS;

/// `None` when it cannot be told.
fn is_suspended(control: &Control, dev: DevNo) -> Option<bool> {
    control.state(dev).ok().map(|state| state.flags & flag::SUSPENDED != 0)
}

fn told(window: &Window, ended: Ended, suspended: Option<bool>) -> Acted {
    let at = format!("device {} ({})", window.device, Printable::from_text(&window.name));
    if suspended == Some(true) {
        return Acted::Failed { why: stuck(window, &at, ended) };
    }
    let why = match ended {
        Ended::Swapped => return Acted::Done,
        Ended::NotLoaded(errno) => format!(
            "the kernel refused the new table of {at} ({}); the old one runs untouched, and \
             `dmesg` says more",
            errno.desc()
        ),
        Ended::NotSuspended(errno) => {
            format!("{at} could not be suspended ({}); it runs on its old table", errno.desc())
        }
        Ended::PutBack(errno) => format!(
            "the kernel refused to run the new table of {at} ({}); the old one was put back and \
             runs, and `dmesg` says more",
            errno.desc()
        ),
        Ended::Unclear(errno) => {
            let why = format!(
                "the kernel refused to run the new table of {at} at first ({}); now it runs, and \
                 looking again tells on which",
                errno.desc()
            );
            return Acted::Failed { why };
        }
        Ended::Stuck { .. } => return Acted::Failed { why: stuck(window, &at, ended) },
    };
    Acted::Refused { why }
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
