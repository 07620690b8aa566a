//! Permutation entropy, weighted permutation entropy, and the patterns that never occur.

use std::collections::HashMap;

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
    pace::Pace,
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
    /// Equal values share a rank, so that there are more patterns.
    Equal,
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
    /// Divide by log₂ of the number of possible patterns, so that the value lies in [0, 1]: m!, or with ties=equal 3, 13, 75, 541, 4683, 47293, 545835 for m = 2 … 8.
    pub normalize: bool,
    /// Equal values: the earlier one counts as smaller (time), a seeded coin decides (jitter), or they share a rank, which makes further patterns (equal).
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
        tex: &[
            r"H = -\sum_\pi p(\pi) \log_2 p(\pi)",
            r"\pi \text{ the } m! \text{ ordinal patterns of } (x_i, x_{i+\tau}, \ldots, x_{i+(m-1)\tau})",
        ],
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
        if p.ties == Ties::Equal {
            return weak_order_entropy(&p, &series, context).await;
        }
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
        if p.ties != Ties::Time {
            return Ok(None);
        }
        Ok(Some(OrdinalStream::boxed(p.order, p.delay, move |counts, n| outcome_of(&p, counts, n))))
    }
}

/// The entropy of patterns in which equal values share a rank. Bian, Qin, Ma & Shen, Phys. Rev. E 85, 021906 (2012).
async fn weak_order_entropy(
    p: &PermutationParams,
    series: &Series<'_>,
    context: &Context<'_>,
) -> Result<Outcome, MeasureError> {
    let windows = windows(series, p.order, p.delay)?;
    let (keys, patterns) = weak_orders(&windows, context.pace).await?;
    let mut counts = vec![0_u64; patterns];
    keys.iter().for_each(|&key| counts[key as usize] += 1);
    let scale = if p.normalize { f64::from(WEAK_ORDERS[p.order.min(8) as usize]).log2().recip() } else { 1.0 };
    let entropy = |counts: &[u64]| plugin_bits(counts) * scale;
    let unit = if p.normalize { Unit::One } else { Unit::Bits };
    let value = Value::Scalar(entropy(&counts));
    let mut outcome = Outcome::new(value, unit, "plug-in, equal values share a rank", series.values.len() as u64)
        .detail("patterns_seen", patterns);
    outcome.uncertainty = uncertainty::moving_block(&keys, patterns, &entropy, context).await?;
    Ok(Notes::of(&windows).annotate(outcome))
}

/// The number of weak orders of so many values: of orders in which some may be equal (the Fubini numbers).
const WEAK_ORDERS: [u32; 9] = [1, 1, 3, 13, 75, 541, 4683, 47293, 545_835];

/// The weak order of each window, numbered as they appear, and how many there are. A weak order is known by how many
/// smaller values each place has.
async fn weak_orders(windows: &OrdinalWindows<'_>, pace: &dyn Pace) -> Result<(Vec<u32>, usize), MeasureError> {
    const TICK: usize = 1 << 18;
    let (order, delay, x) = (windows.order as usize, windows.delay, &windows.series.values);
    let total = windows.len();
    let mut numbers: HashMap<u32, u32> = HashMap::new();
    let mut keys = Vec::with_capacity(total);
    for start in windows.starts().flatten() {
        let at = |k: usize| x[start + k * delay];
        let smaller = |i: usize| (0..order).map(|j| u32::from(at(j) < at(i))).sum::<u32>();
        let key = (0..order).fold(0, |key, i| key << 3 | smaller(i));
        let next = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        keys.push(*numbers.entry(key).or_insert(next));
        if keys.len() % TICK == 0 {
            pace.tick(keys.len() as u64, total as u64).await?;
        }
    }
    Ok((keys, numbers.len()))
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
        tex: &[
            r"H = -\sum_\pi p_w(\pi) \log_2 p_w(\pi)",
            r"p_w(\pi) = \frac{\sum_{i \colon \pi} w_i}{\sum_i w_i}, \quad i \colon \pi \text{ the windows with pattern } \pi",
            r"w_i \text{ the population variance of window } i",
        ],
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
        tex: &[r"\frac{\lvert \lbrace \pi \colon p(\pi) = 0 \rbrace \rvert}{m!}"],
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

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{compute::Cpu, measure::run, pace::Unhurried};

    fn perm(x: &[f64], params: &serde_json::Value) -> f64 {
        let context = Context::new(&Cpu, &Unhurried);
        pollster::block_on(run("perm", params, &Column::real("x", x.to_vec()), &context))
            .unwrap()
            .value
            .scalar()
            .unwrap()
    }

    proptest! {
        #[test]
        fn equal_values_share_a_rank(raw in prop::collection::vec(-2_i8..3, 8..120), order in 2_usize..6, delay in 1_usize..3) {
            // A series without a window has no entropy, and says so elsewhere.
            prop_assume!(raw.len() > (order - 1) * delay);
            let x: Vec<f64> = raw.iter().map(|&v| f64::from(v)).collect();
            // By definition: the places of the window's values among its distinct values.
            let mut counts: BTreeMap<Vec<usize>, u64> = BTreeMap::new();
            for start in 0..x.len() - (order - 1) * delay {
                let window: Vec<f64> = (0..order).map(|k| x[start + k * delay]).collect();
                let mut distinct = window.clone();
                distinct.sort_by(f64::total_cmp);
                distinct.dedup();
                let ranks = window.iter().map(|v| distinct.iter().position(|d| d == v).unwrap()).collect();
                *counts.entry(ranks).or_insert(0) += 1;
            }
            let expected = plugin_bits(&counts.into_values().collect::<Vec<_>>());
            let got = perm(&x, &json!({"order": order, "delay": delay, "ties": "equal"}));
            prop_assert!((got - expected).abs() < 1e-12, "{got} {expected}");
            let share = perm(&x, &json!({"order": order, "delay": delay, "ties": "equal", "normalize": true}));
            prop_assert!((0.0..=1.0).contains(&share));
        }
    }

    #[test]
    fn without_ties_the_rule_does_not_matter_and_weak_orders_are_counted_right() {
        let x: Vec<f64> = (0..400)
            .map(|i| f64::from(i * i % 401))
            .scan(0.0, |s, v| {
                *s += v;
                Some((*s * 0.7).sin())
            })
            .collect();
        let of = |ties: &str| perm(&x, &json!({"order": 4, "ties": ties}));
        assert!((of("equal") - of("time")).abs() < 1e-12);
        for order in 2_u32..6 {
            let all = order.pow(order);
            let digits = |n: u32| (0..order).map(move |k| n / order.pow(k) % order).collect::<Vec<_>>();
            let key = |w: Vec<u32>| w.iter().map(|a| w.iter().filter(|b| *b < a).count()).collect::<Vec<_>>();
            let seen: HashSet<Vec<usize>> = (0..all).map(|n| key(digits(n))).collect();
            assert_eq!(seen.len(), WEAK_ORDERS[order as usize] as usize);
        }
    }
}
