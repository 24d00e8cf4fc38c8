//! What `--log` notes down: each look, what it found and what it could not see.

use std::time::{Duration, SystemTime};

use super::Trouble;
use crate::format;
use crate::model::Snapshot;
use crate::settings::Settings;
use crate::store;

/// An open log.
pub(super) struct Log {
    file: store::Log,
    before: Vec<String>,
}

/// The log that was asked for.
pub(super) fn open(settings: &Settings) -> Result<Option<Log>, Trouble> {
    let Some(path) = &settings.log else { return Ok(None) };
    store::Log::open(path).map(|file| Some(Log { file, before: Vec::new() })).map_err(|error| {
        Trouble::Failed(format!("--log {} cannot be written: {error}", path.display()))
    })
}

impl Log {
    /// Notes down one look, unless it brought the same as the one before.
    pub(super) fn looked(&mut self, snapshot: &Snapshot, took: Option<Duration>) {
        let seen = describe(snapshot);
        if seen == self.before {
            return;
        }
        let took = took.map(|took| format!(" in {} ms", took.as_millis())).unwrap_or_default();
        self.line(&format!("{}: looked{took}", snapshot.host.name));
        for line in &seen {
            self.line(line);
        }
        self.before = seen;
    }

    /// A log that cannot be written any more is no reason to stop looking.
    fn line(&mut self, words: &str) {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_secs();
        let stamp = format::date::stamp(i64::try_from(now).unwrap_or(i64::MAX));
        let _ = self.file.line(&format!("{stamp} {words}"));
    }
}

fn describe(snapshot: &Snapshot) -> Vec<String> {
    let topology = &snapshot.topology;
    let (nodes, pools, thins) = (topology.nodes.len(), topology.pools.len(), topology.thins.len());
    let mut lines = vec![format!("seen: {nodes} nodes, {pools} pools, {thins} thin devices")];
    let findings = snapshot.findings.iter();
    lines.extend(findings.map(|finding| format!("finding: {}: {}", finding.code, finding.summary)));
    let gaps = snapshot.gaps.iter();
    lines.extend(gaps.map(|gap| format!("not seen: {}: {}", gap.source, gap.why)));
    lines
}
