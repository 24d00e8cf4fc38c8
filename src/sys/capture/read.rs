//! Reads a recording source by source, whatever the file turns out to be.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;
use serde::Deserialize;

use super::{CaptureError, FORMAT, Header, LONGEST, LONGEST_LINE, Line, Recording, parse_line};
use crate::sys::Source;

/// Longest header line.
const LONGEST_HEADER: usize = 1 << 20;
/// Lines that are no records are passed over as long as there are few.
const MOST_BAD_LINES: u32 = 100;

/// A recording being read: an iterator over its sources. After the last one,
/// [`Reader::damage`] says whether that was all of it.
pub struct Reader<'a> {
    lines: Lines<'a>,
    next: Option<Line>,
    records: u64,
    bad_lines: u32,
    state: State,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Reading,
    Whole,
    Damaged(String),
}

impl<'a> Reader<'a> {
    /// Reads the header. What is not packed is read as it is.
    pub fn open(file: impl Read + Send + 'a) -> Result<(Header, Self), CaptureError> {
        let mut file = BufReader::with_capacity(64 << 10, file);
        let start = file.fill_buf()?;
        let text: Box<dyn Read + Send + 'a> = match start.first() {
            Some(0x1f) => Box::new(GzDecoder::new(file)),
            Some(b'{') => Box::new(file),
            Some(_) => return Err(not_a_capture("it begins with neither gzip nor JSON")),
            None => return Err(not_a_capture("it is empty")),
        };
        let mut lines = Lines::new(text);
        let header = read_header(&mut lines)?;
        let reader = Self { lines, next: None, records: 0, bad_lines: 0, state: State::Reading };
        Ok((header, reader))
    }

    /// What is wrong with the file, once it was read to its end: `None` for a whole one.
    pub fn damage(&self) -> Option<String> {
        match (&self.state, self.bad_lines) {
            (State::Damaged(why), _) => Some(why.clone()),
            (_, 0) => None,
            (_, bad) => Some(format!("{bad} of its lines are no records and were passed over")),
        }
    }

    /// The next line; `None` at the end, whole or not.
    fn line(&mut self) -> Option<Line> {
        if let Some(line) = self.next.take() {
            return Some(line);
        }
        while self.state == State::Reading {
            match self.lines.next(LONGEST_LINE) {
                Ok(Some(text)) => match parse_line(text) {
                    Ok(Line::End { records }) => self.end(records),
                    Ok(line) if !line.is_kept() => {}
                    Ok(line) => return Some(line),
                    Err(_) => self.bad_line(),
                },
                Ok(None) => self.cut("it ends in the middle"),
                Err(error) => self.cut(&format!("it cannot be read on: {error}")),
            }
        }
        None
    }

    fn end(&mut self, records: u64) {
        // to the very end, where gzip keeps its checksum
        match self.lines.next(LONGEST_LINE) {
            Ok(None) if records == self.records + u64::from(self.bad_lines) => {
                self.state = State::Whole;
            }
            Ok(None) => self.cut(&format!("it should hold {records} answers")),
            Ok(Some(_)) => self.cut("it goes on behind its end"),
            Err(error) => self.cut(&format!("its end cannot be read: {error}")),
        }
    }

    fn bad_line(&mut self) {
        self.bad_lines += 1;
        if self.bad_lines > MOST_BAD_LINES {
            self.cut("its lines are no records");
        }
    }

    fn cut(&mut self, why: &str) {
        let records = self.records;
        self.state =
            State::Damaged(format!("the recording is damaged: {why}, after {records} answers"));
    }
}

impl Iterator for Reader<'_> {
    type Item = Recording;

    fn next(&mut self) -> Option<Recording> {
        let mut recording = Recording::new(match self.line()? {
            line @ (Line::Answered { source, .. } | Line::BrokenOff { source, .. }) => {
                self.next = Some(line);
                source
            }
            // `line` hands out no others
            _ => return None,
        });
        while let Some(line) = self.line() {
            match line {
                Line::Answered { source, question, answer } if source == recording.source() => {
                    self.records += 1;
                    recording.push(question, answer);
                }
                Line::BrokenOff { source, why } if source == recording.source() => {
                    recording.break_off(why);
                }
                other => {
                    self.hold(other, recording.source());
                    break;
                }
            }
        }
        if let State::Damaged(why) = &self.state {
            recording.break_off(why.clone());
        }
        Some(recording)
    }
}

impl Reader<'_> {
    /// Keeps the first line of the next source; sources come in one order only, so that none
    /// comes twice.
    fn hold(&mut self, line: Line, last: Source) {
        match &line {
            Line::Answered { source, .. } | Line::BrokenOff { source, .. } if *source > last => {
                self.next = Some(line);
            }
            _ => self.cut("its sources are out of order"),
        }
    }
}

fn not_a_capture(why: &str) -> CaptureError {
    CaptureError::NotACapture(why.to_owned())
}

fn read_header(lines: &mut Lines<'_>) -> Result<Header, CaptureError> {
    #[derive(Deserialize)]
    struct Mark {
        thinscope_capture: u64,
        #[serde(default)]
        version: String,
    }
    let text = match lines.next(LONGEST_HEADER) {
        Ok(Some(text)) => text,
        Ok(None) => return Err(not_a_capture("it ends before its first line does")),
        Err(error) => return Err(not_a_capture(&error.to_string())),
    };
    let mark: Mark = serde_json::from_slice(text)
        .map_err(|_| not_a_capture("its first line does not say that it is one"))?;
    if mark.thinscope_capture != FORMAT {
        let version = crate::text::Printable::from_text(&mark.version).to_string();
        return Err(CaptureError::OtherFormat { found: mark.thinscope_capture, version });
    }
    serde_json::from_slice(text).map_err(|error| not_a_capture(&error.to_string()))
}

/// Whole lines that begin with `{`, out of a stream that may never hold one.
struct Lines<'a> {
    text: BufReader<Box<dyn Read + Send + 'a>>,
    line: Vec<u8>,
    left: u64,
}

impl<'a> Lines<'a> {
    fn new(text: Box<dyn Read + Send + 'a>) -> Self {
        Self { text: BufReader::with_capacity(64 << 10, text), line: Vec::new(), left: LONGEST }
    }

    /// The next line without its newline, `None` at the end; a last line without newline was cut
    /// and is none.
    fn next(&mut self, longest: usize) -> io::Result<Option<&[u8]>> {
        self.line.clear();
        // garbage, and a bomb of zeros, is known at its first byte
        match self.text.fill_buf()?.first() {
            Some(b'{') => {}
            Some(_) => return Err(io::Error::other("a line is no JSON object")),
            None => return Ok(None),
        }
        let limit = u64::try_from(longest).unwrap_or(u64::MAX).min(self.left);
        let used = self.text.by_ref().take(limit).read_until(b'\n', &mut self.line)?;
        let used = u64::try_from(used).unwrap_or(u64::MAX);
        self.left = self.left.saturating_sub(used);
        if self.line.pop_if(|byte| *byte == b'\n').is_some() {
            Ok(Some(&self.line))
        } else if used == limit {
            Err(io::Error::other("it is longer than any recording"))
        } else {
            Ok(None)
        }
    }
}
