//! The cells of one sheet, as they lie in its XML.
//!
//! Nothing is allocated for what the sheet says of its own size: memory goes with the cells that are there.

use super::{
    formats::Form,
    texts::{Texts, rich},
    xml::{Item, Xml},
};
use crate::{
    data::{DataError, csv_field::shorten, time, whole::Table},
    pace::Pace,
};
use std::collections::BTreeMap;

/// Rows of a sheet (ISO/IEC 29500 leaves this to the program; these are Excel's).
const MOST_ROWS: u32 = 1 << 20;
/// Columns of a sheet.
const MOST_COLUMNS: u32 = 1 << 14;
/// Items between two questions whether to go on.
const OFTEN: u64 = 8192;
/// Bytes that a cell takes here, with its row and room to grow.
const ROOM: u64 = 32;

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell {
    Number(f64),
    /// A number with a format of dates or times.
    Serial(f64, Form),
    /// Seconds since 1970-01-01.
    Time(f64),
    Truth(bool),
    /// A place among the texts.
    Text(u32),
    /// An error, or a formula without its value.
    Missing,
}

/// The cells of one column, and their rows from 0.
#[derive(Default)]
pub(super) struct Cells {
    pub(super) rows: Vec<u32>,
    pub(super) cells: Vec<Cell>,
}

/// A sheet that has been read.
pub(super) struct Sheet {
    pub(super) name: String,
    /// By their places from 0, only those with a cell.
    pub(super) columns: BTreeMap<u32, Cells>,
}

/// What is counted over all sheets.
#[derive(Default)]
pub(super) struct Oddities {
    /// Formulas without a value.
    pub(super) uncomputed: u64,
    /// `#N/A`, `#DIV/0!`, …
    pub(super) errors: u64,
    /// Serial numbers that are no date.
    pub(super) dateless: u64,
}

impl Oddities {
    /// What the user should know of them.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> + use<> {
        let again = "read as missing; open the file in a spreadsheet program and save it to compute them";
        let counts = [
            ("formulas without a cached value", self.uncomputed, again),
            ("errors such as #N/A or #DIV/0!", self.errors, "read as missing"),
            ("numbers that are formatted as dates and are none", self.dateless, "read as missing"),
        ];
        counts.into_iter().filter(|(_, n, _)| *n > 0).map(|(what, n, how)| format!("{what}: {n}, {how}"))
    }
}

/// What cells refer to.
pub(super) struct Book {
    pub(super) forms: Vec<Form>,
    pub(super) texts: Texts,
    /// Texts up to here are shared.
    pub(super) shared: usize,
    /// Days are counted from 1904.
    pub(super) from_1904: bool,
    pub(super) odd: Oddities,
}

/// The letters of a column, from 0: A, B, …, Z, AA.
pub(super) fn letters(column: u32) -> String {
    let mut name = String::new();
    let mut rest = column;
    loop {
        name.insert(0, char::from_u32(u32::from(b'A') + rest % 26).unwrap_or('?'));
        match (rest / 26).checked_sub(1) {
            Some(next) => rest = next,
            None => return name,
        }
    }
}

/// Column and row, both from 0, of `C7`.
fn place_of(reference: &str) -> Option<(u32, u32)> {
    let letters = reference.bytes().take_while(u8::is_ascii_uppercase).count();
    let (letters, digits) = reference.split_at(letters);
    if !(1..=3).contains(&letters.len()) {
        return None;
    }
    let column = letters.bytes().fold(0, |n, b| n * 26 + u32::from(b - b'A') + 1);
    let row = number_of(digits)?;
    (column <= MOST_COLUMNS).then(|| (column - 1, row))
}

/// A row, from 0, of its number, which has no leading zero.
fn number_of(digits: &str) -> Option<u32> {
    let plain =
        (1..=7).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    let row: u32 = plain.then(|| digits.parse().ok())??;
    (row <= MOST_ROWS).then(|| row - 1)
}

