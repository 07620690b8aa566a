//! Measures of one column against known truths: closed forms, exact expectations, invariances, and what they say of input
//! that has no value.

#![allow(clippy::unwrap_used, reason = "a test that cannot measure has failed")]

use std::f64::consts::{E, LN_2, PI, TAU};

use futures_util::future::LocalBoxFuture;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use surprisal_core::{
    compute::Cpu,
    data::{Chunk, Column},
    measure::{self, Context, MeasureError, Outcome, Undefined, Value},
    pace::{Cancelled, Pace, Unhurried},
    quantity::Unit,
    rng::Philox,
};

const SERIES: [&str; 10] = [
    "fuzzen",
    "mse",
    "dispersion",
    "bubble",
    "slope",
    "svd",
    "diff.vasicek",
    "diff.ebrahimi",
    "diff.kde_resub",
    "diff.kde_loo",
];
const TEXTS: [&str; 4] = ["word.entropy", "token.window_entropy", "cross_entropy.ngram", "perplexity.ngram"];

fn run_with(id: &str, params: &Json, column: &Column, resamples: u32) -> Result<Outcome, MeasureError> {
    let context = Context::new(&Cpu, &Unhurried).with_resamples(resamples, 1);
    pollster::block_on(measure::run(id, params, column, &context))
}

fn run(id: &str, params: &Json, column: &Column) -> Result<Outcome, MeasureError> {
    run_with(id, params, column, 0)
}

fn real(id: &str, params: &Json, x: &[f64]) -> f64 {
    run(id, params, &Column::real("x", x.to_vec())).unwrap().value.scalar().unwrap()
}

fn curve(id: &str, params: &Json, x: &[f64]) -> Vec<f64> {
    let Value::Vector(v) = run(id, params, &Column::real("x", x.to_vec())).unwrap().value else { panic!("a curve") };
    v
}

fn normals(n: usize, stream: u64) -> Vec<f64> {
    let mut rng = Philox::new(11, stream);
    (0..n).map(|_| rng.normal()).collect()
}

fn uniforms(n: usize, stream: u64) -> Vec<f64> {
    let mut rng = Philox::new(12, stream);
    (0..n).map(|_| rng.uniform()).collect()
}

fn laplace(n: usize, stream: u64) -> Vec<f64> {
    uniforms(n, stream)
        .into_iter()
        .map(|u| if u < 0.5 { (2.0 * u).max(1e-300).ln() } else { -(2.0 * (1.0 - u)).ln() })
        .collect()
}

/// The mean and its standard error.
fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

/// Integrated at 30 digits with mpmath 1.3 from the formulas in the module's documentation, over ln β.
#[test]
fn nsb_agrees_with_an_integral_of_thirty_digits() {
    let cases: [(&[usize], u64, f64, f64); 8] = [
        (&[3, 1, 2], 5, 1.794_555_343_260_16, 0.347_665_345_363),
        (&[3, 1, 2], 3, 1.423_720_889_779_59, 0.169_156_150_88),
        (&[4, 2, 3, 1, 1], 1000, 2.870_653_130_896_98, 0.618_562_758_735),
        (&[1, 1, 1, 1], 10, 2.793_980_171_771_16, 0.424_589_214_882),
        (&[7515, 2485], 2, 0.808_925_453_126_585, 0.006_897_488_898_52),
        (&[2546, 2454], 2, 0.999_618_967_329_305, 0.000_421_948_289_893),
        (&[5], 4, 0.302_445_815_828_035, 0.414_711_587_813),
        (&[10, 10, 10, 10], 4, 1.971_741_355_413_3, 0.029_225_574_740_8),
    ];
    for (counts, alphabet, mean, deviation) in cases {
        let codes: Vec<i64> = (0..).zip(counts).flat_map(|(i, &c)| std::iter::repeat_n(i, c)).collect();
        let column = Column::integer("x", codes);
        let outcome = run_with("shannon.nsb", &json!({ "alphabet": alphabet }), &column, 10).unwrap();
        let got = outcome.value.scalar().unwrap();
        assert!((got / mean - 1.0).abs() < 1e-9, "{counts:?} of {alphabet}: {got}, not {mean}");
        let u = outcome.uncertainty.unwrap();
        let half = (u.high - u.low) / 2.0 / 1.96;
        assert!((half / deviation - 1.0).abs() < 1e-6, "{counts:?} of {alphabet}: ± {half}, not {deviation}");
    }
}

