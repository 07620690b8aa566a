//! Entropy of the singular values of a series' delay matrix.
//!
//! The singular values of the N' × m matrix W, W_{ik} = x_{i+kτ}, are those of R in W = QR. R is built row by row by Givens
//! rotations in O(m²) memory, and its singular values come from one-sided Jacobi rotations: unlike the eigenvalues of WᵀW, small
//! ones keep their digits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Series, Undefined, Value};
use crate::{pace::Pace, quantity::Unit};

/// Rows between two looks at whether the work is still wanted.
const SLICE: usize = 1 << 15;
/// Sweeps of Jacobi rotations; ten are enough for any 32 × 32 matrix.
const SWEEPS: usize = 60;

/// Parameters of SVD entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SvdParams {
    /// Columns of the delay matrix, m.
    #[schemars(range(min = 2, max = 32))]
    pub order: u32,
    /// Delay τ: samples between neighbouring columns.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub delay: u32,
    /// Remove the series' mean first: a large mean makes one singular value of all.
    pub center: bool,
    /// Divide by log₂ m, so that the value lies in [0, 1].
    pub normalize: bool,
}

impl Default for SvdParams {
    fn default() -> Self {
        Self { order: 3, delay: 1, center: false, normalize: false }
    }
}

/// SVD entropy.
pub struct Svd;

impl Measure for Svd {
    type Params = SvdParams;
    const ABOUT: About = About {
        id: "svd",
        title: "SVD entropy",
        summary: "How many directions of its delay space a series fills: 0 for one, log₂ m for all alike.",
        equation: "H = −Σ s̄_k log₂ s̄_k, s̄_k = s_k / Σ s, s the singular values of W_{ik} = x_{i+kτ}",
        source: "Roberts, Penny & Rezek, Temporal and spatial complexity measures for EEG-based brain-computer interfacing, Med. Biol. Eng. Comput. 37, 93 (1999)",
        family: Family::Spectral,
        accepts: Accepts::Series,
        cost: "O(N m²)",
        gpu: false,
    };

    #[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        let (m, delay) = (p.order as usize, p.delay as usize);
        let needed = (m - 1) * delay + 1;
        let n = series.values.len();
        if series.stretches.iter().all(|s| s.len() < needed) {
            let what = format!("a row of {m} values at delay {delay}");
            return Err(MeasureError::TooShort { n: n as u64, what, needed: needed as u64 });
        }
        let mean = if p.center { series.values.iter().sum::<f64>() / n as f64 } else { 0.0 };
        let singular = singular_values(&series, m, delay, mean, context.pace).await?;
        let total: f64 = singular.iter().sum();
        let unit = if p.normalize { Unit::One } else { Unit::Bits };
        let name = if p.center { "mean removed" } else { "not centred" };
        let largest = series.values.iter().fold(0.0_f64, |a, v| a.max(v.abs()));
        // What centring leaves of a constant is rounding.
        if total <= f64::EPSILON * largest * (n as f64).sqrt() {
            return Ok(Outcome::new(Value::Undefined(Undefined::ZeroPower), unit, name, n as u64));
        }
        let bits: f64 = singular.iter().filter(|s| **s > 0.0).map(|s| s / total).map(|q| -q * q.log2()).sum();
        let value = if p.normalize { bits / f64::from(p.order).log2() } else { bits };
        let mut outcome = Outcome::new(Value::Scalar(value.max(0.0)), unit, name, n as u64)
            .detail("singular_values", singular.clone());
        if series.omitted > 0 {
            outcome = outcome.detail("omitted", series.omitted);
        }
        if n < 10 * m {
            outcome = outcome.warn("too_short", format!("fewer than {} samples", 10 * m));
        }
        if !p.center && singular[0] > 0.95 * total {
            let text = "one direction has nearly all: a mean far from zero? (center=true removes it)";
            outcome = outcome.warn("dominated", text);
        }
        Ok(outcome)
    }
}

