//! One line of a recording, or of a probe child's output.

use serde::{Deserialize, Serialize};

use super::LONGEST_LINE;
use crate::sys::{Answer, FailKind, Question, Source};

/// A line after the header.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// A question and its answer.
    Answered {
        /// The source it belongs to.
        source: Source,
        /// What was asked.
        question: Question,
        /// What was answered.
        answer: Answer,
    },
    /// A source was given up at this point.
    BrokenOff {
        /// The source.
        source: Source,
        /// Why, in words.
        why: String,
    },
    /// A probe child waits for an answer. Never in a file.
    Asking(Question),
    /// What a probe child says of a host it was only asked for signs of change of: equal to the
    /// last time when nothing changed. Never in a file.
    Sign(u64),
    /// What a probe child made of what it read, as JSON of the one who asked. Never in a file.
    Facts(String),
    /// How far a probe child has come. Never in a file.
    Progress {
        /// Parts done.
        done: u64,
        /// Of so many.
        of: u64,
    },
    /// The last line.
    End {
        /// How many answers there are.
        records: u64,
    },
}

/// All keys that a line can have; which of them it has says what it is.
#[derive(Default, Serialize, Deserialize)]
struct Form {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    #[serde(skip_serializing_if = "Option::is_none")]
    question: Option<Question>,
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<Answer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_off: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asking: Option<Question>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sign: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<[u64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<End>,
}

#[derive(Serialize, Deserialize)]
struct End {
    records: u64,
}

/// Reads one line, with or without its newline.
pub fn parse_line(text: &[u8]) -> Result<Line, serde_json::Error> {
    let form: Form = serde_json::from_slice(text)?;
    match form {
        Form { source: Some(source), question: Some(question), answer: Some(answer), .. } => {
            Ok(Line::Answered { source, question, answer })
        }
        Form { source: Some(source), broken_off: Some(why), .. } => {
            Ok(Line::BrokenOff { source, why })
        }
        Form { asking: Some(question), .. } => Ok(Line::Asking(question)),
        Form { sign: Some(sign), .. } => Ok(Line::Sign(sign)),
        Form { facts: Some(facts), .. } => Ok(Line::Facts(facts)),
        Form { progress: Some([done, of]), .. } => Ok(Line::Progress { done, of }),
        Form { end: Some(End { records }), .. } => Ok(Line::End { records }),
        _ => Err(serde::de::Error::custom("the line is no record")),
    }
}

impl Line {
    /// Whether it belongs into a file; the others are only for whoever started a probe child.
    pub(super) const fn is_kept(&self) -> bool {
        matches!(self, Self::Answered { .. } | Self::BrokenOff { .. } | Self::End { .. })
    }

    /// Appends the line with its newline.
    pub fn write(&self, out: &mut Vec<u8>) {
        let form = match self {
            Self::Answered { source, question, answer } => {
                write_answer(*source, question, answer, out);
                return;
            }
            Self::BrokenOff { source, why } => {
                Form { source: Some(*source), broken_off: Some(why.clone()), ..Default::default() }
            }
            Self::Asking(question) => Form { asking: Some(question.clone()), ..Default::default() },
            Self::Sign(sign) => Form { sign: Some(*sign), ..Default::default() },
            Self::Facts(facts) => Form { facts: Some(facts.clone()), ..Default::default() },
            Self::Progress { done, of } => {
                Form { progress: Some([*done, *of]), ..Default::default() }
            }
            Self::End { records } => {
                Form { end: Some(End { records: *records }), ..Default::default() }
            }
        };
        push_json(&form, out);
    }
}

/// Appends the line of one answer without copying it first. One that is longer than any reader
/// takes is written as a failure that says so.
pub fn write_answer(source: Source, question: &Question, answer: &Answer, out: &mut Vec<u8>) {
    #[derive(Serialize)]
    struct Answered<'a> {
        source: Source,
        question: &'a Question,
        answer: &'a Answer,
    }
    let before = out.len();
    push_json(&Answered { source, question, answer }, out);
    if out.len() - before > LONGEST_LINE {
        out.truncate(before);
        let why = format!("{}: the answer is too long for a recording", question.describe());
        let answer = &Answer::failed(FailKind::TooLarge, why);
        push_json(&Answered { source, question, answer }, out);
    }
}

fn push_json(value: &impl Serialize, out: &mut Vec<u8>) {
    let before = out.len();
    // our own types have text keys only and a vector takes every byte: this cannot fail
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.truncate(before);
        return;
    }
    out.push(b'\n');
}
