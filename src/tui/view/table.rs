//! The table of the tree and layers views. Only the rows that are seen are made into text.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::pen::{Pen, on};
use crate::model::Severity;
use crate::tui::app::{App, Focus, View};
use crate::tui::areas::Areas;
use crate::tui::cell::figure::{Figure, figure};
use crate::tui::cell::name::{Name, name};
use crate::tui::cell::state::{Tone, state};
use crate::tui::cell::{self, Subject};
use crate::tui::columns::{self, Column, Placed};
use crate::tui::filter;
use crate::tui::outline::What;
use crate::tui::rows::{BracketPart, Row};
use crate::tui::width::{certain, columns as width_of, cut_middle};

/// Indentation stops growing here; deeper rows lose their outer guides.
const DEEPEST: u16 = 16;

/// Heads, rows, and the scroll mark in the wall.
pub(super) fn draw(pen: &mut Pen<'_>, app: &App, areas: &Areas) {
    let (id_width, sharing) = (app.seen.id_width, app.seen.sharing);
    let contents = columns::Contents { id_width, exact: app.exact, sharing };
    let placed = columns::place(areas.head.width, contents);
    draw_heads(pen, app, areas.head, &placed);
    let table = app.table();
    let rows = table.rows.list.iter().enumerate().skip(table.offset);
    for (y, (at, row)) in (areas.body.top()..areas.body.bottom()).zip(rows) {
        let line = Rect { y, height: 1, ..areas.body };
        draw_row(pen, app, row, line, &placed);
        if at == table.cursor {
            select(pen, app, line);
        }
    }
    if table.rows.list.is_empty() {
        draw_empty(pen, app, areas.body);
    }
    if let Some(wall) = areas.wall {
        draw_wall(pen, app, wall, areas.body);
    }
}

/// What the selection looks like: by a sign too, for terminals that cannot reverse.
pub(super) fn select(pen: &mut Pen<'_>, app: &App, line: Rect) {
    let here = app.focus == Focus::List && app.overlay.is_none();
    let style = if here { pen.theme.selected } else { pen.theme.selected_elsewhere };
    pen.style(line, style);
}

fn draw_heads(pen: &mut Pen<'_>, app: &App, area: Rect, placed: &[Placed]) {
    let sorting = app.table().sorting;
    for place in placed {
        let style = pen.theme.head;
        let mut title = place.column.title().to_owned();
        if let Some(by) = sorting.filter(|by| by.column == place.column) {
            let sign = if by.descending { pen.glyphs.descending } else { pen.glyphs.ascending };
            // a sign before a right-aligned head stays within its column: "↓SHARED" is one wider
            title = if place.column.is_number() {
                format!("{sign}{title}")
            } else {
                format!("{title}{sign}")
            };
        }
        let x = area.x + place.x;
        if place.column.is_number() {
            let extra = u16::from(width_of(&title) > usize::from(place.width));
            pen.right(on(x - extra, area.y, place.width + extra), &title, style);
        } else {
            pen.text(on(x, area.y, place.width), &title, style);
        }
    }
}

fn draw_empty(pen: &mut Pen<'_>, app: &App, body: Rect) {
    let text = if !app.filter.is_empty() {
        "nothing matches the filter; esc clears it"
    } else if app.seen.loading {
        "reading this host ..."
    } else if app.view == View::Layers {
        "no thin pool was seen on this host"
    } else {
        "no block device was seen on this host"
    };
    pen.text(
        on(body.x + columns::GUTTER, body.y, body.width.saturating_sub(columns::GUTTER)),
        text,
        pen.theme.dim,
    );
}

