//! Reports for people: plain lines that read well on a terminal, in a ticket and through `grep`.
//!
//! What was not seen is `?`, what does not apply is `–`. Without colour there is no control
//! character but the newline.

mod block;
mod findings;
mod forecast;
mod layers;
mod next;
mod plan;
mod pool;
mod style;
mod table;
mod tree;
mod words;

use std::io::{self, Write};

use crate::model::{Pool, PoolIx, Topology};

pub use block::write_block;
pub use findings::write_findings;
pub use forecast::describe_forecast;
pub use layers::write_layers;
pub use next::what_next;
pub use plan::write_plan;
pub use pool::write_pools;
pub use style::Style;
pub use tree::{Direction, write_tree};

/// Prints all pools, or one, with an empty line between two.
fn write_each_pool(
    out: &mut dyn Write,
    topology: &Topology,
    only: Option<PoolIx>,
    mut write: impl FnMut(&mut dyn Write, &Pool) -> io::Result<()>,
) -> io::Result<()> {
    let pools = (0_u32..).map(PoolIx).zip(&topology.pools);
    for (nth, (_, pool)) in pools.filter(|(at, _)| only.is_none_or(|only| only == *at)).enumerate()
    {
        if nth > 0 {
            writeln!(out)?;
        }
        write(out, pool)?;
    }
    Ok(())
}
