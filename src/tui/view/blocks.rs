//! View 3: the pool's data as a strip of cells, each a letter and a colour.

use ratatui::style::{Color, Style};

use super::Spans;
use super::pen::{Pen, on};
use super::table::draw_wall;
use crate::format;
use crate::model::Holder;
use crate::model::block::SpaceSort;
use crate::tui::app::App;
use crate::tui::areas::Areas;
use crate::tui::blocks::{By, Nothing, Sort, map_of};
use crate::units::DataBlocks;

/// Draws the strip and its legend.
pub(super) fn draw(pen: &mut Pen<'_>, app: &App, areas: &Areas) {
    let head = areas.head;
    let legend = legend(app);
    pen.spans(head.x + 1, head.y, head.width.saturating_sub(1), &legend);
    if let Some(wall) = areas.wall {
        draw_wall(pen, app, wall, areas.body);
    }
    let topology = app.seen.topology();
    let pool = app.strip.pool.and_then(|ix| topology.pools.get(ix.0 as usize));
    if let Err(why) = map_of(pool) {
        let body = areas.body;
        let text = nothing(why);
        pen.text(on(body.x + 1, body.y, body.width.saturating_sub(1)), text, pen.theme.plain);
        return;
    }
    draw_cells(pen, app, areas);
}

const fn nothing(why: Nothing) -> &'static str {
    match why {
        Nothing::NoPool => "no pool was seen",
        Nothing::NotRead => "the pool's metadata was not read: view 4 says why",
        Nothing::NoMappings => "it was not read who uses which block: m reads it",
        Nothing::Scattered => "the pool's blocks are too scattered for a picture",
    }
}

fn draw_cells(pen: &mut Pen<'_>, app: &App, areas: &Areas) {
    let (strip, body) = (&app.strip, areas.body);
    let cursor = strip.cell().map(|(at, _)| at);
    for (at, cell) in strip.cells.iter().enumerate() {
        let (row, column) = (at / strip.width, at % strip.width);
        let (Ok(row), Ok(column)) = (u16::try_from(row), u16::try_from(column)) else { break };
        if row >= body.height {
            break;
        }
        let (sign, mut style) = match cell.sorts.first() {
            Some((sort, _)) => (letter(*sort), colour(*sort, app)),
            None => (if pen.glyphs.ascii { "." } else { pen.glyphs.dot }, pen.theme.dim),
        };
        if cell.used() > 0 && cell.used() * 2 < cell.blocks {
            style = style.add_modifier(ratatui::style::Modifier::DIM);
        }
        if cursor == Some(at) {
            style = pen.theme.selected;
        }
        pen.raw(on(body.x + 1 + column, body.y + row, 1), sign, style);
    }
}

/// The letter of a sort: state is never by colour alone.
const fn letter(sort: Sort) -> &'static str {
    match sort {
        Sort::Of(Holder::Base) => "b",
        Sort::Of(Holder::Images) => "i",
        Sort::Of(Holder::BuildCache) => "u",
        Sort::Of(Holder::Containers) => "c",
        Sort::Of(Holder::Volumes) => "v",
        Sort::Of(Holder::Unknown) => "?",
        Sort::Of(Holder::Leaked) => "x",
        Sort::Of(Holder::MetadataSnapshot) => "m",
        Sort::Of(Holder::Pending) => "w",
        Sort::Of(Holder::Lost) => "!",
        Sort::Alone | Sort::Own(SpaceSort::Alone) => "A",
        Sort::Shared | Sort::Own(SpaceSort::Shared) => "S",
        Sort::Other => "o",
        Sort::Own(SpaceSort::Same) => "=",
        Sort::Own(SpaceSort::Different) => "d",
        Sort::Own(SpaceSort::Added) => "+",
        Sort::Own(SpaceSort::Lacking) => "-",
    }
}

