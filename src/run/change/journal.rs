//! What was done to this host, from the journals.

use std::io::{self, Write};

use crate::exec::live::read_said;
use crate::exec::{Closing, Record, Run, Standing};
use crate::exit::Exit;
use crate::format::date;
use crate::plan::script;
use crate::run::{Trouble, print};
use crate::settings::Settings;
use crate::store::runs::{Runs, is_id};

/// `journal`: all runs, or one.
pub(in crate::run) fn print_journal(
    settings: &Settings,
    id: Option<&str>,
    json: bool,
) -> Result<Exit, Trouble> {
    let runs = Runs::below(&settings.state_dir);
    let unreadable = |error: io::Error| {
        let folder = settings.state_dir.display();
        Trouble::NothingRead(format!("the journals below {folder} cannot be read: {error}"))
    };
    let ids = match id {
        Some(id) if is_id(id) => vec![id.to_owned()],
        Some(id) => return Err(Trouble::usage(format!("there is no run {}", print::quoted(id)))),
        None => runs.ids().map_err(unreadable)?,
    };
    let mut list = Vec::new();
    for one in ids {
        match runs.read(&one) {
            Ok(bytes) => list.push(Run::parse(&one, &bytes)),
            Err(_) if id.is_some() => {
                return Err(Trouble::usage(format!("there is no run {}", print::quoted(&one))));
            }
            Err(error) => print::message(&format_args!("{one} cannot be read: {error}")),
        }
    }
    if json {
        let document = serde_json::json!({
            "format": 1, "gaps": [], "runs": list.iter().map(row).collect::<Vec<_>>(),
        });
        return print::stdout(|out| writeln!(out, "{document:#}"));
    }
    match (id, list.as_slice()) {
        (Some(_), [run]) => print::stdout(|out| write_run(out, run, &runs)),
        (_, []) => {
            print::message(&"nothing was done to this host by thinscope");
            Ok(Exit::Done)
        }
        (_, list) => print::stdout(|out| list.iter().try_for_each(|run| write_line(out, run))),
    }
}

fn row(run: &Run) -> serde_json::Value {
    let plan = run.plan();
    serde_json::json!({
        "id": run.id,
        "time": run.began(),
        "intent": plan.map(|plan| plan.intent.to_string()),
        "state": state(run),
        "steps": plan.map(|plan| plan.steps.iter().map(|step| step.action.title()).collect::<Vec<_>>()),
        "unread_lines": run.unread,
        "entries": run.entries,
    })
}

/// How a run stands, in a word or two.
fn state(run: &Run) -> String {
    match run.standing() {
        Standing::Closed(Closing::Done) => "done".to_owned(),
        Standing::Closed(Closing::Refused { step, why }) => {
            format!("refused at step {}: {why}", step + 1)
        }
        Standing::Closed(Closing::Failed { step, why }) => {
            format!("failed at step {}: {why}", step + 1)
        }
        Standing::Closed(Closing::Superseded { by }) => format!("overtaken by {by}"),
        Standing::Between { done } => format!("unfinished after {done} steps"),
        Standing::InDoubt { step } => format!("cut off in step {}", step + 1),
        Standing::Unreadable => "not readable".to_owned(),
    }
}

fn write_line(out: &mut dyn Write, run: &Run) -> io::Result<()> {
    let intent = run.plan().map(|plan| plan.intent.to_string()).unwrap_or_default();
    writeln!(out, "{}  {intent}  {}", run.id, state(run))
}

fn write_run(out: &mut dyn Write, run: &Run, runs: &Runs) -> io::Result<()> {
    write_line(out, run)?;
    if let Some(plan) = run.plan() {
        crate::report::text::write_plan(out, plan)?;
    }
    for entry in &run.entries {
        let when = date::moment(entry.time);
        match &entry.record {
            Record::Opened { .. } => writeln!(out, "{when}  agreed to and begun")?,
            Record::Intended { step, commands, rescue } => {
                writeln!(out, "{when}  step {} begins", step + 1)?;
                for argv in commands {
                    writeln!(out, "    $ {}", script::line(argv))?;
                }
                if let Some(rescue) = rescue {
                    writeln!(out, "    should all else be gone: {rescue}")?;
                }
            }
            Record::Applied { step, acted } => {
                for line in said(runs, &run.id, *step) {
                    writeln!(out, "    | {line}")?;
                }
                writeln!(out, "{when}  step {}: {}", step + 1, acted_words(acted))?;
            }
            Record::Verified { step } => writeln!(out, "{when}  step {} verified", step + 1)?,
            Record::Stopped { done } => writeln!(out, "{when}  stopped after {done} steps")?,
            Record::Closed { .. } => writeln!(out, "{when}  {}", state(run))?,
        }
    }
    if run.unread > 0 {
        writeln!(out, "{} lines could not be read", run.unread)?;
    }
    Ok(())
}

/// What a step printed.
fn said(runs: &Runs, id: &str, step: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(folder) = runs.printed(id) {
        read_said(&folder, step, &mut |line| lines.push(line.to_owned()));
    }
    lines
}

fn acted_words(acted: &crate::sys::write::Acted) -> String {
    use crate::sys::write::Acted;
    match acted {
        Acted::Done => "ran to its end".to_owned(),
        Acted::Refused { why } => format!("not done: {why}"),
        Acted::Failed { why } => format!("failed: {why}"),
        Acted::Running { why } => format!("still running: {why}"),
    }
}
