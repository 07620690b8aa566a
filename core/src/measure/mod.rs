//! Entropy measures, one family a file, and their [`catalogue`].
//!
//! A measure is a type that implements [`Measure`]: it says what it is ([`About`]), which parameters it
//! takes (a struct with ranges and help, from which the command line, the page's controls and the
//! validation come) and how it is computed. [`run`] does all of it from an id and JSON parameters.
//!
//! Definitions follow the literature named in each entry's [`About::source`]. Discrete and ordinal
//! measures rest on integer counts and one f64 pass over them, so their value does not depend on the
//! back end, on chunking, or on the order of the parts.

mod catalogue;
mod error;
mod exp;
mod input;
mod order;
mod outcome;
mod passing_words;
mod places;
mod presets;
mod subject;

pub mod bytes;
pub mod differential;
pub mod discrete;
pub mod histogram;
pub mod image;
pub mod lempel_ziv;
pub mod match_length;
pub mod matrix;
pub mod model;
pub mod neighbours;
pub mod ngram;
pub mod nsb;
pub mod ordinal;
pub mod pairs;
pub mod profile;
pub mod regularity;
pub mod school;
pub mod spectral;
pub mod stream;
pub mod surrogate;
pub mod svd;
pub mod symbols;
pub mod tokens;
pub mod uncertainty;

pub use catalogue::{Entry, Family, catalogue, find};
pub use error::{MeasureError, Undefined};
pub use input::{Accepts, Input, Missing, Sequence, Series};
pub use outcome::{Outcome, Value, Warning};
pub use places::{Chosen, Of, has_law};
pub use presets::{PRESETS, Preset, preset};
pub use stream::Accumulator;
pub use subject::{Attention, Image, Pair, Subject, SymbolPair, Table};

pub use crate::params::{Bounds, Parameter, ParameterError, ParameterKind, parse_setting};
use crate::{compute::Compute, data::Column, pace::Pace};

/// What a measure is, for people: shown by every door and in the reference documentation.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The id on the command line, in JSON and in URLs: `perm.weighted`.
    pub id: &'static str,
    /// The name, spelled out.
    pub title: &'static str,
    /// One sentence: what it tells about the data.
    pub summary: &'static str,
    /// The definition in plain text with Unicode symbols.
    pub equation: &'static str,
    /// The same in LaTeX, one displayed formula a line (see [`crate::latex`]).
    pub tex: &'static [&'static str],
    /// Where it is from: authors, title, year, section.
    pub source: &'static str,
    /// The family it is listed under.
    pub family: Family,
    /// What it can be computed of.
    pub accepts: Accepts,
    /// How its cost grows, in words: `O(N)`.
    pub cost: &'static str,
    /// Whether back ends other than the CPU have a kernel for it.
    pub gpu: bool,
    /// The unit of its value, by default.
    pub unit: &'static str,
    /// How the uncertainty of its value is found, or `none`.
    pub uncertainty: &'static str,
    /// In which direction the estimate errs, and by how much where that is known.
    pub bias: &'static str,
}

/// How a measure runs: on what, how fast it must answer, with which resampling.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The back end that is asked for counts.
    pub compute: &'a dyn Compute,
    /// Progress and cancellation.
    pub pace: &'a dyn Pace,
    /// How many resamples an uncertainty takes; 0 computes none.
    pub resamples: u32,
    /// The seed of all resampling.
    pub seed: u64,
}

impl<'a> Context<'a> {
    /// The default number of resamples.
    pub const RESAMPLES: u32 = 200;

    /// A context without resampling, seed 0.
    #[must_use]
    pub const fn new(compute: &'a dyn Compute, pace: &'a dyn Pace) -> Self {
        Self { compute, pace, resamples: 0, seed: 0 }
    }

    /// The same context with `resamples` resamples under `seed`.
    #[must_use]
    pub const fn with_resamples(self, resamples: u32, seed: u64) -> Self {
        Self { resamples, seed, ..self }
    }
}

/// One entry of the catalogue, written once.
pub trait Measure {
    /// Its parameters; every field has a default, a range and help.
    type Params: serde::Serialize + serde::de::DeserializeOwned + schemars::JsonSchema + Default;
    /// What it is.
    const ABOUT: About;
    /// Whether a pair means something else the other way round.
    const DIRECTED: bool = false;
    /// What the numbers of its value are, where it has a few of different meaning.
    const PARTS: &'static [&'static str] = &[];
    /// Whether the rows of its table have labels, in a column of their own.
    const LABELLED: bool = false;

    /// The value of `input` under `params`.
    ///
    /// # Errors
    /// [`MeasureError`] when the input is of the wrong type, has non-finite values, or is too short
    /// for the definition to have a single term.
    fn measure<'a>(
        params: Self::Params,
        input: &'a Input<'a>,
        context: &'a Context<'a>,
    ) -> impl Future<Output = Result<Outcome, MeasureError>> + 'a;

    /// The same for a column that is still in its file, in constant memory; `None` where the definition needs all
    /// values at once.
    ///
    /// # Errors
    /// [`MeasureError::Parameter`].
    fn accumulator(_params: Self::Params, _column: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        Ok(None)
    }
}

/// Measures a resident column, several, or a matrix: looks `id` up, checks `params` (a JSON object; absent keys take
/// their defaults) against the entry's ranges, and computes.
///
/// # Errors
/// [`MeasureError::UnknownMeasure`], [`MeasureError::Parameter`], or what the measure itself returns.
pub async fn run<'a>(
    id: &str,
    params: &serde_json::Value,
    subject: impl Into<Subject<'a>>,
    context: &Context<'_>,
) -> Result<Outcome, MeasureError> {
    find(id)?.run(params, subject, context).await
}
