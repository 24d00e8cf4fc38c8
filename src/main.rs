//! The `thinscope` program: arguments, hooks, run, exit code.
fn main() {}
