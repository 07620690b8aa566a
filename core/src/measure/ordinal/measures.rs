//! Permutation entropy, weighted permutation entropy, and the patterns that never occur.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{OrdinalWindows, pattern_name, patterns, streaming::OrdinalStream};
use crate::{
    data::Column,
    figure::{Axis, Colour, Figure, Mark, Panel},
    measure::{
        About, Accepts, Accumulator, Context, Family, Input, Measure, MeasureError, Outcome, Series, Undefined, Value,
        discrete::plugin_bits, uncertainty,
    },
    quantity::Unit,
    rng::Philox,
};

/// A tie fraction above which the rule for ties may decide the value.
const TIES_WORTH_A_WARNING: f64 = 0.01;
/// The random stream that breaks ties.
const JITTER_STREAM: u64 = 0x6a69_7474;

/// What becomes of equal values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Ties {
    /// The earlier value counts as the smaller one.
    #[default]
    Time,
    /// A seeded coin decides.
    Jitter,
}

/// Parameters of permutation entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PermutationParams {
    /// Embedding dimension m: the number of values in a window.
    #[schemars(range(min = 2, max = 8))]
    pub order: u32,
    /// Embedding delay τ: samples between neighbouring values of a window.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub delay: u32,
    /// Divide by log₂ m!, so that the value lies in [0, 1].
    pub normalize: bool,
    /// Equal values: the earlier one counts as smaller (time), or a seeded coin decides (jitter).
    pub ties: Ties,
}

impl Default for PermutationParams {
    fn default() -> Self {
        Self { order: 3, delay: 1, normalize: false, ties: Ties::Time }
    }
}

/// Parameters of measures that have an order and a delay only.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PatternParams {
    /// Embedding dimension m: the number of values in a window.
    #[schemars(range(min = 2, max = 8))]
    pub order: u32,
    /// Embedding delay τ: samples between neighbouring values of a window.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub delay: u32,
}

impl Default for PatternParams {
    fn default() -> Self {
        Self { order: 3, delay: 1 }
    }
}

/// The windows of `series`, or the error that there is none.
pub(super) fn windows<'a>(series: &'a Series<'a>, order: u32, delay: u32) -> Result<OrdinalWindows<'a>, MeasureError> {
    let windows = OrdinalWindows { series, order, delay: delay as usize };
    if windows.is_empty() {
        return Err(MeasureError::TooShort {
            n: series.values.len() as u64,
            what: format!("a window of order {order} and delay {delay}"),
            needed: windows.span() as u64,
        });
    }
    Ok(windows)
}

/// What all ordinal measures note beside their value.
pub(super) struct Notes {
    pub(super) order: u32,
    pub(super) n: u64,
    pub(super) windows: u64,
    pub(super) ties: f64,
    pub(super) omitted: u64,
}

impl Notes {
    pub(super) fn of(windows: &OrdinalWindows<'_>) -> Self {
        Self {
            order: windows.order,
            n: windows.series.values.len() as u64,
            windows: windows.len() as u64,
            ties: windows.tie_fraction(),
            omitted: windows.series.omitted,
        }
    }

    /// Adds what was used and what to be careful about.
    pub(super) fn annotate(&self, outcome: Outcome) -> Outcome {
        let mut outcome = outcome.detail("windows", self.windows).detail("ties_fraction", self.ties);
        if self.omitted > 0 {
            outcome = outcome.detail("omitted", self.omitted);
        }
        let enough = 5 * patterns(self.order) as u64;
        if self.n < enough {
            outcome = outcome.warn("too_short", format!("fewer than 5 m! = {enough} samples"));
        }
        if self.ties > TIES_WORTH_A_WARNING {
            let text = format!("{:.1} % of neighbours are equal: the rule for ties matters", 100.0 * self.ties);
            outcome = outcome.warn("ties", text);
        }
        outcome
    }
}

