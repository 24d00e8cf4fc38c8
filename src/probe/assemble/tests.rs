//! What becomes of the facts of real hosts, of hosts drawn up by hand, and of hostile ones.

mod contents;
mod draw;
mod engines;
mod hostile;
pub(crate) mod samples;
mod shapes;
