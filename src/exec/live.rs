//! The executor's host when it is this one: looks through a survey, acts through the writing half
//! of the door, keeps records in a run's journal.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::journal::{Entry, Record};
use super::{Host, Told};
use crate::command::Tool;
use crate::model::Topology;
use crate::plan::action::Suspended as PlannedSuspended;
use crate::plan::{Action, unit};
use crate::store::runs::{Lock, RunFile};
use crate::survey::{self, LookPlan};
use crate::sys::live::act::{self, How};
use crate::sys::write::{Acted, Effect, NewFile, Suspended, Window};
use crate::sys::{DmTarget, Raw, Source};

/// How long an effect is waited for before it is told to be still under way.
const LIMIT: Duration = Duration::from_secs(600);
/// How long what must hold after a step may take to be seen.
const TO_SHOW: Duration = Duration::from_secs(10);
/// How often it is looked for meanwhile.
const TURN: Duration = Duration::from_millis(300);

/// This host.
pub struct LiveHost {
    plan: LookPlan,
    journal: RunFile,
    lock: Lock,
    folder: PathBuf,
    stop: Arc<AtomicBool>,
    /// Since when what must hold is waited for.
    waiting: Option<Instant>,
}

impl LiveHost {
    /// A host on which the lock is held, with the journal of one run and the folder of its
    /// effects.
    pub fn new(
        mut plan: LookPlan,
        journal: RunFile,
        lock: Lock,
        (folder, stop): (PathBuf, Arc<AtomicBool>),
    ) -> Self {
        // what the pools' metadata holds decides nothing while a plan runs
        plan.sources.retain(|source| *source != Source::Metadata);
        Self { plan, journal, lock, folder, stop, waiting: None }
    }

    /// Gives the lock back.
    pub fn into_lock(self) -> Lock {
        self.lock
    }

    fn how(&self, stem: String) -> Result<How, String> {
        let lock = self.lock.share().map_err(|error| format!("the lock: {error}"))?;
        Ok(How { lock: Some(lock), folder: self.folder.clone(), stem, limit: LIMIT })
    }
}

impl Host for LiveHost {
    fn look(&mut self) -> Result<Arc<Topology>, String> {
        let looked = survey::look_once(&self.plan).map_err(|error| error.to_string())?;
        if looked.nothing {
            return Err("nothing could be seen".to_owned());
        }
        Ok(looked.snapshot.topology)
    }

    fn act(&mut self, step: usize, action: &Action, told: &mut dyn FnMut(Told)) -> Acted {
        self.waiting = None;
        let effects = match effects(action) {
            Ok(effects) => effects,
            Err(why) => return Acted::Refused { why },
        };
        for (at, effect) in effects.iter().enumerate() {
            let how = match self.how(stem(step, at)) {
                Ok(how) => how,
                Err(why) => return Acted::Refused { why },
            };
            let mut line = |text: &str| told(Told::Line(text.to_owned()));
            match act::act(effect, &how, &mut line) {
                Acted::Done => {}
                other => return other,
            }
        }
        Acted::Done
    }

    fn ended(&mut self, step: usize) -> Option<Acted> {
        (0..MOST_EFFECTS).map_while(|at| act::read_result(&self.folder, &stem(step, at))).last()
    }

