//! Reports for people: plain lines that read well on a terminal, in a ticket and through `grep`.
//!
//! What was not seen is `?`, what does not apply is `–`. Without colour there is no control
//! character but the newline.

mod block;
mod findings;
mod layers;
mod pool;
mod style;
mod table;
mod tree;
mod words;

pub use block::write_block;
pub use findings::write_findings;
pub use layers::write_layers;
pub use pool::write_pools;
pub use style::Style;
pub use tree::{Direction, write_tree};
