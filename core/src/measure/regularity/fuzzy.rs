//! Fuzzy entropy: sample entropy whose matches are a matter of degree.

use multiversion::multiversion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Tolerance, measures::standard_deviation};
use crate::{
    measure::{
        About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, ParameterError, Series, Undefined,
        Value, special::exp_negative,
    },
    pace::Pace,
    quantity::Unit,
};

/// Pairs between two looks at whether the work is still wanted.
const PAIRS_PER_TICK: usize = 1 << 21;
/// Templates of a row that are looked at together: their distances stay in the first-level cache.
const STRIP: usize = 1024;

/// Parameters of fuzzy entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FuzzyParams {
    /// Template length m.
    #[schemars(range(min = 1, max = 10))]
    pub m: u32,
    /// Width r of the membership exp(−d^n/r): a number, or a multiple of the standard deviation such as 0.2 sd.
    pub r: Tolerance,
    /// Exponent n of the distance.
    #[schemars(range(min = 0.1, max = 10))]
    pub n: f64,
    /// Delay τ: samples between neighbouring values of a template.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub delay: u32,
}

impl Default for FuzzyParams {
    fn default() -> Self {
        Self { m: 2, r: Tolerance::Relative("0.2 sd".to_owned()), n: 2.0, delay: 1 }
    }
}

/// Fuzzy entropy.
pub struct Fuzzy;

impl Measure for Fuzzy {
    type Params = FuzzyParams;
    const ABOUT: About = About {
        id: "fuzzen",
        title: "Fuzzy entropy",
        summary: "Sample entropy with soft matches and each stretch's own mean removed: less noisy on short series.",
        equation: "FuzzyEn = −ln(φ_{m+1}/φ_m), φ = mean over pairs i ≠ j of exp(−d_ij^n/r), d the Chebyshev distance of templates less their means",
        source: "Chen, Wang, Xie & Yu, Characterization of surface EMG signal based on fuzzy entropy, IEEE Trans. Neural Syst. Rehabil. Eng. 15, 266 (2007)",
        family: Family::Regularity,
        accepts: Accepts::Series,
        cost: "O(N²)",
        gpu: false,
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        let sd = standard_deviation(&series.values);
        let r = p.r.resolve(if series.values.is_empty() { 0.0 } else { sd }).ok_or_else(|| invalid(&p.r))?;
        let n = series.values.len() as u64;
        let name = "soft, own mean removed";
        if series.values.windows(2).all(|w| w[0] == w[1]) && n > 1 {
            return Ok(Outcome::new(Value::Undefined(Undefined::ZeroVariance), Unit::Nats, name, n));
        }
        if r <= 0.0 {
            return Err(invalid(&p.r).into());
        }
        let value = match fuzzy(&series, &p, r, context.pace).await? {
            Some(value) => Value::Scalar(value),
            None => Value::Undefined(Undefined::NoMatches),
        };
        let mut outcome = Outcome::new(value, Unit::Nats, name, n).detail("r", r).detail("sd", sd);
        if series.omitted > 0 {
            outcome = outcome.detail("omitted", series.omitted);
        }
        if n < 10_u64.saturating_pow(p.m) {
            outcome = outcome.warn("too_short", "fewer than 10**m samples");
        }
        Ok(outcome)
    }
}

fn invalid(r: &Tolerance) -> ParameterError {
    ParameterError::Invalid {
        of: Fuzzy::ABOUT.id.to_owned(),
        key: "r".to_owned(),
        given: serde_json::to_string(r).unwrap_or_default(),
        expected: "expected a number above 0, or a multiple of the standard deviation such as 0.2 sd".to_owned(),
    }
}

/// Templates less their means, place by place: as many of `m` as there are of `m + 1` values.
fn templates(series: &Series<'_>, m: usize, span: usize, delay: usize) -> Vec<Vec<f64>> {
    let mut columns = vec![Vec::new(); m];
    #[expect(clippy::cast_precision_loss, reason = "at most 11")]
    let count = m as f64;
    for stretch in &series.stretches {
        let x = &series.values[stretch.clone()];
        for i in 0..x.len().saturating_sub(span) {
            let mean = (0..m).map(|k| x[i + k * delay]).sum::<f64>() / count;
            for (k, column) in columns.iter_mut().enumerate() {
                column.push(x[i + k * delay] - mean);
            }
        }
    }
    columns
}

