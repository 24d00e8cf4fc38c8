//! From settings to a snapshot: which host is looked at, and how.

use std::io::{self, ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::{Trouble, block, log, print, reserve};
use crate::cli::Command;
use crate::demo;
use crate::exit::Exit;
use crate::ids::ThinId;
use crate::model::Gap;
use crate::probe::metadata::{Depth, Wish};
use crate::probe::{LookOptions, MetadataFile};
use crate::settings::{HostChoice, Settings, is_stdout};
use crate::survey::{self, LookError, LookPlan, Looked, Place};
use crate::sys::live::brood::Brood;
use crate::sys::live::own;
use crate::sys::{HostPath, Source};
use crate::text::Printable;
use crate::units::Bytes;

/// Metadata in use up to which mappings are read unasked: milliseconds.
pub(super) const SMALL: Bytes = Bytes(8 << 20);

/// Looks at the host once.
pub(super) fn look(settings: &Settings, report: &Command) -> Result<Looked, Trouble> {
    let mut log = log::open(settings)?;
    let since = Instant::now();
    let mut plan = plan(settings)?;
    deepen(&mut plan, report)?;
    if reserves(report) && settings.read_only {
        return Err(Trouble::usage(
            "--reserve-snapshot writes to a pool, and --read-only says that nothing is changed",
        ));
    }
    if reserves(report) {
        plan.metadata.reserve = Some(reserve::state_of(settings).map_err(Trouble::usage)?);
    }
    let looked = survey::look_with(&plan, hatch(&plan))?;
    if let Some(log) = &mut log {
        log.looked(&looked.snapshot, Some(since.elapsed()));
    }
    if looked.nothing {
        print::gaps(&looked.snapshot);
        return Err(Trouble::NothingRead("nothing could be read of this host".to_owned()));
    }
    Ok(looked)
}

/// The children of one look, where it is of a live host.
fn hatch(plan: &LookPlan) -> Option<Brood> {
    matches!(plan.place, Place::Live { .. }).then(survey::hatch).flatten()
}

/// Whether a metadata snapshot may be reserved for a report.
fn reserves(report: &Command) -> bool {
    match report {
        Command::Layers { reserve_snapshot, .. }
        | Command::Pool { reserve_snapshot, .. }
        | Command::Block { reserve_snapshot, .. } => *reserve_snapshot,
        _ => false,
    }
}

/// How much of the pools' metadata a report wants, and whether anything else.
fn deepen(plan: &mut LookPlan, report: &Command) -> Result<(), Trouble> {
    match report {
        Command::Layers { sharing, freed_by, metadata, .. } => {
            if *sharing || !freed_by.is_empty() {
                plan.metadata.depth = Depth::Mappings;
                let ids = freed_by.iter().filter_map(|id| ThinId::new(u64::from(*id)));
                plan.metadata.freed = ids.collect();
                plan.metadata.freed.sort_unstable();
                plan.metadata.freed.dedup();
            }
            if let Some(file) = metadata {
                only_metadata(plan, file)?;
            }
        }
        Command::Block { words, data, .. } => {
            plan.metadata =
                Wish { block: Some(block::asked(words, *data)?), ..Wish::of(Depth::Mappings) };
        }
        Command::Pool { .. } | Command::Findings { .. } | Command::Metrics { .. } => {
            plan.metadata.depth = Depth::MappingsUpTo(SMALL);
        }
        _ => {}
    }
    Ok(())
}

/// Looks at one metadata device or image and at nothing else.
fn only_metadata(plan: &mut LookPlan, file: &Path) -> Result<(), Trouble> {
    plan.options.metadata_file = Some(metadata_file(file)?);
    plan.sources = vec![Source::Host, Source::Metadata];
    Ok(())
}

fn metadata_file(file: &Path) -> Result<MetadataFile, Trouble> {
    let name = Printable::from_text(&file.to_string_lossy()).to_string();
    let path = std::path::absolute(file).map_err(|error| {
        Trouble::usage(format!("--metadata {name} cannot be made absolute: {error}"))
    })?;
    Ok(MetadataFile { name, path: HostPath::new(path) })
}

/// Where and how to look.
pub(super) fn plan(settings: &Settings) -> Result<LookPlan, Trouble> {
    let (place, mounted_tree) = match &settings.host {
        HostChoice::Live { root } => (live(root.as_deref())?, root.is_some()),
        HostChoice::Metadata(_) => (live(None)?, false),
        HostChoice::Recording(file) => (Place::File(file.clone()), false),
        HostChoice::Demo(name) => (recorded(name.as_deref())?, false),
    };
    let roots = |roots: &[PathBuf]| roots.iter().map(HostPath::new).collect();
    let options = LookOptions {
        docker_roots: roots(&settings.docker_roots),
        containerd_roots: roots(&settings.containerd_roots),
        mounted_tree,
        metadata_file: None,
    };
    let mut plan = LookPlan::new(place, options);
    if let HostChoice::Metadata(file) = &settings.host {
        only_metadata(&mut plan, file)?;
    }
    Ok(plan)
}

fn live(root: Option<&Path>) -> Result<Place, Trouble> {
    let absolute = |root: &Path| {
        std::path::absolute(root).map_err(|error| {
            Trouble::usage(format!("--root {} cannot be made absolute: {error}", root.display()))
        })
    };
    Ok(Place::Live { root: root.map(absolute).transpose()? })
}

/// A recorded host that is built in.
pub(super) fn recorded(name: Option<&str>) -> Result<Place, Trouble> {
    let known = demo::find(name).ok_or_else(|| match name {
        Some(name) => Trouble::usage(format!(
            "there is no recorded host {}: there are {}",
            print::quoted(name),
            demo::names()
        )),
        None => Trouble::NothingRead("no recorded host is built into this program".to_owned()),
    })?;
    Ok(Place::Demo { name: known.name, bytes: known.recording })
}

/// Records the host.
pub(super) fn capture(settings: &Settings, output: Option<&Path>) -> Result<Exit, Trouble> {
    let plan = LookPlan { metadata: Wish::of(Depth::MappingsUpTo(SMALL)), ..plan(settings)? };
    let since = Instant::now();
    let recorded = match output {
        Some(path) if is_stdout(path) => capture_to_stdout(&plan),
        Some(path) => capture_to_file(&plan, path),
        None => capture_to_file(&plan, &survey::capture_name()),
    };
    match recorded {
        Ok((name, gaps)) => {
            gaps.iter().for_each(print::gap);
            let took = since.elapsed().as_secs_f32();
            print::message(&format_args!("recorded into {name} in {took:.1} s"));
            Ok(Exit::Done)
        }
        Err(trouble) => trouble,
    }
}

/// What a recording went into, and what is not in it; or how else it ended.
type Recorded = Result<(String, Vec<Gap>), Result<Exit, Trouble>>;

fn capture_to_stdout(plan: &LookPlan) -> Recorded {
    if io::stdout().is_terminal() {
        return Err(Err(Trouble::usage(
            "a recording is no text for a terminal: send standard output into a file, or name one \
             with -o",
        )));
    }
    match survey::capture(plan, io::stdout().lock()) {
        Ok(gaps) => Ok(("standard output".to_owned(), gaps)),
        // a reader that has seen enough ends it quietly
        Err(LookError::System { error, .. }) if error.kind() == ErrorKind::BrokenPipe => {
            Err(Ok(Exit::Done))
        }
        Err(error) => Err(Err(error.into())),
    }
}

fn capture_to_file(plan: &LookPlan, path: &Path) -> Recorded {
    let name = Printable::from_text(&path.to_string_lossy()).to_string();
    let file = own::create(path)
        .map_err(|error| Err(Trouble::Failed(format!("{name} cannot be written: {error}"))))?;
    let gaps =
        survey::capture(plan, io::BufWriter::new(file)).map_err(|error| Err(error.into()))?;
    Ok((name, gaps))
}

impl From<LookError> for Trouble {
    fn from(error: LookError) -> Self {
        let words = error.to_string();
        match error {
            LookError::Recording { .. } => Self::NothingRead(words),
            LookError::AlreadyRecorded(_) => Self::usage(words),
            LookError::System { .. } => Self::Failed(words),
        }
    }
}
