//! `watch`: one line an event, as text or as JSON.

use std::io::{self, Write};

use serde::Serialize;

use crate::format::date;
use crate::model::{Event, Severity};
use crate::text::Printable;

/// The format of the JSON lines.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Line<'a> {
    format: u32,
    time: String,
    kind: &'static str,
    subject: &'a Printable,
    text: &'a Printable,
    severity: Option<Severity>,
    node: Option<String>,
}

/// One event as a JSON object on one line.
pub fn write_json(out: &mut dyn Write, event: &Event) -> io::Result<()> {
    let line = Line {
        format: FORMAT,
        time: date::rfc3339(event.time_ms),
        kind: event.kind.name(),
        subject: &event.subject,
        text: &event.text,
        severity: event.severity,
        node: event.node.as_ref().map(ToString::to_string),
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

/// One event as a line for people.
pub fn write_text(out: &mut dyn Write, event: &Event) -> io::Result<()> {
    let time = date::rfc3339(event.time_ms);
    writeln!(out, "{time}  {:<12}  {}: {}", event.kind.name(), event.subject, event.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EventKind;

    fn event() -> Event {
        Event {
            time_ms: 1_795_255_200_042,
            kind: EventKind::Finding,
            subject: "docker-thinpool".into(),
            text: "pool-data-near-full: \"80%\"\n\u{1b}[2J".into(),
            node: None,
            severity: Some(Severity::Warning),
        }
    }

    #[test]
    fn a_line_of_json_is_one_line_with_its_keys() {
        let mut out = Vec::new();
        write_json(&mut out, &event()).expect("a vector takes everything");
        let text = String::from_utf8(out).expect("it is text");
        assert_eq!(text.matches('\n').count(), 1);
        let line: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!(line["format"], 1);
        assert_eq!(line["time"], "2026-11-21T10:00:00.042Z");
        assert_eq!(line["kind"], "finding");
        assert_eq!(line["subject"], "docker-thinpool");
        assert_eq!(line["text"], "pool-data-near-full: \"80%\"\\x0a\\x1b[2J");
        assert_eq!(line["severity"], "warning");
        assert!(line["node"].is_null());
    }

    #[test]
    fn a_line_of_text_is_one_line() {
        let mut out = Vec::new();
        write_text(&mut out, &event()).expect("a vector takes everything");
        let text = String::from_utf8(out).expect("it is text");
        assert_eq!(
            text,
            "2026-11-21T10:00:00.042Z  finding       docker-thinpool: pool-data-near-full: \
             \"80%\"\\x0a\\x1b[2J\n"
        );
    }
}