/// The singular values of the delay matrix of `series` less `mean`, largest first.
async fn singular_values(
    series: &Series<'_>,
    m: usize,
    delay: usize,
    mean: f64,
    pace: &dyn Pace,
) -> Result<Vec<f64>, MeasureError> {
    // The upper triangle, by rows.
    let mut r: Vec<Vec<f64>> = vec![vec![0.0; m]; m];
    let mut row: Vec<f64> = vec![0.0; m];
    let total = series.values.len() as u64;
    for stretch in &series.stretches {
        let x = &series.values[stretch.clone()];
        for i in 0..x.len().saturating_sub((m - 1) * delay) {
            if i % SLICE == 0 {
                pace.tick((stretch.start + i) as u64, total).await?;
            }
            for (k, v) in row.iter_mut().enumerate() {
                *v = x[i + k * delay] - mean;
            }
            // Each rotation puts one more zero into the row.
            for k in 0..m {
                if row[k] != 0.0 {
                    let length = r[k][k].hypot(row[k]);
                    let (c, s) = (r[k][k] / length, row[k] / length);
                    for (a, b) in r[k][k..].iter_mut().zip(&mut row[k..]) {
                        (*a, *b) = (c * *a + s * *b, c * *b - s * *a);
                    }
                }
            }
        }
    }
    Ok(jacobi(r))
}

/// The singular values of a square matrix given by its rows: rotations of pairs of rows until all are orthogonal; their lengths
/// are the singular values.
fn jacobi(mut rows: Vec<Vec<f64>>) -> Vec<f64> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
    for _ in 0..SWEEPS {
        let mut turned = false;
        for i in 0..rows.len() {
            for j in i + 1..rows.len() {
                let (head, tail) = rows.split_at_mut(j);
                let (a, b) = (&mut head[i], &mut tail[0]);
                let (aa, bb, ab) = (dot(a, a), dot(b, b), dot(a, b));
                if ab.abs() <= f64::EPSILON * (aa * bb).sqrt() {
                    continue;
                }
                turned = true;
                let zeta = (bb - aa) / (2.0 * ab);
                let t = zeta.signum() / (zeta.abs() + 1.0_f64.hypot(zeta));
                let c = 1.0 / 1.0_f64.hypot(t);
                let s = c * t;
                for (x, y) in a.iter_mut().zip(b.iter_mut()) {
                    (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
                }
            }
        }
        if !turned {
            break;
        }
    }
    let mut values: Vec<f64> = rows.iter().map(|r| dot(r, r).sqrt()).collect();
    values.sort_by(|a, b| b.total_cmp(a));
    values
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{compute::Cpu, data::Column, pace::Unhurried};

    #[test]
    fn singular_values_of_known_matrices() {
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-13 * b[0]);
        assert!(close(&jacobi(vec![vec![3.0, 0.0], vec![4.0, 5.0]]), &[45.0_f64.sqrt(), 5.0_f64.sqrt()]));
        // Hilbert's 3 × 3: eigenvalues 1.4083…, 0.12233…, 0.0026873…
        let h = |i: i32, j: i32| 1.0 / f64::from(i + j + 1);
        let hilbert = (0..3).map(|i| (0..3).map(|j| h(i, j)).collect()).collect();
        let known = [1.408_318_927_123_654, 0.122_327_065_853_905_9, 0.002_687_340_355_773_529];
        assert!(close(&jacobi(hilbert), &known));
        assert_eq!(jacobi(vec![vec![0.0; 2]; 2]), [0.0, 0.0]);
    }

    #[test]
    fn a_constant_is_one_direction_or_none() {
        let column = Column::real("x", vec![2.5; 100]);
        let context = Context::new(&Cpu, &Unhurried);
        let run = |p| pollster::block_on(crate::measure::run("svd", &p, &column, &context)).unwrap().value;
        assert!(run(json!({})).scalar().unwrap() < 1e-12);
        assert_eq!(run(json!({ "center": true })), Value::Undefined(Undefined::ZeroPower));
    }
}
