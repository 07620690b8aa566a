//! An entropy in a window that moves along a series.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Series, Value,
    discrete::plugin_bits,
    ordinal::{OrdinalWindows, patterns},
};
use crate::{
    figure::{self, Axis, Colour, Figure, Mark, Panel},
    quantity::Unit,
};

/// Buckets of the series' picture; a longer series is drawn as its range in each bucket.
const BUCKETS: usize = 1200;
/// The default window is this share of the series, within [`SHORTEST`] and [`LONGEST`].
const SHARE: usize = 16;
const SHORTEST: usize = 32;
const LONGEST: usize = 4096;
/// Windows between two calls of [`crate::pace::Pace::tick`].
const TICK: usize = 512;

/// What is computed in each window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Windowed {
    /// Normalised permutation entropy.
    #[default]
    Perm,
    /// Entropy of equal bins over the range of the whole series.
    Hist,
}

/// Parameters of the windowed profile.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SeriesProfileParams {
    /// Entropy in each window: of ordinal patterns, normalised (perm), or of equal bins over the whole range (hist).
    pub measure: Windowed,
    /// Samples in a window; empty takes a sixteenth of the series, at least 32 and at most 4096.
    #[schemars(range(min = 8, max = 16_777_216))]
    pub window: Option<u32>,
    /// Samples from one window to the next; empty takes a quarter of a window.
    #[schemars(range(min = 1, max = 16_777_216))]
    pub hop: Option<u32>,
    /// Embedding dimension of perm.
    #[schemars(range(min = 2, max = 6))]
    pub order: u32,
    /// Embedding delay of perm.
    #[schemars(range(min = 1, max = 100_000))]
    pub delay: u32,
    /// Bins of hist.
    #[schemars(range(min = 2, max = 4096))]
    pub bins: u32,
}

impl Default for SeriesProfileParams {
    fn default() -> Self {
        Self { measure: Windowed::Perm, window: None, hop: None, order: 3, delay: 1, bins: 16 }
    }
}

/// The windowed entropy of a series.
pub struct SeriesProfile;

impl Measure for SeriesProfile {
    type Params = SeriesProfileParams;
    const ABOUT: About = About {
        id: "series.profile",
        title: "Windowed entropy",
        summary: "An entropy along the series, window by window: where it becomes regular or noisy.",
        equation: "H_j of the samples j·hop … j·hop + window − 1",
        tex: &[r"H_j = H(x_{jh}, \ldots, x_{jh+w-1})", r"h \text{ the hop}, \quad w \text{ the window}"],
        source: "Cao et al., Detecting dynamical changes in time series using the permutation entropy, Phys. Rev. E 70, 046217 (2004)",
        family: Family::Profile,
        accepts: Accepts::Series,
        cost: "O(N m) for perm, O(N) for hist",
        gpu: false,
        unit: "1 for perm, bits for hist",
        uncertainty: "none",
        bias: "low in every window; equal for all windows of one size, so that they compare",
    };

