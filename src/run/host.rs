//! From settings to a snapshot: which host is looked at, and how.

use std::ffi::OsString;
use std::path::Path;

use super::Trouble;
use crate::advise;
use crate::exit::Exit;
use crate::model::{HostLine, Origin, Snapshot, SourceAge};
use crate::probe::{Facts, LookOptions, assemble, read_source};
use crate::settings::{HostChoice, Settings};
use crate::sys::live::Live;
use crate::sys::{HostPath, Source};
use crate::text::Printable;

/// Runs what no person types; `None` when it was a person.
pub(super) fn run_hidden(_arguments: &[OsString]) -> Option<Exit> {
    None
}

/// Looks at the host once.
pub(super) fn look(settings: &Settings) -> Result<Snapshot, Trouble> {
    let HostChoice::Live { root } = &settings.host else {
        return Err(Trouble::NothingRead(format!("{:?} cannot be read yet", settings.host)));
    };
    let host = Live::new(root.clone());
    let options = LookOptions {
        docker_roots: settings.docker_roots.iter().map(HostPath::new).collect(),
        mounted_tree: root.is_some(),
    };
    let mut facts = Facts::default();
    for source in Source::ALL {
        facts.put(read_source(source, &host, &options));
    }
    let assembled = assemble(&facts);
    let findings = advise::findings(&assembled.topology);
    let info = facts.host.as_deref().cloned().unwrap_or_default();
    let age = |source: Source| SourceAge {
        source: source.name(),
        answered_at_ms: Some(info.time.saturating_mul(1000)),
        asking_since_ms: None,
        silent: false,
    };
    Ok(Snapshot {
        generation: 1,
        origin: Origin::Live,
        host: HostLine {
            name: Printable::from_bytes(&info.name.0),
            kernel: Printable::from_text(&info.kernel),
            time: info.time,
            root: info.euid == 0,
        },
        sources: Source::ALL.into_iter().map(age).collect(),
        topology: assembled.topology,
        findings,
        gaps: assembled.gaps,
    })
}

/// Records the host.
pub(super) fn capture(settings: &Settings, _output: Option<&Path>) -> Result<Exit, Trouble> {
    Err(Trouble::NothingRead(format!("nothing could be read of {:?}", settings.host)))
}
