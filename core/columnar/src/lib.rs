//! Apache Parquet and Arrow (IPC files and streams, Feather): tables of typed columns, read to plain vectors.
//!
//! A crate of its own, because it is larger than everything else that reads files: natively `surprisal-core` calls it, and
//! the page loads it as a wasm module of its own (`src/bin/columns`) when the first such file is opened.

mod claims;
mod dictionary;
mod gathered;
mod guard;

pub use dictionary::{MOST_BYTES, MOST_LABELS};
pub use guard::hush_caught_panics;

use arrow_array::RecordBatch;
use arrow_ipc::reader::StreamReader;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::io::Cursor;

use gathered::{Gathered, flatten};
use guard::guarded;

/// Rows decoded at a time.
const BATCH: usize = 8192;
/// What a value takes: itself, room to grow, and a matrix of them.
const VALUE: u64 = 24;

/// The code of a missing text.
pub const MISSING: u32 = u32::MAX;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow: a file, which is what Feather is, or a stream.
    Arrow,
}

/// Why a file was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An Arrow file does not end with its mark.
    #[error("the Arrow file is cut off after {len} bytes: it must end with ARROW1")]
    NoEnd {
        /// Bytes of the file.
        len: u64,
    },
    /// An Arrow file ends within a message.
    #[error("a message of the Arrow file is cut off: at byte {offset} {needed} bytes are needed, {have} are there")]
    CutMessage {
        /// Where the message begins, in bytes from the start of the stream.
        offset: u64,
        /// Bytes that it has.
        needed: u64,
        /// Bytes that are there.
        have: u64,
    },
    /// The one codec that is not read.
    #[error("zstd inside is not read")]
    Zstd,
    /// The file contradicts itself.
    #[error("{0}")]
    Malformed(String),
    /// It made another crate panic, which damage does.
    #[error("its structure contradicts itself")]
    Panicked,
    /// The values take more than they may.
    #[error("{what} needs {needed} bytes, the limit is {limit} bytes")]
    TooLarge {
        /// What takes it.
        what: String,
        /// Bytes needed, or a lower bound of them.
        needed: u64,
        /// Bytes allowed.
        limit: u64,
    },
}

impl From<String> for Error {
    fn from(why: String) -> Self {
        Self::Malformed(why)
    }
}

/// A file's columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its rows.
    pub rows: u64,
    /// Its columns, those of structures one by one.
    pub columns: Vec<Column>,
    /// Names of columns that are not read, and why.
    pub skipped: Vec<(String, String)>,
}

/// A column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name; of a structure's field `place.x`.
    pub name: String,
    /// The unit of its values where the type tells it.
    pub unit: Option<&'static str>,
    /// Values a row: more than 1 of a list of fixed length.
    pub width: u64,
    /// The values, row by row.
    pub values: Values,
}

/// The values of a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Integers and booleans, none missing.
    Integer(Vec<i64>),
    /// Reals, and integers with gaps; missing ones are NaN.
    Real(Vec<f64>),
    /// Unsigned bytes, none missing.
    Bytes(Vec<u8>),
    /// Seconds since 1970-01-01T00:00:00Z; missing ones are NaN.
    Time(Vec<f64>),
    /// Texts.
    Text {
        /// A place in `labels` for each value, or [`MISSING`].
        codes: Vec<u32>,
        /// The distinct texts in order of first appearance.
        labels: Vec<String>,
    },
}

/// A file that is being read, some thousand rows at a time.
pub struct Reader {
    batches: Box<dyn Iterator<Item = Result<RecordBatch, String>>>,
    /// Rows that a Parquet file promises.
    promised: Option<u64>,
    columns: Vec<Gathered>,
    skipped: Vec<(String, String)>,
    rows: u64,
    /// Bytes that values may take, and may still take.
    limit: u64,
    left: u64,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("rows", &self.rows).field("left", &self.left).finish_non_exhaustive()
    }
}

impl Reader {
    /// Looks at what a file says of itself. Its values may take `limit` bytes.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Panicked`], [`Error::Zstd`]; of Arrow also [`Error::NoEnd`], [`Error::CutMessage`] and, where compressed
    /// buffers claim more than the limit, [`Error::TooLarge`].
    pub fn new(format: Format, bytes: Vec<u8>, limit: u64) -> Result<Self, Error> {
        let (batches, schema, promised) = match format {
            Format::Parquet => guarded::<_, String>(|| {
                let len = bytes.len() as u64;
                let builder = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(bytes)).map_err(told)?;
                claims::places(builder.metadata(), len)?;
                let rows = u64::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
                let schema = builder.schema().clone();
                let reader = builder.with_batch_size(BATCH).build().map_err(told)?;
                let batches = Box::new(reader.map(|batch| batch.map_err(told))) as Box<dyn Iterator<Item = _>>;
                Ok((batches, schema, Some(rows)))
            })?,
            Format::Arrow => {
                let start = claims::stream(&bytes)?;
                claims::check(&bytes[start..], limit)?;
                guarded::<_, String>(|| {
                    let mut stream = Cursor::new(bytes);
                    stream.set_position(start as u64);
                    let reader = StreamReader::try_new(stream, None).map_err(told)?;
                    let schema = reader.schema();
                    let batches = Box::new(reader.map(|batch| batch.map_err(told))) as Box<dyn Iterator<Item = _>>;
                    Ok((batches, schema, None))
                })?
            }
        };
        let (mut columns, mut skipped) = (Vec::new(), Vec::new());
        for (i, field) in schema.fields().iter().enumerate() {
            flatten(field.name().clone(), field.data_type(), vec![i], &mut columns, &mut skipped);
        }
        Ok(Self { batches, promised, columns, skipped, rows: 0, limit, left: limit })
    }

    /// Reads the next rows; whether there were any. Between two calls is the time to tell how far it is, or to stop.
    ///
    /// # Errors
    /// [`Error::Malformed`], [`Error::Panicked`], [`Error::Zstd`], and [`Error::TooLarge`] once the values take more than the limit, or
    /// the distinct texts of a column more than every column of them may.
    pub fn advance(&mut self) -> Result<bool, Error> {
        let Some(batch) = guarded(|| self.batches.next().transpose())? else { return Ok(false) };
        for column in &mut self.columns {
            let array = guarded(|| column.find(&batch))?;
            // Of vectors it has every number already.
            let values = array.len() as u64;
            let needed = values.saturating_mul(VALUE);
            self.left = self.left.checked_sub(needed).ok_or_else(|| {
                let what = format!("{:?} with {values} values", column.name);
                Error::TooLarge { what, needed, limit: self.limit }
            })?;
            guarded(|| column.append(array.as_ref()))?;
        }
        self.rows += batch.num_rows() as u64;
        Ok(true)
    }

    /// The columns, once [`Reader::advance`] has found no more rows.
    ///
    /// # Errors
    /// [`Error::Malformed`] where a Parquet file has another number of rows than it says.
    pub fn finish(self) -> Result<Table, Error> {
        let Self { promised, columns, skipped, rows, .. } = self;
        if let Some(promised) = promised.filter(|&promised| promised != rows) {
            return Err(format!("it has {rows} rows instead of {promised}").into());
        }
        Ok(Table { rows, columns: columns.into_iter().map(Gathered::finish).collect(), skipped })
    }
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}
