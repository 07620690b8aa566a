//! How often each symbol occurs. See [`super::count`] for the method, limits and determinism.
//!
//! - **In**: symbols below the number of bins, packed into as few bits as hold them; bytes as they are.
//! - **Out**: one count a symbol.

use surprisal_core::pace::Pace;

use super::{Kernel, count, ngram};
use crate::{Gpu, GpuError};

pub(crate) static KERNEL: Kernel = Kernel {
    name: "histogram",
    source: include_str!("histogram.wgsl"),
    writes: &count::WRITES,
    parameters: count::PARAMETERS,
};

impl Gpu {
    /// How often each of `0..bins` occurs among `symbols`.
    ///
    /// # Errors
    /// [`GpuError::Miscounted`] where a symbol is out of range, [`GpuError::TooLarge`] for more than 2²² bins, and
    /// what a device may meet.
    pub async fn histogram(&self, symbols: &[u32], bins: u32, pace: &dyn Pace) -> Result<Vec<u64>, GpuError> {
        ngram::count(self, ngram::Symbols::Codes(symbols), bins, 1, pace).await
    }

    /// How often each byte occurs.
    ///
    /// # Errors
    /// What a device may meet.
    pub async fn histogram_of_bytes(&self, bytes: &[u8], pace: &dyn Pace) -> Result<Vec<u64>, GpuError> {
        ngram::count(self, ngram::Symbols::Bytes(bytes), 256, 1, pace).await
    }
}
