//! Differential entropy from a Gaussian kernel estimate of the density.
//!
//! f(x) = 1/(N h √(2π)) Σ_j exp(−(x − x_j)²/2h²), and H = −(1/N) Σ_i log₂ f(x_i). With x_i among its own sum (resubstitution)
//! the density at the sample is too high and H biased low; without it (leave one out) H is the cross-validated cost of the
//! density, an upper bound in expectation. Ahmad & Lin, IEEE Trans. Inf. Theory 22, 372 (1976); Hall & Morton, Ann. Inst.
//! Stat. Math. 45, 69 (1993).
//!
//! # How the sums are made in O(N)
//! Sorted values fall into boxes one bandwidth wide. About a box's centre, with y the distance of x and s that of x_j in
//! bandwidths, exp(−(y − s)²/2) = exp(−y²/2) Σ_k y^k · s^k exp(−s²/2)/k!: one polynomial a box, of degree 23 (the fast Gauss
//! transform in one dimension, Greengard & Strain, SIAM J. Sci. Stat. Comput. 12, 79, 1991). With |s| ≤ ½ the remainder is
//! below 1e-19 at every y, and no term cancels another by more than exp(|y|/2 − y²/2) ≤ 1.14. Boxes further than 10
//! bandwidths are left out: what they hold is below 1e-21 for each value.

use std::f64::consts::{LN_2, TAU};

use multiversion::multiversion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{annotate, too_short};
use crate::{
    measure::{
        About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, ParameterError, Series, Undefined,
        Value,
        exp::exp_nonpositive,
        order::{ascending, key_of},
        regularity::{mean, standard_deviation},
    },
    pace::Pace,
    quantity::{Uncertainty, Unit},
};

/// Fewer samples than this say little.
const ENOUGH: u64 = 30;
/// Terms of a box's polynomial.
const TERMS: usize = 24;
/// Boxes to either side of a value's own.
const REACH: f64 = 10.0;
/// A box with fewer values than this is summed value by value.
const FEW: usize = 12;
/// The values that are summed together.
const TILE: usize = 1024;
/// Values may be as many bandwidths from their mean.
const MOST_BANDWIDTHS: f64 = 1e12;
/// Values between two calls of [`Pace::tick`].
const TICK: usize = 1 << 16;
/// A leave-one-out sum below this is summed again: subtracting the value's own 1 has cost it digits.
const LONELY: f64 = 1e-2;
/// Exponents below the largest by this much are beyond the last digit of a sum of 2^32 terms.
const NEGLIGIBLE: f64 = 60.0;
/// The groups of consecutive values that the standard error is taken from.
const GROUPS: usize = 20;

/// The width of the kernel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Bandwidth {
    /// In the units of the values.
    Absolute(f64),
    /// `scott` or `silverman`.
    Rule(String),
}

impl Bandwidth {
    /// The bandwidth h for `n` values with the sample standard deviation `sd`.
    fn resolve(&self, n: f64, sd: f64) -> Option<f64> {
        match self {
            Self::Absolute(h) => Some(*h),
            Self::Rule(rule) => match rule.trim() {
                "scott" => Some(sd * n.powf(-0.2)),
                "silverman" => Some(sd * (n * 0.75).powf(-0.2)),
                _ => None,
            },
        }
        .filter(|h| h.is_finite() && *h > 0.0)
    }
}

/// Parameters of the kernel estimates.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct KernelParams {
    /// Bandwidth h: scott (s n^(−1/5), s the sample standard deviation), silverman (s (3n/4)^(−1/5)), or a number above 0 in the units of the values.
    pub bandwidth: Bandwidth,
}

impl Default for KernelParams {
    fn default() -> Self {
        Self { bandwidth: Bandwidth::Rule("scott".to_owned()) }
    }
}

/// Values within one bandwidth of each other.
struct Cell {
    from: usize,
    to: usize,
    /// Its number along the axis.
    place: f64,
    /// The coefficients Σ_j s_j^k exp(−s_j²/2)/k!; empty for a box with few values.
    moments: Vec<f64>,
}

/// Ascending values in boxes of width 1.
struct Cells<'a> {
    sorted: &'a [f64],
    cells: Vec<Cell>,
}

