//! Dense symmetric matrices: Gram matrices, squared distances, eigenvalues; and singular values.
//!
//! Eigenvalues only, never vectors: every entropy of a matrix is a function of its spectrum. All of it is f64 on one
//! thread, with inner loops over contiguous rows that the compiler packs.

mod gram;
mod jacobi;
mod symmetric;

pub(crate) use gram::{columns_of, gram, squared_distances};
pub(crate) use jacobi::singular_values;
pub(crate) use symmetric::Symmetric;

use crate::measure::MeasureError;

/// Square matrices have at most so many rows: 512 MiB.
pub(crate) const MOST_ROWS: usize = 8192;

/// Refuses a square matrix that would not fit.
pub(crate) fn check_side(n: usize, what: &str) -> Result<(), MeasureError> {
    let bytes = |n: usize| 8 * (n as u64).saturating_mul(n as u64);
    if n <= MOST_ROWS {
        return Ok(());
    }
    Err(MeasureError::TooLarge { what: format!("{what} of {n} rows"), bytes: bytes(n), limit: bytes(MOST_ROWS) })
}
