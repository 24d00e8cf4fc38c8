//! The units of systemd by which thinscope has pools made again at boot: which files are there,
//! and which are started.
//!
//! Knows the names that such units have and nothing of what they do.

use super::ask;
use crate::model::BootUnit;
use crate::sys::{EntryKind, FailKind, HostPath, Keep, Question, ReadHost, Reply};
use crate::text::Printable;

/// Where an administrator's units are.
const UNITS: &str = "/etc/systemd/system";
/// Where the links are to those that are started.
const STARTED: &str = "/etc/systemd/system/multi-user.target.wants";
/// What the names of ours begin with.
const OURS: &[u8] = b"thinscope-";

/// Asks for them; `None` where the folder was not seen.
pub(super) fn read_units(host: &dyn ReadHost) -> Option<Vec<BootUnit>> {
    let all = entries(host, UNITS).ok()?;
    let mine: Vec<_> = all.into_iter().filter(|(name, _)| name.starts_with(OURS)).collect();
    if mine.is_empty() {
        return Some(Vec::new());
    }
    let started = match entries(host, STARTED) {
        Ok(started) => started,
        Err(FailKind::NotFound) => Vec::new(),
        Err(_) => return None,
    };
    let unit = |(name, kind): (Vec<u8>, EntryKind)| BootUnit {
        enabled: started.iter().any(|(other, _)| *other == name),
        lines: if kind == EntryKind::File { lines(host, &name) } else { Vec::new() },
        name: Printable::from_bytes(&name),
    };
    Some(mine.into_iter().map(unit).collect())
}

fn entries(host: &dyn ReadHost, folder: &str) -> Result<Vec<(Vec<u8>, EntryKind)>, FailKind> {
    match ask::reply(host, &Question::Dir(HostPath::new(folder))) {
        Ok(Reply::Entries(entries)) => {
            Ok(entries.into_iter().map(|entry| (entry.name.0, entry.kind)).collect())
        }
        Ok(_) => Err(FailKind::Malformed),
        Err(failure) => Err(failure.kind),
    }
}

fn lines(host: &dyn ReadHost, name: &[u8]) -> Vec<Printable> {
    let Ok(name) = std::str::from_utf8(name) else { return Vec::new() };
    let path = HostPath::new(format!("{UNITS}/{name}"));
    match ask::reply(host, &Question::File { path, keep: Keep::All, within: None }) {
        Ok(Reply::Bytes(text)) => {
            let text = text.0.strip_suffix(b"\n").unwrap_or(&text.0);
            text.split(|byte| *byte == b'\n').map(Printable::from_bytes).collect()
        }
        _ => Vec::new(),
    }
}
