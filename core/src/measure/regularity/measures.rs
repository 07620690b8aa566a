//! The measures built on template matches.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::templates::{Starts, Templates};
use crate::{
    compute::Matches,
    measure::{
        About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, ParameterError, Series, Undefined,
        Value, uncertainty,
    },
    quantity::Unit,
};

/// The groups of templates that the jackknife leaves out in turn.
pub(super) const GROUPS: usize = 20;
/// Fewer templates than this give no interval.
pub(super) const ENOUGH_FOR_JACKKNIFE: usize = 200;
/// The share of equal neighbours above which matches are mostly ties.
const MANY_TIES: f64 = 0.3;

/// Whether values exactly r apart match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Inequality {
    /// Within r, as the original papers say.
    #[default]
    #[serde(rename = "<=")]
    Within,
    /// Strictly below r, as some packages do for short series.
    #[serde(rename = "<")]
    Below,
}

/// A tolerance: absolute, or in standard deviations of the series.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Tolerance {
    /// In the units of the values.
    Absolute(f64),
    /// `0.2 sd`: a multiple of the population standard deviation.
    Relative(String),
}

impl Tolerance {
    /// The tolerance in the units of the values; `None` if it is no tolerance.
    pub(in crate::measure) fn resolve(&self, sd: f64) -> Option<f64> {
        match self {
            Self::Absolute(r) => Some(*r),
            Self::Relative(text) => {
                let factor = text.trim().strip_suffix("sd")?.trim_end().trim_end_matches('*').trim_end();
                factor.parse::<f64>().ok().map(|f| f * sd)
            }
        }
        .filter(|r| r.is_finite() && *r >= 0.0)
    }
}

/// Parameters of sample entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SampleParams {
    /// Template length m.
    #[schemars(range(min = 1, max = 10))]
    pub m: u32,
    /// Tolerance r: a number in the units of the values, or a multiple of the standard deviation such as 0.2 sd.
    pub r: Tolerance,
    /// Delay τ: samples between neighbouring values of a template.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub delay: u32,
    /// Values exactly r apart match (<=) or do not (<).
    pub inequality: Inequality,
}

impl Default for SampleParams {
    fn default() -> Self {
        Self { m: 2, r: Tolerance::Relative("0.2 sd".to_owned()), delay: 1, inequality: Inequality::Within }
    }
}

/// Parameters of approximate entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ApproximateParams {
    /// Template length m.
    #[schemars(range(min = 1, max = 10))]
    pub m: u32,
    /// Tolerance r: a number in the units of the values, or a multiple of the standard deviation such as 0.2 sd.
    pub r: Tolerance,
    /// Delay τ: samples between neighbouring values of a template.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub delay: u32,
}

impl Default for ApproximateParams {
    fn default() -> Self {
        Self { m: 2, r: Tolerance::Relative("0.2 sd".to_owned()), delay: 1 }
    }
}

/// The mean; of values whose sum is beyond f64 as the sum of their parts.
#[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
pub(in crate::measure) fn mean(x: &[f64]) -> f64 {
    let n = x.len() as f64;
    let sum = x.iter().sum::<f64>();
    if sum.is_finite() { sum / n } else { x.iter().map(|v| v / n).sum() }
}

/// Population standard deviation.
pub(in crate::measure) fn standard_deviation(x: &[f64]) -> f64 {
    let sd = spread(x, 1.0);
    if sd.is_finite() && sd > 0.0 {
        return sd;
    }
    // Squares of very large and very small values are beyond f64 where their root is not.
    let largest = x.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    if largest > 0.0 { spread(x, largest) } else { 0.0 }
}

/// The same, computed in units of `unit`.
#[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
fn spread(x: &[f64], unit: f64) -> f64 {
    let centre = mean(x);
    (x.iter().map(|v| ((v - centre) / unit).powi(2)).sum::<f64>() / x.len() as f64).sqrt() * unit
}

/// The error that `r` is no tolerance of the measure `id`.
pub(super) fn invalid_tolerance(id: &str, r: &Tolerance) -> MeasureError {
    // Only a step can have no width at all.
    let least = if id == "fuzzen" { "above 0" } else { "of at least 0" };
    let expected = format!("expected a number {least}, or a multiple of the standard deviation such as 0.2 sd");
    let given = serde_json::to_string(r).unwrap_or_default();
    ParameterError::Invalid { of: id.to_owned(), key: "r".to_owned(), given, expected }.into()
}

/// What both measures check first: the tolerance, the length, the variance.
pub(super) struct Setup {
    pub(super) templates: Templates,
    pub(super) r: f64,
    sd: f64,
    constant: bool,
}

