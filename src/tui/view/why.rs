//! The page of what fills a pool: how full it is, its largest holders, what else is in use, and
//! under that what is wrong with it.

use ratatui::layout::Rect;
use ratatui::style::Style;

use super::findings::draw_finding;
use super::pen::{Pen, on};
use super::table::{draw_wall, select, severity_sign};
use crate::tui::app::{App, FindingRow, WhyRow};
use crate::tui::areas::Areas;
use crate::tui::cell::figure::Figure;
use crate::tui::describe::why::{headline, ranking, rest_word, word};
use crate::tui::glyph::Glyphs;
use crate::tui::outline::owners::runs;
use crate::tui::why::{Frees, Holder, Sort};
use crate::tui::width::{certain, cut_middle, wrap};
use crate::units::Bytes;

/// Before the names: the selection, the gravest finding.
const BEFORE: u16 = 3;
/// Names are not narrower than this while a column can go.
const NAME: u16 = 18;
/// Columns of what a holder is.
const WORD: u16 = 20;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Excl,
    Frees,
    Grew,
    Mapped,
    Word,
}

impl Column {
    const fn title(self) -> &'static str {
        match self {
            Self::Excl => "EXCL",
            Self::Frees => "FREES",
            Self::Grew => "GREW",
            Self::Mapped => "MAPPED",
            Self::Word => "STATE",
        }
    }

    const fn width(self, exact: bool) -> u16 {
        match self {
            Self::Word => WORD,
            _ if exact => 15,
            _ => 7,
        }
    }
}

/// The page.
pub(super) fn draw(pen: &mut Pen<'_>, app: &App, areas: &Areas) {
    let (head, body) = (areas.head, areas.body);
    if let Some(wall) = areas.wall {
        draw_wall(pen, app, wall, body);
    }
    let Some(pool) = app.why_pool() else {
        let text = "the pool is not there any more (esc: back)";
        pen.text(on(head.x + 3, head.y, head.width.saturating_sub(3)), text, pen.theme.plain);
        return;
    };
    let title = format!("WHAT FILLS {}", pool.name);
    let after =
        pen.text(on(head.x + 1, head.y, head.width.saturating_sub(1)), &title, pen.theme.head);
    let keys = "  (f: its findings, esc: back)";
    pen.text(on(after, head.y, head.right().saturating_sub(after)), keys, pen.theme.dim);
    let lines = heads(app, areas);
    for (y, (text, style)) in (body.top()..body.bottom()).zip(&lines) {
        pen.text(on(body.x + 1, y, body.width.saturating_sub(1)), text, *style);
    }
    let taken = u16::try_from(lines.len()).unwrap_or(body.height).min(body.height);
    let rows = Rect { y: body.y + taken, height: body.height - taken, ..body };
    draw_rows(pen, app, rows);
}

/// The lines over the table.
fn heads(app: &App, areas: &Areas) -> Vec<(String, Style)> {
    let theme = &app.look.theme;
    let (Some(pool), Some(why)) = (app.why_pool(), app.why.made()) else { return Vec::new() };
    let width = usize::from(areas.body.width.saturating_sub(2));
    let recorded = app.seen.recorded_at().is_some();
    let said = [(headline(&app.seen, pool), theme.strong), (ranking(why, recorded), theme.dim)];
    let lines = said
        .into_iter()
        .flat_map(|(text, style)| wrap(&text, width).into_iter().map(move |line| (line, style)));
    // rows matter more on a low screen
    lines.take(usize::from(areas.body.height / 3)).collect()
}

/// How many rows are seen at once.
pub(crate) fn rows(app: &App) -> usize {
    let areas = app.areas();
    usize::from(areas.body.height).saturating_sub(heads(app, &areas).len() + 1)
}

fn draw_rows(pen: &mut Pen<'_>, app: &App, area: Rect) {
    let columns = place(app, area);
    let first = columns.first().map_or(area.right(), |(_, x)| *x);
    let name = on(area.x + BEFORE, area.y, area.width.saturating_sub(BEFORE));
    pen.text(name, "NAME", pen.theme.head);
    for (column, x) in &columns {
        let at = on(*x, area.y, column.width(app.exact));
        match column {
            Column::Word => drop(pen.text(at, column.title(), pen.theme.head)),
            _ => pen.right(at, column.title(), pen.theme.head),
        }
    }
    let rows = app.why_rows();
    if rows.is_empty() && area.height > 1 {
        let at = on(area.x + BEFORE, area.y + 1, area.width.saturating_sub(BEFORE));
        pen.text(at, "no device is in it as far as was seen", pen.theme.plain);
    }
    let visible = rows.iter().enumerate().skip(app.why.offset);
    for (y, (at, row)) in (area.top() + 1..area.bottom()).zip(visible) {
        let line = Rect { y, height: 1, ..area };
        match row {
            WhyRow::Finding(finding) => draw_finding(pen, FindingRow::Finding(finding), line),
            row => draw_row(pen, app, *row, (line, &columns, first)),
        }
        let marked = matches!(row, WhyRow::Holder(holder) if app.is_marked(holder));
        if at == app.why.cursor {
            pen.raw(on(line.x, y, 1), ">", pen.theme.strong);
            select(pen, app, line);
        }
        if marked {
            pen.raw(on(line.x, y, 1), "+", pen.theme.marked);
        }
    }
}

