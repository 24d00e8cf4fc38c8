//! What the runner is told, and what it tells when it has ended.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::How;
use crate::sys::write::{Acted, Effect};

/// One effect and where its result goes. Without its last brace it is none: a runner whose order
/// was cut off does nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    pub effect: Effect,
    pub folder: PathBuf,
    pub stem: String,
}

impl Order {
    pub(super) fn new(effect: &Effect, how: &How) -> Self {
        Self { effect: effect.clone(), folder: how.folder.clone(), stem: how.stem.clone() }
    }

    /// Empty, which is no order, where the folder's name is no text.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

/// How an effect ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// As whoever did it says.
    pub acted: Acted,
    /// When, in seconds since 1970.
    pub time: u64,
    /// How long a device was suspended meanwhile, in microseconds; only a window knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_us: Option<u64>,
}

impl Outcome {
    /// Of an effect that ends now.
    pub(super) fn now(acted: Acted, window: Option<Duration>) -> Self {
        let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let window_us = window.and_then(|open| u64::try_from(open.as_micros()).ok());
        Self { acted, time: time.as_secs(), window_us }
    }
}
