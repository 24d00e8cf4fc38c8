//! The docker that is installed cannot read the pool's layers any more.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::model::{Finding, Pool, Severity, Topology};
use crate::text::Printable;

pub(super) const RULE: Rule =
    Rule { code: "driver-removed", page: include_str!("../pages/driver-removed.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        let program = pool.engine_facts.iter().find_map(|facts| facts.driver_removed_from.as_ref());
        found.extend(program.map(|program| describe(topology, pool, program)));
    }
}

fn describe(topology: &Topology, pool: &Pool, program: &Printable) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Critical, topology, pool);
    finding.summary = format!(
        "the docker that is installed has no devicemapper driver any more (version 25 or later): \
         nothing of what {} holds can be started with it",
        pool.name
    );
    finding.evidence = vec![format!("{program} does not know dm.thinpooldev")];
    finding.remedy.push_str(
        "install docker 24 (the last with the driver), `docker save` or `docker \
                      export` what is needed, then change the driver to overlay2. `thinscope \
                      layers` shows what is there until then",
    );
    finding
}
