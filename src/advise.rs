//! (being built)

use crate::model::{Finding, Topology};

/// What is wrong with a host, gravest first. Pure.
pub fn findings(_topology: &Topology) -> Vec<Finding> {
    Vec::new()
}
