//! Results to standard output, messages to standard error, and what a closed pipe means.

use std::fmt;
use std::io::{self, BufWriter, ErrorKind, Write};

use super::Trouble;
use crate::cli::Command;
use crate::exit::Exit;
use crate::model::metadata::Reservation;
use crate::model::{Gap, Snapshot};
use crate::text::Printable;

/// How much is gathered before it is written: a report of ten thousand rows is some megabytes.
const BUFFER: usize = 64 * 1024;

/// Prints a result. A reader that has seen enough (`| head -1`) ends it quietly.
pub(super) fn stdout(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<Exit, Trouble> {
    let mut out = BufWriter::with_capacity(BUFFER, io::stdout().lock());
    let written = write(&mut out).and_then(|()| out.flush());
    // what could not be written must not be tried again when the buffer goes away
    let _ = out.into_parts();
    match written {
        Ok(()) => Ok(Exit::Done),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Exit::Done),
        Err(error) => {
            Err(Trouble::Failed(format!("the result could not be written to its end: {error}")))
        }
    }
}

/// One line of a result, at once.
pub(super) fn line(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}").and_then(|()| out.flush())
}

/// One message. Where standard error is closed there is nobody to tell.
pub(super) fn message(words: &dyn fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "thinscope: {words}");
}

/// What could not be seen, beside a text report; a JSON document carries it itself.
pub(super) fn gaps(snapshot: &Snapshot) {
    snapshot.gaps.iter().for_each(gap);
}

/// Which pools a reading wrote to, because it was allowed to.
pub(super) fn reservations(snapshot: &Snapshot) {
    for pool in &snapshot.topology.pools {
        let contents = pool.contents.as_ref();
        let words = match contents.and_then(|contents| contents.reserved.as_ref()) {
            Some(Reservation::Released) => "and released".to_owned(),
            Some(Reservation::Stays(why)) => {
                let why = Printable::from_text(why);
                format!("and is still held: {why}; the next run of thinscope tries again")
            }
            None => continue,
        };
        message(&format_args!(
            "wrote to pool {}: commits outran the reading, so a metadata snapshot was reserved {words}",
            pool.name
        ));
    }
}

/// Says that there is nothing to print, where that is so: silence could mean anything.
pub(super) fn absence(report: &Command, snapshot: &Snapshot) {
    let topology = &snapshot.topology;
    match report {
        Command::Tree { .. } if topology.nodes.is_empty() => message(&"no block device was seen"),
        Command::Layers { .. } | Command::Pool { .. } if topology.pools.is_empty() => {
            message(&"no thin pool was seen: none in the kernel, in LVM or in Docker's files");
        }
        _ => {}
    }
}

/// One thing that could not be seen.
pub(super) fn gap(gap: &Gap) {
    message(&format_args!("not seen: {}: {}", gap.source, gap.why));
}

/// What somebody typed, safe to print.
pub(super) fn quoted(text: &str) -> String {
    format!("`{}`", Printable::from_text(text))
}
