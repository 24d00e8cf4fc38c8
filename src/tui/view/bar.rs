//! The last lines: what is typed, filtered, marked or said, and the keys.

use ratatui::layout::Position;

use super::Spans;
use super::pen::{Pen, on};
use crate::format;
use crate::tui::action::{ACTIONS, Action};
use crate::tui::app::{App, Overlay, View};
use crate::tui::areas::Areas;
use crate::tui::width::columns;
use crate::units::Bytes;

/// The key bar: as many keys as there is room for, help and quit always.
pub(super) fn draw(pen: &mut Pen<'_>, app: &App, areas: &Areas) {
    let mut shown: Vec<&Action> = ACTIONS
        .iter()
        .filter(|action| action.bar.is_some_and(|bar| bar.contexts.has(app.context())))
        .collect();
    let room = usize::from(areas.bar.width).saturating_sub(1);
    while shown.iter().map(|action| word_width(action, app)).sum::<usize>() > room {
        let last = shown.iter().enumerate().max_by_key(|(_, a)| a.bar.map_or(0, |bar| bar.rank));
        let Some((at, _)) = last else { break };
        shown.remove(at);
    }
    let mut x = areas.bar.x + 1;
    for action in shown {
        let Some(bar) = action.bar else { continue };
        let style = pen.theme.key;
        x = pen.raw(
            on(x, areas.bar.y, areas.bar.right().saturating_sub(x)),
            &keys(action, app),
            style,
        );
        let word = format!(" {}  ", bar.word);
        x = pen.raw(
            on(x, areas.bar.y, areas.bar.right().saturating_sub(x)),
            &word,
            pen.theme.plain,
        );
    }
}

fn keys(action: &Action, app: &App) -> String {
    let keys = match action.bar {
        Some(bar) if !bar.keys.is_empty() => bar.keys,
        _ => action.keys.get(..1).unwrap_or(&[]),
    };
    let labels: Vec<String> = keys.iter().map(|key| key.label(app.look.glyphs)).collect();
    let apart = labels.iter().any(|label| columns(label) > 1);
    labels.join(if apart { "/" } else { "" })
}

fn word_width(action: &Action, app: &App) -> usize {
    columns(&keys(action, app)) + action.bar.map_or(0, |bar| columns(bar.word)) + 3
}

/// The line above the keys; answers where the cursor of what is typed stands.
pub(super) fn draw_status(pen: &mut Pen<'_>, app: &App, areas: &Areas) -> Option<Position> {
    let line = areas.status?;
    pen.clear(line);
    if let (Some(edit), None) = (&app.prompt, &app.overlay) {
        let x = pen.raw(on(line.x + 1, line.y, 2), "/ ", pen.theme.key);
        let at = pen.text(
            on(x, line.y, line.right().saturating_sub(x)),
            edit.before(),
            pen.theme.strong,
        );
        let x = pen.text(
            on(at, line.y, line.right().saturating_sub(at)),
            edit.after(),
            pen.theme.strong,
        );
        let (hint, style) = match &app.prompt_error {
            Some(why) => (why.clone(), pen.theme.warning),
            None if app.view == View::Events => (matched(app), pen.theme.dim),
            None => (
                format!("{}   words, :role :state :mapped >1G ... (? all)", matched(app)),
                pen.theme.dim,
            ),
        };
        pen.text(on(x + 3, line.y, line.right().saturating_sub(x + 3)), &hint, style);
        return Some(Position::new(at, line.y));
    }
    let spans = match &app.notice {
        Some(notice) => vec![(notice.clone(), pen.theme.strong)],
        None => kept(app),
    };
    pen.spans(line.x + 1, line.y, line.width.saturating_sub(1), &spans);
    None
}

fn matched(app: &App) -> String {
    if app.view == View::Events {
        return format!("{} of {} events", app.events.len(), app.events.timeline.events().len());
    }
    match &app.table().matches {
        Some(matches) if matches.count == 1 => "1 match".to_owned(),
        Some(matches) => format!("{} matches", matches.count),
        None => String::new(),
    }
}

/// What stays in force: filter and marks.
fn kept(app: &App) -> Spans {
    let theme = &app.look.theme;
    let mut spans = Vec::new();
    if app.view == View::Events && app.events.is_filtered() {
        spans.push(("/ ".to_owned(), theme.key));
        spans.push((app.events.kept.clone(), theme.strong));
        spans.push((format!("   {}, esc clears   ", matched(app)), theme.dim));
    } else if !app.filter.is_empty() {
        spans.push(("/ ".to_owned(), theme.key));
        spans.push((app.filter_text.clone(), theme.strong));
        spans.push((format!("   {}, n next, esc clears   ", matched(app)), theme.dim));
    }
    if let Some(sum) = app.marked_sum() {
        spans.push((format!("{} marked", sum.count), theme.marked));
        let freed = match (sum.freed, sum.held) {
            (Some(size), Bytes(0)) => format!(", deleting them frees {}", format::long(size)),
            (Some(size), held) => format!(
                ", deleting them frees {}, {} of it when the metadata snapshot is released",
                format::long(size),
                format::long(held)
            ),
            (None, _) => ", what deleting them frees is not known: m reads sharing".to_owned(),
        };
        spans.push((freed, theme.dim));
    }
    if matches!(app.overlay, Some(Overlay::Details { .. })) { Vec::new() } else { spans }
}
