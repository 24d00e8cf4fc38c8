//! The help: every action from the table, every sign, every term of the filter.

use super::Spans;
use super::pen::{Pen, on};
use crate::tui::action::{ACTIONS, Action, Chapter};
use crate::tui::app::App;
use crate::tui::areas::Areas;
use crate::tui::filter;
use crate::tui::width::columns;

/// Columns of the keys and signs.
const KEYS: usize = 20;

/// Over the whole screen.
pub(super) fn draw(pen: &mut Pen<'_>, app: &App, areas: &Areas, offset: usize) {
    let area = areas.middle;
    let lines = lay(app, area.width);
    let seen = lines.iter().skip(offset).take(area.height.into());
    for (y, spans) in (area.top()..area.bottom()).zip(seen) {
        pen.spans(area.x + 1, y, area.width.saturating_sub(2), spans);
    }
    if lines.len() > offset + usize::from(area.height) {
        let y = area.bottom().saturating_sub(1);
        let more = format!(" {} more ", pen.glyphs.descending);
        pen.right(on(area.x, y, area.width), &more, pen.theme.head);
    }
}

/// Its lines: chapters side by side where there is room.
pub(super) fn lay(app: &App, width: u16) -> Vec<Spans> {
    let mut lines: Vec<Spans> = Vec::new();
    let chapters = Chapter::ALL.map(|chapter| {
        let actions = ACTIONS.iter().filter(|action| action.chapter == chapter);
        section(app, chapter.title(), actions.map(|action| entry(app, action)))
    });
    let signs = section(app, "signs", signs(app));
    let terms = filter::help().map(|(term, help)| (term, help.to_owned()));
    let terms = section(app, "terms of the filter; all must hold", terms);
    let sections = chapters.into_iter().chain([signs, terms]);
    if width < 120 {
        sections.for_each(|section| lines.extend(section));
        return lines;
    }
    let half = usize::from(width) / 2 - 1;
    let mut columns: [Vec<Spans>; 2] = [Vec::new(), Vec::new()];
    for section in sections {
        let shorter = usize::from(columns[1].len() < columns[0].len());
        columns[shorter].extend(section);
    }
    let [left, mut right] = columns;
    right.resize(left.len().max(right.len()), Vec::new());
    let mut left = left.into_iter();
    right.into_iter().map(|right| beside(left.next().unwrap_or_default(), right, half)).collect()
}

fn beside(left: Spans, right: Spans, half: usize) -> Spans {
    let taken: usize = left.iter().map(|(text, _)| columns(text)).sum();
    let pad = " ".repeat(half.saturating_sub(taken));
    left.into_iter().chain([(pad, ratatui::style::Style::new())]).chain(right).collect()
}

fn section(app: &App, title: &str, entries: impl Iterator<Item = (String, String)>) -> Vec<Spans> {
    let theme = &app.look.theme;
    let mut lines = vec![vec![(title.to_owned(), theme.head)]];
    lines
        .extend(entries.map(|(keys, help)| {
            vec![(format!("  {keys:KEYS$} "), theme.key), (help, theme.plain)]
        }));
    lines.push(Vec::new());
    lines
}

fn entry(app: &App, action: &Action) -> (String, String) {
    let keys: Vec<String> = action.keys.iter().map(|key| key.label(app.look.glyphs)).collect();
    // what has no key is found by its name
    let keys = if keys.is_empty() { format!(": {}", action.name) } else { keys.join(" ") };
    (keys, action.help.to_owned())
}

/// The signs of the table, as they are drawn now.
fn signs(app: &App) -> impl Iterator<Item = (String, String)> {
    let glyphs = app.look.glyphs;
    let bracket =
        format!("{} {} {}", glyphs.bracket_top, glyphs.bracket_middle, glyphs.bracket_bottom);
    [
        (">  +".to_owned(), "at the left: selected, marked"),
        ("!  ~  .".to_owned(), "a critical finding, a warning, an advice; here, or folded below"),
        ("*".to_owned(), "before a container: it runs"),
        ("x".to_owned(), "before a device: nobody names it, or it is not in the pool"),
        (glyphs.folded.to_owned(), "folded: more below"),
        (glyphs.arrow.to_owned(), "rests on this too, and is drawn elsewhere; enter goes there"),
        (bracket, "metadata, data, and the pool over both"),
        ("?".to_owned(), "there is a figure, and it was not seen"),
        (glyphs.none.to_owned(), "there can be no figure"),
        (glyphs.loading.to_owned(), "being read, or a name cut short"),
    ]
    .into_iter()
    .map(|(sign, help)| (sign, help.to_owned()))
}
