//! An engine that makes no new device because its pool is fuller than it allows.

use crate::advise::Rule;
use crate::advise::growing::{Part, held_back, more, with_command};
use crate::advise::words::about_pool;
use crate::model::{EngineFacts, Finding, Pool, Severity, Topology};

pub(super) const RULE: Rule = Rule {
    code: "min-free-space-reached",
    page: include_str!("../pages/min-free-space-reached.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        let short = pool.engine_facts.iter().find_map(|facts| short(pool, facts));
        found.extend(short.map(|short| describe(topology, pool, &short)));
    }
}

/// Which of data and metadata is below the line.
struct Short {
    percent: u64,
    what: Part,
    free: u64,
    wanted: u64,
}

/// Docker's own rule: data first, whole blocks, at least one (moby, `poolHasFreeSpace`).
fn short(pool: &Pool, facts: &EngineFacts) -> Option<Short> {
    let percent = facts.min_free_percent.filter(|percent| *percent > 0)?;
    let status = pool.status()?;
    let (data, metadata) = (status.data, status.metadata);
    let amounts = [
        (Part::Data, data.used.0, data.total.0),
        (Part::Metadata, metadata.used.0, metadata.total.0),
    ];
    amounts.into_iter().find_map(|(what, used, total)| {
        let part = u128::from(total) * u128::from(percent) / 100;
        let wanted = u64::try_from(part).unwrap_or(u64::MAX).max(1);
        let free = total.saturating_sub(used);
        (total > 0 && free < wanted).then_some(Short { percent, what, free, wanted })
    })
}

fn describe(topology: &Topology, pool: &Pool, short: &Short) -> Finding {
    let Short { percent, what: part, free, wanted } = short;
    let what = part.name();
    let mut finding = about_pool(RULE.code, Severity::Critical, topology, pool);
    finding.summary = format!(
        "docker makes no new container or layer in {}: less than {percent}% of its {what} is free \
         (docker's own rule, dm.min_free_space; the kernel goes on)",
        pool.name
    );
    finding.evidence.push(format!(
        "{free} free {what} blocks, which is less than the minimum of {wanted} ({percent}%)"
    ));
    (finding.remedy, finding.cure) = more(topology, pool, *part);
    if held_back(pool, *part).is_none() {
        finding.remedy = format!(
            "{}; or make room: `docker container prune`, `docker image prune`",
            with_command(topology, pool, *part)
        );
    }
    finding
}
