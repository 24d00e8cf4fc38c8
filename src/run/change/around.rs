//! What a plan wants to know beside the topology becomes questions, and their answers what it
//! reads.

use std::collections::BTreeMap;

use crate::command::{CommandSpec, Tool};
use crate::ids::DevNo;
use crate::plan::around::{LVM_KEYS, PV_SIGNATURE};
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
        Want::LvmSettings => vec![lvm_settings()],
        Want::Backing { name, path } => {
            vec![backing(name), Question::Stat(HostPath::new(path))]
        }
    }
}

/// Read from files; no device is touched.
fn lvm_settings() -> Question {
    let args = ["lvmconfig", "--type", "full"].into_iter().chain(LVM_KEYS);
    Question::Run(CommandSpec::look(Tool::Lvm, args, LIMIT))
}

/// The inode under a loop device and the device that holds it, as its driver keeps them.
fn backing(name: &str) -> Question {
    let device = format!("/dev/{name}");
    // not `--raw`, which writes the padding of a number as `\x20`
    let args = ["--noheadings", "--output", "BACK-INO,BACK-MAJ:MIN", &device];
    Question::Run(CommandSpec::look(Tool::Losetup, args, LIMIT))
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
        Want::LvmSettings => {
            // a key that this version does not know makes it fail, and it prints the others
            if let Ok(Reply::Ran(output)) = answers.ask(&lvm_settings()).result {
                around.lvm = parse_settings(&String::from_utf8_lossy(&output.stdout.0));
            }
        }
        Want::Backing { name, path } => {
            around.backings.insert(name.clone(), is_backing(answers, name, path));
        }
        Want::InactiveTable(device) => {
            if let Ok(Reply::Bytes(lines)) = answers.ask(&Question::DmInactive(*device)).result {
                let lines = lines.0.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
                around.inactive.insert(*device, lines.map(Printable::from_bytes).collect());
            }
        }
    }
}

/// Whether a path leads to the file under a loop device.
fn is_backing(answers: &Recording, name: &str, path: &str) -> Result<bool, String> {
    let under = match answers.ask(&backing(name)).result {
        Ok(Reply::Ran(output)) if output.exit == Some(0) => parse_backing(&output.stdout.0)?,
        Ok(Reply::Ran(output)) => {
            return Err(Printable::from_bytes(output.stderr.0.trim_ascii()).to_string());
        }
        Ok(_) => return Err("an answer of another kind came".to_owned()),
        Err(failure) => return Err(failure.why),
    };
    match answers.ask(&Question::Stat(HostPath::new(path))).result {
        Ok(Reply::Stat(stat)) => Ok((stat.ino, stat.dev) == under),
        Err(failure) if failure.kind == FailKind::NotFound => Ok(false),
        Err(failure) => Err(failure.why),
        Ok(_) => Err("an answer of another kind came".to_owned()),
    }
}

/// An inode and the device that holds it.
fn parse_backing(text: &[u8]) -> Result<(u64, DevNo), String> {
    let text = String::from_utf8_lossy(text);
    let mut words = text.split_ascii_whitespace();
    let inode = words.next().and_then(|word| word.parse().ok());
    let device = words.next().and_then(|word| word.parse().ok());
    inode.zip(device).ok_or_else(|| "losetup printed what is not understood".to_owned())
}

