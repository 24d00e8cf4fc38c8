//! From settings to a snapshot: which host is looked at, and how.

use std::ffi::OsString;
use std::path::Path;

use super::Trouble;
use crate::exit::Exit;
use crate::model::Snapshot;
use crate::settings::Settings;

/// Runs what no person types; `None` when it was a person.
pub(super) fn run_hidden(_arguments: &[OsString]) -> Option<Exit> {
    None
}

/// Looks at the host once.
pub(super) fn look(settings: &Settings) -> Result<Snapshot, Trouble> {
    Err(Trouble::NothingRead(format!("nothing could be read of {:?}", settings.host)))
}

/// Records the host.
pub(super) fn capture(settings: &Settings, _output: Option<&Path>) -> Result<Exit, Trouble> {
    Err(Trouble::NothingRead(format!("nothing could be read of {:?}", settings.host)))
}
