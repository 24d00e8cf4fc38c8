//! `metrics`: figures to standard output, or into a file that a collector reads at any moment.

use std::path::Path;

use super::{Trouble, host, keeper, print};
use crate::cli::Command;
use crate::exit::Exit;
use crate::report::openmetrics::write_metrics;
use crate::settings::{Settings, is_stdout};
use crate::text::Printable;
use crate::{advise, store};

/// Who may read the figures: the exporter runs as a user of its own.
const MODE: u32 = 0o644;

/// Looks once and writes the figures.
pub(super) fn run(
    settings: &Settings,
    command: &Command,
    output: Option<&Path>,
) -> Result<Exit, Trouble> {
    let mut snapshot = host::look(settings, command)?.snapshot;
    if let Some(why) = keeper::look_once(settings, &mut snapshot).keep() {
        print::message(&why);
    }
    let codes: Vec<_> = advise::codes().collect();
    let Some(file) = output.filter(|file| !is_stdout(file)) else {
        let printed = print::stdout(|out| write_metrics(out, &snapshot, &codes));
        print::gaps(&snapshot);
        return printed;
    };
    let mut text = Vec::new();
    let failed = |error| {
        let name = Printable::from_text(&file.to_string_lossy());
        Trouble::Failed(format!("{name} cannot be written, what was there is left: {error}"))
    };
    write_metrics(&mut text, &snapshot, &codes).map_err(failed)?;
    store::replace(file, &text, MODE).map_err(failed)?;
    print::gaps(&snapshot);
    Ok(Exit::Done)
}
