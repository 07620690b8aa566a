//! Fuzzy entropy as a measure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    fuzzy::{Membership, Memberships, fuzzy_entropy, memberships, starts},
    measures::{ENOUGH_FOR_JACKKNIFE, GROUPS, Tolerance, invalid_tolerance, note_ties, standard_deviation},
};
use crate::{
    measure::{About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Undefined, Value, uncertainty},
    quantity::{Uncertainty, Unit},
};

/// Parameters of fuzzy entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FuzzyParams {
    /// Template length m.
    #[schemars(range(min = 1, max = 10))]
    pub m: u32,
    /// Width r of the membership exp(−dⁿ/r): a number in the units of the values to the power n, or a multiple of the standard deviation such as 0.2 sd.
    pub r: Tolerance,
    /// Exponent n of the membership: 1 falls off as an exponential, 2 as a Gaussian, large ones as a step.
    #[schemars(range(min = 1, max = 10))]
    pub n: u32,
    /// Delay τ: samples between neighbouring values of a template.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub delay: u32,
}

impl Default for FuzzyParams {
    fn default() -> Self {
        Self { m: 2, r: Tolerance::Relative("0.2 sd".to_owned()), n: 2, delay: 1 }
    }
}

/// Fuzzy entropy.
pub struct Fuzzy;

impl Measure for Fuzzy {
    type Params = FuzzyParams;
    const ABOUT: About = About {
        id: "fuzzen",
        title: "Fuzzy entropy",
        summary: "Sample entropy with a soft threshold and templates without their mean: smooth in r, and defined for short series.",
        equation: "FuzzyEn = ln φ_m − ln φ_{m+1}, φ the mean of exp(−dⁿ/r) over pairs of templates, d their Chebyshev distance after removing each one's mean",
        tex: &[
            r"\mathrm{FuzzyEn} = \ln \varphi_m - \ln \varphi_{m+1}",
            r"\varphi \text{ the mean of } \exp(-d^n / r) \text{ over pairs of templates}",
            r"d \text{ their Chebyshev distance after removing each one's mean}",
        ],
        source: "Chen, Wang, Xie & Yu, Characterization of surface EMG signal based on fuzzy entropy, IEEE Trans. Neural Syst. Rehabil. Eng. 15, 266 (2007)",
        family: Family::Regularity,
        accepts: Accepts::Series,
        cost: "O(N²) exponentials; fewer where r is small beside the spread",
        gpu: false,
        unit: "nats",
        uncertainty: "jackknife over 20 contiguous blocks",
        bias: "small; the value depends on r, n and m",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        const NAME: &str = "Chebyshev, exp(−dⁿ/r)";
        let series = input.series()?;
        let n = series.values.len() as u64;
        let (m, delay) = (p.m as usize, p.delay as usize);
        let starts = starts(&series, m, delay);
        if starts.len() < 2 {
            let what = format!("a pair of templates of length {} and delay {delay}", m + 1);
            return Err(MeasureError::TooShort { n, what, needed: u64::from(p.m) * u64::from(p.delay) + 2 });
        }
        let sd = standard_deviation(&series.values);
        // A spread below the normal numbers has no r either: 0.2 of it rounds to 0.
        let constant = series.values.windows(2).all(|w| w[0] == w[1]) || sd < f64::MIN_POSITIVE;
        let r = p.r.resolve(sd).ok_or_else(|| invalid_tolerance(Self::ABOUT.id, &p.r))?;
        let note = |mut outcome: Outcome| {
            outcome = outcome.detail("r", r).detail("sd", sd).detail("templates", starts.len());
            if series.omitted > 0 {
                outcome = outcome.detail("omitted", series.omitted);
            }
            note_ties(outcome, &series, p.m, constant)
        };
        if constant {
            return Ok(note(Outcome::new(Value::Undefined(Undefined::ZeroVariance), Unit::Nats, NAME, n)));
        }
        // At r = 0 the membership of equal templates is exp(0/0).
        if r <= 0.0 {
            return Err(invalid_tolerance(Self::ABOUT.id, &p.r));
        }
        let of = Membership { r, power: p.n };
        let found = memberships(&series.values, &starts, m, delay, of, context.pace).await?;
        let totals = found.totals();
        let Some(value) = fuzzy_entropy(totals) else {
            return Ok(note(Outcome::new(Value::Undefined(Undefined::NoMatches), Unit::Nats, NAME, n)));
        };
        let mut outcome = Outcome::new(Value::Scalar(value), Unit::Nats, NAME, n);
        if totals.1 == 0.0 {
            outcome = outcome.warn("too_short", "no pair is near over m + 1 values: the value is infinite");
        } else if context.resamples > 0 {
            outcome.uncertainty = jackknife(&series.values, &starts, (m, delay), of, &found, context).await?;
        }
        Ok(note(outcome))
    }
}

/// Leaves out one of [`GROUPS`] contiguous groups of templates at a time, as sample entropy does.
async fn jackknife(
    values: &[f64],
    starts: &[usize],
    (m, delay): (usize, usize),
    of: Membership,
    all: &Memberships,
    context: &Context<'_>,
) -> Result<Option<Uncertainty>, MeasureError> {
    let n = starts.len();
    if n < ENOUGH_FOR_JACKKNIFE {
        return Ok(None);
    }
    let totals = all.totals();
    let mut left_out = Vec::with_capacity(GROUPS);
    for g in 0..GROUPS {
        let range = g * n / GROUPS..(g + 1) * n / GROUPS;
        let inside = memberships(values, &starts[range.clone()], m, delay, of, context.pace).await?.totals();
        // Ordered pairs with a template of the group: those from it, those to it, less those counted twice.
        let rest =
            |total: f64, sums: &[f64], inside: f64| total - 2.0 * sums[range.clone()].iter().sum::<f64>() + inside;
        let rest = (rest(totals.0, &all.shorter, inside.0), rest(totals.1, &all.longer, inside.1));
        left_out.push(fuzzy_entropy(rest).unwrap_or(f64::INFINITY));
    }
    Ok(uncertainty::jackknife(fuzzy_entropy(totals).unwrap_or(f64::INFINITY), &left_out))
}