/// Reads one sheet.
pub(super) async fn read(
    name: &str,
    bytes: &[u8],
    book: &mut Book,
    table: &mut Table,
    pace: &dyn Pace,
) -> Result<Sheet, DataError> {
    let mut work = Work {
        xml: Xml::new(bytes),
        book,
        table,
        sheet: Sheet { name: name.to_owned(), columns: BTreeMap::new() },
        row: None,
        column: None,
        count: 0,
        text: String::new(),
    };
    let (mut in_data, mut items) = (false, 0_u64);
    while let Some(item) = work.xml.next()? {
        if items.is_multiple_of(OFTEN) {
            pace.tick(work.xml.at(), bytes.len() as u64).await?;
        }
        items += 1;
        match item {
            Item::Start(start) => match start.local_name().as_ref() {
                "sheetData" => in_data = true,
                "row" if in_data => {
                    let [r] = work.xml.attributes(&start, ["r"])?;
                    work.begin_row(r.as_deref())?;
                }
                "c" if in_data => {
                    let attributes = work.xml.attributes(&start, ["r", "s", "t"])?;
                    work.cell(attributes.each_ref().map(|a| a.as_deref()))?;
                }
                _ => {}
            },
            Item::End(end) if end.local_name().as_ref() == "sheetData" => in_data = false,
            _ => {}
        }
    }
    Ok(work.sheet)
}

/// A sheet at work.
struct Work<'a> {
    xml: Xml<'a>,
    book: &'a mut Book,
    table: &'a mut Table,
    sheet: Sheet,
    /// Where the last row and cell were, from 0.
    row: Option<u32>,
    column: Option<u32>,
    count: u64,
    /// The text of the cell at work.
    text: String,
}

