//! The matching template pairs of sample and approximate entropy.
//!
//! - **In**: [`Templates`], as ranks and runs of matching ranks.
//! - **Out**: for each template, how many others match it over m and over m + 1 values.
//! - **Method**: templates are sorted by the rank of their first value, by counting. Those that match a template
//!   there are then a window of the sorted order, which the table of the sort gives without a search, and windows
//!   of neighbours overlap. A workgroup takes a block of 256 neighbours and walks the union of their windows by
//!   tiles in workgroup memory: n² p pairs of n², p the chance that two values match. Sorting before comparing is
//!   after Manis, Aktaruzzaman & Sassi, "Low computational cost for sample entropy", Entropy 20, 2018; tiles after
//!   Nyland, Harris & Prins, "Fast N-body simulation with CUDA", GPU Gems 3, 2007.
//! - **Invariants**: all tests are of u32, so lattices and ties are exact; counts fit, as there are fewer templates.
//! - **Workgroup**: 256 threads, m KiB of workgroup memory (m ≤ 10); five storage buffers.
//! - **Determinism**: bitwise across adapters (integer tests, integer atomics).

use bytemuck::{Pod, Zeroable};
use surprisal_core::{compute::Matches, measure::regularity::Templates, pace::Pace};
use web_time::Instant;

use super::{Kernel, write_blocks};
use crate::{
    Gpu, GpuError,
    shader::{MAX_GROUPS, THREADS},
};

pub(crate) static KERNEL: Kernel = Kernel {
    name: "pairs",
    source: include_str!("pairs.wgsl"),
    writes: &[false, false, false, false, true],
    parameters: size_of::<Batch>() as u64,
};

pub(crate) const ENTRY: &str = "count_matches";

/// The template lengths there is a kernel for: what 16 KiB of workgroup memory hold with room to spare.
pub(crate) const LENGTHS: std::ops::RangeInclusive<u32> = 1..=10;

/// Tiles that one workgroup walks: enough to make loading its templates cheap, few enough to keep a GPU busy when
/// there are few templates, and to stop a slow one soon.
const TILES: u32 = 16;
/// Workgroups in a submission: at first, and at least. Each does up to a million tests.
const START: u64 = 64;
const LEAST: u64 = 8;

/// Mirrors `Batch` in `pairs.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct Batch {
    first: u32,
    padded: u32,
    unused: [u32; 2],
}

/// Whether there is a kernel for these templates, and buffers large enough.
pub(crate) fn supports(gpu: &Gpu, templates: &Templates) -> bool {
    let padded = (templates.count as u64).next_multiple_of(u64::from(THREADS));
    u32::try_from(templates.m).is_ok_and(|m| LENGTHS.contains(&m))
        && padded < u64::from(u32::MAX) / 16
        && padded * templates.m as u64 * 8 <= gpu.binding_limit()
}

/// Templates as the kernel wants them.
struct Sorted {
    /// The template at each sorted position.
    order: Vec<u32>,
    /// The number of templates with padding.
    padded: usize,
    windows: Vec<[u32; 2]>,
    ranks: Vec<u32>,
    runs: Vec<[u32; 2]>,
    items: Vec<[u32; 4]>,
}

impl Sorted {
    fn new(templates: &Templates) -> Self {
        let Templates { count, m, ranks, low, width } = templates;
        let (count, m) = (*count, *m);
        let first = &ranks[..count];

        // start[r] is the sorted position of the first template whose rank is r or more.
        let top = first.iter().max().map_or(0, |rank| *rank as usize);
        let mut start = vec![0_u32; top + 2];
        for &rank in first {
            start[rank as usize + 1] += 1;
        }
        for rank in 1..start.len() {
            start[rank] += start[rank - 1];
        }
        let mut next = start.clone();
        let mut order = vec![0_u32; count];
        for (template, &rank) in (0..).zip(first) {
            let position = &mut next[rank as usize];
            order[*position as usize] = template;
            *position += 1;
        }

        let padded = count.next_multiple_of(THREADS as usize);
        let position_of = |rank: usize| start[rank.min(top + 1)];
        let mut windows = vec![[0, 0]; padded];
        for (window, &template) in windows.iter_mut().zip(&order) {
            let (low, width) = (low[template as usize] as usize, width[template as usize] as usize);
            let from = position_of(low);
            *window = [from, position_of(low.saturating_add(width).saturating_add(1)) - from];
        }

        let mut sorted_ranks = vec![u32::MAX; m * padded];
        let mut runs = vec![[0, 0]; m * padded];
        for k in 1..=m {
            let (from, to) = (k * count, (k - 1) * padded);
            for (position, &template) in order.iter().enumerate() {
                let source = from + template as usize;
                sorted_ranks[to + position] = ranks[source];
                runs[to + position] = [low[source], width[source]];
            }
        }

        let mut items = Vec::new();
        for (block, windows) in (0..).zip(windows.chunks(THREADS as usize)) {
            let real = windows.iter().filter(|window| window[1] > 0);
            let from = real.clone().map(|window| window[0]).min().unwrap_or(0) / THREADS;
            let to = real.map(|window| window[0] + window[1]).max().unwrap_or(0).div_ceil(THREADS);
            for tile in (from..to).step_by(TILES as usize) {
                items.push([block, tile, to.min(tile + TILES), 0]);
            }
        }
        Self { order, padded, windows, ranks: sorted_ranks, runs, items }
    }
}

