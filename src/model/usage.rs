//! Used out of total, of whatever unit.

use serde::{Deserialize, Serialize};

/// Used out of total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Usage<T> {
    /// In use.
    pub used: T,
    /// In all.
    pub total: T,
}
