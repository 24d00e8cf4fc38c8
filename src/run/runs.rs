//! What thinscope itself does to the host, as events: the journals of its runs, those of this
//! process and of others, read again when they have grown.

use std::collections::BTreeMap;

use crate::exec::{Closing, Entry, Record, Run};
use crate::model::{Event, EventKind, Severity};
use crate::settings::Settings;
use crate::store::runs::Runs;

/// The newest runs are followed; no older one goes on.
const FOLLOWED: usize = 20;

/// Whether what was done before the watch began is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Past {
    /// In short, with its own times.
    Told,
    /// Not at all.
    Untold,
}

/// The journals as far as they were told.
#[derive(Debug)]
pub(super) struct Journal {
    runs: Runs,
    past: Past,
    begun: bool,
    told: BTreeMap<String, Told>,
}

/// How far one was told.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    length: u64,
    entries: usize,
}

impl Journal {
    /// Of this host's runs.
    pub(super) fn of(settings: &Settings, past: Past) -> Self {
        let runs = Runs::below(&settings.state_dir);
        Self { runs, past, begun: false, told: BTreeMap::new() }
    }

    /// What has come since the last time. Journals that cannot be read are told by `journal`.
    pub(super) fn look(&mut self, now_ms: i64) -> Vec<Event> {
        let first = !std::mem::replace(&mut self.begun, true);
        let ids = self.runs.ids().unwrap_or_default();
        let mut events = Vec::new();
        for id in ids.iter().rev().take(FOLLOWED).rev() {
            let before = self.told.get(id).copied().unwrap_or_default();
            let length = self.runs.length(id).unwrap_or(before.length);
            if length == before.length {
                continue;
            }
            let Ok(bytes) = self.runs.read(id) else { continue };
            let run = Run::parse(id, &bytes);
            let new = run.entries.get(before.entries..).unwrap_or_default();
            let told = |entry: &&Entry| !first || self.past == Past::Told && is_end(entry);
            events.extend(new.iter().filter(told).filter_map(|entry| event(&run, entry, now_ms)));
            self.told.insert(id.clone(), Told { length, entries: run.entries.len() });
        }
        self.told.retain(|id, _| ids.contains(id));
        events
    }
}

/// Of a run of the past only its beginning and its end are told.
const fn is_end(entry: &Entry) -> bool {
    matches!(entry.record, Record::Opened { .. } | Record::Stopped { .. } | Record::Closed { .. })
}

/// A line of a run's journal as an event; what only matters to whoever goes on with it is none.
fn event(run: &Run, entry: &Entry, now_ms: i64) -> Option<Event> {
    let steps = run.plan().map_or(0, |plan| plan.steps.len());
    let title = |step: usize| {
        let plan = run.plan();
        let step = plan.and_then(|plan| plan.steps.get(step));
        step.map(|step| format!(": {}", step.action.title())).unwrap_or_default()
    };
    let (text, severity) = match &entry.record {
        Record::Opened { plan } => (format!("begun: {}", plan.intent), None),
        Record::Intended { .. } | Record::Applied { .. } => return None,
        Record::Verified { step } => {
            (format!("step {} of {steps} verified{}", step + 1, title(*step)), None)
        }
        Record::Stopped { done } => (
            format!("stopped after {done} of {steps} steps; `thinscope resume` goes on"),
            Some(Severity::Warning),
        ),
        Record::Closed { how } => closed(how),
    };
    // a clock that was set since leaves the line where it was noticed
    let time_ms = entry.time.saturating_mul(1000).min(now_ms);
    let subject = run.id.as_str().into();
    Some(Event {
        time_ms,
        kind: EventKind::Journal,
        subject,
        text: text.into(),
        node: None,
        severity,
    })
}

fn closed(how: &Closing) -> (String, Option<Severity>) {
    match how {
        Closing::Done => ("done: all steps verified".to_owned(), None),
        Closing::Refused { step, why } => {
            (format!("refused at step {}: {why}", step + 1), Some(Severity::Warning))
        }
        Closing::Failed { step, why } => {
            (format!("failed at step {}: {why}", step + 1), Some(Severity::Critical))
        }
        Closing::Superseded { by } => (format!("overtaken by {by}"), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::runs::RunFile;

    const NOW: i64 = 1_795_255_200;

    fn journal(folder: &std::path::Path, past: Past) -> Journal {
        let runs = Runs::below(folder);
        Journal { runs, past, begun: false, told: BTreeMap::new() }
    }

    fn write(file: &mut RunFile, time: i64, record: Record) {
        let line = serde_json::to_string(&Entry { time, record }).expect("our own types");
        file.append(&line).expect("written");
    }

    fn texts(events: &[Event]) -> Vec<String> {
        events.iter().map(|event| format!("{}: {}", event.subject, event.text)).collect()
    }

    #[test]
    fn a_run_is_told_step_by_step_as_its_journal_grows() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut journal = journal(dir.path(), Past::Untold);
        assert_eq!(journal.look(NOW * 1000), [], "nobody has done anything");
        journal.runs.prepare().expect("a new folder");
        let mut file = journal.runs.create("20261121-100000-grow").expect("new");
        write(&mut file, NOW, Record::Verified { step: 0 });
        let told = journal.look(NOW * 1000 + 500);
        assert_eq!(texts(&told), ["20261121-100000-grow: step 1 of 0 verified"]);
        assert_eq!((told[0].kind, told[0].time_ms), (EventKind::Journal, NOW * 1000));
        assert_eq!(journal.look(NOW * 1000 + 600), [], "once");
        let why = "the VG is gone".to_owned();
        write(&mut file, NOW + 2, Record::Closed { how: Closing::Failed { step: 1, why } });
        let told = journal.look(NOW * 1000 + 3000);
        assert_eq!(texts(&told), ["20261121-100000-grow: failed at step 2: the VG is gone"]);
        assert_eq!(told[0].severity, Some(Severity::Critical));
    }

    #[test]
    fn of_what_was_done_before_only_the_ends_are_told_and_to_lines_nothing() {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let told = |past| texts(&journal(dir.path(), past).look(NOW * 1000));
        let runs = Runs::below(dir.path());
        runs.prepare().expect("a new folder");
        let mut file = runs.create("20261120-1").expect("new");
        write(&mut file, NOW - 86_400, Record::Verified { step: 0 });
        write(&mut file, NOW - 86_399, Record::Closed { how: Closing::Done });
        assert_eq!(told(Past::Told), ["20261120-1: done: all steps verified"]);
        assert_eq!(told(Past::Untold), [""; 0]);
    }
}
