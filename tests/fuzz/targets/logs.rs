//! Records of the kernel's log and of the journal, told as events of a host's pools.
#![no_main]

#[path = "../shared/all.rs"]
mod shared;

use std::sync::{LazyLock, Mutex};

use libfuzzer_sys::fuzz_target;
use thinscope::events::{Differ, LogLine, LogSource};
use thinscope::sys::live::logs::{Log, Said, said};

/// Has seen the host, so that lines can be about its pool.
static DIFFER: LazyLock<Mutex<Differ>> = LazyLock::new(|| {
    let mut differ = Differ::default();
    differ.take(&shared::snapshot_of(&*shared::SOUND), 0);
    Mutex::new(differ)
});

fuzz_target!(|record: &[u8]| {
    let differ = DIFFER.lock().expect("no panic under it");
    for (log, source) in [(Log::Kernel, LogSource::Kernel), (Log::Lvm, LogSource::Lvm)] {
        let Some(Said::Line(text)) = said(log, record) else { continue };
        let event = differ.line(&LogLine::Line(source, text), 0);
        let shown = event.text.as_str();
        assert!(!shown.chars().any(char::is_control), "{shown:?}");
        // an unprintable character is shown as some ten
        assert!(shown.chars().count() <= 400 * 10, "{} characters", shown.chars().count());
    }
});
