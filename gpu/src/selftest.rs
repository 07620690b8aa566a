//! Every kernel against the CPU reference, on this very adapter.
//!
//! The native tests run this on a software Vulkan driver, the page at a hidden address in real browsers: the same
//! shaders pass through other compilers there. Counts must be equal, not close. Seeded, and small enough for a
//! software adapter.

pub mod nn;
pub mod swarm;

use surprisal_core::{
    compute::{Backend, Compute, Cpu, Done},
    measure::{
        MeasureError, Series,
        ordinal::{OrdinalWindows, dense_ranks},
        regularity::Templates,
        symbols::Words,
    },
    pace::Unhurried,
    rng::Philox,
};

use crate::{Gpu, GpuError};

/// One check: what was compared, and what differed.
pub type Check = (String, Result<(), String>);

/// Compares every kernel with the CPU reference; `log` hears of each check as it ends.
pub async fn selftest(gpu: &Gpu, mut log: impl FnMut(&Check)) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut report = |name: String, result: Result<(), String>| {
        let check = (name, result);
        log(&check);
        checks.push(check);
    };
    for n in [0, 1, 255, 256, 257, 4099] {
        for bins in [1, 2, 3, 256, 2048, 2049] {
            report(format!("histogram n={n} K={bins}"), histogram(gpu, &codes(n, bins, 1)[..], bins).await);
        }
        report(format!("sum, smallest, largest n={n}"), reductions(gpu, &values(n)).await);
    }
    report("histogram of skewed bytes".to_owned(), skewed_bytes(gpu, 100_003).await);
    report("histogram of 65536 symbols".to_owned(), histogram(gpu, &codes(70_001, 65_536, 2), 65_536).await);
    for (alphabet, length) in [(2, 1), (2, 11), (2, 12), (4, 3), (7, 2), (256, 2), (1, 3)] {
        for n in [0, 1, length as usize, 257, 10_007] {
            let name = format!("words n={n} of {length} over {alphabet}");
            report(name, words(gpu, &codes(n, alphabet, 3), alphabet, length).await);
        }
    }
    for order in 2..=8 {
        for delay in [1, 3] {
            let series = gapped(noise(1009, order.into(), Shape::Gaussian), &[0..400, 401..402, 402..1009]);
            report(format!("patterns of order {order}, delay {delay}"), ordinal(gpu, &series, order, delay).await);
        }
        for shape in [Shape::Lattice, Shape::Constant] {
            let series = whole(noise(521, 5, shape));
            report(format!("patterns of order {order}, {shape:?}"), ordinal(gpu, &series, order, 1).await);
        }
    }
    report("patterns for many delays".to_owned(), many_delays(gpu).await);
    for m in [1, 2, 3, 4] {
        for shape in [Shape::Gaussian, Shape::Lattice, Shape::Constant] {
            for n in [0, 1, 2, 255, 257, 1021] {
                let templates = templates(&noise(n + m, 7, shape), m, 0.2, n % 2 == 0);
                report(format!("pairs n={n} m={m}, {shape:?}"), pairs(gpu, &templates).await);
            }
        }
    }
    for n in [1, 257, 2049, 10_007] {
        report(format!("prefix sums n={n}"), swarm::prefix_sums(gpu, n).await);
    }
    for (rule, dimensions) in swarm::RULES {
        for (boundary, n) in [("open", 100), ("periodic", 700), ("tank", 300), ("walls", 257)] {
            let setup = swarm::setup(rule, dimensions, boundary, n, n % 2 == 0);
            let name = format!("a step of {n} {rule} in {dimensions} dimensions, {boundary}");
            report(name, swarm::one_step(gpu, &setup).await);
        }
    }
    let setup = swarm::setup("couzin", 3, "periodic", 300, false);
    report("pairs of fish".to_owned(), swarm::all_pairs(gpu, &setup, None).await);
    match gpu.calibration().await.map(|found| found.form()) {
        Ok(form) => {
            // Biases and two layers; rotary positions, a window and a tied head.
            for (config, batch) in nn::cases().into_iter().filter(|(config, _)| nn::is_telling(config)) {
                let name = format!("a step of training, {form:?}, {config:?}");
                report(name, nn::first_step(gpu, &nn::setup(config, batch), form).await);
            }
        }
        Err(error) => report("calibration".to_owned(), Err(error.to_string())),
    }
    checks
}

