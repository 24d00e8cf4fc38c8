//! Whether anything changed, without looking at everything: a number over the few things in
//! which a change shows itself.
//!
//! Device-mapper counts events for most changes, but not for a suspend, and not for a pool that
//! fills: those are asked. Engines write their files by renaming new ones into place, which
//! dates the folder.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::order::Signs;
use crate::sys::capture::Recording;
use crate::sys::{DmDevice, HostPath, Question, ReadHost, Reply, Source};

/// The number; equal when nothing changed. The hasher's keys are fixed, so that two processes of
/// one program agree.
pub(super) fn digest(host: &dyn ReadHost, signs: &Signs) -> u64 {
    let mut sum = DefaultHasher::new();
    let mut add = |question: Question| {
        let answer = host.ask(&question).result;
        add_reply(answer.as_ref().ok(), &mut sum);
        answer.ok()
    };
    if signs.list
        && let Some(Reply::DmList(listed)) = add(Question::DmList)
        && signs.state_of_all
    {
        for device in listed {
            add(Question::DmDevice(device.dev));
        }
    }
    if signs.block {
        add(Question::SysBlock);
    }
    signs.state.iter().for_each(|dev| drop(add(Question::DmDevice(*dev))));
    signs.status.iter().for_each(|dev| drop(add(Question::DmStatus(*dev))));
    signs.stat.iter().for_each(|path| drop(add(Question::Stat(path.clone()))));
    for folder in &signs.below {
        if let Some(Reply::Entries(entries)) = add(Question::Dir(folder.clone())) {
            for entry in entries {
                add(Question::Stat(folder.join(HostPath(entry.name).as_path())));
            }
        }
    }
    sum.finish()
}

fn add_reply(reply: Option<&Reply>, sum: &mut DefaultHasher) {
    match reply {
        Some(Reply::DmList(listed)) => {
            for one in listed {
                (one.dev, &one.name, one.event_nr).hash(sum);
            }
        }
        Some(Reply::DmDevice(device)) => add_device(device, sum),
        Some(Reply::Bytes(bytes)) => bytes.hash(sum),
        Some(Reply::Stat(stat)) => {
            (stat.dev, stat.ino, stat.size, stat.allocated, stat.mtime).hash(sum);
        }
        Some(Reply::Entries(entries)) => {
            for entry in entries {
                (&entry.name, entry.kind).hash(sum);
            }
        }
        // no more are asked than a hundred devices' attributes
        Some(other) => format!("{other:?}").hash(sum),
        None => 0_u8.hash(sum),
    }
}

fn add_device(device: &DmDevice, sum: &mut DefaultHasher) {
    (&device.name, &device.uuid, device.open_count, device.event_nr).hash(sum);
    (device.suspended, device.read_only, device.deferred_remove, device.inactive_table).hash(sum);
    for target in &device.table {
        (target.start, target.length, &target.kind, &target.params).hash(sum);
    }
}

/// What to look at for signs of a change since this recording was made.
pub(super) fn signs_of(recording: &Recording) -> Signs {
    let mut signs = Signs::default();
    match recording.source() {
        Source::Dm => dm_signs(recording, &mut signs),
        Source::Block => signs.block = true,
        Source::Lvm => lvm_signs(&mut signs),
        _ => file_signs(recording, &mut signs),
    }
    signs
}

/// Pools by their status, and pools and what they rest on by their state.
fn dm_signs(recording: &Recording, signs: &mut Signs) {
    signs.list = true;
    for (question, answer) in recording.answers() {
        let (Question::DmDevice(dev), Ok(Reply::DmDevice(device))) = (question, &answer.result)
        else {
            continue;
        };
        if device.table.iter().any(|target| target.kind == "thin-pool") {
            signs.status.push(*dev);
            signs.state.push(*dev);
            signs.state.extend(&device.deps);
        }
    }
    // a recording has no order of its own, a sum has
    signs.status.sort_unstable();
    signs.state.sort_unstable();
    signs.state.dedup();
}

/// LVM writes a copy of a VG's metadata there at every change, unless it was told not to.
fn lvm_signs(signs: &mut Signs) {
    signs.list = true;
    signs.block = true;
    signs.stat = ["backup", "archive", "devices", "profile", "lvm.conf", "lvmlocal.conf"]
        .map(|name| HostPath::new("/etc/lvm").join(name))
        .to_vec();
}

/// None where the time of day was asked: what is told by its age changes while nothing else does.
fn file_signs(recording: &Recording, signs: &mut Signs) {
    if recording.answers().any(|(question, _)| matches!(question, Question::Time)) {
        return;
    }
    for (question, _) in recording.answers() {
        match question {
            // what is below /proc has no times of its own
            Question::File { path, .. } | Question::Dir(path) | Question::Stat(path)
                if !path.0.0.starts_with(b"/proc/") =>
            {
                signs.stat.push(path.clone());
            }
            // committed to in place, which dates the file
            Question::Bolt { path, .. } => signs.stat.push(path.clone()),
            Question::Tree { dir, depth: 1, .. } => signs.stat.push(dir.clone()),
            Question::Tree { dir, .. } => signs.below.push(dir.clone()),
            _ => {}
        }
    }
    signs.stat.sort_unstable();
    signs.stat.dedup();
    signs.below.sort_unstable();
    signs.below.dedup();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::Answer;

    #[test]
    fn what_is_told_by_its_age_changes_without_a_sign() {
        let mut docker = Recording::new(Source::Docker);
        let file = Question::Stat(HostPath::new("/var/lib/docker/devicemapper"));
        docker.push(file, Answer::ok(Reply::Number(0)));
        assert!(!signs_of(&docker).is_empty());
        docker.push(Question::Time, Answer::ok(Reply::Number(1)));
        assert!(signs_of(&docker).is_empty());
    }
}
