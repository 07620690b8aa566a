//! Counting windows by key: the common half of [`super::histogram`], [`super::ngram`] and [`super::ordinal`].
//!
//! - **In**: data in one storage buffer, and jobs, each a range of windows and a place for its counts.
//! - **Out**: one u32 a key and job, added to what is there.
//! - **Invariants**: the counts of a job sum to its number of windows unless a key is out of range; fewer than
//!   2³² windows a job between two read-backs.
//! - **Workgroup**: 256 threads; up to [`PRIVATE_BINS`] bins 8 KiB of workgroup memory, beyond that none.
//! - **Determinism**: bitwise across adapters (integer atomics).
//! - **Method**: privatised histograms with interleaved copies, after Gómez-Luna et al., Machine Vision and
//!   Applications 24, 2013.

use std::collections::VecDeque;

use bytemuck::{Pod, Zeroable};
use surprisal_core::pace::Pace;
use web_time::Instant;

use super::{Kernel, groups, write_blocks};
use crate::{
    Gpu, GpuError,
    buffer::{Scratch, UNIFORM_STRIDE},
    shader::MAX_GROUPS,
};

/// Up to this many bins a workgroup counts in its own memory.
pub(crate) const PRIVATE_BINS: u32 = 2048;
pub(crate) const PRIVATE_WORDS: (&str, u32) = ("PRIVATE_WORDS", PRIVATE_BINS);
/// The most private copies of a bin: more would cost more in adding them up than they save.
const MAX_COPIES: u32 = 64;
/// The most bins that are counted densely: 16 MiB of counts.
pub(crate) const MAX_BINS: u32 = 1 << 22;

pub(crate) const PRIVATE: &str = "count_private";
pub(crate) const GLOBAL: &str = "count_global";

/// Storage bindings of a kernel that imports `count`: the data, the counts.
pub(crate) const WRITES: [bool; 2] = [false, true];

/// Windows a thread counts before its workgroup adds up, where there is enough to do.
const PRIVATE_EACH: u32 = 16;
/// Enough workgroups to fill any GPU several times; more would only add up more often.
const PRIVATE_GROUPS: u32 = 2048;
/// Dispatches in one submission, at most.
const BATCH: usize = 256;
/// Windows in a submission: at first, and at least.
const START: u64 = 1 << 22;
const LEAST: u64 = 1 << 20;

/// A range of windows to count. Mirrors `Job` in `count.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub(crate) struct Job {
    pub(crate) first: u32,
    pub(crate) windows: u32,
    pub(crate) bins: u32,
    pub(crate) out: u32,
    pub(crate) copies: u32,
    pub(crate) delay: u32,
    pub(crate) alphabet: u32,
    pub(crate) length: u32,
    pub(crate) bits: u32,
    pub(crate) log2_per_word: u32,
    pub(crate) unused: [u32; 2],
}

/// The size of a parameter block.
pub(crate) const PARAMETERS: u64 = size_of::<Job>() as u64;

/// The entry point for so many bins.
pub(crate) fn entry(bins: u32) -> &'static str {
    if bins <= PRIVATE_BINS { PRIVATE } else { GLOBAL }
}

/// How many copies of each bin fit, rounded down to a power of two.
fn copies(bins: u32) -> u32 {
    let copies = (PRIVATE_BINS / bins.max(1)).clamp(1, MAX_COPIES);
    1 << copies.ilog2()
}

/// How far the whole of a call is; jobs of several read-backs add to it.
pub(crate) struct Progress<'a> {
    pub(crate) pace: &'a dyn Pace,
    pub(crate) done: u64,
    pub(crate) total: u64,
}

impl Progress<'_> {
    async fn add(&mut self, work: u64) -> Result<(), GpuError> {
        self.done += work;
        Ok(self.pace.tick(self.done, self.total).await?)
    }
}