/// Kinds of test series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Standard normal: hardly a tie.
    Gaussian,
    /// Small whole numbers: many ties, and distances that equal the tolerance.
    Lattice,
    /// One number.
    Constant,
}

/// A seeded series.
#[must_use]
pub fn noise(n: usize, seed: u64, shape: Shape) -> Vec<f64> {
    let mut random = Philox::new(seed, 0);
    let mut next = || match shape {
        Shape::Gaussian => random.normal(),
        Shape::Lattice => f64::from(random.below(6)) * 0.1,
        Shape::Constant => 4.25,
    };
    (0..n).map(|_| next()).collect()
}

/// Seeded symbols below `alphabet`.
#[must_use]
pub fn codes(n: usize, alphabet: u32, seed: u64) -> Vec<u32> {
    let mut random = Philox::new(seed, 1);
    (0..n).map(|_| random.below(alphabet)).collect()
}

fn values(n: usize) -> Vec<u32> {
    let mut random = Philox::new(11, 2);
    // High bits set: the sum of a few already exceeds u32.
    (0..n).map(|_| random.next_u32() | 0xc000_0000).collect()
}

/// A series without gaps.
#[must_use]
pub fn whole(values: Vec<f64>) -> Series<'static> {
    let stretches = Some(0..values.len()).filter(|all| !all.is_empty()).into_iter().collect();
    Series { values: values.into(), stretches, omitted: 0 }
}

fn gapped(values: Vec<f64>, stretches: &[std::ops::Range<usize>]) -> Series<'static> {
    Series { values: values.into(), stretches: stretches.to_vec(), omitted: 2 }
}

/// The templates of `values` with tolerance `r` and delay 1. With `absent`, also the last one, which has no value m.
#[must_use]
pub fn templates(values: &[f64], m: usize, r: f64, absent: bool) -> Templates {
    let ranks = dense_ranks(values);
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.dedup();
    let rank = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    // The floating-point test itself decides, value by value.
    let low = |x: f64| rank(sorted.partition_point(|&y| y < x && x - y > r));
    let high = |x: f64| rank(sorted.partition_point(|&y| y <= x || y - x <= r)) - 1;
    let count = (values.len() + usize::from(absent)).saturating_sub(m);
    let mut all = Templates { count, m, ..Templates::default() };
    for k in 0..=m {
        for t in 0..count {
            let (rank, low, width) = match values.get(t + k) {
                Some(&x) => (ranks[t + k], low(x), high(x) - low(x)),
                None => (u32::MAX, u32::MAX - 1, 0),
            };
            all.ranks.push(rank);
            all.low.push(low);
            all.width.push(width);
        }
    }
    all
}

fn equal<T: PartialEq + std::fmt::Debug>(got: &T, expected: &T) -> Result<(), String> {
    if got == expected {
        return Ok(());
    }
    let short = |value: &T| format!("{value:?}").chars().take(200).collect::<String>();
    Err(format!("{} instead of {}", short(got), short(expected)))
}

fn said(error: &GpuError) -> String {
    error.to_string()
}

/// Compares what two back ends answered, and that each is the one it should be.
fn twins<T: PartialEq + std::fmt::Debug>(
    gpu: Result<Done<T>, MeasureError>,
    cpu: Result<Done<T>, MeasureError>,
) -> Result<(), String> {
    let (gpu, cpu) = (gpu.map_err(|error| error.to_string())?, cpu.map_err(|error| error.to_string())?);
    equal(&gpu.value, &cpu.value)?;
    equal(&gpu.ran.backend, &Backend::Gpu)?;
    equal(&cpu.ran.backend, &Backend::Cpu)
}

