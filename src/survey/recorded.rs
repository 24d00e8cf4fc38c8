//! A recorded host: its sources one after another become facts, then one picture. Nothing runs.

use std::io::Read;

use super::picture::Picture;
use super::{LookError, LookPlan, Place};
use crate::model::{Gap, Origin, Snapshot};
use crate::probe::LookOptions;
use crate::probe::metadata::Wish;
use crate::sys::Source;
use crate::sys::capture::{Reader, Recording};
use crate::sys::live::own;
use crate::text::Printable;

/// What is said of a source that a recording does not hold.
const NOT_RECORDED: &str = "nothing of it is in the recording";

/// A recording whose first line was read: whose host it is and how it was looked at.
pub(super) struct Begun {
    picture: Picture,
    reader: Reader<'static>,
    name: String,
    at_ms: i64,
    sources: Vec<Source>,
    wish: Wish,
}

/// Begins to read a recorded host; `None` when the place is a live one.
pub(super) fn begin(plan: &LookPlan) -> Option<Result<Begun, LookError>> {
    match &plan.place {
        Place::Live { .. } => None,
        Place::Demo { name, bytes } => Some(open(plan, (*name).to_owned(), *bytes)),
        Place::File(path) => {
            let name = Printable::from_text(&path.to_string_lossy()).to_string();
            let opened = own::open(path).map_err(|error| LookError::Recording {
                name: name.clone(),
                why: format!("it cannot be opened: {error}"),
            });
            Some(opened.and_then(|file| open(plan, name, file)))
        }
    }
}

fn open(
    plan: &LookPlan,
    name: String,
    file: impl Read + Send + 'static,
) -> Result<Begun, LookError> {
    let (header, reader) = Reader::open(file)
        .map_err(|error| LookError::Recording { name: name.clone(), why: error.to_string() })?;
    // a recording is looked at the way the host was, or a replay would ask other questions
    let options: LookOptions = serde_json::from_value(header.options).unwrap_or_default();
    let origin = Origin::Recorded { name: Printable::from_text(&name) };
    let mut picture = Picture::new(origin, options, &plan.sources);
    picture.is_of(header.host);
    let at_ms = header.time.saturating_mul(1000);
    Ok(Begun {
        picture,
        reader,
        name,
        at_ms,
        sources: plan.sources.clone(),
        wish: plan.metadata.clone(),
    })
}

impl Begun {
    /// The snapshot before anything but the first line was read, every source being asked.
    pub(super) fn first_snapshot(&mut self) -> Snapshot {
        self.sources.iter().for_each(|source| self.picture.asking(*source));
        self.picture.snapshot()
    }

    /// Reads all of it.
    pub(super) fn read(self) -> Picture {
        let Self { mut picture, mut reader, name, at_ms, sources, wish } = self;
        for recording in reader.by_ref().filter(|one| sources.contains(&one.source())) {
            if recording.source() == Source::Metadata {
                picture.metadata_recorded(&recording, &wish, at_ms);
            } else {
                picture.recorded(&recording, at_ms);
            }
        }
        if let Some(damage) = reader.damage() {
            picture.add_gap(Gap::new(&name, damage));
        }
        for source in sources {
            if picture.has_looked(source) {
                continue;
            }
            let mut never = Recording::new(source);
            if source == Source::Metadata {
                // a host has none where it has no pool, or where nobody knows where it lies
                if picture.metadata_wanted(&wish).places.iter().any(|place| place.at.is_ok()) {
                    never.break_off(NOT_RECORDED);
                }
                picture.metadata_recorded(&never, &wish, at_ms);
            } else {
                // older versions asked for fewer engines, and a host without one misses nothing
                if source != Source::Containerd || picture.shows_containerd() {
                    never.break_off(NOT_RECORDED);
                }
                picture.answered(&never, at_ms);
            }
        }
        picture
    }
}
