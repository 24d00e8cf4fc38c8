//! Details of the selected: beside the list, in four lines below it, or over the whole screen.

use ratatui::layout::Rect;

use super::Spans;
use super::pen::{Pen, on};
use crate::format;
use crate::tui::app::{App, Focus, Look};
use crate::tui::areas::Areas;
use crate::tui::describe::{Line, refusal, severity_word};
use crate::tui::width::{certain, columns, cut_middle, wrap};
use crate::units::{Bytes, ratio};

/// Columns for the names of facts, where they fit.
const LABEL: usize = 12;
/// Cells of a gauge.
const GAUGE: usize = 10;
/// Where docker refuses, within a gauge.
const STOP: &str = "|";
/// Lines longer than this are hard to read.
const WIDEST: u16 = 100;

/// The pane at the right, or the lines at the foot.
pub(super) fn draw_beside(pen: &mut Pen<'_>, app: &App, areas: &Areas) {
    if let Some(pane) = areas.pane {
        draw_lines(pen, app, pane, app.pane_offset);
        if app.focus == Focus::Pane {
            let title = Rect { height: 1, ..pane };
            pen.style(title, pen.theme.selected);
        }
    } else if let Some(foot) = areas.foot {
        draw_foot(pen, app, foot);
    }
}

/// Over the whole screen.
pub(super) fn draw_full(pen: &mut Pen<'_>, app: &App, areas: &Areas, offset: usize) {
    let area = Rect { x: 1, width: full_width(areas), ..areas.middle };
    draw_lines(pen, app, area, offset);
}

/// The width of the text over the whole screen.
pub(super) fn full_width(areas: &Areas) -> u16 {
    areas.middle.width.saturating_sub(2).min(WIDEST)
}

fn draw_lines(pen: &mut Pen<'_>, app: &App, area: Rect, offset: usize) {
    let lines = lay(&app.description(), area.width, &app.look);
    let visible = lines.iter().skip(offset).take(area.height.into());
    for (y, spans) in (area.top()..area.bottom()).zip(visible) {
        pen.spans(area.x, y, area.width, spans);
    }
    if lines.len() > offset + usize::from(area.height) && area.height > 0 {
        let more = format!(" {} ", pen.glyphs.descending);
        pen.right(on(area.x, area.bottom() - 1, area.width), &more, pen.theme.head);
    }
}

/// The lines of a description at a width.
pub(super) fn lay(lines: &[Line], width: u16, look: &Look) -> Vec<Spans> {
    let width = usize::from(width).max(8);
    let theme = &look.theme;
    let mut out: Vec<Spans> = Vec::new();
    for line in lines {
        let style = match line {
            Line::Title(_) => theme.title,
            Line::Head(_) => theme.head,
            Line::Problem(severity, _) => theme.severity(*severity),
            _ => theme.plain,
        };
        match line {
            Line::Title(text) => {
                let text = certain(text, look.glyphs.ascii);
                let cut = cut_middle(&text, width, look.glyphs.cut).into_owned();
                out.push(vec![(cut, style)]);
            }
            Line::Text(text) => lay_text(&mut out, text, width, style),
            Line::Head(text) => out.push(vec![((*text).to_owned(), style)]),
            Line::Problem(severity, text) => {
                let text = format!("{}: {text}", severity_word(*severity));
                lay_text(&mut out, &text, width, style);
            }
            Line::Fact(label, value) => lay_fact(&mut out, label, value, width, look),
            Line::Gauge { label, used, total, stop } => {
                lay_gauge(&mut out, label, (*used, *total, *stop), look);
            }
            Line::Spark(steps, over) => {
                let text = format!(" over {}", format::about(*over));
                let bars = (format!("  {}", spark(steps, look)), theme.good);
                out.push(vec![bars, (text, theme.dim)]);
            }
            Line::Blank => out.push(Vec::new()),
        }
    }
    out
}

