//! Parquet and Arrow (IPC files and streams, Feather): tables of typed columns.
//!
//! What reads them is larger than all other readers together. Natively that is the crate `surprisal-columnar`; in wasm it
//! would be most of what a browser downloads at first, so there the door brings a [`ColumnarReader`].

use super::{DataError, Kind, Options, Values};
use crate::pace::Pace;
use futures_util::future::LocalBoxFuture;

/// Begins to read a Parquet or Arrow file.
pub type ColumnarReader = fn() -> Result<Box<dyn ColumnarReading>, DataError>;

/// A Parquet or Arrow file that is being read. What is dropped is no longer read.
pub trait ColumnarReading {
    /// Takes the file's next bytes; whether there was room for them.
    fn push(&mut self, bytes: Vec<u8>) -> bool;

    /// Reads the file of which all bytes have been pushed, [`Kind::Parquet`] or [`Kind::Arrow`]. Its values may take `limit`
    /// bytes.
    ///
    /// # Errors
    /// What [`ColumnarError::in_a`] makes; [`DataError::Unloaded`] and [`DataError::Failed`] of a module; or the work was
    /// cancelled.
    fn read<'a>(
        self: Box<Self>,
        kind: Kind,
        limit: u64,
        pace: &'a dyn Pace,
    ) -> LocalBoxFuture<'a, Result<ColumnarTable, DataError>>;
}

/// What a Parquet or Arrow file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnarTable {
    /// Its rows.
    pub rows: u64,
    /// Its columns, those of structures one by one.
    pub columns: Vec<ColumnarColumn>,
    /// Names of columns that are not read, and why.
    pub skipped: Vec<(String, String)>,
}

/// A column of such a file.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnarColumn {
    /// Its name.
    pub name: String,
    /// The unit of its values where the type tells it.
    pub unit: Option<String>,
    /// Values a row: more than 1 of a list of fixed length.
    pub width: u64,
    /// The values, row by row.
    pub values: Values,
}

/// Why such a file was not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnarError {
    /// An Arrow file does not end with its mark.
    NoEnd {
        /// Bytes of the file.
        len: u64,
    },
    /// An Arrow file ends within a message.
    CutMessage {
        /// Where the message begins.
        offset: u64,
        /// Bytes that it has.
        needed: u64,
        /// Bytes that are there.
        have: u64,
    },
    /// The one codec that is not read.
    Zstd,
    /// The file contradicts itself, in words.
    Malformed(String),
    /// It made its reader panic, which damage does.
    Panicked,
    /// The values take more than they may.
    TooLarge {
        /// What takes it.
        what: String,
        /// Bytes needed, or a lower bound of them.
        needed: u64,
        /// Bytes allowed.
        limit: u64,
    },
}

impl ColumnarError {
    /// The same in the words of every door: of a file of this kind.
    #[must_use]
    pub fn in_a(self, kind: Kind) -> DataError {
        let what = noun(kind);
        match self {
            Self::NoEnd { len } => {
                let what = "the Arrow file, which must end with ARROW1,";
                DataError::Truncated { what, offset: len, needed: "ARROW1".len() as u64, have: 0 }
            }
            Self::CutMessage { offset, needed, have } => {
                DataError::Truncated { what: "a message of the Arrow file", offset, needed, have }
            }
            Self::Zstd => DataError::Unsupported {
                what: format!("the {what} with zstd inside"),
                instead: "snappy, gzip, lz4, brotli and uncompressed can, in Arrow files lz4 and uncompressed: write it again so",
            },
            Self::Malformed(why) => DataError::Malformed { what, offset: 0, why },
            Self::Panicked => {
                DataError::Malformed { what, offset: 0, why: "its structure contradicts itself".to_owned() }
            }
            Self::TooLarge { what, needed, limit } => DataError::TooLarge { what, needed, limit },
        }
    }
}

pub(super) const fn noun(kind: Kind) -> &'static str {
    if matches!(kind, Kind::Parquet) { "Parquet file" } else { "Arrow file" }
}

/// Begins with the reader that the door brings, or with the one of this build.
pub(super) fn begin(kind: Kind, options: &Options) -> Result<Box<dyn ColumnarReading>, DataError> {
    match options.columnar {
        Some(begin) => begin(),
        None => own(kind),
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn own(_: Kind) -> Result<Box<dyn ColumnarReading>, DataError> {
    Ok(Box::new(native::Whole::default()))
}

#[cfg(target_arch = "wasm32")]
fn own(kind: Kind) -> Result<Box<dyn ColumnarReading>, DataError> {
    let what = format!("a {} without the module that reads it", noun(kind));
    Err(DataError::Unsupported { what, instead: "the command line can: surprisal measure" })
}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use super::{ColumnarColumn, ColumnarError, ColumnarReading, ColumnarTable, DataError, Kind, LocalBoxFuture, Pace};
    use crate::data::{Symbols, Values, dictionary};
    use surprisal_columnar::{Error, Format, MISSING, MOST_BYTES, MOST_LABELS, Reader};

    const _: () = assert!(MISSING == Symbols::MISSING, "one code for what is missing");
    const _: () = assert!(MOST_LABELS == dictionary::MOST_LABELS && MOST_BYTES == dictionary::MOST_BYTES, "one limit");

    /// All bytes of the file.
    #[derive(Default)]
    pub(super) struct Whole(Vec<u8>);

    impl ColumnarReading for Whole {
        fn push(&mut self, bytes: Vec<u8>) -> bool {
            let room = self.0.try_reserve(bytes.len()).is_ok();
            if room {
                self.0.extend_from_slice(&bytes);
            }
            room
        }

        fn read<'a>(
            self: Box<Self>,
            kind: Kind,
            limit: u64,
            pace: &'a dyn Pace,
        ) -> LocalBoxFuture<'a, Result<ColumnarTable, DataError>> {
            Box::pin(async move {
                let len = self.0.len() as u64;
                let format = if kind == Kind::Parquet { Format::Parquet } else { Format::Arrow };
                let told = |error| told(error).in_a(kind);
                let mut reader = Reader::new(format, self.0, limit).map_err(told)?;
                while reader.advance().map_err(told)? {
                    pace.tick(len, len).await?;
                }
                reader.finish().map(table).map_err(told)
            })
        }
    }

    fn table(found: surprisal_columnar::Table) -> ColumnarTable {
        let columns = found.columns.into_iter().map(|column| ColumnarColumn {
            name: column.name,
            unit: column.unit.map(str::to_owned),
            width: column.width,
            values: values(column.values),
        });
        ColumnarTable { rows: found.rows, columns: columns.collect(), skipped: found.skipped }
    }

    fn values(values: surprisal_columnar::Values) -> Values {
        use surprisal_columnar::Values as Found;
        match values {
            Found::Integer(v) => Values::Integer(v),
            Found::Real(v) => Values::Real(v),
            Found::Bytes(v) => Values::Bytes(v),
            Found::Time(v) => Values::Time(v),
            Found::Text { codes, labels } => Values::Symbols(Symbols { codes, labels }),
        }
    }

    fn told(error: Error) -> ColumnarError {
        match error {
            Error::NoEnd { len } => ColumnarError::NoEnd { len },
            Error::CutMessage { offset, needed, have } => ColumnarError::CutMessage { offset, needed, have },
            Error::Zstd => ColumnarError::Zstd,
            Error::Malformed(why) => ColumnarError::Malformed(why),
            Error::Panicked => ColumnarError::Panicked,
            Error::TooLarge { what, needed, limit } => ColumnarError::TooLarge { what, needed, limit },
        }
    }
}