/// The columns from left to right that leave room for names.
fn place(app: &App, area: Rect) -> Vec<(Column, u16)> {
    let grew = app.why.made().is_some_and(|why| why.holders.iter().any(|one| one.grown.is_some()));
    let mut shown = vec![Column::Excl, Column::Frees, Column::Mapped, Column::Word];
    if grew {
        shown.insert(2, Column::Grew);
    }
    let taken = |shown: &[Column]| shown.iter().map(|one| one.width(app.exact) + 1).sum::<u16>();
    for goes in [Column::Mapped, Column::Word, Column::Grew, Column::Frees] {
        if area.width < BEFORE + NAME + taken(&shown) {
            shown.retain(|column| *column != goes);
        }
    }
    let mut x = area.right().saturating_sub(taken(&shown));
    let mut placed = Vec::new();
    for column in shown {
        placed.push((column, x + 1));
        x += column.width(app.exact) + 1;
    }
    placed
}

fn draw_row(
    pen: &mut Pen<'_>,
    app: &App,
    row: WhyRow<'_>,
    (line, columns, first): (Rect, &[(Column, u16)], u16),
) {
    let (name, style) = match row {
        WhyRow::Holder(holder) => (holder.name.clone(), name_style(app, holder)),
        WhyRow::Rest(rest, _) => (rest_word(rest), pen.theme.dim),
        WhyRow::Finding(_) => return,
    };
    let x = line.x + BEFORE;
    let room = first.saturating_sub(x + 1);
    let name = certain(&name, pen.glyphs.ascii).into_owned();
    let name = cut_middle(&name, room.into(), pen.glyphs.cut);
    pen.raw(on(x, line.y, room), &name, style);
    if let WhyRow::Holder(holder) = row
        && let Some(severity) = app.seen.severity(holder.node)
    {
        pen.raw(on(line.x + 1, line.y, 1), severity_sign(severity), pen.theme.severity(severity));
    }
    for (column, x) in columns {
        let at = on(*x, line.y, column.width(app.exact));
        let text = cell(app, row, *column, pen.glyphs);
        match column {
            Column::Word => drop(pen.text(at, &text, pen.theme.plain)),
            _ => pen.right(at, &text, pen.theme.plain),
        }
    }
}

/// Images and what runs are drawn as in the tree.
fn name_style(app: &App, holder: &Holder) -> Style {
    let theme = &app.look.theme;
    match holder.sort {
        Sort::Layers { .. } => theme.image,
        Sort::Device if runs(app.seen.topology().thin(holder.thin)) => theme.good,
        Sort::Device => theme.plain,
    }
}

fn cell(app: &App, row: WhyRow<'_>, column: Column, glyphs: &Glyphs) -> String {
    let seen = |size: Option<Bytes>| size.map_or(Figure::NotSeen, Figure::Seen);
    let text = |figure: Figure| figure.text(app.exact, glyphs);
    match (row, column) {
        (WhyRow::Holder(holder), Column::Excl) => text(seen(holder.alone)),
        (WhyRow::Holder(holder), Column::Mapped) => text(seen(holder.mapped)),
        (WhyRow::Holder(holder), Column::Frees) => text(match holder.frees {
            Frees::Some(size) => Figure::Seen(size),
            Frees::NotSeen => Figure::NotSeen,
            Frees::Never => Figure::DoesNotApply,
        }),
        (WhyRow::Holder(holder), Column::Grew) => holder
            .grown
            .map_or_else(String::new, |grown| format!("+{}", text(Figure::Seen(grown.by)))),
        (WhyRow::Holder(holder), Column::Word) => word(&app.seen, holder),
        (WhyRow::Rest(_, size), Column::Excl) => text(seen(size)),
        (WhyRow::Rest(..) | WhyRow::Finding(_), _) => String::new(),
    }
}
