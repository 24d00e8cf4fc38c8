//! The view of events: what happened since the screen was opened, the newest first.

use ratatui::layout::Rect;

use super::pen::{Pen, on};
use super::table::{draw_wall, select};
use crate::format::date;
use crate::model::{Event, EventKind};
use crate::tui::app::App;
use crate::tui::areas::Areas;

/// Columns of a time of day.
const TIME: u16 = 10;
/// Columns of the kind.
const KIND: u16 = 14;

/// The list.
pub(super) fn draw(pen: &mut Pen<'_>, app: &App, areas: &Areas) {
    draw_head(pen, app, areas.head);
    if app.events.len() == 0 {
        let text = if app.events.is_filtered() {
            "nothing of what happened matches the filter (esc clears it)"
        } else {
            "nothing has happened yet"
        };
        let at = on(areas.body.x + 3, areas.body.y, areas.body.width.saturating_sub(3));
        pen.text(at, text, pen.theme.dim);
    }
    let visible = app.events.rows().enumerate().skip(app.events.offset);
    for (y, (at, event)) in (areas.body.top()..areas.body.bottom()).zip(visible) {
        let line = Rect { y, height: 1, ..areas.body };
        if at == app.events.cursor {
            pen.raw(on(line.x, y, 1), ">", pen.theme.strong);
        }
        draw_event(pen, event, line);
        if at == app.events.cursor {
            select(pen, app, line);
        }
    }
    if let Some(wall) = areas.wall {
        draw_wall(pen, app, wall, areas.body);
    }
}

fn draw_head(pen: &mut Pen<'_>, app: &App, head: Rect) {
    let dropped = match app.events.timeline.dropped() {
        0 => String::new(),
        dropped => format!(", {dropped} older ones dropped"),
    };
    let title = format!("EVENTS, THE NEWEST FIRST, TIMES IN UTC{dropped}");
    pen.text(on(head.x + 3, head.y, head.width.saturating_sub(3)), &title, pen.theme.head);
}

fn draw_event(pen: &mut Pen<'_>, event: &Event, line: Rect) {
    let (x, y) = (line.x, line.y);
    let moment = date::rfc3339(event.time_ms);
    let style = match (event.severity, event.kind) {
        (Some(severity), _) => pen.theme.severity(severity),
        (None, EventKind::Mode | EventKind::Suspend | EventKind::LowWater) => pen.theme.warning,
        (None, EventKind::FindingGone | EventKind::GapGone) => pen.theme.good,
        (None, _) => pen.theme.plain,
    };
    pen.text(on(x + 2, y, TIME - 2), moment.get(11..19).unwrap_or(""), pen.theme.dim);
    pen.text(on(x + 2 + TIME, y, KIND - 1), event.kind.name(), style);
    let at = x + 2 + TIME + KIND;
    let text = format!("{}: {}", event.subject, event.text);
    pen.text(on(at, y, line.right().saturating_sub(at)), &text, pen.theme.plain);
}
