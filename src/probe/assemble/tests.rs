//! What becomes of the facts of real hosts, of hosts drawn up by hand, and of hostile ones.

mod draw;
mod hostile;
mod samples;
mod shapes;