fn draw_row(pen: &mut Pen<'_>, app: &App, row: &Row, line: Rect, placed: &[Placed]) {
    let table = app.table();
    let Some(entry) = table.outline.entry(row.entry) else { return };
    let subject = Subject::of(&app.seen, &table.outline, entry.what);
    draw_gutter(pen, app, row, &subject, line);
    for place in placed {
        let x = line.x + place.x;
        match place.column {
            Column::Name => {
                let name = name(&app.seen, &table.outline, row.entry, &subject, pen.glyphs);
                draw_name(pen, app, row, (&subject, &name), Rect { x, width: place.width, ..line });
            }
            Column::Kind => {
                let style = if subject.is_pointer() { pen.theme.dim } else { pen.theme.plain };
                pen.text(on(x, line.y, place.width), cell::kind(&subject), style);
            }
            Column::Id => {
                if let Some(id) = subject.thin.and_then(|device| device.id) {
                    pen.right(on(x, line.y, place.width), &id.to_string(), pen.theme.plain);
                }
            }
            Column::State => {
                let (text, tone) = state(&app.seen, &table.outline, &subject);
                pen.text(on(x, line.y, place.width), &text, tone_style(pen, tone));
            }
            column => {
                let figure = figure(&app.seen, &table.outline, &subject, column);
                draw_figure(pen, app, figure, Rect { x, width: place.width, ..line });
            }
        }
        if place.column == Column::Size {
            draw_bracket(pen, row.bracket, x + place.width, line.y);
        }
    }
}

fn draw_figure(pen: &mut Pen<'_>, app: &App, figure: Figure, cell: Rect) {
    let style = if figure.seen().is_some() { pen.theme.plain } else { pen.theme.dim };
    let text = figure.text(app.exact, pen.glyphs);
    pen.right(on(cell.x, cell.y, cell.width), &text, style);
}

fn tone_style(pen: &Pen<'_>, tone: Tone) -> Style {
    match tone {
        Tone::Good => pen.theme.good,
        Tone::Plain => pen.theme.plain,
        Tone::Quiet => pen.theme.dim,
        Tone::Warning => pen.theme.warning,
        Tone::Critical => pen.theme.critical,
    }
}

fn draw_bracket(pen: &mut Pen<'_>, part: BracketPart, x: u16, y: u16) {
    let sign = match part {
        BracketPart::None => return,
        BracketPart::Top => pen.glyphs.bracket_top,
        BracketPart::Middle => pen.glyphs.bracket_middle,
        BracketPart::Pass => pen.glyphs.bracket_pass,
        BracketPart::Bottom => pen.glyphs.bracket_bottom,
    };
    pen.raw(on(x + 1, y, 1), sign, pen.theme.dim);
}

/// Selected or marked, trouble here or folded below, fold of a row at the edge.
fn draw_gutter(pen: &mut Pen<'_>, app: &App, row: &Row, subject: &Subject<'_>, line: Rect) {
    let marked = subject.node.is_some_and(|node| app.marks.contains(&node.id));
    if marked && matches!(subject.what, What::Node(_)) {
        pen.raw(on(line.x, line.y, 1), "+", pen.theme.marked);
    } else if app.table().selected_entry() == Some(row.entry) {
        pen.raw(on(line.x, line.y, 1), ">", pen.theme.strong);
    }
    let own = subject.ix.filter(|_| !subject.is_pointer()).and_then(|ix| app.seen.severity(ix));
    let below = if row.folded { app.table().worst_below(row.entry) } else { None };
    if let Some(severity) = own.max(below) {
        pen.raw(on(line.x + 1, line.y, 1), severity_sign(severity), pen.theme.severity(severity));
    }
    if row.folded && row.depth == 0 {
        pen.raw(on(line.x + 2, line.y, 1), pen.glyphs.folded, pen.theme.strong);
    }
}

/// The sign of a severity in the gutter.
pub(super) const fn severity_sign(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "!",
        Severity::Warning => "~",
        Severity::Advice => ".",
    }
}