#[test]
fn nsb_wants_an_alphabet_that_holds_what_occurs() {
    let column = Column::integer("x", vec![1, 2, 3, 3]);
    let message =
        |alphabet: Json| run("shannon.nsb", &json!({ "alphabet": alphabet }), &column).unwrap_err().to_string();
    assert_eq!(message(json!(2)), "shannon.nsb.alphabet = 2.0: expected at least the 3 symbols that occur");
    assert!(message(json!(3.5)).contains("expected a whole number of symbols, or observed"));
    assert!(message(json!("many")).contains("expected a whole number of symbols, or observed"));
    // One symbol of one: nothing to be surprised at.
    let constant = Column::integer("x", vec![7; 20]);
    assert_eq!(run("shannon.nsb", &json!({}), &constant).unwrap().value, Value::Scalar(0.0));
}

#[test]
fn nsb_of_few_samples_is_closer_than_the_plug_in() {
    // 60 draws from 200 equally likely symbols, on average over 40 trials; the truth is log2 200 = 7.64 bits.
    let (mut plugin, mut nsb) = (Vec::new(), Vec::new());
    for trial in 0..40 {
        let mut rng = Philox::new(5, trial);
        let column = Column::integer("x", (0..60).map(|_| i64::from(rng.below(200))).collect());
        plugin.push(run("shannon.plugin", &json!({}), &column).unwrap().value.scalar().unwrap());
        nsb.push(run("shannon.nsb", &json!({"alphabet": 200}), &column).unwrap().value.scalar().unwrap());
    }
    let truth = 200.0_f64.log2();
    let (p, n) = (mean_and_error(&plugin).0, mean_and_error(&nsb).0);
    assert!((n - truth).abs() < 0.2 * (p - truth).abs(), "NSB {n}, plug-in {p}, truth {truth}");
}

/// Of a uniform sample the spacing of k order statistics has the law Beta(k, n+1−k), so E ln spacing = ψ(k) − ψ(n+1),
/// a difference of harmonic numbers, and both estimators have an exact expectation.
#[test]
fn spacing_estimates_of_uniform_samples_have_their_exact_expectation() {
    let (n, m) = (120_usize, 7_usize);
    let harmonic = |k: usize| (1..k).map(|i| 1.0 / i as f64).sum::<f64>();
    for (id, corrected) in [("diff.vasicek", false), ("diff.ebrahimi", true)] {
        let expected = (1..=n)
            .map(|i| {
                let k = (i + m).min(n) - i.saturating_sub(m).max(1);
                let inside = (i - 1).min(n - i);
                let c = if corrected && inside < m { 1.0 + inside as f64 / m as f64 } else { 2.0 };
                (n as f64 / (c * m as f64)).ln() + harmonic(k) - harmonic(n + 1)
            })
            .sum::<f64>()
            / n as f64
            / LN_2;
        let values: Vec<f64> = (0..400).map(|t| real(id, &json!({ "window": m }), &uniforms(n, t))).collect();
        let (mean, error) = mean_and_error(&values);
        assert!((mean - expected).abs() < 5.0 * error, "{id}: {mean} ± {error}, expected {expected}");
    }
}

#[test]
fn densities_have_the_entropies_of_their_laws() {
    // Per law: a sample, the entropy in bits, and the variance of ln f, which gives the standard error of every estimate.
    let n = 8000;
    let laws = [
        ("normal", normals(n, 1), 0.5 * (TAU * E).log2(), 0.5),
        ("uniform", uniforms(n, 1), 0.0, 0.0),
        ("Laplace", laplace(n, 1), (2.0 * E).log2(), 1.0),
    ];
    for (law, x, truth, variance) in laws {
        let error = (variance / n as f64).sqrt() / LN_2;
        // The bias of m-spacings is of the order of m/n and of the smoothing of kernels of h² (h at a jump, 0.05 here).
        let kernel = if law == "uniform" { 0.08 } else { 0.03 };
        for (id, bias) in
            [("diff.vasicek", 0.02), ("diff.ebrahimi", 0.02), ("diff.kde_resub", kernel), ("diff.kde_loo", kernel)]
        {
            let got = real(id, &json!({}), &x);
            assert!((got - truth).abs() < 5.0 * error + bias, "{id} of a {law} sample: {got}, truth {truth}");
        }
        assert!(real("diff.kde_loo", &json!({}), &x) > real("diff.kde_resub", &json!({}), &x));
    }
}

