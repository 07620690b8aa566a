//! Small patches of an image: how often they recur, and in which order their pixels are.

use multiversion::multiversion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{crop, empty};
use crate::{
    measure::{
        About, Accepts, Context, Family, Image, Input, Measure, MeasureError, Outcome, Undefined, Value,
        discrete::{invalid, plugin_bits},
        regularity::{Tolerance, standard_deviation},
        uncertainty,
    },
    pace::Pace,
    quantity::Unit,
};

/// Of so many pixels all pairs are compared in about a minute.
const MOST_COMPARED: u64 = 250_000;
/// Pixel pairs between two calls of [`Pace::tick`].
const TICK: usize = 1 << 25;
/// Patterns of at most this many pixels are counted: 8! = 40320.
const MOST_PIXELS: u32 = 8;

/// Parameters of sample entropy in two dimensions.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SampleParams {
    /// Rows of a patch.
    #[schemars(range(min = 1, max = 10))]
    pub rows: u32,
    /// Columns of a patch.
    #[schemars(range(min = 1, max = 10))]
    pub columns: u32,
    /// Tolerance r: a number in grey levels, or a multiple of the standard deviation such as 0.2 sd.
    pub r: Tolerance,
    /// The part that is used: rows,columns such as 40:80,-40: as in Python; empty is all of it.
    pub crop: String,
}

impl Default for SampleParams {
    fn default() -> Self {
        Self { rows: 2, columns: 2, r: Tolerance::Relative("0.2 sd".to_owned()), crop: String::new() }
    }
}

/// Sample entropy of an image.
pub struct Sample2d;

impl Measure for Sample2d {
    type Params = SampleParams;
    const ABOUT: About = About {
        id: "image.sampen2d",
        title: "Sample entropy of an image",
        summary: "How surprising one more row and column of a patch are once two patches have matched: small for regular textures.",
        equation: "−ln(A/B), B and A the pairs of patches within r over m and m + 1 rows and columns, among the same positions",
        tex: &[
            r"-\ln \frac{A}{B}",
            r"B, A \text{ the pairs of patches within } r \text{ over } m \text{ and } m + 1 \text{ rows and columns}",
            r"\text{both among the same positions}",
        ],
        source: "Silva et al., Two-dimensional sample entropy: assessing image texture through irregularity, Biomed. Phys. Eng. Express 2, 045002 (2016)",
        family: Family::Image,
        accepts: Accepts::Image,
        cost: "O(pixels²)",
        gpu: false,
        unit: "nats",
        uncertainty: "none",
        bias: "small; undefined or infinite where no two patches match",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        const ESTIMATOR: &str = "largest difference, ≤ r";
        let image = crop(Self::ABOUT.id, input.image()?, &p.crop)?;
        empty(&image)?;
        let (rows, columns) = (p.rows as usize, p.columns as usize);
        let n = image.values.len() as u64;
        if image.rows < rows + 1 || image.columns < columns + 1 || (image.rows - rows) * (image.columns - columns) < 2 {
            let what = format!("a pair of patches of {} by {} pixels", rows + 1, columns + 1);
            let needed = ((rows + 1) * (columns + 1)) as u64 + (rows.min(columns) + 1) as u64;
            return Err(MeasureError::TooShort { n, what, needed });
        }
        if image.values.iter().all(|v| *v == image.values[0]) {
            return Ok(Outcome::new(Value::Undefined(Undefined::ZeroVariance), Unit::Nats, ESTIMATOR, n));
        }
        if n > MOST_COMPARED {
            return Err(MeasureError::Domain {
                measure: Self::ABOUT.id,
                wanted: format!("at most {MOST_COMPARED} pixels, whose pairs it compares"),
                found: format!("this image has {n}; a crop makes it smaller"),
            });
        }
        let sd = standard_deviation(&image.values);
        let r = p.r.resolve(sd).ok_or_else(|| {
            let given = serde_json::to_string(&p.r).unwrap_or_default();
            let expected = "expected a number of at least 0, or a multiple of the standard deviation such as 0.2 sd";
            invalid(Self::ABOUT.id, "r", given, expected)
        })?;
        let (shorter, longer) = matches(&image, rows, columns, r, context.pace).await?;
        #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
        let value = match (shorter, longer) {
            (0, _) => Value::Undefined(Undefined::NoMatches),
            (_, 0) => Value::Scalar(f64::INFINITY),
            (b, a) => Value::Scalar((b as f64 / a as f64).ln()),
        };
        let infinite = longer == 0 && shorter > 0;
        let outcome = Outcome::new(value, Unit::Nats, ESTIMATOR, n)
            .detail("r", r)
            .detail("sd", sd)
            .detail("matches", vec![shorter, longer]);
        Ok(if infinite {
            outcome
                .warn("infinite", "no pair of patches matches over the larger size; a smoother crop or a larger r may")
        } else if image.rows < 32 || image.columns < 32 {
            outcome.warn("too_short", "fewer than 32 x 32 pixels")
        } else {
            outcome
        })
    }
}

