//! A running container that has written so much that it belongs on a volume.

use crate::advise::Rule;
use crate::advise::words::{about_node, percent, shell};
use crate::format;
use crate::model::{ContainerState, Finding, Pool, Role, Severity, ThinDevice, Topology};
use crate::units::Bytes;

pub(super) const RULE: Rule = Rule {
    code: "container-writes-heavy",
    page: include_str!("../pages/container-writes-heavy.md"),
    look,
};

/// Less than this is no load for any pool.
const WORTH: u64 = 256 << 20;
/// So many percent of the pool for one container.
const SHARE: u64 = 10;

fn look(topology: &Topology, found: &mut Vec<Finding>) {
    for pool in &topology.pools {
        let rows = pool.devices.iter().map(|ix| topology.thin(*ix));
        found.extend(rows.filter_map(|row| describe(topology, pool, row)));
    }
}

fn describe(topology: &Topology, pool: &Pool, row: &ThinDevice) -> Option<Finding> {
    let container = row.container.as_ref().filter(|_| row.role == Role::Container)?;
    let total = pool.data_usage()?.total.get();
    let running = matches!(container.state, Some(ContainerState::Running | ContainerState::Paused));
    let written = written(topology, pool, row)?;
    let share = percent(written.get(), total);
    if !running || written.get() < WORTH || share < SHARE {
        return None;
    }
    let mut finding = about_node(RULE.code, Severity::Advice, topology.node(row.node));
    finding.subject = container.name.clone();
    finding.summary = format!(
        "the container {} has written {} into its own layer, {share}% of the pool: every first \
         write of a block there copies one, and it goes when the container goes",
        container.name,
        format::long(written)
    );
    let mapped = row.mapped.map_or_else(|| "?".to_owned(), format::exact);
    finding.evidence = vec![format!("mapped by its layer: {mapped}")];
    finding.remedy = format!(
        "put what it writes onto a volume: `docker diff {}` says where that is, then run it with \
         `--mount type=volume,destination=PATH`",
        shell(container.name.as_str())
    );
    Some(finding)
}

/// What it has beyond its parent: the difference itself where that was read.
fn written(topology: &Topology, pool: &Pool, row: &ThinDevice) -> Option<Bytes> {
    let parents = || {
        let rows = pool.devices.iter().map(|ix| topology.thin(*ix));
        rows.into_iter().find(|other| other.id.is_some() && other.id == row.parent)?.mapped
    };
    row.delta.or_else(|| Some(row.mapped?.minus(parents()?)))
}
