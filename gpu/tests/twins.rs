//! The kernels against the CPU reference on the adapter at hand, usually a software Vulkan driver.
//!
//! Where there is no adapter at all the tests say so and pass, unless `SURPRISAL_REQUIRE_GPU` is 1, as it is in
//! `cargo xtask test`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pollster::block_on;
use surprisal_core::{
    compute::{Backend, Compute},
    measure::{MeasureError, ordinal::OrdinalWindows, regularity::Templates, symbols::Words},
    pace::{Cancelled, Pace, Unhurried},
};
use surprisal_gpu::{
    Auto, Gpu, GpuError, Options,
    selftest::{self, Shape, codes, noise, templates, whole},
};

/// One device at a time: software adapters use all cores, and some drivers do not like company.
static ONE: Mutex<()> = Mutex::new(());

fn gpu(options: Options) -> Option<(Gpu, MutexGuard<'static, ()>)> {
    let guard = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let options = Options { adapter: Options::from_env().adapter, ..options };
    match block_on(Gpu::new(&options)) {
        Ok(gpu) => Some((gpu, guard)),
        Err(GpuError::NoAdapter { wanted_name: None, .. })
            if std::env::var("SURPRISAL_REQUIRE_GPU").as_deref() != Ok("1") =>
        {
            eprintln!("SKIPPED: no GPU adapter here, not even a software one (mesa-vulkan-drivers has one)");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Binds at most 64 KiB at a time, so that small inputs already go in pieces.
fn small() -> Options {
    Options { binding_limit: Some(1 << 16), ..Options::default() }
}

#[test]
fn the_self_test_of_the_page_passes() {
    let Some((gpu, _guard)) = gpu(Options::default()) else {
        return;
    };
    println!("{:?}", gpu.info());
    let checks = block_on(selftest::selftest(&gpu, |_| {}));
    assert!(checks.len() > 100, "{} checks", checks.len());
    let failed: Vec<_> = checks.iter().filter(|(_, result)| result.is_err()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn every_pipeline_compiles() {
    let Some((gpu, _guard)) = gpu(Options::default()) else {
        return;
    };
    block_on(gpu.prepare()).unwrap();
}

#[test]
fn histograms_at_the_bounds_of_the_private_bins() {
    let Some((gpu, _guard)) = gpu(Options::default()) else {
        return;
    };
    for bins in [2047, 2048, 2049, 65_536, 1 << 22] {
        block_on(selftest::histogram(&gpu, &codes(100_003, bins, 1), bins)).unwrap();
        let mut skewed = codes(50_021, bins, 2);
        skewed[100..].fill(bins - 1);
        block_on(selftest::histogram(&gpu, &skewed, bins)).unwrap();
    }
}

#[test]
fn more_symbols_than_one_dimension_of_a_dispatch_has_threads() {
    let Some((gpu, _guard)) = gpu(Options::default()) else {
        return;
    };
    let n = 65_536 * 256 + 1;
    let mut codes = vec![1; n];
    codes[n - 1] = 0;
    assert_eq!(block_on(gpu.histogram(&codes, 3, &Unhurried)).unwrap(), [1, n as u64 - 1, 0]);
    assert_eq!(block_on(gpu.sum(&codes, &Unhurried)).unwrap(), n as u64 - 1);
}

#[test]
fn a_symbol_outside_the_alphabet_is_an_error() {
    let Some((gpu, _guard)) = gpu(Options::default()) else {
        return;
    };
    for bins in [3, 4, 5000] {
        let result = block_on(gpu.histogram(&[0, 1, bins, 2], bins, &Unhurried));
        assert_eq!(result, Err(GpuError::Miscounted { kernel: "histogram", counted: 3, expected: 4 }));
    }
}

#[test]
fn tables_of_words_that_are_too_large_go_to_the_cpu() {
    let Some((gpu, _guard)) = gpu(Options::default()) else {
        return;
    };
    let codes = codes(5003, 3, 1);
    for (length, backend) in [(13, Backend::Gpu), (14, Backend::Cpu)] {
        let words = Words { codes: &codes, alphabet: 3, length };
        let done = block_on(gpu.word_counts(&words, &Unhurried)).unwrap();
        assert_eq!(done.ran.backend, backend);
        assert_eq!(done.ran.adapter.is_some(), backend == Backend::Gpu);
        assert_eq!(done.value.iter().sum::<u64>(), 5003 - u64::from(length) + 1);
    }
    assert!(matches!(block_on(gpu.words(&codes, 3, 14, &Unhurried)), Err(GpuError::TooLarge { .. })));
}

#[test]
fn large_inputs_go_in_pieces() {
    let Some((gpu, _guard)) = gpu(small()) else { return };
    // 16,384 words of 4 bytes fit into a piece.
    for n in [16_383, 16_384, 16_385, 40_009] {
        block_on(selftest::words(&gpu, &codes(n, 300, 1), 300, 2)).unwrap_err(); // its table does not fit
        block_on(selftest::words(&gpu, &codes(n, 70_000, 1), 70_000, 1)).unwrap_err();
        block_on(selftest::words(&gpu, &codes(n, 100, 1), 100, 2)).unwrap();
        block_on(selftest::words(&gpu, &codes(20 * n, 2, 1), 2, 12)).unwrap();
        block_on(selftest::reductions(&gpu, &codes(n, u32::MAX, 1))).unwrap();
        let series = whole(noise(n, 3, Shape::Lattice));
        for delay in [1, 7, 1000] {
            block_on(selftest::ordinal(&gpu, &series, 3, delay)).unwrap();
        }
    }
}

#[test]
fn a_window_longer_than_a_piece_is_counted_by_the_cpu() {
    let Some((gpu, _guard)) = gpu(small()) else { return };
    let series = whole(noise(40_000, 3, Shape::Gaussian));
    let windows = OrdinalWindows { series: &series, order: 3, delay: 9000 };
    let done = block_on(gpu.ordinal_counts(&windows, &Unhurried)).unwrap();
    assert_eq!(done.ran.backend, Backend::Cpu);
    assert_eq!(done.value.iter().sum::<u64>(), 40_000 - 18_000);
}

#[test]
fn ordinal_patterns_at_awkward_sizes() {
    let Some((gpu, _guard)) = gpu(Options::default()) else {
        return;
    };
    for order in 2..=8 {
        for n in [0, 1, order as usize - 1, order as usize, 255, 256, 257, 4099] {
            for (delay, shape) in [(1, Shape::Gaussian), (2, Shape::Lattice), (11, Shape::Constant)] {
                let series = whole(noise(n, 1, shape));
                block_on(selftest::ordinal(&gpu, &series, order, delay)).unwrap();
            }
        }
    }
}

#[test]
fn pairs_in_several_tiles_and_submissions() {
    let Some((gpu, _guard)) = gpu(Options::default()) else {
        return;
    };
    for (n, m, shape) in [
        (256 * 16 + 1, 2, Shape::Gaussian),
        (256 * 17 - 1, 2, Shape::Lattice),
        (5003, 3, Shape::Constant),
        (3001, 10, Shape::Lattice),
    ] {
        block_on(selftest::pairs(&gpu, &templates(&noise(n + m, 5, shape), m, 0.2, true))).unwrap();
    }
}

#[test]
fn templates_that_are_too_long_go_to_the_cpu() {
    let Some((gpu, _guard)) = gpu(Options::default()) else {
        return;
    };
    let templates = templates(&noise(100, 5, Shape::Lattice), 11, 0.2, false);
    let done = block_on(gpu.template_matches(&templates, &Unhurried)).unwrap();
    assert_eq!(done.ran.backend, Backend::Cpu);
}

#[test]
fn the_sum_carries_into_64_bits() {
    let Some((gpu, _guard)) = gpu(Options::default()) else {
        return;
    };
    let values = vec![u32::MAX; 1_000_003];
    assert_eq!(block_on(gpu.sum(&values, &Unhurried)).unwrap(), u64::from(u32::MAX) * 1_000_003);
    block_on(selftest::reductions(&gpu, &values)).unwrap();
    assert_eq!(block_on(gpu.min(&[], &Unhurried)).unwrap(), None);
}

#[test]
fn a_destroyed_device_is_lost_and_stays_lost() {
    let Some((gpu, _guard)) = gpu(Options::default()) else {
        return;
    };
    assert_eq!(block_on(gpu.histogram(&[0, 1, 1], 2, &Unhurried)).unwrap(), [1, 2]);
    gpu.destroy();
    for _ in 0..2 {
        let error = block_on(gpu.histogram(&[0, 1, 1], 2, &Unhurried)).unwrap_err();
        assert!(matches!(error, GpuError::Lost { .. }), "{error:?}");
    }
    let words = Words { codes: &[0, 1], alphabet: 2, length: 1 };
    match block_on(gpu.word_counts(&words, &Unhurried)) {
        Err(MeasureError::Backend { backend, message }) => {
            assert!(backend.starts_with("GPU (") && message.contains("lost"), "{backend}: {message}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn auto_leaves_small_work_and_software_adapters_to_the_cpu() {
    let Some((gpu, _guard)) = gpu(Options::default()) else {
        return;
    };
    let auto = Auto::new(Some(gpu.clone()));
    assert_eq!(auto.gpu().is_none(), gpu.info().software);
    let words = Words { codes: &[0, 1, 1], alphabet: 2, length: 1 };
    assert_eq!(block_on(auto.word_counts(&words, &Unhurried)).unwrap().ran.backend, Backend::Cpu);
}

/// Cancels at the given tick.
struct Until(std::cell::Cell<u32>);

impl Pace for Until {
    fn tick(&self, done: u64, total: u64) -> futures_util::future::LocalBoxFuture<'_, Result<(), Cancelled>> {
        assert!(done <= total);
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        Box::pin(std::future::ready(if left == 0 { Err(Cancelled) } else { Ok(()) }))
    }
}

#[test]
fn a_cancel_ends_the_work_and_leaves_the_device_usable() {
    let Some((gpu, _guard)) = gpu(Options::default()) else {
        return;
    };
    let templates: Templates = templates(&noise(20_000, 5, Shape::Constant), 2, 0.2, false);
    for ticks in 0..4 {
        let result = block_on(gpu.template_matches(&templates, &Until(ticks.into())));
        assert!(matches!(result, Err(MeasureError::Cancelled(_))), "{result:?}");
    }
    assert_eq!(block_on(gpu.histogram(&[0, 1, 1], 2, &Unhurried)).unwrap(), [1, 2]);
}

#[test]
fn passes_are_timed_where_the_adapter_can() {
    let Some((gpu, _guard)) = gpu(Options { timestamps: true, ..Options::default() }) else {
        return;
    };
    block_on(gpu.histogram(&codes(100_000, 9, 1), 9, &Unhurried)).unwrap();
    let timings = block_on(gpu.take_timings()).unwrap();
    let can = gpu.info().features.contains(&"timestamp-query");
    assert_eq!(timings.len(), usize::from(can), "{timings:?}");
    assert!(timings.iter().all(|timing| timing.label == "histogram" && timing.milliseconds >= 0.0), "{timings:?}");
    assert!(block_on(gpu.take_timings()).unwrap().is_empty());
}

#[test]
fn an_unknown_adapter_is_named_in_the_error() {
    let Some(_alive) = gpu(Options::default()) else { return };
    let options = Options { adapter: Some("no such thing".to_owned()), ..Options::default() };
    let error = block_on(Gpu::new(&options)).unwrap_err().to_string();
    assert!(error.contains("no such thing") && error.contains("found: "), "{error}");
}
