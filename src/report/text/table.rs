//! Columns aligned by what a terminal shows, not by bytes.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::style::{Paint, Painted, Style};

/// One column.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// Its heading.
    pub(super) title: &'static str,
    /// Numbers stand at the right.
    pub(super) right: bool,
}

impl Column {
    /// A column of words.
    pub(super) const fn left(title: &'static str) -> Self {
        Self { title, right: false }
    }

    /// A column of figures.
    pub(super) const fn right(title: &'static str) -> Self {
        Self { title, right: true }
    }
}

/// What stands in one place.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    text: String,
    paint: Paint,
}

impl Cell {
    /// In a colour.
    pub(super) fn painted(text: impl Into<String>, paint: Paint) -> Self {
        Self { text: text.into(), paint }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self { text, paint: Paint::Plain }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::from(text.to_owned())
    }
}

/// Rows under headings.
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    style: Style,
}

impl Table {
    /// With these columns and no row yet.
    pub(super) fn new(style: Style, columns: impl Into<Vec<Column>>) -> Self {
        Self { columns: columns.into(), rows: Vec::new(), style }
    }

    /// Adds a row, a cell a column.
    pub(super) fn push(&mut self, row: impl Into<Vec<Cell>>) {
        let mut row = row.into();
        for cell in &mut row {
            cell.text = self.style.fit(std::mem::take(&mut cell.text));
        }
        self.rows.push(row);
    }

    /// Headings and rows, nothing without rows; a column that says nothing in any row is left out, and no line ends
    /// in blanks.
    pub(super) fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let widths = self.widths();
        let titles: Vec<_> =
            self.columns.iter().map(|column| Cell::painted(column.title, Paint::Bold)).collect();
        self.write_row(out, &titles, &widths)?;
        self.rows.iter().try_for_each(|row| self.write_row(out, row, &widths))
    }

    /// The width of each column; `None` for one that is left out.
    fn widths(&self) -> Vec<Option<usize>> {
        let mut widths = vec![0; self.columns.len()];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.text.width().max(*width);
            }
        }
        let titled = widths.into_iter().zip(&self.columns);
        titled.map(|(w, column)| (w > 0).then(|| w.max(column.title.width()))).collect()
    }

    fn write_row(
        &self,
        out: &mut dyn Write,
        row: &[Cell],
        widths: &[Option<usize>],
    ) -> io::Result<()> {
        // blanks are owed until something follows them
        let mut owed = 0;
        for ((cell, column), width) in row.iter().zip(&self.columns).zip(widths) {
            let Some(width) = width else { continue };
            let free = width.saturating_sub(cell.text.width());
            if cell.text.is_empty() {
                owed += width;
            } else {
                let before = owed + if column.right { free } else { 0 };
                write!(out, "{:before$}{}", "", Painted(self.style, cell.paint, &cell.text))?;
                owed = if column.right { 0 } else { free };
            }
            owed += 2;
        }
        writeln!(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print(style: Style, rows: &[[&str; 3]]) -> String {
        let columns = [Column::left("NAME"), Column::right("SIZE"), Column::left("STATE")];
        let mut table = Table::new(style, columns);
        for row in rows {
            table.push(row.map(Cell::from));
        }
        let mut out = Vec::new();
        table.write(&mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("only text was written")
    }

    #[test]
    fn columns_stand_under_each_other_whatever_the_script() {
        let text = print(Style::default(), &[["vda", "20.0G", "ok"], ["漢字", "1.0M", ""]]);
        assert_eq!(text, "NAME   SIZE  STATE\nvda   20.0G  ok\n漢字   1.0M\n");
    }

    #[test]
    fn a_column_without_a_word_is_left_out() {
        let text = print(Style::default(), &[["vda", "", "ok"], ["vdb", "", "bad"]]);
        assert_eq!(text, "NAME  STATE\nvda   ok\nvdb   bad\n");
    }

    #[test]
    fn a_wide_gap_is_kept_where_a_cell_is_empty() {
        let text = print(Style::default(), &[["a", "", "x"], ["b", "1.0G", "y"]]);
        assert_eq!(text, "NAME  SIZE  STATE\na           x\nb     1.0G  y\n");
    }
}
