//! Measures that turn stretches of a series into words and count them: dispersion, slope and bubble entropy.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use statrs::function::erf::erfc;

use super::measures::standard_deviation;
use crate::{
    measure::{
        About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Series, Undefined, Value,
        discrete::plugin_bits,
    },
    quantity::Unit,
};

/// Samples between two looks at whether the work is still wanted.
const SLICE: usize = 1 << 16;

/// The words of `length` letters, `delay` apart and within a stretch, as counts in no order.
#[derive(Clone, Debug, Default)]
struct Words {
    counts: HashMap<u64, u64>,
    total: u64,
}

impl Words {
    /// Counts the words of `letters`, each below `alphabet`; `alphabet`^`length` is below 2^64.
    fn of(letters: &[u8], stretches: &[std::ops::Range<usize>], alphabet: u64, length: usize, delay: usize) -> Self {
        let mut words = Self::default();
        let span = (length - 1) * delay;
        for stretch in stretches {
            for i in stretch.start..stretch.end.saturating_sub(span) {
                let word = (0..length).fold(0, |word, k| word * alphabet + u64::from(letters[i + k * delay]));
                *words.counts.entry(word).or_default() += 1;
                words.total += 1;
            }
        }
        words
    }

    /// −Σ p ln p; the counts are sorted first, so that the sum does not depend on the order of the table.
    fn nats(&self) -> f64 {
        let mut counts: Vec<u64> = self.counts.values().copied().collect();
        counts.sort_unstable();
        plugin_bits(&counts) * std::f64::consts::LN_2
    }
}

/// The longest stretch must have as many samples as one word spans.
fn long_enough(series: &Series<'_>, needed: usize, what: impl Into<String>) -> Result<(), MeasureError> {
    let longest = series.stretches.iter().map(std::ops::Range::len).max().unwrap_or(0);
    if longest < needed {
        let (n, needed) = (series.values.len() as u64, needed as u64);
        return Err(MeasureError::TooShort { n, what: what.into(), needed });
    }
    Ok(())
}

/// Parameters of dispersion entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DispersionParams {
    /// Letters of a word, m.
    #[schemars(range(min = 1, max = 8))]
    pub m: u32,
    /// Classes of amplitude, c.
    #[schemars(range(min = 2, max = 64))]
    pub c: u32,
    /// Delay τ: samples between neighbouring letters.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub delay: u32,
    /// Divide by ln c^m, so that the value lies in [0, 1].
    pub normalize: bool,
}

impl Default for DispersionParams {
    fn default() -> Self {
        Self { m: 2, c: 6, delay: 1, normalize: false }
    }
}

/// The class 1..=c of each value under the normal law of the series: ceil(c Φ((x − x̄)/sd)), less 1. A constant has one class.
#[expect(clippy::cast_precision_loss, reason = "lengths are below 2^53")]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=64")]
pub(super) fn classes(x: &[f64], sd: f64, c: u32) -> Vec<u8> {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let class = |v: &f64| {
        let phi = 0.5 * erfc(-((v - mean) / sd) / std::f64::consts::SQRT_2);
        (f64::from(c) * phi).ceil().clamp(1.0, f64::from(c)) as u8 - 1
    };
    if sd > 0.0 { x.iter().map(class).collect() } else { vec![0; x.len()] }
}

/// Dispersion entropy of a series in nats.
pub(super) fn dispersion(series: &Series<'_>, sd: f64, p: &DispersionParams) -> f64 {
    let letters = classes(&series.values, sd, p.c);
    Words::of(&letters, &series.stretches, u64::from(p.c), p.m as usize, p.delay as usize).nats()
}

/// Dispersion entropy.
pub struct Dispersion;

impl Measure for Dispersion {
    type Params = DispersionParams;
    const ABOUT: About = About {
        id: "dispersion",
        title: "Dispersion entropy",
        summary: "How many words of amplitude classes a series uses: small for regular series, large for noise.",
        equation: "H = −Σ p(w) ln p(w) over words w of m classes, class = ⌈c Φ((x − x̄)/sd)⌉ in 1..c",
        source: "Rostaghi & Azami, Dispersion entropy: a measure for time-series analysis, IEEE Signal Process. Lett. 23, 610 (2016)",
        family: Family::Regularity,
        accepts: Accepts::Series,
        cost: "O(N m)",
        gpu: false,
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        let span = (p.m as usize - 1) * p.delay as usize + 1;
        long_enough(&series, span, format!("a word of {} classes at delay {}", p.m, p.delay))?;
        let n = series.values.len();
        context.pace.tick(0, n as u64).await?;
        let nats = dispersion(&series, standard_deviation(&series.values), &p);
        let most = f64::from(p.m) * f64::from(p.c).ln();
        let (value, unit) = if p.normalize { (nats / most, Unit::One) } else { (nats, Unit::Nats) };
        let mut outcome = Outcome::new(Value::Scalar(value), unit, "plug-in, normal classes", n as u64);
        if series.omitted > 0 {
            outcome = outcome.detail("omitted", series.omitted);
        }
        let words = u64::from(p.c).saturating_pow(p.m);
        if (n as u64) < words {
            outcome = outcome.warn("too_short", format!("fewer samples than the {words} words there are"));
        }
        Ok(outcome)
    }
}

