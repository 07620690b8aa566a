//! Tables of text: the second and later passes, which read the values of the wanted columns.

use super::{
    ColumnType, DataError, Symbols,
    chunk::{Chunk, Decode, Out},
    csv_field::{integer, is_missing, real, shorten, text, trim},
    csv_rows::{Row, Rows},
    dictionary::Dictionary,
    time,
};

/// Values handed out at a time.
const RUN: usize = 8192;

/// One column of a table.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) unit: Option<String>,
    pub(super) ty: ColumnType,
    /// The decimal mark.
    pub(super) mark: u8,
    pub(super) missing: u64,
}

/// All that is needed to read a table again.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) delimiter: u8,
    pub(super) header: bool,
    /// Rows of values.
    pub(super) rows: u64,
    pub(super) latin1: bool,
    pub(super) fields: Vec<Field>,
}

impl Layout {
    /// `comma separated, header`, for the provenance.
    pub(super) fn describe(&self) -> String {
        let between = match self.delimiter {
            b',' => "comma",
            b';' => "semicolon",
            b'\t' => "tab",
            b' ' => "space",
            b'|' => "bar",
            _ => "otherwise",
        };
        let decimal = if self.fields.iter().any(|f| f.mark == b',') { ", decimal comma" } else { "" };
        let header = if self.header { ", names in the first row" } else { ", no header" };
        let latin1 = if self.latin1 { ", Latin-1" } else { "" };
        format!("CSV, {between} separated{header}{decimal}{latin1}")
    }
}

/// Values of one wanted column that have not been handed out yet.
enum Slot {
    Real(Vec<f64>),
    Time(Vec<f64>),
    Integer(Vec<i64>),
    Symbols(Vec<u32>, Dictionary),
}

/// Reads the wanted columns.
pub(super) struct Reader<'a> {
    rows: Rows,
    work: Work<'a>,
}

struct Work<'a> {
    layout: &'a Layout,
    wanted: Vec<usize>,
    slots: Vec<Slot>,
    skip_header: bool,
    started: bool,
    buffered: usize,
    done: u64,
    empty: u64,
}

impl<'a> Reader<'a> {
    /// `wanted`: places of columns in the layout, each below its number of fields.
    pub(super) fn new(layout: &'a Layout, wanted: &[usize]) -> Self {
        let slot = |&i: &usize| match layout.fields[i].ty {
            ColumnType::Integer => Slot::Integer(Vec::with_capacity(RUN)),
            ColumnType::Time => Slot::Time(Vec::with_capacity(RUN)),
            ColumnType::Symbols => Slot::Symbols(Vec::with_capacity(RUN), Dictionary::default()),
            ColumnType::Real | ColumnType::Bytes => Slot::Real(Vec::with_capacity(RUN)),
        };
        let work = Work {
            layout,
            wanted: wanted.to_vec(),
            slots: wanted.iter().map(slot).collect(),
            skip_header: layout.header,
            started: false,
            buffered: 0,
            done: 0,
            empty: 0,
        };
        Self { rows: Rows::new(layout.delimiter), work }
    }
}

impl Decode for Reader<'_> {
    fn push(&mut self, bytes: &[u8], out: &mut Out<'_>) -> Result<(), DataError> {
        let work = &mut self.work;
        self.rows.push(bytes, &mut |row| work.row(row, out))
    }

    fn finish(&mut self, out: &mut Out<'_>) -> Result<(), DataError> {
        let work = &mut self.work;
        self.rows.finish(&mut |row| work.row(row, out))?;
        work.flush(out)
    }

    fn take_labels(&mut self, slot: usize) -> Vec<String> {
        let latin1 = self.work.layout.latin1;
        match self.work.slots.get_mut(slot) {
            Some(Slot::Symbols(_, dictionary)) => std::mem::take(dictionary).into_labels(|l| text(l, latin1)),
            _ => Vec::new(),
        }
    }
}

impl Work<'_> {
    fn row(&mut self, row: Row<'_>, out: &mut Out<'_>) -> Result<(), DataError> {
        let blank = row.fields().all(|f| trim(f).is_empty());
        if !self.started {
            // The first row that is not blank fixes the width, as in the first pass.
            if blank {
                return Ok(());
            }
            self.started = true;
            if self.skip_header {
                return Ok(());
            }
        }
        if row.len() != self.layout.fields.len() {
            let (expected, found) = (self.layout.fields.len(), row.len());
            return Err(DataError::Ragged { line: row.line, expected, found, hint: "" });
        }
        if blank {
            self.empty += 1;
            return Ok(());
        }
        for _ in 0..std::mem::take(&mut self.empty) {
            self.values(|_| &[], row.line, out)?;
        }
        self.values(|i| trim(row.field(i)), row.line, out)
    }

    fn values<'f>(&mut self, field: impl Fn(usize) -> &'f [u8], line: u64, out: &mut Out<'_>) -> Result<(), DataError> {
        for (&i, slot) in self.wanted.iter().zip(&mut self.slots) {
            let bytes = field(i);
            let column = &self.layout.fields[i];
            // Only a file that has changed since the first pass gets here with a wrong value.
            let wrong = |expected| DataError::Field {
                line,
                field: i + 1,
                name: column.name.clone(),
                value: shorten(&text(bytes, self.layout.latin1), 40),
                expected,
            };
            match slot {
                Slot::Integer(v) => v.push(integer(bytes).ok_or_else(|| wrong("an integer of 64 bits"))?),
                Slot::Real(v) => v.push(match real(bytes, column.mark) {
                    Some(x) => x,
                    None if is_missing(bytes) => f64::NAN,
                    None => return Err(wrong("a number, or nothing")),
                }),
                Slot::Time(v) => v.push(match time::parse(bytes) {
                    Some(x) => x,
                    None if is_missing(bytes) => f64::NAN,
                    None => return Err(wrong("a date such as 2026-11-23 or 2026-11-23T05:57:23Z")),
                }),
                Slot::Symbols(v, dictionary) => {
                    v.push(if is_missing(bytes) { Symbols::MISSING } else { dictionary.code(bytes, &column.name)? });
                }
            }
        }
        self.done += 1;
        self.buffered += 1;
        if self.done > self.layout.rows {
            return Err(DataError::Changed { what: format!("it has more than {} rows", self.layout.rows) });
        }
        if self.buffered >= RUN { self.flush(out) } else { Ok(()) }
    }

    fn flush(&mut self, out: &mut Out<'_>) -> Result<(), DataError> {
        self.buffered = 0;
        for (i, slot) in self.slots.iter_mut().enumerate() {
            match slot {
                Slot::Real(v) => hand_out(v, |v| out(i, Chunk::Real(v)))?,
                Slot::Time(v) => hand_out(v, |v| out(i, Chunk::Time(v)))?,
                Slot::Integer(v) => hand_out(v, |v| out(i, Chunk::Integer(v)))?,
                Slot::Symbols(v, _) => hand_out(v, |v| out(i, Chunk::Symbols(v)))?,
            }
        }
        Ok(())
    }
}

fn hand_out<T>(values: &mut Vec<T>, out: impl FnOnce(&[T]) -> Result<(), DataError>) -> Result<(), DataError> {
    if !values.is_empty() {
        out(values)?;
        values.clear();
    }
    Ok(())
}
