//! Ordinal patterns: the order relations within short windows of a series.
//!
//! A window w_i = (x_i, x_{i+τ}, …, x_{i+(m−1)τ}) has the pattern of its stable argsort. The pattern's number
//! is its Lehmer code: Σ_s (number of j > s with x_{i+jτ} < x_{i+sτ}) · (m−1−s)!, so equal values count as
//! ascending, which is exactly the stable order. Bandt & Pompe, Phys. Rev. Lett. 88, 2002.

mod counting;
mod measures;
mod plane;
mod streaming;

pub use counting::{OrdinalCounts, OrdinalWindows, dense_ranks, pattern_name};
pub use measures::{MissingFraction, Permutation, Weighted};
pub use plane::{
    ComplexityPlane, MaximumComplexity, MinimumCurve, PeriodicBounds, entropy_and_complexity, maximum_curve,
    minimum_curve, plane_of_several,
};

/// The number of patterns of `order` values: `order!`.
#[must_use]
pub const fn patterns(order: u32) -> usize {
    let mut product = 1;
    let mut k = 2;
    while k <= order {
        product *= k as usize;
        k += 1;
    }
    product
}
