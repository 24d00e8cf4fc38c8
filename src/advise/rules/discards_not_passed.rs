//! Space that files give up does not reach what is below.

use crate::advise::Rule;
use crate::advise::stack::{levels, lowest};
use crate::advise::words::{about_pool, shell, table_lines};
use crate::model::{Finding, Kind, Node, NodeIx, Pool, Severity, Topology};
use crate::text::Printable;

pub(super) const RULE: Rule = Rule {
    code: "discards-not-passed",
    page: include_str!("../pages/discards-not-passed.md"),
    look,
};

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        if let Some(why) = why(topology, pool) {
            found.push(describe(topology, pool, &why));
        }
    }
}

/// Where a discard ends.
enum Why {
    /// In the pool itself: what files give up stays mapped.
    Ignored,
    /// At the pool, because its table asks for it, over something that could take it.
    NotAsked,
    /// At this device below the pool, over something that could take it.
    LostAt(Printable),
    /// At a loop device over a file that cannot be made sparse again.
    NoHoles(Printable),
}

fn why(topology: &Topology, pool: &Pool) -> Option<Why> {
    let word = pool.status()?.discard.as_ref()?.as_str();
    let asked = |option: &str| pool.options.iter().any(|given| given == option);
    match word {
        "ignore_discard" => return Some(Why::Ignored),
        "no_discard_passdown" => {}
        _ => return None,
    }
    let data = pool.data?;
    let bottom = lowest(topology, data);
    let takes = |node: &Node| Some(node.facts.queue.as_ref()?.discard_max?.get() > 0);
    // a disk that takes none is as it is; nothing is known where one was not asked
    if let Some(disk) = bottom.iter().find(|node| takes(node) != Some(true)) {
        let over_file = disk.kind == Kind::Loop && takes(disk) == Some(false);
        return over_file.then(|| Why::NoHoles(disk.name.clone()));
    }
    if asked("no_discard_passdown") {
        return (!bottom.is_empty()).then_some(Why::NotAsked);
    }
    let lost = |ix: &NodeIx| takes(topology.node(*ix)) == Some(false);
    let at = levels(topology, data).into_iter().rfind(lost)?;
    Some(Why::LostAt(topology.node(at).name.clone()))
}

fn describe(topology: &Topology, pool: &Pool, why: &Why) -> Finding {
    let mut finding = about_pool(RULE.code, Severity::Advice, topology, pool);
    finding.evidence.extend(table_lines(topology.node(pool.node)));
    finding.evidence.extend(limits(topology, pool));
    let (what, remedy) = match why {
        Why::Ignored => (
            "ignores discards: blocks that files gave up stay mapped until their device is deleted"
                .to_owned(),
            match &pool.lv {
                Some(lv) => passdown(lv),
                None => "load its table without ignore_discard".to_owned(),
            },
        ),
        Why::NotAsked => (
            "passes no discards down: what it frees stays taken below, in a file or on an SSD"
                .to_owned(),
            match &pool.lv {
                Some(lv) => passdown(lv),
                None => "load its table without no_discard_passdown".to_owned(),
            },
        ),
        Why::LostAt(name) => (
            format!(
                "passes no discards down, because {name} takes none although what is below it \
                     does"
            ),
            "allow discards in that layer (crypttab: discard; raid: its own option), then \
             reactivate the pool"
                .to_owned(),
        ),
        Why::NoHoles(name) => (
            format!(
                "cannot give space back to the host: the file under {name} lies on a \
                     filesystem without holes"
            ),
            "keep the files on ext4, xfs or btrfs, or use a block device".to_owned(),
        ),
    };
    finding.summary = format!("{} {what}", pool.name);
    finding.remedy = remedy;
    finding
}

fn passdown(lv: &Printable) -> String {
    format!("with the pool inactive, `lvchange --discards passdown {}`", shell(lv.as_str()))
}

fn limits(topology: &Topology, pool: &Pool) -> Vec<String> {
    let levels = pool.data.map(|data| levels(topology, data)).unwrap_or_default();
    let line = |ix: NodeIx| {
        let node = topology.node(ix);
        let most = node.facts.queue.as_ref()?.discard_max?;
        Some(format!("discard_max_bytes of {}: {}", node.name, most.get()))
    };
    levels.into_iter().filter_map(line).collect()
}
