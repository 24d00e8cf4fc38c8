//! Sparse files under a pool that may outgrow their filesystem.

use crate::advise::Rule;
use crate::advise::words::{about_pool, shell};
use crate::format;
use crate::model::engine::LoopSpace;
use crate::model::{Finding, Pool, Severity, Topology};
use crate::units::Bytes;

pub(super) const RULE: Rule = Rule {
    code: "loop-file-overcommitted",
    page: include_str!("../pages/loop-file-overcommitted.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        for facts in &pool.engine_facts {
            found.extend(describe(topology, pool, &facts.loop_files));
        }
    }
}

/// What the files may still take together; they lie in one folder.
fn describe(topology: &Topology, pool: &Pool, files: &[LoopSpace]) -> Option<Finding> {
    let free = files.iter().find_map(|file| file.free)?;
    let more = |file: &LoopSpace| file.apparent.minus(file.allocated).get();
    let wanted = files.iter().map(more).fold(0_u64, u64::saturating_add);
    if wanted <= free.get() {
        return None;
    }
    let mut finding = about_pool(RULE.code, Severity::Warning, topology, pool);
    finding.summary = format!(
        "the files under {} may grow by {}, their filesystem has {} free: the pool runs into I/O \
         errors long before it counts as full",
        pool.name,
        format::long(Bytes(wanted)),
        format::long(free)
    );
    finding.evidence = files
        .iter()
        .map(|file| {
            format!(
                "{}: {} long, {} allocated",
                file.path,
                format::long(file.apparent),
                format::long(file.allocated)
            )
        })
        .collect();
    finding.evidence.push(format!("free on their filesystem: {}", format::exact(free)));
    let path = files.first().map_or("the file", |file| file.path.as_str());
    finding.remedy = format!(
        "make room on the filesystem of {}, or move to a block device: see loop-lvm-in-use",
        shell(path)
    );
    Some(finding)
}
