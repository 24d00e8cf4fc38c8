//! A snapshot with what the screen asks of it often: who descends from whom, where the trouble
//! is, what is still being read. Made once a snapshot; knows nothing of views.

use std::sync::Arc;

use super::outline::alike::alike;
use super::outline::descent::Descent;
use crate::model::{Finding, NodeIx, Origin, Severity, Snapshot, SourceAge, Topology, Trends};

/// A snapshot, prepared.
#[derive(Debug)]
pub(crate) struct Seen {
    /// The snapshot.
    pub(crate) snapshot: Arc<Snapshot>,
    /// Parents of thin devices.
    pub(crate) descent: Arc<Descent>,
    /// Some source has not answered for the first time yet.
    pub(crate) loading: bool,
    /// The widest thin id, in columns.
    pub(crate) id_width: u16,
    /// Sharing was read of some device.
    pub(crate) sharing: bool,
    /// What the past says of the pools; it comes beside the pictures.
    pub(crate) trends: Arc<Trends>,
    severity: Vec<Option<Severity>>,
}

impl Seen {
    /// Prepares the snapshot after another: what it has in common with that is kept.
    pub(crate) fn after(snapshot: Arc<Snapshot>, before: &Self) -> Self {
        let (now, then) = (&snapshot.topology, &before.snapshot.topology);
        let alike = Arc::ptr_eq(now, then) || alike(now, then);
        let descent = alike.then(|| before.descent.clone());
        Self { trends: Arc::clone(&before.trends), ..Self::with(snapshot, descent) }
    }

    /// Whether two are of the same storage.
    pub(crate) fn same_storage(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.snapshot.topology, &other.snapshot.topology)
    }

    /// Whether rows made for one serve the other: the same things in the same places.
    pub(crate) fn same_shape(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.descent, &other.descent)
    }

    /// Prepares a snapshot.
    pub(crate) fn new(snapshot: Arc<Snapshot>) -> Self {
        Self::with(snapshot, None)
    }

    fn with(snapshot: Arc<Snapshot>, descent: Option<Arc<Descent>>) -> Self {
        let topology = &snapshot.topology;
        let severity = severity_by_node(&snapshot);
        let widest = topology.thins.iter().filter_map(|device| device.id).max();
        let id_width = widest.map_or(2, |id| decimal_digits(id.get())).max(2);
        let descent = descent.unwrap_or_else(|| Arc::new(Descent::of(topology)));
        let loading = snapshot.sources.iter().any(is_loading);
        let sharing = topology.thins.iter().any(|device| device.exclusive.is_some());
        let trends = Arc::clone(&snapshot.trends);
        Self { snapshot, descent, loading, id_width, sharing, trends, severity }
    }

    /// The storage.
    pub(crate) fn topology(&self) -> &Topology {
        &self.snapshot.topology
    }

    /// The gravest finding about a node.
    pub(crate) fn severity(&self, node: NodeIx) -> Option<Severity> {
        self.severity.get(node.0 as usize).copied().flatten()
    }

    /// All findings about a node.
    pub(crate) fn findings_of(&self, node: NodeIx) -> impl Iterator<Item = &Finding> {
        let id = self.topology().nodes.get(node.0 as usize).map(|node| &node.id);
        self.snapshot.findings.iter().filter(move |f| f.node.as_ref() == id && id.is_some())
    }

    /// The finding that the whole screen is about, where one is more than advice.
    pub(crate) fn gravest(&self) -> Option<&Finding> {
        let grave = |finding: &&Finding| finding.severity > Severity::Advice;
        // the list comes gravest first, but nothing here rests on that
        self.snapshot.findings.iter().rev().filter(grave).max_by_key(|finding| finding.severity)
    }

    /// When a recording was made; `None` for a living host.
    pub(crate) fn recorded_at(&self) -> Option<i64> {
        match &self.snapshot.origin {
            Origin::Live => None,
            Origin::Recorded { .. } => Some(self.snapshot.host.time),
        }
    }
}

fn severity_by_node(snapshot: &Snapshot) -> Vec<Option<Severity>> {
    let topology = &snapshot.topology;
    let mut severity = vec![None; topology.nodes.len()];
    for finding in &snapshot.findings {
        let node = finding.node.as_ref().and_then(|id| topology.find(id));
        if let Some(slot) = node.and_then(|ix| severity.get_mut(ix.0 as usize)) {
            *slot = Some(finding.severity).max(*slot);
        }
    }
    severity
}

/// Whether a source is being asked for the first time.
pub(crate) fn is_loading(source: &SourceAge) -> bool {
    source.answered_at_ms.is_none() && source.asking_since_ms.is_some() && !source.silent
}

fn decimal_digits(number: u32) -> u16 {
    u16::try_from(number.checked_ilog10().unwrap_or(0) + 1).unwrap_or(1)
}
