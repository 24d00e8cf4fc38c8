//! Asks one question and takes the one shape of reply that fits it. Knows no source.

use crate::model::Gap;
use crate::sys::{FailKind, Failure, HostPath, Keep, Question, Raw, ReadHost, Reply};

/// How many gaps of one sort are told one by one before the rest is counted.
const TOLD: usize = 5;

/// The reply to a question, or why there is none.
pub(crate) fn reply(host: &dyn ReadHost, question: &Question) -> Result<Reply, Failure> {
    host.ask(question).result
}

/// The bytes that answer a question.
pub(crate) fn bytes(host: &dyn ReadHost, question: &Question) -> Result<Raw, Failure> {
    match reply(host, question)? {
        Reply::Bytes(raw) => Ok(raw),
        other => Err(misfit(&other)),
    }
}

/// A small file without secrets, wherever its symbolic links lead.
pub(crate) fn file(host: &dyn ReadHost, path: &str) -> Result<Raw, Failure> {
    let path = HostPath::new(path);
    bytes(host, &Question::File { path, keep: Keep::All, within: None })
}

/// A reply that does not fit its question: only a recording that was tampered with has one.
pub(crate) fn misfit(reply: &Reply) -> Failure {
    let text = format!("{reply:?}");
    let shape = text.split(['(', '{', ' ']).next().unwrap_or_default();
    Failure {
        kind: FailKind::Malformed,
        why: format!("the answer is of another kind than the question: {shape}"),
    }
}

/// Gaps of one sort: the first few one by one, the rest as a number.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    told: Vec<Gap>,
    more: usize,
}

impl Counted {
    /// Adds one; its text is only made when it will be told.
    pub(crate) fn add(&mut self, gap: impl FnOnce() -> Gap) {
        if self.told.len() < TOLD {
            self.told.push(gap());
        } else {
            self.more = self.more.saturating_add(1);
        }
    }

    /// All of them; `what` names what there are more of.
    pub(crate) fn into_gaps(self, source: &str, what: &str) -> Vec<Gap> {
        let mut gaps = self.told;
        if self.more > 0 {
            gaps.push(Gap::new(source, format!("and {} more {what}", self.more)));
        }
        gaps
    }
}
