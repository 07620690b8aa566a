//! Differential entropy from the spacings of the sorted sample.
//!
//! With order statistics x_(1) ≤ … ≤ x_(n), those beyond the ends taken as the ends, the density near x_(i) is about
//! 2m / (n (x_(i+m) − x_(i−m))). Vasicek, J. R. Stat. Soc. B 38, 54 (1976). Near the ends the spacing is one-sided, for
//! which Ebrahimi, Pflughoeft & Soofi, Stat. Probab. Lett. 20, 225 (1994), put c_i < 2 in place of 2.

use std::f64::consts::LN_2;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{annotate, too_short};
use crate::{
    measure::{
        About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, ParameterError, Series, Undefined,
        Value,
        order::{ascending, key_of},
        uncertainty,
    },
    quantity::{Uncertainty, Unit},
};

/// Fewer samples than this say little.
const ENOUGH: u64 = 20;
/// The groups that the jackknife leaves out in turn.
const GROUPS: usize = 20;
/// Fewer samples than this give no interval.
const ENOUGH_FOR_JACKKNIFE: usize = 200;

/// Parameters of the spacing estimators.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SpacingParams {
    /// Half the spacing in order statistics, m; empty takes ⌊√n + ½⌋.
    #[schemars(range(min = 1))]
    pub window: Option<u64>,
}

/// Which estimator.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// The end is repeated (Vasicek).
    Repeated,
    /// The same, with its density corrected (Ebrahimi).
    Corrected,
}

/// ⌊√n + ½⌋.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the root of a length"
)]
fn usual_window(n: usize) -> usize {
    ((n as f64).sqrt() + 0.5).floor() as usize
}

/// The estimate of ascending values, in bits: minus infinity where a spacing is zero.
#[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
fn estimate(sorted: &[f64], m: usize, ends: Ends) -> f64 {
    let n = sorted.len();
    let spacing = |i: usize| sorted[(i + m).min(n - 1)] - sorted[i.saturating_sub(m)];
    let nats: f64 = (0..n)
        .map(|i| {
            // The distance to the nearer end, counted in samples.
            let inside = i.min(n - 1 - i);
            let c = if ends == Ends::Corrected && inside < m { 1.0 + inside as f64 / m as f64 } else { 2.0 };
            (n as f64 / (c * m as f64)).ln() + spacing(i).ln()
        })
        .sum();
    nats / n as f64 / LN_2
}

fn measure(
    id: &'static str,
    name: &'static str,
    p: &SpacingParams,
    series: &Series<'_>,
    ends: Ends,
    context: &Context<'_>,
) -> Result<Outcome, MeasureError> {
    let x = &series.values;
    let n = x.len();
    let window = p.window.map_or_else(|| usual_window(n), |m| usize::try_from(m).unwrap_or(usize::MAX));
    if p.window.is_some() && window == 0 {
        let (of, key) = (id.to_owned(), "window".to_owned());
        return Err(ParameterError::Invalid {
            of,
            key,
            given: "0".to_owned(),
            expected: "expected at least 1".to_owned(),
        }
        .into());
    }
    // n = 2, 3 and 4 have no window that leaves a spacing inside: the usual one is at least half of them.
    let needed = if p.window.is_some() { (window as u64).saturating_mul(2).saturating_add(1) } else { 5 };
    if (n as u64) < needed {
        return Err(too_short(
            n,
            &format!("an estimate from spacings of {window} order statistics to either side"),
            needed,
        ));
    }
    let order = ascending(x.iter().map(|&v| key_of(v)));
    let sorted: Vec<f64> = order.iter().map(|&i| x[i as usize]).collect();
    let reason = if sorted[0] == sorted[n - 1] {
        Some(Undefined::ZeroVariance)
    } else {
        (0..n)
            .any(|i| sorted[(i + window).min(n - 1)] == sorted[i.saturating_sub(window)])
            .then_some(Undefined::ZeroSpacing)
    };
    let outcome = |value| {
        let ties = sorted.windows(2).filter(|w| w[0] == w[1]).count();
        annotate(Outcome::new(value, Unit::Bits, name, n as u64), series, ENOUGH)
            .detail("window", window)
            .detail("ties", ties)
    };
    if let Some(reason) = reason {
        return Ok(outcome(Value::Undefined(reason)));
    }
    let value = estimate(&sorted, window, ends);
    let mut outcome = outcome(Value::Scalar(value));
    if context.resamples > 0 {
        outcome.uncertainty = jackknife(&order, &sorted, p, value, ends);
    }
    Ok(outcome)
}

