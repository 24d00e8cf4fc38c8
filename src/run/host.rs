//! From settings to a snapshot: which host is looked at, and how.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{Trouble, print};
use crate::demo;
use crate::exit::Exit;
use crate::model::Snapshot;
use crate::probe::LookOptions;
use crate::settings::{HostChoice, Settings};
use crate::survey::{self, LookError, LookPlan, Place};
use crate::sys::HostPath;
use crate::sys::live::own;

/// Runs what no person types; `None` when it was a person.
pub(super) fn run_hidden(arguments: &[OsString]) -> Option<Exit> {
    survey::is_child(arguments).then(|| {
        // the parent goes by what was printed
        if survey::child_main() == ExitCode::SUCCESS { Exit::Done } else { Exit::Failed }
    })
}

/// Where to look, and how.
pub(super) fn plan(settings: &Settings) -> Result<LookPlan, Trouble> {
    let place = match &settings.host {
        HostChoice::Live { root } => Place::Live { root: root.clone() },
        HostChoice::Recording(file) => Place::File(file.clone()),
        HostChoice::Demo(name) => {
            let found = demo::find(name.as_deref()).ok_or_else(|| no_demo(name.as_deref()))?;
            Place::Demo { name: found.name, bytes: found.recording }
        }
    };
    let options = LookOptions {
        docker_roots: settings.docker_roots.iter().map(HostPath::new).collect(),
        mounted_tree: matches!(place, Place::Live { root: Some(_) }),
    };
    Ok(LookPlan::new(place, options))
}

fn no_demo(name: Option<&str>) -> Trouble {
    match name {
        Some(name) => Trouble::usage(format!(
            "there is no recorded host {}; there are: {}",
            print::quoted(name),
            demo::names()
        )),
        None => Trouble::NothingRead("no recorded host is built into this program".to_owned()),
    }
}

/// Looks at the host once.
pub(super) fn look(settings: &Settings) -> Result<Snapshot, Trouble> {
    let looked = survey::look_once(&plan(settings)?).map_err(|error| nothing(&error))?;
    if !looked.nothing {
        return Ok(looked.snapshot);
    }
    print::gaps(&looked.snapshot);
    Err(Trouble::NothingRead("nothing could be read of this host".to_owned()))
}

/// Records the host.
pub(super) fn capture(settings: &Settings, output: Option<&Path>) -> Result<Exit, Trouble> {
    let plan = plan(settings)?;
    if output == Some(Path::new("-")) {
        let gaps = survey::capture(&plan, io::stdout().lock()).map_err(|error| failed(&error))?;
        print::gap_lines(&gaps);
        return Ok(Exit::Done);
    }
    let path = output.map_or_else(survey::capture_name, PathBuf::from);
    let file = own::create(&path).map_err(|error| {
        Trouble::Failed(format!("{} cannot be written: {error}", path.display()))
    })?;
    let gaps = survey::capture(&plan, file).map_err(|error| failed(&error))?;
    print::gap_lines(&gaps);
    let words = format!("recorded into {}", print::quoted(&path.to_string_lossy()));
    // where standard error is closed there is nobody to tell
    let _ = writeln!(io::stderr().lock(), "thinscope: {words}");
    Ok(Exit::Done)
}

fn nothing(error: &LookError) -> Trouble {
    Trouble::NothingRead(error.to_string())
}

fn failed(error: &LookError) -> Trouble {
    match error {
        LookError::AlreadyRecorded(_) => Trouble::usage(error.to_string()),
        _ => Trouble::Failed(error.to_string()),
    }
}
