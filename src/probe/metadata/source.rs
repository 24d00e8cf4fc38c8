//! A host's devices and files as a source of metadata blocks.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Laid;
use crate::sys::{FailKind, Failure, Medium, Question, ReadHost, Reply};
use crate::thinmeta::{BLOCK, BlockSource, Extent, ExtentSource, Place};

/// Most bytes of one question.
const MOST: usize = 1 << 20;

/// A device or file, asked through the door.
struct MediumSource<'h> {
    host: &'h dyn ReadHost,
    medium: Medium,
    bytes: u64,
    recorded: Option<Recorded<'h>>,
}

/// How blocks are asked for where a recording is made or read.
#[derive(Clone, Copy)]
pub(super) struct Recorded<'h> {
    /// Set when a block was asked for that is not there.
    pub(super) missing: &'h AtomicBool,
}

/// Opens what holds a pool's metadata on a host that is there.
pub fn open_source<'h>(
    host: &'h dyn ReadHost,
    laid: &Laid,
) -> Result<Box<dyn BlockSource + 'h>, Failure> {
    let nowhere = || Failure { kind: FailKind::NotFound, why: "it lies nowhere".to_owned() };
    open(host, laid, None)?.ok_or_else(nowhere)
}

/// Opens what holds a pool's metadata; `None` when a recording has none of it.
pub(super) fn open<'h>(
    host: &'h dyn ReadHost,
    laid: &Laid,
    recorded: Option<Recorded<'h>>,
) -> Result<Option<Box<dyn BlockSource + 'h>>, Failure> {
    let mut media = Vec::new();
    for medium in &laid.media {
        let bytes = match host.ask(&Question::SizeOf(medium.clone())).result {
            Ok(Reply::Number(bytes)) => bytes,
            Ok(_) => return Err(strange(medium)),
            Err(failure) if failure.kind == FailKind::NotRecorded => return Ok(None),
            Err(failure) => return Err(failure),
        };
        media.push(MediumSource { host, medium: medium.clone(), bytes, recorded });
    }
    if laid.spans.is_empty() {
        let first = media.into_iter().next();
        return Ok(first.map(|medium| Box::new(medium) as Box<dyn BlockSource + 'h>));
    }
    let place = |(source, offset): &(usize, u64)| Place { source: *source, offset: *offset };
    let extents = laid.spans.iter().map(|span| Extent {
        length: span.length,
        stripe: span.stripe,
        places: span.at.iter().map(place).collect(),
    });
    let extents = extents.collect();
    Ok(Some(Box::new(ExtentSource::new(media, extents))))
}

fn strange(medium: &Medium) -> Failure {
    let why = format!("{}: the answer is of another form", medium.describe());
    Failure { kind: FailKind::Malformed, why }
}

impl BlockSource for MediumSource<'_> {
    fn len_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let (mut at, most) = (offset, if self.recorded.is_some() { BLOCK } else { MOST });
        for piece in into.chunks_mut(most) {
            match (self.host.read_into(&self.medium, at, piece), self.recorded) {
                (Ok(()), _) => {}
                // it may only be read through on the way to others: then nobody looks at it
                (Err(failure), Some(recorded)) if failure.kind == FailKind::NotRecorded => {
                    recorded.missing.store(true, Ordering::Relaxed);
                    piece.fill(0);
                }
                (Err(failure), _) => return Err(io::Error::other(failure.why)),
            }
            at = at.saturating_add(piece.len() as u64);
        }
        Ok(())
    }
}