fn draw_name(
    pen: &mut Pen<'_>,
    app: &App,
    row: &Row,
    (subject, name): (&Subject<'_>, &Name),
    cell: Rect,
) {
    let mut x = draw_guides(pen, row, cell);
    let end = cell.right();
    if let Some(mark) = name.mark {
        let style = match subject.thin.map(|device| device.role) {
            Some(_) if mark == "x" => pen.theme.warning,
            Some(_) if mark == "*" => pen.theme.good,
            _ => pen.theme.dim,
        };
        x = pen.raw(on(x, cell.y, end.saturating_sub(x)), mark, style).saturating_add(1);
    }
    let text = certain(&name.text, pen.glyphs.ascii).into_owned();
    let room = usize::from(end.saturating_sub(x));
    let aside = fitting_aside(pen, &name.aside, room.saturating_sub(width_of(&text) + 2));
    let shown = cut_middle(&text, room, pen.glyphs.cut);
    let style = name_style(pen, subject);
    let after = pen.raw(on(x, cell.y, end.saturating_sub(x)), &shown, style);
    highlight(pen, app, x, cell.y, &shown);
    if !aside.is_empty() {
        pen.text(on(after + 2, cell.y, end.saturating_sub(after + 2)), aside, pen.theme.dim);
    }
}

/// As many parts of the aside as fit: it goes before the name is cut.
fn fitting_aside<'a>(pen: &Pen<'_>, aside: &'a str, room: usize) -> &'a str {
    let mut aside = aside;
    while width_of(aside) > room {
        aside = aside.rsplit_once(pen.glyphs.dot).map_or("", |(kept, _)| kept.trim_end());
    }
    aside
}

fn name_style(pen: &Pen<'_>, subject: &Subject<'_>) -> Style {
    match (subject.what, subject.node) {
        (What::Group(_), _) if subject.image => pen.theme.image,
        (What::Group(_), _) => pen.theme.plain,
        (What::Pointer { .. } | What::Below(_), _) => pen.theme.dim,
        (_, Some(node)) if node.facts.pool.is_some() => pen.theme.strong,
        _ => pen.theme.plain,
    }
}

/// The lines of the tree; answers where the name begins.
pub(super) fn draw_guides(pen: &mut Pen<'_>, row: &Row, cell: Rect) -> u16 {
    if row.depth == 0 {
        return cell.x;
    }
    let most = DEEPEST.min(cell.width / 4).max(1);
    let first = row.depth.saturating_sub(most).max(1);
    let mut x = cell.x;
    for depth in first..row.depth {
        let goes_on = row.guides.checked_shr(u32::from(depth)).unwrap_or(0) & 1 == 1;
        if goes_on {
            pen.raw(on(x, cell.y, 1), pen.glyphs.pipe, pen.theme.dim);
        }
        x += 2;
    }
    let sign = if row.last { pen.glyphs.last } else { pen.glyphs.branch };
    pen.raw(on(x, cell.y, 1), sign, pen.theme.dim);
    if row.folded {
        pen.raw(on(x + 1, cell.y, 1), pen.glyphs.folded, pen.theme.strong);
    }
    x + 2
}

fn highlight(pen: &mut Pen<'_>, app: &App, x: u16, y: u16, text: &str) {
    for word in app.filter.words() {
        let Some(at) = filter::find(text, word) else { continue };
        let before = text.get(..at).map_or(0, width_of);
        let found = text.get(at..at + word.len()).map_or(0, width_of);
        if let (Ok(before), Ok(width)) = (u16::try_from(before), u16::try_from(found)) {
            pen.style(Rect { x: x + before, y, width, height: 1 }, pen.theme.hit);
        }
    }
}

/// The line between list and details; its thick part stands for the rows that are seen.
pub(super) fn draw_wall(pen: &mut Pen<'_>, app: &App, wall: Rect, body: Rect) {
    let (offset, count) = match app.view {
        View::Findings => (app.findings.offset, app.finding_rows().len()),
        View::Blocks => (app.strip.offset(), app.strip.rows()),
        View::Events => (app.events.offset, app.events.len()),
        View::Why => (app.why.offset, app.why_rows().len()),
        View::Tree | View::Layers => (app.table().offset, app.table().rows.list.len()),
    };
    let height = usize::from(body.height);
    let thumb = if count > height && height > 0 {
        let size = (height * height / count).max(1);
        let most = (count - height).max(1);
        let at = offset.min(most) * (height - size) / most;
        at..at + size
    } else {
        0..0
    };
    for y in wall.top()..wall.bottom() {
        let at = usize::from(y).checked_sub(usize::from(body.top()));
        if at.is_some_and(|at| thumb.contains(&at)) {
            pen.raw(on(wall.x, y, 1), pen.glyphs.thumb, pen.theme.plain);
        } else {
            pen.raw(on(wall.x, y, 1), pen.glyphs.wall, pen.theme.dim);
        }
    }
}