#[test]
fn the_intervals_of_a_normal_sample_are_as_wide_as_theory_says() {
    let n = 4000;
    let expected = (0.5 / n as f64).sqrt() / LN_2;
    let column = Column::real("x", normals(n, 3));
    for id in ["diff.vasicek", "diff.ebrahimi", "diff.kde_resub", "diff.kde_loo"] {
        let u = run_with(id, &json!({}), &column, 10).unwrap().uncertainty.unwrap();
        let error = (u.high - u.low) / 2.0 / 1.96;
        // A variance of 20 groups is known to sqrt(2/19) = 0.32 of itself, its root to 0.16: three of those.
        assert!((error / expected - 1.0).abs() < 0.5, "{id}: {error}, expected {expected}");
    }
}

/// Templates of one value have no distance without their mean, and of two values their half difference: for independent
/// normal values FuzzyEn(1) is −ln E exp(−Z²/r) = ½ ln(1 + 2/r), Z standard normal.
#[test]
fn fuzzy_entropy_of_normal_noise_has_its_closed_form() {
    for r in [0.1_f64, 0.5, 2.0] {
        let column = Column::real("x", normals(4000, 4));
        let outcome = run_with("fuzzen", &json!({"m": 1, "r": r}), &column, 10).unwrap();
        let (got, u) = (outcome.value.scalar().unwrap(), outcome.uncertainty.unwrap());
        let (expected, error) = (0.5 * (1.0 + 2.0 / r).ln(), (u.high - u.low) / 2.0 / 1.96);
        assert!((got - expected).abs() < 5.0 * error, "r = {r}: {got} ± {error}, expected {expected}");
        assert!(error < 0.05);
    }
}

#[test]
fn multiscale_entropy_falls_for_white_noise_and_not_for_a_random_walk_of_scales() {
    let white = curve("mse", &json!({"scales": 6}), &normals(12_000, 5));
    assert_eq!(white.len(), 6);
    assert!(white.windows(2).all(|w| w[1] < w[0] - 0.05), "{white:?}");
    // The first scale is sample entropy itself.
    assert_eq!(white[0], real("sampen", &json!({}), &normals(12_000, 5)));
    // Means of s normal values are normal with sd 1/√s: fuzzy entropy with m = 1 has its closed form at every scale.
    let fuzzy = curve("mse", &json!({"scales": 4, "base": "fuzzen", "m": 1, "r": 0.5}), &normals(12_000, 6));
    for (s, got) in (1..).zip(&fuzzy) {
        let expected = 0.5 * (1.0 + 4.0 / f64::from(s)).ln();
        assert!((got - expected).abs() < 0.04, "scale {s}: {got}, expected {expected}");
    }
    // Order patterns of means of noise are those of noise.
    let perm = curve("mse", &json!({"scales": 3, "base": "perm"}), &normals(12_000, 7));
    assert!(perm.iter().all(|h| (h - 6.0_f64.log2()).abs() < 0.01), "{perm:?}");
    let dispersion = curve("mse", &json!({"scales": 4, "base": "dispersion"}), &normals(12_000, 8));
    assert!(dispersion.windows(2).all(|w| w[1] < w[0]), "{dispersion:?}");
}

#[test]
fn scales_without_a_term_are_left_out_and_said_so() {
    let outcome = run("mse", &json!({"scales": 20, "r": 5.0}), &Column::real("x", normals(30, 1))).unwrap();
    let Value::Vector(values) = &outcome.value else { panic!("a curve") };
    // Two templates of three values need four values: 30/7 is the last scale with as many.
    assert_eq!(values.len(), 7);
    assert!(outcome.warnings.iter().any(|w| w.code == "scales_left_out"));
    assert!(matches!(
        run("mse", &json!({}), &Column::real("x", vec![1.0, 2.0, 3.0])),
        Err(MeasureError::TooShort { needed: 4, .. })
    ));
}

