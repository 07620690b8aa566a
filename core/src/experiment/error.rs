//! Why an experiment cannot begin or go on.

use crate::{
    measure::{MeasureError, school::SchoolError},
    nn::NnError,
    pace::Cancelled,
    params::ParameterError,
    sim::{markov::MarkovError, swarm::SwarmError},
    token::TokenError,
};

/// Why an experiment cannot begin or go on.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExperimentError {
    /// No experiment has this id.
    #[error("no experiment is called '{id}'{}", suggestion.as_deref().map(|s| format!("; did you mean '{s}'?")).unwrap_or_default())]
    Unknown {
        /// What was asked for.
        id: String,
        /// The nearest id there is.
        suggestion: Option<String>,
    },
    /// A parameter is unknown or out of range.
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    /// The simulation cannot begin or go on.
    #[error(transparent)]
    Swarm(SwarmError),
    /// A school cannot be measured.
    #[error(transparent)]
    School(#[from] SchoolError),
    /// A measure has no value.
    #[error(transparent)]
    Measure(MeasureError),
    /// There is no such source of symbols.
    #[error(transparent)]
    Source(#[from] MarkovError),
    /// A text cannot be cut into tokens as asked.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// A network cannot be made or trained.
    #[error(transparent)]
    Network(NnError),
    /// Training left the numbers, and the run went back to its last evaluation.
    #[error("{what} diverged, and the run is back at step {kept}, where all is kept: {why}")]
    Diverged {
        /// What diverged.
        what: String,
        /// The step whose state is in force.
        kept: u64,
        /// How.
        why: NnError,
    },
    /// A recording cannot be used.
    #[error("{0}")]
    Tracks(String),
    /// A checkpoint or record does not fit.
    #[error("this checkpoint does not fit: {0}")]
    Checkpoint(String),
    /// The user ended it.
    #[error(transparent)]
    Cancelled(Cancelled),
}

impl From<Cancelled> for ExperimentError {
    fn from(cancelled: Cancelled) -> Self {
        Self::Cancelled(cancelled)
    }
}

impl From<SwarmError> for ExperimentError {
    fn from(error: SwarmError) -> Self {
        match error {
            SwarmError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            other => Self::Swarm(other),
        }
    }
}

impl From<MeasureError> for ExperimentError {
    fn from(error: MeasureError) -> Self {
        match error {
            MeasureError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            other => Self::Measure(other),
        }
    }
}

impl From<NnError> for ExperimentError {
    fn from(error: NnError) -> Self {
        match error {
            NnError::Cancelled(cancelled) => Self::Cancelled(cancelled),
            other => Self::Network(other),
        }
    }
}

impl ExperimentError {
    /// Whether a back end failed, so that going on elsewhere from the last snapshot makes sense.
    #[must_use]
    pub const fn is_backend(&self) -> bool {
        matches!(
            self,
            Self::Swarm(SwarmError::Backend { .. })
                | Self::Measure(MeasureError::Backend { .. })
                | Self::Network(NnError::Backend { .. })
        )
    }
}
