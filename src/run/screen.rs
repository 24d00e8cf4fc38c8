//! Opens the screen.

use super::Trouble;
use crate::exit::Exit;
use crate::settings::Settings;

/// Opens the screen and stays until it is left.
pub(super) fn open(settings: &Settings) -> Result<Exit, Trouble> {
    Err(Trouble::NothingRead(format!("nothing could be read of {:?}", settings.host)))
}
