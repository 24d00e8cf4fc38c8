//! The plan: its steps with their commands, what cannot be taken back, what must be agreed to.

use ratatui::layout::Rect;

use super::page::{Page, button};
use super::{Cursor, Sheet};
use crate::plan::{Danger, Step};
use crate::tui::app::App;
use crate::tui::view::Spans;
use crate::tui::view::pen::{Pen, on};
use crate::tui::view::table::draw_guides;
use crate::tui::width::{certain, columns, cut_middle};
use crate::tui::wizard::review::{Focus, Review, Word};

/// Words of consent that are seen at once; the others follow as the keys go to them.
const MOST_WORDS: usize = 3;

/// The stage.
pub(super) fn sheet(app: &App, review: &Review, width: u16) -> Sheet {
    let mut page = Page::new(&app.look, width);
    draw_first(&mut page, review);
    for (at, step) in review.plan.steps.iter().enumerate() {
        draw_step(&mut page, at, step, review.all);
    }
    draw_rest(&mut page, review);
    let (foot, cursor) = foot(app, review, width);
    Sheet { text: page.lines, offset: review.offset, foot, cursor }
}

/// What it brings, and what is in the way.
fn draw_first(page: &mut Page<'_>, review: &Review) {
    let theme = page.theme();
    for gain in &review.gains {
        page.text(0, gain, theme.good);
    }
    for warning in &review.plan.warnings {
        page.led("! ", warning, theme.warning);
    }
    for consent in review.plan.consents.iter().filter(|one| one.danger == Danger::Destroys) {
        page.led("! ", &consent.to, theme.critical);
    }
    for path in &review.assumed {
        let words = format!("what lies on {path} was not recorded: rehearsed as if it were empty");
        page.led("! ", &words, theme.warning);
    }
    for (id, wish) in &review.unfinished {
        page.led("! ", &format!("{id} was cut off ({wish}): it is completed first"), theme.warning);
    }
    if !page.lines.is_empty() {
        page.blank();
    }
}

fn draw_step(page: &mut Page<'_>, at: usize, step: &Step, all: bool) {
    let theme = page.theme();
    page.led(&format!("{}. ", at + 1), &step.action.title(), theme.strong);
    page.text(3, &step.why, theme.plain);
    for argv in step.action.commands() {
        page.command(3, &argv);
    }
    if all {
        for check in &step.before {
            page.led("   before: ", &check.to_string(), theme.dim);
        }
        for check in &step.after {
            page.led("   then:   ", &check.to_string(), theme.dim);
        }
        page.led("   undo:   ", &step.action.undo().to_string(), theme.dim);
    }
}

fn draw_rest(page: &mut Page<'_>, review: &Review) {
    let theme = page.theme();
    page.blank();
    let lasting: Vec<String> = review.for_good().collect();
    if lasting.is_empty() {
        page.text(0, "every step can be taken back", theme.plain);
    } else {
        page.text(0, "cannot be taken back by a command:", theme.strong);
        for line in lasting {
            page.led("  ", &line, theme.plain);
        }
    }
    if let Some(rescue) = review.plan.steps.iter().find_map(|step| step.action.rescue()) {
        page.led("should all else fail: ", &rescue, theme.plain);
    }
}

/// Words of consent and buttons; they never scroll away.
fn foot(app: &App, review: &Review, width: u16) -> (Vec<Spans>, Option<Cursor>) {
    let mut page = Page::new(&app.look, width);
    let theme = page.theme();
    let mut cursor = None;
    if review.outdated {
        page.text(0, "The host has changed since: go back, and review a new plan.", theme.warning);
    } else if let Some(why) = &review.forbidden {
        page.text(0, &format!("Nothing runs: {why}. It can be rehearsed."), theme.warning);
    } else {
        cursor = draw_words(&mut page, review);
    }
    let mut spans = button("Back", review.focus == Focus::Back, theme);
    if !review.outdated {
        spans.push(("  ".to_owned(), theme.plain));
        let label = match &review.forbidden {
            Some(_) => "Dry run",
            None => "Run it",
        };
        spans.extend(button(label, review.focus == Focus::Run, theme));
    }
    page.spans(spans);
    (page.lines, cursor)
}

fn draw_words(page: &mut Page<'_>, review: &Review) -> Option<Cursor> {
    let mut cursor = None;
    let at = match review.focus {
        Focus::Consent(at) => at,
        _ => review.missing().unwrap_or(0),
    };
    let first = (at + 1).saturating_sub(MOST_WORDS);
    for (index, word) in review.words.iter().enumerate().skip(first).take(MOST_WORDS) {
        let focused = review.focus == Focus::Consent(index);
        let x = draw_word(page, word, focused);
        if focused {
            cursor = Some(Cursor::Foot(x, page.lines.len() - 1));
        }
        if word.wrong {
            let why = format!("that is not {}: it is typed as it stands there", word.word());
            page.led("  ! ", &why, page.theme().warning);
        }
    }
    cursor
}

/// Answers the column of the cursor.
fn draw_word(page: &mut Page<'_>, word: &Word, focused: bool) -> u16 {
    let theme = page.theme();
    let sign = if focused { ">" } else { " " };
    let ask = format!("{sign}type {} to agree: [", word.word());
    let text = word.edit.text();
    let pad = " ".repeat(columns(word.word()).saturating_sub(columns(&text)));
    let given = if word.is_given() { "] given" } else { "]" };
    let x = columns(&ask) + columns(word.edit.before());
    let style = if focused { theme.strong } else { theme.plain };
    page.spans(vec![(ask, style), (text, theme.strong), (format!("{pad}{given}"), style)]);
    u16::try_from(x).unwrap_or(0)
}

/// The storage before and after.
pub(super) fn draw_trees(pen: &mut Pen<'_>, review: &Review, area: Rect) {
    let name = (area.width / 2).saturating_sub(8);
    let kind = 8;
    let half = area.width.saturating_sub(name + kind + 2) / 2;
    let columns = [area.x + 2, area.x + 2 + name, area.x + 2 + name + kind];
    let after = columns[2] + half;
    let rest = area.right().saturating_sub(after);
    let head = pen.theme.head;
    let heads = [("NAME", columns[0]), ("KIND", columns[1]), ("BEFORE", columns[2])];
    for (title, x) in heads.into_iter().chain([("AFTER", after)]) {
        pen.text(on(x, area.y, 8), title, head);
    }
    let rows = review.trees.rows.iter().skip(review.offset);
    for (y, row) in (area.top() + 1..area.bottom()).zip(rows) {
        let style = if row.changes { pen.theme.strong } else { pen.theme.plain };
        if row.changes {
            pen.raw(on(area.x, y, 1), "*", pen.theme.marked);
        }
        let cell = Rect { x: columns[0], y, width: name.saturating_sub(1), height: 1 };
        let x = draw_guides(pen, &row.row, cell);
        let room = cell.right().saturating_sub(x);
        let text = certain(&row.name, pen.glyphs.ascii).into_owned();
        pen.raw(on(x, y, room), &cut_middle(&text, room.into(), pen.glyphs.cut), style);
        pen.text(on(columns[1], y, kind - 1), row.kind, pen.theme.plain);
        pen.text(on(columns[2], y, half.saturating_sub(1)), &row.before, pen.theme.plain);
        pen.text(on(after, y, rest), &row.after, style);
    }
}