#[test]
fn words_of_noise_have_the_entropy_of_independent_letters() {
    let x = normals(60_000, 9);
    // Equally probable classes: m ln c, less the plug-in bias (K−1)/2N.
    let got = real("dispersion", &json!({"m": 3, "c": 4}), &x);
    let bias = 63.0 / (2.0 * 60_000.0);
    assert!((got - 3.0 * 4.0_f64.ln() + bias).abs() < 2e-3, "{got}");
    // One increment has the law N(0, 2): flat within tan 5°, gentle to tan 45°.
    let below = |t: f64| 0.5 * (1.0 + erf(t / 2.0));
    let (flat, steep) = (2.0 * below(5.0_f64.to_radians().tan()) - 1.0, 1.0 - below(1.0));
    let gentle = (1.0 - flat - 2.0 * steep) / 2.0;
    let expected: f64 = [flat, steep, steep, gentle, gentle].iter().map(|p| -p * p.log2()).sum();
    let got = real("slope", &json!({"m": 2}), &x);
    // Increments overlap in one value; three standard errors of independent ones would be 0.008.
    assert!((got - expected).abs() < 0.01, "{got} {expected}");
}

/// erf by its series: enough for a test.
fn erf(x: f64) -> f64 {
    let (mut term, mut sum) = (x, x);
    for k in 1..60 {
        term *= -x * x / f64::from(k);
        sum += term / f64::from(2 * k + 1);
    }
    2.0 / PI.sqrt() * sum
}

/// Inversions of random permutations have the Mahonian numbers as their law.
#[test]
fn bubble_entropy_of_noise_is_that_of_mahonian_numbers() {
    let law = |m: usize| {
        let mut counts = vec![1.0_f64];
        for k in 2..=m {
            let mut next = vec![0.0; counts.len() + k - 1];
            for (i, c) in counts.iter().enumerate() {
                (i..i + k).for_each(|j| next[j] += c);
            }
            counts = next;
        }
        let total: f64 = counts.iter().sum();
        -counts.iter().map(|c| (c / total).powi(2)).sum::<f64>().ln()
    };
    let column = Column::real("x", uniforms(50_000, 2));
    for m in [2_usize, 3, 5, 10] {
        let expected = (law(m + 1) - law(m)) / ((m + 1) as f64 / (m - 1) as f64).ln();
        let outcome = run_with("bubble", &json!({ "m": m }), &column, 100).unwrap();
        let (got, u) = (outcome.value.scalar().unwrap(), outcome.uncertainty.unwrap());
        let error = (u.high - u.low) / 2.0 / 1.96;
        assert!((got - expected).abs() < 5.0 * error, "m = {m}: {got} ± {error}, expected {expected}");
        assert!(error < 0.02, "m = {m}: {error}");
    }
}

#[test]
fn singular_values_of_noise_are_equal_and_of_a_sine_two() {
    let noise = real("svd", &json!({"order": 4}), &normals(100_000, 3));
    // σ_k differ by about sqrt(m/N) of themselves, and the entropy by their squares.
    assert!((noise - 2.0).abs() < 1e-3, "{noise}");
    let sine: Vec<f64> = (0..5000).map(|i| (0.3 * f64::from(i)).sin()).collect();
    assert!(real("svd", &json!({"order": 6}), &sine) <= 1.0 + 1e-9);
    // A large mean is one direction; without it the noise is back.
    let shifted: Vec<f64> = normals(20_000, 3).iter().map(|x| x + 1e6).collect();
    assert!(real("svd", &json!({}), &shifted) < 1e-3);
    assert!((real("svd", &json!({"centre": true}), &shifted) - 3.0_f64.log2()).abs() < 1e-2);
}

