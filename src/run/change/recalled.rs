//! Pools as they were when they were last seen in the kernel, and what lies there now: from a
//! recording of this host, or from what thinscope kept itself.

use std::path::Path;

use super::super::remember;
use crate::model::Topology;
use crate::plan::recall::{PartWas, Recall, Recalled, Superblock};
use crate::plan::{Around, Want};
use crate::settings::Settings;
use crate::survey::{self, LookPlan, Place};
use crate::sys::capture::Recording;
use crate::sys::{HostPath, Medium, Question, Raw, ReadHost, Reply};
use crate::text::Printable;
use crate::thinmeta::{self, BLOCK};
use crate::units::Bytes;

/// Answers [`Want::Recalled`], where that is wanted.
pub(super) fn read(
    settings: &Settings,
    (look, topology, host): (&LookPlan, &Topology, &str),
    wants: &[Want],
    around: &mut Around,
) {
    let wanted = wants.iter().find_map(|want| match want {
        Want::Recalled { pool, recording } => Some((pool.as_deref(), recording.as_deref())),
        _ => None,
    });
    let Some((pool, recording)) = wanted else { return };
    let known = match recording {
        Some(file) => recorded(Path::new(file), host),
        None => remember::read(&settings.state_dir)
            .map(|known| (known, "what thinscope kept of this host".to_owned())),
    };
    around.recalled = known.and_then(|(known, by)| {
        let pool = pool.map(|name| name.strip_prefix("/dev/mapper/").unwrap_or(name));
        let (found, others): (Vec<_>, Vec<_>) =
            known.into_iter().partition(|one| pool.is_none_or(|pool| one.pool == pool));
        if found.is_empty() && recording.is_some() {
            return Err(unknown(&by, pool, &others));
        }
        Ok(found.into_iter().map(|was| recall(look, topology, was, &by)).collect())
    });
}

fn unknown(by: &str, pool: Option<&str>, others: &[Recalled]) -> String {
    let others: Vec<&str> = others.iter().map(|one| one.pool.as_str()).collect();
    let known =
        if others.is_empty() { "none that LVM does not own".to_owned() } else { others.join(", ") };
    format!("{by} knows no active pool {}; it knows {known}", pool.unwrap_or("at all"))
}

/// The pools of a recording of this very host.
fn recorded(file: &Path, host: &str) -> Result<(Vec<Recalled>, String), String> {
    let by = format!("the recording {}", Printable::from_text(&file.to_string_lossy()));
    let plan = LookPlan::new(Place::File(file.to_owned()), crate::probe::LookOptions::default());
    let snapshot = survey::look_once(&plan).map_err(|error| error.to_string())?.snapshot;
    if snapshot.host.name != host {
        return Err(format!("{by} is of host {}, and this is {host}", snapshot.host.name));
    }
    Ok((Recalled::all(&snapshot.topology, snapshot.host.time), by))
}

/// What lies there now.
fn recall(look: &LookPlan, topology: &Topology, was: Recalled, by: &str) -> Recall {
    let (metadata, data) = (medium(topology, &was.metadata), medium(topology, &was.data));
    let length = u32::try_from(BLOCK).unwrap_or(u32::MAX);
    let first = metadata.clone().map(|of| Question::Read { of, offset: 0, length });
    let sizes = [&metadata, &data].map(|medium| medium.clone().map(Question::SizeOf));
    let questions = sizes.iter().flatten().chain(&first).cloned().collect();
    let answers = survey::ask_questions(look, questions);
    let size = |question: &Option<Question>| match answers.ask(question.as_ref()?).result {
        Ok(Reply::Number(bytes)) => Some(Bytes(bytes)),
        _ => None,
    };
    Recall {
        by: by.to_owned(),
        metadata_size: size(&sizes[0]),
        data_size: size(&sizes[1]),
        superblock: first
            .as_ref()
            .ok_or_else(|| format!("{} is not there", was.metadata.name))
            .and_then(|question| superblock(&answers, question)),
        was,
    }
}

/// Where a part is now: its file, or the device with its id.
fn medium(topology: &Topology, was: &PartWas) -> Option<Medium> {
    if let Some(path) = &was.file {
        return Some(Medium::File(HostPath::new(path)));
    }
    let node = topology.nodes.iter().find(|node| node.id.as_str() == was.id)?;
    node.device.map(Medium::Device)
}

fn superblock(answers: &Recording, question: &Question) -> Result<Superblock, String> {
    match answers.ask(question).result {
        Ok(Reply::Bytes(Raw(bytes))) => {
            let read = thinmeta::Superblock::read(&bytes).map_err(|error| error.to_string())?;
            Ok(Superblock {
                block_size: read.data_block,
                data_blocks: read.data_blocks(),
                needs_check: read.needs_check(),
            })
        }
        Ok(_) => Err("an answer of another kind came".to_owned()),
        Err(failure) => Err(failure.why),
    }
}
