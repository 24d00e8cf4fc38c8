//! Single questions to the live host, in a child within its limit: what a plan must know beside
//! the topology.

use super::ask::{Whom, ask};
use super::look::{order, run};
use super::order::Order;
use super::{LookPlan, Place};
use crate::sys::capture::Recording;
use crate::sys::{Question, Source};

/// Asks them; what was not answered says why. A recorded host answers none.
pub fn ask_questions(plan: &LookPlan, questions: Vec<Question>) -> Recording {
    let mut nothing = Recording::new(Source::Host);
    if !matches!(plan.place, Place::Live { .. }) {
        nothing.break_off("a recorded host is not asked anew".to_owned());
        return nothing;
    }
    let order = Order { questions, ..order(plan, Source::Host) };
    match run(ask(plan, order, None, Whom::Fresh)) {
        Ok(asked) => asked.recording,
        Err(error) => {
            nothing.break_off(error.to_string());
            nothing
        }
    }
}
