//! What the pairs of a school say, while it swims: O(n²).
//!
//! - **In**: one replica's fish. **Out**: [`PairStatistics`], from which the measures of a school are finished in f64.
//! - **Method**: tiles in workgroup memory; five slots of nearest in registers, entered by few once a list is full; histograms
//!   in workgroup memory with runs of equal bins counted at once, one for each pair of the jackknife's groups, which tiles do
//!   not straddle.
//! - **Work**: each pair is looked at twice and counted once. A look reads 24 bytes of workgroup memory and takes some 20
//!   operations, 12 more with a cube, 10 more where it counts. Of storage a workgroup of 256 fish reads 32 bytes a fish that
//!   it meets: n²/8 bytes, 1.25 GB at 10⁵ fish and 125 GB at 10⁶. Dispatches are of 2²⁴ pairs at first (4,096 fish in one),
//!   and grow to what takes 15 to 50 ms: 10⁵ fish are 10¹⁰ looks, a second at the 10¹⁰ looks a second that 10¹² operations a
//!   second allow, and 10⁶ fish are 100 seconds, in pieces between which the page lives.
//! - **Read back**: 8 + 40 bytes a fish, 60 with a cube, and 336 KB of counts in a volume.
//! - **Invariants**: counts sum to n(n - 1)/2, which is checked. A u32 holds all pairs of two groups up to [`MOST_FISH`].
//! - **Workgroup**: 256 threads, 8 KiB. **Determinism**: bitwise per adapter; across adapters a pair within a rounding of
//!   a bin's edge may change its bin, and of two fish that are as near as rounding tells either may be the nearest.

use bytemuck::{Pod, Zeroable};
use surprisal_core::{
    measure::school::{
        Again, Alike, Angles, Ask, Boundary, COSINE_BINS, Dims, GROUPS, NEIGHBOURS, Near, PairStatistics, angle_bins,
        groups,
    },
    pace::Pace,
    sim::swarm::SwarmError,
};
use web_time::Instant;
use wgpu::BufferUsages;

use super::{GpuSwarm, folded, setup::BOUNDARIES, setup::single, word};
use crate::{
    GpuError,
    kernels::{Kernel, write_blocks},
    shader::THREADS,
};

static NEAR: Kernel = Kernel {
    name: "swarm-near",
    source: include_str!("near.wgsl"),
    writes: &[false, true, true, true],
    parameters: size_of::<Block>() as u64,
};
const MEET_ALL: &str = "meet_all";

/// Neighbours of which the distance is told.
const NEAREST: u32 = 5;
const _: () = assert!(NEAREST as usize == NEIGHBOURS, "the shader's lists are the measures'");
/// Bins of a histogram, at most: 2 KiB. At the usual resolution there are 400, in a plane 31.
const MOST_BINS: u32 = 512;

/// The most fish whose pairs are counted here.
pub const MOST_FISH: u32 = 1 << 20;
/// Fish of a group of the largest school, at most.
const MOST_OF_GROUP: u64 = (MOST_FISH as u64).div_ceil(GROUPS as u64);
const _: () = assert!(MOST_OF_GROUP * MOST_OF_GROUP < 1 << 32, "a counter of 32 bits holds the pairs of two groups");
/// With fewer fish [`surprisal_core::sim::swarm::Swarm::pairs`] leaves the pairs to the CPU. A count here costs a submission and three read-backs one after
/// the other, each a turn of the browser's event loop and of its GPU process, 1 to 10 ms; 2,000 fish are 2 × 10⁶ pairs, some 4 ms
/// of one core. Batches of small schools, of which every replica would wait for its own, are below by far.
pub const FEWEST_FISH: u32 = 2_000;

/// Pairs in a submission: at first, and at least.
const START: u64 = 1 << 24;
const LEAST: u64 = 1 << 18;
/// Tiles of fish in a submission, at most: 131,072 threads, which fill any adapter.
const MOST_TILES: u64 = 512;

/// What the shader is compiled for: a plane, and a cube.
const SHAPES: [[(&str, u32); 2]; 3] =
    [[("FLAT", 0), ("CUBE", 0)], [("FLAT", 0), ("CUBE", 1)], [("FLAT", 1), ("CUBE", 0)]];

pub(super) fn for_each_pipeline<E>(
    with: &mut impl FnMut(&'static Kernel, &'static str, &[(&str, u32)]) -> Result<(), E>,
) -> Result<(), E> {
    SHAPES.into_iter().try_for_each(|shape| with(&NEAR, MEET_ALL, &constants(shape)))
}

/// Squares that a fish keeps.
const fn slots(shape: [(&str, u32); 2]) -> u32 {
    (2 + shape[1].1) * NEAREST
}

