//! Findings and gaps that come and go.

use std::collections::BTreeMap;

use super::Told;
use crate::ids::NodeId;
use crate::model::{EventKind, Gap, Severity, Snapshot};
use crate::text::Printable;

/// What was there in the picture before.
#[derive(Debug, Default)]
pub(super) struct Findings {
    found: BTreeMap<(&'static str, Printable), Found>,
    /// By source: why something is not seen often names a time that changes.
    gaps: BTreeMap<Printable, Gap>,
}

#[derive(Debug)]
struct Found {
    severity: Severity,
    node: Option<NodeId>,
}

impl Findings {
    /// Tells what came, what became graver or milder, and what went.
    pub(super) fn take(&mut self, snapshot: &Snapshot, told: &mut Told) {
        let before = std::mem::take(&mut self.found);
        for finding in &snapshot.findings {
            let key = (finding.code, finding.subject.clone());
            let known = before.get(&key).or_else(|| self.found.get(&key));
            if known.is_none_or(|known| known.severity != finding.severity) {
                let text = format!("{}: {}", finding.code, finding.summary);
                let event = told.add(EventKind::Finding, &finding.subject, text);
                (event.node, event.severity) = (finding.node.clone(), Some(finding.severity));
            }
            let node = finding.node.clone();
            self.found.insert(key, Found { severity: finding.severity, node });
        }
        for ((code, subject), found) in &before {
            if !self.found.contains_key(&(*code, subject.clone())) {
                told.add(EventKind::FindingGone, subject, *code).node.clone_from(&found.node);
            }
        }
        self.gaps(snapshot, told);
    }

    fn gaps(&mut self, snapshot: &Snapshot, told: &mut Told) {
        let before = std::mem::take(&mut self.gaps);
        for gap in &snapshot.gaps {
            let known = before.contains_key(&gap.source);
            if self.gaps.insert(gap.source.clone(), gap.clone()).is_none() && !known {
                told.add(EventKind::Gap, &gap.source, format!("not seen: {}", gap.why));
            }
        }
        for source in before.keys().filter(|source| !self.gaps.contains_key(*source)) {
            told.add(EventKind::GapGone, source, "seen again");
        }
    }
}
