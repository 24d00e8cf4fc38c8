//! `findings`: what is wrong, with the lines that show it and what to do.

use std::io::{self, Write};

use super::style::{Paint, Painted, Style};
use crate::model::{Finding, Severity, Snapshot};
use crate::text::Printable;

/// Prints all findings, gravest first.
pub fn write_findings(out: &mut dyn Write, snapshot: &Snapshot, style: Style) -> io::Result<()> {
    for (nth, finding) in snapshot.findings.iter().enumerate() {
        if nth > 0 {
            writeln!(out)?;
        }
        write_finding(out, finding, style)?;
    }
    if snapshot.findings.is_empty() {
        let rest = match snapshot.gaps.len() {
            0 => "",
            1 => ", but one part could not be seen",
            _ => ", but some parts could not be seen",
        };
        writeln!(out, "Nothing wrong was found{rest}.")?;
    }
    Ok(())
}

fn write_finding(out: &mut dyn Write, finding: &Finding, style: Style) -> io::Result<()> {
    let (word, paint) = match finding.severity {
        Severity::Critical => ("CRITICAL", Paint::Bad),
        Severity::Warning => ("WARNING", Paint::Warning),
        Severity::Advice => ("ADVICE", Paint::Bold),
    };
    let subject = style.fit(finding.subject.to_string());
    writeln!(out, "{} {}  {subject}", Painted(style, paint, word), finding.code)?;
    writeln!(out, "  {}", line(&finding.summary, style))?;
    for seen in &finding.evidence {
        writeln!(out, "  seen: {}", line(seen, style))?;
    }
    writeln!(out, "  do: {}", line(&finding.remedy, style))
}

/// Findings are put together from printable parts; this holds it for every rule to come.
fn line(text: &str, style: Style) -> String {
    style.fit(Printable::from_text(text).to_string())
}
