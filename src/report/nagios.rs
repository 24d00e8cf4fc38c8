//! `check`: one line and a state for Nagios and its kin, by the Monitoring Plugins Development
//! Guidelines.
//!
//! What is wrong comes from the findings, whatever rules there are: a critical one is CRITICAL, a
//! warning WARNING, advice is only counted. How full is too full is decided by the ranges alone.
//! What could not be seen is UNKNOWN and never OK, and hides nothing worse that was seen.

mod perfdata;
mod pools;
mod range;
#[cfg(test)]
mod tests;

use std::io::{self, Write};

use crate::model::{Finding, Gap, Severity, Snapshot};
use crate::text::Printable;
use perfdata::Figure;
pub use range::Range;

/// What the line begins with.
const SERVICE: &str = "THINSCOPE";
/// Findings that say what the ranges decide.
const DECIDED_BY_RANGES: [&str; 2] = ["pool-data-near-full", "pool-metadata-near-full"];
/// Problems named in the line unless more is asked for.
const NAMED: usize = 2;
/// Columns before the figures, where what is named fits: pagers and lists cut what is longer.
const WIDTH: usize = 79;
/// Characters of a name in the line.
const NAME: usize = 28;

/// The states, with the plugins' own exit codes; the gravest is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Seen, and well.
    Ok,
    /// Not all of it could be seen.
    Unknown,
    /// Will hurt.
    Warning,
    /// Hurts.
    Critical,
}

impl State {
    /// The exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Warning => 1,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// How full is too full, in percent of data and of metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds {
    /// WARNING where it alerts.
    pub warn: Range,
    /// CRITICAL where it alerts.
    pub crit: Range,
}

/// The judgement of a host.
#[derive(Debug)]
pub struct Verdict {
    state: State,
    /// What is wrong or not known, gravest first.
    problems: Vec<Problem>,
    summary: Summary,
    figures: Vec<Figure>,
    /// For those who ask for more: what else was found, and what was not seen.
    beside: Vec<String>,
}

/// One thing that makes the state what it is.
#[derive(Debug)]
struct Problem {
    state: State,
    /// What it is about, where that has a name of its own.
    subject: Option<String>,
    /// In a few words.
    short: String,
    /// In a sentence, where there is more to say.
    long: Option<String>,
    evidence: Vec<String>,
}

impl Problem {
    fn new(state: State, short: String) -> Self {
        Self { state, subject: None, short, long: None, evidence: Vec::new() }
    }

    fn about(state: State, subject: &Printable, short: String) -> Self {
        Self { subject: Some(subject.to_string()), ..Self::new(state, short) }
    }

    /// In a few words, with what it is about.
    fn named(&self, name: impl Fn(&str) -> String) -> String {
        match &self.subject {
            Some(subject) => format!("{} {}", name(subject), self.short),
            None => self.short.clone(),
        }
    }
}

/// All pools in a few words: how many there are, and how full the fullest is.
#[derive(Debug, Default)]
struct Summary {
    pools: usize,
    /// Whose figures these are.
    name: String,
    /// `data 61%`, `metadata 9%`.
    figures: Vec<String>,
}

impl Summary {
    /// What stands before it in the line is not said again: of the only pool its name, and the
    /// figure that is the trouble.
    fn words(&self, named: &[Problem]) -> String {
        let is_about = |one: &&Problem| one.subject.as_deref() == Some(self.name.as_str());
        let told: Vec<&Problem> = named.iter().filter(is_about).collect();
        let name = short_name(&self.name);
        let all = self.figures.join(" ");
        match (self.pools, told.as_slice()) {
            (0, _) => String::new(),
            (1, []) => format!("{name} {all}"),
            (1, told) => {
                let is_told = |figure: &str| {
                    let what = figure.split(' ').next().unwrap_or_default();
                    told.iter().any(|one| one.short.split(' ').next() == Some(what))
                };
                let rest = self.figures.iter().map(String::as_str).filter(|one| !is_told(one));
                rest.collect::<Vec<_>>().join(" ")
            }
            (pools, _) => format!("{pools} pools, fullest {name} {all}"),
        }
    }
}

/// Judges what was seen.
pub fn judge(snapshot: &Snapshot, thresholds: &Thresholds) -> Verdict {
    let topology = &snapshot.topology;
    let mut verdict = Verdict {
        state: State::Ok,
        problems: Vec::new(),
        summary: pools::summary(topology),
        figures: Vec::new(),
        beside: Vec::new(),
    };
    for pool in &topology.pools {
        pools::judge(snapshot, pool, thresholds, &mut verdict);
    }
    for finding in &snapshot.findings {
        verdict.add_finding(finding);
    }
    verdict.add_unseen(snapshot);
    verdict.problems.sort_by_key(|problem| std::cmp::Reverse(problem.state));
    verdict.state = verdict.problems.first().map_or(State::Ok, |problem| problem.state);
    verdict
}

impl Verdict {
    /// Nothing is known, for this reason.
    pub fn unknown(why: &str) -> Self {
        let problem = Problem::new(State::Unknown, why.to_owned());
        let (summary, figures, beside) = (Summary::default(), Vec::new(), Vec::new());
        Self { state: State::Unknown, problems: vec![problem], summary, figures, beside }
    }

    /// The state.
    pub const fn state(&self) -> State {
        self.state
    }

