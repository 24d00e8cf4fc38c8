//! Facts of a pool: how full, in which mode, what is in it, what Docker prints of it.

use super::{Line, Lines};
use crate::format;
use crate::model::metadata::Reservation;
use crate::model::{NoSpace, Node, Pool, PoolState, PoolStatus, Role, Trend, Usage};
use crate::report::text::{describe_forecast, what_next};
use crate::text::Printable;
use crate::tui::cell::name::count;
use crate::tui::outline::owners::runs;
use crate::tui::seen::Seen;
use crate::units::Bytes;

/// A pool.
pub(super) fn describe(lines: &mut Lines, seen: &Seen, node: &Node, pool: &Pool) {
    lines.push(Line::Title(pool.name.to_string()));
    let block = pool.block_size.map_or_else(|| "?".to_owned(), |size| format::long(size.bytes()));
    lines.text(format!("{} {}, {block} blocks", pool.kind.name(), pool.mode().unwrap_or("?")));
    if pool.suspended {
        lines.text("suspended: whoever reads or writes it waits");
    }
    match &pool.state {
        PoolState::Active(status) => describe_status(lines, seen, pool, status),
        PoolState::Failed => lines.text("failed: the kernel answers nothing but Fail"),
        PoolState::Unseen { why } => {
            lines.text(format!("status not seen: {why}"));
            describe_committed(lines, pool);
        }
        PoolState::Inactive => {
            lines.text("inactive: no device for it in the kernel");
            if pool.contents.is_none() {
                lines.size("data size", pool.data_size.or(node.size));
                lines.size("metadata size", pool.metadata_size);
            }
            describe_committed(lines, pool);
        }
    }
    lines.maybe("history", seen.trends.place.as_ref());
    describe_devices(lines, seen, pool);
    describe_holders(lines, seen, pool);
    let options: Vec<_> = pool.options.iter().map(crate::text::Printable::as_str).collect();
    lines.fact("table options", options.join(" "));
    if let (Some(water), Some(block)) = (pool.low_water, pool.block_size) {
        lines.fact("low water", format!("{} free", format::long(water.bytes(block))));
    }
    lines.maybe("monitored", pool.monitor.as_ref());
    lines.maybe("profile", pool.profile.as_ref().filter(|profile| !profile.is_empty()));
    describe_driver(lines, pool);
    describe_next(lines, seen, pool);
}

/// What its metadata says is in use.
fn describe_committed(lines: &mut Lines, pool: &Pool) {
    let Some(contents) = pool.contents.as_deref() else { return };
    let (data, metadata) = (&contents.data, &contents.metadata);
    let of =
        |used: Bytes, total: Bytes| format!("{} of {}", format::long(used), format::long(total));
    let block = contents.block_size;
    lines.fact("data", of(data.used.bytes(block), data.total.bytes(block)));
    lines.fact("metadata", of(metadata.used.bytes(), metadata.total.bytes()));
    lines.fact("transaction", contents.transaction.to_string());
}

/// Who acts when it goes on filling.
fn describe_next(lines: &mut Lines, seen: &Seen, pool: &Pool) {
    let next = what_next(seen.topology(), pool);
    if !next.is_empty() {
        lines.head("what happens next");
    }
    for line in next {
        lines.text(line);
    }
}

/// How it filled, and when it would be full if it goes on so.
fn describe_trend(lines: &mut Lines, trend: Option<&Trend>) {
    let Some(trend) = trend else { return };
    if trend.steps.iter().flatten().count() > 1 {
        let steps = trend.steps.iter().map(|step| step.map(whole_percent)).collect();
        lines.push(Line::Spark(steps, trend.over_seconds));
    }
    if let Some(forecast) = &trend.forecast {
        lines.text(describe_forecast(forecast));
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "held between 0 and 100"
)]
fn whole_percent(ratio: f64) -> u8 {
    (ratio.clamp(0.0, 1.0) * 100.0).floor() as u8
}

