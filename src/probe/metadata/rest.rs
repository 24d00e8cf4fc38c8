//! Whether a pool rests: what its metadata counts as used and no device reaches is lost only then.
//!
//! The kernel marks a data block as used before it is written and enters it into a device's
//! mappings after that (`drivers/md/dm-thin.c`, `provision_block` and `process_prepared_mapping`);
//! a commit in between leaves it used and unreached. What is entered is committed within
//! `COMMIT_PERIOD`, one second, at the next tick of as long a clock. So where nothing was committed
//! for longer than both, and no write to the data is under way, nothing is on its way either.

use std::time::Duration;

use crate::ids::DevNo;
use crate::probe::ask;
use crate::sys::{HostPath, Keep, Question, ReadHost};
use crate::thinmeta::Writes;

/// How often and how long is waited between two glances at the counters: longer together than two of
/// the kernel's periods.
const WAITS: usize = 10;
const BETWEEN: Duration = Duration::from_millis(250);

/// Whether nothing was committed since these writes were counted, nor is for a while, and nothing
/// is being written to the data. Ends early where something is. A recording gives the glances that
/// were taken when it was made.
pub(super) fn is_at_rest(
    host: &dyn ReadHost,
    (pool, data): (Option<DevNo>, Option<DevNo>),
    (metadata, since): (DevNo, Option<Writes>),
) -> bool {
    // what thin devices hand on counts for the pool, what the pool copies and zeroes for its data
    let (Some(pool), Some(data)) = (pool, data) else { return false };
    let rests = || {
        let now = read_writes(host, metadata);
        let idle = |dev| read_under_way(host, dev) == Some(0);
        now.is_some() && now == since && idle(pool) && idle(data)
    };
    rests()
        && (0..WAITS).all(|_| {
            host.wait(BETWEEN);
            rests()
        })
}

/// The writes that a device has seen, and those under way.
pub(super) fn read_writes(host: &dyn ReadHost, dev: DevNo) -> Option<Writes> {
    let complete = read_number(host, dev, ("stat", 4))?;
    Some(Writes { complete, under_way: read_under_way(host, dev)? })
}

/// The writes to a device that are under way: the second number of its `inflight`.
fn read_under_way(host: &dyn ReadHost, dev: DevNo) -> Option<u64> {
    read_number(host, dev, ("inflight", 1))
}

/// A number of a file of a device in sysfs, by its place.
fn read_number(host: &dyn ReadHost, dev: DevNo, (file, at): (&str, usize)) -> Option<u64> {
    let path = HostPath::new(format!("/sys/dev/block/{dev}/{file}"));
    let text = ask::bytes(host, &Question::File { path, keep: Keep::All, within: None }).ok()?;
    let text = String::from_utf8_lossy(&text.0);
    text.split_ascii_whitespace().nth(at)?.parse().ok()
}
