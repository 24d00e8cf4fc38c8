//! What `--log` notes down: each look, what it found and what it could not see.

use std::time::Duration;

use super::Trouble;
use crate::format;
use crate::model::Snapshot;
use crate::settings::Settings;
use crate::store;

/// An open log.
pub(super) struct Log(store::Log);

/// The log that was asked for.
pub(super) fn open(settings: &Settings) -> Result<Option<Log>, Trouble> {
    let Some(path) = &settings.log else { return Ok(None) };
    store::Log::open(path).map(|log| Some(Log(log))).map_err(|error| {
        Trouble::Failed(format!("--log {} cannot be written: {error}", path.display()))
    })
}

impl Log {
    /// Notes down one look.
    pub(super) fn looked(&mut self, snapshot: &Snapshot, took: Option<Duration>) {
        let topology = &snapshot.topology;
        let took = took.map(|took| format!(" in {} ms", took.as_millis())).unwrap_or_default();
        self.line(format_args!(
            "{}: looked{took}: {} nodes, {} pools, {} thin devices, {} findings",
            snapshot.host.name,
            topology.nodes.len(),
            topology.pools.len(),
            topology.thins.len(),
            snapshot.findings.len(),
        ));
        for finding in &snapshot.findings {
            self.line(format_args!("finding: {}: {}", finding.code, finding.summary));
        }
        for gap in &snapshot.gaps {
            self.line(format_args!("not seen: {}: {}", gap.source, gap.why));
        }
    }

    /// A log that cannot be written any more is no reason to stop looking.
    fn line(&mut self, words: std::fmt::Arguments<'_>) {
        let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
        let stamp = format::date::stamp(i64::try_from(now).unwrap_or(i64::MAX));
        let _ = self.0.line(&format!("{stamp} {words}"));
    }
}
