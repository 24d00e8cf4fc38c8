//! The screen: draws snapshots, turns keys into requests.
//!
//! ```text
//! signals, input, snapshots, tick ─▶ run ─▶ App::update ─▶ effects ─▶ run ─▶ requests
//!                                     └───▶ view::draw
//! ```
//!
//! | module | what |
//! |---|---|
//! | `run`, `input`, `terminal` | the loop and the terminal |
//! | `app`, `action`, `keymap` | the state, the one table of actions, their keys |
//! | `outline`, `rows`, `table` | what stands under what, folded and filtered, and where one is |
//! | `cell`, `describe` | facts in words, for a row and for the details |
//! | `wizard` | questions, reviews and runs of changes |
//! | `view` | drawing |
//! | `picture` | a screen as text and as SVG |
//!
//! Knows [`crate::model`], and nothing of how a host is looked at.

mod action;
mod app;
mod areas;
mod blocks;
mod cell;
mod clock;
mod columns;
mod describe;
mod edit;
mod event;
mod filter;
mod glyph;
mod grown;
mod input;
mod keymap;
mod outline;
pub mod picture;
mod rows;
mod run;
mod seen;
mod since;
mod sort;
mod table;
pub mod terminal;
#[cfg(test)]
mod testing;
mod theme;
mod view;
mod why;
mod width;
mod wizard;

#[cfg(test)]
mod tests;

pub use app::{App, Look};
pub use event::{Effect, Event, Notice, Request};
pub use run::{ColorChoice, Ended, ScreenOptions, run};
pub use view::draw;