    fn stops(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    fn wait(&mut self) -> bool {
        let since = *self.waiting.get_or_insert_with(Instant::now);
        if since.elapsed() >= TO_SHOW {
            self.waiting = None;
            return false;
        }
        std::thread::sleep(TURN);
        true
    }

    fn record(&mut self, record: &Record) -> Result<(), String> {
        append(&mut self.journal, record)
    }
}

/// What the effects of one step printed, line by line and safe to print, from the folder of a run.
pub fn read_said(folder: &std::path::Path, step: usize, told: &mut dyn FnMut(&str)) {
    (0..MOST_EFFECTS).for_each(|at| act::read_said(folder, &stem(step, at), told));
}

/// Adds a record to a journal.
pub fn append(journal: &mut RunFile, record: &Record) -> Result<(), String> {
    let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let time = time.map_or(0, |time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
    let entry = Entry { time, record: record.clone() };
    let line = serde_json::to_string(&entry).map_err(|error| error.to_string())?;
    journal.append(&line).map_err(|error| error.to_string())
}

/// No action has more effects.
const MOST_EFFECTS: usize = 16;

fn stem(step: usize, effect: usize) -> String {
    format!("step-{step}-{effect}")
}

/// What an action is on a host: the commands that were shown, or the one process that may suspend.
fn effects(action: &Action) -> Result<Vec<Effect>, String> {
    match action {
        Action::Reload { device, name, uuid, old, new } => Ok(vec![Effect::Window(Window {
            device: *device,
            name: name.clone(),
            uuid: uuid.clone(),
            old: targets(old)?,
            new: targets(new)?,
        })]),
        Action::BringBack { devices } => {
            Ok(vec![Effect::Resume(devices.iter().map(suspended).collect())])
        }
        Action::WriteUnit { path, lines, .. } => Ok(vec![Effect::Place(NewFile {
            path: path.clone(),
            text: lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect(),
            mark: unit::MARK.to_owned(),
        })]),
        _ => action.commands().into_iter().map(command).collect(),
    }
}

fn suspended(one: &PlannedSuspended) -> Suspended {
    Suspended { device: one.device, name: one.name.clone(), clear: one.clear }
}

/// A command that was shown, as the tool that it is: LVM's commands are all one program.
fn command(words: Vec<String>) -> Result<Effect, String> {
    let name = words.first().map_or("", String::as_str);
    let rest = || words.iter().skip(1).cloned().collect();
    let (tool, args) = match name {
        "truncate" => (Tool::Truncate, rest()),
        "losetup" => (Tool::Losetup, rest()),
        "dmsetup" => (Tool::Dmsetup, rest()),
        "fsadm" => (Tool::Fsadm, rest()),
        "systemctl" => (Tool::Systemctl, rest()),
        "systemd-analyze" => (Tool::SystemdAnalyze, rest()),
        "pvcreate" | "vgextend" | "lvextend" | "lvchange" | "vgchange" => (Tool::Lvm, words),
        other => return Err(format!("{other} is no program that a plan may run")),
    };
    Ok(Effect::Run { tool, args })
}

/// Lines of a table, as the kernel takes them.
fn targets(lines: &[String]) -> Result<Vec<DmTarget>, String> {
    lines
        .iter()
        .map(|line| target(line).ok_or_else(|| format!("no line of a table: {line}")))
        .collect()
}

fn target(line: &str) -> Option<DmTarget> {
    let mut words = line.splitn(4, ' ');
    Some(DmTarget {
        start: words.next()?.parse().ok()?,
        length: words.next()?.parse().ok()?,
        kind: words.next()?.to_owned(),
        params: Raw(words.next().unwrap_or_default().as_bytes().to_vec()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_table_is_taken_apart_as_the_kernel_prints_it() {
        let line = "0 204800 thin-pool 7:1 7:0 128 32768 1 skip_block_zeroing ";
        let target = target(line).expect("a table of docker's");
        assert_eq!((target.start, target.length), (0, 204_800));
        assert_eq!(target.kind, "thin-pool");
        assert_eq!(target.params.0, b"7:1 7:0 128 32768 1 skip_block_zeroing ");
        assert!(super::target("0 x linear").is_none());
    }

    #[test]
    fn the_way_back_that_is_journalled_is_the_one_that_the_window_tells() {
        let table = |length: u64| vec![format!("0 {length} thin-pool 7:1 7:0 128 32768 1 skip ")];
        let action = Action::Reload {
            device: crate::ids::DevNo::new(253, 7),
            name: "pool".to_owned(),
            uuid: String::new(),
            old: table(8),
            new: table(16),
        };
        let effects = effects(&action).expect("a table");
        let [Effect::Window(window)] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!(action.rescue(), Some(window.rescue()));
    }

    #[test]
    fn every_command_that_a_plan_can_name_has_its_program() {
        let argv = |words: &str| words.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(
            command(argv("lvextend -l +5 docker/thinpool")),
            Ok(Effect::Run { tool: Tool::Lvm, args: argv("lvextend -l +5 docker/thinpool") })
        );
        assert_eq!(
            command(argv("losetup -c /dev/loop0")),
            Ok(Effect::Run { tool: Tool::Losetup, args: argv("-c /dev/loop0") })
        );
        assert_eq!(
            command(argv("fsadm -y resize /dev/pve/home")),
            Ok(Effect::Run { tool: Tool::Fsadm, args: argv("-y resize /dev/pve/home") })
        );
        assert!(command(argv("rm -rf /")).is_err());
    }
}
