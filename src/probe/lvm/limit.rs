//! How long LVM may take: the longer the more it has to tell, and never for ever.
//!
//! Pure. Knows how many devices LVM has and nothing of how it is called.

use std::time::Duration;

use crate::probe::dm::SeenDm;

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

/// What all calls of one look come to at most, with what is asked around them: a call with locks
/// and one without them. What a version refuses for a field that it does not have takes no time.
pub const LONGEST: Duration = Duration::from_secs(500);

/// How long a call may take on one host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limit {
    volumes: u32,
}

impl Limit {
    /// By the devices that the kernel has: those of LVM's are told by their uuid.
    pub(super) fn of(devices: &[SeenDm]) -> Self {
        let is_lvm = |device: &&SeenDm| device.device.uuid.0.starts_with(b"LVM-");
        let volumes = devices.iter().filter(is_lvm).count();
        Self { volumes: u32::try_from(volumes).unwrap_or(u32::MAX) }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing::{dm, seen_dm};

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
        assert_eq!(Limit::of(&seen.devices), of(2));
    }
}
