//! Why a swarm cannot begin or go on.

use crate::pace::Cancelled;

/// Why a swarm cannot begin or go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SwarmError {
    /// A parameter makes no sense.
    #[error("{name} is {found}; expected {right}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// Its value.
        found: String,
        /// What would be right.
        right: String,
    },
    /// Replicas of one batch must have the same number of particles, and there must be one at least.
    #[error("a batch needs replicas of equal count: {0}")]
    Batch(String),
    /// A state that does not fit.
    #[error("this state does not fit: {0}")]
    State(String),
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
    /// The user ended it.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// A back end failed; the message is its own.
    #[error("{backend} failed: {message}")]
    Backend {
        /// `GPU`, with the adapter's name.
        backend: String,
        /// What it said.
        message: String,
    },
}
