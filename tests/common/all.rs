//! What benchmarks and tests of the whole program share. Included by path, because each of them is
//! a program of its own.
#![allow(dead_code, reason = "no one of the programs that include this uses all of it")]

pub(crate) mod files;
pub(crate) mod keys;
pub(crate) mod measure;
pub(crate) mod pty;
pub(crate) mod record;
pub(crate) mod synthetic;
pub(crate) mod sysfs;
