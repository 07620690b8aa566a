//! Entropies of the spectrum of a matrix: of a table of observations, of their similarities, of a diffusion among them; and
//! the entropy of attention weights.

mod attention;
mod diffusion;
mod kernel;
mod spectrum;
mod table;

pub use attention::{AttentionEntropy, FirstRow, Mask, Reduce};
pub use diffusion::{DiffusionEntropy, DiffusionInformation};
pub use kernel::{GaussianEntropy, MatrixInformation};
pub use spectrum::Bandwidth;
pub use table::{Condition, MatrixEntropy};
