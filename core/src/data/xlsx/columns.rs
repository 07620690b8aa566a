//! A sheet's cells as columns: their names and types by the rules of tables of text.

use super::{
    cells::{Book, Cell, Cells, Sheet, letters},
    formats::{Form, date, seconds},
};
use crate::{
    data::{
        ColumnType, CsvOptions, DataError, Symbols, Values,
        csv_field::{Class, classify, integer, is_missing, real, shorten},
        csv_header::{Top, names_columns, split_unit, unique},
        csv_tally::Tally,
        dictionary::Dictionary,
        time,
        whole::Table,
    },
    pace::Pace,
};
use std::borrow::Cow;

/// Whole numbers up to here are exact doubles.
const EXACT: f64 = 9_007_199_254_740_992.0;
/// Characters of a column's name: many columns can refer to one long text.
const LONGEST_NAME: usize = 200;
/// Numbers that are texts may have a decimal comma, as between semicolons.
const BETWEEN: u8 = b';';

/// What a cell is worth in its column.
#[derive(Clone, Copy)]
enum Worth<'a> {
    Missing,
    /// A number that is formatted as a date and is none.
    Dateless,
    Number(f64),
    /// Seconds since 1970-01-01.
    Time(f64),
    /// Seconds.
    Duration(f64),
    Truth(bool),
    Text(&'a str),
}

impl<'a> Worth<'a> {
    fn of(cell: Cell, book: &'a Book, clocks: bool) -> Self {
        match cell {
            Cell::Missing => Self::Missing,
            Cell::Number(x) | Cell::Serial(x, _) if x.is_nan() => Self::Missing,
            Cell::Number(x) | Cell::Serial(x, Form::Plain) => Self::Number(x),
            Cell::Serial(x, Form::Elapsed) => Self::Duration(seconds(x)),
            Cell::Serial(x, Form::Clock) if clocks => Self::Duration(seconds(x)),
            Cell::Serial(x, _) => date(x, book.from_1904).map_or(Self::Dateless, Self::Time),
            Cell::Time(x) => Self::Time(x),
            Cell::Truth(truth) => Self::Truth(truth),
            Cell::Text(place) => Self::Text(book.texts.get(place)),
        }
    }

    /// Its class as a field of a table of text, and its text if it is one.
    fn class(self) -> (Class, &'a [u8]) {
        match self {
            Self::Missing | Self::Dateless => (Class::Missing, b""),
            Self::Number(x) if x.fract() == 0.0 && x.abs() <= EXACT => (Class::Integer, b""),
            Self::Truth(_) => (Class::Integer, b""),
            Self::Number(_) | Self::Duration(_) => (Class::Number, b""),
            Self::Time(_) => (Class::Time, b""),
            Self::Text(text) => (classify(text.trim().as_bytes()), text.trim().as_bytes()),
        }
    }

    fn number(self, mark: u8) -> Option<f64> {
        match self {
            Self::Number(x) | Self::Duration(x) => Some(x),
            Self::Truth(truth) => Some(f64::from(u8::from(truth))),
            Self::Text(text) => real(text.trim().as_bytes(), mark),
            Self::Missing | Self::Dateless | Self::Time(_) => None,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "whole numbers up to 2^53 only")]
    fn integer(self) -> Option<i64> {
        match self {
            Self::Text(text) => integer(text.trim().as_bytes()),
            other => other.number(b'.').map(|x| x as i64),
        }
    }

    fn time(self) -> Option<f64> {
        match self {
            Self::Time(x) => Some(x),
            Self::Text(text) => time::parse(text.trim().as_bytes()),
            _ => None,
        }
    }

    fn label(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Missing | Self::Dateless => None,
            Self::Number(x) | Self::Duration(x) => Some(Cow::Owned(x.to_string())),
            Self::Time(x) => Some(Cow::Owned(time::iso(x).unwrap_or_else(|| x.to_string()))),
            Self::Truth(truth) => Some(Cow::Borrowed(if truth { "TRUE" } else { "FALSE" })),
            Self::Text(text) => (!is_missing(text.trim().as_bytes())).then_some(Cow::Borrowed(text)),
        }
    }
}

/// A column while its sheet is read.
struct Column<'a> {
    /// Its place in the sheet, from 0.
    place: u32,
    cells: &'a Cells,
    book: &'a Book,
    /// Times of day are durations here.
    clocks: bool,
    /// What is in the sheet's first row.
    head: Worth<'a>,
    tally: Tally,
    durations: u64,
    dateless: u64,
}