/// The bars of the patterns, with the uniform expectation.
pub(super) fn bars(counts: &[u64], order: u32, delay: u32) -> Figure {
    let total = counts.iter().sum::<u64>();
    #[expect(clippy::cast_precision_loss, reason = "a picture")]
    let share = |c: u64| if total == 0 { 0.0 } else { c as f64 / total as f64 };
    let heights: Vec<f64> = counts.iter().map(|&c| share(c)).collect();
    let missing = counts.iter().filter(|&&c| c == 0).count();
    #[expect(clippy::cast_precision_loss, reason = "at most 8! patterns")]
    let (edges, uniform) = ((0..=counts.len()).map(|i| i as f64 - 0.5).collect(), 1.0 / counts.len() as f64);
    Figure {
        id: "patterns".to_owned(),
        title: format!("Ordinal patterns of order {order}, delay {delay}"),
        description: format!(
            "{} of {} patterns occur; the commonest has {:.1} % of the windows, equal shares would be {:.1} %.",
            counts.len() - missing,
            counts.len(),
            100.0 * heights.iter().copied().fold(0.0, f64::max),
            100.0 * uniform
        ),
        panels: vec![Panel {
            x: Axis {
                title: "pattern (ranks in time order)".to_owned(),
                names: (0..counts.len()).map(|key| pattern_name(key, order)).collect(),
                ..Axis::default()
            },
            y: Axis::new("share of windows"),
            marks: vec![
                Mark::Bars { edges, heights, colour: Colour::First },
                Mark::Reference { y: uniform, label: "equal shares".to_owned() },
            ],
            weight: 1.0,
        }],
    }
}

/// Ranks with ties broken by a seeded coin: the order of distinct values is kept.
fn jittered<'a>(series: &Series<'a>, seed: u64) -> Series<'a> {
    let mut rng = Philox::new(seed, JITTER_STREAM);
    let values = super::dense_ranks(&series.values).into_iter().map(|r| f64::from(r) + rng.uniform()).collect();
    Series { values, stretches: series.stretches.clone(), omitted: series.omitted }
}

/// Permutation entropy.
pub struct Permutation;

impl Measure for Permutation {
    type Params = PermutationParams;
    const ABOUT: About = About {
        id: "perm",
        title: "Permutation entropy",
        summary: "How evenly the order patterns of short windows occur: 0 for a monotone series, log₂ m! for noise.",
        equation: "H = −Σ p(π) log₂ p(π) over the m! ordinal patterns π of (x_i, x_{i+τ}, …, x_{i+(m−1)τ})",
        source: "Bandt & Pompe, Permutation entropy: a natural complexity measure for time series, Phys. Rev. Lett. 88, 174102 (2002)",
        family: Family::Ordinal,
        accepts: Accepts::Series,
        cost: "O(N m)",
        gpu: true,
        unit: "bits, or 1 where normalised",
        uncertainty: "moving-block bootstrap, blocks of ⌈n^(1/3)⌉ windows; contiguous groups of windows for long series",
        bias: "low by about (patterns − 1)/(2 N ln 2) bits; overlapping windows make it larger",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        let broken = (p.ties == Ties::Jitter).then(|| jittered(&series, context.seed));
        let used = broken.as_ref().unwrap_or(&series);
        let windows = windows(used, p.order, p.delay)?;
        let done = context.compute.ordinal_counts(&windows, context.pace).await?;
        let entropy = |counts: &[u64]| entropy(&p, counts);
        let mut outcome = outcome_of(&p, &done.value, used.values.len() as u64);
        if context.resamples > 0 {
            let keys = windows.keys(context.pace).await?;
            outcome.uncertainty = uncertainty::moving_block(&keys, done.value.len(), &entropy, context).await?;
        }
        // Ties are those of the data, not of the jittered copy.
        let original = OrdinalWindows { series: &series, ..windows };
        Ok(Notes::of(&original).annotate(outcome).ran(done.ran))
    }

    fn accumulator(p: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        if p.ties == Ties::Jitter {
            return Ok(None);
        }
        Ok(Some(OrdinalStream::boxed(p.order, p.delay, move |counts, n| outcome_of(&p, counts, n))))
    }
}

