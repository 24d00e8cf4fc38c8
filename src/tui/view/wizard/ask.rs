//! The questions, each with what is there now and what is wrong with the answer.

use super::page::{Page, button};
use super::{Cursor, Sheet, parts};
use crate::plan::Planned;
use crate::tui::app::App;
use crate::tui::areas::Areas;
use crate::tui::width::columns;
use crate::tui::wizard::form::{AmountField, ChoiceField, DeviceField, Field, Part};
use crate::tui::wizard::gains::gains;
use crate::tui::wizard::{Wizard, on_screen};

/// Columns of the name of a field, its sign included.
const LABEL: usize = 12;
/// Columns that a size may take before it is cut.
const ROOM: usize = 24;

/// The stage.
pub(super) fn sheet(app: &App, wizard: &Wizard, areas: &Areas, width: u16) -> Sheet {
    let mut page = Page::new(&app.look, width);
    let mut cursor = None;
    let mut here = 0;
    for (at, field) in wizard.form.fields.iter().enumerate() {
        let focused = at == wizard.form.focus;
        if focused {
            here = page.lines.len();
        }
        match field {
            Field::Amount(amount) => {
                if focused {
                    let x = LABEL + 1 + columns(amount.edit.before()).min(ROOM);
                    cursor = Some(Cursor::Text(u16::try_from(x).unwrap_or(0), page.lines.len()));
                }
                draw_amount(&mut page, amount, focused);
            }
            Field::Device(device) => {
                let first = !matches!(
                    at.checked_sub(1).and_then(|at| wizard.form.fields.get(at)),
                    Some(Field::Device(_))
                );
                if first {
                    page.head("disks and partitions that nothing uses (space takes one)");
                    here += usize::from(focused);
                }
                draw_device(&mut page, device, focused);
            }
            Field::Choice(choice) => draw_choice(&mut page, choice, focused),
        }
    }
    if wizard.form.fields.is_empty() {
        draw_waiting(&mut page, wizard);
    }
    let lines = page.lines.len();
    let foot = foot(app, wizard, width);
    let height = usize::from(parts(areas, foot.len()).text.height);
    // a field is seen with what is said of it
    let offset = (here + 4).min(lines).saturating_sub(height);
    Sheet { text: page.lines, offset, foot, cursor }
}

fn draw_amount(page: &mut Page<'_>, field: &AmountField, focused: bool) {
    let theme = page.theme();
    let name = match field.part {
        Part::Data => "data",
        Part::Metadata => "metadata",
        Part::Size => "size",
    };
    let sign = if focused { "> " } else { "  " };
    let label = format!("{sign}{name:width$}[", width = LABEL - 2);
    let label_style = if focused { theme.strong } else { theme.plain };
    let text = field.edit.text();
    let pad = " ".repeat(ROOM.saturating_sub(columns(&text)));
    let mut spans =
        vec![(label, label_style), (text, theme.strong), (format!("{pad}]"), label_style)];
    if !field.touched && !field.edit.text().is_empty() {
        spans.push(("  suggested".to_owned(), theme.dim));
    }
    page.spans(spans);
    page.text(LABEL + 1, &field.now, theme.dim);
    if !field.room.is_empty() {
        page.text(LABEL + 1, &field.room, theme.dim);
    }
    if let Some(why) = &field.wrong {
        page.led(&format!("{:indent$}! ", "", indent = LABEL - 1), &on_screen(why), theme.warning);
    }
}

fn draw_device(page: &mut Page<'_>, device: &DeviceField, focused: bool) {
    let theme = page.theme();
    let sign = if focused { "> " } else { "  " };
    let taken = if device.taken { "[x] " } else { "[ ] " };
    let style = if focused { theme.strong } else { theme.plain };
    page.spans(vec![
        (format!("{sign}{taken}"), style),
        (device.path.clone(), style),
        (format!("  {}  ", device.about), theme.plain),
        (device.holds.clone(), theme.dim),
    ]);
    if let Some(why) = &device.wrong {
        page.led("      ! ", &on_screen(why), theme.warning);
    }
}

fn draw_choice(page: &mut Page<'_>, choice: &ChoiceField, focused: bool) {
    let theme = page.theme();
    let sign = if focused { "> " } else { "  " };
    let yes = if choice.yes { "[x] yes: " } else { "[ ] no:  " };
    let style = if focused { theme.strong } else { theme.plain };
    page.spans(vec![(format!("{sign}{yes}{}  (space)", choice.question), style)]);
    page.text(LABEL + 1, choice.about, theme.dim);
}

fn draw_waiting(page: &mut Page<'_>, wizard: &Wizard) {
    let theme = page.theme();
    match &wizard.outcome {
        None => page.text(0, "looking why it is not there ...", theme.dim),
        Some(Err(refusal)) => {
            page.text(0, "This cannot be done:", theme.strong);
            page.blank();
            page.text(2, &on_screen(&refusal.why), theme.warning);
        }
        Some(Ok(Planned::Nothing { why })) => page.text(0, why, theme.plain),
        Some(Ok(Planned::Plan(_))) => page.text(0, "making a plan ...", theme.dim),
    }
}

/// What comes of the answers, and the way on.
fn foot(app: &App, wizard: &Wizard, width: u16) -> Vec<crate::tui::view::Spans> {
    let mut page = Page::new(&app.look, width);
    let theme = page.theme();
    if wizard.form.fields.is_empty() {
        return page.lines;
    }
    match &wizard.outcome {
        None if wizard.wants_review => {
            page.text(0, "looking at what is around; the review opens then ...", theme.plain);
        }
        None => page.text(0, "looking at what is around ...", theme.dim),
        // each field says itself what is wrong with it
        Some(Err(_)) if wizard.form.has_wrong() => page.text(0, "not yet", theme.warning),
        Some(Err(refusal)) => page.text(0, &on_screen(&refusal.why), theme.warning),
        Some(Ok(Planned::Nothing { why })) => page.text(0, why, theme.plain),
        Some(Ok(Planned::Plan(plan))) => {
            let before = app.seen.topology();
            let gains = gains(before, &plan.predict(before), &wizard.target).join("; ");
            page.text(0, &gains, theme.good);
            for warning in &plan.warnings {
                page.led("! ", warning, theme.warning);
            }
        }
    }
    let sizes = wizard.form.fields.iter().any(|field| matches!(field, Field::Amount(_)));
    let all = if wizard.form.has_group { ", 100%FREE all that is free" } else { "" };
    if sizes {
        page.text(0, &format!("20G in all, +5G more{all}, empty: as it is"), theme.dim);
    }
    let mut spans = button("Review the plan", wizard.form.at_end(), theme);
    if let Some(why) = wizard.forbidden() {
        spans.push((format!("  nothing will run: {why}"), theme.dim));
    }
    page.spans(spans);
    page.lines
}
