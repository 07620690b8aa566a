//! Entropy of binned real values.
//!
//! Bins are those of `numpy.histogram_bin_edges`: equal widths from the minimum to the maximum, the right edge
//! closed on the last bin only. `hist.entropy` is the plug-in entropy of the bin counts; `diff.hist` adds the
//! log of the bin width and so estimates the differential entropy. The two must never be mixed: only the
//! second has a limit as N grows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, ParameterError, Undefined, Value,
    discrete::plugin_bits, uncertainty,
};
use crate::{
    figure::{Axis, Colour, Figure, Mark, Panel},
    quantity::{Uncertainty, Unit},
};

/// Heavy tails ask for millions of bins; more than this are never made.
const MOST_BINS: usize = 1 << 16;
/// Below this many values a histogram says little.
const ENOUGH: u64 = 30;
/// More bars than this are merged for the picture.
const MOST_BARS: usize = 400;

/// How many bins: a number, or the name of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Bins {
    /// This many, 2..=65536.
    Count(u32),
    /// `fd`, `scott`, `sturges`, `doane`, `rice`, `sqrt` or `auto`.
    Rule(String),
}

/// Parameters of the histogram measures.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HistogramParams {
    /// A number of bins from 1 to 65536, or a rule: fd (Freedman-Diaconis), scott, sturges, doane, rice, sqrt, auto.
    pub bins: Bins,
}

impl Default for HistogramParams {
    fn default() -> Self {
        Self { bins: Bins::Rule("fd".to_owned()) }
    }
}

/// Counts in equal bins.
struct Histogram {
    counts: Vec<u64>,
    /// The bin of each value, for resampling.
    indices: Vec<u32>,
    low: f64,
    high: f64,
    rule: String,
    capped: bool,
    omitted: u64,
}

impl Histogram {
    #[expect(clippy::cast_precision_loss, reason = "at most 2^16 bins")]
    fn width(&self) -> f64 {
        (self.high - self.low) / self.counts.len() as f64
    }
}

fn histogram(bins: &Bins, id: &str, input: &Input<'_>) -> Result<Histogram, MeasureError> {
    let series = input.series()?;
    let x = &series.values;
    if x.len() < 2 {
        return Err(MeasureError::TooShort { n: x.len() as u64, what: "a histogram".to_owned(), needed: 2 });
    }
    let (mut low, mut high) = x.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, z), &v| (a.min(v), z.max(v)));
    let constant = low == high;
    let wanted = bin_count(bins, x, low, high).ok_or_else(|| ParameterError::Invalid {
        of: id.to_owned(),
        key: "bins".to_owned(),
        given: serde_json::to_string(bins).unwrap_or_default(),
        expected: "expected a number of bins from 1 to 65536, or one of fd, scott, sturges, doane, rice, sqrt, auto"
            .to_owned(),
    })?;
    let (count, rule) = wanted;
    if constant {
        // numpy's choice for a range of zero; the width carries no information about the data.
        (low, high) = (low - 0.5, high + 0.5);
    }
    let bins = count.clamp(1, MOST_BINS);
    let indices = assign(x, low, high, bins);
    let mut counts = vec![0; bins];
    for &i in &indices {
        counts[i as usize] += 1;
    }
    Ok(Histogram { counts, indices, low, high, rule, capped: count > MOST_BINS, omitted: series.omitted })
}

/// The bin of each value, with numpy's correction: a value that rounding put into a neighbour's bin is moved to the
/// bin whose edges, computed as `low + i * step`, enclose it.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "indices are clamped to 0..bins, and bins is at most 2^16"
)]
fn assign(x: &[f64], low: f64, high: f64, bins: usize) -> Vec<u32> {
    let step = (high - low) / bins as f64;
    // numpy.linspace: start + i * step, with the end exact
    let edge = |i: usize| if i == bins { high } else { i as f64 * step + low };
    let scale = bins as f64 / (high - low);
    x.iter()
        .map(|&v| {
            let mut i = (((v - low) * scale) as usize).min(bins - 1);
            if v < edge(i) {
                i = i.saturating_sub(1);
            } else if i + 1 < bins && v >= edge(i + 1) {
                i += 1;
            }
            i as u32
        })
        .collect()
}

