//! Regularity: how often stretches of a series recur, exactly, nearly, or as words of a few letters.
//!
//! # Matches
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

mod bubble;
mod dispersion;
mod fuzzen;
mod fuzzy;
mod measures;
mod multiscale;
mod slope;
mod templates;
mod windows;
mod words;

pub use bubble::{Bubble, BubbleParams};
pub use dispersion::{Dispersion, DispersionParams};
pub use fuzzen::{Fuzzy, FuzzyParams};
pub use measures::{Approximate, Inequality, Sample, Tolerance};
pub(in crate::measure) use measures::{mean, standard_deviation};
pub use multiscale::{Base, Multiscale, MultiscaleParams};
pub use slope::{Slope, SlopeParams};
pub use templates::Templates;
