//! What can be wrong with files of trajectories, and what would be right.

use crate::data::DataError;
use crate::pace::Cancelled;

/// Why trajectories could not be read. Every message says where, what was found, and what would be right.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrajectoryError {
    /// Something is wrong with one of the files, at a line, a byte or a column.
    #[error("in {name}: {error}")]
    File {
        /// The file's name.
        name: String,
        /// What is wrong with it.
        error: DataError,
    },
    /// Something is wrong with a dataset, array or field of a file.
    #[error("in {name}, {part}: {why}")]
    Part {
        /// The file's name.
        name: String,
        /// The dataset, variable, array or JSON field.
        part: String,
        /// What is wrong, and what would be right.
        why: String,
    },
    /// None of the formats.
    #[error("{names}: no trajectories that can be recognised; {instead}")]
    Unrecognised {
        /// The files' names.
        names: String,
        /// What can be read.
        instead: &'static str,
    },
    /// A recognised format that is not read, and the files that are.
    #[error("{name} is {what}, which is not read; {instead}")]
    Unsupported {
        /// The file's name.
        name: String,
        /// What it is.
        what: &'static str,
        /// Which file to open instead.
        instead: &'static str,
    },
    /// A file that does not belong to the others.
    #[error("{name} does not go with the other files: {why}")]
    Stray {
        /// The file's name.
        name: String,
        /// Why.
        why: String,
    },
    /// One animal twice in the same frame.
    #[error("in {name}, line {line}: animal {animal:?} is in frame {frame} a second time")]
    Twice {
        /// The file's name.
        name: String,
        /// The line on which the second row starts, from 1.
        line: u64,
        /// The animal's name.
        animal: String,
        /// The frame's number or time.
        frame: f64,
    },
    /// Something must be known that the file does not say.
    #[error("{what} needs {needs}")]
    Needs {
        /// What was asked for.
        what: &'static str,
        /// What it takes.
        needs: &'static str,
    },
    /// A number out of its range.
    #[error("{what} is {value}; it must be {expected}")]
    Range {
        /// Which number.
        what: &'static str,
        /// What it is.
        value: f64,
        /// What would be right.
        expected: &'static str,
    },
    /// The user stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

/// Says in which file it is.
pub(super) fn within(name: &str) -> impl FnOnce(DataError) -> TrajectoryError {
    |error| match error {
        DataError::Cancelled(c) => TrajectoryError::Cancelled(c),
        error => TrajectoryError::File { name: name.to_owned(), error },
    }
}

/// Says in which part of which file it is.
pub(super) fn part(name: &str, part: impl Into<String>, why: impl Into<String>) -> TrajectoryError {
    TrajectoryError::Part { name: name.to_owned(), part: part.into(), why: why.into() }
}
