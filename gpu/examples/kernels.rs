//! How much faster the GPU counts than the CPU reference, and how near it comes to the memory's limit:
//! `cargo run --release -p surprisal-gpu --example kernels [-- SCALE]`. Works on any adapter; nothing is asserted.
//!
//! GPU times hold everything from the host's data to the host's counts. "limit" is the time that only uploading the
//! same bytes takes, over the time of the whole call.

use std::time::{Duration, Instant};

use pollster::block_on;
use surprisal_core::{
    compute::{Compute, Cpu},
    measure::{
        ordinal::{OrdinalWindows, dense_ranks},
        symbols::Words,
    },
    pace::Unhurried,
};
use surprisal_gpu::{
    Gpu, GpuError, Options,
    selftest::{Shape, codes, noise, templates, whole},
};

/// The best of three, after one that compiles what has to be compiled.
fn time<T>(mut run: impl FnMut() -> T) -> Duration {
    run();
    let once = || {
        let start = Instant::now();
        std::hint::black_box(run());
        start.elapsed()
    };
    std::iter::repeat_with(once).take(3).min().unwrap_or_default()
}

fn line(name: &str, items: usize, gpu: Duration, cpu: Duration, uploaded: Option<Duration>) {
    let rate = |time: Duration| 1e-6 * f64::from(u32::try_from(items).unwrap_or(u32::MAX)) / time.as_secs_f64();
    let limit =
        uploaded.map_or(String::new(), |time| format!("{:6.0} %", 100.0 * time.as_secs_f64() / gpu.as_secs_f64()));
    let (ratio, gpu, cpu) = (cpu.as_secs_f64() / gpu.as_secs_f64(), rate(gpu), rate(cpu));
    println!("{name:32} {items:>10} {gpu:>12.2} {cpu:>12.2} {ratio:>9.2} {limit:>9}");
}

fn main() -> Result<(), GpuError> {
    let scale: usize = std::env::args().nth(1).and_then(|scale| scale.parse().ok()).unwrap_or(1);
    let gpu = block_on(Gpu::new(&Options { timestamps: true, ..Options::from_env() }))?;
    println!("{:#?}\n", gpu.info());
    println!("{:32} {:>10} {:>12} {:>12} {:>9} {:>9}", "", "items", "GPU M/s", "CPU M/s", "GPU/CPU", "limit");

    let n = scale << 22;
    for (alphabet, length) in [(2, 1), (256, 1), (65_536, 1), (2, 8), (4, 8), (256, 2)] {
        let codes = codes(n, alphabet, 1);
        let words = Words { codes: &codes, alphabet, length };
        let on_gpu = time(|| block_on(gpu.word_counts(&words, &Unhurried)));
        let on_cpu = time(|| block_on(Cpu.word_counts(&words, &Unhurried)));
        line(&format!("words of {length} over {alphabet}"), n, on_gpu, on_cpu, None);
    }
    let bytes: Vec<u8> = codes(n, 256, 1).iter().flat_map(|code| code.to_le_bytes()[..1].to_vec()).collect();
    let on_gpu = time(|| block_on(gpu.histogram_of_bytes(&bytes, &Unhurried)));
    let on_cpu = time(|| {
        bytes.iter().fold([0_u64; 256], |mut counts, byte| {
            counts[usize::from(*byte)] += 1;
            counts
        })
    });
    // Counting is nothing beside moving: the sum of as many bytes is the plainest use of the same memory.
    let quarter = vec![1; n / 4];
    let moved = time(|| block_on(gpu.sum(&quarter, &Unhurried)));
    line("bytes", n, on_gpu, on_cpu, Some(moved));

    let n = scale << 20;
    let series = whole(noise(n, 1, Shape::Gaussian));
    for order in 2..=8 {
        let windows = OrdinalWindows { series: &series, order, delay: 1 };
        let on_gpu = time(|| block_on(gpu.ordinal_counts(&windows, &Unhurried)));
        let on_cpu = time(|| block_on(Cpu.ordinal_counts(&windows, &Unhurried)));
        line(&format!("patterns of order {order}"), n, on_gpu, on_cpu, None);
    }
    let ranks = dense_ranks(&series.values);
    let delays: Vec<usize> = (1..=20).collect();
    let on_gpu = time(|| block_on(gpu.ordinal_counts_many(&ranks, &series.stretches, 6, &delays, &Unhurried)));
    let on_cpu = time(|| {
        for &delay in &delays {
            let windows = OrdinalWindows { series: &series, order: 6, delay };
            let _ = std::hint::black_box(block_on(Cpu.ordinal_counts(&windows, &Unhurried)));
        }
    });
    line("patterns of order 6, 20 delays", 20 * n, on_gpu, on_cpu, None);

    for n in [1 << 12, scale << 14, scale << 16] {
        let templates = templates(&noise(n, 1, Shape::Gaussian), 2, 0.2, false);
        let on_gpu = time(|| block_on(gpu.template_matches(&templates, &Unhurried)));
        let on_cpu = time(|| block_on(Cpu.template_matches(&templates, &Unhurried)));
        line("templates of m = 2, r = 0.2", n, on_gpu, on_cpu, None);
    }

    let timings = block_on(gpu.take_timings())?;
    if let Some(first) = timings.first() {
        let times = timings.iter().filter(|timing| timing.label == first.label).map(|timing| timing.milliseconds);
        let (count, total) = times.fold((0_u32, 0.0), |(count, total), time| (count + 1, total + time));
        println!("\non the GPU itself: {count} passes of {} took {:.3} ms each", first.label, total / f64::from(count));
    }
    Ok(())
}
