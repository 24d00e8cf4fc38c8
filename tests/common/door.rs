//! Metadata in a file as the program itself reads it: through the door.
#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::path::Path;

use thinscope::probe::metadata::{Laid, open_source};
use thinscope::sys::live::Live;
use thinscope::sys::{Failure, HostPath, Medium};
use thinscope::thinmeta::BlockSource;

/// Opens a file, for as long as the test lasts.
pub(crate) fn open(path: &Path) -> Result<Box<dyn BlockSource>, Failure> {
    let live: &'static Live = Box::leak(Box::new(Live::new(None)));
    let laid = Laid::whole(Medium::File(HostPath::new(path)), None);
    open_source(live, &laid)
}
