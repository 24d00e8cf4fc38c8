//! The first lines: whose host, how old the picture is, who is silent, and the gravest trouble.

use super::Spans;
use super::pen::{Pen, on};
use crate::format::date;
use crate::model::SourceAge;
use crate::tui::app::{App, View};
use crate::tui::areas::Areas;
use crate::tui::cell::name::count;
use crate::tui::clock;
use crate::tui::describe::severity_word;
use crate::tui::seen::is_loading;
use crate::tui::width::columns;

/// Header and line of trouble.
pub(super) fn draw(pen: &mut Pen<'_>, app: &App, areas: &Areas) {
    let area = areas.header;
    let spans = header(app);
    pen.spans(area.x + 1, area.y, area.width.saturating_sub(1), &spans);
    if let Some(line) = areas.trouble {
        draw_trouble(pen, app, line);
    }
}

fn header(app: &App) -> Spans {
    let theme = &app.look.theme;
    let snapshot = &app.seen.snapshot;
    let gap = || ("   ".to_owned(), theme.plain);
    let mut spans = vec![("thinscope".to_owned(), theme.title), ("  ".to_owned(), theme.plain)];
    spans.push((snapshot.host.name.to_string(), theme.strong));
    if let Some(banner) = recorded(app) {
        spans.extend([gap(), (banner, theme.warning)]);
    }
    let pools = u32::try_from(snapshot.topology.pools.len()).unwrap_or(u32::MAX);
    spans.extend([gap(), (count(pools, "pool"), theme.plain)]);
    if app.view == View::Layers {
        spans.extend([gap(), ("layers".to_owned(), theme.head)]);
    }
    if let Some(age) = oldest(app) {
        spans.extend([gap(), (format!("oldest look {}", clock::age(age)), theme.plain)]);
    }
    for source in &snapshot.sources {
        if let Some((text, grave)) = silence(app, source) {
            spans.extend([gap(), (text, if grave { theme.warning } else { theme.dim })]);
        }
    }
    let gaps = u32::try_from(snapshot.gaps.len()).unwrap_or(u32::MAX);
    if gaps > 0 {
        spans.extend([gap(), (format!("{} (4)", count(gaps, "gap")), theme.warning)]);
    }
    spans
}

/// What a recording says on every screen.
pub(super) fn recorded(app: &App) -> Option<String> {
    let time = app.seen.recorded_at()?;
    Some(format!("recorded {}, nothing runs", date::moment(time)))
}

/// The age of the oldest answer of a living host.
fn oldest(app: &App) -> Option<i64> {
    app.seen.recorded_at().is_none().then_some(())?;
    let answered = app.seen.snapshot.sources.iter().filter_map(|source| source.answered_at_ms);
    Some(app.now_ms.saturating_sub(answered.min()?))
}

/// What is said of a source that does not answer, and whether that is more than a first wait.
fn silence(app: &App, source: &SourceAge) -> Option<(String, bool)> {
    if app.seen.recorded_at().is_some() {
        return None;
    }
    if let Some((done, of)) = source.progress {
        let percent = done.saturating_mul(100).checked_div(of).unwrap_or(0).min(100);
        return Some((format!("{}: {percent}% read (m stops)", source.source), false));
    }
    if is_loading(source) {
        return Some((format!("{}: reading", source.source), false));
    }
    source.silent.then(|| {
        let since = source.answered_at_ms.or(source.asking_since_ms);
        let age = since.map_or(0, |since| app.now_ms.saturating_sub(since));
        (format!("{}: no answer {}", source.source, clock::age(age)), true)
    })
}

/// Milliseconds until a text changes by itself: in the header, or the time a run takes.
pub(crate) fn until_change(app: &App) -> Option<i64> {
    let runs = app.wizard.as_deref().and_then(|wizard| super::wizard::until_change(app, wizard));
    [until_header_changes(app), runs].into_iter().flatten().min()
}

fn until_header_changes(app: &App) -> Option<i64> {
    if app.seen.recorded_at().is_some() {
        return None;
    }
    let silent = app.seen.snapshot.sources.iter().filter(|source| source.silent);
    let silent = silent.filter_map(|source| source.answered_at_ms.or(source.asking_since_ms));
    let ages = silent.map(|since| app.now_ms.saturating_sub(since)).chain(oldest(app));
    ages.map(clock::until_change).chain(until_trouble_changes(app)).min()
}

fn until_trouble_changes(app: &App) -> Option<i64> {
    app.since.words(app.seen.gravest()?, &app.seen.snapshot, app.now_ms)?.1
}

fn draw_trouble(pen: &mut Pen<'_>, app: &App, line: ratatui::layout::Rect) {
    let Some(finding) = app.seen.gravest() else { return };
    let theme = &app.look.theme;
    let others = app.seen.snapshot.findings.len() - 1;
    let style = theme.severity(finding.severity);
    let timed = app.since.words(finding, &app.seen.snapshot, app.now_ms);
    let summary = timed.map_or_else(|| finding.summary.clone(), |(words, _)| words);
    let text = format!("! {}: {summary}", severity_word(finding.severity));
    let plain = |text: &str| (text.to_owned(), theme.plain);
    let mut keys: Spans = vec![plain("   "), ("f".to_owned(), theme.key), plain(" why")];
    if app.is_cured_here(finding) {
        keys.extend([plain("  "), ("w".to_owned(), theme.key), plain(" cure")]);
    }
    let more = format!("   +{others} more (4)");
    // how many more there are is said where the sentence leaves room for it
    if others > 0 && columns(&text) + columns(&more) + 9 <= line.width.into() {
        keys.push((more, theme.plain));
    }
    let taken: usize = keys.iter().map(|(text, _)| text.len()).sum();
    let room = line.width.saturating_sub(1 + u16::try_from(taken).unwrap_or(0));
    let after = pen.text(on(line.x + 1, line.y, room), &text, style);
    pen.spans(after, line.y, line.right().saturating_sub(after), &keys);
}
