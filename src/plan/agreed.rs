//! What lies on a device right before it is taken, against what was agreed to be lost. Between a
//! plan and its run a disk may have been given a filesystem, or another disk its name.

use super::Action;
use super::around::{Around, Want};

/// What must be looked at again right before an action.
pub fn want(action: &Action) -> Option<Want> {
    match action {
        Action::CreatePv { device, .. } => Some(Want::Device(device.clone())),
        _ => None,
    }
}

/// Why an action is more than was agreed to; `None` when it is not.
pub fn breach(action: &Action, around: &Around) -> Option<String> {
    let Action::CreatePv { device, number, holds, .. } = action else { return None };
    let unseen = |why: &str| {
        format!("what lies on {device} could not be looked at again: {why}; it is not taken unseen")
    };
    let Some(seen) = around.devices.get(device) else { return Some(unseen("no answer came")) };
    let found = match &seen.signatures {
        Some(Ok(found)) => found,
        Some(Err(why)) => return Some(unseen(why)),
        None => return Some(unseen("no answer came")),
    };
    if let Some(was) = number
        && seen.number != Some(*was)
    {
        let is = seen.number.map_or_else(|| "no device".to_owned(), |is| is.to_string());
        return Some(format!(
            "{device} is another device than the one that was agreed to: {is}, not {was}; make a \
             new plan"
        ));
    }
    let new: Vec<&str> =
        found.iter().filter(|one| !holds.contains(one)).map(String::as_str).collect();
    (!new.is_empty()).then(|| {
        format!(
            "{device} holds {} now, and nobody agreed to lose that: look what it is, and make a \
             new plan",
            new.join(", ")
        )
    })
}
