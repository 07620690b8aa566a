//! The list of all measures: the one place that a new measure is added to.

use std::sync::OnceLock;

use futures_util::future::LocalBoxFuture;
use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::{
    About, Accumulator, Context, Input, Measure, MeasureError, Outcome, Parameter, ParameterError, Subject, bytes,
    differential, discrete, histogram, image, input, lempel_ziv, match_length, matrix, model, neighbours, ngram, nsb,
    ordinal, pairs, profile, regularity, spectral, svd, symbols, tokens,
};
use crate::{data::Column, params, tables::tables};

/// The families that measures are listed under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Family {
    /// Entropy of discrete values.
    Discrete,
    /// Entropy of binned real values.
    Histogram,
    /// Entropy of a density.
    Differential,
    /// What two columns tell about each other.
    Pairs,
    /// Words, rates and compression of symbol sequences.
    Symbolic,
    /// Order relations in short windows of a series.
    Ordinal,
    /// How often short stretches of a series recur.
    Regularity,
    /// The spread of a power spectrum.
    Spectral,
    /// Bytes and text.
    Bytes,
    /// An entropy in a moving window.
    Profile,
    /// The spectrum of a table of observations, or of attention.
    Matrix,
    /// Grey levels and their arrangement.
    Image,
}

impl Family {
    /// All families, in the order of the report.
    pub const ALL: [Self; 12] = [
        Self::Discrete,
        Self::Histogram,
        Self::Differential,
        Self::Pairs,
        Self::Symbolic,
        Self::Ordinal,
        Self::Regularity,
        Self::Spectral,
        Self::Bytes,
        Self::Profile,
        Self::Matrix,
        Self::Image,
    ];

    /// The heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Discrete => "Discrete entropy",
            Self::Histogram => "Histogram entropy",
            Self::Differential => "Differential entropy",
            Self::Pairs => "Pairs of columns",
            Self::Symbolic => "Symbolic dynamics",
            Self::Ordinal => "Ordinal patterns",
            Self::Regularity => "Regularity",
            Self::Spectral => "Spectral entropy",
            Self::Bytes => "Bytes and text",
            Self::Profile => "Moving windows",
            Self::Matrix => "Matrices and attention",
            Self::Image => "Images",
        }
    }
}

type Accumulate = fn(Json, &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError>;
type Runner = for<'a> fn(Json, &'a Input<'a>, &'a Context<'a>) -> LocalBoxFuture<'a, Result<Outcome, MeasureError>>;

/// A measure with its types erased.
pub struct Entry {
    /// What it is.
    pub about: &'static About,
    /// Whether a pair means something else the other way round.
    pub directed: bool,
    /// What the numbers of its value are, where it has a few of different meaning.
    pub parts: &'static [&'static str],
    /// Whether the rows of its table have labels, in a column that is with it.
    pub labelled: bool,
    parameters: fn() -> Vec<Parameter>,
    schema: fn() -> schemars::Schema,
    described: OnceLock<Vec<Parameter>>,
    /// Its place in [`WORKS`].
    place: usize,
}

/// What a measure does, apart from what it is (see [`tables`]).
struct Work {
    runner: Runner,
    accumulate: Accumulate,
}

impl Work {
    const fn of<M: Measure + 'static>() -> Self {
        Self {
            runner: |json, input, context| Box::pin(async move { M::measure(typed::<M>(json)?, input, context).await }),
            accumulate: |json, column| M::accumulator(typed::<M>(json)?, column),
        }
    }
}

impl Entry {
    const fn of<M: Measure + 'static>(place: usize) -> Self {
        Self {
            about: &M::ABOUT,
            directed: M::DIRECTED,
            parts: M::PARTS,
            labelled: M::LABELLED,
            parameters: || {
                let mut list = params::describe::<M::Params>();
                list.extend(params::describe::<input::Common>());
                list
            },
            schema: params::schema::<M::Params>,
            described: OnceLock::new(),
            place,
        }
    }

    /// Its parameters with their ranges, help and defaults; the common ones (`first`, `missing`) last.
    pub fn parameters(&self) -> &[Parameter] {
        self.described.get_or_init(self.parameters)
    }

    /// The JSON Schema of its own parameters.
    #[must_use]
    pub fn schema(&self) -> schemars::Schema {
        (self.schema)()
    }

    /// All parameters at their defaults, with `given` put over them.
    ///
    /// # Errors
    /// [`ParameterError`] for an unknown name or a value that does not fit.
    pub fn complete(&self, given: &Json) -> Result<Map<String, Json>, ParameterError> {
        params::complete(self.about.id, self.parameters(), given)
    }

    /// Measures a resident column, several of them, or a matrix.
    ///
    /// # Errors
    /// See [`MeasureError`].
    pub async fn run<'a>(
        &self,
        given: &Json,
        subject: impl Into<Subject<'a>>,
        context: &Context<'_>,
    ) -> Result<Outcome, MeasureError> {
        let full = self.complete(given)?;
        let (common, own) = input::Common::split(full.clone());
        let input = Input::new(self.about, subject.into(), common)?;
        let mut outcome = (WORKS[self.place].runner)(Json::Object(own), &input, context).await?;
        outcome.parameters = full;
        Ok(outcome)
    }

    /// An accumulator for a column that is still in its file, if this measure can be computed in constant memory.
    ///
    /// # Errors
    /// [`MeasureError::Parameter`].
    pub fn accumulator(&self, given: &Json, column: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        let full = self.complete(given)?;
        let (common, own) = input::Common::split(full.clone());
        let accumulator = (WORKS[self.place].accumulate)(Json::Object(own), column)?;
        Ok(accumulator.map(|mut a| {
            a.gaps().begin(common.first, common.missing, full);
            a
        }))
    }
}

