//! Properties of whole families of measures: what must not change their values, the bounds of their values, and truths that
//! are known by formula. What single measures and their kernels promise is tested beside them.

#![allow(clippy::unwrap_used, reason = "a test that cannot measure has failed")]

use std::f64::consts::{E, LN_2, TAU};

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use surprisal_core::{
    compute::Cpu,
    data::{Chunk, Column, DataError, Symbols, Values},
    measure::{self, Context, MeasureError, Outcome, Subject, Value, catalogue},
    pace::Unhurried,
    rng::Philox,
};

fn run<'a>(id: &str, params: &Json, subject: impl Into<Subject<'a>>) -> Result<Outcome, MeasureError> {
    pollster::block_on(measure::run(id, params, subject, &Context::new(&Cpu, &Unhurried)))
}

fn scalar<'a>(id: &str, params: &Json, subject: impl Into<Subject<'a>>) -> f64 {
    run(id, params, subject).unwrap().value.scalar().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Scalar(x) => vec![*x],
        Value::Vector(v) => v.clone(),
        Value::Curves(c) => c.concat(),
        Value::Undefined(_) => vec![],
    }
}

fn real(x: &[f64]) -> Column {
    Column::real("x", x.to_vec())
}

fn integer(x: &[i64]) -> Column {
    Column::integer("x", x.to_vec())
}

fn normals(n: usize, stream: u64) -> Vec<f64> {
    let mut rng = Philox::new(31, stream);
    (0..n).map(|_| rng.normal()).collect()
}

fn uniforms(n: usize, stream: u64) -> Vec<f64> {
    let mut rng = Philox::new(32, stream);
    (0..n).map(|_| rng.uniform()).collect()
}

fn mean_and_error(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

fn close(a: &[f64], b: &[f64], tolerance: f64) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a == b || (a - b).abs() <= tolerance * (1.0 + a.abs()))
}

