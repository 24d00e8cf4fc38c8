//! Drawing: each part of the screen from the state, changing nothing.
//!
//! Texts from outside pass through [`Pen`], which lets only characters of certain width through.

mod bar;
mod blocks;
mod details;
mod events;
mod findings;
mod header;
mod help;
mod menus;
mod pen;
mod table;
mod why;
mod wizard;

use ratatui::Frame;
use ratatui::style::Style;

use super::app::{App, Overlay, View};
use super::areas::{Areas, LEAST};
pub(crate) use blocks::word as block_word;
pub(crate) use header::until_change;
use pen::{Pen, on};
pub(crate) use why::rows as why_height;

/// A line of text in pieces, each with its style.
pub(crate) type Spans = Vec<(String, Style)>;

/// Draws the screen.
pub fn draw(frame: &mut Frame<'_>, app: &App) {
    let areas = app.areas();
    let mut pen = Pen::new(frame.buffer_mut(), &app.look);
    if areas.too_small() {
        return draw_too_small(&mut pen, app, &areas);
    }
    let cursor = match &app.overlay {
        Some(Overlay::Bare { text, offset }) => {
            menus::draw_bare(&mut pen, app, &areas, text, *offset);
            return;
        }
        overlay => {
            header::draw(&mut pen, app, &areas);
            match overlay {
                Some(Overlay::Details { offset }) => {
                    details::draw_full(&mut pen, app, &areas, *offset);
                }
                Some(Overlay::Help { offset }) => help::draw(&mut pen, app, &areas, *offset),
                _ => draw_view(&mut pen, app, &areas),
            }
            match &app.wizard {
                Some(wizard) if overlay.is_none() => wizard::draw(&mut pen, app, wizard, &areas),
                _ => menus::draw(&mut pen, app, &areas)
                    .or_else(|| bar::draw_status(&mut pen, app, &areas)),
            }
        }
    };
    bar::draw(&mut pen, app, &areas);
    if let Some(position) = cursor {
        frame.set_cursor_position(position);
    }
}

fn draw_view(pen: &mut Pen<'_>, app: &App, areas: &Areas) {
    if app.wizard.is_some() {
        return;
    }
    match app.view {
        View::Tree | View::Layers => table::draw(pen, app, areas),
        View::Findings => findings::draw(pen, app, areas),
        View::Blocks => blocks::draw(pen, app, areas),
        View::Events => events::draw(pen, app, areas),
        View::Why => why::draw(pen, app, areas),
    }
    details::draw_beside(pen, app, areas);
}

/// One line says so, with what must never be missing.
fn draw_too_small(pen: &mut Pen<'_>, app: &App, areas: &Areas) {
    let (width, height) = (areas.whole.width, areas.whole.height);
    let text = format!("thinscope needs {}x{}, this is {width}x{height}", LEAST.0, LEAST.1);
    pen.text(on(0, 0, width), &text, app.look.theme.plain);
    if let Some(banner) = header::recorded(app) {
        pen.text(on(0, 1, width), &banner, app.look.theme.warning);
    }
    if let Some(runs) = app.wizard.as_deref().and_then(wizard::in_a_line) {
        pen.text(on(0, 2, width), &runs, app.look.theme.warning);
    }
}

/// Lines of a wizard's text, and how many are seen at once.
pub(crate) fn wizard_lines(app: &App) -> (usize, usize) {
    app.wizard.as_deref().map_or((0, 0), |wizard| wizard::lines(app, wizard, &app.areas()))
}

/// Lines of the pane's text, at its present width.
pub(crate) fn pane_lines(app: &App) -> usize {
    let width = app.areas().pane.map_or(0, |pane| pane.width);
    if width == 0 { 0 } else { details::lay(&app.description(), width, &app.look).len() }
}

/// Lines of an overlay that scrolls.
pub(crate) fn overlay_lines(app: &App) -> usize {
    let areas = app.areas();
    match &app.overlay {
        Some(Overlay::Help { .. }) => help::lay(app, areas.middle.width).len(),
        Some(Overlay::Details { .. }) => {
            details::lay(&app.description(), details::full_width(&areas), &app.look).len()
        }
        Some(Overlay::Bare { text, .. }) => menus::bare_lines(text, areas.whole.width).len(),
        _ => 0,
    }
}

/// How many of those are seen at once.
pub(crate) fn overlay_page(app: &App) -> usize {
    let areas = app.areas();
    match &app.overlay {
        Some(Overlay::Bare { .. }) => areas.whole.height.saturating_sub(1).into(),
        _ => areas.middle.height.into(),
    }
}
