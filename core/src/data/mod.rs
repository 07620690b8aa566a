//! What people bring: files of any supported kind, read to one [`Dataset`] of named, typed columns.
//!
//! Readers recognise a file by its content first and its extension second, check every size before
//! they allocate, and read by chunks, so that a file larger than the memory can still be measured.

mod archive;
mod cf;
mod chunk;
mod columnar;
mod csv;
mod csv_field;
mod csv_header;
mod csv_rows;
mod csv_scan;
mod csv_sniff;
mod csv_tally;
mod detect;
mod dictionary;
mod error;
mod fasta;
mod fastq;
mod first;
mod first_json;
mod first_sequences;
mod first_tensors;
mod first_whole;
mod hdf5;
mod json;
mod json_scan;
mod json_split;
mod json_visit;
mod mat;
mod netcdf;
mod npy;
mod npy_header;
mod open;
mod options;
mod part;
mod passing;
mod picture;
mod pipe;
mod preview;
mod raw;
mod safetensors;
mod several;
mod source;
mod stage;
mod stage_frames;
mod stage_lz4;
mod stage_utf16;
mod stage_zstd;
mod survey;
mod tensors;
mod time;
pub mod trajectory;
mod wav;
mod whole;
pub mod write;
mod xlsx;

pub use chunk::Chunk;
pub use columnar::{ColumnarColumn, ColumnarError, ColumnarReader, ColumnarReading, ColumnarTable};
pub use error::DataError;
pub use open::{OpenFile, open};
pub use options::{CsvOptions, Options};
pub use passing::Passing;
pub use preview::Preview;
pub use several::open_several;
pub use source::{ByteSource, Memory};
#[cfg(not(target_arch = "wasm32"))]
pub use surprisal_columnar::hush_caught_panics;

use ndarray::ArrayD;
use serde::{Deserialize, Serialize};

/// Where a dataset comes from: enough to recognise the very same bytes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// The file's name, without its folder.
    pub name: String,
    /// Its size in bytes, as it lies on disk (before any decompression).
    pub size: u64,
    /// SHA-256 of those bytes, lower-case hexadecimal.
    pub sha256: String,
    /// What it was recognised as.
    pub kind: Kind,
    /// How it was read, in words: `CSV, comma separated, header in line 1, inside gzip`.
    pub read_as: String,
    /// Where several files are compared: each of them. Then the size is that of all together, and the SHA-256 that of the
    /// lines that `sha256sum` prints of them (`hash  name`, in order).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Self>,
}

/// The kinds of file that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Anything: one column of bytes.
    Bytes,
    /// UTF-8 text: one column of bytes, offered as text.
    Text,
    /// Comma, semicolon, tab or space separated values.
    Csv,
    /// One NumPy array.
    Npy,
    /// Several NumPy arrays.
    Npz,
    /// Named tensors of a model.
    Safetensors,
    /// One JSON value, or JSON lines.
    Json,
    /// Sequences of nucleotides or amino acids.
    Fasta,
    /// Sequences with a score for every letter.
    Fastq,
    /// Datasets in groups.
    Hdf5,
    /// Variables of NetCDF-3 or NetCDF-4.
    NetCdf,
    /// Variables of MATLAB or Octave.
    Mat,
    /// Sheets of an Excel workbook, Office Open XML.
    Xlsx,
    /// Apache Parquet.
    Parquet,
    /// Apache Arrow: files, streams, Feather.
    Arrow,
    /// Sampled sound.
    Wav,
    /// PNG, JPEG or TIFF.
    Image,
    /// Several files beside each other, each of a kind of its own.
    Several,
}

/// A file's contents: named columns, and matrices where the file holds arrays of two or more axes.
#[derive(Clone, Debug)]
pub struct Dataset {
    /// Where it comes from.
    pub provenance: Provenance,
    /// All columns, in the file's order. A matrix of at most 64 columns is offered as columns too.
    pub columns: Vec<Column>,
    /// Arrays with two to four axes.
    pub matrices: Vec<Matrix>,
    /// What a reader noticed and the user should know (a ragged last line, a clipped sample, …).
    pub notes: Vec<String>,
}

