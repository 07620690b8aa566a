//! Singular-value entropy: how many directions the delay vectors of a series fill.
//!
//! The delay matrix Y has the rows (x_i, x_{i+τ}, …, x_{i+(m−1)τ}). Its singular values, as shares of their sum, are a
//! law, whose entropy is measured. Roberts, Penny & Rezek, Med. Biol. Eng. Comput. 37 (1999).
//!
//! The singular values come from a triangular factor of Y, made row block by row block with Householder reflections, and
//! one-sided Jacobi rotations of that factor. The matrix YᵀY would be shorter to write and would square the condition
//! number: singular values below 1e-8 of the largest would be lost.

use multiversion::multiversion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Series, Undefined, Value, regularity::mean,
};
use crate::{
    figure::{Axis, Colour, Figure, Mark, Panel},
    pace::Pace,
    quantity::Unit,
};

/// Rows that are reduced at a time.
const ROWS: usize = 256;
/// Blocks of rows between two calls of [`Pace::tick`].
const TICK: usize = 256;
/// Sweeps of rotations; a handful suffice.
const MOST_SWEEPS: usize = 60;
/// Fewer samples than this for each column say little.
const ENOUGH_A_COLUMN: u64 = 10;

/// Parameters of singular-value entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SvdParams {
    /// Embedding dimension m: columns of the delay matrix.
    #[schemars(range(min = 2, max = 64))]
    pub order: u32,
    /// Embedding delay τ: samples between neighbouring columns.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub delay: u32,
    /// Divide by log₂ m, so that the value lies in [0, 1].
    pub normalize: bool,
    /// Remove the mean of the series first: a large mean is a direction of its own and forces the value towards 0.
    pub centre: bool,
}

impl Default for SvdParams {
    fn default() -> Self {
        Self { order: 3, delay: 1, normalize: false, centre: false }
    }
}

/// The upper triangular factor of a matrix whose rows come in blocks.
struct Triangle {
    /// Column by column; below the diagonal are zeros.
    columns: Vec<Vec<f64>>,
}

impl Triangle {
    fn new(order: usize) -> Self {
        Self { columns: vec![vec![0.0; order]; order] }
    }

    /// Reduces `block`, whose columns hold the next rows; it is destroyed.
    fn reduce(&mut self, block: &mut [Vec<f64>]) {
        for k in 0..self.columns.len() {
            let (done, rest) = block.split_at_mut(k + 1);
            let pivot = &done[k];
            let head = self.columns[k][k];
            let below = dot(pivot, pivot);
            if below == 0.0 {
                continue;
            }
            // The reflection that takes (head, pivot) to (−sign(head) norm, 0).
            let norm = (head * head + below).sqrt();
            let image = if head > 0.0 { -norm } else { norm };
            let first = head - image;
            let scale = 2.0 / (first * first + below);
            self.columns[k][k] = image;
            for (column, values) in self.columns[k + 1..].iter_mut().zip(rest) {
                let along = scale * (first * column[k] + dot(pivot, values));
                column[k] -= along * first;
                subtract(values, along, pivot);
            }
        }
    }

    /// The singular values, in no order.
    fn singular_values(mut self) -> Vec<f64> {
        let order = self.columns.len();
        for _ in 0..MOST_SWEEPS {
            let mut turned = false;
            for i in 0..order {
                for j in i + 1..order {
                    let (left, right) = self.columns.split_at_mut(j);
                    turned |= rotate(&mut left[i], &mut right[0]);
                }
            }
            if !turned {
                break;
            }
        }
        self.columns.iter().map(|c| dot(c, c).sqrt()).collect()
    }
}

