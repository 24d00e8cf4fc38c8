//! A writer has asked for a data block, and there was none.

use crate::advise::Rule;
use crate::advise::growing::{Part, more};
use crate::advise::no_space::{Fate, fate};
use crate::advise::words::{about_pool, table_lines};
use crate::model::{Finding, Mode, Pool, PoolStatus, Severity, Topology};

pub(super) const RULE: Rule = Rule {
    code: "pool-out-of-data-space",
    page: include_str!("../pages/pool-out-of-data-space.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        let out = |status: &&PoolStatus| status.mode == Mode::OutOfDataSpace;
        if let Some(status) = pool.status().filter(out) {
            found.push(describe(topology, pool, status));
        }
    }
}

fn describe(topology: &Topology, pool: &Pool, status: &PoolStatus) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Critical, topology, pool);
    let fate = fate(topology, pool, status);
    finding.summary = format!("{} is out of data space: {}", pool.name, what_happens(&fate));
    finding.evidence.extend(table_lines(topology.node(pool.node)));
    let timeout = topology.host.no_space_timeout;
    finding.evidence.extend(timeout.map(|seconds| format!("no_space_timeout: {seconds}")));
    (finding.remedy, finding.cure) = more(topology, pool, Part::Data);
    finding.remedy.push_str(if fate.may_wait() {
        "; do not unmount or kill what waits before that"
    } else {
        "; then look into the filesystems that met errors (`dmesg`)"
    });
    finding
}

/// The kernel does not say when the wait began.
fn what_happens(fate: &Fate) -> String {
    let how_long = match fate {
        Fate::FailsAsAsked => {
            return "writes that need a new block fail at once, as its table asks".to_owned();
        }
        Fate::HasFailed | Fate::Fails => {
            return "the time to wait is over, and writes that need a new block have failed"
                .to_owned();
        }
        Fate::WaitsForEver => {
            return "writes that need a new block wait until it is grown, without end: the \
                    kernel's no_space_timeout is 0"
                .to_owned();
        }
        Fate::Unknown(word) => {
            return format!("the kernel says {word} of what happens to writes");
        }
        Fate::NotSaid | Fate::ReadOnly => {
            return "writes that need a new block wait or fail".to_owned();
        }
        Fate::Waits(Some(seconds)) => format!("{seconds} s after the first of them"),
        Fate::Waits(None) => "60 s unless it was changed".to_owned(),
    };
    format!(
        "writes that need a new block wait, and fail when the kernel's no_space_timeout is over \
         ({how_long})"
    )
}
