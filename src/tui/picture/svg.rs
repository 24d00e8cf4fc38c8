//! Cells as SVG: one text element for each run of equal style, lines and blocks drawn as shapes
//! so that they meet whatever the font.

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

/// Pixels of a cell.
const WIDTH: f32 = 9.0;
const HEIGHT: f32 = 19.0;
/// Around the screen.
const MARGIN: f32 = 14.0;
/// Where letters stand in a cell.
const BASELINE: f32 = 14.0;

const GROUND: &str = "#14181f";
const TEXT: &str = "#d5dae2";

/// A frame as an SVG picture.
pub fn svg(buffer: &Buffer) -> String {
    let width = f32::from(buffer.area.width) * WIDTH + 2.0 * MARGIN;
    let height = f32::from(buffer.area.height) * HEIGHT + 2.0 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\">\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{GROUND}\"/>\n\
         <g font-family=\"'DejaVu Sans Mono','Cascadia Mono',Menlo,Consolas,monospace\" \
         font-size=\"14.95\">\n"
    );
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut x = buffer.area.left();
        while x < buffer.area.right() {
            let run = run_length(buffer, x, y);
            write_run(&mut out, buffer, (x, y), run);
            x += run;
        }
    }
    out.push_str("</g>\n</svg>\n");
    out
}

/// How many cells from here look the same and are of the same sort.
fn run_length(buffer: &Buffer, x: u16, y: u16) -> u16 {
    let look = |x: u16| {
        let cell = &buffer[(x, y)];
        (cell.fg, cell.bg, cell.modifier, is_shape(cell), cell.symbol().is_ascii())
    };
    let first = look(x);
    let end = (x + 1..buffer.area.right()).find(|at| look(*at) != first);
    end.unwrap_or(buffer.area.right()) - x
}

fn is_shape(cell: &Cell) -> bool {
    strokes(cell.symbol()).is_some() || block(cell.symbol()).is_some()
}

fn write_run(out: &mut String, buffer: &Buffer, (x, y): (u16, u16), run: u16) {
    let cell = &buffer[(x, y)];
    let reversed = cell.modifier.contains(Modifier::REVERSED);
    let (mut fg, mut bg) = (rgb(cell.fg, TEXT), rgb(cell.bg, GROUND));
    if reversed {
        std::mem::swap(&mut fg, &mut bg);
    }
    let left = MARGIN + f32::from(x - buffer.area.left()) * WIDTH;
    let top = MARGIN + f32::from(y - buffer.area.top()) * HEIGHT;
    let wide = f32::from(run) * WIDTH;
    // writing to a String cannot fail
    if bg != GROUND {
        let _ = writeln!(
            out,
            "<rect x=\"{left}\" y=\"{top}\" width=\"{wide}\" height=\"{HEIGHT}\" fill=\"{bg}\"/>"
        );
    }
    if cell.modifier.contains(Modifier::UNDERLINED) {
        let under = top + HEIGHT - 2.0;
        let _ = writeln!(
            out,
            "<rect x=\"{left}\" y=\"{under}\" width=\"{wide}\" height=\"1\" fill=\"{fg}\"/>"
        );
    }
    if is_shape(cell) {
        for at in 0..run {
            let cell = &buffer[(x + at, y)];
            write_shape(out, cell, left + f32::from(at) * WIDTH, top, fg);
        }
    } else {
        write_text(out, buffer, (x, y), run, (left, top + BASELINE, fg));
    }
}

