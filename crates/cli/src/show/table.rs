//! Tables that fit the screen: columns apart by two spaces, wide characters counted as two, what does
//! not fit folded onto further lines and never cut.
//!
//! Our own, because a list may be longer than memory: the first rows fix the widths, and the rest
//! follows as it comes. (Libraries for tables want them whole.)

use anstyle::Style;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::escape::escaped;
use super::screen::Screen;
use super::style;
use crate::failure::Failure;

/// Between columns.
const GAP: usize = 2;
/// A column is folded no narrower than this, while others can give.
const NARROW: usize = 8;
/// The rows that fix the widths.
const ROWS_MEASURED: usize = 500;

/// A column: its heading, and how its cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    head: &'static str,
    to_the_right: bool,
    /// Whether it is folded before others are.
    folds: bool,
}

impl Column {
    /// Of words or times.
    pub const fn text(head: &'static str) -> Column {
        Column { head, to_the_right: false, folds: false }
    }

    /// Of names and sentences, which may be long.
    pub const fn long(head: &'static str) -> Column {
        Column { head, to_the_right: false, folds: true }
    }

    /// Of numbers.
    pub const fn number(head: &'static str) -> Column {
        Column { head, to_the_right: true, folds: false }
    }
}

/// A cell: text that is safe to print, and its style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    /// `text` in a style.
    pub fn styled(text: impl AsRef<str>, style: Style) -> Cell {
        Cell { text: escaped(text.as_ref()).into_owned(), style }
    }

    /// `text`, or a dim dash where there is none.
    pub fn or_dash(text: Option<impl AsRef<str>>) -> Cell {
        text.map_or_else(|| Cell::styled("-", style::DIM), |text| Cell::from(text.as_ref()))
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell::styled(text, style::PLAIN)
    }
}

/// A row, and lines beneath it that go across all columns.
#[derive(Debug, Clone, Default)]
pub struct Row {
    cells: Vec<Cell>,
    beneath: Vec<Cell>,
}

/// A table that is being written.
pub struct Table {
    columns: Vec<Column>,
    indent: usize,
    waiting: Vec<Row>,
    /// Known once the first rows are.
    widths: Option<Vec<usize>>,
}

impl Table {
    /// With these columns.
    pub fn new(columns: impl Into<Vec<Column>>) -> Table {
        Table { columns: columns.into(), indent: 0, waiting: Vec::new(), widths: None }
    }

    /// So many spaces from the left.
    pub fn indented(mut self, indent: usize) -> Table {
        self.indent = indent;
        self
    }

    /// Adds a row.
    pub fn row(&mut self, screen: &mut Screen, cells: Vec<Cell>) -> Result<(), Failure> {
        self.row_with(screen, cells, Vec::new())
    }

    /// Adds a row with lines beneath it.
    pub fn row_with(
        &mut self,
        screen: &mut Screen,
        cells: Vec<Cell>,
        beneath: Vec<Cell>,
    ) -> Result<(), Failure> {
        debug_assert_eq!(cells.len(), self.columns.len(), "a cell a column");
        let row = Row { cells, beneath };
        match &self.widths {
            Some(widths) => self.write(screen, widths, &row),
            None => {
                self.waiting.push(row);
                if self.waiting.len() == ROWS_MEASURED { self.release(screen) } else { Ok(()) }
            }
        }
    }

    /// Writes what waits. An empty table writes nothing.
    pub fn end(mut self, screen: &mut Screen) -> Result<(), Failure> {
        if self.widths.is_none() && !self.waiting.is_empty() {
            self.release(screen)?;
        }
        Ok(())
    }

    fn release(&mut self, screen: &mut Screen) -> Result<(), Failure> {
        let widths = self.measure(screen.width.saturating_sub(self.indent));
        let head = self.columns.iter().map(|column| Cell::styled(column.head, style::BOLD));
        let head = Row { cells: head.collect(), beneath: Vec::new() };
        if self.columns.iter().any(|column| !column.head.is_empty()) {
            self.write(screen, &widths, &head)?;
        }
        for row in std::mem::take(&mut self.waiting) {
            self.write(screen, &widths, &row)?;
        }
        self.widths = Some(widths);
        Ok(())
    }