    fn add_finding(&mut self, finding: &Finding) {
        let state = match finding.severity {
            _ if DECIDED_BY_RANGES.contains(&finding.code) => return,
            Severity::Critical => State::Critical,
            Severity::Warning => State::Warning,
            Severity::Advice => {
                self.beside.push(format!("advice: {}: {}", finding.code, finding.summary));
                return;
            }
        };
        self.problems.push(Problem {
            state,
            subject: Some(finding.subject.to_string()),
            short: finding.code.to_owned(),
            long: Some(finding.summary.clone()),
            evidence: finding.evidence.clone(),
        });
    }

    /// A source that gave no answer may hide anything. Other gaps are of things that this does not
    /// judge: what they hide of a pool is told pool by pool.
    fn add_unseen(&mut self, snapshot: &Snapshot) {
        if snapshot.topology.pools.is_empty() {
            self.problems.push(Problem::new(State::Unknown, "no thin pool was seen".to_owned()));
        }
        for source in snapshot.sources.iter().filter(|source| source.silent || source.failed) {
            // a gap that is a problem of its own says why
            let is_told =
                snapshot.gaps.iter().any(|gap| gap.source == *source.source && hides_state(gap));
            if matches!(source.source, "host" | "dm" | "block") && !is_told {
                let short = format!("{} gives no answer", source.source);
                self.problems.push(Problem::new(State::Unknown, short));
            }
        }
        for gap in snapshot.gaps.iter().filter(|gap| hides_state(gap)) {
            let mut problem = Problem::new(State::Unknown, format!("{} is not known", gap.source));
            problem.long = Some(gap.why.to_string());
            self.problems.push(problem);
        }
        let gaps = snapshot.gaps.iter().filter(|gap| !hides_state(gap));
        self.beside.extend(gaps.map(|gap| format!("not seen: {}: {}", gap.source, gap.why)));
    }

    /// Prints the line, and from the second `-v` on more lines. What a pipe or a newline would
    /// cut off is replaced.
    pub fn write(&self, out: &mut dyn Write, verbosity: u8) -> io::Result<()> {
        let text = one_line(&self.text(verbosity));
        write!(out, "{SERVICE} {}: {text}", self.state.name())?;
        for (nth, figure) in self.figures.iter().enumerate() {
            write!(out, "{}{figure}", if nth == 0 { " | " } else { " " })?;
        }
        writeln!(out)?;
        if verbosity < 2 {
            return Ok(());
        }
        for problem in &self.problems {
            let long = problem.long.clone().unwrap_or_else(|| problem.named(str::to_owned));
            writeln!(out, "{}: {}", problem.state.name(), one_line(&long))?;
            if verbosity > 2 {
                problem
                    .evidence
                    .iter()
                    .try_for_each(|line| writeln!(out, "  {}", one_line(line)))?;
            }
        }
        self.beside.iter().try_for_each(|line| writeln!(out, "{}", one_line(line)))
    }

    /// What is wrong before how full it is; unless more is asked for, as much of it as fits. How
    /// full it is goes first: the figures behind say it again.
    fn text(&self, verbosity: u8) -> String {
        if verbosity > 0 {
            let long = |problem: &Problem| {
                problem.long.clone().unwrap_or_else(|| problem.named(str::to_owned))
            };
            let summary = self.summary.words(&[]);
            return joined(self.problems.iter().map(long).chain([summary]));
        }
        let room = WIDTH.saturating_sub(SERVICE.len() + self.state.name().len() + 3);
        let forms = (1..=NAMED).rev().flat_map(|named| [(named, true), (named, false)]);
        let mut texts = forms.map(|(named, summary)| self.brief(named, summary));
        texts.find(|text| text.chars().count() <= room).unwrap_or_else(|| self.brief(1, false))
    }

    /// The gravest, the number of the others, and how full it is.
    fn brief(&self, named: usize, summary: bool) -> String {
        let (named, others) = self.problems.split_at(named.min(self.problems.len()));
        let mut words: Vec<String> = Vec::new();
        let mut last = None;
        for problem in named {
            let again = problem.subject.is_some() && problem.subject.as_deref() == last;
            words.push(if again { problem.short.clone() } else { problem.named(short_name) });
            last = problem.subject.as_deref();
        }
        if !others.is_empty() {
            words.push(format!("{} more", others.len()));
        }
        if summary || named.is_empty() {
            words.push(self.summary.words(named));
        }
        joined(words)
    }
}

fn joined(words: impl IntoIterator<Item = String>) -> String {
    let words: Vec<String> = words.into_iter().filter(|words| !words.is_empty()).collect();
    words.join(", ")
}

/// A name with its middle left out where it is long: what tells pools and paths apart stands at
/// their ends.
fn short_name(name: &str) -> String {
    let count = name.chars().count();
    if count <= NAME {
        return name.to_owned();
    }
    let (head, tail) = (NAME / 2 - 2, NAME / 2 - 1);
    let end = name.chars().skip(count - tail);
    name.chars().take(head).chain("...".chars()).chain(end).collect()
}

/// Whether what was not seen may be a pool, or how one is. What LVM warns of beside its report
/// hides nothing.
fn hides_state(gap: &Gap) -> bool {
    gap.source == "dm" || (gap.source == "lvm" && !gap.why.as_str().starts_with("LVM says:"))
}

/// A pipe begins performance data, and a newline the long text.
fn one_line(text: &str) -> String {
    text.replace('|', "/").replace('\n', " ")
}
