//! What lies over a part of a view: the palette, menus, and a text alone for copying by hand.

use ratatui::layout::{Position, Rect};

use super::header;
use super::pen::{Pen, on};
use crate::tui::app::{App, Overlay};
use crate::tui::areas::Areas;
use crate::tui::columns::Column;
use crate::tui::width::{certain, columns, wrap};
use crate::tui::wizard::offer::Offer;

/// The widest menu.
const WIDEST: u16 = 76;

/// A line of a menu: what it is, and more about it.
type Item = (String, String);

/// A menu to draw.
struct Menu {
    items: Vec<Item>,
    /// The line chosen.
    at: usize,
    /// Lines left free above, for what is typed.
    head: u16,
}

/// The menu that is open, if any; answers where the cursor of what is typed stands.
pub(super) fn draw(pen: &mut Pen<'_>, app: &App, areas: &Areas) -> Option<Position> {
    match &app.overlay {
        Some(Overlay::Palette { edit, cursor }) => {
            let found = app.found_actions();
            let items: Vec<Item> = found
                .iter()
                .map(|action| {
                    let key = action.keys.first().map(|key| key.label(app.look.glyphs));
                    let key = key.map(|key| format!("  ({key})")).unwrap_or_default();
                    let help = format!("{}{key}", action.help);
                    (action.name.to_owned(), help)
                })
                .collect();
            let inner = draw_menu(pen, areas, "all actions", &Menu { items, at: *cursor, head: 2 });
            let line = Rect { height: 1, ..inner };
            let x = pen.raw(on(line.x, line.y, 2), ": ", pen.theme.key);
            let room = line.right().saturating_sub(x);
            let at = pen.text(on(x, line.y, room), edit.before(), pen.theme.strong);
            pen.text(
                on(at, line.y, line.right().saturating_sub(at)),
                edit.after(),
                pen.theme.strong,
            );
            Some(Position::new(at, line.y))
        }
        Some(Overlay::Wizards { offers, cursor }) => {
            draw_wizards(pen, areas, offers, *cursor);
            None
        }
        Some(Overlay::Sort { cursor }) => {
            let first =
                ("as it stands".to_owned(), "storage from below, owners by name".to_owned());
            let columns =
                Column::ALL.iter().map(|c| (c.title().to_owned(), c.meaning().to_owned()));
            let items: Vec<Item> = std::iter::once(first).chain(columns).collect();
            draw_menu(pen, areas, "sort by", &Menu { items, at: *cursor, head: 0 });
            None
        }
        Some(Overlay::Copy { choices, cursor }) => {
            let items: Vec<Item> = choices
                .iter()
                .map(|choice| (choice.label.clone(), choice.text.replace('\n', " ")))
                .collect();
            draw_menu(pen, areas, "copy", &Menu { items, at: *cursor, head: 0 });
            None
        }
        _ => None,
    }
}

/// The wizards; what is said of the chosen one stands whole below the list.
fn draw_wizards(pen: &mut Pen<'_>, areas: &Areas, offers: &[Offer], cursor: usize) {
    let mut items: Vec<Item> =
        offers.iter().map(|offer| (offer.kind.name().to_owned(), offer.about())).collect();
    let width = usize::from(WIDEST.min(areas.middle.width.saturating_sub(4)).saturating_sub(4));
    let about = offers.get(cursor).map(Offer::about).unwrap_or_default();
    let about = wrap(&certain(&about, pen.glyphs.ascii), width);
    let list = items.len();
    // room below the list, in which the words of the chosen one are drawn
    items.extend(std::iter::repeat_n(Item::default(), about.len() + 1));
    let inner = draw_menu(pen, areas, "wizards", &Menu { items, at: cursor, head: 0 });
    let from = inner.y + u16::try_from(list).unwrap_or(0) + 1;
    for (y, line) in (from..inner.bottom()).zip(&about) {
        pen.text(on(inner.x, y, inner.width), line, pen.theme.plain);
    }
}

