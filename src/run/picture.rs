//! `thinscope __picture`: the screen of a recorded host as SVG or text, for documents.
//!
//! Not offered to anybody: `assets/` holds what it makes.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;

use super::{Trouble, host, print};
use crate::exit::Exit;
use crate::probe::LookOptions;
use crate::probe::metadata::{Depth, Wish};
use crate::survey::{self, LookPlan, Place};
use crate::tui::picture;

/// The word that stands for it.
pub(super) const WORD: &str = "__picture";

/// Draws the screen of a recorded host.
#[derive(Debug, Parser)]
#[command(name = "thinscope __picture")]
struct Arguments {
    /// A recording
    #[arg(long, conflicts_with = "demo")]
    from: Option<PathBuf>,
    /// A built-in recording; the first one without a name
    #[arg(long)]
    demo: Option<String>,
    /// Columns and rows
    #[arg(long, default_value = "100x30", value_parser = parse_size)]
    size: (u16, u16),
    /// Keys to press first: `jjl`, `2<enter>`
    #[arg(long, default_value = "")]
    keys: String,
    /// With ASCII only
    #[arg(long)]
    ascii: bool,
    /// With who shares what, as the screen reads it unasked
    #[arg(long)]
    sharing: bool,
    /// As text instead of SVG
    #[arg(long)]
    text: bool,
}

/// Draws what the arguments behind the word say.
pub(super) fn run(arguments: &[OsString]) -> Result<Exit, Trouble> {
    let typed =
        Arguments::try_parse_from(arguments).map_err(|error| Trouble::usage(error.to_string()))?;
    let place = match &typed.from {
        Some(file) => Place::File(file.clone()),
        None => host::recorded(typed.demo.as_deref())?,
    };
    let mut plan = LookPlan::new(place, LookOptions::default());
    if typed.sharing {
        plan.metadata = Wish::of(Depth::Mappings);
    }
    let looked = survey::look_once(&plan)?;
    let drawn = picture::render(Arc::new(looked.snapshot), typed.size, &typed.keys, typed.ascii)
        .map_err(|error| Trouble::usage(error.to_string()))?;
    let text = if typed.text { drawn.text } else { drawn.svg };
    print::stdout(|out| out.write_all(text.as_bytes()))
}

fn parse_size(text: &str) -> Result<(u16, u16), String> {
    let size = text
        .split_once('x')
        .and_then(|(columns, rows)| Some((columns.parse().ok()?, rows.parse().ok()?)));
    size.ok_or_else(|| "not of the form COLUMNSxROWS".to_owned())
}