/// Fuzzy entropy with the width `r`; `None` where no pair belongs together at all.
///
/// # Errors
/// [`MeasureError::TooShort`] without a pair of templates, [`MeasureError::Cancelled`].
pub(super) async fn fuzzy(
    series: &Series<'_>,
    p: &FuzzyParams,
    r: f64,
    pace: &dyn Pace,
) -> Result<Option<f64>, MeasureError> {
    let (m, delay) = (p.m as usize, p.delay as usize);
    let span = m * delay;
    let shorter = templates(series, m, span, delay);
    let longer = templates(series, m + 1, span, delay);
    let count = shorter[0].len();
    if count < 2 {
        return Err(MeasureError::TooShort {
            n: series.values.len() as u64,
            what: format!("a pair of templates of length {} and delay {delay}", m + 1),
            needed: span as u64 + 2,
        });
    }
    let (mut sums, mut pairs) = ([0.0, 0.0], 0);
    let mut distances = vec![0.0; STRIP];
    for i in 0..count - 1 {
        for from in (i + 1..count).step_by(STRIP) {
            let to = count.min(from + STRIP);
            for (sum, columns) in sums.iter_mut().zip([&shorter, &longer]) {
                let row = &mut distances[..to - from];
                row.fill(0.0);
                for column in columns {
                    farther(&column[from..to], column[i], row);
                }
                *sum += membership(row, 1.0 / r, p.n);
            }
        }
        pairs += count - i;
        if pairs > PAIRS_PER_TICK {
            pairs = 0;
            pace.tick(i as u64, count as u64).await?;
        }
    }
    let [b, a] = sums;
    Ok((b > 0.0).then(|| (b / a).ln()))
}

/// Chebyshev: the largest difference so far.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2", "x86_64+sse4.2"))]
fn farther(column: &[f64], own: f64, row: &mut [f64]) {
    for (d, v) in row.iter_mut().zip(column) {
        let off = (v - own).abs();
        *d = if off > *d { off } else { *d };
    }
}

/// Σ exp(−d^n/r), in eight partial sums.
#[multiversion(targets("x86_64+avx512f", "x86_64+avx2+fma", "x86_64+sse4.2"))]
fn membership(row: &[f64], per_r: f64, n: f64) -> f64 {
    let square = (n - 2.0).abs() < f64::EPSILON;
    let mut sums = [0.0; 8];
    let (chunks, rest) = row.as_chunks::<8>();
    if square {
        for chunk in chunks {
            for (sum, d) in sums.iter_mut().zip(chunk) {
                *sum += exp_negative(d * d * per_r);
            }
        }
    } else {
        for chunk in chunks {
            for (sum, d) in sums.iter_mut().zip(chunk) {
                *sum += exp_negative(d.powf(n) * per_r);
            }
        }
    }
    let rest: f64 = rest.iter().map(|d| exp_negative(d.powf(n) * per_r)).sum();
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{pace::Unhurried, rng::Philox};

    #[test]
    fn it_is_the_sum_over_all_pairs() {
        let mut rng = Philox::new(8, 0);
        for (n, m, delay, power) in
            [(4, 1_u32, 1_u32, 2.0), (61, 2, 1, 2.0), (97, 2, 3, 2.0), (50, 3, 1, 1.5), (1200, 2, 1, 2.0)]
        {
            let x: Vec<f64> = (0..n).map(|_| rng.normal()).collect();
            let phi = |m: usize, count: usize| {
                let t: Vec<Vec<f64>> = (0..count)
                    .map(|i| {
                        let raw: Vec<f64> = (0..m).map(|k| x[i + k * delay as usize]).collect();
                        let mean = raw.iter().sum::<f64>() / m as f64;
                        raw.iter().map(|v| v - mean).collect()
                    })
                    .collect();
                let mut sum = 0.0;
                for i in 0..count {
                    for j in 0..count {
                        let d = t[i].iter().zip(&t[j]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                        sum += if i == j { 0.0 } else { (-d.powf(power) / 0.3).exp() };
                    }
                }
                sum
            };
            let count = n - (m * delay) as usize;
            let expected = (phi(m as usize, count) / phi(m as usize + 1, count)).ln();
            let p = FuzzyParams { m, r: Tolerance::Absolute(0.3), n: power, delay };
            let got = pollster::block_on(fuzzy(&Series::whole(x), &p, 0.3, &Unhurried)).unwrap().unwrap();
            assert!((got - expected).abs() < 1e-12 * expected.abs().max(1.0), "{n}: {got} {expected}");
        }
    }
}
