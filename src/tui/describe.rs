//! Everything known of the selected, as lines: for the pane, the four lines at the foot, the full
//! screen and the clipboard.
//!
//! Knows facts and words; nothing of widths, colours or positions.

pub(crate) mod blocks;
mod device;
mod page;
mod pool;
mod thin;
pub(crate) mod why;

use super::cell::Subject;
use super::cell::name;
use super::outline::{Group, GroupKind, Outline, What};
use super::seen::Seen;
use crate::advise;
use crate::format;
use crate::model::{Finding, Severity};
use crate::units::Bytes;

/// One line, or one fact that may take several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The name of what is described.
    Title(String),
    /// A word over the lines that follow.
    Head(&'static str),
    /// A fact.
    Fact(String, String),
    /// Used out of total.
    Gauge {
        /// Of what.
        label: &'static str,
        /// In use.
        used: Bytes,
        /// In all.
        total: Bytes,
        /// From this percent on docker refuses, by its own rule.
        stop: Option<u64>,
    },
    /// How full it was, in steps up to now, and over how many seconds.
    Spark(Vec<Option<u8>>, u64),
    /// A sentence.
    Text(String),
    /// Something is wrong.
    Problem(Severity, String),
    /// Nothing.
    Blank,
}

impl Line {
    /// Without a screen: a gauge is its figures.
    pub(crate) fn plain(&self) -> String {
        match self {
            Self::Title(text) | Self::Text(text) => text.clone(),
            Self::Head(text) => (*text).to_owned(),
            Self::Fact(label, value) => format!("{label}: {value}"),
            Self::Gauge { label, used, total, stop } => {
                let stop = stop.map(|stop| format!("; {}", refusal(stop))).unwrap_or_default();
                format!("{label}: {} of {}{stop}", format::exact(*used), format::exact(*total))
            }
            Self::Spark(steps, over) => {
                let percent = |step: &Option<u8>| {
                    step.map_or_else(|| "?".to_owned(), |step| step.to_string())
                };
                let steps: Vec<String> = steps.iter().map(percent).collect();
                format!("percent over {}: {}", format::about(*over), steps.join(" "))
            }
            Self::Problem(severity, text) => format!("{}: {text}", severity_word(*severity)),
            Self::Blank => String::new(),
        }
    }
}

/// What the mark on a gauge says.
pub(crate) fn refusal(stop: u64) -> String {
    format!("at {stop}% docker refuses")
}

/// The word for a severity.
pub(crate) const fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "critical",
        Severity::Warning => "warning",
        Severity::Advice => "advice",
    }
}

/// A list of lines in the making.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    list: Vec<Line>,
    exact: bool,
}

impl Lines {
    fn push(&mut self, line: Line) {
        self.list.push(line);
    }

    fn text(&mut self, text: impl Into<String>) {
        self.push(Line::Text(text.into()));
    }

    fn fact(&mut self, label: &str, value: impl std::fmt::Display) {
        let value = value.to_string();
        if !value.is_empty() {
            self.push(Line::Fact(label.to_owned(), value));
        }
    }

    fn maybe(&mut self, label: &str, value: Option<impl std::fmt::Display>) {
        if let Some(value) = value {
            self.fact(label, value);
        }
    }

    fn size(&mut self, label: &str, size: Option<Bytes>) {
        match size {
            Some(size) if self.exact => self.fact(label, format::exact(size)),
            Some(size) => self.fact(label, format::long(size)),
            None => self.fact(label, "?"),
        }
    }

    fn head(&mut self, text: &'static str) {
        self.push(Line::Blank);
        self.push(Line::Head(text));
    }
}

/// What a row of a table is about.
pub(crate) fn describe(seen: &Seen, outline: &Outline, what: What, exact: bool) -> Vec<Line> {
    let mut lines = Lines { exact, ..Lines::default() };
    if let What::Group(at) = what {
        if let Some(group) = outline.groups.get(at as usize) {
            describe_group(&mut lines, seen, group);
        }
        return lines.list;
    }
    let subject = Subject::of(seen, outline, what);
    let (Some(node), Some(ix)) = (subject.node, subject.ix) else { return lines.list };
    if subject.is_pointer() {
        lines.text("(stands elsewhere in the tree: Enter goes there)");
    }
    let pool = node.facts.pool.and_then(|at| seen.topology().pools.get(at.0 as usize));
    match (pool, subject.thin) {
        (Some(pool), _) => pool::describe(&mut lines, seen, node, pool),
        (None, Some(thin)) => thin::describe(&mut lines, seen, node, thin),
        (None, None) => device::describe(&mut lines, seen, node),
    }
    device::describe_common(&mut lines, seen, node);
    let problems = seen.findings_of(ix).map(|f| Line::Problem(f.severity, f.summary.clone()));
    let title = lines.list.iter().position(|line| matches!(line, Line::Title(_)));
    let after = title.map_or(0, |at| at + 1);
    lines.list.splice(after..after, problems);
    lines.list
}

fn describe_group(lines: &mut Lines, seen: &Seen, group: &Group) {
    lines.push(Line::Title(group.name().to_owned()));
    match group.kind {
        GroupKind::Image => {
            let running = group.running;
            lines.text(format!(
                "image, {}, {} ({running} running)",
                name::count(group.layers, "layer"),
                name::count(group.containers, "container"),
            ));
        }
        GroupKind::Unnamed => lines.text("layers of the engine's layer store that no image names"),
        GroupKind::BuildCache => lines.text("snapshots of builds, in no layer-store entry"),
        GroupKind::Unknown => lines.text("devices whose owner cannot be told"),
    }
    if let Some(pool) = seen.topology().pools.get(group.pool.0 as usize) {
        lines.fact("pool", &pool.name);
    }
    if let Some(top) = group.top.and_then(|top| seen.topology().thins.get(top.0 as usize)) {
        lines.maybe("top layer id", top.id);
        lines.size("mapped", top.mapped);
    }
    if group.names.len() > 1 {
        lines.head("all names");
        group.names.iter().for_each(|name| lines.text(name.as_str()));
    }
}

/// A finding, for its own page.
pub(crate) fn describe_finding(finding: &Finding) -> Vec<Line> {
    let mut lines = Lines::default();
    lines.push(Line::Title(finding.subject.to_string()));
    lines.push(Line::Problem(finding.severity, finding.summary.clone()));
    lines.fact("code", finding.code);
    if !finding.evidence.is_empty() {
        lines.head("seen");
        finding.evidence.iter().for_each(|line| lines.text(line.clone()));
    }
    if !finding.remedy.is_empty() {
        lines.head("what to do");
        lines.text(finding.remedy.clone());
    }
    lines.list.extend(advise::page(finding.code).map(page::lay_out).unwrap_or_default());
    lines.list
}
