//! Why a network cannot be made, trained or read.

use crate::pace::Cancelled;

/// Why a network cannot be made, trained or read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NnError {
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
    /// Data that does not fit the network.
    #[error("{0}")]
    Data(String),
    /// The loss or the gradient is no number any more. The parameters are those before the step that failed.
    #[error(
        "training diverged at step {step}: the {what} is {value}; the parameters of step {step} are kept. A smaller \
         learning rate (now {rate:.2e}) or gradient clipping would help"
    )]
    Diverged {
        /// Steps that went well.
        step: u64,
        /// `loss` or `norm of the gradient`.
        what: &'static str,
        /// Its value.
        value: f64,
        /// The learning rate at that step.
        rate: f64,
    },
    /// A checkpoint that cannot be read.
    #[error("this checkpoint does not fit: {0}")]
    Checkpoint(String),
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

/// A wrong parameter.
pub(super) fn wrong(name: &'static str, found: impl ToString, right: impl Into<String>) -> NnError {
    NnError::Parameter { name, found: found.to_string(), right: right.into() }
}
