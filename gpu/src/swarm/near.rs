//! Statistics over all pairs of a school, while it swims: O(n²).
//!
//! - **In**: one replica's fish. **Out**: [`PairStatistics`].
//! - **Method**: tiles in workgroup memory, five slots of nearest in registers, histograms in workgroup memory with runs of
//!   equal bins counted at once.
//! - **Invariants**: each histogram sums to n(n - 1)/2, which is checked. A u32 counter is read back and cleared before 2³¹
//!   pairs.
//! - **Workgroup**: 256 threads, 14.1 KiB. **Determinism**: bitwise per adapter; across adapters a pair within a rounding of
//!   a bin's edge may change its bin.

use bytemuck::{Pod, Zeroable};
use surprisal_core::{pace::Pace, sim::swarm::SwarmError};
use web_time::Instant;
use wgpu::BufferUsages;

use super::{GpuSwarm, Swarm, folded, setup::BOUNDARIES, setup::single, word};
use crate::{
    GpuError,
    kernels::{Kernel, count::add, write_blocks},
    shader::THREADS,
};

static NEAR: Kernel = Kernel {
    name: "swarm-near",
    source: include_str!("near.wgsl"),
    writes: &[false, true, true],
    parameters: size_of::<Near>() as u64,
};
const MEET_ALL: &str = "meet_all";

/// Neighbours of which the distance is told.
pub const NEAREST: u32 = 5;
/// As many distances.
type Distances = [f32; NEAREST as usize];
/// Bins of [`PairStatistics::dot_counts`].
pub const DOT_BINS: u32 = 20;
/// Bins of [`PairStatistics::fine_counts`], at most: 8 KiB.
pub const MOST_FINE: u32 = 2048;
const CONSTANTS: [(&str, u32); 3] = [("NEAREST", NEAREST), ("DOT_BINS", DOT_BINS), ("MOST_FINE", MOST_FINE)];

/// Pairs in a submission: at first, and at least.
const START: u64 = 1 << 24;
const LEAST: u64 = 1 << 18;
/// Pairs between two read-backs of the counts, at most.
const MOST_PAIRS: u64 = 1 << 31;

pub(super) fn for_each_pipeline<E>(
    with: &mut impl FnMut(&'static Kernel, &'static str, &[(&str, u32)]) -> Result<(), E>,
) -> Result<(), E> {
    with(&NEAR, MEET_ALL, &constants())
}

fn constants() -> Vec<(&'static str, u32)> {
    BOUNDARIES.into_iter().chain(CONSTANTS).collect()
}

/// What all pairs of a school say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PairStatistics {
    /// For each fish the distances to the five ([`NEAREST`]) nearest, nearest first; infinite where there are fewer.
    pub nearest: Vec<[f32; NEAREST as usize]>,
    /// Pairs i < j by (u_i·u_j + 1)/2 in [`DOT_BINS`] equal bins of [0, 1], the last one closed.
    pub dot_counts: Vec<u64>,
    /// The same in as many bins as were asked for.
    pub fine_counts: Vec<u64>,
}

/// Mirrors `Near` in `near.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct Near {
    first: u32,
    count: u32,
    from_tile: u32,
    to_tile: u32,
    fine: u32,
    side: f32,
    per_side: f32,
    unused: u32,
}

impl GpuSwarm {
    /// The statistics of all pairs of a replica now, with `fine` bins (1 to [`MOST_FINE`]) of the cosine between headings.
    ///
    /// # Errors
    /// [`SwarmError::State`] where there is no such replica, [`SwarmError::Parameter`] for a wrong number of bins, and what
    /// a device may meet.
    pub async fn pair_statistics(
        &self,
        replica: usize,
        fine: u32,
        pace: &dyn Pace,
    ) -> Result<PairStatistics, SwarmError> {
        let replica = self.index(replica)?;
        if !(1..=MOST_FINE).contains(&fine) {
            let right = format!("1 to {MOST_FINE}");
            return Err(SwarmError::Parameter { name: "fine_bins", found: fine.to_string(), right });
        }
        self.meet_all(replica, fine, pace).await.map_err(|error| self.told(error))
    }

    async fn meet_all(&self, replica: usize, fine: u32, pace: &dyn Pace) -> Result<PairStatistics, GpuError> {
        let gpu = self.gpu();
        let n = u64::from(self.count());
        let tiles = n.div_ceil(THREADS.into());
        let bins = DOT_BINS + fine;
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let nearest = gpu.zeros("nearest", n * u64::from(NEAREST))?;
        let counts = gpu.buffer("pair counts", u64::from(bins) * 4, usage)?;
        let uniforms = gpu.uniforms("pairs of fish", 1)?;
        let pipeline = gpu.pipeline(&NEAR, MEET_ALL, &constants())?;
        let bindings = pipeline.bind(gpu.device(), &[&self.memory().school, &nearest, &counts], &uniforms);
        let side = self.setups()[replica].space.period();
        let mut totals = vec![0_u64; bins as usize];
        let (mut tile, mut held) = (0, 0);
        pace.tick(0, tiles).await?;
        while tile < tiles {
            let pairs_of_tile = n * u64::from(THREADS);
            let most = (gpu.budgets().get(NEAR.name, START).min(MOST_PAIRS / 2) / pairs_of_tile).max(1);
            let here = most.min(tiles - tile);
            if held + here * pairs_of_tile > MOST_PAIRS && held > 0 {
                add(&mut totals, &gpu.read::<u32>(&counts, 0..bins.into()).await?);
                gpu.queue().write_buffer(&counts, 0, &vec![0; bins as usize * 4]);
                held = 0;
            }
            let block = Near {
                first: word(replica as u64 * n),
                count: self.count(),
                from_tile: word(tile),
                to_tile: word(tile + here),
                fine,
                side: single(side.unwrap_or(0.0)),
                per_side: single(side.map_or(0.0, |side| 1.0 / side)),
                unused: 0,
            };
            write_blocks(gpu.queue(), &uniforms, &[block]);
            let [x, y] = folded(tiles);
            let start = Instant::now();
            gpu.submit(NEAR.name, |pass| {
                pass.set_pipeline(&pipeline.compute);
                pass.set_bind_group(0, &bindings, &[0]);
                pass.dispatch_workgroups(x, y, 1);
            })?;
            tile += here;
            held += here * pairs_of_tile;
            if tile < tiles {
                gpu.finish().await?;
                gpu.budgets().learn(NEAR.name, here * pairs_of_tile, start.elapsed(), LEAST);
            }
            pace.tick(tile, tiles).await?;
        }
        add(&mut totals, &gpu.read::<u32>(&counts, 0..bins.into()).await?);
        let fine_counts = totals.split_off(DOT_BINS as usize);
        let expected = n * (n - 1) / 2;
        for counts in [&totals, &fine_counts] {
            let counted = counts.iter().sum();
            if counted != expected {
                return Err(GpuError::Miscounted { kernel: NEAR.name, counted, expected });
            }
        }
        let squares: Vec<Distances> = gpu.read(&nearest, 0..n * u64::from(NEAREST)).await?;
        let root = |square: f32| if square > 1e38 { f32::INFINITY } else { square.sqrt() };
        let nearest = squares.into_iter().map(|squares| squares.map(root)).collect();
        Ok(PairStatistics { nearest, dot_counts: totals, fine_counts })
    }
}