fn constants(shape: [(&'static str, u32); 2]) -> Vec<(&'static str, u32)> {
    let here = [("NEAREST", NEAREST), ("MOST_BINS", MOST_BINS), ("SLOTS", slots(shape))];
    BOUNDARIES.into_iter().chain(here).chain(shape).collect()
}

/// Mirrors `Near` in `near.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct Block {
    first: u32,
    count: u32,
    groups: u32,
    parts: u32,
    tile: u32,
    from_tile: u32,
    to_tile: u32,
    bins: u32,
    side: f32,
    per_side: f32,
    cube: f32,
    per_cube: f32,
    limit: f32,
    unused: [u32; 3],
}

/// A side and its inverse, 0 where there is none.
fn per(side: Option<f64>) -> (f32, f32) {
    (single(side.unwrap_or(0.0)), single(side.map_or(0.0, |side| 1.0 / side)))
}

/// The bins of the angles, if the shader can count what is asked.
fn bins(count: u32, ask: Ask) -> Result<u32, (&'static str, String, String)> {
    if count > MOST_FISH {
        return Err(("count", count.to_string(), format!("at most {MOST_FISH}")));
    }
    let flat = ask.space.dims == Dims::Two;
    if flat && matches!(ask.again, Again::Cube(_)) {
        return Err(("again", format!("{:?}", ask.again), "no cube in a plane".to_owned()));
    }
    if !ask.counts {
        return Ok(0);
    }
    let bins = angle_bins(ask.space.dims, ask.resolution);
    if bins > MOST_BINS || (!flat && !(bins as usize).is_multiple_of(COSINE_BINS)) {
        let right = format!("one of at most {MOST_BINS} bins, in a volume a multiple of {COSINE_BINS}");
        return Err(("resolution", format!("{} ({bins} bins)", ask.resolution), right));
    }
    Ok(bins)
}

impl GpuSwarm {
    /// Whether [`surprisal_core::sim::swarm::Swarm::pairs`] counts here.
    pub(super) fn counts_pairs(&self, ask: Ask) -> bool {
        self.count() >= FEWEST_FISH && bins(self.count(), ask).is_ok()
    }

    /// What the pairs of a replica's fish say now, however few they are.
    ///
    /// # Errors
    /// [`SwarmError::State`] where there is no such replica; [`SwarmError::Parameter`] for more than [`MOST_FISH`], a cube in a
    /// plane, and a resolution of which the bins are not the shader's; and what a device may meet.
    pub async fn count_pairs(
        &mut self,
        replica: usize,
        ask: Ask,
        pace: &dyn Pace,
    ) -> Result<PairStatistics, SwarmError> {
        self.count_pairs_sliced(replica, ask, u64::MAX, pace).await
    }

    /// The same in submissions of at most `most` pairs, but for what one workgroup does with one tile.
    ///
    /// # Errors
    /// As [`Self::count_pairs`].
    pub async fn count_pairs_sliced(
        &mut self,
        replica: usize,
        ask: Ask,
        most: u64,
        pace: &dyn Pace,
    ) -> Result<PairStatistics, SwarmError> {
        let replica = self.index(replica)?;
        let bins =
            bins(self.count(), ask).map_err(|(name, found, right)| SwarmError::Parameter { name, found, right })?;
        self.caught_up().await.map_err(|error| self.told(error))?;
        self.meet_all(replica, ask, bins, most, pace).await
    }

    async fn meet_all(
        &self,
        replica: usize,
        ask: Ask,
        bins: u32,
        most: u64,
        pace: &dyn Pace,
    ) -> Result<PairStatistics, SwarmError> {
        let told = |error: GpuError| self.told(error);
        let gpu = self.gpu();
        let n = u64::from(self.count());
        let side = match ask.space.boundary {
            Boundary::Open => None,
            Boundary::Periodic(side) => Some(side),
        };
        let cube = if let Again::Cube(side) = ask.again { Some(side) } else { None };
        let shape = SHAPES[if ask.space.dims == Dims::Two { 2 } else { usize::from(cube.is_some()) }];
        let starts = groups(usize::try_from(n).unwrap_or(usize::MAX));
        let of_groups = (starts.len() - 1) as u64;
        let parts = n.div_ceil(of_groups).div_ceil(THREADS.into());
        let tiles = of_groups * parts;
        let words = of_groups * (of_groups + 1) / 2 * u64::from(bins);

        let kept = n * u64::from(slots(shape));
        let squares = gpu.zeros("nearest", kept).map_err(told)?;
        let numbers = gpu.zeros("numbers of nearest", 2 * n).map_err(told)?;
        let usage = BufferUsages::STORAGE | BufferUsages::COPY_SRC | BufferUsages::COPY_DST;
        let counts = gpu.buffer("pair counts", words * 4, usage).map_err(told)?;
        let uniforms = gpu.uniforms("pairs of fish", 1).map_err(told)?;
        let pipeline = gpu.pipeline(&NEAR, MEET_ALL, &constants(shape)).map_err(told)?;
        let storage = [&*self.memory().school, &squares, &numbers, &counts];
        let bindings = pipeline.bind(gpu.device(), &storage, &uniforms);
        let (side, per_side) = per(side);
        let (cube, per_cube) = per(cube);
        let chord = 2.0 * (ask.resolution / 2.0).sin();
        let block = Block {
            first: word(replica as u64 * n),
            count: self.count(),
            groups: word(of_groups),
            parts: word(parts),
            bins,
            side,
            per_side,
            cube,
            per_cube,
            limit: single(chord * chord),
            ..Block::default()
        };
        let total = tiles * tiles;
        pace.tick(0, total).await?;
        let of_tiles = u64::from(THREADS) * n.div_ceil(tiles);
        let mut tile = 0;
        while tile < tiles {
            let budget = || gpu.budgets().get(NEAR.name, START).min(most);
            let rows = (budget() / of_tiles).clamp(1, MOST_TILES.min(tiles - tile));
            let pairs = rows * of_tiles;
            let mut from = 0;
            while from < tiles {
                let here = (budget() / pairs).clamp(1, tiles - from);
                let block = Block { tile: word(tile), from_tile: word(from), to_tile: word(from + here), ..block };
                write_blocks(gpu.queue(), &uniforms, &[block]);
                let [x, y] = folded(rows);
                let start = Instant::now();
                gpu.submit(NEAR.name, |pass| {
                    pass.set_pipeline(&pipeline.compute);
                    pass.set_bind_group(0, &bindings, &[0]);
                    pass.dispatch_workgroups(x, y, 1);
                })
                .map_err(told)?;
                from += here;
                if tile + rows < tiles || from < tiles {
                    gpu.finish().await.map_err(told)?;
                    gpu.budgets().learn(NEAR.name, here * pairs, start.elapsed(), LEAST);
                }
                pace.tick(tile * tiles + rows * from, total).await?;
            }
            tile += rows;
        }
        let counts: Vec<u32> = gpu.read(&counts, 0..words).await.map_err(told)?;
        let (cosines, angles) = self.sums(&counts, bins, starts.len() - 1, ask).map_err(told)?;
        let numbers: Vec<[u32; 2]> = gpu.read(&numbers, 0..2 * n).await.map_err(told)?;
        let squares: Vec<f32> = gpu.read(&squares, 0..kept).await.map_err(told)?;
        Ok(lists(ask, shape, &squares, &numbers, cosines, angles))
    }

    /// Counts of pairs of groups as counts with each group.
    fn sums(&self, counts: &[u32], bins: u32, groups: usize, ask: Ask) -> Result<Counts, GpuError> {
        if bins == 0 {
            return Ok((None, None));
        }
        let bins = bins as usize;
        let (mut all, mut with) = (vec![0_u64; bins], vec![vec![0_u64; bins]; groups]);
        let both = (0..groups).flat_map(|b| (0..=b).map(move |a| (a, b)));
        for ((a, b), counts) in both.zip(counts.chunks_exact(bins)) {
            for (k, count) in counts.iter().enumerate() {
                let count = u64::from(*count);
                all[k] += count;
                with[a][k] += count;
                if a != b {
                    with[b][k] += count;
                }
            }
        }
        let n = u64::from(self.count());
        let (counted, expected) = (all.iter().sum(), n * (n - 1) / 2);
        if counted != expected {
            return Err(GpuError::Miscounted { kernel: NEAR.name, counted, expected });
        }
        let cosines = (ask.space.dims == Dims::Three).then(|| {
            let mut cosines = [0; COSINE_BINS];
            // Of equal cosines, the last bin of which is the cap here and there.
            for (sum, share) in cosines.iter_mut().zip(all.chunks_exact(bins / COSINE_BINS)) {
                *sum = share.iter().sum();
            }
            cosines
        });
        Ok((cosines, Some(Angles { all, with })))
    }
}

type Counts = (Option<[u64; COSINE_BINS]>, Option<Angles>);

/// What the shader has left for each fish.
fn lists(
    ask: Ask,
    shape: [(&str, u32); 2],
    squares: &[f32],
    numbers: &[[u32; 2]],
    cosines: Option<[u64; COSINE_BINS]>,
    angles: Option<Angles>,
) -> PairStatistics {
    let square = |s: f32| if s > 1e38 { f64::INFINITY } else { f64::from(s) };
    let five = |list: &[f32]| std::array::from_fn(|k| square(list[k]).sqrt());
    let mut pairs = PairStatistics {
        asked: ask,
        near: Vec::with_capacity(numbers.len()),
        again: Vec::new(),
        alike: Vec::with_capacity(numbers.len()),
        cosines,
        angles,
    };
    for (kept, [first, within]) in squares.chunks_exact(slots(shape) as usize).zip(numbers) {
        pairs.near.push(Near { first: *first, distances: five(kept) });
        pairs.alike.push(Alike { fifth: square(kept[2 * NEIGHBOURS - 1]), within: *within });
        if let Some(list) = kept.get(2 * NEIGHBOURS..)
            && !list.is_empty()
        {
            pairs.again.push(five(list));
        }
    }
    pairs
}
