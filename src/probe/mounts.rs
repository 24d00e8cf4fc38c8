//! (being built)

use crate::model::Gap;
use crate::sys::ReadHost;

/// Facts of this source.
#[derive(Clone, Debug, Default)]
pub struct MountsSeen {
    /// What could not be seen.
    pub gaps: Vec<Gap>,
}

/// Asks for all of this source.
pub fn read_mounts(_host: &dyn ReadHost) -> MountsSeen {
    MountsSeen::default()
}
