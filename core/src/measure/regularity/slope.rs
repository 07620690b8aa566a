//! Slope entropy: the entropy of words of steep, gentle and flat increments.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    measures::standard_deviation,
    windows::{WindowStream, Windows, count_all},
    words::{Vocabulary, classify},
};
use crate::{
    data::Column,
    measure::{
        About, Accepts, Accumulator, Context, Family, Input, Measure, MeasureError, Outcome, ParameterError, Value,
        discrete::plugin_bits, uncertainty,
    },
    quantity::Unit,
};

/// Steep and gentle, up and down, and flat.
const SYMBOLS: u32 = 5;

/// Parameters of slope entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SlopeParams {
    /// Embedding dimension m: a word has m − 1 increments.
    #[schemars(range(min = 2, max = 9))]
    pub m: u32,
    /// Delay τ of an increment x_{i+τ} − x_i; the increments of a word follow each other sample by sample.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub delay: u32,
    /// Angle δ in degrees: increments up to it, up or down, are flat.
    #[schemars(range(min = 0.0, max = 90.0))]
    pub delta: f64,
    /// Angle γ in degrees, above δ: increments beyond it are steep.
    #[schemars(range(min = 0.0, max = 90.0))]
    pub gamma: f64,
    /// Divide by the standard deviation first, so that the angles do not depend on the units of the values.
    pub zscore: bool,
    /// Divide by log₂ 5^(m−1), so that the value lies in [0, 1].
    pub normalize: bool,
}

impl Default for SlopeParams {
    fn default() -> Self {
        Self { m: 3, delay: 1, delta: 5.0, gamma: 45.0, zscore: true, normalize: false }
    }
}

/// The largest increment whose angle, computed as arctan and turned into degrees, is at most `degrees`.
///
/// tan(45°) rounds to less than 1, and the angle of an increment of 1 to exactly 45°; integers make this matter.
fn steepest(degrees: f64) -> f64 {
    if degrees >= 90.0 {
        return f64::INFINITY;
    }
    let angle = |increment: f64| increment.atan().to_degrees();
    let mut bound = degrees.to_radians().tan();
    while angle(bound) > degrees {
        bound = bound.next_down();
    }
    while angle(bound.next_up()) <= degrees {
        bound = bound.next_up();
    }
    bound
}

/// Words of the symbols of increments.
struct Slopes {
    words: Vocabulary,
    delay: usize,
    divisor: f64,
    /// The symbol is the number of these that the increment exceeds.
    bounds: [f64; 4],
    increments: Vec<f64>,
    codes: Vec<u8>,
}

impl Slopes {
    fn new(p: &SlopeParams, divisor: f64, keep_keys: bool) -> Result<Self, MeasureError> {
        let invalid = |key: &str, given: String, expected: &str| {
            let (of, key, expected) = (Slope::ABOUT.id.to_owned(), key.to_owned(), expected.to_owned());
            MeasureError::from(ParameterError::Invalid { of, key, given, expected })
        };
        if p.gamma <= p.delta {
            return Err(invalid("gamma", p.gamma.to_string(), "expected an angle above delta"));
        }
        let words = Vocabulary::new(SYMBOLS, p.m - 1, 1, keep_keys)
            .ok_or_else(|| invalid("m", p.m.to_string(), "expected at most 9"))?;
        let (flat, steep) = (steepest(p.delta), steepest(p.gamma));
        // Down, the bound itself belongs to the flatter side as well: exceeding the number just below −t is ≥ −t.
        let bounds = [(-steep).next_down(), (-flat).next_down(), flat, steep];
        Ok(Self { words, delay: p.delay as usize, divisor, bounds, increments: Vec::new(), codes: Vec::new() })
    }
}

impl Windows for Slopes {
    fn span(&self) -> usize {
        self.words.span().saturating_add(self.delay)
    }

    fn count(&mut self, values: &[f64]) {
        self.increments.clear();
        let pairs = values.iter().zip(&values[self.delay..]);
        self.increments.extend(pairs.map(|(earlier, later)| (later / self.divisor) - (earlier / self.divisor)));
        self.codes.resize(self.increments.len(), 0);
        classify(&self.increments, &self.bounds, &mut self.codes);
        self.words.add(&self.codes);
    }
}

