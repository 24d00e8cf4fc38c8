//! The view of findings: what is wrong, gravest first, then what could not be seen.

use ratatui::layout::Rect;

use super::pen::{Pen, on};
use super::table::{draw_wall, select, severity_sign};
use crate::tui::app::{App, FindingRow};
use crate::tui::areas::Areas;
use crate::tui::describe::severity_word;

/// Columns of the severity.
const WORD: u16 = 9;
/// Columns of the code.
const CODE: u16 = 26;

/// The list.
pub(super) fn draw(pen: &mut Pen<'_>, app: &App, areas: &Areas) {
    let rows = app.finding_rows();
    draw_heads(pen, app, areas.head);
    if rows.is_empty() {
        let text = "nothing is wrong as far as was seen, and nothing is left unseen";
        pen.text(
            on(areas.body.x + 3, areas.body.y, areas.body.width.saturating_sub(3)),
            text,
            pen.theme.good,
        );
    }
    let visible = rows.iter().enumerate().skip(app.findings.offset);
    for (y, (at, row)) in (areas.body.top()..areas.body.bottom()).zip(visible) {
        let line = Rect { y, height: 1, ..areas.body };
        if at == app.findings.cursor {
            pen.raw(on(line.x, y, 1), ">", pen.theme.strong);
        }
        draw_finding(pen, *row, line);
        if at == app.findings.cursor {
            select(pen, app, line);
        }
    }
    if let Some(wall) = areas.wall {
        draw_wall(pen, app, wall, areas.body);
    }
}

fn draw_heads(pen: &mut Pen<'_>, app: &App, head: Rect) {
    let style = pen.theme.head;
    let title = match &app.findings.only {
        Some(_) => "FINDINGS OF THIS DEVICE (esc: back, 4: all)",
        None => "FINDINGS, AND WHAT COULD NOT BE SEEN",
    };
    pen.text(on(head.x + 3, head.y, head.width.saturating_sub(3)), title, style);
}

/// A finding or a gap in a line.
pub(super) fn draw_finding(pen: &mut Pen<'_>, row: FindingRow<'_>, line: Rect) {
    let (sign, word, code, text, style) = match row {
        FindingRow::Finding(finding) => (
            severity_sign(finding.severity),
            severity_word(finding.severity),
            finding.code,
            finding.summary.clone(),
            pen.theme.severity(finding.severity),
        ),
        FindingRow::Gap(gap) => {
            ("?", "not seen", gap.source.as_str(), gap.why.to_string(), pen.theme.dim)
        }
    };
    let (x, y) = (line.x, line.y);
    pen.raw(on(x + 1, y, 1), sign, style);
    pen.text(on(x + 3, y, WORD - 1), word, style);
    // the sentence says more than the code, which stands in the details too
    let code_width = if line.width >= 90 { CODE } else { 0 };
    if code_width > 0 {
        pen.text(on(x + 3 + WORD, y, CODE - 2), code, pen.theme.plain);
    }
    let at = x + 3 + WORD + code_width;
    let text = if code_width == 0 && matches!(row, FindingRow::Gap(_)) {
        format!("{code}: {text}")
    } else {
        text
    };
    pen.text(on(at, y, line.right().saturating_sub(at)), &text, pen.theme.plain);
}
