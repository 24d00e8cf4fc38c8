//! View 5: the timeline, the newest event first, with a filter of its own. What was done on this
//! host, from the journal of changes, stands in the same row of events.

use super::{App, View};
use crate::events::Timeline;
use crate::model::Event;
use crate::tui::describe::Line;
use crate::tui::edit::Edit;

/// The timeline and where the person is in it.
#[derive(Debug, Default)]
pub(crate) struct EventsList {
    /// What happened since the screen was opened.
    pub(crate) timeline: Timeline,
    /// The row; 0 is the newest.
    pub(crate) cursor: usize,
    /// The first row shown.
    pub(crate) offset: usize,
    /// What is kept as filter.
    pub(crate) kept: String,
    /// Words in force, also while they are typed.
    words: Vec<String>,
    /// How many events match them.
    matching: usize,
}

impl EventsList {
    /// What matches, the newest first.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &Event> {
        self.timeline.events().rev().filter(|event| self.matches(event))
    }

    /// How many match.
    pub(crate) const fn len(&self) -> usize {
        self.matching
    }

    /// Whether something is filtered out.
    pub(crate) const fn is_filtered(&self) -> bool {
        !self.words.is_empty()
    }

    /// The event the person is on.
    pub(crate) fn selected(&self) -> Option<&Event> {
        self.rows().nth(self.cursor)
    }

    /// Every word stands somewhere in kind, subject or text.
    fn matches(&self, event: &Event) -> bool {
        let (subject, text) = (event.subject.as_str(), event.text.as_str());
        let all = || format!("{} {subject} {text}", event.kind.name()).to_lowercase();
        self.words.is_empty() || {
            let all = all();
            self.words.iter().all(|word| all.contains(word))
        }
    }

    fn set_words(&mut self, text: &str) {
        self.words = text.split_whitespace().map(str::to_lowercase).collect();
        self.count();
    }

    fn count(&mut self) {
        self.matching = self.rows().count();
    }

    /// Adds what happened. Whoever reads an older event stays on it.
    fn add(&mut self, events: Vec<Event>) {
        let above = events.iter().filter(|event| self.matches(event)).count();
        if self.cursor > 0 {
            self.cursor += above;
            self.offset += above;
        }
        for event in events {
            self.timeline.push(event);
        }
        self.count();
    }
}

impl App {
    /// View 5.
    pub(crate) fn show_events(&mut self) {
        self.show(View::Events);
    }

    /// Takes what happened.
    pub(super) fn take_events(&mut self, events: Vec<Event>) {
        for event in &events {
            self.since.hear(event);
        }
        self.events.add(events);
    }

    /// Opens the line for words to filter by.
    pub(super) fn start_event_filter(&mut self) {
        self.prompt = Some(Edit::new(&self.events.kept));
        self.prompt_error = None;
    }

    /// Filters by what is typed so far.
    pub(super) fn filter_events(&mut self, text: &str) {
        self.events.set_words(text);
        (self.events.cursor, self.events.offset, self.pane_offset) = (0, 0, 0);
    }

    /// Keeps the words or goes back to those before.
    pub(super) fn end_event_filter(&mut self, keep: bool) {
        let Some(edit) = self.prompt.take() else { return };
        if keep {
            edit.text().trim().clone_into(&mut self.events.kept);
        } else {
            let kept = self.events.kept.clone();
            self.filter_events(&kept);
        }
    }

    /// No words.
    pub(super) fn clear_event_filter(&mut self) {
        self.events.kept.clear();
        self.filter_events("");
    }

    /// The lines about the selected event.
    pub(super) fn describe_event(&self) -> Vec<Line> {
        let Some(event) = self.events.selected() else { return Vec::new() };
        let mut lines = vec![
            Line::Title(event.subject.to_string()),
            Line::Fact("when".to_owned(), crate::format::date::rfc3339(event.time_ms)),
            Line::Fact("what".to_owned(), event.kind.name().to_owned()),
        ];
        lines.push(match event.severity {
            Some(severity) => Line::Problem(severity, event.text.to_string()),
            None => Line::Text(event.text.to_string()),
        });
        if event.node.is_some() {
            lines.extend([Line::Blank, Line::Text("right: to its place in the tree".to_owned())]);
        }
        lines
    }

    pub(super) fn settle_events(&mut self, height: usize) {
        let count = self.events.len();
        let list = &mut self.events;
        list.cursor = list.cursor.min(count.saturating_sub(1));
        let lowest = list.cursor.saturating_sub(height.saturating_sub(1));
        list.offset = list.offset.clamp(lowest, list.cursor.max(lowest));
    }
}
