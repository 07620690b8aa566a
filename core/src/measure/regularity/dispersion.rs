//! Dispersion entropy: the entropy of words of amplitude classes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

use super::{
    measures::{mean, standard_deviation},
    windows::{Windows, count_all},
    words::{Vocabulary, classify},
};
use crate::{
    measure::{
        About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, ParameterError, Series, Value,
        discrete::plugin_bits, uncertainty,
    },
    pace::Pace,
    quantity::Unit,
};

/// Parameters of dispersion entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DispersionParams {
    /// Word length m.
    #[schemars(range(min = 1, max = 8))]
    pub m: u32,
    /// Amplitude classes c, equally probable for a normal law.
    #[schemars(range(min = 2, max = 16))]
    pub c: u32,
    /// Delay τ: samples between neighbouring letters of a word.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub delay: u32,
    /// Divide by ln cᵐ, so that the value lies in [0, 1].
    pub normalize: bool,
}

impl Default for DispersionParams {
    fn default() -> Self {
        Self { m: 2, c: 6, delay: 1, normalize: false }
    }
}

/// The mean and the population standard deviation that classes refer to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    mean: f64,
    sd: f64,
}

impl Scale {
    pub(super) fn of(values: &[f64]) -> Self {
        if values.is_empty() {
            return Self { mean: 0.0, sd: 0.0 };
        }
        // What rounding leaves of the spread of a constant is no spread.
        let constant = values.windows(2).all(|w| w[0] == w[1]);
        Self { mean: mean(values), sd: if constant { 0.0 } else { standard_deviation(values) } }
    }
}

/// Words of classes ceil(c Φ((x − mean)/sd)).
struct DispersionWords {
    words: Vocabulary,
    scale: Scale,
    /// The quantiles Φ⁻¹(k/c), k = 1 … c−1: a value is in class 1 + (number of those below it).
    bounds: Vec<f64>,
    standard: Vec<f64>,
    codes: Vec<u8>,
}

impl Windows for DispersionWords {
    fn span(&self) -> usize {
        self.words.span()
    }

    fn count(&mut self, values: &[f64]) {
        let Scale { mean, sd } = self.scale;
        self.standard.clear();
        // Of a constant every value is at the mean.
        let divisor = if sd > 0.0 { sd } else { 1.0 };
        self.standard.extend(values.iter().map(|x| (x - mean) / divisor));
        if sd <= 0.0 {
            self.standard.fill(0.0);
        }
        self.codes.resize(values.len(), 0);
        classify(&self.standard, &self.bounds, &mut self.codes);
        self.words.add(&self.codes);
    }
}

/// The counts of dispersion words.
pub(super) async fn words(
    p: &DispersionParams,
    id: &str,
    series: &Series<'_>,
    scale: Scale,
    keep_keys: bool,
    pace: &dyn Pace,
) -> Result<Vocabulary, MeasureError> {
    let words = Vocabulary::new(p.c, p.m, p.delay as usize, keep_keys).ok_or_else(|| {
        let expected =
            format!("expected cᵐ of at most {} words; c = {} with m = {} has more", Vocabulary::MOST_WORDS, p.c, p.m);
        ParameterError::Invalid { of: id.to_owned(), key: "m".to_owned(), given: p.m.to_string(), expected }
    })?;
    let law = Normal::standard();
    let bounds = (1..p.c).map(|k| law.inverse_cdf(f64::from(k) / f64::from(p.c))).collect();
    let mut counting = DispersionWords { words, scale, bounds, standard: Vec::new(), codes: Vec::new() };
    count_all(series, &mut counting, pace).await?;
    Ok(counting.words)
}

/// The entropy of counts of dispersion words, in nats, or as a share of ln cᵐ.
pub(super) fn entropy(p: &DispersionParams, counts: &[u64]) -> f64 {
    let nats = plugin_bits(counts) * std::f64::consts::LN_2;
    if p.normalize { nats / (f64::from(p.m) * f64::from(p.c).ln()) } else { nats }
}

/// Dispersion entropy.
pub struct Dispersion;

impl Measure for Dispersion {
    type Params = DispersionParams;
    const ABOUT: About = About {
        id: "dispersion",
        title: "Dispersion entropy",
        summary: "The entropy of words of amplitude classes: unlike order patterns it sees amplitudes, and it takes O(N).",
        equation: "H = −Σ p(w) ln p(w) over words w of m classes z = ⌈c Φ((x − mean)/sd)⌉",
        tex: &[
            r"H = -\sum_w p(w) \ln p(w)",
            r"w \text{ the words of } m \text{ classes } z",
            r"z = \left\lceil c \Phi\left(\frac{x - \mathrm{mean}}{\mathrm{sd}}\right) \right\rceil",
        ],
        source: "Rostaghi & Azami, Dispersion entropy: a measure for time-series analysis, IEEE Signal Process. Lett. 23, 610 (2016)",
        family: Family::Regularity,
        accepts: Accepts::Series,
        cost: "O(N (m + c))",
        gpu: false,
        unit: "nats, or 1 where normalised",
        uncertainty: "moving-block bootstrap, blocks of ⌈n^(1/3)⌉ windows; contiguous groups of windows for long series",
        bias: "low by about (cᵐ − 1)/(2 N) nats",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        let (n, scale) = (series.values.len() as u64, Scale::of(&series.values));
        let counted = words(&p, Self::ABOUT.id, &series, scale, context.resamples > 0, context.pace).await?;
        let total = counted.counts().iter().sum::<u64>();
        if total == 0 {
            let needed = u64::from(p.m - 1) * u64::from(p.delay) + 1;
            let what = format!("a word of {} letters and delay {}", p.m, p.delay);
            return Err(MeasureError::TooShort { n, what, needed });
        }
        let unit = if p.normalize { Unit::One } else { Unit::Nats };
        let value = Value::Scalar(entropy(&p, counted.counts()));
        let mut outcome = Outcome::new(value, unit, "plug-in, normal classes", n)
            .detail("words", total)
            .detail("words_seen", counted.counts().iter().filter(|&&c| c > 0).count());
        if series.omitted > 0 {
            outcome = outcome.detail("omitted", series.omitted);
        }
        if scale.sd <= 0.0 {
            outcome = outcome.warn("zero_variance", "all values are equal, so all are in one class");
        } else if total < counted.counts().len() as u64 {
            outcome = outcome.warn("too_short", "fewer than c**m samples");
        }
        if let Some(keys) = counted.keys() {
            let statistic = |counts: &[u64]| entropy(&p, counts);
            outcome.uncertainty = uncertainty::moving_block(keys, counted.counts().len(), &statistic, context).await?;
        }
        Ok(outcome)
    }
}
