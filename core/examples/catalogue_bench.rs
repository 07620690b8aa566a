//! Speed of measures of every family as their users call them: `cargo xtask bench --catalogue` sets the same series before other
//! packages.
//!
//! `catalogue_bench FILE.npy…`: each file holds white noise. Prints one JSON line per measure and file, with the best of some runs.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use surprisal_core::{
    compute::Cpu,
    data::Column,
    measure::{Context, Subject, run},
    pace::Unhurried,
};

/// Enough runs that the best of them met no interruption, and an end.
const RUNS: u32 = 9;
const ENOUGH: Duration = Duration::from_secs(2);

/// What a measure is given; `catalogue_bench.py` makes the same.
#[derive(Clone, Copy)]
enum Given {
    /// The noise.
    Series,
    /// 0.6 of the noise and 0.8 of the noise half a length away, beside the noise.
    Pair,
    /// The noise in classes of a thirty-second, of which there are 256.
    Bytes,
    /// The noise in classes of a half, as integers.
    Integers,
    /// Both columns in classes of a half.
    IntegerPair,
    /// 1 where the noise is at least its median.
    Binary,
}

/// The name of a row, the id, the parameters, the longest series, and what is given.
const CASES: [(&str, &str, &str, u64, Given); 24] = [
    ("perm, order 5", "perm", r#"{"order": 5}"#, 1_000_000, Given::Series),
    ("perm.weighted, order 5", "perm.weighted", r#"{"order": 5}"#, 100_000, Given::Series),
    ("plane, order 5", "perm.complexity_plane", r#"{"order": 5}"#, 100_000, Given::Series),
    ("lz76", "lz76.count", "{}", 100_000, Given::Binary),
    ("sampen", "sampen", "{}", 100_000, Given::Series),
    ("apen", "apen", "{}", 10_000, Given::Series),
    ("fuzzen", "fuzzen", "{}", 3_000, Given::Series),
    ("dispersion", "dispersion", "{}", 100_000, Given::Series),
    ("bubble, m 6", "bubble", r#"{"m": 6}"#, 10_000, Given::Series),
    ("slope", "slope", r#"{"zscore": false}"#, 100_000, Given::Series),
    ("spectral", "spectral", r#"{"psd": "periodogram"}"#, 1_000_000, Given::Series),
    ("svd", "svd", "{}", 1_000_000, Given::Series),
    ("diff.kl", "diff.kl", "{}", 100_000, Given::Series),
    ("diff.vasicek", "diff.vasicek", "{}", 1_000_000, Given::Series),
    ("diff.kde_resub", "diff.kde_resub", "{}", 10_000, Given::Series),
    ("mi.ksg1", "mi.ksg1", "{}", 10_000, Given::Pair),
    ("te.ksg", "te.ksg", "{}", 10_000, Given::Pair),
    ("mi.plugin", "mi.plugin", "{}", 1_000_000, Given::IntegerPair),
    ("te.plugin", "te.plugin", "{}", 100_000, Given::IntegerPair),
    ("shannon, bytes", "shannon.plugin", "{}", 1_000_000, Given::Bytes),
    ("shannon, integers", "shannon.plugin", "{}", 1_000_000, Given::Integers),
    ("grassberger", "shannon.grassberger", r#"{"year": 1988}"#, 1_000_000, Given::Integers),
    ("renyi", "renyi.plugin", "{}", 1_000_000, Given::Integers),
    ("hist.entropy", "hist.entropy", "{}", 1_000_000, Given::Series),
];

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "classes are clamped")]
fn columns(given: Given, x: &[f64]) -> Vec<Column> {
    let n = x.len();
    let other = || (0..n).map(|i| 0.6 * x[i] + 0.8 * x[(i + n / 2) % n]);
    let classes = |x: f64| (x * 2.0).floor() as i64;
    match given {
        Given::Series => vec![Column::real("x", x.to_vec())],
        Given::Pair => vec![Column::real("x", x.to_vec()), Column::real("y", other().collect())],
        Given::Bytes => {
            vec![Column::bytes("x", x.iter().map(|v| (v * 32.0 + 128.0).floor().clamp(0.0, 255.0) as u8).collect())]
        }
        Given::Integers => vec![Column::integer("x", x.iter().map(|&v| classes(v)).collect())],
        Given::IntegerPair => vec![
            Column::integer("x", x.iter().map(|&v| classes(v)).collect()),
            Column::integer("y", other().map(classes).collect()),
        ],
        Given::Binary => {
            let mut sorted = x.to_vec();
            sorted.sort_unstable_by(f64::total_cmp);
            let median = f64::midpoint(sorted[(n - 1) / 2], sorted[n / 2]);
            vec![Column::integer("x", x.iter().map(|&v| i64::from(v >= median)).collect())]
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let x: Vec<f64> = npyz::NpyFile::new(std::io::BufReader::new(std::fs::File::open(&path)?))?.into_vec()?;
        for (name, id, params, most, given) in CASES {
            if x.len() as u64 > most {
                continue;
            }
            let params: Json = serde_json::from_str(params)?;
            let columns = columns(given, &x);
            let columns: Vec<&Column> = columns.iter().collect();
            let context = Context::new(&Cpu, &Unhurried);
            let (mut best, mut value) = (f64::INFINITY, Json::Null);
            let began = Instant::now();
            for _ in 0..RUNS {
                let start = Instant::now();
                let outcome = pollster::block_on(run(id, &params, Subject::from(columns.as_slice()), &context))?;
                best = best.min(start.elapsed().as_secs_f64());
                value = outcome.value.to_json();
                if began.elapsed() > ENOUGH {
                    break;
                }
            }
            // Of the plane the complexity: it is what takes longer.
            let value = value.as_array().and_then(|v| v.last().cloned()).unwrap_or(value);
            println!("{}", json!({ "measure": name, "n": x.len(), "seconds": best, "value": value }));
        }
    }
    Ok(())
}
