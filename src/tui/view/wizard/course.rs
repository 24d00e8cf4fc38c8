//! A run while it goes on, and what came of it.

use super::Sheet;
use super::page::Page;
use crate::exec::Ending;
use crate::exec::desk::Report;
use crate::tui::app::App;
use crate::tui::view::Spans;
use crate::tui::wizard::course::{Course, Stands};
use crate::tui::wizard::{Stage, Wizard};

/// Lines of output that are seen while it runs.
const LINES: usize = 8;

/// The stage.
pub(super) fn sheet(app: &App, course: &Course, width: u16) -> Sheet {
    let mut page = Page::new(&app.look, width);
    match &course.report {
        None => draw_running(&mut page, app, course),
        Some(report) => draw_report(&mut page, course, report),
    }
    let foot = foot(app, course, width);
    Sheet { text: page.lines, offset: course.offset, foot, cursor: None }
}

fn draw_running(page: &mut Page<'_>, app: &App, course: &Course) {
    let theme = page.theme();
    draw_steps(page, course);
    page.blank();
    if let Some((_, step)) = course.current() {
        for argv in step.action.commands() {
            page.command(0, &argv);
        }
        let seconds = app.now_ms.saturating_sub(course.step_began_ms).max(0) / 1000;
        page.text(0, &format!("for {seconds} s"), theme.dim);
    }
    let from = course.lines.len().saturating_sub(LINES);
    for line in course.lines.iter().skip(from) {
        page.led("  ", line, theme.plain);
    }
}

fn draw_steps(page: &mut Page<'_>, course: &Course) {
    let theme = page.theme();
    for ((at, step), stands) in course.plan.steps.iter().enumerate().zip(&course.steps) {
        let (word, style) = match stands {
            Stands::Waits => ("waits   ", theme.dim),
            Stands::Looks => ("looks   ", theme.strong),
            Stands::Runs => ("runs    ", theme.strong),
            Stands::Verified if course.rehearsal => ("would be", theme.good),
            Stands::Verified => ("verified", theme.good),
            Stands::Failed => ("FAILED  ", theme.critical),
            Stands::Refused => ("refused ", theme.critical),
        };
        page.led(&format!("{}. {word}  ", at + 1), &step.action.title(), style);
        if course.report.is_some() && !course.rehearsal && *stands == Stands::Verified {
            for check in &step.after {
                page.led("   seen:     ", &check.to_string(), theme.dim);
            }
        }
    }
}

fn draw_report(page: &mut Page<'_>, course: &Course, report: &Report) {
    let theme = page.theme();
    let done = matches!(report.ending, Ok(Ending::Done));
    let words = in_words(course, report);
    page.text(0, &words, if done { theme.good } else { theme.warning });
    page.blank();
    draw_steps(page, course);
    if done && !course.rehearsal {
        for next in &course.plan.next {
            page.led("next: ", next, theme.plain);
        }
    }
    if !course.lines.is_empty() {
        page.blank();
        page.text(0, "what was printed:", theme.strong);
        for line in &course.lines {
            page.led("  ", line, theme.plain);
        }
    }
}

/// How it ended, and what is possible now.
pub(super) fn in_words(course: &Course, report: &Report) -> String {
    let of = course.plan.steps.len();
    let title = |step: &usize| {
        course.plan.steps.get(*step).map(|step| step.action.title()).unwrap_or_default()
    };
    let done = course.done();
    match &report.ending {
        Ok(Ending::Done) if course.rehearsal => {
            "rehearsed on predictions to its end; nothing was changed".to_owned()
        }
        Ok(Ending::Refused { step, why } | Ending::Failed { step, why }) if course.rehearsal => {
            format!("the rehearsal ended at step {} ({}): {why}", step + 1, title(step))
        }
        Ok(Ending::Done) => {
            format!("done and verified in {:.1} s", report.took.as_secs_f32())
        }
        Ok(Ending::Stopped { done }) => {
            format!("stopped, as asked, after {done} of {of} steps; `thinscope resume` goes on")
        }
        Ok(Ending::Refused { step: 0, why }) => format!("nothing was done: {why}"),
        Ok(Ending::Refused { step, why }) => format!(
            "step {} ({}) was not begun: {why}; the {done} before it are done and verified",
            step + 1,
            title(step)
        ),
        Ok(Ending::Failed { step, why }) => format!(
            "step {} ({}) failed: {why}; {done} of {of} steps are done and verified, and what is \
             wrong now stands in view 4",
            step + 1,
            title(step)
        ),
        Ok(Ending::Undecided { step, why }) => format!(
            "step {} ({}) is not decided: {why}; {done} of {of} steps are done and verified, and \
             `thinscope resume` goes on once that can be seen or was seen to",
            step + 1,
            title(step)
        ),
        Ok(Ending::Running { step, why }) => format!(
            "step {} ({}) still runs: {why}; leave it, and `thinscope resume` when it has ended",
            step + 1,
            title(step)
        ),
        Err(why) => why.clone(),
    }
}

fn foot(app: &App, course: &Course, width: u16) -> Vec<Spans> {
    let mut page = Page::new(&app.look, width);
    let theme = page.theme();
    if let Some(report) = &course.report {
        match &report.id {
            Some(id) => page.led("journal: ", &format!("thinscope journal {id}"), theme.plain),
            None if course.rehearsal => page.text(0, "enter: back to the plan", theme.plain),
            None => page.text(0, "no journal was begun", theme.plain),
        }
        return page.lines;
    }
    if let Some(rescue) = course.rescue() {
        page.led("should all else fail: ", &rescue, theme.plain);
    }
    if course.asks {
        page.text(
            0,
            "It runs. s: finish this step and stop; esc or enter: stay. Nothing is cut off.",
            theme.warning,
        );
    } else if course.stopping {
        page.text(0, "This step is finished, then it stops.", theme.warning);
    } else {
        page.text(0, "s: finish this step and stop", theme.dim);
    }
    page.lines
}

/// For a screen that is too small for more.
pub(in crate::tui::view) fn in_a_line(wizard: &Wizard) -> Option<String> {
    let Stage::Course(course) = &wizard.stage else { return None };
    Some(if let Some(report) = &course.report {
        in_words(course, report)
    } else {
        let at = course.current().map_or(0, |(at, _)| at + 1);
        format!("runs: step {at} of {}", course.plan.steps.len())
    })
}

/// Milliseconds until the time that a step takes is another one.
pub(in crate::tui::view) fn until_change(app: &App, wizard: &Wizard) -> Option<i64> {
    let Stage::Course(course) = &wizard.stage else { return None };
    let since = app.now_ms.saturating_sub(course.step_began_ms).max(0);
    course.runs().then(|| 1000 - since % 1000)
}