#[test]
fn match_lengths_find_the_entropy_rate() {
    let n = 60_000;
    let mut rng = Philox::new(3, 3);
    let coins = Column::integer("x", (0..n).map(|_| i64::from(rng.below(2))).collect());
    // A chain that stays with probability 0.9: H = −0.9 log2 0.9 − 0.1 log2 0.1.
    let mut state = 0;
    let chain = (0..n).map(|_| {
        state = if rng.uniform() < 0.1 { 1 - state } else { state };
        state
    });
    let chain = Column::integer("x", chain.collect());
    for (column, truth) in [(&coins, 1.0), (&chain, 0.468_995_593_589_281)] {
        for window in ["whole", "growing"] {
            let got = run("lzmatch.rate", &json!({ "window": window }), column).unwrap().value.scalar().unwrap();
            // The bias falls as 1/log n: a tenth at 60 000 symbols.
            assert!((got / truth - 1.0).abs() < 0.15, "{window}: {got}, truth {truth}");
        }
    }
    let constant =
        run("lzmatch.rate", &json!({}), &Column::integer("x", vec![1; 4096])).unwrap().value.scalar().unwrap();
    // Σ Λ = Σ (n − i + 1) + 1 for the first: 2 log2 n / n within 1/n of itself.
    assert!((constant / (2.0 * 12.0 / 4096.0) - 1.0).abs() < 1e-3, "{constant}");
}