fn lay_text(out: &mut Vec<Spans>, text: &str, width: usize, style: ratatui::style::Style) {
    // a command stands in, on all of its lines
    let (text, indent) = text.strip_prefix("    ").map_or((text, ""), |text| (text, "  "));
    let lines = wrap(text, width.saturating_sub(indent.len()));
    out.extend(lines.into_iter().map(|line| vec![(format!("{indent}{line}"), style)]));
}

fn lay_fact(out: &mut Vec<Spans>, label: &str, value: &str, width: usize, look: &Look) {
    let theme = &look.theme;
    let aligned = columns(label) < LABEL;
    let label = if aligned { format!("{label:LABEL$}") } else { format!("{label} ") };
    let room = width.saturating_sub(columns(&label));
    let value = certain(value, look.glyphs.ascii);
    // what does not fit beside its name, and would be torn there, goes below it
    let torn = value.split(' ').any(|word| columns(word) > room);
    let below = columns(&value) > room && (torn || room < width / 2);
    let lines = wrap(&value, if below { width - 2 } else { room });
    let mut lines = lines.into_iter();
    let first = if below { None } else { lines.next() };
    out.push(vec![(label.clone(), theme.dim), (first.unwrap_or_default(), theme.plain)]);
    let indent = if below { 2 } else { columns(&label) };
    out.extend(lines.map(|line| vec![(format!("{:indent$}{line}", ""), theme.plain)]));
}

fn lay_gauge(
    out: &mut Vec<Spans>,
    label: &str,
    (used, total, stop): (Bytes, Bytes, Option<u64>),
    look: &Look,
) {
    let theme = &look.theme;
    let part = ratio(used.get(), total.get()).unwrap_or(0.0);
    let style = match part {
        0.0..0.8 => theme.good,
        0.8..0.95 => theme.warning,
        _ => theme.critical,
    };
    let (bar, percent) = gauge(part, stop, look);
    out.push(vec![
        (format!("{label} "), theme.strong),
        (bar, style),
        (format!(" {percent}"), theme.strong),
    ]);
    let text = format!("  {} of {}", format::long(used), format::long(total));
    out.push(vec![(text, theme.plain)]);
    if let Some(stop) = stop {
        out.push(vec![(format!("  {STOP} {}", refusal(stop)), theme.dim)]);
    }
}

/// A bar for each step, of the height that it was full; a blank where nobody looked.
fn spark(steps: &[Option<u8>], look: &Look) -> String {
    let bars = look.glyphs.bars;
    let bar = |step: &Option<u8>| match step {
        // the lowest is not nothing, and the highest is full
        Some(percent) => bars[usize::from(*percent) * (bars.len() - 1) / 100],
        None => " ",
    };
    steps.iter().map(bar).collect()
}

/// A bar and its percentage. A full one is full; what is not quite is never drawn as full.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "held between 0 and the ten cells of the bar"
)]
fn gauge(part: f64, stop: Option<u64>, look: &Look) -> (String, String) {
    let glyphs = look.glyphs;
    let part = part.clamp(0.0, 1.0);
    let cells = (part * GAUGE as f64).floor() as usize;
    let cells = if part > 0.0 { cells.max(1) } else { 0 }.min(GAUGE);
    let stop = stop.and_then(|stop| usize::try_from(stop).ok()).map(|stop| stop * GAUGE / 100);
    let cell = |at: usize| match at {
        _ if Some(at) == stop => STOP,
        _ if at < cells => glyphs.full,
        _ => glyphs.empty,
    };
    let bar: String = (0..GAUGE).map(cell).collect();
    let bar = format!("{}{bar}{}", glyphs.gauge_left, glyphs.gauge_right);
    let percent = part * 100.0;
    let percent = if percent >= 99.95 && part < 1.0 { 99.9 } else { percent };
    let text = if percent >= 10.0 || percent == 0.0 {
        format!("{:.0}%", percent.floor())
    } else {
        format!("{percent:.1}%")
    };
    (bar, text)
}

