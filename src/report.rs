//! What a snapshot says, as text for people and as JSON for programs.
//!
//! Every report is written as a stream to a [`Write`](std::io::Write); nothing here knows where
//! the snapshot came from, looks at a host or decides what is wrong.

pub mod block;
pub mod json;
pub mod text;

use crate::ids::ThinId;
use crate::model::{PoolIx, metadata};

/// What deleting devices of one pool together would give back.
#[derive(Clone, Debug)]
pub struct Freed {
    /// Their pool.
    pub pool: PoolIx,
    /// Their ids.
    pub ids: Vec<ThinId>,
    /// What nothing else uses.
    pub freed: metadata::Freed,
}

#[cfg(test)]
mod tests;