impl<'a> Cells<'a> {
    fn new(sorted: &'a [f64]) -> Self {
        let place = |x: f64| (x - sorted[0]).floor();
        let mut cells = Vec::new();
        let mut from = 0;
        for same in sorted.chunk_by(|a, b| place(*a) == place(*b)) {
            let mut cell = Cell { from, to: from + same.len(), place: place(same[0]), moments: Vec::new() };
            if same.len() >= FEW {
                let centre = sorted[0] + cell.place + 0.5;
                let mut moments = [0.0; TERMS];
                for x in same {
                    let s = x - centre;
                    let mut term = exp_nonpositive(-0.5 * s * s);
                    for (moment, k) in moments.iter_mut().zip(1_u32..) {
                        *moment += term;
                        term *= s / f64::from(k);
                    }
                }
                cell.moments = moments.to_vec();
            }
            from = cell.to;
            cells.push(cell);
        }
        Self { sorted, cells }
    }

    /// For each value Σ_j exp(−(x_i − x_j)²/2), itself among them.
    async fn sums(&self, pace: &dyn Pace) -> Result<Vec<f64>, MeasureError> {
        let mut sums = vec![0.0; self.sorted.len()];
        let (mut first, mut work) = (0, 0);
        for own in &self.cells {
            while self.cells[first].place < own.place - REACH {
                first += 1;
            }
            for from in (own.from..own.to).step_by(TILE) {
                let tile = from..(from + TILE).min(own.to);
                let (values, sums) = (&self.sorted[tile.clone()], &mut sums[tile.clone()]);
                for cell in self.cells[first..].iter().take_while(|c| c.place <= own.place + REACH) {
                    if cell.moments.is_empty() {
                        for x in &self.sorted[cell.from..cell.to] {
                            add_one(sums, values, *x);
                        }
                    } else {
                        add_box(sums, values, self.sorted[0] + cell.place + 0.5, &cell.moments);
                    }
                }
                work += tile.len();
            }
            if work >= TICK {
                work = 0;
                pace.tick(own.to as u64, self.sorted.len() as u64).await?;
            }
        }
        Ok(sums)
    }