/// Measures of symbols that count how symbols and their words repeat, whatever their names are.
const DISCRETE: [(&str, &str); 17] = [
    ("shannon.plugin", "{}"),
    ("shannon.miller_madow", "{}"),
    ("shannon.grassberger", "{}"),
    ("shannon.grassberger", "{\"year\": 1988}"),
    ("shannon.chao_shen", "{}"),
    ("shannon.nsb", "{\"alphabet\": 9}"),
    ("renyi.plugin", "{\"alpha\": 0.5}"),
    ("tsallis.plugin", "{\"q\": 3}"),
    ("block_entropy", "{\"L\": 3}"),
    ("entropy_rate", "{\"L\": 3}"),
    ("excess_entropy", "{\"L\": 2}"),
    ("lz76.count", "{}"),
    ("lz76.rate", "{}"),
    ("lz76.normalized", "{}"),
    ("lz78.count", "{}"),
    ("lz78.rate", "{}"),
    ("lzmatch.rate", "{}"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Rank decides: any growing map gives the same counts, to the bit.
    #[test]
    fn ordinal_measures_see_order_only(
        raw in prop::collection::vec(-9_i8..9, 30..250), order in 2_u32..6, delay in 1_u32..4,
    ) {
        let x: Vec<f64> = raw.iter().map(|&v| f64::from(v)).collect();
        let grown: Vec<f64> = x.iter().map(|v| (0.3 * v).exp() * 17.0 - 4.0).collect();
        for id in ["perm", "perm.missing_fraction", "perm.complexity_plane"] {
            let params = json!({"order": order, "delay": delay});
            prop_assert_eq!(run(id, &params, &real(&x)).unwrap().value, run(id, &params, &real(&grown)).unwrap().value, "{}", id);
        }
        let profile = json!({"window": 16, "order": 3});
        prop_assert_eq!(run("series.profile", &profile, &real(&x)).unwrap().value, run("series.profile", &profile, &real(&grown)).unwrap().value);
    }

    /// Of continuous values no comparison is within rounding of its threshold, so counts are equal; sums of powers and of
    /// logarithms differ in their last bits.
    #[test]
    fn scale_free_measures_do_not_see_offset_and_unit(seed in 0_u64..10_000, n in 60_usize..300, scale in 0.01_f64..100.0, shift in -20.0_f64..20.0) {
        let x = normals(n, seed);
        let y: Vec<f64> = x.iter().map(|v| scale * v + shift).collect();
        for (id, params) in [
            ("sampen", json!({"r": "0.35 sd"})), ("sampen", json!({"m": 1, "delay": 2})), ("apen", json!({})),
            ("perm.weighted", json!({"order": 3})), ("hist.entropy", json!({"bins": 13})), ("hist.entropy", json!({})),
            ("spectral", json!({"psd": "periodogram"})), ("spectral", json!({"nperseg": 32})), ("dispersion", json!({})),
            ("lz76.count", json!({})), ("lzmatch.rate", json!({})),
            ("mse", json!({"scales": 3, "base": "perm"})),
        ] {
            let (a, b) = (run(id, &params, &real(&x)).unwrap().value, run(id, &params, &real(&y)).unwrap().value);
            prop_assert!(close(&numbers(&a), &numbers(&b), 1e-9), "{id}: {a:?} {b:?}");
        }
        // A density's entropy moves by the logarithm of the unit.
        for (id, params) in [
            ("diff.kl", json!({})), ("diff.kl", json!({"metric": "euclidean", "k": 1})), ("diff.hist", json!({"bins": 13})), ("diff.renyi_knn", json!({})),
        ] {
            let (a, b) = (scalar(id, &params, &real(&x)), scalar(id, &params, &real(&y)));
            prop_assert!((b - a - scale.log2()).abs() < 1e-7, "{id}: {a} {b}");
        }
        // KSG takes the largest difference over both columns: a unit that both have leaves it as it is.
        let z: Vec<f64> = normals(n, seed + 1).iter().zip(&x).map(|(e, v)| 0.7 * v + e).collect();
        let w: Vec<f64> = z.iter().map(|v| scale * v - shift).collect();
        let [x, y, z, w] = [real(&x), real(&y), real(&z), real(&w)];
        for (id, params) in [("mi.ksg2", json!({})), ("te.ksg", json!({})), ("mi.ksg1", json!({"k": 3}))] {
            let (a, b) = (scalar(id, &params, [&x, &z].as_slice()), scalar(id, &params, [&y, &w].as_slice()));
            prop_assert!((a - b).abs() < 1e-9, "{id}: {a} {b}");
        }
    }

    #[test]
    fn discrete_measures_do_not_see_names(raw in prop::collection::vec(0_usize..5, 3..200), names in Just(vec![7_i64, -3, 900, 0, 22]).prop_shuffle()) {
        let plain: Vec<i64> = (0..).zip(&raw).map(|(_, &i): (i32, _)| i64::try_from(i).unwrap()).collect();
        let named: Vec<i64> = raw.iter().map(|&i| names[i]).collect();
        // Bytes too: an alphabet of 256 with few of them seen.
        let bytes: Vec<u8> = raw.iter().map(|&i| u8::try_from(11 + 3 * i).unwrap()).collect();
        for (id, params) in DISCRETE {
            let params: Json = serde_json::from_str(params).unwrap();
            let value = |column: &Column| numbers(&run(id, &params, column).unwrap().value);
            let (a, b, c) = (value(&integer(&plain)), value(&integer(&named)), value(&Column::bytes("x", bytes.clone())));
            // The terms of a sum come in another order.
            prop_assert!(close(&a, &b, 1e-12) && close(&a, &c, 1e-12), "{id}: {a:?} {b:?} {c:?}");
        }
        let other: Vec<i64> = plain.iter().rev().map(|v| v * v % 4).collect();
        let renamed: Vec<i64> = other.iter().map(|&i| names[usize::try_from(i).unwrap()]).collect();
        for id in ["joint.plugin", "cond.plugin", "mi.plugin", "nmi", "rajski", "te.plugin"] {
            let value = |x: &[i64], y: &[i64]| run(id, &json!({}), [&integer(x), &integer(y)].as_slice()).map(|o| numbers(&o.value));
            match (value(&plain, &other), value(&named, &renamed)) {
                (Ok(a), Ok(b)) => prop_assert!(close(&a, &b, 1e-12), "{id}: {a:?} {b:?}"),
                (a, b) => prop_assert_eq!(a, b),
            }
        }
        // Laws are compared value by value: both columns get the same names.
        let both = |of: &[i64]| of.iter().map(|&i| names[usize::try_from(i).unwrap()]).collect::<Vec<_>>();
        for id in ["js.plugin", "kl.plugin", "cross"] {
            let value = |x: &[i64], y: &[i64]| numbers(&run(id, &json!({"smoothing": 0.5}), [&integer(x), &integer(y)].as_slice()).unwrap().value);
            prop_assert!(close(&value(&plain, &other), &value(&both(&plain), &both(&other)), 1e-12), "{id}");
        }
    }

    /// Every measure that can pass by, on every type of column that it takes: a column in chunks has the value of one in
    /// memory, the same number of values and the same warnings.
    #[test]
    fn whatever_passes_by_measures_as_in_memory(mut raw in prop::collection::vec(0_u8..12, 4..260), size in 1_usize..70, gaps in any::<bool>(), omit in any::<bool>()) {
        // A column of gaps only has no type that it does not fit.
        raw[0] = 0;
        let codes: Vec<u32> = raw.iter().map(|&b| if gaps && b == 11 { Symbols::MISSING } else { u32::from(b) }).collect();
        let reals: Vec<f64> = raw.iter().map(|&b| if gaps && b == 11 { f64::NAN } else { f64::from(b) - 4.0 }).collect();
        let integers: Vec<i64> = raw.iter().map(|&b| 90_000 * i64::from(b) - 300_000).collect();
        let labels = (0..12).map(|i| format!("label {i}")).collect();
        let columns = [
            real(&reals), integer(&integers), Column::bytes("x", raw.clone()),
            Column::new("x", Values::Symbols(Symbols { codes: codes.clone(), labels })),
        ];
        let missing = if omit { "omit" } else { "error" };
        let mut passed = 0;
        for entry in catalogue() {
            let id = entry.about.id;
            let mut params = json!({ "missing": missing });
            match id {
                // The alphabet of labels is known at the end, and their number is not that of those that occur.
                "block_entropy" | "entropy_rate" | "excess_entropy" => params["L"] = json!(2),
                "ngram.conditional" => params["n"] = json!(3),
                "bytes.profile" => (params["window"], params["hop"]) = (json!(16), json!(5)),
                _ => {}
            }
            for column in &columns {
                let Some(mut counts) = entry.accumulator(&params, column).unwrap() else { continue };
                let values = column.values.as_ref().unwrap();
                let whole = run(id, &params, column);
                let pushed: Result<(), DataError> = match values {
                    Values::Real(v) | Values::Time(v) => v.chunks(size).try_for_each(|c| counts.push(Chunk::Real(c))),
                    Values::Integer(v) => v.chunks(size).try_for_each(|c| counts.push(Chunk::Integer(c))),
                    Values::Bytes(v) => v.chunks(size).try_for_each(|c| counts.push(Chunk::Bytes(c))),
                    Values::Symbols(s) => s.codes.chunks(size).try_for_each(|c| counts.push(Chunk::Symbols(c))),
                };
                if pushed.is_err() {
                    prop_assert!(matches!(whole, Err(MeasureError::WrongInput { .. })), "{id}: {whole:?}");
                    continue;
                }
                let context = Context::new(&Cpu, &Unhurried);
                let streamed = pollster::block_on(measure::stream::finish(counts, &context));
                passed += 1;
                match (streamed, whole) {
                    (Ok(a), Ok(b)) => {
                        prop_assert!(close(&numbers(&a.value), &numbers(&b.value), 1e-12), "{id} of {:?}: {:?} {:?}", column.ty, a.value, b.value);
                        prop_assert_eq!((a.n, a.unit, a.estimator, &a.parameters), (b.n, b.unit, b.estimator, &b.parameters), "{}", id);
                        let codes = |o: &Outcome| o.warnings.iter().map(|w| w.code.clone()).collect::<Vec<_>>();
                        prop_assert_eq!(codes(&a), codes(&b), "{}", id);
                    }
                    (a, b) => prop_assert_eq!(a.map(|o| o.value), b.map(|o| o.value), "{} of {:?}", id, column.ty),
                }
            }
        }
        prop_assert!(passed > 40, "{passed}");
    }

    #[test]
    fn bounds_hold(raw in prop::collection::vec((0_i64..4, 0_i64..3), 12..200), alpha in 0.0_f64..6.0) {
        let (x, y): (Vec<i64>, Vec<i64>) = raw.iter().copied().unzip();
        let (a, b) = (integer(&x), integer(&y));
        let within = |what: &str, value: f64, low: f64, high: f64| {
            prop_assert!((low - 1e-12..=high + 1e-12).contains(&value), "{what}: {value} not in {low} … {high}");
            Ok(())
        };
        let symbols = |v: &[i64]| v.iter().collect::<std::collections::HashSet<_>>().len() as f64;
        let (kx, ky) = (symbols(&x).log2(), symbols(&y).log2());
        let (hx, hy) = (scalar("shannon.plugin", &json!({}), &a), scalar("shannon.plugin", &json!({}), &b));
        within("H", hx, 0.0, kx)?;
        within("Rényi", scalar("renyi.plugin", &json!({"alpha": alpha}), &a), 0.0, kx)?;
        within("Tsallis", scalar("tsallis.plugin", &json!({"q": 2}), &a), 0.0, 1.0)?;
        within("NSB", scalar("shannon.nsb", &json!({"alphabet": 6}), &a), 0.0, 6.0_f64.log2())?;
        let pair = [&a, &b];
        within("H(X,Y)", scalar("joint.plugin", &json!({}), pair.as_slice()), hx.max(hy), hx + hy)?;
        within("H(X|Y)", scalar("cond.plugin", &json!({}), pair.as_slice()), 0.0, hx)?;
        within("I", scalar("mi.plugin", &json!({}), pair.as_slice()), 0.0, kx.min(ky))?;
        within("TE", scalar("te.plugin", &json!({}), pair.as_slice()), 0.0, kx.max(ky))?;
        within("JS", scalar("js.plugin", &json!({}), pair.as_slice()), 0.0, 1.0)?;
        within("KL", scalar("kl.plugin", &json!({"smoothing": 1.0}), pair.as_slice()), 0.0, f64::INFINITY)?;
        for id in ["nmi", "rajski"] {
            if let Some(v) = run(id, &json!({}), pair.as_slice()).unwrap().value.scalar() {
                within(id, v, 0.0, 1.0)?;
            }
        }
        let blocks = numbers(&run("block_entropy", &json!({"L": 3}), &a).unwrap().value);
        prop_assert!(blocks.iter().enumerate().all(|(i, h)| (0.0..=(i + 1) as f64 * 2.0 + 1e-12).contains(h)), "{blocks:?}");
        let noisy: Vec<f64> = raw.iter().map(|(p, q)| *p as f64 + 0.3 * *q as f64).collect();
        let series = real(&noisy);
        for (id, params) in [("perm", json!({"order": 3, "normalize": true})), ("spectral", json!({"normalize": true}))] {
            if let Some(v) = run(id, &params, &series).unwrap().value.scalar() {
                within(id, v, 0.0, 1.0)?;
            }
        }
        let plane = numbers(&run("perm.complexity_plane", &json!({"order": 3}), &series).unwrap().value);
        let most = scalar("perm.hc_max_C", &json!({"order": 3}), Subject::default());
        within("H of the plane", plane[0], 0.0, 1.0)?;
        // The largest C is taken on a grid.
        within("C of the plane", plane[1], 0.0, most + 1e-3)?;
        within("missing patterns", scalar("perm.missing_fraction", &json!({"order": 4}), &series), 0.0, 1.0)?;
        let bytes: Vec<u8> = x.iter().map(|&v| u8::try_from(v).unwrap()).collect();
        within("bytes", scalar("bytes.entropy", &json!({}), &Column::bytes("x", bytes)), 0.0, 2.0)?;
    }
}

/// The entropies of four laws, in bits, and the variance of ln f, which is the variance of the best possible estimate.
#[test]
fn densities_have_the_entropies_of_their_laws() {
    let n = 6000;
    let laplace = uniforms(n, 3).into_iter().map(|u| if u < 0.5 { (2.0 * u).ln() } else { -(2.0 - 2.0 * u).ln() });
    let laws = [
        ("normal", normals(n, 1), 0.5 * (TAU * E).log2(), 0.5),
        ("uniform", uniforms(n, 2), 0.0, 0.0),
        ("Laplace", laplace.collect::<Vec<_>>(), (2.0 * E).log2(), 1.0),
        ("exponential", uniforms(n, 4).into_iter().map(|u| -(1.0 - u).ln()).collect(), E.log2(), 1.0),
    ];
    for (law, x, truth, variance) in laws {
        let column = real(&x);
        // Neighbours add ψ′(4) = 0.2838 to the variance of ln f.
        let error = |extra: f64| ((variance + extra) / n as f64).sqrt() / LN_2;
        let kl = scalar("diff.kl", &json!({}), &column);
        assert!((kl - truth).abs() < 4.0 * error(0.2838) + 0.005, "diff.kl of {law}: {kl}, truth {truth}");
        // A histogram of about n^(1/3) bins errs by the bend within a bin, of the order of its width squared, and where the
        // density jumps by a part of a bin.
        let hist = scalar("diff.hist", &json!({}), &column);
        assert!((hist - truth).abs() < 4.0 * error(0.0) + 0.02, "diff.hist of {law}: {hist}, truth {truth}");
        // Kernels smear the jump of the exponential law over a bandwidth of 0.18: a hundredth of the mass counts double.
        if law == "exponential" {
            for (id, bias) in
                [("diff.vasicek", 0.03), ("diff.ebrahimi", 0.02), ("diff.kde_resub", 0.12), ("diff.kde_loo", 0.12)]
            {
                let got = scalar(id, &json!({}), &column);
                assert!((got - truth).abs() < 4.0 * error(0.0) + bias, "{id} of {law}: {got}, truth {truth}");
            }
        }
    }
}

/// −Σ πᵢ Pᵢⱼ log₂ Pᵢⱼ of a chain of three states; a deterministic cycle has the rate 0.
#[test]
fn entropy_rates_of_markov_chains_are_those_of_the_formula() {
    let transitions: [[f64; 3]; 3] = [[0.8, 0.15, 0.05], [0.1, 0.6, 0.3], [0.45, 0.05, 0.5]];
    let mut stationary = [1.0 / 3.0; 3];
    for _ in 0..200 {
        stationary = std::array::from_fn(|j| (0..3).map(|i| stationary[i] * transitions[i][j]).sum());
    }
    let surprise = |i: usize| transitions[i].iter().map(|p| -p * p.log2()).sum::<f64>();
    let truth: f64 = (0..3).map(|i| stationary[i] * surprise(i)).sum();
    let n = 60_000;
    let rates: Vec<f64> = (0..12)
        .map(|trial| {
            let mut rng = Philox::new(33, trial);
            let mut state = 0;
            let chain: Vec<i64> = (0..n)
                .map(|_| {
                    let u = rng.uniform();
                    let row = transitions[state];
                    state = if u < row[0] {
                        0
                    } else if u < row[0] + row[1] {
                        1
                    } else {
                        2
                    };
                    i64::try_from(state).unwrap()
                })
                .collect();
            let column = integer(&chain);
            let blocks = numbers(&run("block_entropy", &json!({"L": 3}), &column).unwrap().value);
            // With one step of memory every further symbol adds the rate.
            assert!((blocks[2] - blocks[1] - (blocks[1] - blocks[0])).abs() < 0.002, "{blocks:?}");
            scalar("entropy_rate", &json!({"L": 2}), &column)
        })
        .collect();
    let (mean, error) = mean_and_error(&rates);
    // The plug-in rate is low by about the number of free transitions over 2 n ln 2.
    let bias = 6.0 / (2.0 * f64::from(n) * LN_2);
    assert!((mean + bias - truth).abs() < 4.0 * error, "{mean} ± {error}, truth {truth}");
    let cycle = integer(&(0..6000).map(|i| i % 3).collect::<Vec<_>>());
    assert!(scalar("entropy_rate", &json!({"L": 4}), &cycle).abs() < 1e-3);
    assert!((scalar("excess_entropy", &json!({"L": 4}), &cycle) - 3.0_f64.log2()).abs() < 2e-3);
}

/// I(X; Y, Z) = I(X; Y) for Z that is independent of both. The plug-in estimates differ by their biases, which the null knows.
#[test]
fn an_independent_column_adds_no_information_in_expectation() {
    let differences: Vec<f64> = (0..30)
        .map(|trial| {
            let mut rng = Philox::new(34, trial);
            let rows: Vec<[i64; 3]> = (0..400)
                .map(|_| {
                    let x = i64::from(rng.below(3));
                    let y = if rng.uniform() < 0.5 { x } else { i64::from(rng.below(3)) };
                    [x, y, i64::from(rng.below(2))]
                })
                .collect();
            let column = |i: usize| integer(&rows.iter().map(|r| r[i]).collect::<Vec<_>>());
            let (x, y, z) = (column(0), column(1), column(2));
            let excess = |with: &[&Column]| {
                let context = Context::new(&Cpu, &Unhurried).with_resamples(60, trial);
                let outcome =
                    pollster::block_on(measure::run("mi.plugin", &json!({}), Subject::from(&x).with(with), &context))
                        .unwrap();
                outcome.value.scalar().unwrap() - outcome.details["null_mean"].as_f64().unwrap()
            };
            let (with, without) = (excess(&[&y, &z]), excess(&[&y]));
            assert!(without > 0.1);
            with - without
        })
        .collect();
    let (mean, error) = mean_and_error(&differences);
    // The null has the bias of independent columns, that of dependent ones is smaller by a part of itself: 4 of 1/(2 · 400 ln 2).
    assert!(mean.abs() < 4.0 * error + 0.5 * 4.0 / (2.0 * 400.0 * LN_2), "{mean} ± {error}");
}
