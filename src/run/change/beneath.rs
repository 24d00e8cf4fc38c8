//! What a run needs of this host's files: where its journal is written, itself, the programs that
//! it starts. None of it may lie on what is changed, and whether it does is found out before a
//! byte is written there: on a full pool the first write waits.

use std::path::Path;

use super::carry::Ground;
use crate::ids::DevNo;
use crate::model::Topology;
use crate::plan::{Action, Plan, beneath};
use crate::run::Trouble;
use crate::settings::Settings;
use crate::survey::{self, LookPlan};
use crate::sys::capture::Recording;
use crate::sys::live::{SEARCH, child::THIS_PROGRAM};
use crate::sys::{HostPath, Question, ReadHost, Reply, Source};

/// One thing that is needed.
struct Needed {
    what: String,
    /// Where it is, or would be: the first of them that is there counts.
    paths: Vec<HostPath>,
    /// What can be done.
    help: &'static str,
}

/// Refuses a run that would wait for what it changes.
pub(in crate::run) fn refuse(ground: &Ground<'_>, plan: &Plan) -> Result<(), Trouble> {
    let mut needed = vec![state(ground.settings), own()];
    needed.extend(programs(plan));
    let answers = survey::ask_questions(&ground.look, questions(&needed));
    let devices: Vec<(&Needed, DevNo)> =
        needed.iter().filter_map(|one| Some((one, holds(&answers, one)?))).collect();
    let Some(topology) = looked(&ground.look) else { return Ok(()) };
    for (needed, device) in devices {
        if let Some(on) = beneath::rests_on_changed(plan, &topology, device) {
            return Err(Trouble::Refused(format!(
                "nothing was done: {} lies {on}, and that is what is changed: while it stands \
                 still or is full, nobody could write or read there; {}",
                needed.what, needed.help
            )));
        }
    }
    Ok(())
}

/// Whether the state folder lies on a pool, so that proving it by a write may wait for that pool.
pub(in crate::run) fn state_lies_on_a_pool(look: &LookPlan, settings: &Settings) -> bool {
    let state = state(settings);
    let answers = survey::ask_questions(look, questions(std::slice::from_ref(&state)));
    let device = holds(&answers, &state);
    let topology = device.and_then(|_| looked(look));
    device
        .zip(topology)
        .is_some_and(|(device, topology)| beneath::rests_on_a_pool(&topology, device).is_some())
}

fn state(settings: &Settings) -> Needed {
    let folder = std::path::absolute(&settings.state_dir);
    let folder = folder.unwrap_or_else(|_| settings.state_dir.clone());
    Needed {
        what: format!("the state folder {}", folder.display()),
        // it may have to be made yet
        paths: folder.ancestors().map(HostPath::new).collect(),
        help: "--state-dir names another folder, on storage that is not changed",
    }
}

fn own() -> Needed {
    let path = std::env::current_exe().map(|path| format!(" ({})", path.display()));
    Needed {
        what: format!("the program thinscope{}", path.unwrap_or_default()),
        paths: vec![HostPath::new(THIS_PROGRAM)],
        help: "copy it to storage that is not changed, such as /run, and start it there",
    }
}

/// The programs that a plan starts; what thinscope does itself starts none.
fn programs(plan: &Plan) -> Vec<Needed> {
    let ours = |action: &Action| {
        matches!(
            action,
            Action::Reload { .. } | Action::BringBack { .. } | Action::WriteUnit { .. }
        )
    };
    let steps = plan.steps.iter().filter(|step| !ours(&step.action));
    let mut names: Vec<String> = steps
        .flat_map(|step| step.action.commands())
        .filter_map(|argv| argv.into_iter().next())
        .map(|name| if is_lvm(&name) { "lvm".to_owned() } else { name })
        .collect();
    names.sort();
    names.dedup();
    let needed = |name: String| Needed {
        paths: SEARCH.iter().map(|folder| HostPath::new(Path::new(folder).join(&name))).collect(),
        what: format!("the program {name}"),
        help: "change it from a system that does not lie on it, such as a rescue system",
    };
    names.into_iter().map(needed).collect()
}

fn is_lvm(name: &str) -> bool {
    ["pv", "vg", "lv"].iter().any(|start| name.starts_with(start))
}

fn questions(needed: &[Needed]) -> Vec<Question> {
    needed.iter().flat_map(|one| &one.paths).cloned().map(Question::Stat).collect()
}

/// The device of the filesystem that holds it.
fn holds(answers: &Recording, needed: &Needed) -> Option<DevNo> {
    needed.paths.iter().find_map(|path| match answers.ask(&Question::Stat(path.clone())).result {
        Ok(Reply::Stat(stat)) => Some(stat.dev),
        _ => None,
    })
}

/// What rests on what, without LVM's report, which may wait for the very pool.
fn looked(look: &LookPlan) -> Option<std::sync::Arc<Topology>> {
    let sources = vec![Source::Host, Source::Dm, Source::Block];
    let looked = survey::look_once(&LookPlan { sources, ..look.clone() }).ok()?;
    (!looked.nothing).then_some(looked.snapshot.topology)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::{Answer, EntryKind, FailKind, FileStat};

    fn stat(dev: DevNo) -> Answer {
        Answer::ok(Reply::Stat(FileStat {
            kind: EntryKind::Dir,
            dev,
            rdev: DevNo::new(0, 0),
            ino: 2,
            size: 0,
            allocated: 0,
            mtime: 0,
        }))
    }

    #[test]
    fn a_folder_that_is_to_be_made_lies_where_the_nearest_one_above_it_does() {
        let needed = Needed {
            what: String::new(),
            paths: Path::new("/var/lib/thinscope").ancestors().map(HostPath::new).collect(),
            help: "",
        };
        let mut answers = Recording::new(Source::Host);
        let mut say =
            |path: &str, answer| answers.push(Question::Stat(HostPath::new(path)), answer);
        say("/var/lib/thinscope", Answer::failed(FailKind::NotFound, "not there"));
        say("/var/lib", stat(DevNo::new(253, 7)));
        say("/", stat(DevNo::new(254, 1)));
        assert_eq!(holds(&answers, &needed), Some(DevNo::new(253, 7)));
        assert_eq!(questions(&[needed]).len(), 4);
    }

    #[test]
    fn lvm_s_commands_are_one_program() {
        assert!(["pvcreate", "vgextend", "lvextend", "lvchange"].iter().all(|name| is_lvm(name)));
        assert!(!["losetup", "dmsetup", "truncate", "sh"].iter().any(|name| is_lvm(name)));
    }
}
