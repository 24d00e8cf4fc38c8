//! A recorded host: the questions that were asked and what was answered, in one file.
//!
//! A gzip stream of JSON lines: a [`Header`], then a line for each answer, grouped by source in
//! the order of [`Source::ALL`](super::Source::ALL), then a line with their count, so that a file
//! that was cut is known to be. Fixture, bug report, demo and `--from` are the same file, and the
//! lines are also what a probe child prints. Read source by source and bounded, because a file
//! comes from anywhere. Knows nothing of what an answer means.
//!
//! ```text
//! {"thinscope_capture":1,"version":"0.1.0","host":{…},"time":1700000000,"options":{…}}
//! {"source":"dm","question":{"dm-device":"253:3"},"answer":{"ms":0,"result":{"Ok":{…}}}}
//! {"source":"lvm","broken_off":"no answer within 10 s to `lvm fullreport`"}
//! {"end":{"records":1}}
//! ```

mod line;
mod read;
mod recorder;
mod recording;
mod write;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::HostInfo;

pub use line::{Line, parse_line, write_answer};
pub use read::Reader;
pub use recorder::{Recorder, Sink};
pub use recording::Recording;
pub use write::Writer;

/// The format that is written, and the only one that is read.
pub const FORMAT: u64 = 1;

/// Longest line. One line holds one answer; the door bounds those at 64 MiB of content.
pub const LONGEST_LINE: usize = 128 << 20;

/// Longest recording, unpacked: ten times a host of 100,000 thin devices.
const LONGEST: u64 = 1 << 30;

/// The first line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    #[serde(rename = "thinscope_capture")]
    pub format: u64,
    /// The version of thinscope that wrote it.
    pub version: String,
    /// The host.
    pub host: HostInfo,
    /// When it was written, seconds since 1970.
    pub time: i64,
    /// How it was looked at; whoever asked knows the shape.
    #[serde(default)]
    pub options: Value,
}

impl Header {
    /// A header of this version's format.
    pub fn new(host: HostInfo, options: Value) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        Self { format: FORMAT, version, time: host.time, host, options }
    }
}

/// Why a file cannot be read as a recording at all.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// It is something else.
    #[error("it is not a thinscope recording ({0}); `thinscope capture` writes one")]
    NotACapture(String),
    /// Another version's.
    #[error(
        "it is a recording of format {found}, written by thinscope {version}; this version reads \
         format {FORMAT} only"
    )]
    OtherFormat {
        /// Its format.
        found: u64,
        /// Who wrote it.
        version: String,
    },
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Io(#[from] std::io::Error),
}

#[cfg(test)]
mod tests;
