//! Docker's sparse file has another length than docker was told to give it.

use crate::advise::Rule;
use crate::advise::words::{about_pool, shell};
use crate::format;
use crate::model::engine::LoopSpace;
use crate::model::{Cure, Finding, Pool, Severity, Topology};
use crate::units::Bytes;

pub(super) const RULE: Rule =
    Rule { code: "loop-size-differs", page: include_str!("../pages/loop-size-differs.md"), look };

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        let files = pool.engine_facts.iter().flat_map(|facts| &facts.loop_files);
        found.extend(files.filter_map(|file| describe(topology, pool, file)));
    }
}

fn describe(topology: &Topology, pool: &Pool, file: &LoopSpace) -> Option<Finding> {
    let told = file.configured.filter(|told| *told != file.apparent)?;
    let (what, option) = if file.is_data {
        ("data", "dm.loopdatasize")
    } else {
        ("metadata", "dm.loopmetadatasize")
    };
    let mut finding = about_pool(RULE.code, Severity::Advice, topology, pool);
    let (is, asked) = (format::long(file.apparent), format::long(told));
    let because = if told > file.apparent {
        "docker takes it when it makes the file; since 1.9 also when it starts and the pool is gone"
    } else {
        "docker never makes it shorter"
    };
    finding.summary =
        format!("{option} says {asked}, the {what} file of {} has {is}: {because}", pool.name);
    finding.evidence = vec![
        format!("{option}={}", format::exact(told)),
        format!("{}: {} long", file.path, format::exact(file.apparent)),
    ];
    if told > file.apparent {
        let name = shell(pool.name.as_str());
        finding.remedy =
            format!("`thinscope grow {name} --{what} {}`, while it is in use", typed(told));
        finding.cure = if file.is_data { Cure::GrowData } else { Cure::GrowMetadata };
    } else {
        finding.remedy = format!(
            "take {option} out of daemon.json, or set it to {}; a smaller pool is a new pool",
            typed(file.apparent)
        );
        finding.cure = Cure::ByHand;
    }
    Some(finding)
}

/// A size as it is typed, exactly.
fn typed(size: Bytes) -> String {
    let units = [(30, "G"), (20, "M"), (0, "b")];
    let whole = |(shift, _): &&(u32, &str)| size.get().is_multiple_of(1 << shift);
    let (shift, unit) = units.iter().find(whole).copied().unwrap_or((0, "b"));
    format!("{}{unit}", size.get() >> shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_typed_without_a_remainder() {
        assert_eq!(typed(Bytes(200 << 30)), "200G");
        assert_eq!(typed(Bytes(1536 << 20)), "1536M");
        assert_eq!(typed(Bytes(1000)), "1000b");
    }
}
