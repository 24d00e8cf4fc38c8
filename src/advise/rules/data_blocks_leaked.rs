//! Data blocks that the pool counts as used and no device reaches.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::format;
use crate::model::{Finding, Pool, Severity, Topology};

pub(super) const RULE: Rule =
    Rule { code: "data-blocks-leaked", page: include_str!("../pages/data-blocks-leaked.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    found.extend(topology.pools.iter().filter_map(|pool| describe(topology, pool)));
}

fn describe(topology: &Topology, pool: &Pool) -> Option<Finding> {
    let contents = pool.contents.as_deref()?;
    let mappings = contents.mappings.as_deref()?;
    let leaked = Some(mappings.leaked).filter(|lost| lost.get() > 0)?;
    let mut finding = about_pool(RULE.code, Severity::Advice, topology, pool);
    let lost = format::long(leaked.bytes(contents.block_size));
    finding.summary = format!("{} counts {lost} as used that no device reaches", pool.name);
    finding.evidence = vec![format!(
        "{} data blocks in use by the space map, {} reached by devices, {} by a metadata snapshot \
         alone",
        contents.data.used.get(),
        mappings.reached.get(),
        mappings.held_only.get()
    )];
    finding.remedy.push_str(
        "it harms nothing but room; with the pool inactive, `thin_check \
                      --auto-repair` on its metadata gives the blocks back",
    );
    Some(finding)
}