/// The parameters of `M`, validated before against their ranges.
fn typed<M: Measure>(json: Json) -> Result<M::Params, ParameterError> {
    serde_json::from_value(json).map_err(|e| ParameterError::Invalid {
        of: M::ABOUT.id.to_owned(),
        key: "…".to_owned(),
        given: String::new(),
        expected: e.to_string(),
    })
}

tables! {
    /// All measures, in the order that reports show them.
    pub fn catalogue;
    discrete::Plugin,
    discrete::MillerMadow,
    discrete::Grassberger,
    discrete::ChaoShen,
    nsb::Nsb,
    discrete::Renyi,
    discrete::Tsallis,
    histogram::HistogramEntropy,
    histogram::DifferentialHistogram,
    differential::Vasicek,
    differential::Ebrahimi,
    differential::Resubstitution,
    differential::LeaveOneOut,
    neighbours::KozachenkoLeonenko,
    neighbours::RenyiNeighbours,
    neighbours::TsallisNeighbours,
    pairs::Joint,
    pairs::Conditional,
    pairs::Mutual,
    pairs::Normalized,
    pairs::Rajski,
    pairs::Ksg1,
    pairs::Ksg2,
    pairs::TransferPlugin,
    pairs::TransferKsg,
    pairs::KullbackLeibler,
    pairs::JensenShannon,
    pairs::Cross,
    symbols::BlockEntropy,
    symbols::EntropyRate,
    symbols::ExcessEntropy,
    lempel_ziv::Count,
    lempel_ziv::Rate,
    lempel_ziv::Normalized,
    lempel_ziv::Count78,
    lempel_ziv::Rate78,
    match_length::MatchLength,
    ordinal::Permutation,
    ordinal::Weighted,
    ordinal::MissingFraction,
    ordinal::ComplexityPlane,
    ordinal::MinimumCurve,
    ordinal::MaximumComplexity,
    ordinal::PeriodicBounds,
    regularity::Sample,
    regularity::Approximate,
    regularity::Fuzzy,
    regularity::Multiscale,
    regularity::Dispersion,
    regularity::Bubble,
    regularity::Slope,
    spectral::Spectral,
    svd::SingularValue,
    bytes::ByteEntropy,
    bytes::ByteProfile,
    ngram::NgramEntropy,
    ngram::NgramConditional,
    tokens::WordEntropy,
    tokens::TokenWindows,
    model::CrossEntropy,
    model::Perplexity,
    model::GivenCrossEntropy,
    model::GivenPerplexity,
    profile::SeriesProfile,
    matrix::MatrixEntropy,
    matrix::GaussianEntropy,
    matrix::MatrixInformation,
    matrix::Condition,
    matrix::DiffusionEntropy,
    matrix::DiffusionInformation,
    matrix::AttentionEntropy,
    image::Grey,
    image::LocalMap,
    image::Sample2d,
    image::Permutation2d,
}

/// The entry called `id`.
///
/// # Errors
/// [`MeasureError::UnknownMeasure`] with the nearest id there is.
pub fn find(id: &str) -> Result<&'static Entry, MeasureError> {
    catalogue().iter().find(|e| e.about.id == id).ok_or_else(|| MeasureError::UnknownMeasure {
        id: id.to_owned(),
        suggestion: params::nearest(id, catalogue().iter().map(|e| e.about.id)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_every_parameter_has_help_and_an_acceptable_default() {
        let mut ids: Vec<_> = catalogue().iter().map(|e| e.about.id).collect();
        ids.sort_unstable();
        let before = ids.len();
        ids.dedup();
        assert_eq!(ids.len(), before);
        for entry in catalogue() {
            for parameter in entry.parameters() {
                assert!(!parameter.help.is_empty(), "{}.{} has no help", entry.about.id, parameter.name);
            }
            entry.complete(&Json::Null).unwrap();
        }
    }

    fn find_nearest(id: &str) -> Option<String> {
        params::nearest(id, catalogue().iter().map(|e| e.about.id))
    }

    #[test]
    fn a_slip_of_the_pen_is_corrected() {
        assert_eq!(find_nearest("sampem").as_deref(), Some("sampen"));
        assert_eq!(find_nearest("quite another thing"), None);
    }
}
