//! The calls that safe Rust has no words for: device-mapper's control node, marking a descriptor
//! that somebody left open, what a process does between fork and exec, and a fork without exec.
//!
//! Beside `window.rs` the only file with `unsafe`. It moves bytes and knows nothing of what they
//! mean: requests are written and answers read in `dm/wire.rs`. Of its commands only one changes
//! anything: a message to a target, which `reserve.rs` alone sends.

#![allow(unsafe_code, reason = "these calls have no safe form; see each block")]

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::signal::{
    SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal, sigaction, sigprocmask,
};
use nix::unistd::{ForkResult, Pid, fork, setsid};

/// Length of the kernel's `struct dm_ioctl`, which heads every request and is part of the
/// request's number.
pub(super) const HEADER_LEN: usize = 312;

/// A device-mapper command (`linux/dm-ioctl.h`); all but the last change nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    ListDevices,
    DeviceState,
    TableDeps,
    TableStatus,
    TargetMessage,
}

nix::ioctl_readwrite!(dm_list_devices, 0xfd, 2, [u8; HEADER_LEN]);
nix::ioctl_readwrite!(dm_dev_status, 0xfd, 7, [u8; HEADER_LEN]);
nix::ioctl_readwrite!(dm_table_deps, 0xfd, 11, [u8; HEADER_LEN]);
nix::ioctl_readwrite!(dm_table_status, 0xfd, 12, [u8; HEADER_LEN]);
nix::ioctl_readwrite!(dm_target_msg, 0xfd, 14, [u8; HEADER_LEN]);

/// Where the header says how long the whole buffer is.
const DATA_SIZE_AT: std::ops::Range<usize> = 12..16;

/// Sends one request; the answer overwrites the buffer. The buffer's own length is put into the
/// header, whatever stood there.
pub(super) fn control(
    control: &impl AsRawFd,
    command: Command,
    buffer: &mut [u8],
) -> Result<(), Errno> {
    let length = u32::try_from(buffer.len()).map_err(|_| Errno::EINVAL)?;
    let header = buffer.first_chunk_mut::<HEADER_LEN>().ok_or(Errno::EINVAL)?;
    header[DATA_SIZE_AT].copy_from_slice(&length.to_ne_bytes());
    let (fd, data) = (control.as_raw_fd(), buffer.as_mut_ptr().cast::<[u8; HEADER_LEN]>());
    // SAFETY: the kernel reads and writes at most `data_size` bytes from `data`, and `data_size`
    // was just set to the length of `buffer`, which is borrowed mutably for the whole call. Bytes
    // have no alignment and no invalid values, and the kernel copies, it keeps no pointer.
    let done = unsafe {
        match command {
            Command::ListDevices => dm_list_devices(fd, data),
            Command::DeviceState => dm_dev_status(fd, data),
            Command::TableDeps => dm_table_deps(fd, data),
            Command::TableStatus => dm_table_status(fd, data),
            Command::TargetMessage => dm_target_msg(fd, data),
        }
    };
    done.map(|_| ())
}

/// Keeps one descriptor of this process, by number, from what it starts. One that is not open is
/// none of ours to complain about.
pub(super) fn close_on_exec(number: RawFd) {
    if number < 0 {
        return;
    }
    // SAFETY: the borrow ends with this call and only one fcntl goes through it, which changes
    // nothing but the descriptor's own flag and answers EBADF for a number that is not open.
    let fd = unsafe { BorrowedFd::borrow_raw(number) };
    let _ = fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC));
}

/// What a started program does at a signal that would end or stop it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AtSignal {
    /// Nothing: it goes on.
    GoesOn,
    /// What is usual, whatever whoever started us had said.
    Usual,
}

/// Signals that tell of a fault of the program's own, or of its children.
const ITS_OWN: [Signal; 8] = [
    Signal::SIGCHLD,
    Signal::SIGSEGV,
    Signal::SIGBUS,
    Signal::SIGFPE,
    Signal::SIGILL,
    Signal::SIGTRAP,
    Signal::SIGABRT,
    Signal::SIGSYS,
];

/// Starts a program in a session of its own, with no signal blocked. `kept` is the one descriptor
/// beside the first three that it inherits.
///
/// All of it is in force before the program's first instruction: whoever ends our process group
/// right after the start does not reach it.
pub(super) fn set_apart(
    command: &mut std::process::Command,
    at_signal: AtSignal,
    kept: Option<OwnedFd>,
) {
    let between = move || {
        setsid()?;
        for signal in Signal::iterator() {
            let ignored = at_signal == AtSignal::GoesOn && !ITS_OWN.contains(&signal);
            let handler = if ignored { SigHandler::SigIgn } else { SigHandler::SigDfl };
            let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
            // SAFETY: neither handler is code of ours.
            // KILL and STOP are refused, and stay as they are
            let _ = unsafe { sigaction(signal, &action) };
        }
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
        if let Some(kept) = &kept {
            fcntl(kept, FcntlArg::F_SETFD(FdFlag::empty()))?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec only calls that are safe in a signal handler are made: setsid,
    // sigaction, sigprocmask, fcntl. Nothing is allocated, and an error is only a number.
    unsafe { command.pre_exec(between) };
}

/// Makes a copy of this process: its number here, `None` in the copy. Refused where there is more
/// than one thread, for a copy has only the one that asked, and what the others held stays held.
pub(super) fn fork_alone() -> Result<Option<Pid>, Errno> {
    let threads = std::fs::read_dir("/proc/self/task").map(Iterator::count);
    if !matches!(threads, Ok(1)) {
        return Err(Errno::EBUSY);
    }
    // SAFETY: this is the only thread, as was just seen, and only it could start another: no lock
    // can be held by anybody else, so that the copy may do all that this process may.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(Some(child)),
        ForkResult::Child => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn a_process_with_threads_is_not_copied() {
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || ended.recv());
        assert_eq!(fork_alone(), Err(Errno::EBUSY));
        drop(end);
        assert!(other.join().expect("it only waits").is_err());
    }

    #[test]
    fn a_buffer_shorter_than_the_header_is_refused_before_the_kernel_sees_it() {
        let null = File::open("/dev/null").expect("every Linux has /dev/null");
        assert_eq!(control(&null, Command::ListDevices, &mut [0; 311]), Err(Errno::EINVAL));
    }

    #[test]
    fn a_file_that_is_not_the_control_node_answers_that_it_knows_no_such_request() {
        let null = File::open("/dev/null").expect("every Linux has /dev/null");
        assert_eq!(control(&null, Command::ListDevices, &mut [0; 312]), Err(Errno::ENOTTY));
    }
}