#[test]
fn models_of_random_letters_predict_no_better_than_chance() {
    let mut rng = Philox::new(4, 4);
    let text: Vec<u8> = (0..80_000).map(|_| b"acgt"[rng.below(4) as usize]).collect();
    let column = Column::bytes("x", text);
    for n in 1..=3 {
        let cross = run("cross_entropy.ngram", &json!({"n": n, "alpha": 0.01}), &column).unwrap();
        let bits = cross.value.scalar().unwrap();
        // 4^n parameters cost about 4^n/(2 ln 2 · 40 000) bits, below 0.002, and the smoothing about as much.
        assert!((bits - 2.0).abs() < 0.01, "n = {n}: {bits}");
        assert_eq!(cross.unit, Unit::BitsPerByte);
        let perplexity =
            run("perplexity.ngram", &json!({"n": n, "alpha": 0.01}), &column).unwrap().value.scalar().unwrap();
        assert!((perplexity / bits.exp2() - 1.0).abs() < 1e-12);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The data are small integers, so that shifting and doubling are exact.
    #[test]
    fn values_do_not_depend_on_offset_and_unit(
        raw in prop::collection::vec(-40_i32..40, 60..300), shift in -1000_i32..1000, power in -6_i32..7,
    ) {
        let x: Vec<f64> = raw.iter().map(|&v| f64::from(v)).collect();
        prop_assume!(x.windows(2).any(|w| w[0] != w[1]));
        let scale = 2.0_f64.powi(power);
        let y: Vec<f64> = x.iter().map(|v| scale * (v + f64::from(shift))).collect();
        // The membership is exp(−d/r), and r is in the unit of d.
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9 * (1.0 + a.abs());
        for (id, params) in [
            ("fuzzen", json!({"n": 1})), ("bubble", json!({"m": 4})), ("slope", json!({"delta": 3.7, "gamma": 41.3})),
            ("dispersion", json!({})), ("svd", json!({"centre": true})),
        ] {
            let (a, b) = (real(id, &params, &x), real(id, &params, &y));
            prop_assert!(close(a, b), "{id}: {a} {b}");
        }
        let (a, b) = (real("fuzzen", &json!({"r": 3.0}), &x), real("fuzzen", &json!({"r": 3.0 * scale * scale}), &y));
        prop_assert!(close(a, b), "fuzzen: {a} {b}");
        for base in ["sampen", "perm", "dispersion"] {
            let params = json!({"base": base, "scales": 3, "r": "0.31 sd"});
            let (a, b) = (curve("mse", &params, &x), curve("mse", &params, &y));
            // Means of three are not exact: at scale 3 a tie may break.
            prop_assert!(a[..2].iter().zip(&b).all(|(a, b)| close(*a, *b) || a == b || (a.is_nan() && b.is_nan())), "{base}: {a:?} {b:?}");
        }
    }

    #[test]
    fn differential_entropies_shift_by_the_logarithm_of_the_unit(seed in 0_u64..1000, n in 20_usize..400, scale in 0.01_f64..100.0, shift in -50.0_f64..50.0) {
        let x = normals(n, seed);
        let y: Vec<f64> = x.iter().map(|v| -scale * v + shift).collect();
        for id in ["diff.vasicek", "diff.ebrahimi", "diff.kde_resub", "diff.kde_loo"] {
            let (a, b) = (real(id, &json!({}), &x), real(id, &json!({}), &y));
            prop_assert!((b - a - scale.log2()).abs() < 1e-7, "{id}: {a} {b}");
        }
    }

    #[test]
    fn kernel_estimates_are_their_definition(seed in 0_u64..1000, n in 2_usize..120, outlier in prop::sample::select(vec![0.0, 40.0, 3000.0])) {
        let mut x = laplace(n, seed);
        x[n / 2] += outlier;
        let (mean, _) = mean_and_error(&x);
        let sd = (x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n as f64 - 1.0)).sqrt();
        let h = sd * (n as f64).powf(-0.2);
        for (id, own) in [("diff.kde_resub", true), ("diff.kde_loo", false)] {
            let surprisal = |i: usize| {
                let exponents = (0..n).filter(|&j| own || j != i).map(|j| -0.5 * ((x[i] - x[j]) / h).powi(2));
                let largest = exponents.clone().fold(f64::NEG_INFINITY, f64::max);
                let others = if own { n } else { n - 1 } as f64;
                (others * h * TAU.sqrt()).ln() - largest - exponents.map(|e| (e - largest).exp()).sum::<f64>().ln()
            };
            let expected = (0..n).map(surprisal).sum::<f64>() / n as f64 / LN_2;
            let got = real(id, &json!({}), &x);
            prop_assert!((got - expected).abs() < 1e-10 * (1.0 + expected.abs()), "{id}: {got} {expected}");
        }
    }

    #[test]
    fn bounds_hold(raw in prop::collection::vec(-6_i32..6, 12..200), m in 2_u32..4) {
        let x: Vec<f64> = raw.iter().map(|&v| f64::from(v)).collect();
        for (id, params) in [("dispersion", json!({"m": m, "normalize": true})), ("slope", json!({"m": m, "normalize": true}))] {
            let got = real(id, &params, &x);
            prop_assert!((0.0..=1.0).contains(&got), "{id}: {got}");
        }
        if let Value::Scalar(got) = run("svd", &json!({"order": m, "normalize": true}), &Column::real("x", x.clone())).unwrap().value {
            prop_assert!((0.0..=1.0 + 1e-12).contains(&got), "svd: {got}");
        }
        let nsb = run("shannon.nsb", &json!({"alphabet": 12}), &Column::integer("x", raw.iter().map(|&v| i64::from(v)).collect())).unwrap();
        prop_assert!((0.0..=12.0_f64.log2()).contains(&nsb.value.scalar().unwrap()));
    }

    #[test]
    fn order_alone_decides_bubble_entropy(x in prop::collection::vec(-3.0_f64..3.0, 30..200)) {
        let grown: Vec<f64> = x.iter().map(|v| v.exp()).collect();
        let params = json!({"m": 5, "delay": 2});
        prop_assert_eq!(real("bubble", &params, &x), real("bubble", &params, &grown));
    }

    #[test]
    fn streams_measure_as_memory_does(
        raw in prop::collection::vec(prop_oneof![9 => (-5_i8..5).prop_map(f64::from), 1 => Just(f64::NAN)], 1..300),
        size in 1_usize..60, omit in any::<bool>(), first in 1_u64..350, delay in 1_u32..4, m in 2_u32..5,
    ) {
        let column = Column::real("x", raw.clone());
        let missing = if omit { "omit" } else { "error" };
        for (id, params) in [
            ("bubble", json!({"missing": missing, "first": first, "m": m, "delay": delay})),
            ("slope", json!({"missing": missing, "first": first, "m": m, "delay": delay, "zscore": false})),
            ("shannon.nsb", json!({"missing": missing, "first": first})),
        ] {
            let mut accumulator = measure::find(id).unwrap().accumulator(&params, &column).unwrap().unwrap();
            raw.chunks(size).for_each(|c| accumulator.push(Chunk::Real(c)).unwrap());
            let context = Context::new(&Cpu, &Unhurried);
            let streamed = pollster::block_on(accumulator.finish(&context)).map(|o| (o.value, o.n));
            let whole = run(id, &params, &column).map(|o| (o.value, o.n));
            match (streamed, whole) {
                (Ok((Value::Scalar(a), n)), Ok((Value::Scalar(b), k))) => prop_assert!((a - b).abs() < 1e-12 && n == k, "{id}: {a} {b}"),
                (a, b) => prop_assert_eq!(a, b, "{}", id),
            }
        }
    }
}

