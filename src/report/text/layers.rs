//! `layers`: every thin device under the one it is a snapshot of, pool by pool.

use std::collections::{HashMap, HashSet};
use std::io::{self, Write};

use super::style::{Paint, Painted, Style};
use super::table::{Cell, Column, Table};
use super::words::{list, shorten_hashes, size, thin_name, thin_state};
use super::write_each_pool;
use crate::format;
use crate::ids::ThinId;
use crate::model::descent::Descent;
use crate::model::metadata::Lineage;
use crate::model::{Pool, PoolIx, ThinDevice, ThinIx, Topology};
use crate::report::Freed;
use crate::units::Bytes;

/// Prints the thin devices of all pools, or of one.
pub fn write_layers(
    out: &mut dyn Write,
    topology: &Topology,
    only: Option<PoolIx>,
    freed: Option<&Freed>,
    style: Style,
) -> io::Result<()> {
    write_each_pool(out, topology, only, |out, pool| write_pool(out, topology, pool, style))?;
    freed.map_or(Ok(()), |freed| write_freed(out, topology, freed))
}

/// One line: what deleting the devices would give back.
fn write_freed(out: &mut dyn Write, topology: &Topology, asked: &Freed) -> io::Result<()> {
    let block = topology.pool(asked.pool).block_size.unwrap_or_default();
    let ids: Vec<String> = asked.ids.iter().map(ToString::to_string).collect();
    let bytes = format::long(asked.freed.blocks.bytes(block));
    write!(out, "\nDeleting {} frees {bytes}", ids.join(", "))?;
    if asked.freed.held.get() > 0 {
        let held = format::long(asked.freed.held.bytes(block));
        write!(out, ", {held} of it once the metadata snapshot is released")?;
    }
    writeln!(out)
}

fn write_pool(
    out: &mut dyn Write,
    topology: &Topology,
    pool: &Pool,
    style: Style,
) -> io::Result<()> {
    let heading = style.fit(pool.name.to_string());
    let (kind, mode) = (pool.kind.name(), pool.mode().unwrap_or("?"));
    let count = pool.devices.len();
    writeln!(
        out,
        "{}  {kind}  {mode}  {count} thin device{}",
        Painted(style, Paint::Bold, &heading),
        if count == 1 { "" } else { "s" },
    )?;
    if pool.devices.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(style, COLUMNS);
    let known = Known::of(topology, pool);
    for (depth, thin) in Chains::new(topology, pool) {
        table.push(row(topology, depth, topology.thin(thin), known, style));
    }
    table.write(out)?;
    for thin in pool.devices.iter().map(|ix| topology.thin(*ix)) {
        if let (Some(id), Some(parent), Some(judged @ Descent::Contradicted(_))) =
            (thin.id, thin.parent, topology.descent(thin))
        {
            writeln!(out, "{parent} as the parent of {id} is {judged}")?;
        }
    }
    Ok(())
}

/// A device's parent, once its mappings were read: `!` behind it contradicts, `?` leaves it open; a
/// `~` before it was inferred from metadata alone.
fn parent(topology: &Topology, thin: &ThinDevice) -> String {
    match (thin.parent, topology.descent(thin), topology.lineage(thin)) {
        (Some(parent), Some(judged), lineage) => {
            let inferred = if lineage.is_some() { "~" } else { "" };
            format!("{inferred}{parent}{}", judged.mark())
        }
        (None, _, Some(Lineage::Likely(parent))) => format!("~{parent}?"),
        _ => String::new(),
    }
}

const COLUMNS: [Column; 12] = [
    Column::left("NAME"),
    Column::left("ROLE"),
    Column::right("ID"),
    Column::right("SIZE"),
    Column::right("MAPPED"),
    Column::right("EXCL"),
    Column::right("SHARED"),
    Column::right("DELTA"),
    Column::right("PARENT"),
    Column::left("STATE"),
    Column::left("DEVICE"),
    Column::left("IMAGES"),
];

