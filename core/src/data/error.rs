//! What can be wrong with a file, and what would be right.

use crate::pace::Cancelled;

/// Why a file could not be read. Every message says where, what was found, and what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// No byte at all, or nothing but a header.
    #[error("{name} is empty: {what}")]
    Empty {
        /// The file's (or the archive member's) name.
        name: String,
        /// What is not there.
        what: &'static str,
    },
    /// A row with another number of fields than the first one.
    #[error("line {line}: expected {expected} fields as in the first row, found {found}{hint}")]
    Ragged {
        /// The line on which the row starts, from 1.
        line: u64,
        /// The number of fields of the first row.
        expected: usize,
        /// The number of fields of this row.
        found: usize,
        /// A likely cause, with its own punctuation, or nothing.
        hint: &'static str,
    },
    /// A field that does not have the type of its column.
    #[error("line {line}, field {field} (column {name:?}): found {value:?}, expected {expected}")]
    Field {
        /// The line on which the row starts, from 1.
        line: u64,
        /// The field's place in the row, from 1.
        field: usize,
        /// The column's name.
        name: String,
        /// The field's text, shortened.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// The file ends too early.
    #[error("{what} is cut off: at byte {offset} {needed} more bytes are needed, only {have} are there")]
    Truncated {
        /// What is incomplete.
        what: &'static str,
        /// Where the incomplete part begins, in decoded bytes from the file's start.
        offset: u64,
        /// How many bytes that part has.
        needed: u64,
        /// How many bytes follow `offset`.
        have: u64,
    },
    /// A header claims what the file cannot hold.
    #[error("{what}: the header claims {claimed} bytes, the file has {have}")]
    Claim {
        /// The header and its claim.
        what: String,
        /// The number of bytes it would take; `u128` because hostile claims overflow less.
        claimed: u128,
        /// The number of bytes there are.
        have: u64,
    },
    /// A well-formed file of a sort that is not read.
    #[error("{what} cannot be read; {instead}")]
    Unsupported {
        /// What was found.
        what: String,
        /// What can be read.
        instead: &'static str,
    },
    /// A malformed file.
    #[error("not a valid {what}, at byte {offset}: {why}")]
    Malformed {
        /// The format it should have.
        what: &'static str,
        /// Where, in bytes from the start of the (decoded) file.
        offset: u64,
        /// What is wrong there.
        why: String,
    },
    /// The module that reads such files, which is loaded when first needed, did not come.
    #[error("the module that reads {what} could not be loaded: {why}; with a network, reloading the page may help")]
    Unloaded {
        /// The files that it reads.
        what: &'static str,
        /// What went wrong.
        why: String,
    },
    /// The module that reads such files failed: its memory was too small, or it is of another version.
    #[error("the module that reads {what} failed: {why}; reloading the page may help, or the command line")]
    Failed {
        /// The files that it reads.
        what: &'static str,
        /// What went wrong.
        why: String,
    },
    /// Compressed data that unfolds beyond reason.
    #[error("refused to unpack {name}: {packed} compressed bytes became {unpacked} bytes (limit: {limit})")]
    Bomb {
        /// The file or archive member.
        name: String,
        /// Compressed bytes read when it was refused.
        packed: u64,
        /// Bytes unpacked by then.
        unpacked: u64,
        /// The limit that was passed, in words.
        limit: String,
    },
    /// More than may be held in memory.
    #[error("{what} needs {needed} bytes, the limit is {limit} bytes")]
    TooLarge {
        /// What is too large.
        what: String,
        /// Bytes needed (or a lower bound of them).
        needed: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// Text in an encoding that is not read.
    #[error("{what} at byte {offset}; save the file as UTF-8 text")]
    Encoding {
        /// What was found.
        what: &'static str,
        /// Where, in bytes from the start of the (decoded) file.
        offset: u64,
    },
    /// A zip archive whose directory or member is damaged.
    #[error("damaged zip archive, at byte {offset}: {why}")]
    Zip {
        /// Where, in bytes from the start of the file.
        offset: u64,
        /// What is wrong there.
        why: String,
    },
    /// A gzip stream that is damaged or cut off.
    #[error("damaged gzip data, near byte {offset}: {why}")]
    Gzip {
        /// Where, in compressed bytes from the start of the stream.
        offset: u64,
        /// What is wrong there.
        why: String,
    },
    /// A zstd, LZ4 or UTF-16 stream that is damaged or cut off.
    #[error("damaged {what} data, near byte {offset}: {why}")]
    Packed {
        /// The packing.
        what: &'static str,
        /// Where, in packed bytes from the start of the stream.
        offset: u64,
        /// What is wrong there.
        why: String,
    },
    /// The source of bytes failed (a vanished file, a lost permission).
    #[error("cannot read the file: {0}")]
    Read(String),
    /// Something is wrong with one file in an archive.
    #[error("in {name}: {error}")]
    Member {
        /// The file's name in the archive.
        name: String,
        /// What is wrong with it.
        error: Box<DataError>,
    },
    /// A sheet of a workbook that says what cannot be.
    #[error("sheet '{sheet}', {place}: {why}")]
    Sheet {
        /// The sheet's name.
        sheet: String,
        /// `cell C7`, or `row 0`.
        place: String,
        /// What is wrong there, and what would be right.
        why: String,
    },
    /// A column was asked for that is not there.
    #[error("there is no column {index}; the data has {count} columns, numbered from 0")]
    NoColumn {
        /// The index asked for, from 0.
        index: usize,
        /// How many columns there are.
        count: usize,
    },
    /// The file has changed between two readings.
    #[error("the file has changed since it was opened ({what}); open it again")]
    Changed {
        /// What differs.
        what: String,
    },
    /// The user stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}