/// Blue, yellow, cyan and magenta stay apart for people who tell red from green with effort.
fn colour(sort: Sort, app: &App) -> Style {
    let theme = &app.look.theme;
    // without colours letters and bold must do
    if theme.good.fg.is_none() {
        return match sort {
            Sort::Alone
            | Sort::Own(SpaceSort::Alone | SpaceSort::Different | SpaceSort::Added)
            | Sort::Of(Holder::Leaked | Holder::Lost) => theme.strong,
            _ => theme.plain,
        };
    }
    let fg = |colour| theme.plain.fg(colour);
    match sort {
        Sort::Of(Holder::Base) | Sort::Own(SpaceSort::Added) => fg(Color::Cyan),
        Sort::Of(Holder::Images)
        | Sort::Shared
        | Sort::Own(SpaceSort::Shared | SpaceSort::Same) => fg(Color::Blue),
        Sort::Of(Holder::BuildCache | Holder::Volumes) => theme.plain,
        Sort::Of(Holder::Containers)
        | Sort::Alone
        | Sort::Own(SpaceSort::Alone | SpaceSort::Different) => fg(Color::Yellow),
        Sort::Of(Holder::Leaked | Holder::Lost) | Sort::Own(SpaceSort::Lacking) => {
            fg(Color::Magenta)
        }
        Sort::Of(Holder::Unknown | Holder::MetadataSnapshot | Holder::Pending) | Sort::Other => {
            theme.dim
        }
    }
}

/// The word of a sort.
pub(crate) const fn word(sort: Sort) -> &'static str {
    match sort {
        Sort::Of(holder) => holder.name(),
        Sort::Alone => "this device alone",
        Sort::Shared => "this device and others",
        Sort::Other => "others",
        Sort::Own(SpaceSort::Alone) => "mapped, alone",
        Sort::Own(SpaceSort::Shared) => "mapped, shared",
        Sort::Own(SpaceSort::Same) => "the same in both",
        Sort::Own(SpaceSort::Different) => "different",
        Sort::Own(SpaceSort::Added) => "only here",
        Sort::Own(SpaceSort::Lacking) => "only in the other",
    }
}

/// Which letters there are and what they hold, over all of the pool.
fn legend(app: &App) -> Spans {
    let theme = &app.look.theme;
    let topology = app.seen.topology();
    let Some(pool) = app.strip.pool.and_then(|ix| topology.pools.get(ix.0 as usize)) else {
        return vec![("BLOCKS".to_owned(), theme.head)];
    };
    let block = pool.block_size.unwrap_or_default();
    let size = |blocks: u64| format::short(DataBlocks(blocks).bytes(block));
    let cell = format!("  {} a cell  ", size(app.strip.per_cell));
    let mut spans = vec![(pool.name.to_string(), theme.head), (cell, theme.dim)];
    let mut add = |sort: Sort, what: String| {
        spans.push((letter(sort).to_owned(), colour(sort, app)));
        spans.push((format!(" {what}  "), theme.plain));
    };
    match app.strip.by {
        By::Owner => {
            for (holder, blocks) in topology.holders(pool).unwrap_or_default() {
                add(Sort::Of(holder), format!("{} {}", holder.name(), size(blocks.get())));
            }
        }
        By::Sharing => {
            add(Sort::Alone, "alone".to_owned());
            add(Sort::Shared, "shared".to_owned());
            add(Sort::Other, "others".to_owned());
        }
        By::Own => {
            let compared = app.strip.space.as_ref().is_some_and(|space| space.other.is_some());
            let sorts: &[SpaceSort] = if compared {
                &[SpaceSort::Same, SpaceSort::Different, SpaceSort::Added, SpaceSort::Lacking]
            } else {
                &[SpaceSort::Alone, SpaceSort::Shared]
            };
            for sort in sorts {
                add(Sort::Own(*sort), word(Sort::Own(*sort)).to_owned());
            }
        }
    }
    spans
}
