//! A pool whose metadata lies on a slower disk than its data.

use crate::advise::Rule;
use crate::advise::stack::lowest;
use crate::advise::words::{about_pool, shell};
use crate::model::{Finding, NodeIx, Pool, Severity, Topology};
use crate::text::Printable;

pub(super) const RULE: Rule = Rule {
    code: "metadata-device-slow",
    page: include_str!("../pages/metadata-device-slow.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        found.extend(describe(topology, pool));
    }
}

fn describe(topology: &Topology, pool: &Pool) -> Option<Finding> {
    let data = turning(topology, pool.data?)?;
    let metadata = turning(topology, pool.metadata?)?;
    if metadata.is_empty() || !data.is_empty() {
        return None;
    }
    let mut finding = about_pool(RULE.code, Severity::Advice, topology, pool);
    let names: Vec<&str> = metadata.iter().map(Printable::as_str).collect();
    finding.summary = format!(
        "the metadata of {} lies on a disk that turns ({}), its data on one that does not: every \
         new block and every commit waits for the slower one",
        pool.name,
        names.join(", ")
    );
    finding.evidence = names.iter().map(|name| format!("queue/rotational of {name}: 1")).collect();
    finding.remedy = match &pool.lv {
        Some(lv) => {
            let tmeta = shell(&format!("{lv}_tmeta"));
            format!("move it while it is in use: `pvmove -n {tmeta} SLOW FAST`")
        }
        None => "put the metadata device onto the faster disk".to_owned(),
    };
    Some(finding)
}

/// The turning disks below a volume; `None` where one of them was not asked.
fn turning(topology: &Topology, top: NodeIx) -> Option<Vec<Printable>> {
    let mut found = Vec::new();
    let bottom = lowest(topology, top);
    if bottom.is_empty() {
        return None;
    }
    for node in bottom {
        if node.facts.queue.as_ref()?.rotational? {
            found.push(node.name.clone());
        }
    }
    Some(found)
}
