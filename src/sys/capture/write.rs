//! Writes a recording.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Header, Line, write_answer};
use crate::sys::{Answer, Question, Source};

/// How much text is collected before it is packed.
const CHUNK: usize = 256 << 10;

/// A recording being written. Sources must come in the order of [`Source::ALL`]; without
/// [`Writer::finish`] the file counts as cut.
pub struct Writer<W: Write> {
    out: GzEncoder<W>,
    text: Vec<u8>,
    records: u64,
}

impl<W: Write> Writer<W> {
    /// Begins with the header.
    pub fn new(out: W, header: &Header) -> io::Result<Self> {
        let mut text = serde_json::to_vec(header)?;
        text.push(b'\n');
        Ok(Self { out: GzEncoder::new(out, Compression::default()), text, records: 0 })
    }

    /// Adds one answer.
    pub fn answer(
        &mut self,
        source: Source,
        question: &Question,
        answer: &Answer,
    ) -> io::Result<()> {
        write_answer(source, question, answer, &mut self.text);
        self.records += 1;
        self.flush_full()
    }

    /// Adds a line that is no answer, or an answer that is already a [`Line`].
    pub fn line(&mut self, line: &Line) -> io::Result<()> {
        if matches!(line, Line::Answered { .. }) {
            self.records += 1;
        }
        line.write(&mut self.text);
        self.flush_full()
    }

    /// Adds the last line and hands back what was written to.
    pub fn finish(mut self) -> io::Result<W> {
        let end = Line::End { records: self.records };
        end.write(&mut self.text);
        self.out.write_all(&self.text)?;
        self.out.finish()
    }

    fn flush_full(&mut self) -> io::Result<()> {
        if self.text.len() >= CHUNK {
            self.out.write_all(&self.text)?;
            self.text.clear();
        }
        Ok(())
    }
}
