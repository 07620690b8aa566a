//! Why a measure has no value.

use crate::{pace::Cancelled, params::ParameterError};

/// Why a measure could not be computed. "Undefined" is not an error but a [`super::Value`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// No entry of the catalogue has this id.
    #[error("no measure is called '{id}'{}", did_you_mean(suggestion.as_deref()))]
    UnknownMeasure {
        /// What was asked for.
        id: String,
        /// The nearest id of the catalogue.
        suggestion: Option<String>,
    },
    /// A parameter is unknown or out of range.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The column's type does not fit.
    #[error("{measure} takes {wanted}, and this column holds {found}{hint}")]
    WrongInput {
        /// The measure's id.
        measure: &'static str,
        /// What it takes, in words.
        wanted: &'static str,
        /// What the column holds.
        found: &'static str,
        /// What to do instead, beginning with `; `, or empty.
        hint: &'static str,
    },
    /// Too few columns, or an array of another shape.
    #[error("{measure} takes {wanted}; it was given {given}{hint}")]
    Subject {
        /// The measure's id.
        measure: &'static str,
        /// What it takes, in words.
        wanted: &'static str,
        /// What it was given.
        given: String,
        /// What to do instead, beginning with `; `, or empty.
        hint: &'static str,
    },
    /// Columns that belong together row by row differ in length.
    #[error("the column '{first}' has {len} values and '{other}' has {other_len}: they need as many of each")]
    Lengths {
        /// A column.
        first: String,
        /// Its length.
        len: u64,
        /// Another column.
        other: String,
        /// Its length.
        other_len: u64,
    },
    /// Many values occur more than once, and the definition is for values that never do.
    #[error(
        "{share:.1} % of {what} occur more than once, and distances to neighbours need values without ties; a jitter such as 1e-8 separates them, or take a measure of discrete values"
    )]
    Ties {
        /// What is tied: `the points`, `the values of 'x'`.
        what: String,
        /// Per cent.
        share: f64,
    },
    /// Values outside the domain of the definition.
    #[error("{measure} takes {wanted}, and {found}")]
    Domain {
        /// The measure's id.
        measure: &'static str,
        /// What it takes, in words.
        wanted: String,
        /// Which value is not so, and where.
        found: String,
    },
    /// NaN, an infinity, or a missing value.
    #[error("non-finite values at index {} ({count} of {n}); set missing=omit to leave them out", list(first, *count))]
    NonFinite {
        /// The first indices, at most [`MeasureError::NON_FINITE_SHOWN`].
        first: Vec<u64>,
        /// How many there are.
        count: u64,
        /// Of how many values.
        n: u64,
    },
    /// Words or phrases would straddle gaps.
    #[error(
        "{count} values are missing, and this measure needs an unbroken series: what it looks at would straddle the gaps"
    )]
    Gaps {
        /// How many values are missing.
        count: u64,
    },
    /// The definition has no term for so few values.
    #[error("too short: {n} values, and {what} needs at least {needed}")]
    TooShort {
        /// The number of values.
        n: u64,
        /// What needs more.
        what: String,
        /// The fewest that do.
        needed: u64,
    },
    /// The work would not fit into memory.
    #[error("{what} would need {bytes} bytes of memory; the limit is {limit}")]
    TooLarge {
        /// What is too large.
        what: String,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The column is still in its file; it must be loaded or streamed.
    #[error("the column '{0}' is not in memory")]
    NotResident(String),
    /// A column that passes by cannot be counted; the message is the reader's own.
    #[error("not counted as it passed by: {0}; from a file it can be measured in memory")]
    Passing(String),
    /// A back end failed; the message is its own.
    #[error("{backend} failed: {message}")]
    Backend {
        /// `GPU`, with the adapter's name.
        backend: String,
        /// What it said.
        message: String,
    },
    /// The user stopped it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
}

impl MeasureError {
    /// How many indices of non-finite values a message names.
    pub const NON_FINITE_SHOWN: usize = 5;
}

/// Why a value does not exist although the input is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Undefined {
    /// A constant series.
    #[error("zero variance")]
    ZeroVariance,
    /// A series that is constant after its mean is removed.
    #[error("zero power after mean removal")]
    ZeroPower,
    /// Every window is constant, so all weights are zero.
    #[error("all weights are zero: every window is constant")]
    ZeroWeights,
    /// No pair of templates of length m matches.
    #[error("no two templates of length m match within r")]
    NoMatches,
    /// A share of nothing: the entropy in the denominator is zero.
    #[error("the entropy to compare with is zero")]
    ZeroEntropy,
    /// A matrix of zeros.
    #[error("all entries are zero")]
    ZeroMatrix,
    /// So many equal values that a spacing of order statistics is zero.
    #[error("values repeat so often that a spacing is zero: the estimate would be minus infinity")]
    ZeroSpacing,
    /// A differential entropy of a constant.
    #[error("zero variance: the width of a bin is arbitrary")]
    ZeroWidth,
    /// So many equal values that a spacing is zero and a density infinite.
    #[error("too many equal values: a spacing of zero makes the density infinite")]
    Ties,
}

fn did_you_mean(suggestion: Option<&str>) -> String {
    suggestion.map_or_else(|| "; 'surprisal list measures' shows all".to_owned(), |s| format!("; did you mean '{s}'?"))
}

fn list(first: &[u64], count: u64) -> String {
    let mut text = first.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    if count > first.len() as u64 {
        text.push_str(", …");
    }
    text
}
