//! What the kernel tells by itself: device-mapper's global event counter moved, the mount table
//! changed. A thread of its own waits for both, without a timer; it opens no block device and
//! neither wait can hang in the kernel.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;

use devicemapper::DM;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A device was made, removed or renamed, or its target raised an event.
    DeviceMapper,
    /// Something was mounted or unmounted.
    Mounts,
}

/// What can be waited for on this host.
struct Sources {
    /// Not where there is no device-mapper, no permission, or an interface before 4.37.0.
    dm: Option<DM>,
    /// The mount table of this process, which signals POLLPRI (`proc(5)`).
    mounts: Option<File>,
}

/// Calls `tell` for each event, from a thread of its own, until it returns false. Whether there
/// is anything to wait for.
pub fn watch(tell: impl Fn(Event) -> bool + Send + 'static) -> bool {
    let dm = DM::new().ok().filter(|dm| dm.arm_poll().is_ok());
    let mounts = File::open("/proc/self/mountinfo").ok();
    let sources = Sources { dm, mounts };
    let watches_dm = sources.dm.is_some();
    let thread = std::thread::Builder::new().name("watch".to_owned());
    let started = thread.spawn(move || while matches!(sources.wait(&tell), Ok(true)) {});
    watches_dm && started.is_ok()
}

impl Sources {
    /// Waits once; whether to go on.
    fn wait(&self, tell: &impl Fn(Event) -> bool) -> io::Result<bool> {
        let dm =
            self.dm.as_ref().map(|dm| (Event::DeviceMapper, dm.file().as_fd(), PollFlags::POLLIN));
        let mounts =
            self.mounts.as_ref().map(|file| (Event::Mounts, file.as_fd(), PollFlags::POLLPRI));
        let waited: Vec<_> = dm.into_iter().chain(mounts).collect();
        let mut polled: Vec<_> =
            waited.iter().map(|(_, fd, flags)| PollFd::new(*fd, *flags)).collect();
        if polled.is_empty() {
            return Ok(false);
        }
        match poll(&mut polled, PollTimeout::NONE) {
            Err(Errno::EINTR) => return Ok(true),
            other => other?,
        };
        for ((event, ..), polled) in waited.iter().zip(&polled) {
            let happened = polled.any().unwrap_or(false);
            // armed again before anybody looks, so that nothing that happens meanwhile is lost
            if happened && *event == Event::DeviceMapper {
                self.dm.as_ref().map(DM::arm_poll).transpose().map_err(io::Error::other)?;
            }
            if happened && !tell(*event) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
