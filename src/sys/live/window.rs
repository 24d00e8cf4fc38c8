//! The window: load, suspend, resume, and the way back.
//!
//! Suspending and resuming are one call: told to resume a device that is not suspended, the kernel
//! suspends it itself, with the flags of the call, before it takes the new table. So the device is
//! suspended only while this process is inside the kernel, where not even SIGKILL ends it, and no
//! other process can be scheduled in between.
//!
//! Beside `ioctl.rs` the only file with `unsafe`, and the only one that names device-mapper
//! commands that change something. Every request is built before the first one is sent. From then
//! on nothing is allocated, printed, opened, logged or waited for, nothing is indexed, and
//! whatever the kernel answers, the last thing that is tried is a resume. Knows no tables and no
//! words: what it found is told afterwards.

#![allow(unsafe_code, reason = "ioctl has no safe form; see the block")]

use std::fs::File;
use std::os::fd::AsRawFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::time::{ClockId, clock_gettime};

use super::ioctl::HEADER_LEN;

nix::ioctl_readwrite!(dm_dev_suspend, 0xfd, 6, [u8; HEADER_LEN]);
nix::ioctl_readwrite!(dm_table_load, 0xfd, 9, [u8; HEADER_LEN]);
nix::ioctl_readwrite!(dm_table_clear, 0xfd, 10, [u8; HEADER_LEN]);

/// A device-mapper command that changes something (`linux/dm-ioctl.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Puts a table into the inactive slot, over the one that is there.
    Load,
    /// Empties the inactive slot.
    Clear,
    /// Takes the inactive table and resumes; what runs is suspended for that.
    Resume,
}

/// Where the header says how long the whole buffer is.
const DATA_SIZE_AT: std::ops::Range<usize> = 12..16;

/// One request, ready to be sent any number of times.
#[derive(Debug)]
pub(super) struct Request {
    change: Change,
    /// The header as it is sent: the kernel writes its answer over it.
    header: [u8; HEADER_LEN],
    bytes: Vec<u8>,
}

impl Request {
    /// `None` when there is no whole header in `bytes`.
    pub(super) fn new(change: Change, bytes: Vec<u8>) -> Option<Self> {
        let mut header = *bytes.first_chunk::<HEADER_LEN>()?;
        let length = u32::try_from(bytes.len()).ok()?;
        header[DATA_SIZE_AT].copy_from_slice(&length.to_ne_bytes());
        Some(Self { change, header, bytes })
    }

    /// Sends it.
    pub(super) fn send(&mut self, control: &File) -> Result<(), Errno> {
        let bytes = self.bytes.first_chunk_mut::<HEADER_LEN>().ok_or(Errno::EINVAL)?;
        *bytes = self.header;
        let (fd, data) = (control.as_raw_fd(), self.bytes.as_mut_ptr().cast::<[u8; HEADER_LEN]>());
        // SAFETY: the kernel reads and writes at most `data_size` bytes from `data`, and
        // `data_size` was set to the length of `bytes`, which never changes, by `new`. The buffer
        // is borrowed mutably for the whole call. Bytes have no alignment and no invalid values,
        // and the kernel copies, it keeps no pointer.
        let done = unsafe {
            match self.change {
                Change::Load => dm_table_load(fd, data),
                Change::Clear => dm_table_clear(fd, data),
                Change::Resume => dm_dev_suspend(fd, data),
            }
        };
        done.map(|_| ())
    }
}

/// What is sent in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    LoadNew,
    LoadOld,
    Clear,
    Resume,
}

/// Whom it is sent to.
pub(super) trait Kernel {
    /// Sends one of the requests.
    fn send(&mut self, call: Call) -> Result<(), Errno>;
    /// Time that only goes forward, in nanoseconds.
    fn now(&self) -> u64;
}

/// The requests of one window and the node they go to.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    pub control: &'a File,
    pub load_new: Request,
    pub load_old: Request,
    pub clear: Request,
    pub resume: Request,
}

impl Kernel for Prepared<'_> {
    fn send(&mut self, call: Call) -> Result<(), Errno> {
        let request = match call {
            Call::LoadNew => &mut self.load_new,
            Call::LoadOld => &mut self.load_old,
            Call::Clear => &mut self.clear,
            Call::Resume => &mut self.resume,
        };
        request.send(self.control)
    }

    fn now(&self) -> u64 {
        // a clock that every kernel has; read without entering it. A `Duration` made here could
        // panic, by what its code says
        let Ok(now) = clock_gettime(ClockId::CLOCK_MONOTONIC) else { return 0 };
        now.tv_sec()
            .cast_unsigned()
            .saturating_mul(1_000_000_000)
            .saturating_add(now.tv_nsec().cast_unsigned())
    }
}

/// How a window ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The device runs on the new table.
    Swapped,
    /// The new table was refused at once; the running one was never touched.
    NotLoaded(Errno),
    /// The new table was refused when it was to run; the device runs on the old one again.
    PutBack(Errno),
    /// It was resumed without the old table in its slot, after the new one was refused once: one
    /// of the two runs.
    Unclear(Errno),
    /// Whatever was tried, neither table was taken.
    Stuck {
        /// Why the new table does not run.
        new: Errno,
        /// Why the old one does not.
        old: Errno,
    },
}

/// A table refused at resume may be answered once more where memory was short.
const ROUNDS: u32 = 3;

/// Passes through the window; how it ended and how long it was open. A function of its own in the
/// program too, so that its machine code can be read.
#[inline(never)]
pub(super) fn pass(kernel: &mut impl Kernel) -> (Ended, Duration) {
    if let Err(errno) = kernel.send(Call::LoadNew) {
        // nothing is in the slot, unless somebody put it there meanwhile
        let _ = kernel.send(Call::Clear);
        return (Ended::NotLoaded(errno), Duration::ZERO);
    }
    finish(kernel)
}

/// The window itself, and what is left of it where a device was found suspended on the new table:
/// whoever was in the window died there.
#[inline(never)]
pub(super) fn finish(kernel: &mut impl Kernel) -> (Ended, Duration) {
    let since = kernel.now();
    let ended = resume(kernel);
    (ended, Duration::from_nanos(kernel.now().saturating_sub(since)))
}

fn resume(kernel: &mut impl Kernel) -> Ended {
    match kernel.send(Call::Resume) {
        Ok(()) => Ended::Swapped,
        Err(errno) => put_back(kernel, errno),
    }
}

/// Mostly the new table is live now and the device suspended: neither clearing nor resuming again
/// helps, only the old table does. Where the device could not even be suspended, it gets the table
/// that it has.
fn put_back(kernel: &mut impl Kernel, new: Errno) -> Ended {
    let mut old = new;
    for _ in 0..ROUNDS {
        let loaded = kernel.send(Call::LoadOld);
        match kernel.send(Call::Resume) {
            Ok(()) if loaded.is_err() => return Ended::Unclear(new),
            Ok(()) => return Ended::PutBack(new),
            Err(errno) => old = loaded.err().unwrap_or(errno),
        }
    }
    Ended::Stuck { new, old }
}

#[cfg(test)]
mod tests;