pub(super) fn set_up(
    id: &'static str,
    series: &Series<'_>,
    m: u32,
    delay: u32,
    r: &Tolerance,
    inequality: Inequality,
    starts: Starts,
) -> Result<Setup, MeasureError> {
    let sd = standard_deviation(&series.values);
    let constant = series.values.windows(2).all(|w| w[0] == w[1]);
    let n = series.values.len() as u64;
    let needed = u64::from(m) * u64::from(delay) + 2;
    let longest = series.stretches.iter().map(|s| s.len() as u64).max().unwrap_or(0);
    let tolerance = r.resolve(if n == 0 { 0.0 } else { sd }).ok_or_else(|| invalid_tolerance(id, r))?;
    if longest < needed {
        return Err(MeasureError::TooShort {
            n,
            what: format!("a pair of templates of length {} and delay {delay}", m + 1),
            needed,
        });
    }
    let templates = Templates::new(series, m as usize, delay as usize, tolerance, inequality, starts);
    Ok(Setup { templates, r: tolerance, sd, constant })
}

/// Notes that both measures share.
fn annotate(mut outcome: Outcome, series: &Series<'_>, m: u32, set: &Setup) -> Outcome {
    outcome = outcome.detail("r", set.r).detail("sd", set.sd).detail("templates", set.templates.count);
    if series.omitted > 0 {
        outcome = outcome.detail("omitted", series.omitted);
    }
    note_ties(outcome, series, m, set.constant)
}

/// Warns of a series that is short for templates of m values, or consists mostly of ties.
#[expect(clippy::cast_precision_loss, reason = "a fraction")]
pub(super) fn note_ties(mut outcome: Outcome, series: &Series<'_>, m: u32, constant: bool) -> Outcome {
    let n = series.values.len();
    if (n as f64) < 10_f64.powi(i32::try_from(m).unwrap_or(i32::MAX)) {
        outcome = outcome.warn("too_short", "fewer than 10**m samples");
    }
    let ties = series.values.windows(2).filter(|w| w[0] == w[1]).count() as f64 / n.max(1) as f64;
    if ties > MANY_TIES && !constant {
        outcome =
            outcome.warn("ties", format!("{:.0} % of neighbours are equal: matches are mostly ties", 100.0 * ties));
    }
    outcome
}

/// Sample entropy.
pub struct Sample;

impl Measure for Sample {
    type Params = SampleParams;
    const ABOUT: About = About {
        id: "sampen",
        title: "Sample entropy",
        summary: "How surprising the next value is after two stretches have matched: small for regular series.",
        equation: "SampEn = −ln(A/B), B and A the pairs of templates within r over m and m + 1 values",
        tex: &[
            r"\mathrm{SampEn} = -\ln \frac{A}{B}",
            r"B, A \text{ the pairs of templates within } r \text{ over } m \text{ and } m + 1 \text{ values}",
        ],
        source: "Richman & Moorman, Physiological time-series analysis using approximate entropy and sample entropy, Am. J. Physiol. 278, H2039 (2000)",
        family: Family::Regularity,
        accepts: Accepts::Series,
        cost: "O(N log N + matches), up to O(N²)",
        gpu: true,
        unit: "nats",
        uncertainty: "jackknife over 20 contiguous blocks",
        bias: "small; the value depends on r and m, and is infinite or undefined where no pair matches",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        let set = set_up(Self::ABOUT.id, &series, p.m, p.delay, &p.r, p.inequality, Starts::Longer)?;
        let name = match p.inequality {
            Inequality::Within => "Chebyshev, ≤ r",
            Inequality::Below => "Chebyshev, < r",
        };
        let n = series.values.len() as u64;
        let reason = if set.constant {
            Some(Undefined::ZeroVariance)
        } else {
            // No distance is below zero, not even that of equal values.
            (p.inequality == Inequality::Below && set.r == 0.0).then_some(Undefined::NoMatches)
        };
        if let Some(reason) = reason {
            let outcome = Outcome::new(Value::Undefined(reason), Unit::Nats, name, n);
            return Ok(annotate(outcome, &series, p.m, &set));
        }
        let done = context.compute.template_matches(&set.templates, context.pace).await?;
        let (b, a) = totals(&done.value);
        let value = match sample_entropy(b, a) {
            Some(value) => Value::Scalar(value),
            None => Value::Undefined(Undefined::NoMatches),
        };
        let mut outcome = Outcome::new(value, Unit::Nats, name, n)
            .detail("pairs_m", b / 2)
            .detail("pairs_m_plus_1", a / 2)
            .ran(done.ran);
        if a == 0 && b > 0 {
            outcome = outcome.warn("too_short", "no pair matches over m + 1 values: the value is infinite");
        }
        if context.resamples > 0 && a > 0 {
            outcome.uncertainty = block_jackknife(&set.templates, &done.value, (b, a), context).await?;
        }
        Ok(annotate(outcome, &series, p.m, &set))
    }
}

/// Ordered pairs over m and m + 1 values.
pub(super) fn totals(matches: &Matches) -> (u64, u64) {
    let sum = |v: &[u32]| v.iter().map(|&c| u64::from(c)).sum();
    (sum(&matches.shorter), sum(&matches.longer))
}

