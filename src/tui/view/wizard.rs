//! The wizards: their questions, the plan, the run, what came of it. Every stage is one text that
//! scrolls, with what must never scroll away below it.

mod ask;
mod course;
mod page;
mod review;

use ratatui::layout::{Position, Rect};

use super::Spans;
use super::pen::{Pen, on};
use crate::tui::app::App;
use crate::tui::areas::Areas;
use crate::tui::wizard::{Stage, Wizard};

pub(super) use course::{in_a_line, until_change};

/// Lines longer than this are hard to read.
const WIDEST: u16 = 110;

/// A stage: its text, and what stands below it.
struct Sheet {
    text: Vec<Spans>,
    /// The first line of the text that is shown.
    offset: usize,
    foot: Vec<Spans>,
    /// Where a line is being typed: column, and line from the top of the foot, or of the text.
    cursor: Option<Cursor>,
}

enum Cursor {
    Text(u16, usize),
    Foot(u16, usize),
}

/// The parts of the screen that a wizard has: title, text, foot.
struct Parts {
    title: Rect,
    text: Rect,
    foot: Rect,
}

fn parts(areas: &Areas, foot: usize) -> Parts {
    let middle = areas.middle;
    let inner =
        Rect { x: middle.x + 1, width: middle.width.saturating_sub(2).min(WIDEST), ..middle };
    // below the foot one line is left for what is said once
    let height = u16::try_from(foot).unwrap_or(0).min(inner.height.saturating_sub(4));
    let title = Rect { height: 1, ..inner };
    let text = Rect { y: inner.y + 2, height: inner.height.saturating_sub(height + 4), ..inner };
    let foot = Rect { y: text.bottom() + 1, height, ..inner };
    Parts { title, text, foot }
}

fn sheet(app: &App, wizard: &Wizard, areas: &Areas) -> Sheet {
    let width = parts(areas, 0).text.width;
    match &wizard.stage {
        Stage::Ask => ask::sheet(app, wizard, areas, width),
        Stage::Review(review) => review::sheet(app, review, width),
        Stage::Course(course) => course::sheet(app, course, width),
    }
}

/// Draws it; answers where the cursor of what is typed stands.
pub(super) fn draw(
    pen: &mut Pen<'_>,
    app: &App,
    wizard: &Wizard,
    areas: &Areas,
) -> Option<Position> {
    let sheet = sheet(app, wizard, areas);
    let parts = parts(areas, sheet.foot.len());
    draw_title(pen, wizard, parts.title);
    if let Stage::Review(review) = &wizard.stage
        && review.page == crate::tui::wizard::review::Page::Trees
    {
        review::draw_trees(pen, review, parts.text);
    } else {
        draw_lines(pen, &sheet.text, sheet.offset, parts.text);
    }
    let more = lines(app, wizard, areas).0 > sheet.offset + usize::from(parts.text.height);
    let rule = on(parts.text.x, parts.text.bottom(), parts.text.width);
    pen.rule(parts.text.x, parts.text.bottom(), parts.text.width);
    if more {
        pen.right(rule, &format!(" {} more ", pen.glyphs.descending), pen.theme.head);
    }
    draw_lines(pen, &sheet.foot, 0, parts.foot);
    if let Some(notice) = &app.notice {
        let y = areas.middle.bottom().saturating_sub(1);
        pen.text(on(parts.text.x, y, parts.text.width), notice, pen.theme.strong);
    }
    position(&sheet, &parts)
}

fn position(sheet: &Sheet, parts: &Parts) -> Option<Position> {
    let (x, line, area) = match sheet.cursor.as_ref()? {
        Cursor::Text(x, line) => (*x, line.checked_sub(sheet.offset)?, parts.text),
        Cursor::Foot(x, line) => (*x, *line, parts.foot),
    };
    let line = u16::try_from(line).ok().filter(|line| *line < area.height)?;
    let x = area.x.saturating_add(x).min(area.right().saturating_sub(1));
    Some(Position::new(x, area.y + line))
}

fn draw_lines(pen: &mut Pen<'_>, lines: &[Spans], offset: usize, area: Rect) {
    for (y, spans) in (area.top()..area.bottom()).zip(lines.iter().skip(offset)) {
        pen.spans(area.x, y, area.width, spans);
    }
}

/// What it is about, and how far it is.
fn draw_title(pen: &mut Pen<'_>, wizard: &Wizard, area: Rect) {
    let now = match &wizard.stage {
        Stage::Ask => 0,
        Stage::Review(_) => 1,
        Stage::Course(course) if course.runs() => 2,
        Stage::Course(_) => 3,
    };
    let trail: Vec<String> = ["ask", "review", "run", "done"]
        .iter()
        .enumerate()
        .map(|(at, name)| if at == now { format!("[{name}]") } else { (*name).to_owned() })
        .collect();
    let trail = trail.join(" ");
    let taken = u16::try_from(trail.len()).unwrap_or(0) + 2;
    let title = format!("{} {} {}", wizard.kind.name(), pen.glyphs.dot, wizard.target);
    pen.text(on(area.x, area.y, area.width.saturating_sub(taken)), &title, pen.theme.title);
    pen.right(on(area.x, area.y, area.width), &trail, pen.theme.head);
}

/// How many lines the text has, and how many of them are seen at once.
pub(super) fn lines(app: &App, wizard: &Wizard, areas: &Areas) -> (usize, usize) {
    let sheet = sheet(app, wizard, areas);
    let height = usize::from(parts(areas, sheet.foot.len()).text.height);
    let count = match &wizard.stage {
        Stage::Review(review) if review.page == crate::tui::wizard::review::Page::Trees => {
            review.trees.rows.len() + 1
        }
        _ => sheet.text.len(),
    };
    (count, height)
}