impl<'a> Column<'a> {
    /// Looks at all cells below row `first`, of `rows` rows with that one.
    fn survey(place: u32, cells: &'a Cells, book: &'a Book, first: u32, rows: u64) -> Self {
        let dated = |c: &Cell| matches!(c, Cell::Serial(_, Form::Date) | Cell::Time(_));
        // Times of day that begin below 1 belong to no day, and go on so beyond it.
        let dayless = |c: &Cell| {
            matches!(c, Cell::Serial(_, Form::Elapsed)) || matches!(c, Cell::Serial(x, Form::Clock) if *x < 1.0)
        };
        let clocks = !cells.cells.iter().any(dated) && cells.cells.iter().any(dayless);
        let (head, tally) = (Worth::Missing, Tally::default());
        let mut column = Self { place, cells, book, clocks, head, tally, durations: 0, dateless: 0 };
        let mut absent = rows - 1;
        let mut below = column.worths();
        if cells.rows.first() == Some(&first) {
            column.head = below.next().map_or(Worth::Missing, |(_, worth)| worth);
        }
        for (row, worth) in below {
            column.put(row, worth);
            absent = absent.saturating_sub(1);
            if let (Worth::Text(text), Worth::Text(head)) = (worth, column.head) {
                column.tally.repeats_first |= text.trim() == head.trim();
            }
        }
        column.tally.missing += absent;
        column
    }

    /// The rows that have a cell, and what it is worth.
    fn worths(&self) -> impl Iterator<Item = (u32, Worth<'a>)> + use<'a> {
        let (book, clocks) = (self.book, self.clocks);
        self.cells.rows.iter().zip(&self.cells.cells).map(move |(&row, &cell)| (row, Worth::of(cell, book, clocks)))
    }

    fn put(&mut self, row: u32, worth: Worth<'_>) {
        let (class, field) = worth.class();
        self.tally.put(class, field, u64::from(row) + 1);
        self.durations += u64::from(matches!(worth, Worth::Duration(_)));
        self.dateless += u64::from(matches!(worth, Worth::Dateless));
    }

    /// Durations and plain numbers have no unit in common.
    const fn is_mixed(&self) -> bool {
        self.durations > 0 && self.durations < self.tally.all_numbers()
    }

    /// The type, and the decimal mark of texts.
    fn ty(&self, options: &CsvOptions) -> (ColumnType, u8) {
        match self.tally.ty(options, BETWEEN) {
            (_, mark) if self.is_mixed() => (ColumnType::Symbols, mark),
            found => found,
        }
    }

    fn top(&self, options: &CsvOptions) -> Top<'a> {
        let (class, field) = self.head.class();
        let above_values = self.tally.has_values_below(options, BETWEEN);
        Top { field, is_text: class == Class::Text, above_values, repeated: self.tally.repeats_first }
    }

    /// `len` values from row `start` on; `None` where there are too many labels, or the table has no room for them.
    fn values(
        &self,
        (ty, mark): (ColumnType, u8),
        start: u32,
        len: usize,
        name: &str,
        table: &mut Table,
    ) -> Option<Values> {
        fn spread<'a, T: Clone>(
            column: &Column<'a>,
            (start, len): (u32, usize),
            missing: T,
            mut each: impl FnMut(Worth<'a>) -> Option<T>,
        ) -> Vec<T> {
            let mut values = vec![missing; len];
            for (row, worth) in column.worths() {
                let at = row.checked_sub(start).and_then(|i| usize::try_from(i).ok());
                if let Some(slot) = at.and_then(|i| values.get_mut(i))
                    && let Some(value) = each(worth)
                {
                    *slot = value;
                }
            }
            values
        }
        let part = (start, len);
        Some(match ty {
            ColumnType::Integer => Values::Integer(spread(self, part, 0, Worth::integer)),
            ColumnType::Time => Values::Time(spread(self, part, f64::NAN, Worth::time)),
            ColumnType::Real | ColumnType::Bytes => Values::Real(spread(self, part, f64::NAN, |w| w.number(mark))),
            ColumnType::Symbols => {
                let (mut dictionary, mut full, mut new) = (Dictionary::default(), false, 0);
                let codes = spread(self, part, Symbols::MISSING, |worth| {
                    let label = worth.label().filter(|_| !full)?;
                    let code = dictionary.code(label.as_bytes(), "").ok();
                    // Other columns may have the same long texts, each a copy of its own.
                    let room = code != Some(new) || {
                        new += 1;
                        table.claim(name, label.len() as u64, 1).is_ok()
                    };
                    full = code.is_none() || !room;
                    code
                });
                let labels = dictionary.into_labels(|l| String::from_utf8_lossy(l).into_owned());
                (!full).then_some(Values::Symbols(Symbols { codes, labels }))?
            }
        })
    }