/// Parameters of slope entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SlopeParams {
    /// Samples of a pattern, m: words of m − 1 slopes.
    #[schemars(range(min = 2, max = 16))]
    pub m: u32,
    /// Delay τ: a slope is that of x(t + τ) − x(t).
    #[schemars(range(min = 1, max = 1_000_000))]
    pub delay: u32,
    /// Slopes of at most so many degrees count as flat.
    #[schemars(range(min = 0.001, max = 89))]
    pub flat: f64,
    /// Slopes above so many degrees count as steep.
    #[schemars(range(min = 0.002, max = 89.999))]
    pub steep: f64,
    /// Divide by the standard deviation first: angles depend on the unit of the values otherwise.
    pub zscore: bool,
}

impl Default for SlopeParams {
    fn default() -> Self {
        Self { m: 3, delay: 1, flat: 5.0, steep: 45.0, zscore: true }
    }
}

/// Slope entropy.
pub struct Slope;

impl Measure for Slope {
    type Params = SlopeParams;
    const ABOUT: About = About {
        id: "slope",
        title: "Slope entropy",
        summary: "How many words of slopes (steep or gentle, up or down, flat) a series uses.",
        equation: "H = −Σ p(w) log₂ p(w) over words w of m − 1 slopes, each in five classes of atan(x(t+τ) − x(t)) at ±flat, ±steep",
        source: "Cuesta-Frau, Slope entropy: a new time series complexity estimator based on both symbolic patterns and amplitude information, Entropy 21, 1167 (2019)",
        family: Family::Regularity,
        accepts: Accepts::Series,
        cost: "O(N m)",
        gpu: false,
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        if p.steep <= p.flat {
            return Err(crate::params::ParameterError::Invalid {
                of: Self::ABOUT.id.to_owned(),
                key: "steep".to_owned(),
                given: p.steep.to_string(),
                expected: format!("expected more than flat, which is {}", p.flat),
            }
            .into());
        }
        let series = input.series()?;
        let (letters, delay) = (p.m as usize - 1, p.delay as usize);
        long_enough(&series, delay + letters, format!("a word of {letters} slopes at delay {delay}"))?;
        let n = series.values.len() as u64;
        context.pace.tick(0, n).await?;
        let name = "plug-in, five slopes";
        let sd = standard_deviation(&series.values);
        if p.zscore && (sd <= 0.0 || series.values.windows(2).all(|w| w[0] == w[1])) {
            return Ok(Outcome::new(Value::Undefined(Undefined::ZeroVariance), Unit::Bits, name, n));
        }
        let unit = if p.zscore { sd } else { 1.0 };
        let (mut slopes, mut stretches) = (Vec::with_capacity(series.values.len()), Vec::new());
        for stretch in &series.stretches {
            let part = &series.values[stretch.clone()];
            let start = slopes.len();
            for (a, b) in part.iter().zip(&part[delay.min(part.len())..]) {
                let degrees = ((b - a) / unit).atan().to_degrees();
                slopes.push(match degrees {
                    d if d > p.steep => 4,
                    d if d > p.flat => 3,
                    d if d < -p.steep => 0,
                    d if d < -p.flat => 1,
                    _ => 2_u8,
                });
            }
            stretches.push(start..slopes.len());
        }
        let words = Words::of(&slopes, &stretches, 5, letters, 1);
        let bits = words.nats() / std::f64::consts::LN_2;
        let mut outcome = Outcome::new(Value::Scalar(bits), Unit::Bits, name, n).detail("words", words.counts.len());
        if !p.zscore {
            outcome = outcome.detail("unit", "angles of the raw values: another unit gives another value");
        }
        if n < 5_u64.saturating_pow(p.m - 1) {
            outcome = outcome.warn("too_short", "fewer samples than there are words");
        }
        Ok(outcome)
    }
}

/// Parameters of bubble entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BubbleParams {
    /// Samples of a window, m; compared with windows of m + 1.
    #[schemars(range(min = 2, max = 64))]
    pub m: u32,
    /// Delay τ: samples between neighbouring values of a window.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub delay: u32,
}

impl Default for BubbleParams {
    fn default() -> Self {
        Self { m: 10, delay: 1 }
    }
}

/// Bubble entropy.
pub struct Bubble;

