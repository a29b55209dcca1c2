//! Tables that fit the screen: columns apart by two spaces, wide characters counted as two, what does
//! not fit folded onto further lines and never cut. Where even that is too wide, a block a row:
//! `heading  value` lines.
//!
//! Our own, because a list may be longer than memory: the first rows fix the widths, and the rest
//! follows as it comes. (Libraries for tables want them whole.)

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use super::escape::escaped;
use super::fold::{Places, at_ease, at_spaces, fold, widest_piece};
use super::screen::Screen;
use super::style;
use crate::failure::Failure;

/// Between columns.
const GAP: usize = 2;
/// A column of names and sentences is folded no narrower than this.
const EASY: usize = 16;
/// The rows that fix the widths.
const ROWS_MEASURED: usize = 500;

/// A column: its heading, and how its cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column<'a> {
    head: &'a str,
    holds: Holds,
}

/// What a column holds says when it is folded: words first, names and sentences next, the rest never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Long,
    Words,
    Whole,
    Numbers,
}

impl<'a> Column<'a> {
    /// Of names and sentences, which may be long.
    pub const fn long(head: &'a str) -> Column<'a> {
        Column { head, holds: Holds::Long }
    }

    /// Of a few words.
    pub const fn words(head: &'a str) -> Column<'a> {
        Column { head, holds: Holds::Words }
    }

    /// Of what is not folded, such as times.
    pub const fn text(head: &'a str) -> Column<'a> {
        Column { head, holds: Holds::Whole }
    }

    /// Of numbers.
    pub const fn number(head: &'a str) -> Column<'a> {
        Column { head, holds: Holds::Numbers }
    }

    /// Where its cells may be folded.
    fn places(self) -> Places {
        match self.holds {
            Holds::Long => at_ease,
            Holds::Words => at_spaces,
            Holds::Whole | Holds::Numbers => |_, _| false,
        }
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
pub struct Table<'a> {
    columns: Vec<Column<'a>>,
    indent: usize,
    waiting: Vec<Row>,
    /// Known once the first rows are.
    layout: Option<Layout>,
}

/// How rows are written.
enum Layout {
    /// Side by side, in columns of these widths.
    Columns(Vec<usize>),
    /// One beneath the other; whether a row has been written.
    Blocks(bool),
}

impl<'a> Table<'a> {
    /// With these columns.
    pub fn new(columns: impl Into<Vec<Column<'a>>>) -> Table<'a> {
        Table { columns: columns.into(), indent: 0, waiting: Vec::new(), layout: None }
    }

    /// So many spaces from the left.
    pub fn indented(mut self, indent: usize) -> Table<'a> {
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
        if self.layout.is_some() {
            return self.write(screen, &row);
        }
        self.waiting.push(row);
        if self.waiting.len() == ROWS_MEASURED { self.release(screen) } else { Ok(()) }
    }

    /// Writes what waits. An empty table writes nothing.
    pub fn end(mut self, screen: &mut Screen) -> Result<(), Failure> {
        if self.layout.is_none() && !self.waiting.is_empty() {
            self.release(screen)?;
        }
        Ok(())
    }

    fn release(&mut self, screen: &mut Screen) -> Result<(), Failure> {
        let layout = self.measure(screen.width.map(|width| width.saturating_sub(self.indent)));
        if let Layout::Columns(widths) = &layout
            && self.has_heads()
        {
            let heads = self.columns.iter().map(|column| Cell::styled(column.head, style::BOLD));
            self.write_columns(screen, widths, &heads.collect::<Vec<_>>())?;
        }
        self.layout = Some(layout);
        for row in std::mem::take(&mut self.waiting) {
            self.write(screen, &row)?;
        }
        Ok(())
    }

    fn has_heads(&self) -> bool {
        self.columns.iter().any(|column| !column.head.is_empty())
    }

    /// Columns that fit into `room`, the widest giving first, words before names and sentences; or
    /// blocks. Without headings there are no blocks: what does not fit is wider than asked.
    fn measure(&self, room: Option<usize>) -> Layout {
        let of_column = |at: usize, width: &dyn Fn(&str) -> usize| {
            let cells = self.waiting.iter().map(|row| width(&row.cells[at].text)).max();
            cells.unwrap_or(0).max(self.columns[at].head.width())
        };
        let mut widths: Vec<usize> =
            (0..self.columns.len()).map(|at| of_column(at, &UnicodeWidthStr::width)).collect();
        let Some(room) = room else { return Layout::Columns(widths) };
        let gaps = GAP * widths.len().saturating_sub(1);
        let mut over = (widths.iter().sum::<usize>() + gaps).saturating_sub(room);
        for (giving, least) in [(Holds::Words, 0), (Holds::Long, EASY)] {
            let least: Vec<usize> = (self.columns.iter().enumerate())
                .map(|(at, column)| match column.holds == giving {
                    true => of_column(at, &|text| widest_piece(text, column.places())).max(least),
                    false => usize::MAX,
                })
                .collect();
            while over > 0 {
                let can_give = |at: &usize| widths[*at] > least[*at];
                let Some(at) = (0..widths.len()).filter(can_give).max_by_key(|at| widths[*at])
                else {
                    break;
                };
                widths[at] -= 1;
                over -= 1;
            }
        }
        if over > 0 && self.has_heads() { Layout::Blocks(false) } else { Layout::Columns(widths) }
    }

    fn write(&mut self, screen: &mut Screen, row: &Row) -> Result<(), Failure> {
        match &mut self.layout {
            Some(Layout::Columns(widths)) => {
                let widths = std::mem::take(widths);
                self.write_columns(screen, &widths, &row.cells)?;
                self.layout = Some(Layout::Columns(widths));
            }
            Some(Layout::Blocks(begun)) => {
                if std::mem::replace(begun, true) {
                    screen.line("")?;
                }
                self.write_block(screen, &row.cells)?;
            }
            None => unreachable!("a row is written once the layout is known"),
        }
        let indent = self.indent + 4;
        row.beneath.iter().try_for_each(|cell| paragraph(screen, indent, cell))
    }

    fn write_columns(
        &self,
        screen: &mut Screen,
        widths: &[usize],
        cells: &[Cell],
    ) -> Result<(), Failure> {
        let folded: Vec<Vec<&str>> = (self.columns.iter().zip(cells).zip(widths))
            .map(|((column, cell), width)| match screen.width {
                Some(_) => fold(&cell.text, *width, column.places()),
                None => vec![cell.text.as_str()],
            })
            .collect();
        let height = folded.iter().map(Vec::len).max().unwrap_or(0);
        for n in 0..height {
            let mut line = " ".repeat(self.indent);
            let mut blank = 0;
            for (at, column) in self.columns.iter().enumerate() {
                let text = folded[at].get(n).copied().unwrap_or_default();
                let rest = widths[at].saturating_sub(text.width());
                let (before, after) =
                    if column.holds == Holds::Numbers { (rest, 0) } else { (0, rest) };
                blank += before;
                if !text.is_empty() {
                    line.extend(std::iter::repeat_n(' ', blank));
                    blank = 0;
                    line.push_str(&screen.styled(text, cells[at].style));
                }
                blank += after + GAP;
            }
            screen.line(line)?;
        }
        Ok(())
    }

    /// The cells one beneath the other, each behind its heading.
    fn write_block(&self, screen: &mut Screen, cells: &[Cell]) -> Result<(), Failure> {
        let heads = self.columns.iter().map(|column| column.head.width()).max().unwrap_or(0);
        let indent = self.indent;
        let room = screen.width.unwrap_or(usize::MAX).saturating_sub(indent + heads + GAP);
        for (column, cell) in self.columns.iter().zip(cells) {
            let mut head = column.head;
            for text in fold(&cell.text, room, column.places()) {
                let rest = " ".repeat(heads - head.width() + GAP);
                let (head, text) = (
                    screen.styled(std::mem::take(&mut head), style::BOLD),
                    screen.styled(text, cell.style),
                );
                screen.line(format!("{:indent$}{head}{rest}{text}", ""))?;
            }
        }
        Ok(())
    }
}

/// Writes text folded to the screen's width, so many spaces from the left.
pub fn paragraph(screen: &mut Screen, indent: usize, cell: &Cell) -> Result<(), Failure> {
    let room = screen.width.unwrap_or(usize::MAX).saturating_sub(indent);
    for part in fold(&cell.text, room, at_ease) {
        let part = screen.styled(part, cell.style);
        screen.line(format!("{:indent$}{part}", ""))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_give_before_names_and_nothing_else_gives() {
        let mut table = Table::new([
            Column::text("time"),
            Column::long("name"),
            Column::words("why"),
            Column::number("n"),
        ]);
        let name = ["照片"; 13].concat();
        let cells = ["2026-02-13T13:47:38Z", &name, "provider purged", "12"];
        table.waiting.push(Row { cells: cells.map(Cell::from).to_vec(), beneath: Vec::new() });
        for (room, expected) in [
            (None, Some([20, 52, 15, 2])),
            (Some(95), Some([20, 52, 15, 2])),
            (Some(94), Some([20, 52, 14, 2])),
            (Some(88), Some([20, 52, 8, 2])),
            (Some(87), Some([20, 51, 8, 2])),
            (Some(52), Some([20, 16, 8, 2])),
            (Some(51), None),
        ] {
            match table.measure(room) {
                Layout::Columns(widths) => {
                    assert_eq!(Some(&widths[..]), expected.as_ref().map(|e| &e[..]))
                }
                Layout::Blocks(_) => assert_eq!(None, expected, "in {room:?}"),
            }
        }
    }
}