fn entropy(p: &PermutationParams, counts: &[u64]) -> f64 {
    plugin_bits(counts) * if p.normalize { log2_patterns(p.order).recip() } else { 1.0 }
}

fn outcome_of(p: &PermutationParams, counts: &[u64], n: u64) -> Outcome {
    let unit = if p.normalize { Unit::One } else { Unit::Bits };
    Outcome::new(Value::Scalar(entropy(p, counts)), unit, "plug-in", n).figure(bars(counts, p.order, p.delay))
}

pub(super) fn log2_patterns(order: u32) -> f64 {
    (2..=order).map(|k| f64::from(k).log2()).sum()
}

/// Weighted permutation entropy.
pub struct Weighted;

impl Measure for Weighted {
    type Params = PatternParams;
    const ABOUT: About = About {
        id: "perm.weighted",
        title: "Weighted permutation entropy",
        summary: "Permutation entropy in which each window counts by its variance, so that small noise on a plateau weighs little.",
        equation: "H = −Σ p_w(π) log₂ p_w(π), p_w(π) = Σ_{i: π} w_i / Σ w_i, w_i the population variance of window i",
        source: "Fadlallah, Chen, Keil & Príncipe, Weighted-permutation entropy, Phys. Rev. E 87, 022911 (2013)",
        family: Family::Ordinal,
        accepts: Accepts::Series,
        cost: "O(N m)",
        gpu: false,
        unit: "bits",
        uncertainty: "none",
        bias: "low, as permutation entropy, more so where a few windows carry the weight",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        let windows = windows(&series, p.order, p.delay)?;
        let weights = windows.weights(context.pace).await?;
        let total: f64 = weights.iter().sum();
        let value = if total > 0.0 {
            let entropy: f64 = weights.iter().filter(|w| **w > 0.0).map(|w| w / total).map(|q| -q * q.log2()).sum();
            Value::Scalar(entropy.max(0.0))
        } else {
            Value::Undefined(Undefined::ZeroWeights)
        };
        let outcome = Outcome::new(value, Unit::Bits, "plug-in, variance weights", series.values.len() as u64);
        Ok(Notes::of(&windows).annotate(outcome))
    }
}

/// The fraction of patterns that never occur.
pub struct MissingFraction;

/// Parameters of the missing fraction: order 5 by default, since three values hide too little.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MissingParams {
    /// Embedding dimension m: the number of values in a window.
    #[schemars(range(min = 2, max = 8))]
    pub order: u32,
    /// Embedding delay τ: samples between neighbouring values of a window.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub delay: u32,
}

impl Default for MissingParams {
    fn default() -> Self {
        Self { order: 5, delay: 1 }
    }
}

impl Measure for MissingFraction {
    type Params = MissingParams;
    const ABOUT: About = About {
        id: "perm.missing_fraction",
        title: "Missing ordinal patterns",
        summary: "The share of the m! patterns that never occur: deterministic dynamics forbid some, noise forbids none.",
        equation: "#{π : p(π) = 0} / m!",
        source: "Amigó, Zambrano & Sanjuán, True and false forbidden patterns in deterministic and random dynamics, EPL 79, 50001 (2007)",
        family: Family::Ordinal,
        accepts: Accepts::Series,
        cost: "O(N m)",
        gpu: true,
        unit: "1",
        uncertainty: "none",
        bias: "high: in short series patterns are missing by chance",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        let windows = windows(&series, p.order, p.delay)?;
        let done = context.compute.ordinal_counts(&windows, context.pace).await?;
        let outcome = missing_of(&done.value, series.values.len() as u64);
        Ok(Notes::of(&windows).annotate(outcome).ran(done.ran))
    }

    fn accumulator(p: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        Ok(Some(OrdinalStream::boxed(p.order, p.delay, missing_of)))
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most 8! patterns")]
fn missing_of(counts: &[u64], n: u64) -> Outcome {
    let missing = counts.iter().filter(|&&c| c == 0).count();
    let fraction = missing as f64 / counts.len() as f64;
    Outcome::new(Value::Scalar(fraction), Unit::One, "count", n).detail("missing", missing)
}
