//! Facts, gaps and ages become a snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::ask::Asked;
use crate::advise;
use crate::model::block::BlockAnswer;
use crate::model::{Finding, Gap, HostLine, Origin, Snapshot, SourceAge, Topology};
use crate::owner::containerd::devices::is_device_name;
use crate::probe::dm::DmSeen;
use crate::probe::metadata::{self, Ways, Wish};
use crate::probe::{self, Facts, LookOptions, SourceFacts};
use crate::sys::capture::Recording;
use crate::sys::{HostInfo, Question, Source};
use crate::text::Printable;

/// All that is known of a host, as it comes in.
pub(super) struct Picture {
    origin: Origin,
    options: LookOptions,
    facts: Facts,
    /// What was made of the facts, until one of them is replaced.
    made: Option<Made>,
    seen: BTreeMap<Source, Seen>,
    /// The first of two recorded looks at device-mapper.
    first_dm: Option<Arc<DmSeen>>,
    /// What is wrong with the look itself.
    gaps: Vec<Gap>,
    generation: u64,
}

/// What is made of facts. Ages change more often than facts do.
#[derive(Clone)]
struct Made {
    topology: Arc<Topology>,
    findings: Vec<Finding>,
    gaps: Vec<Gap>,
    unsure: bool,
}

/// What is known of one source's looks.
#[derive(Default)]
struct Seen {
    answered_at_ms: Option<i64>,
    asking_since_ms: Option<i64>,
    progress: Option<(u64, u64)>,
    /// Why the newest look is not whole.
    gap: Option<Gap>,
}

impl Picture {
    /// Of these sources, nothing seen yet.
    pub(super) fn new(origin: Origin, options: LookOptions, sources: &[Source]) -> Self {
        let seen = sources.iter().map(|source| (*source, Seen::default())).collect();
        let metadata_file = options.metadata_file.clone();
        let (facts, gaps) = (Facts { metadata_file, ..Facts::default() }, Vec::new());
        Self { origin, options, facts, made: None, seen, first_dm: None, gaps, generation: 0 }
    }

    /// Whose picture it is, known before any source has answered.
    pub(super) fn is_of(&mut self, host: HostInfo) {
        self.facts.put(SourceFacts::Host(host));
    }

    /// A source is asked from now on.
    pub(super) fn asking(&mut self, source: Source) {
        self.seen.entry(source).or_default().asking_since_ms = Some(now_ms());
    }

    /// A long look at a source has come so far.
    pub(super) fn progresses(&mut self, source: Source, progress: Option<(u64, u64)>) {
        self.seen.entry(source).or_default().progress = progress;
    }

    /// Something about the whole look.
    pub(super) fn add_gap(&mut self, gap: Gap) {
        self.gaps.push(gap);
    }

    /// A source answered, at that moment.
    ///
    /// Where a source was given up, what it said before counts more than half of a new answer.
    pub(super) fn answered(&mut self, recording: &Recording, at_ms: i64) {
        if self.note(recording, at_ms) {
            self.made = None;
            self.facts.put(probe::read_source(recording.source(), recording, &self.options));
        }
    }

    /// What a recording holds of a source. Device-mapper was recorded twice where containerd's
    /// databases were read in between; what one look saw is not told from two.
    pub(super) fn recorded(&mut self, recording: &Recording, at_ms: i64) {
        self.answered(recording, at_ms);
        match recording.source() {
            source @ Source::Dm if is_dm_twice(recording) => {
                self.first_dm.clone_from(&self.facts.dm);
                self.facts.put(probe::read_source(source, recording, &self.options));
            }
            Source::Containerd if self.first_dm.is_some() => {
                self.facts.before.containerd_dm = self.first_dm.take();
            }
            _ => {}
        }
    }

    /// The pools' metadata was read, by the child or, of a recorded host, right here.
    pub(super) fn metadata_answered(&mut self, looked: Asked, at_ms: i64) {
        if self.note(&looked.recording, at_ms) {
            self.made = None;
            self.facts.put(SourceFacts::Metadata(looked.facts.unwrap_or_default()));
        }
    }

    /// Reads the metadata that a recording holds; twice where it was recorded twice, with the
    /// engines' files read in between.
    pub(super) fn metadata_recorded(&mut self, recording: &Recording, wish: &Wish, at_ms: i64) {
        let asked = metadata::Asked { one_by_one: true, ..self.metadata_wanted(wish) };
        if !self.note(recording, at_ms) {
            return;
        }
        let read = || Some(Arc::new(metadata::read_metadata(recording, &asked, Ways::default())));
        let before = read();
        self.facts.metadata = if is_twice(recording) { read() } else { before.clone() };
        self.facts.before.docker.clone_from(&before);
        self.facts.before.containerd = before;
        self.made = None;
    }

    /// Where the pools' metadata lies, by all that is known now.
    pub(super) fn metadata_wanted(&mut self, wish: &Wish) -> metadata::Asked {
        let topology = self.made().topology;
        wish.on(&topology, &self.facts, self.facts.metadata_file.as_ref())
    }

    /// The answer about a data block, where one was asked for and its pool was read.
    pub(super) fn block(&self) -> Option<Result<BlockAnswer, String>> {
        let pools = &self.facts.metadata.as_deref()?.pools;
        pools.iter().find_map(|look| match &look.read {
            Err(why) if pools.len() == 1 => Some(Err(why.clone())),
            _ => look.block.clone(),
        })
    }

