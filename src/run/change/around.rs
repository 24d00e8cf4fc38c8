//! What a plan wants to know beside the topology becomes questions, and their answers what it
//! reads.

use crate::command::{CommandSpec, Tool};
use crate::plan::{Around, DeviceSeen, Want};
use crate::survey::{self, LookPlan};
use crate::sys::capture::Recording;
use crate::sys::{FailKind, HostPath, Question, ReadHost, Reply};
use crate::text::Printable;
use crate::units::Bytes;

/// How long a disk may take to show what lies on it.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(8);
/// Signatures of one device that are told.
const MOST_SIGNATURES: usize = 16;

/// Looks.
pub(in crate::run) fn read(look: &LookPlan, wants: &[Want]) -> Around {
    if wants.is_empty() {
        return Around::default();
    }
    let questions = wants.iter().flat_map(questions).collect();
    let answers = survey::ask_questions(look, questions);
    let mut around = Around::default();
    for want in wants {
        take(&mut around, want, &answers);
    }
    around
}

fn questions(want: &Want) -> Vec<Question> {
    match want {
        Want::Device(path) => vec![Question::Stat(HostPath::new(path)), signatures(path)],
        Want::Space(path) => vec![Question::Space(HostPath::new(path))],
        Want::File(path) => vec![Question::Stat(HostPath::new(path))],
        Want::InactiveTable(device) => vec![Question::DmInactive(*device)],
        // asked in turns: what lies there now after what was there
        Want::Recalled { .. } => Vec::new(),
    }
}

/// `wipefs` without an option that wipes only lists.
fn signatures(path: &str) -> Question {
    Question::Run(CommandSpec::look(Tool::Wipefs, ["--json", "--", path], LIMIT))
}

fn take(around: &mut Around, want: &Want, answers: &Recording) {
    match want {
        Want::Device(path) => {
            let stat = answers.ask(&Question::Stat(HostPath::new(path))).result;
            let number = match stat {
                Ok(Reply::Stat(stat)) if stat.rdev.major > 0 => Some(stat.rdev),
                _ => None,
            };
            let signatures = match answers.ask(&signatures(path)).result {
                Ok(Reply::Ran(output)) if output.exit == Some(0) => {
                    parse_signatures(&output.stdout.0)
                }
                Ok(Reply::Ran(output)) => {
                    Err(Printable::from_bytes(output.stderr.0.trim_ascii()).to_string())
                }
                Ok(_) => Err("an answer of another kind came".to_owned()),
                Err(failure) => Err(failure.why),
            };
            let seen = DeviceSeen { number, signatures: Some(signatures) };
            around.devices.insert(path.clone(), seen);
        }
        Want::Space(path) => {
            if let Ok(Reply::Space(space)) =
                answers.ask(&Question::Space(HostPath::new(path))).result
            {
                around.spaces.insert(path.clone(), Bytes(space.free));
            }
        }
        Want::File(path) => match answers.ask(&Question::Stat(HostPath::new(path))).result {
            Ok(Reply::Stat(_)) => drop(around.files.insert(path.clone(), true)),
            Err(failure) if failure.kind == FailKind::NotFound => {
                around.files.insert(path.clone(), false);
            }
            _ => {}
        },
        Want::Recalled { .. } => {}
        Want::InactiveTable(device) => {
            if let Ok(Reply::Bytes(lines)) = answers.ask(&Question::DmInactive(*device)).result {
                let lines = lines.0.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
                around.inactive.insert(*device, lines.map(Printable::from_bytes).collect());
            }
        }
    }
}

/// `wipefs --json`: nothing at all where there is no signature.
fn parse_signatures(text: &[u8]) -> Result<Vec<String>, String> {
    if text.trim_ascii().is_empty() {
        return Ok(Vec::new());
    }
    let document: serde_json::Value = serde_json::from_slice(text)
        .map_err(|error| format!("wipefs printed what is not understood: {error}"))?;
    let list = document.get("signatures").and_then(serde_json::Value::as_array);
    let list = list.ok_or("wipefs printed what is not understood")?;
    let word = |entry: &serde_json::Value, key: &str| {
        let word = entry.get(key).and_then(serde_json::Value::as_str)?;
        (!word.is_empty()).then(|| Printable::from_text(word).to_string())
    };
    let named = |entry: &serde_json::Value| {
        let kind = word(entry, "type").unwrap_or_else(|| "an unnamed signature".to_owned());
        match word(entry, "label") {
            Some(label) => format!("{kind} (label {label})"),
            None => kind,
        }
    };
    Ok(list.iter().take(MOST_SIGNATURES).map(named).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_read_as_wipefs_prints_them() {
        let text = br#"{"signatures": [
            {"device":"vdc", "offset":"0x438", "type":"ext4", "uuid":"x", "label":"da\u001bta"},
            {"device":"vdc", "offset":"0x1fe", "type":"dos", "uuid":null, "label":null}]}"#;
        assert_eq!(
            parse_signatures(text),
            Ok(vec!["ext4 (label da\\x1bta)".to_owned(), "dos".to_owned()])
        );
        assert_eq!(parse_signatures(b"\n"), Ok(Vec::new()));
        assert!(parse_signatures(b"oops").is_err());
    }
}