/// A framed list in the middle; answers its inside.
fn draw_menu(pen: &mut Pen<'_>, areas: &Areas, title: &str, menu: &Menu) -> Rect {
    let Menu { items, at, head } = menu;
    let count = u16::try_from(items.len()).unwrap_or(u16::MAX);
    let height = count.saturating_add(2 + head).max(4).min(areas.middle.height);
    let width = WIDEST.min(areas.middle.width.saturating_sub(4));
    let frame = Rect {
        x: areas.middle.x + (areas.middle.width - width) / 2,
        y: areas.middle.y + (areas.middle.height - height) / 3,
        width,
        height,
    };
    // a letter left standing beside the frame would look like part of it
    pen.clear(Rect { x: frame.x.saturating_sub(2), width: frame.width + 4, ..frame });
    draw_frame(pen, frame, title);
    let inner = Rect { x: frame.x + 2, y: frame.y + 1, width: width - 4, height: height - 2 };
    let list = Rect { y: inner.y + head, height: inner.height.saturating_sub(*head), ..inner };
    let label = items.iter().map(|(label, _)| columns(label)).max().unwrap_or(0).min(24);
    let label = u16::try_from(label).unwrap_or(0) + 2;
    let first = (at + 1).saturating_sub(list.height.into());
    let visible = items.iter().enumerate().skip(first);
    for (y, (index, (name, about))) in (list.top()..list.bottom()).zip(visible) {
        pen.text(on(list.x, y, label - 1), name, pen.theme.strong);
        pen.text(on(list.x + label, y, list.width.saturating_sub(label)), about, pen.theme.dim);
        if index == *at {
            pen.style(
                Rect { x: list.x - 1, y, width: list.width + 2, height: 1 },
                pen.theme.selected,
            );
            pen.raw(on(list.x - 1, y, 1), ">", pen.theme.selected);
        }
    }
    inner
}

fn draw_frame(pen: &mut Pen<'_>, frame: Rect, title: &str) {
    let corners =
        if pen.glyphs.ascii { ["+", "+", "+", "+"] } else { ["┌", "┐", "└", "┘"] };
    let (right, bottom) = (frame.right() - 1, frame.bottom() - 1);
    let style = pen.theme.head;
    for y in frame.top()..frame.bottom() {
        pen.raw(on(frame.x, y, 1), pen.glyphs.pipe, style);
        pen.raw(on(right, y, 1), pen.glyphs.pipe, style);
    }
    let line = pen.glyphs.rule.repeat(usize::from(frame.width) - 2);
    for (y, left, end) in [(frame.y, corners[0], corners[1]), (bottom, corners[2], corners[3])] {
        pen.raw(on(frame.x, y, 1), left, style);
        pen.raw(on(frame.x + 1, y, frame.width - 2), &line, style);
        pen.raw(on(right, y, 1), end, style);
    }
    pen.raw(on(frame.x + 2, frame.y, frame.width - 4), &format!(" {title} "), pen.theme.title);
}

/// A text alone: nothing beside it that a mouse would take along.
pub(super) fn draw_bare(pen: &mut Pen<'_>, app: &App, areas: &Areas, text: &str, offset: usize) {
    let whole = areas.whole;
    let lines = bare_lines(text, whole.width);
    let last = whole.bottom().saturating_sub(1);
    for (y, line) in (0..last).zip(lines.iter().skip(offset)) {
        let line = certain(line, pen.glyphs.ascii).into_owned();
        pen.raw(on(0, y, whole.width), &line, pen.theme.plain);
    }
    let recorded = header::recorded(app).map_or_else(String::new, |banner| format!("   {banner}"));
    let hint =
        format!("esc back{recorded}   sent to the clipboard too, where the terminal takes it");
    pen.text(on(0, last, whole.width), &hint, pen.theme.dim);
}

/// Its lines at a width.
pub(super) fn bare_lines(text: &str, width: u16) -> Vec<String> {
    text.lines().flat_map(|line| wrap(line, width.into())).collect()
}