#[test]
fn what_needs_the_spread_first_cannot_stream() {
    let column = Column::real("x", vec![]);
    for id in ["dispersion", "slope", "fuzzen", "mse", "svd", "diff.vasicek"] {
        assert!(measure::find(id).unwrap().accumulator(&json!({}), &column).unwrap().is_none(), "{id}");
    }
}

#[test]
fn constants_have_a_documented_value() {
    let column = Column::real("x", vec![2.5; 300]);
    let value = |id: &str, params: Json| run(id, &params, &column).unwrap().value;
    let zero_variance = Value::Undefined(Undefined::ZeroVariance);
    for id in ["fuzzen", "mse", "diff.vasicek", "diff.ebrahimi", "diff.kde_resub", "diff.kde_loo"] {
        assert_eq!(value(id, json!({})), zero_variance, "{id}");
    }
    for id in ["dispersion", "bubble", "slope", "svd"] {
        assert_eq!(value(id, json!({})).scalar().unwrap().abs(), 0.0, "{id}");
    }
    assert_eq!(value("svd", json!({"centre": true})), zero_variance);
    assert_eq!(value("mse", json!({"base": "dispersion", "scales": 2})), Value::Vector(vec![0.0, 0.0]));
}

#[test]
fn ties_beyond_the_window_leave_spacings_undefined() {
    let mut x = normals(100, 1);
    x[..30].fill(0.5);
    let column = Column::real("x", x);
    for id in ["diff.vasicek", "diff.ebrahimi"] {
        assert_eq!(run(id, &json!({}), &column).unwrap().value, Value::Undefined(Undefined::ZeroSpacing));
        assert!(run(id, &json!({"window": 20}), &column).unwrap().value.scalar().is_some());
        assert!(matches!(run(id, &json!({"window": 50}), &column), Err(MeasureError::TooShort { needed: 101, .. })));
    }
}

/// Nothing panics, and no number is NaN, whatever comes in.
#[test]
fn awkward_series_get_a_value_a_state_or_an_error() {
    let mut inputs = vec![
        vec![],
        vec![1.0],
        vec![1.0, 2.0],
        vec![3.0, 1.0, 2.0],
        vec![0.0; 50],
        [f64::MAX / 4.0, 0.0, -f64::MAX / 4.0].repeat(20),
        [5e-324, 0.0, 1e-323].repeat(20),
        (0..64).map(|i| f64::from(i % 2)).collect(),
        (0..64).map(|i| 1e300 * f64::from(i)).collect(),
        (0..64).map(|i| 1e-300 * f64::from(i * i % 17)).collect(),
        normals(200, 1).into_iter().map(|v| v + 1e15).collect(),
    ];
    inputs.push(vec![1.0; 99].into_iter().chain([1e12]).collect());
    for x in &inputs {
        for id in SERIES.into_iter().chain(["shannon.nsb", "lzmatch.rate"]) {
            for resamples in [0, 20] {
                match run_with(id, &json!({}), &Column::real("x", x.clone()), resamples) {
                    Ok(outcome) => match outcome.value {
                        Value::Scalar(v) => assert!(!v.is_nan(), "{id} of {x:?}"),
                        Value::Vector(v) => assert!(id == "mse" && !v.is_empty(), "{id} of {x:?}"),
                        Value::Undefined(_) => {}
                        other => panic!("{id} of {x:?}: {other:?}"),
                    },
                    Err(MeasureError::TooShort { n, needed, .. }) => assert!(n < needed, "{id} of {x:?}: {n} {needed}"),
                    Err(other) => panic!("{id} of {x:?}: {other}"),
                }
            }
        }
    }
}

