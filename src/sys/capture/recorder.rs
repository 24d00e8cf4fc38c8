//! Notes down what a host is asked and answers, as it comes.

use std::time::Duration;

use crate::sys::{Answer, Question, ReadHost, Source};

/// Takes notes.
pub trait Sink: Sync {
    /// A question is about to be asked, and may never be answered.
    fn asking(&self, _question: &Question) {}

    /// It was answered.
    fn answered(&self, source: Source, question: &Question, answer: &Answer);
}

/// A host whose answers are noted down as those of one source. What belongs to another source
/// (device-mapper, asked by LVM for its filter) is answered and not noted.
pub struct Recorder<'a> {
    host: &'a dyn ReadHost,
    source: Source,
    sink: &'a dyn Sink,
}

impl<'a> Recorder<'a> {
    /// Notes down into `sink` what `host` answers.
    pub fn new(host: &'a dyn ReadHost, source: Source, sink: &'a dyn Sink) -> Self {
        Self { host, source, sink }
    }
}

impl ReadHost for Recorder<'_> {
    fn wait(&self, time: Duration) {
        self.host.wait(time);
    }

    fn ask(&self, question: &Question) -> Answer {
        self.sink.asking(question);
        let answer = self.host.ask(question);
        if question.belongs_to(self.source) {
            self.sink.answered(self.source, question, &answer);
        }
        answer
    }
}