/// The pairs of patches that match over `rows` by `columns` pixels and over one more of each.
///
/// For each displacement the pixels that match their displaced partners are marked, and the marks of a patch are joined
/// row by row and column by column: long loops over bytes instead of a comparison for each pair.
async fn matches(
    image: &Image<'_>,
    rows: usize,
    columns: usize,
    r: f64,
    pace: &dyn Pace,
) -> Result<(u64, u64), MeasureError> {
    let (height, width) = (image.rows, image.columns);
    // Top left pixels of patches: those of the larger size, for both.
    let (tall, wide) = (height - rows, width - columns);
    let mut marks = vec![0_u8; height * width];
    let mut joined = vec![0_u8; height * width];
    let (mut shorter, mut longer) = (0, 0);
    let (mut work, mut done) = (0, 0_u64);
    let total = (tall * (2 * wide - 1)) as u64;
    for down in 0..tall {
        // Of a displacement and its opposite only one counts.
        for across in 1 - isize::try_from(wide).unwrap_or(isize::MAX)..isize::try_from(wide).unwrap_or(isize::MAX) {
            done += 1;
            if down == 0 && across <= 0 {
                continue;
            }
            let (left, right) = (across.min(0).unsigned_abs(), across.max(0).unsigned_abs());
            let span = width - left - right;
            let lines = height - down;
            for (line, marks) in marks.chunks_exact_mut(span).take(lines).enumerate() {
                let here = &image.values[line * width + left..][..span];
                let there = &image.values[(line + down) * width + right..][..span];
                mark(here, there, r, marks);
            }
            let (patch_rows, patch_columns) = (lines - rows, span - columns);
            let size = (lines, span);
            shorter += count(&marks, size, (rows, columns), (patch_rows, patch_columns), &mut joined);
            longer += count(&marks, size, (rows + 1, columns + 1), (patch_rows, patch_columns), &mut joined);
            work += lines * span;
            if work > TICK {
                work = 0;
                pace.tick(done, total).await?;
            }
        }
    }
    Ok((shorter, longer))
}

/// 1 where the values are within `r` of each other.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn mark(here: &[f64], there: &[f64], r: f64, marks: &mut [u8]) {
    for ((mark, a), b) in marks.iter_mut().zip(here).zip(there) {
        *mark = u8::from((a - b).abs() <= r);
    }
}

/// How many of the first `patches` (rows, columns) top left places have all marks of a patch of `size`.
fn count(
    marks: &[u8],
    (lines, span): (usize, usize),
    size: (usize, usize),
    patches: (usize, usize),
    joined: &mut [u8],
) -> u64 {
    let mut total = 0;
    for top in 0..patches.0.min(lines) {
        let out = &mut joined[..patches.1];
        out.fill(1);
        for row in 0..size.0 {
            for column in 0..size.1 {
                and(out, &marks[(top + row) * span + column..]);
            }
        }
        total += ones(out);
    }
    total
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn and(out: &mut [u8], marks: &[u8]) {
    out.iter_mut().zip(marks).for_each(|(out, mark)| *out &= mark);
}

/// The sum of zeros and ones.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn ones(marks: &[u8]) -> u64 {
    // A byte holds 255 of them.
    marks.chunks(255).map(|chunk| u64::from(chunk.iter().copied().fold(0_u8, u8::wrapping_add))).sum()
}

/// Parameters of permutation entropy in two dimensions.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PermutationParams {
    /// Rows of a patch.
    #[schemars(range(min = 1, max = 8))]
    pub rows: u32,
    /// Columns of a patch; a patch has at most 8 pixels.
    #[schemars(range(min = 1, max = 8))]
    pub columns: u32,
    /// Rows between neighbouring pixels of a patch.
    #[schemars(range(min = 1, max = 10_000))]
    pub row_delay: u32,
    /// Columns between neighbouring pixels of a patch.
    #[schemars(range(min = 1, max = 10_000))]
    pub column_delay: u32,
    /// Divide by log₂ of the number of patterns, so that the value lies in [0, 1].
    pub normalize: bool,
    /// The part that is used: rows,columns such as 40:80,-40: as in Python; empty is all of it.
    pub crop: String,
}

impl Default for PermutationParams {
    fn default() -> Self {
        Self { rows: 2, columns: 2, row_delay: 1, column_delay: 1, normalize: false, crop: String::new() }
    }
}

/// Permutation entropy of an image.
pub struct Permutation2d;

