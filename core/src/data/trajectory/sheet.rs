//! Tables of text in memory: rows with their lines, fields as numbers.

use crate::data::{
    DataError,
    csv_field::{is_missing, real, shorten, trim},
    csv_rows::{Row, Rows},
    csv_sniff::guess,
};
use crate::pace::Pace;

/// Bytes between two questions whether to go on.
const PIECE: usize = 1 << 20;

/// A text and what is between its fields.
pub(super) struct Sheet<'a> {
    bytes: &'a [u8],
    delimiter: u8,
}

/// Rows that the look at a table's beginning gives.
pub(super) type Head = Vec<Vec<String>>;

impl<'a> Sheet<'a> {
    /// A table in `bytes`, or in the beginning of it.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let head = &bytes[..bytes.len().min(128 << 10)];
        Self { bytes, delimiter: guess(head, head.len() == bytes.len()).delimiter }
    }

    /// The first `most` rows that are not blank, and nothing at all where they cannot be split.
    pub(super) fn head(&self, most: usize) -> Head {
        let mut rows = Vec::new();
        // What follows the rows wanted is not looked at, so that a large file costs no more.
        let mut parser = Rows::new(self.delimiter);
        let mut each = |row: Row<'_>| {
            if rows.len() < most && !row.fields().all(|f| trim(f).is_empty()) {
                rows.push(row.fields().map(|f| String::from_utf8_lossy(trim(f)).into_owned()).collect::<Vec<_>>());
            }
            Ok(())
        };
        let head = &self.bytes[..self.bytes.len().min(1 << 20)];
        if parser.push(head, &mut each).is_ok() && head.len() == self.bytes.len() {
            let _ = parser.finish(&mut each);
        }
        rows
    }

    /// Calls `each` for every row after the first `skip` that are not blank; a row of another number of
    /// fields than the last skipped one is an error. Progress goes to `pace` in bytes.
    pub(super) async fn rows(
        &self,
        skip: usize,
        each: &mut dyn FnMut(&Line<'_>) -> Result<(), DataError>,
        pace: &dyn Pace,
    ) -> Result<(), DataError> {
        let (mut seen, mut expected) = (0_usize, 0_usize);
        let mut parser = Rows::new(self.delimiter);
        let mut one = |row: Row<'_>| {
            if row.fields().all(|f| trim(f).is_empty()) {
                return Ok(());
            }
            seen += 1;
            if seen <= skip {
                expected = row.len();
                return Ok(());
            }
            if row.len() != expected {
                return Err(DataError::Ragged { line: row.line, expected, found: row.len(), hint: "" });
            }
            each(&Line { row, comma: self.delimiter != b',' })
        };
        let total = self.bytes.len() as u64;
        for (i, piece) in self.bytes.chunks(PIECE).enumerate() {
            pace.tick((i * PIECE) as u64, total).await?;
            parser.push(piece, &mut one)?;
        }
        parser.finish(&mut one)
    }
}

/// One row of values.
pub(super) struct Line<'a> {
    row: Row<'a>,
    /// A decimal comma is possible.
    comma: bool,
}

impl Line<'_> {
    /// On which line it starts, from 1.
    pub(super) const fn number(&self) -> u64 {
        self.row.line
    }

    /// Field `i` as text.
    pub(super) fn text(&self, i: usize) -> String {
        String::from_utf8_lossy(trim(self.row.field(i))).into_owned()
    }

    /// Field `i` as a number; NaN where it is missing or infinite.
    pub(super) fn real(&self, i: usize, column: &str) -> Result<f64, DataError> {
        let field = trim(self.row.field(i));
        if is_missing(field) {
            return Ok(f64::NAN);
        }
        let value = real(field, b'.').or_else(|| if self.comma { real(field, b',') } else { None });
        let wrong = || DataError::Field {
            line: self.row.line,
            field: i + 1,
            name: column.to_owned(),
            value: shorten(&String::from_utf8_lossy(field), 40),
            expected: "a number, or nothing",
        };
        value.map(|x| if x.is_finite() { x } else { f64::NAN }).ok_or_else(wrong)
    }

    /// Field `i` as a number that must be there.
    pub(super) fn known(&self, i: usize, column: &str) -> Result<f64, DataError> {
        let x = self.real(i, column)?;
        if x.is_finite() {
            return Ok(x);
        }
        Err(DataError::Field {
            line: self.row.line,
            field: i + 1,
            name: column.to_owned(),
            value: shorten(&self.text(i), 40),
            expected: "a number: without it the row belongs nowhere",
        })
    }
}
