//! The recorded answers of one source, which can be asked like a host.

use std::cell::Cell;
use std::collections::HashMap;

use crate::sys::{Answer, FailKind, Question, ReadHost, Source};

/// One source's answers. A question that was asked several times is answered in the same order,
/// and goes on with the last answer.
#[derive(Debug)]
pub struct Recording {
    source: Source,
    said: HashMap<Question, Said>,
    broken_off: Option<String>,
    unanswered: Cell<u32>,
}

#[derive(Debug)]
struct Said {
    answers: Vec<Answer>,
    next: Cell<usize>,
}

impl Recording {
    /// Of a source, still empty.
    pub fn new(source: Source) -> Self {
        Self { source, said: HashMap::new(), broken_off: None, unanswered: Cell::new(0) }
    }

    /// Adds an answer after those that are there.
    pub fn push(&mut self, question: Question, answer: Answer) {
        let said = self
            .said
            .entry(question)
            .or_insert_with(|| Said { answers: Vec::with_capacity(1), next: Cell::new(0) });
        said.answers.push(answer);
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

    /// How many questions of this source were asked of the recording and are not in it.
    pub fn unanswered(&self) -> u32 {
        self.unanswered.get()
    }

    /// Whether it has an answer to this.
    pub fn has(&self, question: &Question) -> bool {
        self.said.contains_key(question)
    }

    /// How many answers it holds.
    pub fn len(&self) -> usize {
        self.said.values().map(|said| said.answers.len()).sum()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.said.is_empty()
    }

    fn absent(&self, question: &Question) -> Answer {
        if question.belongs_to(self.source) {
            self.unanswered.set(self.unanswered.get().saturating_add(1));
        }
        let why = match &self.broken_off {
            Some(why) => format!("not seen: {why}"),
            None => format!("{}: not in the recording", question.describe()),
        };
        Answer::failed(FailKind::NotRecorded, why)
    }
}

impl ReadHost for Recording {
    fn ask(&self, question: &Question) -> Answer {
        let Some(said) = self.said.get(question) else { return self.absent(question) };
        let at = said.next.get();
        if at + 1 < said.answers.len() {
            said.next.set(at + 1);
        }
        said.answers.get(at).cloned().unwrap_or_else(|| self.absent(question))
    }
}
