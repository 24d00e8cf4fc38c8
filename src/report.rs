//! What a snapshot says, as text for people and as JSON for programs.
//!
//! Every report is written as a stream to a [`Write`](std::io::Write); nothing here knows where
//! the snapshot came from, looks at a host or decides what is wrong.

pub mod json;
pub mod text;

use crate::ids::ThinId;
use crate::model::{PoolIx, Topology, metadata};

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

/// The pool that a person names: by its device-mapper name, by `VG/LV`, or by the path of
/// either below `/dev`.
pub fn find_pool(topology: &Topology, name: &str) -> Option<PoolIx> {
    let name = name.strip_prefix("/dev/mapper/").or(name.strip_prefix("/dev/")).unwrap_or(name);
    let at = topology.pools.iter().position(|pool| {
        pool.name == name || pool.lv.as_ref().is_some_and(|lv| lv.as_str() == name)
    })?;
    u32::try_from(at).ok().map(PoolIx)
}

#[cfg(test)]
mod tests;