/// Makes two columns orthogonal (Hestenes); whether they were not.
fn rotate(a: &mut [f64], b: &mut [f64]) -> bool {
    let (aa, bb, ab) = (dot(a, a), dot(b, b), dot(a, b));
    if ab.abs() <= f64::EPSILON * (aa * bb).sqrt() {
        return false;
    }
    let zeta = (bb - aa) / (2.0 * ab);
    let tangent = zeta.signum() / (zeta.abs() + (1.0 + zeta * zeta).sqrt());
    let cosine = (1.0 + tangent * tangent).sqrt().recip();
    let sine = cosine * tangent;
    for (x, y) in a.iter_mut().zip(b) {
        (*x, *y) = (cosine * *x - sine * *y, sine * *x + cosine * *y);
    }
    true
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    sums.iter().sum::<f64>() + rest
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn subtract(from: &mut [f64], factor: f64, what: &[f64]) {
    for (x, y) in from.iter_mut().zip(what) {
        *x -= factor * y;
    }
}

/// The singular values of the delay matrix of `series`, less `offset` and divided by `unit`, in descending order.
async fn singular_values(
    series: &Series<'_>,
    p: &SvdParams,
    offset: f64,
    unit: f64,
    pace: &dyn Pace,
) -> Result<Vec<f64>, MeasureError> {
    let (order, delay) = (p.order as usize, p.delay as usize);
    let span = (order - 1).saturating_mul(delay);
    let mut triangle = Triangle::new(order);
    let mut block = vec![Vec::with_capacity(ROWS); order];
    for stretch in &series.stretches {
        let x = &series.values[stretch.clone()];
        let rows = x.len().saturating_sub(span);
        for (done, start) in (0..rows).step_by(ROWS).enumerate() {
            for (k, column) in block.iter_mut().enumerate() {
                let from = start + k * delay;
                column.clear();
                column.extend(x[from..from + ROWS.min(rows - start)].iter().map(|v| (v - offset) / unit));
            }
            triangle.reduce(&mut block);
            if done % TICK == TICK - 1 {
                pace.tick((stretch.start + start) as u64, series.values.len() as u64).await?;
            }
        }
    }
    let mut values = triangle.singular_values();
    values.sort_unstable_by(|a, b| b.total_cmp(a));
    Ok(values)
}

/// Singular-value entropy.
pub struct SingularValue;

impl Measure for SingularValue {
    type Params = SvdParams;
    const ABOUT: About = About {
        id: "svd",
        title: "Singular-value entropy",
        summary: "How many directions the delay vectors fill: 0 for one, log₂ m for noise, which fills all.",
        equation: "H = −Σ s_k log₂ s_k, s_k = σ_k / Σ σ over the singular values of the matrix of delay vectors",
        tex: &[
            r"H = -\sum_k s_k \log_2 s_k, \quad s_k = \frac{\sigma_k}{\sum_j \sigma_j}",
            r"\sigma \text{ the singular values of the matrix of delay vectors}",
        ],
        source: "Roberts, Penny & Rezek, Temporal and spatial complexity measures for EEG-based brain-computer interfacing, Med. Biol. Eng. Comput. 37, 93 (1999)",
        family: Family::Spectral,
        accepts: Accepts::Series,
        cost: "O(N m²)",
        gpu: false,
        unit: "bits, or 1 where normalised",
        uncertainty: "none",
        bias: "low for a mean that is far from zero, unless it is removed",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        let n = series.values.len() as u64;
        let needed = u64::from(p.order - 1) * u64::from(p.delay) + 1;
        let rows: u64 = series.stretches.iter().map(|s| (s.len() as u64 + 1).saturating_sub(needed)).sum();
        if rows == 0 {
            let what = format!("a delay vector of order {} and delay {}", p.order, p.delay);
            return Err(MeasureError::TooShort { n, what, needed });
        }
        let offset = if p.centre { mean(&series.values) } else { 0.0 };
        // In units of the largest value no square overflows or vanishes.
        let unit = series.values.iter().fold(0.0_f64, |m, v| m.max((v - offset).abs()));
        let constant = series.values.windows(2).all(|w| w[0] == w[1]);
        let (of, name) = (if p.normalize { Unit::One } else { Unit::Bits }, "singular values of the delay matrix");
        if unit == 0.0 || (constant && p.centre) {
            return Ok(Outcome::new(Value::Undefined(Undefined::ZeroVariance), of, name, n));
        }
        let values = singular_values(&series, &p, offset, unit, context.pace).await?;
        let total: f64 = values.iter().sum();
        let shares: Vec<f64> = values.iter().map(|s| s / total).collect();
        let bits: f64 = shares.iter().filter(|s| **s > 0.0).map(|s| -s * s.log2()).sum();
        let value = if p.normalize { bits / f64::from(p.order).log2() } else { bits };
        let mut outcome = Outcome::new(Value::Scalar(value.max(0.0)), of, name, n)
            .detail("vectors", rows)
            .detail("shares", shares.clone())
            .figure(picture(&shares, &p, &input.label()));
        if series.omitted > 0 {
            outcome = outcome.detail("omitted", series.omitted);
        }
        if n < ENOUGH_A_COLUMN * u64::from(p.order) {
            outcome = outcome.warn("too_short", format!("fewer than {ENOUGH_A_COLUMN} m samples"));
        }
        Ok(outcome)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a picture")]
fn picture(shares: &[f64], p: &SvdParams, label: &str) -> Figure {
    Figure {
        id: "singular_values".to_owned(),
        title: format!("Singular values of the delay vectors of {label}"),
        description: format!(
            "The largest of {} singular values, delay {}, is {:.1} % of their sum.",
            shares.len(),
            p.delay,
            100.0 * shares.first().copied().unwrap_or_default()
        ),
        panels: vec![Panel {
            x: Axis::new("singular value, largest first"),
            y: Axis::new("share of their sum"),
            marks: vec![Mark::Bars {
                edges: (0..=shares.len()).map(|i| i as f64 + 0.5).collect(),
                heights: shares.to_vec(),
                colour: Colour::First,
            }],
            weight: 1.0,
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::Unhurried;

    #[test]
    fn two_delayed_copies_have_the_singular_values_of_a_two_by_two_gram_matrix() {
        // Of YᵀY = [[a, b], [b, c]] the eigenvalues are known.
        let x: Vec<f64> = (0..1000).map(|i| (f64::from(i) * 0.37).sin() + 0.2).collect();
        let p = SvdParams { order: 2, delay: 3, ..SvdParams::default() };
        let series = Series::whole(&x[..]);
        let got = pollster::block_on(singular_values(&series, &p, 0.0, 1.0, &Unhurried)).unwrap();
        let (y, z) = (&x[..997], &x[3..]);
        let product = |u: &[f64], v: &[f64]| u.iter().zip(v).map(|(p, q)| p * q).sum::<f64>();
        let (a, b, c) = (product(y, y), product(y, z), product(z, z));
        let root = ((a - c).powi(2) / 4.0 + b * b).sqrt();
        for (g, e) in got.iter().zip([((a + c) / 2.0 + root).sqrt(), ((a + c) / 2.0 - root).sqrt()]) {
            assert!((g / e - 1.0).abs() < 1e-12, "{g} {e}");
        }
    }

    #[test]
    fn small_singular_values_survive() {
        // A line with a wiggle of 1e-10: the Gram matrix would have lost the third value.
        let x: Vec<f64> = (0..2000).map(|i| 1.0 + 1e-10 * (f64::from(i) * f64::from(i)).sin()).collect();
        let p = SvdParams::default();
        let series = Series::whole(&x[..]);
        let got = pollster::block_on(singular_values(&series, &p, 0.0, 1.0, &Unhurried)).unwrap();
        // Noise of variance 1/2 in each direction: about 1e-10 sqrt(1998/2), within a few parts in a hundred.
        let expected = 1e-10 * 999.0_f64.sqrt();
        assert!((got[2] / expected - 1.0).abs() < 0.1, "{got:?}");
    }
}
