//! Since when what cannot wait has been seen: pools whose writes wait for space, and what is
//! suspended. A look says only that it is so; the kernel's log, where it can be read, says when
//! it began.

use std::collections::BTreeMap;

use crate::ids::NodeId;
use crate::model::{Event, EventKind, Finding, Mode, NoSpace, Origin, Pool, PoolStatus, Snapshot};
use crate::tui::clock;

/// How long a kernel waits that was not told otherwise, in seconds (dm-thin.c,
/// `NO_SPACE_TIMEOUT_SECS`).
const USUAL: u64 = 60;

/// Moments in milliseconds since 1970.
#[derive(Debug, Default)]
pub(crate) struct Since {
    waits: BTreeMap<NodeId, Began>,
    suspended: BTreeMap<NodeId, i64>,
}

/// When a wait began.
#[derive(Clone, Copy, Debug)]
struct Began {
    at_ms: i64,
    /// The kernel said so; else it was seen then, and began before.
    exact: bool,
}

impl Since {
    /// Takes in a look at a living host. What is over begins anew when it comes again.
    pub(crate) fn look(&mut self, snapshot: &Snapshot, now_ms: i64) {
        if snapshot.origin != Origin::Live {
            return;
        }
        let at_ms = snapshot.answered_at_ms("dm").unwrap_or(now_ms);
        let topology = &snapshot.topology;
        let full = topology.pools.iter().filter(|pool| writes_wait(pool));
        let full: Vec<&NodeId> = full.map(|pool| &topology.node(pool.node).id).collect();
        // the log may tell before the look that sees it
        self.waits.retain(|id, began| full.contains(&id) || began.at_ms > at_ms);
        for id in full {
            self.waits.entry(id.clone()).or_insert(Began { at_ms, exact: false });
        }
        let suspended =
            |node: &&crate::model::Node| node.facts.dm.as_ref().is_some_and(|dm| dm.suspended);
        let mut before = std::mem::take(&mut self.suspended);
        for node in topology.nodes.iter().filter(suspended) {
            let began = before.remove(&node.id).unwrap_or(at_ms);
            self.suspended.insert(node.id.clone(), began);
        }
    }

    /// Takes in what the kernel's log says of a pool.
    pub(crate) fn hear(&mut self, event: &Event) {
        let begins = event.text.as_str().contains("to out-of-data-space (queue IO)");
        if let (EventKind::Kernel, Some(node), true) = (event.kind, &event.node, begins) {
            self.waits.insert(node.clone(), Began { at_ms: event.time_ms, exact: true });
        }
    }

    /// What a finding's line says instead of its summary, where time counts: the words, and in how
    /// many milliseconds they change.
    pub(crate) fn words(
        &self,
        finding: &Finding,
        snapshot: &Snapshot,
        now_ms: i64,
    ) -> Option<(String, Option<i64>)> {
        let node = finding.node.as_ref()?;
        let age = |began: i64| now_ms.saturating_sub(began).max(0);
        match finding.code {
            "pool-out-of-data-space" => {
                let began = self.waits.get(node)?;
                let timeout = snapshot.topology.host.no_space_timeout;
                let (words, changes) = countdown(began, timeout, age(began.at_ms));
                Some((format!("{} is full: writes wait, {words}", finding.subject), changes))
            }
            "pool-suspended" | "device-suspended" => {
                let age = age(*self.suspended.get(node)?);
                let words = format!(
                    "{} is SUSPENDED, {} since we saw it: whoever touches it waits",
                    finding.subject,
                    clock::age(age)
                );
                Some((words, Some(clock::until_change(age))))
            }
            _ => None,
        }
    }
}

fn writes_wait(pool: &Pool) -> bool {
    let waits = |status: &PoolStatus| {
        status.mode == Mode::OutOfDataSpace && status.no_space == Some(NoSpace::Queue)
    };
    pool.status().is_some_and(waits)
}

/// What becomes of writes that have waited so long.
fn countdown(began: &Began, timeout: Option<u64>, waited_ms: i64) -> (String, Option<i64>) {
    if timeout == Some(0) {
        return ("without end (no_space_timeout is 0)".to_owned(), None);
    }
    let all = i64::try_from(timeout.unwrap_or(USUAL)).unwrap_or(i64::MAX);
    let left = all.saturating_sub(waited_ms / 1000);
    if left <= 0 {
        return (format!("fail now: {all} s are over"), None);
    }
    let most = if began.exact { "" } else { " at most" };
    let usual = if timeout.is_none() { ", unless that time was changed" } else { "" };
    (format!("fail in {left} s{most}{usual}"), Some(1000 - waited_ms % 1000))
}