#[test]
fn missing_values_are_refused_or_never_straddled() {
    let mut x = normals(400, 2);
    x[100] = f64::NAN;
    x[250] = f64::INFINITY;
    let column = Column::real("x", x.clone());
    for id in SERIES {
        let error = run(id, &json!({}), &column).unwrap_err().to_string();
        assert!(error.starts_with("non-finite values at index 100, 250 (2 of 400)"), "{id}: {error}");
        let outcome = run(id, &json!({"missing": "omit"}), &column).unwrap();
        assert_eq!((outcome.n, outcome.details["omitted"].as_u64()), (398, Some(2)), "{id}");
    }
    // Alternating signs: across a gap of one the alternation would break, and a word would show it.
    let mut x: Vec<f64> = (0..400).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
    x[101] = f64::NAN;
    let column = Column::real("x", x);
    let whole = run("slope", &json!({"missing": "omit", "zscore": false}), &column).unwrap();
    assert_eq!(whole.details["words_seen"], 2);
}

#[test]
fn texts_too_short_or_of_the_wrong_kind_say_so() {
    for id in TEXTS {
        for text in ["", "a", "one two"] {
            let got = run(id, &json!({}), &Column::bytes("x", text.as_bytes().to_vec()));
            match got {
                Ok(outcome) => assert!(outcome.value.scalar().is_some_and(f64::is_finite), "{id} of {text:?}"),
                Err(error) => assert!(matches!(error, MeasureError::TooShort { .. }), "{id} of {text:?}: {error}"),
            }
        }
        let error = run(id, &json!({}), &Column::real("x", vec![1.0])).unwrap_err();
        assert!(matches!(error, MeasureError::WrongInput { .. }), "{id}: {error}");
        // Any bytes at all are a text.
        let bytes: Vec<u8> = (0..4096_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert!(run_with(id, &json!({}), &Column::bytes("x", bytes), 20).is_ok(), "{id}");
    }
}

#[test]
fn parameters_that_do_not_fit_are_named() {
    let column = Column::real("x", normals(100, 1));
    for (id, params, part) in [
        ("fuzzen", json!({"r": 0.0}), "fuzzen.r = 0.0: expected a number above 0"),
        ("fuzzen", json!({"r": "wide"}), "or a multiple of the standard deviation such as 0.2 sd"),
        ("dispersion", json!({"c": 16, "m": 8}), "expected cᵐ of at most 4194304 words; c = 16 with m = 8 has more"),
        ("slope", json!({"delta": 45.0}), "slope.gamma = 45: expected an angle above delta"),
        ("diff.vasicek", json!({"window": 0}), "expected a whole number of at least 1"),
        ("diff.kde_loo", json!({"bandwidth": -1.0}), "expected scott, silverman, or a number above 0"),
        ("diff.kde_loo", json!({"bandwidth": 1e-300}), "for values so far apart"),
        ("bubble", json!({"m": 1}), "expected a whole number from 2 to 50"),
    ] {
        let error = run(id, &params, &column).unwrap_err().to_string();
        assert!(error.contains(part), "{id} {params}: {error}");
    }
}

struct Stop;

impl Pace for Stop {
    fn tick(&self, _done: u64, _total: u64) -> LocalBoxFuture<'_, Result<(), Cancelled>> {
        Box::pin(std::future::ready(Err(Cancelled)))
    }
}

#[test]
fn long_work_can_be_cancelled() {
    let x = normals(700_000, 1);
    let context = Context::new(&Cpu, &Stop);
    let cancelled = |id: &str, params: Json, column: &Column| {
        let got = pollster::block_on(measure::run(id, &params, column, &context));
        assert!(matches!(got, Err(MeasureError::Cancelled(_))), "{id}");
    };
    cancelled("fuzzen", json!({"first": 6000}), &Column::real("x", x.clone()));
    cancelled("mse", json!({"first": 6000}), &Column::real("x", x.clone()));
    for id in ["dispersion", "bubble", "slope", "svd", "diff.kde_resub", "diff.kde_loo", "lzmatch.rate"] {
        cancelled(id, json!({}), &Column::real("x", x.clone()));
    }
    let text: Vec<u8> = x.iter().map(|v| if *v > 1.0 { b' ' } else { b'a' }).collect();
    for id in TEXTS {
        cancelled(id, json!({}), &Column::bytes("x", text.clone()));
    }
}