    /// Whether ids without a name, or names without an id, have only been seen once: what is just
    /// being made or deleted looks the same.
    pub(super) fn is_unsure(&mut self) -> bool {
        self.made().unsure
    }

    /// Whether a device is named as containerd's are.
    pub(super) fn shows_containerd(&mut self) -> bool {
        let topology = self.made().topology;
        let names = topology.thins.iter().filter_map(|thin| thin.dm_name.as_ref());
        names.into_iter().any(|name| is_device_name(name.as_str().as_bytes()))
    }

    /// Notes how a source answered; whether the answer counts.
    fn note(&mut self, recording: &Recording, at_ms: i64) -> bool {
        let source = recording.source();
        let seen = self.seen.entry(source).or_default();
        (seen.asking_since_ms, seen.progress) = (None, None);
        seen.gap = recording.broken_off().map(|why| Gap::new(source.name(), why));
        if seen.gap.is_none() {
            seen.answered_at_ms = Some(at_ms);
            return true;
        }
        seen.answered_at_ms.is_none()
    }

    /// Looked again at a source, and nothing had changed.
    pub(super) fn unchanged(&mut self, source: Source) {
        let seen = self.seen.entry(source).or_default();
        seen.asking_since_ms = None;
        seen.answered_at_ms = Some(now_ms());
        seen.gap = None;
    }

    /// Whether a source has ever been looked at.
    pub(super) fn has_looked(&self, source: Source) -> bool {
        self.seen
            .get(&source)
            .is_some_and(|seen| seen.gap.is_some() || seen.answered_at_ms.is_some())
    }

    /// The snapshot of what is known now.
    pub(super) fn snapshot(&mut self) -> Snapshot {
        self.generation += 1;
        let made = self.made();
        Snapshot {
            generation: self.generation,
            origin: self.origin.clone(),
            host: host_line(self.facts.host.as_ref(), &self.origin),
            sources: self.ages(),
            findings: made.findings,
            gaps: self.all_gaps(made.gaps),
            topology: made.topology,
            trends: Arc::default(),
        }
    }

    fn made(&mut self) -> Made {
        let made = self.made.take().unwrap_or_else(|| make(&self.facts));
        self.made = Some(made.clone());
        made
    }

    fn ages(&self) -> Vec<SourceAge> {
        let age = |(source, seen): (&Source, &Seen)| SourceAge {
            source: source.name(),
            answered_at_ms: seen.answered_at_ms,
            asking_since_ms: seen.asking_since_ms,
            silent: seen.gap.is_some(),
            failed: self.facts.failed(*source),
            progress: seen.progress,
        };
        self.seen.iter().map(age).collect()
    }

    /// A source that was given up is one gap, not one for each question that it did not answer.
    fn all_gaps(&self, assembled: Vec<Gap>) -> Vec<Gap> {
        let given_up: Vec<&Gap> = self.seen.values().filter_map(|seen| seen.gap.as_ref()).collect();
        let because =
            |gap: &Gap| given_up.iter().any(|cause| gap.why.as_str().contains(cause.why.as_str()));
        let mut gaps = self.gaps.clone();
        gaps.extend(given_up.iter().copied().cloned());
        gaps.extend(assembled.into_iter().filter(|gap| !because(gap)));
        let mut known = std::collections::BTreeSet::new();
        gaps.retain(|gap| known.insert(gap.clone()));
        gaps
    }
}

/// Whether a recording holds two looks at metadata: each begins with the size of what holds it.
fn is_twice(recording: &Recording) -> bool {
    let mut begun = std::collections::HashSet::new();
    let sizes = recording.answers().map(|(question, _)| question);
    let mut sizes = sizes.filter(|question| matches!(question, Question::SizeOf(_)));
    !sizes.all(|question| begun.insert(question))
}

/// Whether a recording holds two looks at device-mapper.
fn is_dm_twice(recording: &Recording) -> bool {
    recording.answers().filter(|(question, _)| **question == Question::DmList).count() > 1
}

fn make(facts: &Facts) -> Made {
    let probe::Assembled { topology, gaps, unsure } = probe::assemble(facts);
    Made { findings: advise::findings(&topology), topology: Arc::new(topology), gaps, unsure }
}

fn host_line(host: Option<&Arc<HostInfo>>, origin: &Origin) -> HostLine {
    let unknown = HostInfo::default();
    let host = host.map_or(&unknown, Arc::as_ref);
    let time = if *origin == Origin::Live { now_ms() / 1000 } else { host.time };
    HostLine {
        name: Printable::from_bytes(&host.name.0),
        kernel: Printable::from_text(&host.kernel),
        time,
        root: host.euid == 0,
    }
}

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::metadata::Depth;
    use crate::sys::{Answer, HostPath, Medium, Reply};

    #[test]
    fn metadata_that_was_recorded_once_is_read_once() {
        let size = |name: &str| Question::SizeOf(Medium::File(HostPath::new(name)));
        let same = |questions: &[Question]| {
            let mut recording = Recording::new(Source::Metadata);
            for question in questions {
                recording.push(question.clone(), Answer::ok(Reply::Number(0)));
            }
            let mut picture = Picture::new(Origin::Live, LookOptions::default(), &Source::ALL);
            picture.metadata_recorded(&recording, &Wish::of(Depth::Details), 0);
            let (before, now) = (picture.facts.before.docker, picture.facts.metadata);
            Arc::ptr_eq(&before.expect("read"), &now.expect("read"))
        };
        assert!(same(&[]));
        assert!(same(&[size("/a"), size("/b")]));
        assert!(!same(&[size("/a"), size("/b"), size("/a")]));
    }
}
