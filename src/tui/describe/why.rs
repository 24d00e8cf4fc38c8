//! What fills a pool, in words: the head of the page, and each of its rows.

use std::fmt::Write as _;

use super::{Line, Lines};
use crate::format;
use crate::model::{Pool, Role, ThinDevice, Usage};
use crate::report::text::describe_forecast;
use crate::tui::cell::name::count;
use crate::tui::outline::owners::runs;
use crate::tui::outline::{Outline, What};
use crate::tui::seen::Seen;
use crate::tui::why::{Frees, Growth, Holder, Known, Rest, Sort, Users, Why};
use crate::units::Bytes;

/// How full it is, since when and until when.
pub(crate) fn headline(seen: &Seen, pool: &Pool) -> String {
    let contents = pool.contents.as_deref();
    let committed = contents.map(|contents| {
        let (data, block) = (&contents.data, contents.block_size);
        Usage { used: data.used.bytes(block), total: data.total.bytes(block) }
    });
    let Some(data) = pool.data_usage().or(committed) else {
        return "how full it is was not seen".to_owned();
    };
    let free = data.total.minus(data.used);
    let total = format::long(data.total);
    let mut text = if free == Bytes(0) {
        format!("it is full: all {total} of data are in use")
    } else {
        let (used, free) = (format::long(data.used), format::long(free));
        format!("{used} of {total} of data are in use, {free} are free")
    };
    let trend = seen.trends.of(&pool.name);
    if let Some(forecast) = trend.and_then(|trend| trend.data.forecast.as_ref()) {
        let _ = write!(text, "; at this pace it {}", describe_forecast(forecast));
    }
    let committed = contents.map(|contents| Usage {
        used: contents.metadata.used.bytes(),
        total: contents.metadata.total.bytes(),
    });
    if let Some(Usage { used, total }) = pool.metadata_usage().or(committed) {
        let (used, total) = (format::long(used), format::long(total));
        let _ = write!(text, "; metadata {used} of {total}");
    }
    text
}

/// By what the holders are ranked, and what that leaves open.
pub(crate) fn ranking(why: &Why, recorded: bool) -> String {
    let mut text = match why.known {
        Known::Sharing => "EXCL: used by nothing else; FREES: by deleting it",
        Known::Devices => {
            "EXCL and FREES are at least so much: what several share was too much to keep"
        }
        Known::Nothing if recorded => {
            "by MAPPED, shared blocks counted for each: who shares what was not read"
        }
        Known::Nothing => "by MAPPED, shared blocks counted for each: m reads who shares what",
    }
    .to_owned();
    let longest = why.holders.iter().filter_map(|holder| holder.grown).map(|one| one.in_ms).max();
    if let Some(longest) = longest {
        let _ = write!(text, "; GREW within {}", time(longest));
    }
    text
}

/// What a holder is, in a column.
pub(crate) fn word(seen: &Seen, holder: &Holder) -> String {
    let device = seen.topology().thin(holder.thin);
    match &holder.sort {
        Sort::Layers { users, .. } => used(*users).unwrap_or_else(|| "nothing uses it".to_owned()),
        Sort::Device if device.deferred_deletion => "to be deleted".to_owned(),
        Sort::Device => match (&device.container, device.role) {
            (Some(container), _) => {
                container.state.map_or("state not known", |state| state.name()).to_owned()
            }
            (None, Role::Base) => "base device".to_owned(),
            (None, Role::Unknown) => "owner not known".to_owned(),
            (None, role) if device.mountpoint.is_some() => format!("{}, mounted", role.name()),
            (None, role) if device.active => format!("{}, active", role.name()),
            (None, role) => role.name().to_owned(),
        },
    }
}

/// `2 containers use it`, in a column.
fn used(users: Users) -> Option<String> {
    let all = users.containers.saturating_add(users.images).saturating_add(users.others);
    match (users.containers, users.images) {
        _ if all == 0 => None,
        (1, 0) if all == 1 => Some("1 container uses it".to_owned()),
        (number, 0) if all == number => Some(format!("{number} containers use it")),
        (0, 1) if all == 1 => Some("1 image is on it".to_owned()),
        (0, number) if all == number => Some(format!("{number} images are on it")),
        _ => Some(format!("{all} made from it")),
    }
}

/// `2 containers and 1 image are made from it`.
fn made_from(users: Users) -> String {
    let parts = [(users.containers, "container"), (users.images, "image"), (users.others, "build")];
    let some = parts.into_iter().filter(|(number, _)| *number > 0);
    let some: Vec<String> = some.map(|(number, what)| count(number, what)).collect();
    format!("{} made from it", some.join(" and "))
}

/// What else is in use, in a column.
pub(crate) fn rest_word(rest: Rest) -> String {
    match rest {
        Rest::Others(1) => "1 smaller holder".to_owned(),
        Rest::Others(number) => format!("{number} smaller holders"),
        Rest::Shared => "shared by several".to_owned(),
        Rest::Snapshot => "metadata snapshot".to_owned(),
        Rest::Pending => "being written".to_owned(),
        Rest::Lost => "lost to everybody".to_owned(),
        Rest::Uncommitted => "not committed yet".to_owned(),
    }
}

