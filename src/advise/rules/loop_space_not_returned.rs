//! A data file that keeps what the pool has given back.

use crate::advise::Rule;
use crate::advise::words::about_pool;
use crate::format;
use crate::model::engine::LoopSpace;
use crate::model::{Finding, Pool, Severity, Topology};

pub(super) const RULE: Rule = Rule {
    code: "loop-space-not-returned",
    page: include_str!("../pages/loop-space-not-returned.md"),
    look,
};

/// Less is not worth a word.
const WORTH: u64 = 256 << 20;
/// So many parts of the file must be empty of data.
const SHARE: u64 = 5;

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        let files = pool.engine_facts.iter().flat_map(|facts| &facts.loop_files);
        let data = files.filter(|file| file.is_data);
        found.extend(data.filter_map(|file| describe(topology, pool, file)));
    }
}

fn describe(topology: &Topology, pool: &Pool, file: &LoopSpace) -> Option<Finding> {
    let used = pool.data_usage()?.used;
    let kept = file.allocated.minus(used);
    if kept.get() < WORTH || kept.get().saturating_mul(SHARE) < file.allocated.get() {
        return None;
    }
    let mut finding = about_pool(RULE.code, Severity::Advice, topology, pool);
    finding.summary = format!(
        "the data file of {} takes {} of its filesystem, the pool uses {}: {} were given back to \
         the pool and not to the host",
        pool.name,
        format::long(file.allocated),
        format::long(used),
        format::long(kept)
    );
    finding.evidence.push(format!("{}: {} allocated", file.path, format::exact(file.allocated)));
    finding.remedy.push_str(
        "the pool uses the room again, so it is lost to the host alone. Nothing frees \
                      it afterwards but copying the file: `docker save` what is needed and begin \
                      anew, better on a block device (see loop-lvm-in-use); keep \
                      dm.blkdiscard on",
    );
    Some(finding)
}
