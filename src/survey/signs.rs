//! Whether anything changed, without looking at everything: a number over the few things in
//! which a change shows itself.
//!
//! Device-mapper counts events for most changes, but not for a suspend, and not for a pool that
//! fills: those are asked. Engines write their files by renaming new ones into place, which
//! dates the folder.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::order::Signs;
use crate::sys::capture::Recording;
use crate::sys::{DmDevice, HostPath, Keep, Question, Raw, ReadHost, Reply, Source};

/// The number; equal when nothing changed. The hasher's keys are fixed, so that two processes of
/// one program agree.
pub(super) fn digest(host: &dyn ReadHost, signs: &Signs, disks: &mut Disks) -> u64 {
    let mut sum = DefaultHasher::new();
    if signs.block {
        disks.sum(host).hash(&mut sum);
    }
    let mut add = |question: Question| {
        let answer = host.ask(&question).result;
        add_reply(answer.as_ref().ok(), &mut sum);
        answer.ok()
    };
    if signs.list {
        add(Question::DmList);
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

/// The state of every device-mapper device, as a number: what is suspended raises no event.
pub(super) fn states(host: &dyn ReadHost) -> u64 {
    sum_of_states(|question| host.ask(question).result.ok())
}

/// The same of what a look saw; `None` where it did not see which devices there are.
pub(super) fn states_of(recording: &Recording) -> Option<u64> {
    let mut seen = HashMap::new();
    for (question, answer) in recording.answers() {
        if matches!(question, Question::DmList | Question::DmDevice(_)) {
            seen.insert(question, answer.result.as_ref().ok());
        }
    }
    let is_whole = seen.get(&Question::DmList).is_some_and(Option::is_some);
    is_whole.then(|| sum_of_states(|question| seen.get(question).copied().flatten().cloned()))
}

fn sum_of_states(answer: impl Fn(&Question) -> Option<Reply>) -> u64 {
    let mut sum = DefaultHasher::new();
    let listed = answer(&Question::DmList);
    add_reply(listed.as_ref(), &mut sum);
    if let Some(Reply::DmList(listed)) = listed {
        for device in listed {
            add_reply(answer(&Question::DmDevice(device.dev)).as_ref(), &mut sum);
        }
    }
    sum.finish()
}

/// What is said of disks, as a number. To read all of it for each number is most of what a quiet
/// host would cost: it is read when the kernel has counted an event of any device since.
#[derive(Debug, Default)]
pub(super) struct Disks {
    count: Option<Raw>,
    sum: u64,
    /// It was the same number twice at this count.
    settled: bool,
}

impl Disks {
    fn sum(&mut self, host: &dyn ReadHost) -> u64 {
        let count = match host.ask(&uevents()).result {
            Ok(Reply::Bytes(count)) => Some(count),
            _ => None,
        };
        let no_event = count.is_some() && count == self.count;
        if no_event && self.settled {
            return self.sum;
        }
        let answer = host.ask(&Question::SysBlock).result.ok();
        let mut sum = DefaultHasher::new();
        add_reply(answer.as_ref(), &mut sum);
        let sum = sum.finish();
        // a disk that goes is counted before it is gone: once more at the same count tells
        let settled = no_event && self.sum == sum && !has_files(answer.as_ref());
        *self = Self { count, sum, settled };
        sum
    }
}

/// Whether there is a file under a loop device: it grows without an event.
fn has_files(reply: Option<&Reply>) -> bool {
    match reply {
        Some(Reply::SysBlock(devices)) => {
            devices.iter().any(|device| device.attrs.contains_key("loop/backing_file"))
        }
        _ => true,
    }
}

/// How many events the kernel's devices have raised (`Documentation/ABI/testing/sysfs-kernel-uevents`
/// names it): a disk that comes, goes, or gets another size raises one.
fn uevents() -> Question {
    let path = HostPath::new("/sys/kernel/uevent_seqnum");
    Question::File { path, keep: Keep::All, within: None }
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
    use std::collections::BTreeMap;

    use super::*;
    use crate::ids::DevNo;
    use crate::sys::{Answer, DmListed, FailKind, SysBlockDevice};

    /// Two devices, of which the second may be suspended.
    fn dm(suspended: bool) -> Recording {
        let mut dm = Recording::new(Source::Dm);
        let devices = [DevNo::new(253, 0), DevNo::new(253, 1)];
        let listed = devices.map(|dev| DmListed { dev, name: Raw::from("n"), event_nr: Some(0) });
        dm.push(Question::DmList, Answer::ok(Reply::DmList(listed.to_vec())));
        for (dev, suspended) in devices.into_iter().zip([false, suspended]) {
            let device = DmDevice { suspended, ..DmDevice::default() };
            dm.push(Question::DmDevice(dev), Answer::ok(Reply::DmDevice(device)));
        }
        dm
    }

    #[test]
    fn what_a_look_saw_of_all_states_is_the_same_sum_as_the_host_gives_to_whoever_asks_later() {
        let sums = [false, true].map(|suspended| states_of(&dm(suspended)));
        assert_eq!(sums, [false, true].map(|suspended| Some(states(&dm(suspended)))));
        assert_ne!(sums[0], sums[1]);
    }

    #[test]
    fn without_a_list_nothing_is_known_of_all_states() {
        let mut dm = Recording::new(Source::Dm);
        assert_eq!(states_of(&dm), None);
        dm.push(Question::DmList, Answer::failed(FailKind::Denied, "no"));
        assert_eq!(states_of(&dm), None);
    }

    /// A host with a count of events and one disk that is told of in these words.
    fn disks_at(count: Option<&str>, size: &str, file: bool) -> Recording {
        let mut host = Recording::new(Source::Block);
        let answer = count.map_or_else(
            || Answer::failed(FailKind::NotFound, "no"),
            |count| Answer::ok(Reply::Bytes(Raw::from(count))),
        );
        host.push(uevents(), answer);
        let mut attrs = BTreeMap::from([("size".to_owned(), Raw::from(size))]);
        attrs.extend(file.then(|| ("loop/backing_file".to_owned(), Raw::from("/f"))));
        let disk = SysBlockDevice { attrs, ..SysBlockDevice::default() };
        host.push(Question::SysBlock, Answer::ok(Reply::SysBlock(vec![disk])));
        host
    }

    #[test]
    fn disks_are_read_again_when_the_kernel_has_counted_an_event() {
        let signs = Signs { block: true, ..Signs::default() };
        let mut disks = Disks::default();
        let mut sum = |count, size, file| digest(&disks_at(count, size, file), &signs, &mut disks);
        let first = sum(Some("7"), "8", false);
        // read at a new count it is read once more
        let second = sum(Some("7"), "9", false);
        assert_ne!(first, second);
        assert_eq!([sum(Some("7"), "9", false), sum(Some("7"), "8", false)], [second, second]);
        assert_eq!(sum(Some("8"), "8", false), first, "the same number for the same disks");
        // where nothing is counted, and where files grow under loop devices, it is always read
        assert_eq!([sum(None, "8", false), sum(None, "9", false)], [first, second]);
        let files = ["8", "8", "8", "9"].map(|size| sum(Some("9"), size, true));
        assert!(files[0] == files[2] && files[2] != files[3], "{files:?}");
    }

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
