//! A program that writes to a device past the page cache all the time, and notes how long the
//! longest write took.

use std::fs::File;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const BLOCK: usize = 4096;

/// What the writer has seen when it ends.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) writes: u64,
    pub(crate) longest: Duration,
    pub(crate) error: Option<String>,
}

/// A running writer.
pub(crate) struct Writer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

impl Writer {
    /// Writes round and round over this part of a device.
    pub(crate) fn start(node: &str, part: std::ops::Range<u64>) -> Self {
        let direct = nix::fcntl::OFlag::O_DIRECT.bits();
        let device = File::options().write(true).custom_flags(direct).open(node);
        let device = device.expect("the thin device can be opened");
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        Self { stop, thread: std::thread::spawn(move || write(&device, part, &told)) }
    }

    pub(crate) fn stop(self) -> Seen {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().expect("a writer only notes what it sees")
    }
}

fn write(device: &File, part: std::ops::Range<u64>, stop: &AtomicBool) -> Seen {
    // direct writes want aligned memory
    let memory = vec![0x5a_u8; 2 * BLOCK];
    let from = memory.as_ptr().align_offset(BLOCK);
    let block = &memory[from..from + BLOCK];
    let mut seen = Seen { writes: 0, longest: Duration::ZERO, error: None };
    let mut at = part.start;
    while !stop.load(Ordering::SeqCst) {
        let since = Instant::now();
        if let Err(error) = device.write_all_at(block, at) {
            seen.error = Some(error.to_string());
            return seen;
        }
        seen.longest = seen.longest.max(since.elapsed());
        seen.writes += 1;
        at = if at + 2 * BLOCK as u64 > part.end { part.start } else { at + BLOCK as u64 };
    }
    seen
}
