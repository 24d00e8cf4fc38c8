//! The JSON documents: stable keys, sizes in bytes, what is unknown null.
//!
//! Rows are serialised straight from the snapshot, one line a row, so that ten thousand of them
//! cost milliseconds and a person can still `grep`. Keys are never renamed within a format.

mod block;
mod layers;
mod lines;
mod pools;
mod tree;

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::Freed;
use super::block::Answered;
use crate::model::metadata::Reservation;
use crate::model::{PoolIx, Snapshot};
use crate::text::Printable;
use lines::Lines;

/// The format of every document.
const FORMAT: u32 = 1;

/// `tree --json`: every node and what it rests on.
pub fn write_tree(out: &mut dyn Write, snapshot: &Snapshot) -> io::Result<()> {
    rows(out, snapshot, "nodes", &tree::Nodes(&snapshot.topology))
}

/// `layers --json`: every thin device of every pool, or of one.
pub fn write_layers(
    out: &mut dyn Write,
    snapshot: &Snapshot,
    only: Option<PoolIx>,
    freed: Option<&Freed>,
) -> io::Result<()> {
    let topology = &snapshot.topology;
    let devices = layers::Devices { topology, only };
    match freed {
        None => document(out, snapshot, ("devices", &devices), None::<(&'static str, &())>),
        Some(freed) => {
            let freed = layers::FreedBy::new(topology, freed);
            document(out, snapshot, ("devices", &devices), Some(("freed", &freed)))
        }
    }
}

/// `pool --json`: every pool, or one.
pub fn write_pools(
    out: &mut dyn Write,
    snapshot: &Snapshot,
    only: Option<PoolIx>,
) -> io::Result<()> {
    rows(out, snapshot, "pools", &pools::Pools { snapshot, only })
}

/// `block --json`: one data block.
pub fn write_block(
    out: &mut dyn Write,
    snapshot: &Snapshot,
    answered: &Answered<'_>,
) -> io::Result<()> {
    rows(out, snapshot, "block", &block::Answer::new(answered))
}

/// `findings --json`: everything that is wrong, gravest first.
pub fn write_findings(out: &mut dyn Write, snapshot: &Snapshot) -> io::Result<()> {
    rows(out, snapshot, "findings", &snapshot.findings)
}

fn rows(
    out: &mut dyn Write,
    snapshot: &Snapshot,
    key: &'static str,
    rows: &impl Serialize,
) -> io::Result<()> {
    document(out, snapshot, (key, rows), None::<(&'static str, &())>)
}

/// Rows, and what else was asked for before them.
fn document(
    out: &mut dyn Write,
    snapshot: &Snapshot,
    (key, rows): (&'static str, &impl Serialize),
    more: Option<(&'static str, &impl Serialize)>,
) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Lines::default());
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("format", &FORMAT)?;
    map.serialize_entry("gaps", &snapshot.gaps)?;
    let reserved = reservations(snapshot);
    if !reserved.is_empty() {
        map.serialize_entry("reserved_snapshots", &reserved)?;
    }
    if let Some((key, value)) = more {
        map.serialize_entry(key, value)?;
    }
    map.serialize_entry(key, rows)?;
    map.end()?;
    out.write_all(b"\n")
}

/// A pool that was written to for a reading.
#[derive(serde::Serialize)]
struct Reserved<'a> {
    pool: &'a Printable,
    released: bool,
    why: Option<&'a str>,
}

fn reservations(snapshot: &Snapshot) -> Vec<Reserved<'_>> {
    let mut list = Vec::new();
    for pool in &snapshot.topology.pools {
        let contents = pool.contents.as_ref();
        let (released, why) = match contents.and_then(|contents| contents.reserved.as_ref()) {
            Some(Reservation::Released) => (true, None),
            Some(Reservation::Stays(why)) => (false, Some(why.as_str())),
            None => continue,
        };
        list.push(Reserved { pool: &pool.name, released, why });
    }
    list
}