/// The number of bins and the rule's name; `None` for a word that is no rule.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a bin count is capped far below 2^53"
)]
fn bin_count(bins: &Bins, x: &[f64], low: f64, high: f64) -> Option<(usize, String)> {
    let rule = match bins {
        Bins::Count(k) => return (1..=65_536).contains(k).then(|| (*k as usize, "count".to_owned())),
        Bins::Rule(rule) => rule.as_str(),
    };
    let n = x.len() as f64;
    let range = high - low;
    let from_width = |width: f64| {
        if width > 0.0 { (range / width).ceil().min(1e9) as usize } else { 1 }
    };
    let sturges = || range / (n.log2() + 1.0);
    let freedman_diaconis = || {
        let mut values = x.to_vec();
        let iqr = uncertainty::quantile_of(&mut values, 0.75) - uncertainty::quantile_of(&mut values, 0.25);
        2.0 * iqr / n.cbrt()
    };
    let mean = x.iter().sum::<f64>() / n;
    let moment = |k: i32| x.iter().map(|v| (v - mean).powi(k)).sum::<f64>() / n;
    let count = match rule {
        "fd" => match freedman_diaconis() {
            width if width > 0.0 => from_width(width),
            // numpy would give one bin; an IQR of zero says nothing about the rest.
            _ => return Some((from_width(sturges()), "sturges (IQR is 0)".to_owned())),
        },
        "auto" => {
            let (fd, st) = (freedman_diaconis(), sturges());
            from_width(if fd > 0.0 { fd.min(st) } else { st })
        }
        "scott" => from_width((24.0 * std::f64::consts::PI.sqrt() / n).cbrt() * moment(2).sqrt()),
        "sturges" => from_width(sturges()),
        "rice" => from_width(range / (2.0 * n.cbrt())),
        "sqrt" => from_width(range / n.sqrt()),
        "doane" => {
            let sigma = moment(2).sqrt();
            if n > 2.0 && sigma > 0.0 {
                let spread = (6.0 * (n - 2.0) / ((n + 1.0) * (n + 3.0))).sqrt();
                let skewness = x.iter().map(|v| ((v - mean) / sigma).powi(3)).sum::<f64>() / n;
                from_width(range / (1.0 + n.log2() + (1.0 + skewness.abs() / spread).log2()))
            } else {
                1
            }
        }
        _ => return None,
    };
    Some((count.max(1), rule.to_owned()))
}

/// The bars; neighbours are merged where there are more than a picture can show.
#[expect(clippy::cast_precision_loss, reason = "a picture")]
fn picture(h: &Histogram, label: &str) -> Figure {
    let merge = h.counts.len().div_ceil(MOST_BARS);
    let heights: Vec<f64> = h.counts.chunks(merge).map(|c| c.iter().sum::<u64>() as f64).collect();
    let width = h.width() * merge as f64;
    let edges = (0..=heights.len()).map(|i| (h.low + i as f64 * width).min(h.high)).collect();
    let fullest = heights.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map_or(0, |(i, _)| i);
    Figure {
        id: "distribution".to_owned(),
        title: format!("Distribution of {label}"),
        description: format!(
            "{} bins from {:.4} to {:.4}; the fullest begins at {:.4} and holds {} of {} values.",
            h.counts.len(),
            h.low,
            h.high,
            h.low + fullest as f64 * width,
            heights.get(fullest).copied().unwrap_or_default(),
            h.indices.len()
        ),
        panels: vec![Panel {
            x: Axis::new(label),
            y: Axis::new("values in a bin"),
            marks: vec![Mark::Bars { edges, heights, colour: Colour::First }],
            weight: 1.0,
        }],
    }
}