    /// Says why it is labels where one would expect numbers.
    fn note(&self, name: &str, sheet: &str, notes: &mut Vec<String>) {
        let place = format!("sheet '{sheet}', column {}", letters(self.place));
        let cell = |row: u64| format!("cell {}{row}", letters(self.place));
        self.tally.note(name, &place, cell, |text| String::from_utf8_lossy(text).into_owned(), notes);
        if self.is_mixed() {
            let others = self.tally.all_numbers() - self.durations;
            let durations = self.durations;
            notes.push(format!(
                "column {name:?} ({place}) is read as labels: it has {durations} durations beside {others} plain numbers"
            ));
        }
    }
}

/// How a sheet was read.
pub(super) struct Told {
    /// `"Data" with names in row 1`.
    pub(super) read_as: String,
    /// Serial numbers that are no date.
    pub(super) dateless: u64,
}

/// Adds the columns of a sheet, which has cells, to the table; with its own name before theirs where that is needed.
pub(super) async fn add(
    sheet: &Sheet,
    prefix: bool,
    book: &Book,
    options: &CsvOptions,
    table: &mut Table,
    pace: &dyn Pace,
) -> Result<Told, DataError> {
    let title = shorten(&sheet.name, 60);
    let first = sheet.columns.values().filter_map(|c| c.rows.first()).min().copied().unwrap_or(0);
    let last = sheet.columns.values().filter_map(|c| c.rows.last()).max().copied().unwrap_or(first);
    let (rows, width) = (u64::from(last - first) + 1, sheet.columns.len() as u64);
    let left = table.left();
    if table.claim(&title, rows * width, 8).is_err() {
        let what = format!("sheet '{title}' with {rows} rows of {width} columns");
        return Err(DataError::TooLarge { what, needed: rows * width * 8, limit: left });
    }
    let mut columns = Vec::with_capacity(sheet.columns.len());
    for (&place, cells) in &sheet.columns {
        pace.tick(columns.len() as u64, 2 * width).await?;
        columns.push(Column::survey(place, cells, book, first, rows));
    }
    let header = options.header.unwrap_or_else(|| rows > 1 && names_columns(columns.iter().map(|c| c.top(options))));
    let mut names = Vec::with_capacity(columns.len());
    let mut units = Vec::with_capacity(columns.len());
    for column in &mut columns {
        let title = if header { column.head.label() } else { None };
        let (name, unit) = split_unit(&shorten(&title.unwrap_or_default(), LONGEST_NAME));
        names.push(if name.is_empty() { format!("column {}", column.place + 1) } else { name });
        units.push(unit);
        if !header {
            column.put(first, column.head);
        }
    }
    unique(&mut names);
    let (start, len) = if header { (first + 1, rows - 1) } else { (first, rows) };
    let size = usize::try_from(len).unwrap_or(usize::MAX);
    let mut dateless = 0;
    for (done, ((column, name), unit)) in columns.iter().zip(&names).zip(units).enumerate() {
        pace.tick(width + done as u64, 2 * width).await?;
        let name = if prefix { format!("{title} {name}") } else { name.clone() };
        let ty = column.ty(options);
        dateless += column.dateless;
        if ty.0 == ColumnType::Symbols {
            column.note(&name, &title, &mut table.notes);
        }
        let unit = if ty.0 == ColumnType::Real && column.durations > 0 { Some("s".to_owned()) } else { unit };
        match column.values(ty, start, size, &name, table) {
            Some(values) => table.array(&name, unit.as_deref(), &[len], values)?,
            None => table.skip(&name, "too many or too long different texts"),
        }
    }
    let names = if header { format!("names in row {}", first + 1) } else { "no header".to_owned() };
    Ok(Told { read_as: format!("{title:?} ({names})"), dateless })
}
