//! A plan that is only shown: as JSON, as a script, saved, or walked on predictions.

use std::path::Path;
use std::sync::Arc;

use super::Proposal;
use crate::cli::Change;
use crate::exec::{self, Ending, Told};
use crate::exit::Exit;
use crate::plan::{Plan, document, script};
use crate::run::{Trouble, print};
use crate::settings::is_stdout;
use crate::store::runs::save_new;

/// Shows it in every way that was asked for.
pub(super) fn show(how: &Change, proposal: &Proposal) -> Result<Exit, Trouble> {
    let plan = &proposal.plan;
    if let Some(file) = &how.save {
        let text = format!("{:#}\n", document::write(plan));
        written(file, "the plan", &text)?;
    }
    if let Some(file) = &how.script {
        written(file, "the script", &script::script(plan))?;
    }
    if how.json {
        return print::stdout(|out| writeln!(out, "{:#}", document::write(plan)));
    }
    if how.dry_run {
        return rehearse(proposal);
    }
    Ok(Exit::Done)
}

fn written(file: &Path, what: &str, text: &str) -> Result<(), Trouble> {
    if is_stdout(file) {
        return print::stdout(|out| out.write_all(text.as_bytes())).map(|_| ());
    }
    let name = print::quoted(&file.to_string_lossy());
    save_new(file, text)
        .map_err(|error| Trouble::Failed(format!("{what} cannot be written to {name}: {error}")))?;
    print::message(&format_args!("{what} was written to {name}; nothing was changed"));
    Ok(())
}

fn rehearse(proposal: &Proposal) -> Result<Exit, Trouble> {
    let plan = &proposal.plan;
    print::stdout(|out| crate::report::text::write_plan(out, plan))?;
    let mut lines = Vec::new();
    let mut told = |one: Told| lines.extend(line(plan, &one));
    let ending = exec::rehearse(plan, Arc::clone(&proposal.snapshot.topology), &mut told);
    print::stdout(|out| lines.iter().try_for_each(|line| writeln!(out, "{line}")))?;
    match ending {
        Ending::Done => {
            print::message(&"rehearsed on predictions; nothing was changed");
            Ok(Exit::Done)
        }
        Ending::Refused { why, .. }
        | Ending::Failed { why, .. }
        | Ending::Undecided { why, .. }
        | Ending::Running { why, .. } => {
            Err(Trouble::Refused(format!("the rehearsal ended: {why}")))
        }
        Ending::Stopped { .. } => Ok(Exit::Stopped),
    }
}

/// What is told of a run, as a line.
pub(in crate::run) fn line(plan: &Plan, told: &Told) -> Option<String> {
    let of = plan.steps.len();
    let title = |step: &usize| plan.steps.get(*step).map(|step| step.action.title());
    match told {
        Told::Begins { step } => Some(format!("[{}/{of}] {}", step + 1, title(step)?)),
        Told::Line(text) => Some(format!("      {text}")),
        Told::Verified { step } => Some(format!("[{}/{of}] verified", step + 1)),
        Told::Ready { .. } => None,
    }
}