impl Work<'_> {
    fn wrong(&self, place: String, why: impl Into<String>) -> DataError {
        DataError::Sheet { sheet: shorten(&self.sheet.name, 60), place, why: why.into() }
    }

    /// A row begins; without its number it follows the last one.
    fn begin_row(&mut self, r: Option<&str>) -> Result<(), DataError> {
        let next = self.row.map_or(0, |row| row + 1);
        let row = match r {
            Some(r) => number_of(r).ok_or_else(|| {
                self.wrong(format!("row {}", shorten(r, 20)), format!("rows are numbered from 1 to {MOST_ROWS}"))
            })?,
            None => next,
        };
        let place = || format!("row {}", row + 1);
        if row < next {
            return Err(self.wrong(place(), format!("it comes after row {next}")));
        }
        if row >= MOST_ROWS {
            return Err(self.wrong(place(), format!("a sheet has {MOST_ROWS} rows at most")));
        }
        (self.row, self.column) = (Some(row), None);
        Ok(())
    }

    /// Where a cell is; without its reference it follows the last one.
    fn place(&self, r: Option<&str>) -> Result<(u32, u32), DataError> {
        let Some(row) = self.row else {
            return Err(self.xml.wrong("a cell outside of any row"));
        };
        let next = self.column.map_or(0, |column| column + 1);
        let Some(r) = r else {
            if next >= MOST_COLUMNS {
                let why = format!("it has more than {MOST_COLUMNS} cells");
                return Err(self.wrong(format!("row {}", row + 1), why));
            }
            return Ok((next, row));
        };
        let cell = || format!("cell {}", shorten(r, 20));
        let Some((column, own)) = place_of(r) else {
            return Err(self.wrong(cell(), "there is no such cell, they go from A1 to XFD1048576"));
        };
        if own != row {
            return Err(self.wrong(cell(), format!("it is in row {}", row + 1)));
        }
        match next.checked_sub(1) {
            Some(last) if last == column => Err(self.wrong(cell(), "it is there twice")),
            Some(last) if last > column => {
                Err(self.wrong(cell(), format!("it comes after cell {}{}", letters(last), row + 1)))
            }
            _ => Ok((column, row)),
        }
    }

    /// The cell that began last.
    fn cell(&mut self, [r, s, t]: [Option<&str>; 3]) -> Result<(), DataError> {
        let (column, row) = self.place(r)?;
        self.column = Some(column);
        self.text.clear();
        let (mut valued, mut formula) = (false, false);
        loop {
            match self.xml.next()? {
                Some(Item::Start(start)) => match start.local_name().as_ref() {
                    "v" => {
                        valued = true;
                        self.xml.text(&mut self.text)?;
                    }
                    "is" => {
                        valued = true;
                        rich(&mut self.xml, &mut self.text)?;
                    }
                    "f" => {
                        formula = true;
                        self.xml.skip()?;
                    }
                    _ => self.xml.skip()?,
                },
                Some(Item::End(_)) | None => break,
                Some(Item::Text(_)) => {}
            }
        }
        let kind = t.unwrap_or("n");
        let empty = self.text.trim().is_empty();
        let cell = match kind {
            // A formula that yields an empty text.
            "str" if empty && valued => None,
            _ if empty && formula => {
                self.book.odd.uncomputed += 1;
                Some(Cell::Missing)
            }
            _ if empty => None,
            _ => {
                let style = s.and_then(|s| s.parse().ok()).unwrap_or(0_usize);
                let form = self.book.forms.get(style).copied().unwrap_or(Form::Plain);
                let place = || format!("cell {}{}", letters(column), row + 1);
                self.value(kind, form).map_err(|why| self.wrong(place(), why))?
            }
        };
        match cell {
            Some(cell) => self.keep(column, row, cell),
            None => Ok(()),
        }
    }

    /// What the text of a cell of this kind means, or why it means nothing.
    fn value(&mut self, kind: &str, form: Form) -> Result<Option<Cell>, String> {
        let text = self.text.trim();
        let shown = || shorten(text, 40);
        let texts = &mut self.book.texts;
        let cell = match kind {
            "n" => match (text.parse(), form) {
                (Ok(x), Form::Plain) => Cell::Number(x),
                (Ok(x), form) => Cell::Serial(x, form),
                (Err(_), _) => return Err(format!("found {:?}, expected a number", shown())),
            },
            "s" => {
                let count = self.book.shared;
                let place: Option<u32> = text.parse().ok();
                match place.filter(|&i| usize::try_from(i).is_ok_and(|i| i < count)) {
                    Some(place) if texts.get(place).trim().is_empty() => return Ok(None),
                    Some(place) => Cell::Text(place),
                    None => {
                        let why = format!("it refers to shared text {}, there are {count}, numbered from 0", shown());
                        return Err(why);
                    }
                }
            }
            "b" => match text {
                "1" | "true" => Cell::Truth(true),
                "0" | "false" => Cell::Truth(false),
                _ => return Err(format!("found {:?}, expected 0 or 1", shown())),
            },
            "e" => {
                self.book.odd.errors += 1;
                Cell::Missing
            }
            "d" | "str" | "inlineStr" => match time::parse(text.as_bytes()).filter(|_| kind == "d") {
                Some(seconds) => Cell::Time(seconds),
                None => Cell::Text(texts.push(&self.text)?),
            },
            _ => {
                return Err(format!("it is of type {:?}, expected n, s, str, inlineStr, b, d or e", shorten(kind, 40)));
            }
        };
        Ok(Some(cell))
    }

    fn keep(&mut self, column: u32, row: u32, cell: Cell) -> Result<(), DataError> {
        self.count += 1;
        let left = self.table.left();
        if self.table.claim(&self.sheet.name, 1, ROOM).is_err() {
            let what = format!("sheet '{}' with {} cells and more", shorten(&self.sheet.name, 60), self.count);
            let limit = left.saturating_add((self.count - 1) * ROOM);
            return Err(DataError::TooLarge { what, needed: self.count * ROOM, limit });
        }
        let cells = self.sheet.columns.entry(column).or_default();
        cells.rows.push(row);
        cells.cells.push(cell);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        for (text, place) in [
            ("A1", Some((0, 0))),
            ("C7", Some((2, 6))),
            ("Z10", Some((25, 9))),
            ("AA10", Some((26, 9))),
            ("XFD1048576", Some((16_383, 1_048_575))),
            ("XFE1", None),
            ("AAAA1", None),
            ("A1048577", None),
            ("A0", None),
            ("A01", None),
            ("A", None),
            ("1", None),
            ("", None),
            ("a1", None),
            ("A-1", None),
            ("A1é", None),
            ("é1", None),
        ] {
            assert_eq!(place_of(text), place, "{text}");
        }
        for column in (0..16_384).step_by(7) {
            let reference = format!("{}1", letters(column));
            assert_eq!(place_of(&reference), Some((column, 0)), "{reference}");
        }
    }
}
