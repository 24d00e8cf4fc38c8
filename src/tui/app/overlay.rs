//! What lies over a view: help, palette, menus, text to copy, details over the whole screen.

use super::{App, Move};
use crate::tui::action::{self, Action};
use crate::tui::columns::Column;
use crate::tui::edit::Edit;
use crate::tui::event::Effect;
use crate::tui::sort::Sorting;
use crate::tui::view;
use crate::tui::wizard::offer::Offer;

/// A line of the menu of things to copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// What it is.
    pub(crate) label: String,
    /// What is copied.
    pub(crate) text: String,
}

/// What lies over a view.
#[derive(Clone, Debug)]
pub(crate) enum Overlay {
    /// Every action and sign.
    Help {
        /// First line shown.
        offset: usize,
    },
    /// Every action by name.
    Palette {
        /// What is typed.
        edit: Edit,
        /// Which of those found.
        cursor: usize,
    },
    /// The columns to sort by.
    Sort {
        /// Which.
        cursor: usize,
    },
    /// The wizards.
    Wizards {
        /// Which there are.
        offers: Vec<Offer>,
        /// Which one.
        cursor: usize,
    },
    /// Things to copy.
    Copy {
        /// Which there are.
        choices: Vec<Choice>,
        /// Which one.
        cursor: usize,
    },
    /// A text alone, for copying by hand.
    Bare {
        /// The text.
        text: String,
        /// First line shown.
        offset: usize,
    },
    /// Details of the selected.
    Details {
        /// First line shown.
        offset: usize,
    },
}

impl App {
    /// The help, or away with it.
    pub(crate) fn show_help(&mut self) {
        let shown = matches!(self.overlay, Some(Overlay::Help { .. }));
        self.overlay = (!shown).then_some(Overlay::Help { offset: 0 });
        self.prompt = None;
    }

    /// The palette.
    pub(crate) fn show_palette(&mut self) {
        self.overlay = Some(Overlay::Palette { edit: Edit::default(), cursor: 0 });
    }

    /// The actions that the palette lists.
    pub(crate) fn found_actions(&self) -> Vec<&'static Action> {
        match &self.overlay {
            Some(Overlay::Palette { edit, .. }) => action::search(&edit.text()),
            _ => Vec::new(),
        }
    }

    /// The menu of columns.
    pub(crate) fn choose_sort(&mut self) {
        let sorted_by = self.table().sorting.map(|by| by.column);
        let at = Column::ALL.iter().position(|column| Some(*column) == sorted_by);
        self.overlay = Some(Overlay::Sort { cursor: at.map_or(0, |at| at + 1) });
    }

    pub(super) fn go_in_overlay(&mut self, step: Move) {
        let found = self.found_actions().len();
        let page = usize::from(self.size.height).saturating_sub(4);
        let lines = view::overlay_lines(self);
        match &mut self.overlay {
            Some(Overlay::Palette { cursor, .. }) => *cursor = step.from(*cursor, found, page),
            Some(Overlay::Sort { cursor }) => {
                *cursor = step.from(*cursor, Column::ALL.len() + 1, page);
            }
            Some(Overlay::Copy { cursor, choices }) => {
                *cursor = step.from(*cursor, choices.len(), page);
            }
            Some(Overlay::Wizards { cursor, offers }) => {
                *cursor = step.from(*cursor, offers.len(), page);
            }
            Some(
                Overlay::Help { offset }
                | Overlay::Bare { offset, .. }
                | Overlay::Details { offset },
            ) => *offset = step.from(*offset, lines, page),
            None => {}
        }
    }

    /// Takes what is chosen in a menu.
    pub(super) fn choose(&mut self) {
        let found = self.found_actions();
        match self.overlay.take() {
            Some(Overlay::Palette { cursor, .. }) => match found.get(cursor) {
                Some(action) if action.contexts.has(self.context()) => (action.run)(self),
                Some(action) => {
                    self.notice = Some(format!("{} means nothing in this view", action.name));
                }
                None => self.notice = Some("no action of that name".to_owned()),
            },
            Some(Overlay::Sort { cursor }) => {
                self.sort_by(cursor.checked_sub(1).and_then(|at| Column::ALL.get(at)).copied());
            }
            Some(Overlay::Wizards { offers, cursor }) => {
                if let Some(offer) = offers.into_iter().nth(cursor) {
                    self.take_offer(offer);
                }
            }
            Some(Overlay::Copy { choices, cursor }) => {
                if let Some(choice) = choices.into_iter().nth(cursor) {
                    self.effects.push(Effect::Copy(choice.text.clone()));
                    self.overlay = Some(Overlay::Bare { text: choice.text, offset: 0 });
                }
            }
            Some(Overlay::Help { .. } | Overlay::Bare { .. } | Overlay::Details { .. }) | None => {}
        }
    }

    fn sort_by(&mut self, column: Option<Column>) {
        let table = self.table_mut();
        table.sorting = match (column, table.sorting) {
            (None, _) => None,
            (Some(column), Some(now)) if now.column == column => {
                Some(Sorting { column, descending: !now.descending })
            }
            (Some(column), _) => Some(Sorting::by(column)),
        };
        table.outdate();
    }

    /// Holds scrolling within the text.
    pub(super) fn settle_overlay(&mut self) {
        if self.pane_offset > 0 {
            let page = usize::from(self.areas().pane.map_or(0, |pane| pane.height));
            self.pane_offset = self.pane_offset.min(self.pane_lines().saturating_sub(page));
        }
        let (lines, page) = (view::overlay_lines(self), view::overlay_page(self));
        if let Some(
            Overlay::Help { offset } | Overlay::Bare { offset, .. } | Overlay::Details { offset },
        ) = &mut self.overlay
        {
            *offset = (*offset).min(lines.saturating_sub(page));
        }
    }
}
