//! How long LVM may take: the longer the more it has to tell, and never for ever.
//!
//! Knows how many devices and volumes LVM has and nothing of how it is called.

use std::time::Duration;

use crate::probe::ask;
use crate::probe::dm::SeenDm;
use crate::sys::{HostPath, Question, ReadHost, Reply};

/// With its locks, where there is little to tell; beyond it hangs on a lock or a device.
const LOCKED: Duration = Duration::from_secs(10);
/// The same without locks.
const UNLOCKED: Duration = Duration::from_secs(6);
/// For a lock that somebody is seen to hold: most are held for an instant. However much there is
/// to tell, for without locks it comes, too.
const HELD: Duration = Duration::from_secs(2);
/// So much more for each of its devices: a full report on 10,000 thin volumes took from 40 to 120
/// seconds, by the machine.
const EACH: Duration = Duration::from_millis(20);
/// One call, however many they are.
const LONGEST_CALL: Duration = Duration::from_secs(240);

/// Where LVM keeps a copy of each group's metadata, and how many of them are asked for their size.
const COPIES: &str = "/etc/lvm/backup";
const MOST_COPIES: usize = 64;
/// What a thin volume takes in there, about: its name, times, host and one segment.
const BYTES_EACH: u64 = 450;

/// What all calls of one look come to at most, with what is asked around them: a call with locks
/// and one without them. What a version refuses for a field that it does not have takes no time.
pub const LONGEST: Duration = Duration::from_secs(500);

/// How long a call may take on one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    volumes: u32,
}

impl Limit {
    /// By the devices that the kernel has: those of LVM's are told by their uuid. And by the volumes
    /// that LVM's own copies have room for: most may be inactive.
    pub(super) fn of(host: &dyn ReadHost, devices: &[SeenDm]) -> Self {
        let is_lvm = |device: &&SeenDm| device.device.uuid.0.starts_with(b"LVM-");
        let active = u64::try_from(devices.iter().filter(is_lvm).count()).unwrap_or(u64::MAX);
        let volumes = active.max(bytes_of_copies(host) / BYTES_EACH);
        Self { volumes: u32::try_from(volumes).unwrap_or(u32::MAX) }
    }

    /// Where nothing is known of either.
    pub(super) const fn least() -> Self {
        Self { volumes: 0 }
    }

    /// With locks, one of which is seen to be held or none.
    pub(super) fn locked(self, held: bool) -> Duration {
        if held { HELD } else { self.grown(LOCKED) }
    }

    /// Without them.
    pub(super) fn unlocked(self) -> Duration {
        self.grown(UNLOCKED)
    }

    fn grown(self, least: Duration) -> Duration {
        least.saturating_add(EACH.saturating_mul(self.volumes)).min(LONGEST_CALL)
    }
}

fn bytes_of_copies(host: &dyn ReadHost) -> u64 {
    let folder = HostPath::new(COPIES);
    let Ok(Reply::Entries(entries)) = ask::reply(host, &Question::Dir(folder.clone())) else {
        return 0;
    };
    let sizes = entries.into_iter().take(MOST_COPIES).map(|entry| {
        let path = folder.join(HostPath(entry.name).as_path());
        match ask::reply(host, &Question::Stat(path)) {
            Ok(Reply::Stat(stat)) => stat.size,
            _ => 0,
        }
    });
    sizes.fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::DevNo;
    use crate::probe::testing::{FakeHost, dm, seen_dm};
    use crate::sys::{Answer, DirEntry, EntryKind, FileStat};

    fn of(volumes: u32) -> Limit {
        Limit { volumes }
    }

    #[test]
    fn it_grows_with_lvm_s_devices_and_has_a_bound() {
        let seconds = |limit: Limit| [limit.locked(false), limit.unlocked()].map(|d| d.as_secs());
        assert_eq!(seconds(of(0)), [10, 6]);
        assert_eq!(seconds(of(1_000)), [30, 26]);
        // of the 120 seconds that were seen there is some way to go
        assert_eq!(seconds(of(10_000)), [210, 206]);
        assert_eq!(seconds(of(u32::MAX)), [240, 240]);
        assert_eq!(of(10_000).locked(true), HELD, "what is held is told soon on any host");
    }

    #[test]
    fn two_of_the_longest_calls_fit_into_a_look() {
        assert!(LONGEST_CALL * 2 < LONGEST);
    }

    #[test]
    fn only_lvm_s_own_devices_count() {
        let seen = seen_dm(&[
            ((253, 0), dm("vg-lv", "LVM-0123", "0 8 linear 8:16 0")),
            ((253, 1), dm("docker-8:1-5-base", "", "0 8 thin 253:2 1")),
            ((253, 2), dm("luks", "CRYPT-LUKS2-x-luks", "0 8 crypt aes :64: 0 8:32 0")),
            ((253, 3), dm("vg-tp", "LVM-0123-tpool", "0 8 thin-pool 253:0 253:1 128 0 0")),
        ]);
        assert_eq!(Limit::of(&FakeHost::new([]), &seen.devices), of(2));
        assert_eq!(Limit::of(&copies(&[("a", 1_000), ("b", 350)]), &seen.devices), of(3));
        assert_eq!(Limit::of(&copies(&[("a", 800)]), &seen.devices), of(2));
        assert_eq!(Limit::of(&copies(&[("a", u64::MAX), ("b", 1)]), &[]), of(u32::MAX));
    }

    fn copies(files: &[(&str, u64)]) -> FakeHost {
        let entry =
            |(name, _): &(&str, u64)| DirEntry { name: (*name).into(), kind: EntryKind::File };
        let entries = Answer::ok(Reply::Entries(files.iter().map(entry).collect()));
        let stats = files.iter().map(|(name, size)| {
            let stat = FileStat {
                kind: EntryKind::File,
                dev: DevNo::new(8, 1),
                rdev: DevNo::new(0, 0),
                ino: 1,
                size: *size,
                allocated: *size,
                mtime: 0,
            };
            let path = HostPath::new(COPIES).join(name);
            (Question::Stat(path), Answer::ok(Reply::Stat(stat)))
        });
        FakeHost::new([(Question::Dir(HostPath::new(COPIES)), entries)].into_iter().chain(stats))
    }
}
