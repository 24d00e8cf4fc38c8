//! A plan as a document: for people's scripts, and for keeping it in a file until it is applied.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{FORMAT, Plan, Step};

/// The plan as JSON, with everything that reading it back needs.
pub fn write(plan: &Plan) -> Value {
    json!({
        "format": FORMAT,
        "gaps": [],
        "id": plan.id,
        "intent": plan.intent.to_string(),
        "basis": plan.basis,
        "steps": plan.steps.iter().map(step).collect::<Vec<_>>(),
        "warnings": plan.warnings,
        "consents": plan.consents,
        "next": plan.next,
        "plan": plan,
    })
}

fn step(step: &Step) -> Value {
    let words = |checks: &[super::Check]| -> Vec<String> {
        checks.iter().map(ToString::to_string).collect()
    };
    json!({
        "title": step.action.title(),
        "why": step.why,
        "commands": step.action.commands(),
        "before": words(&step.before),
        "after": words(&step.after),
        "undo": step.action.undo().to_string(),
        "danger": step.action.danger().name(),
    })
}

#[derive(Serialize, Deserialize)]
struct Saved {
    format: u32,
    plan: Plan,
}

/// Reads a saved plan back.
pub fn read(text: &str) -> Result<Plan, String> {
    #[derive(Deserialize)]
    struct Version {
        format: u32,
    }
    let version: Version = serde_json::from_str(text)
        .map_err(|error| format!("it is no plan that thinscope saved: {error}"))?;
    if version.format != FORMAT {
        return Err(format!(
            "it is a plan of format {}, and this program reads {FORMAT}: make a new one",
            version.format
        ));
    }
    let saved: Saved = serde_json::from_str(text)
        .map_err(|error| format!("it is no plan that thinscope saved: {error}"))?;
    // what is shown is made from what is run: a document edited by hand in one place only would
    // say one thing and do another
    let shown: Value = serde_json::from_str(text).unwrap_or_default();
    if shown != write(&saved.plan) {
        return Err("it was changed after it was saved: what it shows is not what it would do; \
                    make a new one"
            .to_owned());
    }
    Ok(saved.plan)
}
