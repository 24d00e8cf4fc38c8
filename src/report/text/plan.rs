//! A plan for people: what is done, by which commands, what is warned of.

use std::io::{self, Write};

use crate::plan::{Danger, Plan, script};

/// Prints a plan as it is reviewed.
pub fn write_plan(out: &mut dyn Write, plan: &Plan) -> io::Result<()> {
    writeln!(out, "plan {}: {}", plan.id, plan.intent)?;
    for (at, step) in plan.steps.iter().enumerate() {
        writeln!(out, "{:>3}. {}", at + 1, step.action.title())?;
        writeln!(out, "     {}", step.why)?;
        for argv in step.action.commands() {
            writeln!(out, "     $ {}", script::line(&argv))?;
        }
        for check in &step.after {
            writeln!(out, "     then: {check}")?;
        }
        writeln!(out, "     undo: {}", step.action.undo())?;
    }
    plan.warnings.iter().try_for_each(|warning| writeln!(out, "  ! {warning}"))?;
    let lost = plan.consents.iter().filter(|consent| consent.danger == Danger::Destroys);
    lost.into_iter().try_for_each(|consent| writeln!(out, "  ! {}", consent.to))
}