/// Runs `jobs` over `input`, adding to `counts`. What is submitted last may still be under way.
pub(crate) async fn run(
    gpu: &Gpu,
    kernel: &'static Kernel,
    constants: &[(&str, u32)],
    input: &Scratch,
    counts: &Scratch,
    jobs: Vec<Job>,
    progress: &mut Progress<'_>,
) -> Result<(), GpuError> {
    let Some(bins) = jobs.first().map(|job| job.bins) else {
        return Ok(());
    };
    let pipeline = gpu.pipeline(kernel, entry(bins), constants)?;
    let uniforms = gpu.uniforms(kernel.name, BATCH)?;
    let bindings = pipeline.bind(gpu.device(), &[input, counts], &uniforms);
    let (each, most) = if bins <= PRIVATE_BINS { (PRIVATE_EACH, PRIVATE_GROUPS) } else { (1, MAX_GROUPS) };

    let mut queue = VecDeque::from(jobs);
    while !queue.is_empty() {
        let batch = take(&mut queue, gpu.budgets().get(kernel.name, START));
        let work = batch.iter().map(|job| u64::from(job.windows)).sum();
        write_blocks(gpu.queue(), &uniforms, &batch);
        let start = Instant::now();
        gpu.submit(kernel.name, |pass| {
            pass.set_pipeline(&pipeline.compute);
            for (slot, job) in (0..).zip(&batch) {
                pass.set_bind_group(0, &bindings, &[slot * UNIFORM_STRIDE]);
                pass.dispatch_workgroups(groups(u64::from(job.windows), each, most), 1, 1);
            }
        })?;
        // The read-back that follows the last batch waits for it.
        if !queue.is_empty() {
            gpu.finish().await?;
            gpu.budgets().learn(kernel.name, work, start.elapsed(), LEAST);
        }
        progress.add(work).await?;
    }
    Ok(())
}

/// The next jobs, up to `budget` windows; the last of them is cut where it would exceed that.
fn take(queue: &mut VecDeque<Job>, budget: u64) -> Vec<Job> {
    let mut left = u32::try_from(budget).unwrap_or(u32::MAX);
    let mut batch = Vec::new();
    while left > 0 && batch.len() < BATCH {
        let Some(job) = queue.front_mut() else { break };
        let windows = job.windows.min(left);
        batch.push(Job { windows, copies: copies(job.bins), ..*job });
        left -= windows;
        job.first += windows;
        job.windows -= windows;
        if job.windows == 0 {
            queue.pop_front();
        }
    }
    batch
}

/// Adds u32 counts to u64 ones.
pub(crate) fn add(total: &mut [u64], counts: &[u32]) {
    for (sum, count) in total.iter_mut().zip(counts) {
        *sum += u64::from(*count);
    }
}

/// Checks that nothing was counted twice or not at all.
pub(crate) fn check(kernel: &'static Kernel, counts: &[u64], expected: u64) -> Result<(), GpuError> {
    let counted = counts.iter().sum();
    if counted == expected { Ok(()) } else { Err(GpuError::Miscounted { kernel: kernel.name, counted, expected }) }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::{Job, copies, take};

    #[test]
    fn copies_fit_and_are_powers_of_two() {
        for bins in 1..=2048 {
            let copies = copies(bins);
            assert!(copies.is_power_of_two() && copies * bins <= 2048 && copies <= 64, "{bins}");
        }
        assert_eq!([copies(2), copies(256), copies(720), copies(1025)], [64, 8, 2, 1]);
    }

    #[test]
    fn jobs_are_cut_at_the_budget_and_none_is_lost() {
        let job = |first, windows, out| Job { first, windows, out, bins: 2, ..Job::default() };
        let mut queue = VecDeque::from([job(0, 5, 0), job(7, 10, 2)]);
        let ranges = |jobs: Vec<Job>| jobs.iter().map(|j| (j.first, j.windows, j.out)).collect::<Vec<_>>();
        assert_eq!(ranges(take(&mut queue, 8)), [(0, 5, 0), (7, 3, 2)]);
        assert_eq!(ranges(take(&mut queue, 8)), [(10, 7, 2)]);
        assert!(take(&mut queue, 8).is_empty());
    }
}