    /// Widths that fit into `room`: first the columns that fold give, the widest first, then all.
    fn measure(&self, room: usize) -> Vec<usize> {
        let mut widths: Vec<usize> =
            self.columns.iter().map(|column| column.head.width()).collect();
        for row in &self.waiting {
            for (width, cell) in widths.iter_mut().zip(&row.cells) {
                *width = cell.text.width().max(*width);
            }
        }
        let gaps = GAP * widths.len().saturating_sub(1);
        let mut over = (widths.iter().sum::<usize>() + gaps).saturating_sub(room);
        for (only_folding, least) in [(true, NARROW), (false, NARROW), (false, 2)] {
            while over > 0 {
                let may_give = |n: &usize| self.columns[*n].folds || !only_folding;
                let widest = (0..widths.len()).filter(may_give).max_by_key(|n| widths[*n]);
                match widest {
                    Some(n) if widths[n] > least => {
                        widths[n] -= 1;
                        over -= 1;
                    }
                    _ => break,
                }
            }
        }
        widths
    }

    fn write(&self, screen: &mut Screen, widths: &[usize], row: &Row) -> Result<(), Failure> {
        let folded: Vec<Vec<&str>> =
            row.cells.iter().zip(widths).map(|(cell, width)| fold(&cell.text, *width)).collect();
        let height = folded.iter().map(Vec::len).max().unwrap_or(0);
        for n in 0..height {
            let mut line = " ".repeat(self.indent);
            let mut blank = 0;
            for (at, column) in self.columns.iter().enumerate() {
                let text = folded[at].get(n).copied().unwrap_or_default();
                let rest = widths[at].saturating_sub(text.width());
                let (before, after) = if column.to_the_right { (rest, 0) } else { (0, rest) };
                blank += before;
                if !text.is_empty() {
                    line.extend(std::iter::repeat_n(' ', blank));
                    blank = 0;
                    line.push_str(&screen.styled(text, row.cells[at].style));
                }
                blank += after + GAP;
            }
            screen.line(line)?;
        }
        let indent = self.indent + 4;
        for cell in &row.beneath {
            paragraph(screen, indent, cell)?;
        }
        Ok(())
    }
}

/// Writes text folded to the screen's width, so many spaces from the left.
pub fn paragraph(screen: &mut Screen, indent: usize, cell: &Cell) -> Result<(), Failure> {
    for part in fold(&cell.text, screen.width.saturating_sub(indent).max(NARROW)) {
        let part = screen.styled(part, cell.style);
        screen.line(format!("{:indent$}{part}", ""))?;
    }
    Ok(())
}

/// `text` in pieces of at most `width` columns, folded at spaces where there are any.
fn fold(text: &str, width: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.width() > width {
        let mut used = 0;
        let mut end = rest.len();
        let mut space = None;
        for (at, c) in rest.char_indices() {
            used += c.width().unwrap_or(0);
            if used > width && at > 0 {
                end = at;
                break;
            }
            if c == ' ' {
                space = Some(at);
            }
        }
        let (piece, next) = match space {
            _ if rest[end..].starts_with(' ') => (end, end + 1),
            Some(at) if at > 0 => (at, at + 1),
            _ => (end, end),
        };
        pieces.push(&rest[..piece]);
        rest = &rest[next..];
    }
    if !rest.is_empty() || pieces.is_empty() {
        pieces.push(rest);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_at_spaces_and_inside_long_words() {
        for (text, width, expected) in [
            ("", 5, vec![""]),
            ("short", 5, vec!["short"]),
            ("two words", 5, vec!["two", "words"]),
            ("two words", 3, vec!["two", "wor", "ds"]),
            ("abcdefgh", 3, vec!["abc", "def", "gh"]),
            ("照片照片", 5, vec!["照片", "照片"]),
            ("照片", 1, vec!["照", "片"]),
            ("a 照片", 4, vec!["a", "照片"]),
            ("e\u{301}e\u{301}", 1, vec!["e\u{301}", "e\u{301}"]),
        ] {
            assert_eq!(fold(text, width), expected, "{text:?} to {width}");
        }
    }

    #[test]
    fn columns_that_fold_give_first() {
        let mut table =
            Table::new([Column::text("time"), Column::long("name"), Column::number("n")]);
        table.waiting.push(Row {
            cells: ["2026-02-13T13:47:38Z", &"x".repeat(50), "12"].map(Cell::from).to_vec(),
            beneath: Vec::new(),
        });
        for (room, expected) in [
            (100, [20, 50, 2]),
            (76, [20, 50, 2]),
            (75, [20, 49, 2]),
            (34, [20, 8, 2]),
            (33, [19, 8, 2]),
            (10, [2, 2, 2]),
        ] {
            assert_eq!(table.measure(room), expected, "in {room}");
        }
    }
}
