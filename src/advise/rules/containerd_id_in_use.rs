//! Ids that containerd holds for free, and that are in the pool: creating a device with one fails.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::model::engine::IdsInUse;
use crate::model::{Finding, Pool, Severity, Topology};

pub(super) const RULE: Rule = Rule {
    code: "containerd-id-in-use",
    page: include_str!("../pages/containerd-id-in-use.md"),
    look,
};

/// Ids that are named one by one.
const NAMED: usize = 20;

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        let ids = pool.engine_facts.iter().filter_map(|said| said.in_use.as_ref());
        found.extend(ids.map(|ids| describe(topology, pool, ids)));
    }
}

fn describe(topology: &Topology, pool: &Pool, in_use: &IdsInUse) -> Finding {
    let next = in_use.next.filter(|next| in_use.ids.contains(next));
    let severity = if next.is_some() { Severity::Critical } else { Severity::Warning };
    let mut finding = about_pool(RULE.code, severity, topology, pool);
    let (count, s) = (in_use.ids.len(), if in_use.ids.len() == 1 { "" } else { "s" });
    finding.summary = match next {
        Some(next) => format!(
            "the next layer or container fails with \"file exists\": containerd will ask {} for \
             id {next}, which is in it already",
            pool.name
        ),
        None => format!(
            "{} holds {count} id{s} that containerd will give out again: making a device with one \
             fails with \"file exists\"",
            pool.name
        ),
    };
    let shown = in_use.ids.iter().take(NAMED).map(ToString::to_string).collect::<Vec<_>>();
    let more = count.saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    finding.evidence.push(format!(
        "in the pool, and free or not given out yet in containerd's device_ids: {}{more}",
        shown.join(", ")
    ));
    if let Some(next) = in_use.next {
        finding.evidence.push(format!("the next id that containerd gives out: {next}"));
    }
    finding.remedy = format!(
        "find out whose the pool's devices are (`thinscope layers`): if it is an old pool with a \
         new database, put the old database back or make the pool anew; single ids that nobody \
         needs go with `dmsetup message {} 0 'delete ID'`",
        crate::advise::words::shell(pool.name.as_str())
    );
    finding
}
