//! The sum, the smallest, the largest of many u32.
//!
//! - **In**: u32 values, as many as there are.
//! - **Out**: the sum as u64, modulo 2⁶⁴; the smallest and the largest as u32.
//! - **Method**: each thread folds every 65,536th value, a tree folds a workgroup's threads, a second dispatch folds
//!   the 256 workgroups. The sum is two u32 with a carry, as WGSL has no u64.
//! - **Invariants**: the grid is fixed, and each fold is associative and commutative.
//! - **Workgroup**: 256 threads, 2 KiB of workgroup memory.
//! - **Determinism**: bitwise across adapters.
//! - **Large inputs** go in pieces that are folded on the host.

use bytemuck::{Pod, Zeroable};
use surprisal_core::pace::Pace;

use super::{Kernel, write_blocks};
use crate::{Gpu, GpuError};

pub(crate) static KERNEL: Kernel = Kernel {
    name: "reduce",
    source: include_str!("reduce.wgsl"),
    writes: &[false, true],
    parameters: size_of::<Parameters>() as u64,
};

pub(crate) const VALUES: &str = "fold_values";
pub(crate) const PARTIALS: &str = "fold_partials";

/// Workgroups of the first dispatch.
const GROUPS: u32 = 256;
/// The most values in a dispatch: milliseconds on a slow adapter.
const PIECE: u64 = 1 << 24;

/// What to fold with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fold {
    Sum,
    Min,
    Max,
}

impl Fold {
    pub(crate) const ALL: [Self; 3] = [Self::Sum, Self::Min, Self::Max];

    pub(crate) fn constants(self) -> [(&'static str, u32); 4] {
        [("GROUPS", GROUPS), ("OP_SUM", Self::Sum as u32), ("OP_MIN", Self::Min as u32), ("OP", self as u32)]
    }

    fn merge(self, a: u64, b: u64) -> u64 {
        match self {
            Self::Sum => a.wrapping_add(b),
            Self::Min => a.min(b),
            Self::Max => a.max(b),
        }
    }
}

/// Mirrors `Fold` in `reduce.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct Parameters {
    count: u32,
    unused: [u32; 3],
}

impl Gpu {
    /// The sum of `values`, modulo 2⁶⁴.
    ///
    /// # Errors
    /// What a device may meet.
    pub async fn sum(&self, values: &[u32], pace: &dyn Pace) -> Result<u64, GpuError> {
        Ok(self.fold(Fold::Sum, values, pace).await?.unwrap_or(0))
    }

    /// The smallest of `values`; `None` if there is none.
    ///
    /// # Errors
    /// What a device may meet.
    pub async fn min(&self, values: &[u32], pace: &dyn Pace) -> Result<Option<u32>, GpuError> {
        Ok(self.fold(Fold::Min, values, pace).await?.and_then(|value| u32::try_from(value).ok()))
    }

    /// The largest of `values`; `None` if there is none.
    ///
    /// # Errors
    /// What a device may meet.
    pub async fn max(&self, values: &[u32], pace: &dyn Pace) -> Result<Option<u32>, GpuError> {
        Ok(self.fold(Fold::Max, values, pace).await?.and_then(|value| u32::try_from(value).ok()))
    }

    async fn fold(&self, fold: Fold, values: &[u32], pace: &dyn Pace) -> Result<Option<u64>, GpuError> {
        let first = self.pipeline(&KERNEL, VALUES, &fold.constants())?;
        let second = self.pipeline(&KERNEL, PARTIALS, &fold.constants())?;
        let partials = self.zeros("partials", 2 * (u64::from(GROUPS) + 1))?;
        let uniforms = self.uniforms("reduce", 1)?;
        let piece = usize::try_from((self.binding_limit() / 4).min(PIECE)).unwrap_or(usize::MAX);
        let mut result: Option<u64> = None;
        let mut done = 0;
        for values in values.chunks(piece) {
            let input = self.upload("values", values)?;
            let count = u32::try_from(values.len()).unwrap_or(u32::MAX);
            write_blocks(self.queue(), &uniforms, &[Parameters { count, unused: [0; 3] }]);
            let storage = [&*input, &*partials];
            let over_values = first.bind(self.device(), &storage, &uniforms);
            let over_partials = second.bind(self.device(), &storage, &uniforms);
            self.submit(KERNEL.name, |pass| {
                pass.set_pipeline(&first.compute);
                pass.set_bind_group(0, &over_values, &[0]);
                pass.dispatch_workgroups(GROUPS, 1, 1);
                pass.set_pipeline(&second.compute);
                pass.set_bind_group(0, &over_partials, &[0]);
                pass.dispatch_workgroups(1, 1, 1);
            })?;
            let at = 2 * u64::from(GROUPS);
            let words = self.read::<u32>(&partials, at..at + 2).await?;
            let value = u64::from(words[0]) | u64::from(words[1]) << 32;
            result = Some(result.map_or(value, |other| fold.merge(other, value)));
            done += values.len() as u64;
            pace.tick(done, done).await?;
        }
        Ok(result)
    }
}
