//! The recorded answers of one source, which can be asked like a host.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Line, Writer};
use crate::command::Tool;
use crate::sys::{Answer, FailKind, Question, ReadHost, Source};

/// One source's answers, in the order in which they came. A question that was asked several times
/// is answered in the same order, and goes on with the last answer.
#[derive(Debug)]
pub struct Recording {
    source: Source,
    entries: Vec<Entry>,
    /// First and last entry of those whose questions hash the same.
    chains: HashMap<u64, (usize, usize)>,
    hasher: RandomState,
    broken_off: Option<String>,
}

#[derive(Debug)]
struct Entry {
    question: Question,
    answer: Answer,
    /// The next one whose question hashes the same.
    next: Option<usize>,
    /// It has been given as an answer.
    given: AtomicBool,
}

impl Recording {
    /// Of a source, still empty.
    pub fn new(source: Source) -> Self {
        Self {
            source,
            entries: Vec::new(),
            chains: HashMap::new(),
            hasher: RandomState::new(),
            broken_off: None,
        }
    }

    /// Adds an answer after those that are there.
    pub fn push(&mut self, question: Question, answer: Answer) {
        let at = self.entries.len();
        let chain = self.chains.entry(self.hasher.hash_one(&question)).or_insert((at, at));
        if let Some(last) = self.entries.get_mut(chain.1) {
            last.next = Some(at);
        }
        chain.1 = at;
        self.entries.push(Entry { question, answer, next: None, given: AtomicBool::new(false) });
    }

    /// Adds the answers of a second look.
    pub fn append(&mut self, other: Self) {
        for entry in other.entries {
            self.push(entry.question, entry.answer);
        }
        if let Some(why) = other.broken_off {
            self.break_off(why);
        }
    }

    /// The source was given up; the first reason stays.
    pub fn break_off(&mut self, why: impl Into<String>) {
        self.broken_off.get_or_insert_with(|| why.into());
    }

    /// Whose answers these are.
    pub const fn source(&self) -> Source {
        self.source
    }

    /// Why the rest of the source is missing, where it is.
    pub fn broken_off(&self) -> Option<&str> {
        self.broken_off.as_deref()
    }

    /// All questions with their answers, in order.
    pub fn answers(&self) -> impl Iterator<Item = (&Question, &Answer)> {
        self.entries.iter().map(|entry| (&entry.question, &entry.answer))
    }

    /// Whether it has an answer to this.
    pub fn has(&self, question: &Question) -> bool {
        self.same(question).next().is_some()
    }

    /// How many answers it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds all of it to a file.
    pub fn write(&self, writer: &mut Writer<impl Write>) -> io::Result<()> {
        for (question, answer) in self.answers() {
            writer.answer(self.source, question, answer)?;
        }
        match &self.broken_off {
            Some(why) => writer.line(&Line::BrokenOff { source: self.source, why: why.clone() }),
            None => Ok(()),
        }
    }

    /// The entries of one question.
    fn same(&self, question: &Question) -> impl Iterator<Item = &Entry> {
        let chain = self.chains.get(&self.hasher.hash_one(question));
        let first = chain.and_then(|(first, _)| self.entries.get(*first));
        let next = |entry: &&Entry| self.entries.get(entry.next?);
        std::iter::successors(first, next).filter(move |entry| entry.question == *question)
    }

    /// What the same command of the same tool printed, called with other words: another version
    /// asks for other fields, and whoever reads reports reads those that are there.
    fn of_another_version(&self, question: &Question) -> impl Iterator<Item = &Entry> {
        let wanted = call_of(question);
        self.entries
            .iter()
            .filter(move |entry| wanted.is_some() && call_of(&entry.question) == wanted)
    }

    fn absent(&self, question: &Question) -> Answer {
        let why = match &self.broken_off {
            Some(why) => format!("not seen: {why}"),
            None => format!("{}: not in the recording", question.describe()),
        };
        Answer::failed(FailKind::NotRecorded, why)
    }
}

impl ReadHost for Recording {
    fn ask(&self, question: &Question) -> Answer {
        let found = given_next(self.same(question));
        let found = found.or_else(|| given_next(self.of_another_version(question)));
        found.map_or_else(|| self.absent(question), |entry| entry.answer.clone())
    }
}

/// Tool and command of a call, and whether it takes locks.
fn call_of(question: &Question) -> Option<(Tool, Option<&str>, bool)> {
    let Question::Run(call) = question else { return None };
    let locking = !call.args.iter().any(|word| word == "--nolocking");
    Some((call.tool, call.args.first().map(String::as_str), locking))
}

/// The first that has not been given yet, else the last.
fn given_next<'a>(entries: impl Iterator<Item = &'a Entry>) -> Option<&'a Entry> {
    let mut last = None;
    for entry in entries {
        last = Some(entry);
        if !entry.given.swap(true, Ordering::Relaxed) {
            break;
        }
    }
    last
}
