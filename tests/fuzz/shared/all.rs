//! What the targets share: a small host to build on, and the way from its answers to every report.
#![allow(dead_code, reason = "no target uses all of it")]

use std::sync::LazyLock;

use thinscope::advise;
use thinscope::model::{HostLine, Origin, Snapshot, SourceAge};
use thinscope::probe::{Facts, LookOptions, assemble, read_source};
use thinscope::report::text::{Direction, Style};
use thinscope::report::{json, text};
use thinscope::sys::{Answer, Question, Raw, ReadHost, Reply, Source};
use thinscope::text::Printable;

#[path = "../../common/made_up.rs"]
mod made_up;

use made_up::synthetic::{Synthetic, TIME};

/// A sound host with a pool and twenty thin devices.
pub static SOUND: LazyLock<Synthetic> = LazyLock::new(|| Synthetic::new(20));

/// The sound host with some answers replaced.
pub struct Altered<F: Fn(&Question, Answer) -> Answer>(pub F);

impl<F: Fn(&Question, Answer) -> Answer + Sync> ReadHost for Altered<F> {
    fn ask(&self, question: &Question) -> Answer {
        (self.0)(question, SOUND.ask(question))
    }
}

/// An answer of bytes.
pub fn bytes(bytes: &[u8]) -> Answer {
    Answer::ok(Reply::Bytes(Raw(bytes.to_vec())))
}

/// The snapshot of a host, or of what could be read of it.
pub fn snapshot_of(host: &dyn ReadHost) -> Snapshot {
    let mut facts = Facts::default();
    for source in Source::ALL {
        facts.put(read_source(source, host, &LookOptions::default()));
    }
    snapshot(&facts)
}

/// The snapshot of these facts.
pub fn snapshot(facts: &Facts) -> Snapshot {
    let assembled = assemble(facts);
    Snapshot {
        generation: 1,
        origin: Origin::Recorded { name: Printable::from_text("fuzz") },
        host: HostLine {
            name: Printable::from_text("fuzz"),
            kernel: Printable::from_text("6.1"),
            time: TIME,
            root: true,
        },
        sources: Source::ALL
            .map(|source| SourceAge {
                source: source.name(),
                answered_at_ms: Some(TIME * 1000),
                asking_since_ms: None,
                silent: false,
                failed: false,
                progress: None,
            })
            .into(),
        findings: advise::findings(&assembled.topology),
        topology: assembled.topology.into(),
        gaps: assembled.gaps,
        trends: std::sync::Arc::default(),
    }
}

/// Prints every report, and holds what is promised of each: a document is valid JSON, and nothing
/// that a terminal acts on comes out.
pub fn report(snapshot: &Snapshot) {
    let style = Style { ascii: false, color: false };
    let topology = &snapshot.topology;
    let documents: [&dyn Fn(&mut Vec<u8>); 4] = [
        &|mut out| json::write_tree(&mut out, snapshot).expect("a vector takes all"),
        &|mut out| json::write_layers(&mut out, snapshot, None, None).expect("a vector takes all"),
        &|mut out| json::write_pools(&mut out, snapshot, None).expect("a vector takes all"),
        &|mut out| json::write_findings(&mut out, snapshot).expect("a vector takes all"),
    ];
    for write in documents {
        let mut out = Vec::new();
        write(&mut out);
        serde_json::from_slice::<serde::de::IgnoredAny>(&out).expect("a document is JSON");
    }
    let texts: [&dyn Fn(&mut Vec<u8>); 5] = [
        &|mut out| {
            text::write_tree(&mut out, topology, Direction::Up, style).expect("a vector takes all");
        },
        &|mut out| {
            text::write_tree(&mut out, topology, Direction::Down, style)
                .expect("a vector takes all");
        },
        &|mut out| text::write_layers(&mut out, topology, None, None, style).expect("a vector takes all"),
        &|mut out| text::write_pools(&mut out, snapshot, None, style).expect("a vector takes all"),
        &|mut out| text::write_findings(&mut out, snapshot, style).expect("a vector takes all"),
    ];
    for write in texts {
        let mut out = Vec::new();
        write(&mut out);
        let out = String::from_utf8(out).expect("a report is UTF-8");
        assert!(!out.contains(|c: char| c.is_control() && c != '\n'), "{out:?}");
    }
}
