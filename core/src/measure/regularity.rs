//! Sample and approximate entropy: how often stretches of a series that match stay matched.
//!
//! With templates u_i = (x_i, x_{i+τ}, …, x_{i+(m−1)τ}), Chebyshev distance d and tolerance r:
//!
//! - sample entropy  = −ln(A / B), B = pairs i < j with d(u_i, u_j) ≤ r over m values, A over m + 1 values,
//!   both among the n − mτ templates that have m + 1 values. Richman & Moorman, Am. J. Physiol. 278, 2000.
//! - approximate entropy = φ_m − φ_{m+1}, φ_m = mean of ln(C_i / (n − (m−1)τ)), C_i counts matches with
//!   the template itself among them. Pincus, PNAS 88, 1991.
//!
//! # How matches are counted exactly and fast
//! The floating-point test |x_a − x_b| ≤ r is monotone in x_b, so the samples that match a sample a are a
//! contiguous run of the sorted values. [`Templates`] stores, for each coordinate of each template, the dense
//! rank of its sample and the run `low ..= low + width` of ranks that match it. Every later test is one
//! subtraction and one comparison of u32, exact on every back end, on lattices and ties too.

mod fuzzy;
mod measures;
mod multiscale;
mod templates;
mod words;

pub use fuzzy::Fuzzy;
pub(in crate::measure) use measures::standard_deviation;
pub use measures::{Approximate, Inequality, Sample, Tolerance};
pub use multiscale::Multiscale;
pub use templates::Templates;
pub use words::{Bubble, Dispersion, Slope};