/// From this depth on rows are indented no further: a host may make a chain as long as it likes.
const DEEPEST: usize = 128;

/// A layer near the base is in every image: the JSON document names them all.
const MOST_IMAGES: usize = 3;

/// Which figures anybody asked for: a column of question marks helps nobody.
#[derive(Clone, Copy)]
struct Known {
    exclusive: bool,
    shared: bool,
    delta: bool,
}

impl Known {
    fn of(topology: &Topology, pool: &Pool) -> Self {
        let any = |figure: fn(&ThinDevice) -> Option<Bytes>| {
            pool.devices.iter().any(|ix| figure(topology.thin(*ix)).is_some())
        };
        Self {
            exclusive: any(|thin| thin.exclusive),
            shared: any(|thin| thin.shared),
            delta: any(|thin| thin.delta),
        }
    }
}

fn row(
    topology: &Topology,
    depth: usize,
    thin: &ThinDevice,
    known: Known,
    style: Style,
) -> Vec<Cell> {
    let figure = |known: bool, value| if known { Cell::from(size(value)) } else { Cell::default() };
    vec![
        format!("{:indent$}{}", "", thin_name(thin), indent = depth.min(DEEPEST) * 2).into(),
        thin.role.name().into(),
        thin.id.map_or_else(|| "?".to_owned(), |id| id.to_string()).into(),
        size(thin.size).into(),
        size(thin.mapped).into(),
        figure(known.exclusive, thin.exclusive),
        figure(known.shared, thin.shared),
        figure(known.delta, thin.delta),
        parent(topology, thin).into(),
        thin_state(thin),
        shorten_hashes(thin.name.as_str()).into(),
        images(thin, style).into(),
    ]
}

fn images(thin: &ThinDevice, style: Style) -> String {
    if thin.images.is_empty() {
        return style.nothing().to_owned();
    }
    let (shown, more) = thin.images.split_at(thin.images.len().min(MOST_IMAGES));
    let shown = shorten_hashes(&list(shown));
    if more.is_empty() { shown } else { format!("{shown} +{} more", more.len()) }
}

/// A pool's thin devices, each after the one it is a snapshot of. Parents that are not in the
/// pool, or that only a cycle leads to, count as none.
struct Chains<'a> {
    children: HashMap<ThinId, Vec<ThinIx>>,
    topology: &'a Topology,
    stack: Vec<(usize, ThinIx)>,
    rest: std::vec::IntoIter<ThinIx>,
    drawn: HashSet<ThinIx>,
}

impl<'a> Chains<'a> {
    fn new(topology: &'a Topology, pool: &Pool) -> Self {
        let mut children: HashMap<ThinId, Vec<ThinIx>> = HashMap::new();
        let ids: HashSet<ThinId> =
            pool.devices.iter().filter_map(|ix| topology.thin(*ix).id).collect();
        let mut roots = Vec::new();
        for ix in &pool.devices {
            match topology.thin(*ix).parent {
                Some(parent) if ids.contains(&parent) => {
                    children.entry(parent).or_default().push(*ix);
                }
                _ => roots.push((0, *ix)),
            }
        }
        roots.reverse();
        let rest = pool.devices.clone().into_iter();
        Self { children, topology, stack: roots, rest, drawn: HashSet::new() }
    }

    fn pending(&mut self) -> Option<(usize, ThinIx)> {
        self.stack.pop().or_else(|| {
            let drawn = &self.drawn;
            self.rest.find(|ix| !drawn.contains(ix)).map(|ix| (0, ix))
        })
    }
}

impl Iterator for Chains<'_> {
    type Item = (usize, ThinIx);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (depth, ix) = self.pending()?;
            if !self.drawn.insert(ix) {
                continue;
            }
            let id = self.topology.thin(ix).id;
            let below = id.and_then(|id| self.children.remove(&id)).unwrap_or_default();
            self.stack.extend(below.into_iter().rev().map(|child| (depth + 1, child)));
            return Some((depth, ix));
        }
    }
}
