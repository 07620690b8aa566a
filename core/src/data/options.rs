//! What the caller may decide about reading a file.

use super::{ColumnarReader, Kind};

/// How a file is read. [`Options::default`] fits a browser tab.
#[derive(Clone, Debug)]
pub struct Options {
    /// Decoded columns are kept in memory while all of them together take at most this many bytes;
    /// otherwise they stay in the file and are read when asked for. 64 MiB.
    pub resident_limit: u64,
    /// The most bytes that compressed data may unfold to, and that an image may take. 4 GiB.
    pub decoded_limit: u64,
    /// The most bytes that one column may take when it is loaded whole. 1 GiB.
    pub column_limit: u64,
    /// What the file is, where the user knows better. [`Kind::Bytes`] takes the file as it lies, other
    /// kinds are looked for inside gzip and zip.
    pub kind: Option<Kind>,
    /// How tables are read.
    pub csv: CsvOptions,
    /// What reads Parquet and Arrow. `None` is the reader of this crate, which in wasm has none.
    pub columnar: Option<ColumnarReader>,
}

/// How tables of text are read; `None` means: find out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CsvOptions {
    /// The byte between fields: one of `,` `;` `|`, a tab, or a space for runs of white space.
    pub delimiter: Option<u8>,
    /// The decimal mark: `.` or `,`.
    pub decimal: Option<u8>,
    /// Whether the first row holds the names of the columns.
    pub header: Option<bool>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            resident_limit: 64 << 20,
            decoded_limit: 4 << 30,
            column_limit: 1 << 30,
            kind: None,
            csv: CsvOptions::default(),
            columnar: None,
        }
    }
}