impl Measure for Permutation2d {
    type Params = PermutationParams;
    const PARTS: &'static [&'static str] = &["H", "C"];
    const ABOUT: About = About {
        id: "image.perm2d",
        title: "Permutation entropy of an image",
        summary: "The entropy of the order of the pixels in small patches, read row by row: blind to brightness and contrast.",
        equation: "H = −Σ p(π) log₂ p(π) over the order patterns π of patches",
        tex: &[r"H = -\sum_\pi p(\pi) \log_2 p(\pi)", r"\pi \text{ the order patterns of patches}"],
        source: "Ribeiro et al., Complexity-entropy causality plane as a complexity measure for two-dimensional patterns, PLoS ONE 7, e40689 (2012)",
        family: Family::Image,
        accepts: Accepts::Image,
        cost: "O(pixels)",
        gpu: false,
        unit: "bits, or 1 where normalised",
        uncertainty: "moving-block bootstrap, blocks of ⌈n^(1/3)⌉ patches; contiguous groups of patches for long images",
        bias: "low by about (patterns − 1)/(2 N ln 2) bits",
    };

    #[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let id = Self::ABOUT.id;
        let pixels = p.rows * p.columns;
        if !(2..=MOST_PIXELS).contains(&pixels) {
            let expected = format!("expected a patch of 2 to {MOST_PIXELS} pixels");
            return Err(invalid(id, "columns", format!("{} with rows = {}", p.columns, p.rows), &expected));
        }
        let image = crop(id, input.image()?, &p.crop)?;
        empty(&image)?;
        let (height, width) = ((p.rows - 1) * p.row_delay, (p.columns - 1) * p.column_delay);
        let (height, width) = (height as usize, width as usize);
        if image.rows <= height || image.columns <= width {
            return Err(MeasureError::TooShort {
                n: image.values.len() as u64,
                what: format!("a patch over {} by {} pixels", height + 1, width + 1),
                needed: ((height + 1) * (width + 1)) as u64,
            });
        }
        let offsets: Vec<usize> = (0..p.rows * p.columns)
            .map(|i| {
                ((i / p.columns * p.row_delay) as usize) * image.columns + (i % p.columns * p.column_delay) as usize
            })
            .collect();
        let patterns: usize = (1..=pixels as usize).product();
        let mut counts = vec![0_u64; patterns];
        let (mut keys, mut ties) = (Vec::new(), 0_u64);
        for row in 0..image.rows - height {
            for column in 0..image.columns - width {
                let at = row * image.columns + column;
                let (key, tied) = lehmer(&image.values, at, &offsets);
                counts[key as usize] += 1;
                ties += u64::from(tied);
                if context.resamples > 0 {
                    keys.push(key);
                }
            }
            if row % 64 == 63 {
                context.pace.tick(row as u64, image.rows as u64).await?;
            }
        }
        let n: u64 = counts.iter().sum();
        let most = (patterns as f64).log2();
        let scale = if p.normalize { most.recip() } else { 1.0 };
        let statistic = move |counts: &[u64]| plugin_bits(counts) * scale;
        let unit = if p.normalize { Unit::One } else { Unit::Bits };
        let share = ties as f64 / n as f64;
        let mut outcome = Outcome::new(Value::Scalar(statistic(&counts)), unit, "plug-in, ties in reading order", n)
            .detail("observed_patterns", counts.iter().filter(|c| **c > 0).count())
            .detail("ties_fraction", share);
        outcome.uncertainty = uncertainty::moving_block(&keys, patterns, &statistic, context).await?;
        if n < 5 * patterns as u64 {
            outcome = outcome.warn("too_short", format!("{n} patches: fewer than 5 for each of {patterns} patterns"));
        }
        if share > 0.01 {
            let text = format!("{:.1} % of the patches have equal pixels: the rule for ties matters", 100.0 * share);
            outcome = outcome.warn("ties", text);
        }
        Ok(outcome)
    }
}