    /// ln Σ_{j ≠ i} exp(−(x_i − x_j)²/2), however far the others are.
    fn log_sum_of_others(&self, i: usize) -> f64 {
        let x = self.sorted;
        let exponent = |j: usize| -0.5 * (x[i] - x[j]).powi(2);
        let nearest = [i.checked_sub(1), Some(i + 1).filter(|&j| j < x.len())].into_iter().flatten();
        let largest = nearest.map(exponent).fold(f64::NEG_INFINITY, f64::max);
        let side = |places: &mut dyn Iterator<Item = usize>| {
            let terms = places.map(exponent).take_while(|e| *e >= largest - NEGLIGIBLE);
            terms.map(|e| (e - largest).exp()).sum::<f64>()
        };
        largest + (side(&mut (0..i).rev()) + side(&mut (i + 1..x.len()))).ln()
    }
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn add_one(sums: &mut [f64], values: &[f64], x: f64) {
    for (sum, value) in sums.iter_mut().zip(values) {
        let y = value - x;
        *sum += exp_nonpositive(-0.5 * y * y);
    }
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn add_box(sums: &mut [f64], values: &[f64], centre: f64, moments: &[f64]) {
    const LANES: usize = 8;
    let Some((&highest, lower)) = moments.split_last() else { return };
    let at = |value: f64| {
        let y = value - centre;
        let polynomial = lower.iter().rev().fold(highest, |sum, moment| sum * y + moment);
        polynomial * exp_nonpositive(-0.5 * y * y)
    };
    // Several values side by side: the polynomial of one is a chain in which every step waits for the one before.
    let (sums, rest) = sums.as_chunks_mut::<LANES>();
    let (values, last) = values.as_chunks::<LANES>();
    for (sums, values) in sums.iter_mut().zip(values) {
        let mut polynomials = [highest; LANES];
        for moment in lower.iter().rev() {
            for lane in 0..LANES {
                polynomials[lane] = polynomials[lane] * (values[lane] - centre) + moment;
            }
        }
        for lane in 0..LANES {
            let y = values[lane] - centre;
            sums[lane] += polynomials[lane] * exp_nonpositive(-0.5 * y * y);
        }
    }
    for (sum, value) in rest.iter_mut().zip(last) {
        *sum += at(*value);
    }
}

/// Whether a value is part of the density at itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Own {
    In,
    Out,
}

#[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
async fn measure(
    id: &'static str,
    name: &'static str,
    p: &KernelParams,
    series: &Series<'_>,
    own: Own,
    context: &Context<'_>,
) -> Result<Outcome, MeasureError> {
    let x = &series.values;
    let n = x.len();
    if n < 2 {
        return Err(too_short(n, "a bandwidth", 2));
    }
    let centre = mean(x);
    // Of the sample, with n − 1, as rules for bandwidths have it.
    let sd = standard_deviation(x) * (n as f64 / (n - 1) as f64).sqrt();
    if x.windows(2).all(|w| w[0] == w[1]) || sd < f64::MIN_POSITIVE {
        let undefined = Value::Undefined(Undefined::ZeroVariance);
        return Ok(annotate(Outcome::new(undefined, Unit::Bits, name, n as u64), series, ENOUGH));
    }
    let invalid = |expected: String| ParameterError::Invalid {
        of: id.to_owned(),
        key: "bandwidth".to_owned(),
        given: serde_json::to_string(&p.bandwidth).unwrap_or_default(),
        expected,
    };
    let h = p.bandwidth.resolve(n as f64, sd);
    let h = h.ok_or_else(|| invalid("expected scott, silverman, or a number above 0".to_owned()))?;
    let largest = x.iter().fold(0.0_f64, |m, v| m.max((v - centre).abs()));
    // Boxes further out than this could not be told apart.
    if largest / h > MOST_BANDWIDTHS {
        return Err(
            invalid(format!("expected at least {:e} for values so far apart", largest / MOST_BANDWIDTHS)).into()
        );
    }
    // In bandwidths from the mean, so that a large offset costs no digits.
    let order = ascending(x.iter().map(|&v| key_of(v)));
    let sorted: Vec<f64> = order.iter().map(|&i| (x[i as usize] - centre) / h).collect();
    let cells = Cells::new(&sorted);
    let sums = cells.sums(context.pace).await?;
    let others = if own == Own::In { n } else { n - 1 } as f64;
    let offset = (others * h * TAU.sqrt()).ln();
    let mut surprisals = vec![0.0; n];
    for (i, (&place, &sum)) in order.iter().zip(&sums).enumerate() {
        let log_sum = match own {
            Own::In => sum.ln(),
            Own::Out if sum - 1.0 >= LONELY => (sum - 1.0).ln(),
            Own::Out => cells.log_sum_of_others(i),
        };
        surprisals[place as usize] = (offset - log_sum) / LN_2;
        if i % TICK == TICK - 1 {
            context.pace.tick(i as u64, n as u64).await?;
        }
    }
    let value = surprisals.iter().sum::<f64>() / n as f64;
    let mut outcome = annotate(Outcome::new(Value::Scalar(value), Unit::Bits, name, n as u64), series, ENOUGH)
        .detail("bandwidth", h)
        .detail("sd", sd);
    if context.resamples > 0 {
        outcome.uncertainty = interval(&surprisals, value);
    }
    Ok(outcome)
}

/// The interval of a mean from the means of consecutive groups, so that values that depend on their neighbours do not make
/// it too narrow.
#[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
fn interval(surprisals: &[f64], mean: f64) -> Option<Uncertainty> {
    let n = surprisals.len();
    if n < 10 * GROUPS {
        return None;
    }
    let group = |g: usize| {
        let part = &surprisals[g * n / GROUPS..(g + 1) * n / GROUPS];
        part.iter().sum::<f64>() / part.len() as f64
    };
    let square: f64 = (0..GROUPS).map(|g| (group(g) - mean).powi(2)).sum();
    let error = (square / (GROUPS * (GROUPS - 1)) as f64).sqrt();
    let method = format!("means of {GROUPS} consecutive groups");
    Some(Uncertainty { low: mean - 1.96 * error, high: mean + 1.96 * error, method })
}

/// The resubstitution estimate.
pub struct Resubstitution;

impl Measure for Resubstitution {
    type Params = KernelParams;
    const ABOUT: About = About {
        id: "diff.kde_resub",
        title: "Differential entropy, kernel density",
        summary: "The mean surprise of the values under a smooth density made of all of them; biased low.",
        equation: "H = −(1/N) Σ log₂ f(x_i), f(x) = 1/(N h √(2π)) Σ_j exp(−(x − x_j)²/2h²)",
        tex: &[
            r"H = -\frac{1}{N} \sum_{i=1}^{N} \log_2 f(x_i)",
            r"f(x) = \frac{1}{N h \sqrt{2\pi}} \sum_{j=1}^{N} \exp\left(-\frac{(x - x_j)^2}{2h^2}\right)",
        ],
        source: "Ahmad & Lin, A nonparametric estimation of the entropy for absolutely continuous distributions, IEEE Trans. Inf. Theory 22, 372 (1976); bandwidth: Scott, Multivariate Density Estimation (1992)",
        family: Family::Differential,
        accepts: Accepts::Series,
        cost: "O(N log N)",
        gpu: false,
        unit: "bits",
        uncertainty: "standard error of the means of 20 consecutive groups, from 200 values on",
        bias: "low from counting each value in its own density, high from smoothing",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        measure(Self::ABOUT.id, "Gaussian kernel, resubstitution", &p, &input.series()?, Own::In, context).await
    }
}

/// The leave-one-out estimate.
pub struct LeaveOneOut;

impl Measure for LeaveOneOut {
    type Params = KernelParams;
    const ABOUT: About = About {
        id: "diff.kde_loo",
        title: "Differential entropy, kernel density, leave one out",
        summary: "The mean surprise of each value under a smooth density made of the others: honest about values that stand alone.",
        equation: "H = −(1/N) Σ log₂ f₋ᵢ(x_i), f₋ᵢ(x) = 1/((N−1) h √(2π)) Σ_{j≠i} exp(−(x − x_j)²/2h²)",
        tex: &[
            r"H = -\frac{1}{N} \sum_{i=1}^{N} \log_2 f_{-i}(x_i)",
            r"f_{-i}(x) = \frac{1}{(N-1) h \sqrt{2\pi}} \sum_{j \neq i} \exp\left(-\frac{(x - x_j)^2}{2h^2}\right)",
        ],
        source: "Hall & Morton, On the estimation of entropy, Ann. Inst. Stat. Math. 45, 69 (1993); bandwidth: Scott, Multivariate Density Estimation (1992)",
        family: Family::Differential,
        accepts: Accepts::Series,
        cost: "O(N log N)",
        gpu: false,
        unit: "bits",
        uncertainty: "standard error of the means of 20 consecutive groups, from 200 values on",
        bias: "high: the cross-validated cost of the density is an upper bound in expectation",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        measure(Self::ABOUT.id, "Gaussian kernel, leave one out", &p, &input.series()?, Own::Out, context).await
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pace::Unhurried;

    proptest! {
        #[test]
        fn the_fast_sums_are_the_sums(
            core in prop::collection::vec(-2.0_f64..2.0, 2..400), far in prop::collection::vec(-1e4_f64..1e4, 0..8), spread in 0.01_f64..30.0,
        ) {
            let mut x: Vec<f64> = core.iter().map(|v| v * spread).chain(far).collect();
            x.sort_unstable_by(f64::total_cmp);
            let cells = Cells::new(&x);
            let sums = pollster::block_on(cells.sums(&Unhurried)).unwrap();
            for (i, sum) in sums.iter().enumerate() {
                let others = (0..x.len()).filter(|&j| j != i).map(|j| -0.5 * (x[i] - x[j]).powi(2));
                let expected = 1.0 + others.clone().map(f64::exp).sum::<f64>();
                prop_assert!((sum / expected - 1.0).abs() < 1e-12, "{sum} {expected}");
                let largest = others.clone().fold(f64::NEG_INFINITY, f64::max);
                let log = largest + others.map(|e| (e - largest).exp()).sum::<f64>().ln();
                prop_assert!((cells.log_sum_of_others(i) - log).abs() <= 1e-12 * (1.0 + log.abs()));
            }
        }
    }
}
