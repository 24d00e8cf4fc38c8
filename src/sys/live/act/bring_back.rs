//! Brings back devices that were left suspended.

use nix::errno::Errno;

use super::ready::make_ready;
use super::swap::RESUME;
use crate::sys::live::dm::Control;
use crate::sys::live::dm::wire::{self, flag};
use crate::sys::live::window::{Change, Request};
use crate::sys::write::{Acted, Suspended};
use crate::text::Printable;

/// One device that is to be resumed.
struct Prepared<'a> {
    device: &'a Suspended,
    clear: Option<Request>,
    resume: Request,
    cleared: Result<(), Errno>,
    resumed: Result<(), Errno>,
}

/// Resumes them in their order; all are tried, and the first failure is told.
///
/// Words come last: what they are written to may wait for one of the devices.
pub(super) fn bring_back(devices: &[Suspended], say: &mut dyn FnMut(&str)) -> Acted {
    let control = Control::default();
    let node = match control.node() {
        Ok(node) => node,
        Err(failure) => return Acted::Refused { why: failure.why },
    };
    let mut said = Vec::new();
    let mut unfit = Vec::new();
    let mut prepared = Vec::new();
    for device in devices {
        match prepare(&control, device) {
            Ok(Some(one)) => prepared.push(one),
            Ok(None) => said.push(format!("{} runs already", named(device))),
            Err(why) => unfit.push(why),
        }
    }
    if let Err(why) = make_ready() {
        return Acted::Refused { why };
    }
    for one in &mut prepared {
        one.cleared = one.clear.as_mut().map_or(Ok(()), |clear| clear.send(node));
        // not with a table that was to be thrown away
        one.resumed = one.cleared.and_then(|()| one.resume.send(node));
    }
    for line in &said {
        say(line);
    }
    ended(&prepared, unfit, say)
}

fn named(device: &Suspended) -> String {
    format!("device {} ({})", device.device, Printable::from_text(&device.name))
}

/// `None` when it is not suspended.
fn prepare<'a>(control: &Control, device: &'a Suspended) -> Result<Option<Prepared<'a>>, String> {
    let at = named(device);
    let state = control.state(device.device).map_err(|failure| failure.why)?;
    if state.name.0 != device.name.as_bytes() {
        let is = Printable::from_bytes(&state.name.0);
        return Err(format!("{at} has another name now: {is}"));
    }
    if state.flags & flag::SUSPENDED == 0 {
        return Ok(None);
    }
    let request = |change, flags| {
        let bytes = wire::request(Some(device.device), flags).to_vec();
        Request::new(change, bytes).ok_or_else(|| format!("{at} cannot be asked for"))
    };
    let clear = device.clear.then(|| request(Change::Clear, 0)).transpose()?;
    let resume = request(Change::Resume, RESUME)?;
    Ok(Some(Prepared { device, clear, resume, cleared: Ok(()), resumed: Ok(()) }))
}

fn ended(prepared: &[Prepared<'_>], unfit: Vec<String>, say: &mut dyn FnMut(&str)) -> Acted {
    let mut failed = Vec::new();
    for one in prepared {
        match (one.cleared, one.resumed) {
            (Ok(()), Ok(())) => say(&format!("{} runs again", named(one.device))),
            (Err(errno), _) => failed.push(format!(
                "the inactive table of {} cannot be cleared ({}): it was not resumed",
                named(one.device),
                errno.desc()
            )),
            (_, Err(errno)) => failed.push(format!(
                "{} cannot be resumed ({}): its table may be one that the kernel refuses; load \
                 the one it had before, then resume it; `dmesg` says more",
                named(one.device),
                errno.desc()
            )),
        }
    }
    for why in failed.iter().chain(&unfit) {
        say(why);
    }
    // refused only when nothing was touched
    match (failed.into_iter().next(), unfit.into_iter().next()) {
        (None, None) => Acted::Done,
        (None, Some(why)) if prepared.is_empty() => Acted::Refused { why },
        (Some(why), _) | (None, Some(why)) => Acted::Failed { why },
    }
}
