//! The JSON documents: stable keys, sizes in bytes, what is unknown null.
//!
//! Rows are serialised straight from the snapshot, one line a row, so that ten thousand of them
//! cost milliseconds and a person can still `grep`. Keys are never renamed within a format.

mod layers;
mod lines;
mod pools;
mod tree;

use std::io::{self, Write};

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::model::{PoolIx, Snapshot};
use lines::Lines;

/// The format of every document.
const FORMAT: u32 = 1;

/// `tree --json`: every node and what it rests on.
pub fn write_tree(out: &mut dyn Write, snapshot: &Snapshot) -> io::Result<()> {
    document(out, snapshot, "nodes", &tree::Nodes(&snapshot.topology))
}

/// `layers --json`: every thin device of every pool, or of one.
pub fn write_layers(
    out: &mut dyn Write,
    snapshot: &Snapshot,
    only: Option<PoolIx>,
) -> io::Result<()> {
    document(out, snapshot, "devices", &layers::Devices { topology: &snapshot.topology, only })
}

/// `pool --json`: every pool, or one.
pub fn write_pools(
    out: &mut dyn Write,
    snapshot: &Snapshot,
    only: Option<PoolIx>,
) -> io::Result<()> {
    document(out, snapshot, "pools", &pools::Pools { topology: &snapshot.topology, only })
}

/// `findings --json`: everything that is wrong, gravest first.
pub fn write_findings(out: &mut dyn Write, snapshot: &Snapshot) -> io::Result<()> {
    document(out, snapshot, "findings", &snapshot.findings)
}

fn document(
    out: &mut dyn Write,
    snapshot: &Snapshot,
    key: &'static str,
    rows: &impl Serialize,
) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, Lines::default());
    let mut map = serializer.serialize_map(None)?;
    map.serialize_entry("format", &FORMAT)?;
    map.serialize_entry("gaps", &snapshot.gaps)?;
    map.serialize_entry(key, rows)?;
    map.end()?;
    out.write_all(b"\n")
}
