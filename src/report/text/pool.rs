//! `pool`: the driver section as `docker info` prints it, and what docker does not say.

use std::io::{self, Write};

use super::forecast::describe_forecast;
use super::next::what_next;
use super::style::{Paint, Painted, Style};
use super::words::{list, usage};
use super::write_each_pool;
use crate::format;
use crate::model::{
    Engine, Forecast, NoSpace, Pool, PoolIx, PoolState, PoolTrend, Snapshot, Topology, Trend,
};
use crate::text::Printable;
use crate::units::Bytes;

/// Prints all pools, or one.
pub fn write_pools(
    out: &mut dyn Write,
    snapshot: &Snapshot,
    only: Option<PoolIx>,
    style: Style,
) -> io::Result<()> {
    write_each_pool(out, &snapshot.topology, only, |out, pool| {
        write_pool(out, snapshot, pool, style)
    })
}

fn write_pool(
    out: &mut dyn Write,
    snapshot: &Snapshot,
    pool: &Pool,
    style: Style,
) -> io::Result<()> {
    let name = style.fit(pool.name.to_string());
    writeln!(out, "{}", Painted(style, Paint::Bold, &name))?;
    let own = own_lines(&snapshot.topology, pool).into_iter();
    for (key, value) in own.chain(history_lines(snapshot, pool)) {
        writeln!(out, " {key}: {}", style.fit(value))?;
    }
    write_driver_status(out, pool, style)?;
    let next = what_next(&snapshot.topology, pool);
    if !next.is_empty() {
        writeln!(out, "What happens next")?;
    }
    next.into_iter().try_for_each(|line| writeln!(out, " {}", style.fit(line)))
}

/// The driver section, laid out exactly as `docker info` lays it out.
fn write_driver_status(out: &mut dyn Write, pool: &Pool, style: Style) -> io::Result<()> {
    if pool.driver_status.is_empty() {
        return Ok(());
    }
    writeln!(out, "Storage Driver: devicemapper")?;
    for (key, value) in &pool.driver_status {
        let value = Printable::from_text(value);
        writeln!(out, " {key}: {}", style.fit(value.to_string()))?;
    }
    if !pool.driver_status_unknown.is_empty() {
        let keys = pool.driver_status_unknown.join(", ");
        writeln!(out, "Known to a running daemon only: {keys}")?;
    }
    if !pool.driver_status_unseen.is_empty() {
        let keys = pool.driver_status_unseen.join(", ");
        let why =
            if pool.state == PoolState::Inactive { "is inactive" } else { "hides its status" };
        writeln!(out, "Not known while the pool {why}: {keys}")?;
    }
    Ok(())
}

/// What thinscope says of a pool in its own words; a line that does not apply is left out.
fn own_lines(topology: &Topology, pool: &Pool) -> Vec<(&'static str, String)> {
    let inactive = pool.state == PoolState::Inactive;
    let device = topology.node(pool.node).device;
    let block = pool.block_size.map(|block| format::long(block.bytes()));
    let mut lines = vec![
        ("Kind", pool.kind.name().to_owned()),
        ("Mode", mode(pool)),
        ("Device", device.map_or_else(|| "none".to_owned(), |device| device.to_string())),
        ("Block size", block.unwrap_or_else(|| "?".to_owned())),
    ];
    if inactive {
        lines.extend(pool.data_size.map(|size| ("Data", format::long(size))));
        lines.extend(pool.metadata_size.map(|size| ("Metadata", format::long(size))));
    } else {
        lines.push(("Data", usage(pool.data_usage())));
        lines.push(("Metadata", usage(pool.metadata_usage())));
    }
    lines.extend(status_lines(topology, pool));
    lines.extend(pool.lv.as_ref().map(|lv| ("Logical volume", lv.to_string())));
    lines.extend(pool.lvm_transaction_id.map(|id| ("LVM's transaction id", id.to_string())));
    lines.extend(non_empty("Monitoring", pool.monitor.as_ref()));
    lines.extend(non_empty("Profile", pool.profile.as_ref()));
    lines.push(("Engines", engines(&pool.engines)));
    lines.push(("Thin devices", pool.devices.len().to_string()));
    lines
}

/// When it would be full, and from where that is known.
fn history_lines(snapshot: &Snapshot, pool: &Pool) -> Vec<(&'static str, String)> {
    let trends = &snapshot.trends;
    let trend = trends.of(&pool.name);
    let of = |part: fn(&PoolTrend) -> &Trend| trend.and_then(|trend| part(trend).forecast);
    let forecast =
        |forecast: Option<Forecast>| forecast.map(|forecast| describe_forecast(&forecast));
    let data = forecast(of(|trend| &trend.data)).map(|words| ("Forecast", format!("data {words}")));
    let metadata = forecast(of(|trend| &trend.metadata));
    let metadata = metadata.map(|words| ("Forecast", format!("metadata {words}")));
    let place = trends.place.as_ref().map(|place| ("History", place.to_string()));
    data.into_iter().chain(metadata).chain(place).collect()
}

fn mode(pool: &Pool) -> String {
    let mode = match &pool.state {
        PoolState::Unseen { why } => format!("? ({why})"),
        _ => pool.mode().unwrap_or("?").to_owned(),
    };
    if pool.suspended { format!("{mode}, suspended") } else { mode }
}

fn status_lines(topology: &Topology, pool: &Pool) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    if let Some(mark) = pool.low_water.zip(pool.block_size).map(|(mark, b)| mark.bytes(b)) {
        // 0 is what LVM sets where it shall not grow the pool by itself
        let mark = if mark == Bytes(0) { "none".to_owned() } else { format::long(mark) };
        lines.push(("Low water mark", mark));
    }
    if !pool.options.is_empty() {
        lines.push(("Table options", list(&pool.options)));
    }
    let Some(status) = pool.status() else { return lines };
    lines.push(("Transaction id", status.transaction_id.to_string()));
    lines.extend(status.discard.as_ref().map(|word| ("Discard", word.to_string())));
    lines.extend(status.no_space.as_ref().map(|what| {
        let timeout = topology.host.no_space_timeout;
        ("Without space", no_space(what, timeout))
    }));
    if let Some(needed) = status.needs_check {
        lines.push(("Needs check", if needed { "yes" } else { "no" }.to_owned()));
    }
    lines.extend(status.held_root.map(|block| ("Metadata snapshot", format!("at block {block}"))));
    lines
}

fn no_space(what: &NoSpace, timeout: Option<u64>) -> String {
    match (what, timeout) {
        (NoSpace::Queue, Some(0)) => "writes wait without end (no_space_timeout is 0)".to_owned(),
        (NoSpace::Queue, Some(seconds)) => {
            format!("writes wait, and fail after {seconds} s (no_space_timeout)")
        }
        (NoSpace::Queue, None) => "writes wait".to_owned(),
        (NoSpace::Error, _) => "writes fail".to_owned(),
        (NoSpace::Unknown(word), _) => word.to_string(),
    }
}

fn non_empty(key: &'static str, word: Option<&Printable>) -> Option<(&'static str, String)> {
    word.filter(|word| !word.is_empty()).map(|word| (key, word.to_string()))
}

fn engines(engines: &[Engine]) -> String {
    if engines.is_empty() {
        return "none known".to_owned();
    }
    engines.iter().map(|engine| engine.name()).collect::<Vec<_>>().join(", ")
}
