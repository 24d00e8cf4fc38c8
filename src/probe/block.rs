//! (being built)

use crate::model::Gap;
use crate::sys::ReadHost;

/// Facts of this source.
#[derive(Clone, Debug, Default)]
pub struct BlockSeen {
    /// What could not be seen.
    pub gaps: Vec<Gap>,
}

/// Asks for all of this source.
pub fn read_block(_host: &dyn ReadHost) -> BlockSeen {
    BlockSeen::default()
}
