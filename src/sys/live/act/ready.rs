//! Makes this process fit to hold devices suspended: nothing that it needs may lie on them.

use std::fs;
use std::hint::black_box;

use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::signal::SigSet;

/// More than the deepest call in a window needs.
const STACK: usize = 16 << 10;

/// Program, libraries and memory are read in and stay; no signal comes through; the kernel takes
/// another process when memory is short. Refused where memory cannot be locked.
pub(super) fn make_ready() -> Result<(), String> {
    // a suspend that a signal interrupts is given up
    SigSet::all().thread_block().map_err(|errno| format!("signals cannot be blocked: {errno}"))?;
    // may be forbidden; the locked memory is what counts
    let _ = fs::write("/proc/self/oom_score_adj", "-1000");
    touch_stack();
    mlockall(MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE).map_err(|errno| {
        format!(
            "this process cannot lock its memory ({}), and without that it must not hold a device \
             suspended; run thinscope as root, outside a container",
            errno.desc()
        )
    })
}

#[inline(never)]
fn touch_stack() {
    black_box([0_u8; STACK]);
}
