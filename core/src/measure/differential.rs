//! Differential entropy of a series taken as a sample of a density: from spacings, and from a kernel estimate.
//!
//! H = −∫ f log₂ f. Unlike the entropy of counts it depends on the unit of the values (H(aX) = H(X) + log₂ |a|) and may be
//! negative. Truths to compare with: uniform on an interval of length w, log₂ w; normal, ½ log₂(2πeσ²); Laplace of scale b,
//! log₂(2eb).

mod kernel;
mod spacings;

pub use kernel::{Bandwidth, KernelParams, LeaveOneOut, Resubstitution};
pub use spacings::{Ebrahimi, SpacingParams, Vasicek};

use super::{MeasureError, Outcome, Series};

/// What the entropy of a density notes of the series.
fn annotate(mut outcome: Outcome, series: &Series<'_>, enough: u64) -> Outcome {
    if series.omitted > 0 {
        outcome = outcome.detail("omitted", series.omitted);
    }
    if outcome.n < enough {
        outcome = outcome.warn("too_short", format!("fewer than {enough} samples"));
    }
    outcome
}

fn too_short(n: usize, what: &str, needed: u64) -> MeasureError {
    MeasureError::TooShort { n: n as u64, what: what.to_owned(), needed }
}
