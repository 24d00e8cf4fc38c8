//! A recorded host: its sources one after another become facts, then one picture. Nothing runs.

use std::io::Read;

use super::picture::Picture;
use super::{LookError, LookPlan, Place};
use crate::model::{Gap, Origin};
use crate::probe::LookOptions;
use crate::sys::capture::{Reader, Recording};
use crate::sys::live::own;
use crate::text::Printable;

/// The picture of a recorded host; `None` when the place is a live one.
pub(super) fn picture(plan: &LookPlan) -> Option<Result<Picture, LookError>> {
    match &plan.place {
        Place::Live { .. } => None,
        Place::Demo { name, bytes } => Some(read(plan, name, *bytes)),
        Place::File(path) => {
            let name = Printable::from_text(&path.to_string_lossy()).to_string();
            let opened = own::open(path).map_err(|error| LookError::Recording {
                name: name.clone(),
                why: format!("it cannot be opened: {error}"),
            });
            Some(opened.and_then(|file| read(plan, &name, file)))
        }
    }
}

fn read(plan: &LookPlan, name: &str, file: impl Read + Send) -> Result<Picture, LookError> {
    let (header, mut reader) = Reader::open(file)
        .map_err(|error| LookError::Recording { name: name.to_owned(), why: error.to_string() })?;
    // a recording is looked at the way the host was, or a replay would ask other questions
    let options: LookOptions = serde_json::from_value(header.options).unwrap_or_default();
    let origin = Origin::Recorded { name: Printable::from_text(name) };
    let mut picture = Picture::new(origin, options, &plan.sources);
    let at_ms = header.time.saturating_mul(1000);
    for recording in reader.by_ref().filter(|one| plan.sources.contains(&one.source())) {
        picture.answered(&recording, at_ms);
    }
    if let Some(damage) = reader.damage() {
        picture.add_gap(Gap::new(name, damage));
    }
    for source in plan.sources.iter().copied() {
        if picture.has_looked(source) {
            continue;
        }
        let mut never = Recording::new(source);
        never.break_off("nothing of it is in the recording");
        picture.answered(&never, at_ms);
    }
    Ok(picture)
}