/// Each word stands at its own place: fonts differ in the width of a letter.
fn write_text(
    out: &mut String,
    buffer: &Buffer,
    (x, y): (u16, u16),
    run: u16,
    (left, base, fg): (f32, f32, &str),
) {
    let modifier = buffer[(x, y)].modifier;
    let bold = if modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let dim = if modifier.contains(Modifier::DIM) { " opacity=\"0.6\"" } else { "" };
    let mut at = 0;
    while at < run {
        let (mut word, start) = (String::new(), at);
        while at < run && buffer[(x + at, y)].symbol() != " " {
            let symbol = buffer[(x + at, y)].symbol();
            word.push_str(symbol);
            at += u16::try_from(crate::tui::width::columns(symbol)).unwrap_or(1).max(1);
        }
        if word.is_empty() {
            at += 1;
            continue;
        }
        let place = left + f32::from(start) * WIDTH;
        let length = f32::from(at - start) * WIDTH;
        let word = escape(&word);
        let _ = writeln!(
            out,
            "<text x=\"{place}\" y=\"{base}\" fill=\"{fg}\" textLength=\"{length}\"{bold}{dim}>{word}</text>",
        );
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c => out.push(c),
        }
    }
    out
}

/// Which half-lines of a cell a sign is made of: left, right, up, down; and how thick.
fn strokes(symbol: &str) -> Option<([bool; 4], f32)> {
    let lines = match symbol {
        "─" => [true, true, false, false],
        "│" | "┃" => [false, false, true, true],
        "├" => [false, true, true, true],
        "└" => [false, true, true, false],
        "┌" => [false, true, false, true],
        "┐" => [true, false, false, true],
        "┘" => [true, false, true, false],
        "┤" => [true, false, true, true],
        _ => return None,
    };
    Some((lines, if symbol == "┃" { 3.0 } else { 1.0 }))
}

/// Part of the cell that a block fills: from and to, across; and how opaque.
fn block(symbol: &str) -> Option<(f32, f32, f32)> {
    match symbol {
        "█" => Some((0.0, 1.0, 1.0)),
        "░" => Some((0.0, 1.0, 0.25)),
        "▕" => Some((0.875, 1.0, 0.6)),
        "▏" => Some((0.0, 0.125, 0.6)),
        _ => None,
    }
}

fn write_shape(out: &mut String, cell: &Cell, left: f32, top: f32, fg: &str) {
    let dim = if cell.modifier.contains(Modifier::DIM) { 0.6 } else { 1.0 };
    let mut rect = |x: f32, y: f32, w: f32, h: f32, opacity: f32| {
        let _ = writeln!(
            out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" fill=\"{fg}\" opacity=\"{opacity}\"/>"
        );
    };
    if let Some((from, to, opacity)) = block(cell.symbol()) {
        rect(left + from * WIDTH, top + 2.0, (to - from) * WIDTH, HEIGHT - 4.0, opacity * dim);
    }
    if let Some(([to_left, to_right, up, down], thick)) = strokes(cell.symbol()) {
        let (middle, half) = (left + (WIDTH - thick) / 2.0, top + (HEIGHT - thick) / 2.0);
        if to_left || to_right {
            let from = if to_left { left } else { middle };
            let to = if to_right { left + WIDTH } else { middle + thick };
            rect(from, half, to - from, thick, dim);
        }
        if up || down {
            let from = if up { top } else { half };
            let to = if down { top + HEIGHT } else { half + thick };
            rect(middle, from, thick, to - from, dim);
        }
    }
}

/// The sixteen colours as a quiet dark terminal shows them.
const fn rgb(color: Color, unset: &'static str) -> &'static str {
    match color {
        Color::Black => "#14181f",
        Color::Red => "#d96c6c",
        Color::Green => "#8cc265",
        Color::Yellow => "#e5c07b",
        Color::Blue => "#6cb0f0",
        Color::Magenta => "#c792ea",
        Color::Cyan => "#56c7d0",
        Color::Gray => "#b8bfca",
        Color::DarkGray => "#6b7482",
        Color::LightRed => "#ff7a7a",
        Color::LightGreen => "#a9dc76",
        Color::LightYellow => "#ffd866",
        Color::LightBlue => "#8fc7ff",
        Color::LightMagenta => "#e0a8ff",
        Color::LightCyan => "#8be4ec",
        Color::White => "#ffffff",
        _ => unset,
    }
}