    #[expect(clippy::cast_precision_loss, reason = "a picture")]
    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        if series.stretches.len() > 1 {
            return Err(MeasureError::Gaps { count: series.omitted });
        }
        let n = series.values.len();
        let window = p.window.map_or_else(|| (n / SHARE).clamp(SHORTEST, LONGEST), |w| w as usize);
        let hop = p.hop.map_or_else(|| (window / 4).max(1), |h| h as usize);
        let span = (p.order as usize - 1).saturating_mul(p.delay as usize) + 1;
        let needed = if p.measure == Windowed::Perm { window.max(span) } else { window };
        if n < needed || window < span && p.measure == Windowed::Perm {
            let what = format!("one window of {window} samples at order {} and delay {}", p.order, p.delay);
            return Err(MeasureError::TooShort { n: n as u64, what, needed: needed as u64 });
        }
        // The symbol of each sample, how many symbols a window holds, and how many symbols there are.
        let (symbols, inside, alphabet) = match p.measure {
            Windowed::Perm => {
                let windows = OrdinalWindows { series: &series, order: p.order, delay: p.delay as usize };
                (windows.keys(context.pace).await?, window + 1 - span, patterns(p.order))
            }
            Windowed::Hist => (bins(&series, p.bins), window, p.bins as usize),
        };
        let total = (n - window) / hop + 1;
        let (unit, scale) = match p.measure {
            Windowed::Perm => (Unit::One, (alphabet as f64).log2().recip()),
            Windowed::Hist => (Unit::Bits, 1.0),
        };
        let mut profile = Vec::with_capacity(total);
        let mut counts = vec![0_u64; alphabet];
        let (mut from, mut to) = (0, 0);
        for j in 0..total {
            let (start, end) = (j * hop, j * hop + inside);
            if start >= to {
                counts.fill(0);
                (from, to) = (start, start);
            }
            symbols[from..start].iter().for_each(|&s| counts[usize::from(s)] -= 1);
            symbols[to..end].iter().for_each(|&s| counts[usize::from(s)] += 1);
            (from, to) = (start, end);
            profile.push(plugin_bits(&counts) * scale);
            if j % TICK == TICK - 1 {
                context.pace.tick(j as u64, total as u64).await?;
            }
        }
        let figure = picture(&series, &profile, window, hop, unit, &input.label());
        let name = match p.measure {
            Windowed::Perm => "permutation entropy, normalised",
            Windowed::Hist => "plug-in of bin counts",
        };
        Ok(Outcome::new(Value::Vector(profile), unit, name, n as u64)
            .detail("window", window)
            .detail("hop", hop)
            .detail("windows", total)
            .figure(figure))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "indices are clamped to 0..bins, and bins is at most 4096"
)]
fn bins(series: &Series<'_>, bins: u32) -> Vec<u16> {
    let x = &series.values;
    let (low, high) = x.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, z), &v| (a.min(v), z.max(v)));
    let scale = if high > low { f64::from(bins) / (high - low) } else { 0.0 };
    x.iter().map(|v| (((v - low) * scale) as u32).min(bins - 1) as u16).collect()
}

/// The series above, its entropy below, each value at the middle of its window.
#[expect(clippy::cast_precision_loss, reason = "a picture")]
fn picture(series: &Series<'_>, profile: &[f64], window: usize, hop: usize, unit: Unit, label: &str) -> Figure {
    let x = &series.values;
    let marks = vec![figure::series(x, |index| index, BUCKETS, "", Colour::First)];
    // Thinned only where the series above is condensed too.
    let step = profile.len().div_ceil(2 * BUCKETS).max(1);
    let middles = (0..profile.len()).step_by(step).map(|j| (j * hop + window / 2) as f64).collect();
    let values = profile.iter().copied().step_by(step).collect();
    let lowest = profile.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).map_or((0, 0.0), |(j, h)| (j, *h));
    let range = if unit == Unit::One { Some((0.0, 1.0)) } else { None };
    let last = x.len().saturating_sub(1) as f64;
    let samples = Axis::new("sample").within(0.0, last.max(1.0));
    Figure {
        id: "series".to_owned(),
        title: format!("{label} and its entropy in windows of {window}"),
        description: format!(
            "{} samples; the entropy is lowest, {:.3}, in the window that begins at sample {}.",
            x.len(),
            lowest.1,
            lowest.0 * hop
        ),
        panels: vec![
            Panel { x: Axis { title: String::new(), ..samples.clone() }, y: Axis::new(label), marks, weight: 1.2 },
            Panel {
                x: samples,
                y: Axis { range, ..Axis::new(if unit == Unit::One { "normalised entropy" } else { "entropy (bits)" }) },
                marks: vec![Mark::Line { name: String::new(), x: middles, y: values, colour: Colour::Second }],
                weight: 1.0,
            },
        ],
    }
}