fn draw_foot(pen: &mut Pen<'_>, app: &App, foot: Rect) {
    let lines = app.description();
    pen.rule(foot.x, foot.y, foot.width);
    let title = lines.iter().find_map(|line| match line {
        Line::Title(text) => Some(text.as_str()),
        _ => None,
    });
    if let Some(title) = title {
        let title = certain(title, pen.glyphs.ascii).into_owned();
        let title = cut_middle(&title, usize::from(foot.width).saturating_sub(6), pen.glyphs.cut);
        pen.raw(on(foot.x + 2, foot.y, foot.width), &format!(" {title} "), pen.theme.title);
    }
    let rows = flow(&lines, foot.width.saturating_sub(2), &app.look);
    for (y, spans) in (foot.top() + 1..foot.bottom()).zip(&rows) {
        pen.spans(foot.x + 1, y, foot.width.saturating_sub(2), spans);
    }
}

/// Facts one after another, as many as a few lines hold.
fn flow(lines: &[Line], width: u16, look: &Look) -> Vec<Spans> {
    let theme = &look.theme;
    let mut rows: Vec<Spans> = vec![Vec::new()];
    let mut used = 0;
    for line in lines {
        let piece: Spans = match line {
            Line::Problem(severity, text) => vec![(text.clone(), theme.severity(*severity))],
            Line::Text(text) => vec![(text.clone(), theme.plain)],
            Line::Fact(label, value) => {
                vec![(format!("{label} "), theme.dim), (value.clone(), theme.plain)]
            }
            Line::Gauge { label, used, total, stop } => {
                let (bar, percent) =
                    gauge(ratio(used.get(), total.get()).unwrap_or(0.0), *stop, look);
                let of = format!(" {percent}, {} of {}", format::long(*used), format::long(*total));
                vec![(format!("{label} "), theme.dim), (bar, theme.good), (of, theme.plain)]
            }
            Line::Title(_) | Line::Head(_) | Line::Spark(..) | Line::Blank => continue,
        };
        let long: usize = piece.iter().map(|(text, _)| columns(text)).sum();
        let row = rows.last_mut().filter(|row| row.is_empty() || used + 3 + long <= width.into());
        if let Some(row) = row {
            if !row.is_empty() {
                row.push(("   ".to_owned(), theme.plain));
                used += 3;
            }
            row.extend(piece);
            used += long;
        } else {
            rows.push(piece);
            used = long;
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(part: f64) -> String {
        let (bar, percent) = gauge(part, None, &Look::new(true, false));
        format!("{bar}{percent}")
    }

    #[test]
    fn a_gauge_is_full_only_when_all_is_used() {
        assert_eq!(shown(0.0), "[..........]0%");
        assert_eq!(shown(0.001), "[#.........]0.1%");
        assert_eq!(shown(0.61), "[######....]61%");
        assert_eq!(shown(0.9999), "[#########.]99%");
        assert_eq!(shown(1.0), "[##########]100%");
    }

    #[test]
    fn a_spark_has_a_bar_for_each_step_and_blanks_where_nobody_looked() {
        let steps = [Some(0), Some(13), None, Some(50), Some(99), Some(100)];
        assert_eq!(
            spark(&steps, &Look::new(false, false)),
            "\u{2581}\u{2581} \u{2584}\u{2587}\u{2588}"
        );
        assert_eq!(spark(&steps, &Look::new(true, false)), "__ -=#");
    }

    #[test]
    fn long_values_go_below_their_names_unbroken() {
        let mut out = Vec::new();
        lay_fact(&mut out, "container", &"a".repeat(30), 34, &Look::new(true, false));
        let text: Vec<String> =
            out.iter().map(|spans| spans.iter().map(|(text, _)| text.as_str()).collect()).collect();
        assert_eq!(text, ["container   ".to_owned(), format!("  {}", "a".repeat(30))]);
    }
}
