//! The commands that change a host: a wish becomes a plan, is shown, agreed to, run.

pub(super) mod around;
pub(super) mod carry;
mod consent;
pub(super) mod earlier;
mod going;
mod journal;
mod recalled;
mod show;

use std::path::Path;

use super::{Trouble, host, print};
use crate::cli::{Change, Command};
use crate::exit::Exit;
use crate::intent::{Activate, Amount, Grow, GrowVolume, Intent};
use crate::model::Snapshot;
use crate::plan::{self, Occasion, Plan, Planned, document};
use crate::settings::{HostChoice, Settings};
use crate::store;
use crate::survey::LookPlan;

pub(super) use journal::print_journal;
pub(super) use show::line;

/// A plan that waits for consent, and where it was made.
struct Proposal {
    plan: Plan,
    snapshot: Snapshot,
    look: LookPlan,
}

/// What a command of this kind does.
pub(super) fn change(settings: &Settings, command: &Command) -> Result<Exit, Trouble> {
    match command {
        Command::Resume { id, yes } => going::resume(settings, id.as_deref(), yes),
        Command::Apply { plan, how } => apply(settings, plan, how),
        Command::Grow { how, .. } | Command::Activate { how, .. } => {
            wished(settings, &intent(command)?, how)
        }
        other => {
            Err(Trouble::Failed(format!("{other:?} changes nothing; please tell the authors")))
        }
    }
}

/// The wish that was typed.
fn intent(command: &Command) -> Result<Intent, Trouble> {
    let amount = |option: &str, text: &Option<String>| {
        let read = |text: &String| {
            Amount::parse(text).map_err(|why| Trouble::usage(format!("--{option}: {why}")))
        };
        text.as_ref().map(read).transpose()
    };
    match command {
        Command::Grow { pool, size: Some(size), .. } => {
            let volume = pool
                .clone()
                .ok_or_else(|| Trouble::usage("--size is for one thin volume: name it as VG/LV"))?;
            let size =
                Amount::parse(size).map_err(|why| Trouble::usage(format!("--size: {why}")))?;
            Ok(Intent::GrowVolume(GrowVolume { volume, size }))
        }
        Command::Grow { pool, data, metadata, add_pv, .. } => {
            if data.is_none() && metadata.is_none() && add_pv.is_empty() {
                return Err(Trouble::usage(
                    "grow needs to know what: --data, --metadata, --add-pv, or --size for a thin \
                     volume",
                ));
            }
            Ok(Intent::Grow(Grow {
                pool: pool.clone(),
                data: amount("data", data)?,
                metadata: amount("metadata", metadata)?,
                add_pvs: add_pv.clone(),
            }))
        }
        Command::Activate { target, unit, recording, .. } => {
            let recording = recording.as_deref().map(absolute).transpose()?;
            Ok(Intent::Activate(Activate { target: target.clone(), unit: *unit, recording }))
        }
        other => Err(Trouble::Failed(format!("{other:?} is no wish; please tell the authors"))),
    }
}

/// A path as it is meant from every folder: it is kept in a journal.
fn absolute(path: &Path) -> Result<String, Trouble> {
    let name = print::quoted(&path.to_string_lossy());
    let absolute = std::path::absolute(path)
        .map_err(|error| Trouble::usage(format!("{name} cannot be made absolute: {error}")))?;
    match absolute.into_os_string().into_string() {
        Ok(path) => Ok(path),
        Err(_) => Err(Trouble::usage(format!("{name} is not UTF-8 and cannot be kept"))),
    }
}

fn wished(settings: &Settings, intent: &Intent, how: &Change) -> Result<Exit, Trouble> {
    if !how.only_shows() {
        carry::may_change(settings)?;
        // what an earlier run left half done is completed first
        going::complete(settings, &how.yes)?;
    }
    let (look, snapshot) = looked(settings)?;
    let wants = plan::wants(intent, &snapshot.topology);
    let mut around = around::read(&look, &wants);
    let seen = (&look, &*snapshot.topology, snapshot.host.name.as_str());
    recalled::read(settings, seen, &wants, &mut around);
    let occasion = occasion(intent, &snapshot);
    match plan::plan(intent, &snapshot.topology, &around, &occasion) {
        Err(refusal) if refusal.mistyped => Err(Trouble::usage(refusal.why)),
        Err(refusal) => Err(Trouble::Refused(refusal.why)),
        Ok(Planned::Nothing { why }) => nothing(how, &why),
        Ok(Planned::Plan(plan)) => propose(settings, how, Proposal { plan: *plan, snapshot, look }),
    }
}

/// It is so already: a document says so too.
fn nothing(how: &Change, why: &str) -> Result<Exit, Trouble> {
    if how.json {
        let document = serde_json::json!({
            "format": plan::FORMAT, "gaps": [], "id": null, "intent": null, "basis": null,
            "steps": [], "warnings": [], "already": why,
        });
        return print::stdout(|out| writeln!(out, "{document:#}"));
    }
    print::stdout(|out| writeln!(out, "{why}"))
}

/// A saved plan.
fn apply(settings: &Settings, file: &Path, how: &Change) -> Result<Exit, Trouble> {
    let name = print::quoted(&file.to_string_lossy());
    let text = store::read_text(file)
        .map_err(|error| Trouble::usage(format!("{name} cannot be read: {error}")))?;
    let plan = document::read(&text).map_err(|why| Trouble::Refused(format!("{name}: {why}")))?;
    if !how.only_shows() {
        carry::may_change(settings)?;
        going::complete(settings, &how.yes)?;
    }
    let (look, snapshot) = looked(settings)?;
    if let Some(why) = plan.misfit(snapshot.host.name.as_str(), &snapshot.topology) {
        return Err(Trouble::Refused(format!("{name} does not fit: {why}")));
    }
    // a run's id is used once: the same plan may be applied again after a stop
    let plan = Plan { id: new_id(&plan.intent), ..plan };
    propose(settings, how, Proposal { plan, snapshot, look })
}

fn propose(settings: &Settings, how: &Change, proposal: Proposal) -> Result<Exit, Trouble> {
    if how.only_shows() {
        return show::show(how, &proposal);
    }
    print::stdout(|out| crate::report::text::write_plan(out, &proposal.plan))?;
    consent::agree(&proposal.plan, &how.yes)?;
    going::go(settings, proposal)
}

fn looked(settings: &Settings) -> Result<(LookPlan, Snapshot), Trouble> {
    let look = host::plan(settings)?;
    let looked = crate::survey::look_once(&look)?;
    if looked.nothing {
        print::gaps(&looked.snapshot);
        return Err(Trouble::NothingRead("nothing could be read of this host".to_owned()));
    }
    Ok((look, looked.snapshot))
}

fn occasion(intent: &Intent, snapshot: &Snapshot) -> Occasion {
    Occasion { id: new_id(intent), host: snapshot.host.name.to_string(), time: snapshot.host.time }
}

/// By the moment, so that ids sort by age, and by what is wished for, so that a person knows it.
pub(super) fn new_id(intent: &Intent) -> String {
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let stamp = crate::format::date::stamp(seconds);
    format!("{stamp}-{:03}-{}", now.subsec_millis(), intent.verb())
}

/// Whether the host that is looked at is this one and may be changed.
pub(super) fn is_live(settings: &Settings) -> bool {
    matches!(settings.host, HostChoice::Live { root: None })
}