fn annotate(mut outcome: Outcome, h: &Histogram, label: &str) -> Outcome {
    outcome = outcome.detail("bins", h.counts.len()).detail("rule", h.rule.clone()).detail("bin_width", h.width());
    if h.omitted > 0 {
        outcome = outcome.detail("omitted", h.omitted);
    }
    if h.capped {
        outcome = outcome.warn("capped", format!("the rule asked for more than {MOST_BINS} bins"));
    }
    if outcome.n < ENOUGH {
        outcome = outcome.warn("too_short", format!("fewer than {ENOUGH} samples"));
    }
    outcome.figure(picture(h, label))
}

/// The plug-in entropy of bin counts.
pub struct HistogramEntropy;

impl Measure for HistogramEntropy {
    type Params = HistogramParams;
    const ABOUT: About = About {
        id: "hist.entropy",
        title: "Histogram entropy",
        summary: "The entropy of real values sorted into equal bins; it grows with the number of bins.",
        equation: "H = −Σ pᵢ log₂ pᵢ over bins of equal width from the minimum to the maximum",
        tex: &[r"H = -\sum_i p_i \log_2 p_i", r"i \text{ over bins of equal width from the minimum to the maximum}"],
        source: "Scott, Multivariate Density Estimation (1992); bin rules as numpy.histogram_bin_edges",
        family: Family::Histogram,
        accepts: Accepts::Series,
        cost: "O(N)",
        gpu: false,
        unit: "bits",
        uncertainty: "moving-block bootstrap, blocks of ⌈n^(1/3)⌉ windows; contiguous groups of windows for long series",
        bias: "low by about (bins occupied − 1)/(2 N ln 2), and it depends on the bins: no limit as N grows",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let h = histogram(&p.bins, Self::ABOUT.id, input)?;
        let value = Value::Scalar(plugin_bits(&h.counts));
        let mut outcome = Outcome::new(value, Unit::Bits, "plug-in of bin counts", h.indices.len() as u64);
        outcome.uncertainty = uncertainty::moving_block(&h.indices, h.counts.len(), &plugin_bits, context).await?;
        Ok(annotate(outcome, &h, &input.label()))
    }
}

/// The differential entropy by a histogram.
pub struct DifferentialHistogram;

impl Measure for DifferentialHistogram {
    type Params = HistogramParams;
    const ABOUT: About = About {
        id: "diff.hist",
        title: "Differential entropy, histogram",
        summary: "Histogram entropy plus the log of the bin width: an estimate of −∫ f log₂ f that may be negative.",
        equation: "h = −Σ pᵢ log₂ pᵢ + log₂ Δ, Δ the bin width",
        tex: &[r"h = -\sum_i p_i \log_2 p_i + \log_2 \Delta", r"\Delta \text{ the bin width}"],
        source: "Cover & Thomas, Elements of Information Theory, 2nd ed., section 8.3 (2006)",
        family: Family::Histogram,
        accepts: Accepts::Series,
        cost: "O(N)",
        gpu: false,
        unit: "bits",
        uncertainty: "moving-block bootstrap, blocks of ⌈n^(1/3)⌉ windows; contiguous groups of windows for long series",
        bias: "that of the counts, and high or low by how much the density bends within a bin",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let h = histogram(&p.bins, Self::ABOUT.id, input)?;
        let n = h.indices.len() as u64;
        if h.indices.iter().all(|&i| i == h.indices[0]) && input.series()?.values.windows(2).all(|w| w[0] == w[1]) {
            return Ok(Outcome::new(Value::Undefined(Undefined::ZeroWidth), Unit::Bits, "plug-in of bin counts", n));
        }
        let shift = h.width().log2();
        let value = Value::Scalar(plugin_bits(&h.counts) + shift);
        let mut outcome = Outcome::new(value, Unit::Bits, "plug-in of bin counts + log₂ bin width", n);
        let interval = uncertainty::moving_block(&h.indices, h.counts.len(), &plugin_bits, context).await?;
        outcome.uncertainty = interval.map(|u| Uncertainty { low: u.low + shift, high: u.high + shift, ..u });
        Ok(annotate(outcome, &h, &input.label()))
    }
}
