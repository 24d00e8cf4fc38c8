//! thinscope: see, explain and safely change the device-mapper thin pools under container
//! engines.
//!
//! ```text
//!            ┌───────────────────────── pure ─────────────────────────┐
//! host ─▶ sys ─▶ Capture ─▶ probe, owner ─▶ Topology ─▶ advise ─▶ Snapshot ─▶ report, tui
//! ```
//!
//! `src/README.md` is the map of the modules and of who may use whom.

#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]

pub mod advise;
pub mod cli;
pub mod command;
pub mod demo;
pub mod events;
pub mod exec;
pub mod exit;
pub mod format;
pub mod history;
pub mod ids;
pub mod intent;
pub mod model;
pub mod owner;
pub mod plan;
pub mod probe;
pub mod report;
pub mod run;
pub mod settings;
pub mod store;
pub mod survey;
pub mod sys;
pub mod text;
pub mod thinmeta;
pub mod tui;
pub mod units;