fn describe_status(lines: &mut Lines, seen: &Seen, pool: &Pool, status: &PoolStatus) {
    let trend = seen.trends.of(&pool.name);
    let free = pool.engine_facts.iter().find_map(|facts| facts.min_free_percent);
    // docker's rule, not the kernel's, and of both alike
    let stop = free.filter(|free| (1..100).contains(free)).map(|free| 100 - free);
    if let Some(Usage { used, total }) = pool.data_usage() {
        lines.push(Line::Gauge { label: "data", used, total, stop });
        describe_trend(lines, trend.map(|trend| &trend.data));
    }
    if let Some(Usage { used, total }) = pool.metadata_usage() {
        lines.push(Line::Gauge { label: "meta", used, total, stop });
        describe_trend(lines, trend.map(|trend| &trend.metadata));
    }
    let lvm = pool.lvm_transaction_id.map_or_else(String::new, |id| format!(" (LVM: {id})"));
    lines.fact("transaction", format!("{}{lvm}", status.transaction_id));
    lines.maybe("without space", status.no_space.as_ref().map(no_space));
    lines.maybe("discards", status.discard.as_ref());
    match status.needs_check {
        Some(true) => lines.text("needs_check: a metadata operation failed"),
        Some(false) => lines.fact("needs check", "no"),
        None => lines.fact("needs check", "? (this kernel does not say)"),
    }
    lines.maybe("metadata snapshot", status.held_root.map(|block| format!("held at {block}")));
    let more: Vec<_> = status.more.iter().map(crate::text::Printable::as_str).collect();
    lines.fact("more status", more.join(" "));
}

fn no_space(action: &NoSpace) -> &str {
    match action {
        NoSpace::Queue => "writes wait",
        NoSpace::Error => "writes fail",
        NoSpace::Unknown(word) => word.as_str(),
    }
}

fn describe_devices(lines: &mut Lines, seen: &Seen, pool: &Pool) {
    let devices = || pool.devices.iter().filter_map(|ix| seen.topology().thins.get(ix.0 as usize));
    let of_role = |role: Role| devices().filter(|device| device.role == role).count();
    let running = devices().filter(|device| device.role == Role::Container && runs(device)).count();
    let several = |role, what| {
        let number = of_role(role);
        (number, count(u32::try_from(number).unwrap_or(u32::MAX), what))
    };
    let so_many = |number: usize, what: &str| (number, format!("{number} {what}"));
    let parts = [
        several(Role::ImageLayer, "image layer"),
        several(Role::Container, "container"),
        so_many(running, "running"),
        several(Role::Volume, "volume"),
        several(Role::Snapshot, "snapshot"),
        so_many(of_role(Role::Leaked), "leaked"),
        so_many(of_role(Role::Missing), "missing"),
    ];
    let some = parts.into_iter().filter(|(number, _)| *number > 0).map(|(_, words)| words);
    let parts: Vec<_> = std::iter::once(devices().count().to_string()).chain(some).collect();
    lines.fact("devices", parts.join(", "));
}

/// Who holds what is used, each block counted once; and what is committed where that differs.
fn describe_holders(lines: &mut Lines, seen: &Seen, pool: &Pool) {
    let Some(contents) = pool.contents.as_deref() else { return };
    let bytes = |blocks: crate::units::DataBlocks| blocks.bytes(contents.block_size);
    if pool.status().is_some_and(|status| status.data.used != contents.data.used) {
        lines.size("committed", Some(bytes(contents.data.used)));
    }
    match &contents.reserved {
        Some(Reservation::Released) => lines.fact(
            "read",
            "through a metadata snapshot that was reserved for it and released: this wrote to the pool",
        ),
        Some(Reservation::Stays(why)) => {
            let why = Printable::from_text(why);
            lines.fact("read", format!("through a metadata snapshot that is still held: {why}"));
        }
        None => {}
    }
    let Some(holders) = seen.topology().holders(pool) else { return };
    lines.head("who holds it, shared blocks counted once");
    for (holder, blocks) in holders {
        lines.fact(holder.name(), format::long(bytes(blocks)));
    }
}

fn describe_driver(lines: &mut Lines, pool: &Pool) {
    if pool.driver_status.is_empty() {
        return;
    }
    lines.head("as docker info prints it");
    pool.driver_status.iter().for_each(|(key, value)| lines.fact(key, value));
    if !pool.driver_status_unknown.is_empty() {
        lines.fact("only the daemon knows", pool.driver_status_unknown.join(", "));
    }
}