/// The number of the order pattern (Lehmer code) of the pixels at `offsets` from `at`, equal ones in reading order, and
/// whether some are equal.
fn lehmer(values: &[f64], at: usize, offsets: &[usize]) -> (u32, bool) {
    let (mut key, mut tied) = (0, false);
    for (i, &here) in offsets.iter().enumerate() {
        let x = values[at + here];
        let mut smaller = 0;
        for &there in &offsets[i + 1..] {
            smaller += u32::from(values[at + there] < x);
            tied |= values[at + there] == x;
        }
        key = key * u32::try_from(offsets.len() - i).unwrap_or(u32::MAX) + smaller;
    }
    (key, tied)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use ndarray::ArrayD;
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::{compute::Cpu, data::Matrix, measure::find, pace::Unhurried, rng::Philox};

    fn run(id: &str, rows: usize, columns: usize, values: &[f64], params: &Json) -> Result<Outcome, MeasureError> {
        let values = ArrayD::from_shape_vec(vec![rows, columns], values.to_vec()).unwrap();
        let matrix = Matrix { name: "i".to_owned(), values };
        let context = Context::new(&Cpu, &Unhurried);
        pollster::block_on(find(id).unwrap().run(params, &matrix, &context))
    }

    #[test]
    fn matches_are_those_of_all_pairs() {
        for (rows, columns, m) in [(3, 4, (2, 2)), (9, 7, (2, 2)), (6, 12, (1, 3)), (8, 8, (3, 1)), (2, 30, (1, 1))] {
            let mut rng = Philox::new(rows as u64, columns as u64);
            let x: Vec<f64> = (0..rows * columns).map(|_| f64::from(rng.below(5))).collect();
            let image = Image { values: x.clone().into(), rows, columns };
            let found = pollster::block_on(matches(&image, m.0, m.1, 2.0, &Unhurried)).unwrap();
            let starts: Vec<(usize, usize)> =
                (0..rows - m.0).flat_map(|r| (0..columns - m.1).map(move |c| (r, c))).collect();
            let same = |a: (usize, usize), b: (usize, usize), more: usize| {
                (0..m.0 + more).all(|r| {
                    (0..m.1 + more)
                        .all(|c| (x[(a.0 + r) * columns + a.1 + c] - x[(b.0 + r) * columns + b.1 + c]).abs() <= 2.0)
                })
            };
            let pairs = |more: usize| {
                let later = |i: usize| starts[i + 1..].iter().filter(|&&b| same(starts[i], b, more)).count() as u64;
                (0..starts.len()).map(later).sum::<u64>()
            };
            assert_eq!(found, (pairs(0), pairs(1)), "{rows} x {columns}, {m:?}");
        }
    }

    #[test]
    fn patterns_are_those_of_a_stable_sort() {
        let (rows, columns) = (13, 17);
        let mut rng = Philox::new(3, 1);
        let x: Vec<f64> = (0..rows * columns).map(|_| f64::from(rng.below(6))).collect();
        for (dy, dx, ty, tx) in [(2, 2, 1, 1), (1, 3, 1, 4), (3, 2, 2, 1), (2, 4, 3, 2)] {
            let mut seen: HashMap<Vec<usize>, u64> = HashMap::new();
            for r in 0..rows - (dy - 1) * ty {
                for c in 0..columns - (dx - 1) * tx {
                    let patch: Vec<f64> =
                        (0..dy * dx).map(|i| x[(r + i / dx * ty) * columns + c + i % dx * tx]).collect();
                    let mut order: Vec<usize> = (0..patch.len()).collect();
                    order.sort_by(|&a, &b| patch[a].total_cmp(&patch[b]));
                    *seen.entry(order).or_default() += 1;
                }
            }
            let params = json!({ "rows": dy, "columns": dx, "row_delay": ty, "column_delay": tx });
            let outcome = run("image.perm2d", rows, columns, &x, &params).unwrap();
            let counts: Vec<u64> = seen.into_values().collect();
            assert!((outcome.value.scalar().unwrap() - plugin_bits(&counts)).abs() < 1e-12);
            assert_eq!(outcome.details["observed_patterns"], counts.len());
        }
    }

    #[test]
    fn textures_and_noise_and_what_is_too_small() {
        let board: Vec<f64> = (0..1600).map(|i| f64::from((i / 40 + i % 40) % 2)).collect();
        assert!(run("image.sampen2d", 40, 40, &board, &json!({})).unwrap().value.scalar().unwrap().abs() < 1e-12);
        let mut rng = Philox::new(7, 7);
        let noise: Vec<f64> = (0..1600).map(|_| rng.normal()).collect();
        let perm = run("image.perm2d", 40, 40, &noise, &json!({ "normalize": true })).unwrap();
        assert!(perm.value.scalar().unwrap() > 0.98);
        let flat = run("image.sampen2d", 40, 40, &vec![4.0; 1600], &json!({})).unwrap();
        assert_eq!(flat.value, Value::Undefined(Undefined::ZeroVariance));
        let sharp = run("image.sampen2d", 40, 40, &noise, &json!({ "r": "0.3 sd" })).unwrap();
        assert!(sharp.value.scalar().is_none_or(|v| v > 1.0), "{:?}", sharp.value);
        assert_eq!(run("image.perm2d", 40, 40, &vec![4.0; 1600], &json!({})).unwrap().value, Value::Scalar(0.0));
        let error = run("image.sampen2d", 2, 5, &noise[..10], &json!({})).unwrap_err().to_string();
        assert!(error.contains("3 by 3 pixels"), "{error}");
        let error = run("image.perm2d", 40, 40, &noise, &json!({ "rows": 3, "columns": 3 })).unwrap_err().to_string();
        assert!(error.contains("2 to 8 pixels"), "{error}");
    }
}
