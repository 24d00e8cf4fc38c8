//! `metrics`: figures for Prometheus, as OpenMetrics text that the node exporter's textfile
//! collector reads too. Base units, no timestamps, and no sample for what was not seen.

mod family;
mod host;
mod pools;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use crate::model::Snapshot;

/// Prints everything. `codes` are those of all findings that there could be, so that one that is
/// not there is a zero and not a series that begins when it is too late.
pub fn write_metrics(
    out: &mut dyn Write,
    snapshot: &Snapshot,
    codes: &[&'static str],
) -> io::Result<()> {
    let mut families = host::families(snapshot, codes);
    families.extend(pools::families(&snapshot.topology));
    families.push(host::forecasts(snapshot));
    families.iter().try_for_each(|family| family.write(out))?;
    out.write_all(b"# EOF\n")
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 8 PiB, and to 16 digits beyond")]
const fn count(number: u64) -> f64 {
    number as f64
}

/// A number of things in memory.
fn length(number: usize) -> f64 {
    count(u64::try_from(number).unwrap_or(u64::MAX))
}

const fn flag(set: bool) -> f64 {
    if set { 1.0 } else { 0.0 }
}
