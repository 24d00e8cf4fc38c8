//! What a snapshot says: text for people, JSON for programs, a line for Nagios, figures for
//! Prometheus.
//!
//! Every report is written as a stream to a [`Write`](std::io::Write); nothing here knows where
//! the snapshot came from, looks at a host or decides what is wrong.

pub mod block;
pub mod event;
pub mod json;
pub mod nagios;
pub mod openmetrics;
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