impl Measure for Bubble {
    type Params = BubbleParams;
    const ABOUT: About = About {
        id: "bubble",
        title: "Bubble entropy",
        summary: "How the spread of the work of sorting a window grows with its length; nearly free of parameters.",
        equation: "[H₂(m+1) − H₂(m)] / ln((m+1)/(m−1)), H₂ = −ln Σ p_k² over the inversions k of windows",
        source: "Manis, Aktaruzzaman & Sassi, Bubble entropy: an entropy almost free of parameters, IEEE Trans. Biomed. Eng. 64, 2711 (2017)",
        family: Family::Regularity,
        accepts: Accepts::Series,
        cost: "O(N m²)",
        gpu: false,
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        let (m, delay) = (p.m as usize, p.delay as usize);
        long_enough(&series, m * delay + 1, format!("a window of {} values at delay {delay}", m + 1))?;
        let n = series.values.len();
        let shorter = inversions(&series, m, delay, context).await?;
        let longer = inversions(&series, m + 1, delay, context).await?;
        let spread = (f64::from(p.m + 1) / f64::from(p.m - 1)).ln();
        let value = (collision_nats(&longer) - collision_nats(&shorter)) / spread;
        let mut outcome = Outcome::new(Value::Scalar(value), Unit::One, "Rényi-2, plug-in", n as u64);
        if n < 100 {
            outcome = outcome.warn("too_short", "fewer than 100 samples");
        }
        Ok(outcome)
    }
}

/// How many windows have 0, 1, … inversions: pairs of which the earlier value is the larger, which are the swaps of bubble
/// sort. The sort itself is not run.
async fn inversions(
    series: &Series<'_>,
    m: usize,
    delay: usize,
    context: &Context<'_>,
) -> Result<Vec<u64>, MeasureError> {
    let span = (m - 1) * delay;
    let mut counts = vec![0_u64; m * (m - 1) / 2 + 1];
    let mut row = vec![0_u16; SLICE];
    let total = series.values.len() as u64;
    for stretch in &series.stretches {
        let x = &series.values[stretch.clone()];
        let windows = x.len().saturating_sub(span);
        for from in (0..windows).step_by(SLICE) {
            context.pace.tick((stretch.start + from) as u64, total).await?;
            let len = SLICE.min(windows - from);
            let row = &mut row[..len];
            row.fill(0);
            // Window by window in lanes: for each pair of places one pass over the windows.
            for i in 0..m {
                for j in i + 1..m {
                    let (a, b) = (&x[from + i * delay..][..len], &x[from + j * delay..][..len]);
                    for ((row, a), b) in row.iter_mut().zip(a).zip(b) {
                        *row += u16::from(a > b);
                    }
                }
            }
            for &k in &*row {
                counts[usize::from(k)] += 1;
            }
        }
    }
    Ok(counts)
}

/// −ln Σ p².
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
fn collision_nats(counts: &[u64]) -> f64 {
    let total = counts.iter().sum::<u64>() as f64;
    -counts.iter().map(|&c| (c as f64 / total).powi(2)).sum::<f64>().ln()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{compute::Cpu, data::Column, measure::Context, pace::Unhurried, rng::Philox};

    fn value(id: &str, parameters: &serde_json::Value, x: Vec<f64>) -> f64 {
        let column = Column::real("x", x);
        let context = Context::new(&Cpu, &Unhurried);
        pollster::block_on(crate::measure::run(id, parameters, &column, &context)).unwrap().value.scalar().unwrap()
    }

    fn noise(n: usize) -> Vec<f64> {
        let mut rng = Philox::new(3, 1);
        (0..n).map(|_| rng.normal()).collect()
    }

    #[test]
    fn affine_maps_change_nothing() {
        let x = noise(3000);
        let y: Vec<f64> = x.iter().map(|v| 7.5 * v - 3.0).collect();
        for id in ["dispersion", "slope", "bubble", "fuzzen"] {
            let (a, b) = (value(id, &json!({}), x.clone()), value(id, &json!({}), y.clone()));
            // fuzzen's r is in the unit of the values to the power 1, and d² to the power 2: only the lab's default moves.
            if id == "fuzzen" {
                assert!((a - b).abs() > 0.1, "{a} {b}");
            } else {
                assert!((a - b).abs() < 1e-9, "{id}: {a} {b}");
            }
        }
    }

    #[test]
    fn noise_uses_nearly_all_words_and_a_ramp_few() {
        let x = noise(20_000);
        let ramp: Vec<f64> = (0..1000).map(f64::from).collect();
        let normalised = json!({ "normalize": true });
        assert!(value("dispersion", &normalised, x.clone()) > 0.99);
        assert!(value("slope", &json!({}), ramp.clone()) < 1e-12);
        // Sorted windows have no inversion at all: no spread at either length.
        assert!(value("bubble", &json!({}), ramp).abs() < 1e-12);
        // Inversions of random windows are nearly normal of variance m(m−1)(2m+5)/72: H₂ = ln(2 √π sd).
        let sd = |m: f64| (m * (m - 1.0) * (2.0 * m + 5.0) / 72.0).sqrt();
        let truth = (sd(11.0) / sd(10.0)).ln() / (11.0_f64 / 9.0).ln();
        assert!((value("bubble", &json!({}), x) - truth).abs() < 0.05, "{truth}");
    }
}
