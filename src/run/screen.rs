//! Opens the screen.

use super::{Trouble, host};
use crate::exit::Exit;
use crate::settings::Settings;

/// Opens the screen and stays until it is left.
pub(super) fn open(settings: &Settings) -> Result<Exit, Trouble> {
    let plan = host::plan(settings)?;
    Err(Trouble::NothingRead(format!("there is no screen for {:?} yet", plan.place)))
}