/// −ln(A/B): infinite for A = 0, `None` for B = 0.
#[expect(clippy::cast_precision_loss, reason = "pairs are below 2^53")]
pub(super) fn sample_entropy(b: u64, a: u64) -> Option<f64> {
    (b > 0).then(|| (b as f64).ln() - if a > 0 { (a as f64).ln() } else { f64::NEG_INFINITY })
}

/// Leaves out one of [`GROUPS`] contiguous groups of templates at a time. A bootstrap would duplicate templates, and
/// duplicates match each other; leaving out does not.
async fn block_jackknife(
    templates: &Templates,
    matches: &Matches,
    (b, a): (u64, u64),
    context: &Context<'_>,
) -> Result<Option<crate::quantity::Uncertainty>, MeasureError> {
    if templates.count < ENOUGH_FOR_JACKKNIFE {
        return Ok(None);
    }
    let mut left_out = Vec::with_capacity(GROUPS);
    for g in 0..GROUPS {
        let range = g * templates.count / GROUPS..(g + 1) * templates.count / GROUPS;
        let inside = templates.subset(range.clone()).matches(context.pace).await?;
        let (inside_b, inside_a) = totals(&inside);
        let of = |v: &[u32]| v[range.clone()].iter().map(|&c| u64::from(c)).sum::<u64>();
        // Ordered pairs with a template of the group: those from it, those to it, less those counted twice.
        let rest_b = b - (2 * of(&matches.shorter) - inside_b);
        let rest_a = a - (2 * of(&matches.longer) - inside_a);
        left_out.push(sample_entropy(rest_b, rest_a).unwrap_or(f64::INFINITY));
        context.pace.tick(g as u64, GROUPS as u64).await?;
    }
    Ok(uncertainty::jackknife(sample_entropy(b, a).unwrap_or(f64::INFINITY), &left_out))
}

/// Approximate entropy.
pub struct Approximate;

impl Measure for Approximate {
    type Params = ApproximateParams;
    const ABOUT: About = About {
        id: "apen",
        title: "Approximate entropy",
        summary: "The forerunner of sample entropy; templates match themselves, so it is biased towards regularity.",
        equation: "ApEn = φ_m − φ_{m+1}, φ_m = mean of ln(C_i / (N − (m−1)τ)), C_i templates within r, itself included",
        tex: &[
            r"\mathrm{ApEn} = \varphi_m - \varphi_{m+1}",
            r"\varphi_m = \left\langle \ln \frac{C_i}{N - (m-1)\tau} \right\rangle",
            r"C_i \text{ the templates within } r \text{ of template } i, \text{ itself included}",
        ],
        source: "Pincus, Approximate entropy as a measure of system complexity, PNAS 88, 2297 (1991)",
        family: Family::Regularity,
        accepts: Accepts::Series,
        cost: "O(N log N + matches), up to O(N²)",
        gpu: true,
        unit: "nats",
        uncertainty: "none",
        bias: "low for short series: each template matches itself",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        let set = set_up(Self::ABOUT.id, &series, p.m, p.delay, &p.r, Inequality::Within, Starts::Shorter)?;
        let n = series.values.len() as u64;
        if set.constant {
            let outcome = Outcome::new(Value::Undefined(Undefined::ZeroVariance), Unit::Nats, "Chebyshev, ≤ r", n);
            return Ok(annotate(outcome, &series, p.m, &set));
        }
        let done = context.compute.template_matches(&set.templates, context.pace).await?;
        let phi = |counts: &mut dyn Iterator<Item = u32>| {
            let (mut sum, mut templates) = (0.0, 0.0);
            for c in counts {
                sum += (f64::from(c) + 1.0).ln();
                templates += 1.0;
            }
            if templates == 0.0 { 0.0 } else { sum / templates - f64::ln(templates) }
        };
        let t = &set.templates;
        let last = &t.ranks[t.m * t.count..];
        let shorter = phi(&mut done.value.shorter.iter().copied());
        let longer = phi(&mut done.value.longer.iter().zip(last).filter(|(_, r)| **r != u32::MAX).map(|(&c, _)| c));
        let value = Value::Scalar(shorter - longer);
        let outcome = Outcome::new(value, Unit::Nats, "Chebyshev, ≤ r", n).ran(done.ran);
        Ok(annotate(outcome, &series, p.m, &set).detail("biased", "towards regularity: templates match themselves"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tolerance_is_a_number_or_a_multiple_of_the_standard_deviation() {
        let word = |s: &str| Tolerance::Relative(s.to_owned()).resolve(3.0);
        assert_eq!(word("0.2 sd"), Some(0.2 * 3.0));
        assert_eq!(word("0.2*sd"), Some(0.2 * 3.0));
        assert_eq!(word("wide"), None);
        assert_eq!(word("-1 sd"), None);
        assert_eq!(Tolerance::Absolute(0.5).resolve(3.0), Some(0.5));
    }
}
