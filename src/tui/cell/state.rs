//! The word in the column STATE, and how grave it is.

use super::Subject;
use crate::format;
use crate::model::{ContainerState, Kind, Mode, Node, Pool, PoolState, Role, ThinDevice};
use crate::tui::cell::name::count;
use crate::tui::outline::{Group, GroupKind, Outline, What};
use crate::tui::seen::Seen;

/// How a word is drawn beside being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// At work.
    Good,
    /// Neither.
    Plain,
    /// Healthy and at rest.
    Quiet,
    /// Look here.
    Warning,
    /// Hurts.
    Critical,
}

const INACTIVE: &str = "inactive";

/// Whether no device of its host was seen, so that it may well be active.
fn is_unlisted(seen: &Seen, device: &ThinDevice) -> bool {
    let pool = seen.topology().pool(device.pool);
    let unseen = matches!(pool.state, PoolState::Unseen { .. });
    unseen && seen.topology().node(pool.node).device.is_none()
}

/// The state of a row.
pub(crate) fn state(seen: &Seen, outline: &Outline, subject: &Subject<'_>) -> (String, Tone) {
    match (subject.what, subject.thin, subject.node) {
        (What::Group(at), ..) => outline.groups.get(at as usize).map_or_else(nothing, of_group),
        (What::Node(_), Some(device), Some(node)) => match thin(device, node) {
            (text, _) if text == INACTIVE && is_unlisted(seen, device) => {
                ("?".to_owned(), Tone::Quiet)
            }
            told => told,
        },
        (What::Node(_), None, Some(node)) => {
            let pool = node.facts.pool.and_then(|at| seen.topology().pools.get(at.0 as usize));
            pool.map_or_else(|| of_node(node), pool_state)
        }
        (What::Pointer { .. }, ..) => ("above".to_owned(), Tone::Quiet),
        _ => nothing(),
    }
}

const fn nothing() -> (String, Tone) {
    (String::new(), Tone::Plain)
}

fn of_group(group: &Group) -> (String, Tone) {
    match (group.kind, group.running) {
        (GroupKind::Image, 0) => nothing(),
        (GroupKind::Image, running) => (format!("{running} running"), Tone::Good),
        _ => (count(group.layers, "device"), Tone::Plain),
    }
}

fn thin(device: &ThinDevice, node: &Node) -> (String, Tone) {
    let state = device.container.as_ref().and_then(|container| container.state);
    let suspended = device.suspended || node.facts.dm.as_ref().is_some_and(|dm| dm.suspended);
    let (text, tone) = match (device.role, state) {
        _ if suspended => ("suspended", Tone::Critical),
        (Role::Leaked, _) => ("no owner", Tone::Warning),
        (Role::Missing, _) => ("not there", Tone::Warning),
        _ if !device.claims.is_empty() => ("2 claims", Tone::Warning),
        _ if device.deferred_deletion => ("deleting", Tone::Warning),
        (Role::Container, Some(state)) => (state.name(), container_tone(state)),
        _ if device.active => ("active", Tone::Plain),
        _ => (INACTIVE, Tone::Quiet),
    };
    (text.to_owned(), tone)
}

const fn container_tone(state: ContainerState) -> Tone {
    match state {
        ContainerState::Running => Tone::Good,
        ContainerState::Dead | ContainerState::Removing | ContainerState::Restarting => {
            Tone::Warning
        }
        ContainerState::Paused => Tone::Plain,
        ContainerState::Created | ContainerState::Exited => Tone::Quiet,
    }
}

fn pool_state(pool: &Pool) -> (String, Tone) {
    let (text, tone) = match &pool.state {
        _ if pool.suspended => ("suspended", Tone::Critical),
        PoolState::Failed => ("failed", Tone::Critical),
        PoolState::Unseen { .. } => ("?", Tone::Warning),
        PoolState::Inactive => ("inactive", Tone::Warning),
        PoolState::Active(status) => match &status.mode {
            _ if status.needs_check == Some(true) => ("check!", Tone::Critical),
            Mode::Rw => ("rw", Tone::Good),
            Mode::Ro => ("read-only", Tone::Critical),
            Mode::OutOfDataSpace => ("full", Tone::Critical),
            Mode::Unknown(word) => (word.as_str(), Tone::Warning),
        },
    };
    (text.to_owned(), tone)
}

fn of_node(node: &Node) -> (String, Tone) {
    let facts = &node.facts;
    if facts.dm.as_ref().is_some_and(|dm| dm.suspended) {
        return ("suspended".to_owned(), Tone::Critical);
    }
    if let Some(pv) = &facts.pv {
        return match (pv.missing, pv.free) {
            (true, _) => ("missing".to_owned(), Tone::Critical),
            (false, Some(free)) => (format!("{} free", format::short(free)), Tone::Plain),
            (false, None) => (String::new(), Tone::Plain),
        };
    }
    if let Some(vg) = &facts.vg {
        return match (vg.missing_pvs, vg.free) {
            (1.., _) => ("partial".to_owned(), Tone::Critical),
            (0, Some(free)) => (format!("{} free", format::short(free)), Tone::Plain),
            (0, None) => (String::new(), Tone::Plain),
        };
    }
    if facts.loop_device.as_ref().is_some_and(|device| device.deleted) {
        return ("deleted".to_owned(), Tone::Warning);
    }
    if let Some(mounted) = node.mountpoints.first() {
        return (mounted.to_string(), Tone::Plain);
    }
    // the spare, and volumes that somebody switched off
    let inactive = facts.lv.is_some() && node.device.is_none() && node.kind != Kind::Pmspare;
    (if inactive { "inactive" } else { "" }.to_owned(), Tone::Quiet)
}
