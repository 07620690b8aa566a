//! How often each ordinal pattern occurs. See [`super::count`] for the method, limits and determinism.
//!
//! - **In**: dense ranks of the values (equal values share one), and the stretches without a gap.
//! - **Out**: `order!` counts by Lehmer code (see [`surprisal_core::measure::ordinal`]), for each delay.
//! - **Many delays** share one upload of the ranks: a curve over 200 delays is 200 dispatches.
//! - **Large inputs** go in pieces that overlap by the span of a window.

use std::ops::Range;

use surprisal_core::pace::Pace;

use super::{
    Kernel,
    count::{self, Job, PRIVATE_WORDS, Progress},
};
use crate::{Gpu, GpuError};

pub(crate) static KERNEL: Kernel = Kernel {
    name: "ordinal",
    source: include_str!("ordinal.wgsl"),
    writes: &count::WRITES,
    parameters: count::PARAMETERS,
};

/// The orders there is a kernel for.
pub(crate) const ORDERS: std::ops::RangeInclusive<u32> = 2..=8;

/// Words of counts that are read back at a time, where there are many delays: 4 MiB.
const COUNTS_WORDS: u64 = 1 << 20;

/// Ranks in a piece, at most.
const PIECE: u64 = 1 << 30;

pub(crate) fn constants(order: u32) -> [(&'static str, u32); 2] {
    [PRIVATE_WORDS, ("ORDER", order)]
}

pub(crate) fn factorial(order: u32) -> u32 {
    (1..=order).product()
}

/// The distance from a window's first value to its last.
fn span(order: u32, delay: usize) -> usize {
    delay.saturating_mul(order as usize - 1)
}

/// Whether windows of this order and delay can be counted on `gpu`: a window must fit into half a piece.
pub(crate) fn supports(gpu: &Gpu, order: u32, delay: usize) -> bool {
    ORDERS.contains(&order) && delay > 0 && span(order, delay) as u64 <= gpu.binding_limit().min(PIECE * 4) / 8
}

impl Gpu {
    /// How often each ordinal pattern of `order` values occurs, for each of `delays`, in windows that lie within one
    /// of `stretches`. Ranks are those of [`surprisal_core::measure::ordinal::dense_ranks`].
    ///
    /// # Errors
    /// [`GpuError::TooLarge`] where a window is longer than a buffer or the order is not 2..=8, and what a device may
    /// meet.
    pub async fn ordinal_counts_many(
        &self,
        ranks: &[u32],
        stretches: &[Range<usize>],
        order: u32,
        delays: &[usize],
        pace: &dyn Pace,
    ) -> Result<Vec<Vec<u64>>, GpuError> {
        let limit = self.binding_limit();
        if let Some(&delay) = delays.iter().find(|delay| !supports(self, order, **delay)) {
            let bytes = (span(order.max(1), delay) as u64).saturating_mul(8);
            return Err(GpuError::TooLarge { what: "an ordinal window", bytes, limit });
        }
        let bins = factorial(order);
        let windows = |delay| {
            let span = span(order, delay);
            stretches.iter().map(move |s| s.len().saturating_sub(span) as u64).sum::<u64>()
        };
        let total = delays.iter().map(|&delay| windows(delay)).sum();
        let mut progress = Progress { pace, done: 0, total };
        let mut results = vec![vec![0; bins as usize]; delays.len()];

        let capacity = usize::try_from((limit / 4).min(PIECE)).unwrap_or(usize::MAX);
        let longest = delays.iter().map(|&delay| span(order, delay)).max().unwrap_or(0);
        // Windows that begin in a piece's first `step` ranks end within the piece.
        let step = capacity - longest;
        let many = usize::try_from((COUNTS_WORDS.min(limit / 4) / u64::from(bins)).max(1)).unwrap_or(1);
        for first in (0..ranks.len()).step_by(step) {
            let piece = first..ranks.len().min(first + capacity);
            let mut input = None;
            for (delays, results) in delays.chunks(many).zip(results.chunks_mut(many)) {
                let jobs = jobs(stretches, first..first.saturating_add(step), order, delays);
                if jobs.is_empty() {
                    continue;
                }
                // Only where there is something to count.
                let input = match &input {
                    Some(input) => input,
                    None => input.insert(self.upload("ranks", &ranks[piece.clone()])?),
                };
                let words = u64::from(bins) * delays.len() as u64;
                let counts = self.zeros("counts", words)?;
                count::run(self, &KERNEL, &constants(order), input, &counts, jobs, &mut progress).await?;
                let counts = self.read::<u32>(&counts, 0..words).await?;
                for (result, counts) in results.iter_mut().zip(counts.chunks_exact(bins as usize)) {
                    count::add(result, counts);
                }
            }
        }
        for (&delay, result) in delays.iter().zip(&results) {
            count::check(&KERNEL, result, windows(delay))?;
        }
        Ok(results)
    }
}

/// The windows that begin within `piece`: one job for each stretch and delay that has any.
fn jobs(stretches: &[Range<usize>], piece: Range<usize>, order: u32, delays: &[usize]) -> Vec<Job> {
    let bins = factorial(order);
    let mut jobs = Vec::new();
    for (slot, &delay) in (0..).zip(delays) {
        for stretch in stretches {
            let from = stretch.start.max(piece.start);
            let to = stretch.end.saturating_sub(span(order, delay)).min(piece.end);
            if from < to {
                // Both fit: a piece has at most 2^30 ranks.
                let word = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                jobs.push(Job {
                    first: word(from - piece.start),
                    windows: word(to - from),
                    bins,
                    out: slot * bins,
                    delay: word(delay),
                    ..Job::default()
                });
            }
        }
    }
    jobs
}

#[cfg(test)]
mod tests {
    use super::jobs;

    #[test]
    fn pieces_share_the_windows_of_a_stretch() {
        let stretches = [0..5, 5..6, 6..20];
        let windows = |piece| -> Vec<(u32, u32, u32)> {
            jobs(&stretches, piece, 3, &[1, 2]).iter().map(|job| (job.first, job.windows, job.out)).collect()
        };
        assert_eq!(windows(0..8), [(0, 3, 0), (6, 2, 0), (0, 1, 6), (6, 2, 6)]);
        assert_eq!(windows(8..16), [(0, 8, 0), (0, 8, 6)]);
        assert_eq!(windows(16..24), [(0, 2, 0)]);
    }
}
