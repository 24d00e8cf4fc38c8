//! What a plan brings, in a line or two: sizes before and after.

use super::grow::group_of;
use crate::format;
use crate::model::{PoolState, Topology};
use crate::units::Bytes;

/// What becomes of a pool.
pub(crate) fn gains(before: &Topology, after: &Topology, target: &str) -> Vec<String> {
    let pool = |topology: &Topology| topology.find_pool(Some(target));
    let (Some(was), Some(is)) = (pool(before), pool(after)) else { return Vec::new() };
    let (was, is) = (before.pool(was), after.pool(is));
    let mut lines = Vec::new();
    let sizes = [
        ("data", was.data_usage().zip(is.data_usage())),
        ("metadata", was.metadata_usage().zip(is.metadata_usage())),
    ];
    for (what, sizes) in sizes {
        let Some((was, is)) = sizes.filter(|(was, is)| was.total != is.total) else { continue };
        lines.push(change(what, was.total, is.total));
    }
    if matches!(was.state, PoolState::Inactive) && !matches!(is.state, PoolState::Inactive) {
        lines.push(format!("{target} is active again"));
    }
    let groups = group_of(before, was).zip(group_of(after, is));
    if let Some(((name, was), (_, is))) = groups
        && let (Some(was), Some(is)) = (was.free, is.free)
        && was != is
    {
        lines.push(change(&format!("free in {name}"), was, is));
    }
    lines
}

fn change(what: &str, was: Bytes, is: Bytes) -> String {
    let by = if is > was {
        format!("+{}", format::long(is.minus(was)))
    } else {
        format!("-{}", format::long(was.minus(is)))
    };
    format!("{what} {} to {} ({by})", format::long(was), format::long(is))
}
