//! One thin id, and more than one who says it is theirs.

use crate::advise::Rule;
use crate::advise::words::about_node;
use crate::model::{Finding, Severity, ThinDevice, Topology};

pub(super) const RULE: Rule = Rule {
    code: "device-id-duplicate",
    page: include_str!("../pages/device-id-duplicate.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    let claimed = topology.thins.iter().filter(|thin| thin.claims.len() > 1);
    found.extend(claimed.map(|thin| describe(topology, thin)));
}

fn describe(topology: &Topology, thin: &ThinDevice) -> Finding {
    let pool = topology.pool(thin.pool);
    let mut finding = about_node(RULE.code, Severity::Critical, topology.node(thin.node));
    let id = thin.id.map_or_else(|| "?".to_owned(), |id| id.to_string());
    finding.summary = format!(
        "thin id {id} of {} is claimed {} times: whoever writes it damages what the others hold, \
         and deleting one deletes them all",
        pool.name,
        thin.claims.len()
    );
    let line = |claim: &crate::model::Claim| {
        format!("{} claims {id} for {} in {}", claim.engine.name(), claim.name, claim.by)
    };
    finding.evidence.extend(thin.claims.iter().map(line));
    finding.remedy = "stop the engines that share the pool and delete nothing; find out which \
                      claim is true (size, filesystem, transaction id), then remove the stale \
                      record"
        .into();
    finding
}