/// Lines `key="value"`, `key=1`, `key=["one","two"]`, the key without its section; nothing where
/// there are none.
fn parse_settings(text: &str) -> Option<BTreeMap<String, Vec<String>>> {
    let item = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => Printable::from_text(text).to_string(),
        other => other.to_string(),
    };
    let line = |line: &str| {
        let (name, value) = line.trim().split_once('=')?;
        let key = LVM_KEYS.iter().find(|key| key.ends_with(&format!("/{name}")))?;
        let items = match serde_json::from_str(value).ok()? {
            serde_json::Value::Array(list) => list.iter().map(item).collect(),
            one => vec![item(&one)],
        };
        Some(((*key).to_owned(), items))
    };
    let found: BTreeMap<_, _> = text.lines().filter_map(line).collect();
    (!found.is_empty()).then_some(found)
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
        // a PV has no label, and its uuid says whose it is
        let uuid = (kind == PV_SIGNATURE).then(|| word(entry, "uuid")).flatten();
        match (word(entry, "label"), uuid) {
            (Some(label), _) => format!("{kind} (label {label})"),
            (None, Some(uuid)) => format!("{kind} (uuid {uuid})"),
            (None, None) => kind,
        }
    };
    Ok(list.iter().take(MOST_SIGNATURES).map(named).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_leads_to_another_file_than_the_loop_device_s_is_told() {
        use crate::sys::{Answer, EntryKind, FileStat, RunOutput, Source};
        let seen = |printed: &str, stat: Answer| {
            let mut answers = Recording::new(Source::Host);
            let output = RunOutput { exit: Some(0), stdout: printed.into(), stderr: "".into() };
            answers.push(backing("loop0"), Answer::ok(Reply::Ran(output)));
            answers.push(Question::Stat(HostPath::new("/var/data")), stat);
            let mut around = Around::default();
            let want = Want::Backing { name: "loop0".to_owned(), path: "/var/data".to_owned() };
            take(&mut around, &want, &answers);
            around.backings.remove("loop0").expect("it was looked at")
        };
        let file = |ino| {
            Answer::ok(Reply::Stat(FileStat {
                kind: EntryKind::File,
                dev: DevNo::new(254, 1),
                rdev: DevNo::new(0, 0),
                ino,
                size: 0,
                allocated: 0,
                mtime: 0,
            }))
        };
        assert_eq!(seen("     131      254:1  \n", file(131)), Ok(true));
        assert_eq!(seen("131 254:1\n", file(132)), Ok(false), "it was replaced");
        assert_eq!(seen("131 0:40\n", file(131)), Ok(false), "something is mounted over it");
        let gone = Answer::failed(FailKind::NotFound, "not there");
        assert_eq!(seen("131 254:1\n", gone), Ok(false));
        assert!(seen("\n", file(131)).is_err());
    }

    #[test]
    fn lvm_s_settings_are_read_as_lvmconfig_prints_them() {
        let text = "auto_activation_volume_list=[\"other\",\"@tag\"]\nvolume_list=[]\n\
                    filter=\"r|/dev/vdb|\"\nglobal_filter=[\"a|.*|\"]\nuse_devicesfile=0\n\
                    strange\nunasked=1\n";
        let read = parse_settings(text).expect("settings");
        let items = |key: &str| read.get(key).map(|items| items.join(" "));
        assert_eq!(read.len(), 5);
        assert_eq!(items("activation/auto_activation_volume_list"), Some("other @tag".to_owned()));
        assert_eq!(items("activation/volume_list"), Some(String::new()), "nothing at all");
        assert_eq!(items("devices/filter"), Some("r|/dev/vdb|".to_owned()));
        assert_eq!(items("devices/use_devicesfile"), Some("0".to_owned()));
        assert_eq!(parse_settings("  Configuration node not found\n"), None);
    }

    #[test]
    fn signatures_are_read_as_wipefs_prints_them() {
        let text = br#"{"signatures": [
            {"device":"vdc", "offset":"0x438", "type":"ext4", "uuid":"x", "label":"da\u001bta"},
            {"device":"vdc", "offset":"0x1fe", "type":"dos", "uuid":null, "label":null}]}"#;
        assert_eq!(
            parse_signatures(text),
            Ok(vec!["ext4 (label da\\x1bta)".to_owned(), "dos".to_owned()])
        );
        let pv = br#"{"signatures": [{"type":"LVM2_member", "uuid":"Fk3-x", "label":null}]}"#;
        assert_eq!(parse_signatures(pv), Ok(vec!["LVM2_member (uuid Fk3-x)".to_owned()]));
        assert_eq!(parse_signatures(b"\n"), Ok(Vec::new()));
        assert!(parse_signatures(b"oops").is_err());
    }
}