fn entropy(p: &SlopeParams, counts: &[u64]) -> f64 {
    let bits = plugin_bits(counts);
    if p.normalize { bits / (f64::from(p.m - 1) * f64::from(SYMBOLS).log2()) } else { bits }
}

fn outcome_of(p: &SlopeParams, words: &Vocabulary, n: u64, omitted: u64) -> Result<Outcome, MeasureError> {
    let total = words.counts().iter().sum::<u64>();
    if total == 0 {
        let what = format!("a word of {} increments and delay {}", p.m - 1, p.delay);
        return Err(MeasureError::TooShort { n, what, needed: u64::from(p.m) - 1 + u64::from(p.delay) });
    }
    let unit = if p.normalize { Unit::One } else { Unit::Bits };
    let mut outcome = Outcome::new(Value::Scalar(entropy(p, words.counts())), unit, "plug-in", n)
        .detail("words", total)
        .detail("words_seen", words.counts().iter().filter(|&&c| c > 0).count());
    if omitted > 0 {
        outcome = outcome.detail("omitted", omitted);
    }
    if total < words.counts().len() as u64 {
        outcome = outcome.warn("too_short", "fewer than 5**(m-1) samples");
    }
    Ok(outcome)
}

/// Slope entropy.
pub struct Slope;

impl Measure for Slope {
    type Params = SlopeParams;
    const ABOUT: About = About {
        id: "slope",
        title: "Slope entropy",
        summary: "The entropy of words of steep, gentle and flat steps, so that both order and amplitude count.",
        equation: "H = −Σ p(w) log₂ p(w) over words w of m−1 symbols of the angle arctan(x_{i+τ} − x_i): beyond ±γ, beyond ±δ, flat",
        tex: &[
            r"H = -\sum_w p(w) \log_2 p(w)",
            r"w \text{ the words of } m - 1 \text{ symbols of the angle } \arctan(x_{i+\tau} - x_i)",
            r"\text{symbols: beyond } \pm\gamma, \text{ beyond } \pm\delta, \text{ flat}",
        ],
        source: "Cuesta-Frau, Slope entropy: a new time series complexity estimator based on both symbolic patterns and amplitude information, Entropy 21, 1167 (2019)",
        family: Family::Regularity,
        accepts: Accepts::Series,
        cost: "O(N m)",
        gpu: false,
        unit: "bits, or 1 where normalised",
        uncertainty: "moving-block bootstrap, blocks of ⌈n^(1/3)⌉ windows; contiguous groups of windows for long series",
        bias: "low by about (5^(m−1) − 1)/(2 N ln 2) bits",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        let constant = series.values.windows(2).all(|w| w[0] == w[1]);
        // The increments of a constant are zero in any unit.
        let divisor = if p.zscore && !constant { standard_deviation(&series.values) } else { 1.0 };
        let mut slopes = Slopes::new(&p, divisor, context.resamples > 0)?;
        count_all(&series, &mut slopes, context.pace).await?;
        let mut outcome = outcome_of(&p, &slopes.words, series.values.len() as u64, series.omitted)?;
        if constant {
            outcome = outcome.warn("zero_variance", "all values are equal, so all increments are flat");
        }
        if p.zscore {
            outcome = outcome.detail("sd", divisor);
        }
        if let Some(keys) = slopes.words.keys() {
            let (bins, statistic) = (slopes.words.counts().len(), |counts: &[u64]| entropy(&p, counts));
            outcome.uncertainty = uncertainty::moving_block(keys, bins, &statistic, context).await?;
        }
        Ok(outcome)
    }

    /// Raw slopes only: the standard deviation is known when all values have passed.
    fn accumulator(p: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        if p.zscore {
            return Ok(None);
        }
        let slopes = Slopes::new(&p, 1.0, false)?;
        Ok(Some(WindowStream::boxed(slopes, move |s, n, omitted| outcome_of(&p, &s.words, n, omitted))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_of_one_has_an_angle_of_45_degrees_and_is_gentle() {
        assert_eq!(steepest(45.0), 1.0);
        assert_eq!(steepest(0.0), 0.0);
        assert_eq!(steepest(90.0), f64::INFINITY);
    }
}
