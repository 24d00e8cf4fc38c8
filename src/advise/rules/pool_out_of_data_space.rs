//! A writer has asked for a data block, and there was none.

use crate::advise::Rule;
use crate::advise::growing::more_data;
use crate::advise::words::{about_pool, table_lines};
use crate::model::{Finding, Mode, NoSpace, Pool, PoolStatus, Severity, Topology};

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
    finding.summary =
        format!("{} is out of data space: {}", pool.name, what_happens(topology, pool, status));
    finding.evidence.extend(table_lines(topology.node(pool.node)));
    let timeout = topology.host.no_space_timeout;
    finding.evidence.extend(timeout.map(|seconds| format!("no_space_timeout: {seconds}")));
    finding.remedy = format!(
        "grow the data: {}; do not unmount or kill what waits before that",
        more_data(topology, pool)
    );
    finding
}

/// The status says what is in force, the table what was asked for; where they differ the wait
/// has ended (`formats.md` 5.1).
fn what_happens(topology: &Topology, pool: &Pool, status: &PoolStatus) -> String {
    let asked_to_fail = pool.options.iter().any(|option| option == "error_if_no_space");
    match &status.no_space {
        Some(NoSpace::Error) if asked_to_fail => {
            "writes that need a new block fail at once, as its table asks".to_owned()
        }
        Some(NoSpace::Error) => {
            "the time to wait is over, and writes that need a new block have failed".to_owned()
        }
        Some(NoSpace::Queue) => waits(topology.host.no_space_timeout),
        Some(NoSpace::Unknown(word)) => format!("the kernel says {word} of what happens to writes"),
        None => "writes that need a new block wait or fail".to_owned(),
    }
}

/// The kernel does not say when the wait began.
fn waits(timeout: Option<u64>) -> String {
    let how_long = match timeout {
        Some(0) => {
            return "writes that need a new block wait until it is grown, without end: the \
                    kernel's no_space_timeout is 0"
                .to_owned();
        }
        Some(seconds) => format!("{seconds} s after the first of them"),
        None => "60 s unless it was changed".to_owned(),
    };
    format!(
        "writes that need a new block wait, and fail when the kernel's no_space_timeout is over \
         ({how_long})"
    )
}
