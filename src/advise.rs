//! What is wrong with a host: a registry of rules, each pure over a [`Topology`].
//!
//! A rule is one file under `advise/rules/`, its page for `thinscope explain` one file under
//! `advise/pages/`. A rule that cannot see says nothing: what could not be seen is a gap, made
//! where it was asked for. Knows nothing of how a host is looked at or how findings are shown.

mod growing;
mod no_space;
mod rules;
mod stack;
mod suspended;
mod words;

use std::cmp::Reverse;

use crate::model::{Finding, Topology};

/// One rule: a code for good, the page that explains it, and the look at the topology.
pub(crate) struct Rule {
    /// Stable, kebab-case.
    code: &'static str,
    /// What `thinscope explain` prints.
    page: &'static str,
    /// Adds what it finds.
    look: fn(&Topology, &mut Vec<Finding>),
}

/// What is wrong with a host: gravest first, and of the same gravity the cause before its
/// consequences.
pub fn findings(topology: &Topology) -> Vec<Finding> {
    let mut found = Vec::new();
    for rule in rules::ALL {
        (rule.look)(topology, &mut found);
    }
    found.sort_by_key(|finding| Reverse(finding.severity));
    found
}

/// The page of a finding.
pub fn page(code: &str) -> Option<&'static str> {
    rules::ALL.iter().find(|rule| rule.code == code).map(|rule| rule.page)
}

/// Which wizard cures a finding, in the words of its page.
pub fn wizard(code: &str) -> Option<String> {
    let (_, after) = page(code)?.split_once("\n## Which wizard\n")?;
    let words = after.split("\n\n").next()?;
    Some(words.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// All codes, in the order of the rules.
pub fn codes() -> impl Iterator<Item = &'static str> {
    rules::ALL.iter().map(|rule| rule.code)
}

#[cfg(test)]
mod tests;