/// A named column with its unit where the file tells it.
#[derive(Clone, Debug)]
pub struct Column {
    /// The header's name, or `column 1`, `bytes`, `left`, `grey`, …
    pub name: String,
    /// For example `Hz`; `None` where unknown.
    pub unit: Option<String>,
    /// The type, known even when the values are not in memory.
    pub ty: ColumnType,
    /// The number of values, missing ones included.
    pub len: u64,
    /// How many are missing (empty field, NA, NaN, …).
    pub missing: u64,
    /// The values, or `None` while they are still in the file (see [`Column::is_resident`]).
    pub values: Option<Values>,
}

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    /// 64-bit floating point; missing values are NaN.
    Real,
    /// 64-bit integers, none missing (a column of integers with gaps is read as real).
    Integer,
    /// Labels from a dictionary.
    Symbols,
    /// Seconds since 1970-01-01T00:00:00Z; missing values are NaN.
    Time,
    /// Bytes 0..=255.
    Bytes,
}

/// The values of one column.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// See [`ColumnType::Real`].
    Real(Vec<f64>),
    /// See [`ColumnType::Integer`].
    Integer(Vec<i64>),
    /// See [`ColumnType::Symbols`].
    Symbols(Symbols),
    /// See [`ColumnType::Time`].
    Time(Vec<f64>),
    /// See [`ColumnType::Bytes`].
    Bytes(Vec<u8>),
}

/// A sequence over a dictionary of labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Symbols {
    /// Indices into `labels`; [`Symbols::MISSING`] where the file has no value.
    pub codes: Vec<u32>,
    /// The labels in order of first appearance.
    pub labels: Vec<String>,
}

impl Symbols {
    /// The code of a missing value.
    pub const MISSING: u32 = u32::MAX;
}

/// An array of two to four axes in row-major order, kept beside the columns.
#[derive(Clone, Debug)]
pub struct Matrix {
    /// The array's name in the file.
    pub name: String,
    /// The values as f64 (integers beyond 2^53 are refused by the reader).
    pub values: ArrayD<f64>,
}

impl Values {
    /// The number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Real(v) | Self::Time(v) => v.len(),
            Self::Integer(v) => v.len(),
            Self::Symbols(s) => s.codes.len(),
            Self::Bytes(v) => v.len(),
        }
    }

    /// No value at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The type of these values.
    #[must_use]
    pub const fn ty(&self) -> ColumnType {
        match self {
            Self::Real(_) => ColumnType::Real,
            Self::Integer(_) => ColumnType::Integer,
            Self::Symbols(_) => ColumnType::Symbols,
            Self::Time(_) => ColumnType::Time,
            Self::Bytes(_) => ColumnType::Bytes,
        }
    }

    /// How many are missing.
    #[must_use]
    pub fn missing(&self) -> usize {
        match self {
            Self::Real(v) | Self::Time(v) => v.iter().filter(|x| x.is_nan()).count(),
            Self::Symbols(s) => s.codes.iter().filter(|&&c| c == Symbols::MISSING).count(),
            Self::Integer(_) | Self::Bytes(_) => 0,
        }
    }
}

impl Column {
    /// A column in memory.
    #[must_use]
    pub fn new(name: impl Into<String>, values: Values) -> Self {
        Self {
            name: name.into(),
            unit: None,
            ty: values.ty(),
            len: values.len() as u64,
            missing: values.missing() as u64,
            values: Some(values),
        }
    }

    /// A column of reals in memory.
    #[must_use]
    pub fn real(name: impl Into<String>, values: Vec<f64>) -> Self {
        Self::new(name, Values::Real(values))
    }

    /// A column of integers in memory.
    #[must_use]
    pub fn integer(name: impl Into<String>, values: Vec<i64>) -> Self {
        Self::new(name, Values::Integer(values))
    }

    /// A column of bytes in memory.
    #[must_use]
    pub fn bytes(name: impl Into<String>, values: Vec<u8>) -> Self {
        Self::new(name, Values::Bytes(values))
    }

    /// Whether the values are in memory; otherwise they are read from the file when asked for.
    #[must_use]
    pub const fn is_resident(&self) -> bool {
        self.values.is_some()
    }
}