/// What is in use beside the largest holders.
pub(crate) fn describe_rest(rest: Rest, size: Option<Bytes>) -> Vec<Line> {
    let mut lines = Lines::default();
    lines.push(Line::Title(rest_word(rest)));
    lines.size("in use", size);
    lines.text(match rest {
        Rest::Others(_) => "what each of them uses alone, added up; view 1 sorts them: s, EXCL",
        Rest::Shared => {
            "blocks that several of them use: freed only when all of those are deleted. The layers of \
             one image count as one. Marked together in view 1, what they free is told"
        }
        Rest::Snapshot => "blocks that a held metadata snapshot keeps: freed when it is released",
        Rest::Pending => "blocks that were taken for writes under way: mapped when those are done",
        Rest::Lost => {
            "blocks that the space map counts and no device reaches: lost to everybody until the \
             metadata is repaired"
        }
        Rest::Uncommitted => {
            "blocks that the kernel counts and the metadata's last commit does not have yet"
        }
    });
    lines.list
}

/// A holder, and then its device.
pub(crate) fn describe_holder(
    (seen, outline): (&Seen, &Outline),
    holder: &Holder,
    known: Known,
    exact: bool,
) -> Vec<Line> {
    let mut lines = Lines { exact, ..Lines::default() };
    let device = seen.topology().thin(holder.thin);
    lines.push(Line::Title(holder.name.clone()));
    lines.text(match &holder.sort {
        Sort::Layers { count: number, .. } => {
            format!("{}: {}", count(*number, "layer"), word(seen, holder))
        }
        Sort::Device if device.container.is_some() => {
            format!("{}: {}", device.role.name(), word(seen, holder))
        }
        Sort::Device => word(seen, holder),
    });
    lines.fact("deleting it", frees(holder, device, known));
    lines.fact("grew", growth(holder, device));
    if matches!(holder.sort, Sort::Layers { .. }) || device.role == Role::Container {
        lines.size("exclusive", holder.alone);
    }
    let of_device = super::describe(seen, outline, What::Node(holder.node), exact);
    let head = match holder.sort {
        Sort::Layers { image: true, .. } => "its uppermost layer",
        Sort::Layers { .. } => "the one that maps most",
        Sort::Device => "its device",
    };
    lines.head(head);
    lines.list.extend(of_device.into_iter().filter(|line| !matches!(line, Line::Title(_))));
    lines.text("enter: to its place in the tree");
    lines.list
}

/// What deleting it gives back, and what stands in the way.
fn frees(holder: &Holder, device: &ThinDevice, known: Known) -> String {
    let size = match holder.frees {
        Frees::Never => return "is nothing: every layer was made from it".to_owned(),
        Frees::NotSeen => {
            return "frees what it does not share: m reads who shares what".to_owned();
        }
        Frees::Some(size) => size,
    };
    let users = match &holder.sort {
        Sort::Layers { users, .. } if *users != Users::default() => Some(made_from(*users)),
        Sort::Layers { .. } | Sort::Device => None,
    };
    let least = if known == Known::Devices { "at least " } else { "" };
    let mut text = match (users, size) {
        (Some(users), Bytes(0)) => return format!("frees nothing by itself: {users}"),
        (Some(users), size) => {
            format!("frees {least}{}; the rest stays: {users}", format::long(size))
        }
        (None, size) if runs(device) => {
            format!("frees {least}{}, once it is stopped", format::long(size))
        }
        (None, size) => format!("frees {least}{}", format::long(size)),
    };
    if holder.held > Bytes(0) {
        let held = format::long(holder.held.min(size));
        let _ = write!(text, ", {held} of it when the metadata snapshot is released");
    }
    text
}

/// What it grew by on this screen; else what it has that it was not made with, where that was read.
fn growth(holder: &Holder, device: &ThinDevice) -> String {
    let written = device.delta.filter(|_| matches!(device.role, Role::Container | Role::Snapshot));
    match (holder.grown, written) {
        (Some(grown), _) => pace(grown),
        (None, Some(written)) => format!("by {} since it was made", format::long(written)),
        (None, None) => String::new(),
    }
}

/// `by 1.2 GiB in 12 minutes, 144 GiB a day`.
fn pace(Growth { by, in_ms }: Growth) -> String {
    const DAY_MS: u128 = 86_400_000;
    let a_day = u128::from(by.get()) * DAY_MS / u128::from(in_ms.unsigned_abs().max(1));
    let a_day = Bytes(u64::try_from(a_day).unwrap_or(u64::MAX));
    let (by, within) = (format::long(by), time(in_ms));
    // of a few seconds nobody makes a day
    if in_ms < 60_000 {
        return format!("by {by} in {within}");
    }
    format!("by {by} in {within}, {} a day at that pace", format::long(a_day))
}

fn time(ms: i64) -> String {
    format::about(u64::try_from(ms / 1000).unwrap_or(0).max(1))
}