/// Leaves out contiguous groups of the series, so that neighbours that depend on each other leave together.
fn jackknife(order: &[u32], sorted: &[f64], p: &SpacingParams, value: f64, ends: Ends) -> Option<Uncertainty> {
    let n = sorted.len();
    if n < ENOUGH_FOR_JACKKNIFE {
        return None;
    }
    let mut rest = Vec::with_capacity(n);
    let left_out: Vec<f64> = (0..GROUPS)
        .map(|g| {
            let group = g * n / GROUPS..(g + 1) * n / GROUPS;
            rest.clear();
            let kept = order.iter().zip(sorted).filter(|(i, _)| !group.contains(&(**i as usize)));
            rest.extend(kept.map(|(_, x)| *x));
            let window =
                p.window.map_or_else(|| usual_window(rest.len()), |m| usize::try_from(m).unwrap_or(usize::MAX));
            if 2 * window < rest.len() { estimate(&rest, window, ends) } else { f64::NAN }
        })
        .collect();
    uncertainty::jackknife(value, &left_out)
}

/// Vasicek's estimator.
pub struct Vasicek;

impl Measure for Vasicek {
    type Params = SpacingParams;
    const ABOUT: About = About {
        id: "diff.vasicek",
        title: "Differential entropy, Vasicek",
        summary: "The entropy of the density behind a sample, from the spacings of its sorted values: no bins to choose.",
        equation: "H = (1/n) Σ log₂[n (x_(i+m) − x_(i−m)) / (2m)], order statistics beyond the ends taken as the ends",
        tex: &[
            r"H = \frac{1}{n} \sum_{i=1}^{n} \log_2 \frac{n \left(x_{(i+m)} - x_{(i-m)}\right)}{2m}",
            r"x_{(j)} = x_{(1)} \text{ for } j \lt 1, \quad x_{(j)} = x_{(n)} \text{ for } j \gt n",
        ],
        source: "Vasicek, A test for normality based on sample entropy, J. R. Stat. Soc. B 38, 54 (1976)",
        family: Family::Differential,
        accepts: Accepts::Series,
        cost: "O(N log N)",
        gpu: false,
        unit: "bits",
        uncertainty: "jackknife over 20 contiguous blocks, from 200 values on",
        bias: "low, of the order of m/n: the ends are flattened",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        measure(Self::ABOUT.id, "Vasicek, m-spacings", &p, &input.series()?, Ends::Repeated, context)
    }
}

/// Ebrahimi's estimator.
pub struct Ebrahimi;

impl Measure for Ebrahimi {
    type Params = SpacingParams;
    const ABOUT: About = About {
        id: "diff.ebrahimi",
        title: "Differential entropy, Ebrahimi",
        summary: "Vasicek's estimate with the density at both ends corrected, which makes it less biased.",
        equation: "H = (1/n) Σ log₂[n (x_(i+m) − x_(i−m)) / (c_i m)], c_i = 1 + (i−1)/m for i ≤ m, 2 inside, 1 + (n−i)/m for i > n − m",
        tex: &[
            r"H = \frac{1}{n} \sum_{i=1}^{n} \log_2 \frac{n \left(x_{(i+m)} - x_{(i-m)}\right)}{c_i m}",
            r"c_i = 1 + \frac{i-1}{m} \text{ for } i \leq m",
            r"c_i = 2 \text{ inside}",
            r"c_i = 1 + \frac{n-i}{m} \text{ for } i \gt n - m",
        ],
        source: "Ebrahimi, Pflughoeft & Soofi, Two measures of sample entropy, Stat. Probab. Lett. 20, 225 (1994)",
        family: Family::Differential,
        accepts: Accepts::Series,
        cost: "O(N log N)",
        gpu: false,
        unit: "bits",
        uncertainty: "jackknife over 20 contiguous blocks, from 200 values on",
        bias: "low, less than Vasicek's",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        measure(Self::ABOUT.id, "Ebrahimi, m-spacings", &p, &input.series()?, Ends::Corrected, context)
    }
}
