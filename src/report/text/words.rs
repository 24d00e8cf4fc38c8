//! Words for the columns: names, figures and states of nodes and thin devices.

use super::style::{Paint, Style};
use super::table::Cell;
use crate::format;
use crate::model::{
    ContainerState, Kind, Node, Pool, PoolState, Role, ThinDevice, Topology, Usage,
};
use crate::text::Printable;
use crate::units::{Bytes, ratio};

/// How many characters of a hash people work with: docker's own short ids have twelve.
const SHORT_HASH: usize = 12;

/// A figure that every such thing has: `?` when it was not seen.
pub(super) fn size(value: Option<Bytes>) -> String {
    value.map_or_else(|| "?".to_owned(), format::short)
}

/// A name with its 64-digit hashes cut to the twelve that `docker ps` prints.
pub(super) fn shorten_hashes(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while !rest.is_empty() {
        let hex = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        let (run, after) = rest.split_at(hex);
        out.push_str(if hex == 64 { &run[..SHORT_HASH] } else { run });
        let other = after.find(|c: char| c.is_ascii_hexdigit()).unwrap_or(after.len());
        out.push_str(&after[..other]);
        rest = &after[other..];
    }
    out
}

/// The name of a node under its parents.
pub(super) fn node_name(topology: &Topology, node: &Node) -> String {
    if let Some(thin) = node.facts.thin {
        return thin_name(topology.thin(thin));
    }
    node.short.as_ref().unwrap_or(&node.name).to_string()
}

/// The words for a thin device: its container, image and position, or its own name.
pub(super) fn thin_name(thin: &ThinDevice) -> String {
    if thin.role == Role::Base {
        return "base".to_owned();
    }
    shorten_hashes(&thin.label())
}

/// What kind of node it is: for a thin device what it is for.
pub(super) fn node_kind(topology: &Topology, node: &Node) -> &'static str {
    match node.facts.thin {
        Some(ix) if topology.thin(ix).role != Role::Unknown => topology.thin(ix).role.name(),
        _ => node.kind.name(),
    }
}

/// What of a node is taken: a pool's data, a thin device's mapped blocks, a file's blocks.
pub(super) fn node_used(topology: &Topology, node: &Node, style: Style) -> String {
    if let Some(ix) = node.facts.pool {
        let pool = topology.pool(ix);
        return match pool.state {
            PoolState::Inactive => style.nothing().to_owned(),
            _ => size(pool.data_usage().map(|data| data.used)),
        };
    }
    match (node.facts.thin, &node.facts.file) {
        (Some(ix), _) => size(topology.thin(ix).mapped),
        (None, Some(file)) => size(Some(file.allocated)),
        (None, None) => style.nothing().to_owned(),
    }
}

/// The state of a node in words, worst first.
pub(super) fn node_state(topology: &Topology, node: &Node) -> Cell {
    if let Some(ix) = node.facts.pool {
        return pool_state(topology.pool(ix));
    }
    if let Some(ix) = node.facts.thin {
        return thin_state(topology.thin(ix));
    }
    let facts = &node.facts;
    if facts.dm.as_ref().is_some_and(|dm| dm.suspended) {
        return Cell::painted("suspended", Paint::Bad);
    }
    if facts.pv.as_ref().is_some_and(|pv| pv.missing) {
        return Cell::painted("missing", Paint::Bad);
    }
    match (&facts.pv, &facts.vg) {
        (Some(pv), _) => free(pv.free),
        (None, Some(vg)) => free(vg.free),
        (None, None) if can_be_inactive(node) => Cell::painted("inactive", Paint::Dim),
        (None, None) => note(facts.loop_device.as_ref().is_some_and(|l| l.deleted)),
    }
}

fn can_be_inactive(node: &Node) -> bool {
    node.device.is_none() && node.kind != Kind::File
}

fn note(deleted: bool) -> Cell {
    if deleted { Cell::painted("file deleted", Paint::Warning) } else { Cell::default() }
}

fn free(bytes: Option<Bytes>) -> Cell {
    bytes.map_or_else(Cell::default, |bytes| format!("{} free", format::short(bytes)).into())
}

/// Mode, what is wrong, how full: `rw data 61% meta 9%`.
fn pool_state(pool: &Pool) -> Cell {
    let mut words = Vec::new();
    if pool.suspended {
        words.push("suspended".to_owned());
    }
    words.push(pool.mode().unwrap_or("?").to_owned());
    if let Some(status) = pool.status() {
        if status.needs_check == Some(true) {
            words.push("needs_check".to_owned());
        }
        words.push(format!("data {}", percent(status.data.used.0, status.data.total.0)));
        words.push(format!("meta {}", percent(status.metadata.used.0, status.metadata.total.0)));
    }
    let healthy = !pool.suspended && matches!(pool.mode(), Some("rw"));
    Cell::painted(words.join(" "), if healthy { Paint::Plain } else { Paint::Bad })
}

/// The state of a thin device: most are not active, and that is healthy.
pub(super) fn thin_state(thin: &ThinDevice) -> Cell {
    let mut words = Vec::new();
    let mut paint = if thin.active { Paint::Plain } else { Paint::Dim };
    if thin.suspended {
        words.push("suspended");
        paint = Paint::Bad;
    }
    if let (Role::Container, Some(state)) =
        (thin.role, thin.container.as_ref().and_then(|container| container.state))
    {
        words.push(state.name());
        if state == ContainerState::Dead {
            paint = Paint::Warning;
        }
    }
    if thin.deferred_deletion {
        words.push("to be deleted");
    }
    if !thin.claims.is_empty() {
        words.push("claimed twice");
        paint = Paint::Bad;
    }
    words.push(if thin.active { "active" } else { "inactive" });
    let note = thin.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
    Cell::painted(words.join(" ") + &note, paint)
}

/// A part in percent, whole numbers, never rounded up to a full hundred.
pub(super) fn percent(used: u64, total: u64) -> String {
    match ratio(used, total) {
        None => "?".to_owned(),
        Some(_) if used < total => format!("{}%", (u128::from(used) * 100) / u128::from(total)),
        Some(share) => format!("{:.0}%", share * 100.0),
    }
}

/// Used of total with percent: `58.0 GiB of 95.0 GiB (61%)`.
pub(super) fn usage(usage: Option<Usage<Bytes>>) -> String {
    usage.map_or_else(
        || "?".to_owned(),
        |Usage { used, total }| {
            let share = percent(used.get(), total.get());
            format!("{} of {} ({share})", format::long(used), format::long(total))
        },
    )
}

/// Several names in one place.
pub(super) fn list(names: &[Printable]) -> String {
    names.iter().map(Printable::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_cut_to_docker_s_length_and_other_words_are_not() {
        let hash = "0123456789abcdef".repeat(4);
        assert_eq!(shorten_hashes(&hash), "0123456789ab");
        assert_eq!(shorten_hashes(&format!("{hash}-init")), "0123456789ab-init");
        assert_eq!(shorten_hashes(&format!("app@sha256:{hash}")), "app@sha256:0123456789ab");
        assert_eq!(shorten_hashes("deadbeef 漢 web-1"), "deadbeef 漢 web-1");
    }

    #[test]
    fn a_pool_is_a_hundred_percent_full_only_when_it_is() {
        assert_eq!(percent(999, 1000), "99%");
        assert_eq!(percent(1000, 1000), "100%");
        assert_eq!(percent(0, 1000), "0%");
        assert_eq!(percent(1, 0), "?");
        assert_eq!(percent(u64::MAX - 1, u64::MAX), "99%");
    }
}