/// Symbol counts against a loop.
///
/// # Errors
/// What differed.
pub async fn histogram(gpu: &Gpu, codes: &[u32], bins: u32) -> Result<(), String> {
    let mut expected = vec![0_u64; bins as usize];
    for code in codes {
        expected[*code as usize] += 1;
    }
    equal(&gpu.histogram(codes, bins, &Unhurried).await.map_err(|error| said(&error))?, &expected)
}

async fn skewed_bytes(gpu: &Gpu, n: usize) -> Result<(), String> {
    let mut random = Philox::new(4, 0);
    // Nine of ten are the same; the length is no multiple of four.
    let bytes: Vec<u8> =
        (0..n).map(|_| if random.below(10) > 0 { b'e' } else { random.next_u32().to_le_bytes()[0] }).collect();
    let mut expected = vec![0_u64; 256];
    for byte in &bytes {
        expected[usize::from(*byte)] += 1;
    }
    equal(&gpu.histogram_of_bytes(&bytes, &Unhurried).await.map_err(|error| said(&error))?, &expected)
}

/// Sum, smallest and largest against iterators.
///
/// # Errors
/// What differed.
pub async fn reductions(gpu: &Gpu, values: &[u32]) -> Result<(), String> {
    let sum = gpu.sum(values, &Unhurried).await.map_err(|error| said(&error))?;
    equal(&sum, &values.iter().map(|&value| u64::from(value)).sum())?;
    let min = gpu.min(values, &Unhurried).await.map_err(|error| said(&error))?;
    equal(&min, &values.iter().min().copied())?;
    let max = gpu.max(values, &Unhurried).await.map_err(|error| said(&error))?;
    equal(&max, &values.iter().max().copied())
}

/// Word counts on both back ends.
///
/// # Errors
/// What differed.
pub async fn words(gpu: &Gpu, codes: &[u32], alphabet: u32, length: u32) -> Result<(), String> {
    let words = Words { codes, alphabet, length };
    twins(gpu.word_counts(&words, &Unhurried).await, Cpu.word_counts(&words, &Unhurried).await)
}

/// Ordinal pattern counts on both back ends.
///
/// # Errors
/// What differed.
pub async fn ordinal(gpu: &Gpu, series: &Series<'_>, order: u32, delay: usize) -> Result<(), String> {
    let windows = OrdinalWindows { series, order, delay };
    twins(gpu.ordinal_counts(&windows, &Unhurried).await, Cpu.ordinal_counts(&windows, &Unhurried).await)
}

async fn many_delays(gpu: &Gpu) -> Result<(), String> {
    let series = whole(noise(2003, 9, Shape::Lattice));
    let ranks = dense_ranks(&series.values);
    // The last ones do not fit into the series.
    let delays: Vec<usize> = (1..40).chain([499, 500, 501, 700, 5000]).collect();
    let counts = gpu.ordinal_counts_many(&ranks, &series.stretches, 5, &delays, &Unhurried).await;
    for (&delay, counts) in delays.iter().zip(counts.map_err(|error| said(&error))?) {
        let windows = OrdinalWindows { series: &series, order: 5, delay };
        let cpu = Cpu.ordinal_counts(&windows, &Unhurried).await.map_err(|error| error.to_string())?;
        equal(&counts, &cpu.value).map_err(|what| format!("delay {delay}: {what}"))?;
    }
    Ok(())
}

/// Template pairs on both back ends.
///
/// # Errors
/// What differed.
pub async fn pairs(gpu: &Gpu, templates: &Templates) -> Result<(), String> {
    twins(gpu.template_matches(templates, &Unhurried).await, Cpu.template_matches(templates, &Unhurried).await)
}