impl Gpu {
    /// For each template, how many *other* templates match it over the shorter and over the longer length.
    ///
    /// # Errors
    /// [`GpuError::TooLarge`] where m is not 1..=10 or a buffer cannot be as large, and what a device may meet.
    pub async fn pairs(&self, templates: &Templates, pace: &dyn Pace) -> Result<Matches, GpuError> {
        let count = templates.count;
        if !supports(self, templates) {
            let bytes = (count as u64).saturating_mul(templates.m as u64).saturating_mul(8);
            return Err(GpuError::TooLarge { what: "template pairs", bytes, limit: self.binding_limit() });
        }
        if count == 0 {
            return Ok(Matches::default());
        }
        let m = u32::try_from(templates.m).unwrap_or(u32::MAX);
        let pipeline = self.pipeline(&KERNEL, ENTRY, &[("M", m)])?;
        pace.tick(0, 1).await?;
        let sorted = Sorted::new(templates);
        let padded = u32::try_from(sorted.padded).unwrap_or(u32::MAX);
        let total = sorted.items.len() as u64;
        pace.tick(0, total).await?;

        let items = self.upload("items", &sorted.items)?;
        let windows = self.upload("windows", &sorted.windows)?;
        let ranks = self.upload("template ranks", &sorted.ranks)?;
        let runs = self.upload("template runs", &sorted.runs)?;
        let matches = self.zeros("matches", 2 * u64::from(padded))?;
        let uniforms = self.uniforms("pairs", 1)?;
        let bindings = pipeline.bind(self.device(), &[&items, &windows, &ranks, &runs, &matches], &uniforms);

        let mut done = 0;
        while done < total {
            let budget = self.budgets().get(KERNEL.name, START).min(u64::from(MAX_GROUPS));
            let here = budget.min(total - done);
            let word = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
            write_blocks(self.queue(), &uniforms, &[Batch { first: word(done), padded, unused: [0; 2] }]);
            let start = Instant::now();
            self.submit(KERNEL.name, |pass| {
                pass.set_pipeline(&pipeline.compute);
                pass.set_bind_group(0, &bindings, &[0]);
                pass.dispatch_workgroups(word(here), 1, 1);
            })?;
            done += here;
            // The read-back waits for the last one.
            if done < total {
                self.finish().await?;
                self.budgets().learn(KERNEL.name, here, start.elapsed(), LEAST);
            }
            pace.tick(done, total).await?;
        }
        let counts = self.read::<u32>(&matches, 0..2 * u64::from(padded)).await?;
        Ok(unsort(templates, &sorted, &counts))
    }
}

/// Back in the order of the templates, and without each template's match with itself.
fn unsort(templates: &Templates, sorted: &Sorted, counts: &[u32]) -> Matches {
    let Templates { count, m, ranks, low, width } = templates;
    let (shorter_counts, longer_counts) = counts.split_at(sorted.padded);
    let mut matches = Matches { shorter: vec![0; *count], longer: vec![0; *count] };
    for ((&template, shorter), longer) in sorted.order.iter().zip(shorter_counts).zip(longer_counts) {
        let template = template as usize;
        let matches_itself = |k: usize| {
            let at = k * count + template;
            ranks[at].wrapping_sub(low[at]) <= width[at]
        };
        let over_m = (0..*m).all(matches_itself);
        matches.shorter[template] = shorter - u32::from(over_m);
        matches.longer[template] = longer - u32::from(over_m && matches_itself(*m));
    }
    matches
}
