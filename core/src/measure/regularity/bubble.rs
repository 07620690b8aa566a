//! Bubble entropy: how much the number of swaps that sort a window varies more, when the window is one longer.
//!
//! The swaps of a bubble sort are the inversions of the window. With G_k(j) the number of l in 1..=k for which
//! x_{j−lτ} > x_j, the inversions of the window of k + 1 values at i are those of its first k values plus G_k(i + kτ);
//! so windows of m + 1 values take m passes of one comparison each, for all starts at once.

use multiversion::multiversion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::windows::{WindowStream, Windows, count_all};
use crate::{
    data::Column,
    measure::{
        About, Accepts, Accumulator, Context, Family, Input, Measure, MeasureError, Outcome, Value, uncertainty,
    },
    quantity::Unit,
};

/// Below this many samples the value is dominated by its bias.
const ENOUGH: u64 = 100;

/// With more kinds of windows than this, resampling costs more memory than its interval is worth.
const MOST_RESAMPLED: usize = 1 << 14;

/// Parameters of bubble entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BubbleParams {
    /// Embedding dimension m: windows of m and of m + 1 values are compared.
    #[schemars(range(min = 2, max = 50))]
    pub m: u32,
    /// Embedding delay τ: samples between neighbouring values of a window.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub delay: u32,
}

impl Default for BubbleParams {
    fn default() -> Self {
        Self { m: 10, delay: 1 }
    }
}

/// Counts of windows by their inversions.
struct Swaps {
    m: usize,
    delay: usize,
    /// Windows of m + 1 values that have a inversions among the first m and b more with the last: at a (m + 1) + b.
    joint: Vec<u64>,
    /// The windows of m values at the end of a stretch, by their inversions.
    last: Vec<u64>,
    /// The same as `joint`, window by window, for resampling.
    keys: Option<Vec<u32>>,
    greater: Vec<u16>,
    inversions: Vec<u16>,
}

impl Swaps {
    fn new(p: &BubbleParams, keep_keys: bool) -> Self {
        let m = p.m as usize;
        let shorter = m * (m - 1) / 2 + 1;
        Self {
            m,
            delay: p.delay as usize,
            joint: vec![0; shorter * (m + 1)],
            last: vec![0; shorter],
            keys: (keep_keys && shorter * (m + 1) <= MOST_RESAMPLED).then(Vec::new),
            greater: Vec::new(),
            inversions: Vec::new(),
        }
    }

    /// The inversions of all windows of `length` values; afterwards `greater[i]` is G_k of the value at i + (length−1) τ.
    fn inversions(&mut self, x: &[f64], length: usize) -> usize {
        let windows = (x.len() + 1).saturating_sub((length - 1) * self.delay + 1);
        // greater[j] is of the value at j, for all that some window needs.
        self.greater.clear();
        self.greater.resize(x.len(), 0);
        self.inversions.clear();
        self.inversions.resize(windows, 0);
        if windows == 0 {
            return 0;
        }
        for k in 1..length {
            let lag = k * self.delay;
            count_greater(&mut self.greater[lag..], x, &x[lag..]);
            if k + 1 < length {
                add(&mut self.inversions, &self.greater[lag..]);
            }
        }
        windows
    }

    fn entropies(&self) -> (f64, f64) {
        let mut shorter = self.last.clone();
        let mut longer = vec![0; shorter.len() + self.m];
        margins(&self.joint, self.m, &mut shorter, &mut longer);
        (renyi_2(&shorter), renyi_2(&longer))
    }

    fn total(&self) -> u64 {
        self.joint.iter().sum()
    }
}

/// Adds the counts by inversions over m and over m + 1 values.
fn margins(joint: &[u64], m: usize, shorter: &mut [u64], longer: &mut [u64]) {
    for (a, row) in joint.chunks(m + 1).enumerate() {
        shorter[a] += row.iter().sum::<u64>();
        longer[a..].iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
    }
}

impl Windows for Swaps {
    fn span(&self) -> usize {
        self.m.saturating_mul(self.delay).saturating_add(1)
    }

    fn count(&mut self, values: &[f64]) {
        let windows = self.inversions(values, self.m + 1);
        let from = self.m * self.delay;
        let row = u32::try_from(self.m + 1).unwrap_or(u32::MAX);
        for (inversions, more) in self.inversions.iter().zip(&self.greater[from..from + windows]) {
            let key = u32::from(*inversions) * row + u32::from(*more);
            self.joint[key as usize] += 1;
            if let Some(keys) = &mut self.keys {
                keys.push(key);
            }
        }
    }

    fn end(&mut self, tail: &[f64]) {
        let windows = self.inversions(tail, self.m);
        let from = (self.m - 1) * self.delay;
        for i in 0..windows {
            self.last[usize::from(self.inversions[i] + self.greater[from + i])] += 1;
        }
    }
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn count_greater(counts: &mut [u16], earlier: &[f64], later: &[f64]) {
    const LANES: usize = 16;
    let (wide, rest) = counts.as_chunks_mut::<LANES>();
    let (earlier, early) = earlier[..later.len()].as_chunks::<LANES>();
    let (later, late) = later.as_chunks::<LANES>();
    for ((counts, a), b) in wide.iter_mut().zip(earlier).zip(later) {
        for lane in 0..LANES {
            counts[lane] += u16::from(a[lane] > b[lane]);
        }
    }
    for ((count, a), b) in rest.iter_mut().zip(early).zip(late) {
        *count += u16::from(a > b);
    }
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn add(sums: &mut [u16], terms: &[u16]) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        *sum += *term;
    }
}

/// −ln Σ p², the Rényi entropy of order 2.
#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
fn renyi_2(counts: &[u64]) -> f64 {
    let n = counts.iter().sum::<u64>() as f64;
    -counts.iter().map(|&c| (c as f64 / n).powi(2)).sum::<f64>().ln()
}

fn bubble((shorter, longer): (f64, f64), m: u32) -> f64 {
    (longer - shorter) / (f64::from(m + 1) / f64::from(m - 1)).ln()
}

fn outcome_of(p: &BubbleParams, swaps: &Swaps, n: u64, omitted: u64) -> Result<Outcome, MeasureError> {
    if swaps.total() == 0 {
        let what = format!("a window of order {} and delay {}", p.m + 1, p.delay);
        return Err(MeasureError::TooShort { n, what, needed: u64::from(p.m) * u64::from(p.delay) + 1 });
    }
    let entropies = swaps.entropies();
    let mut outcome = Outcome::new(Value::Scalar(bubble(entropies, p.m)), Unit::One, "Rényi-2 of swap counts", n)
        .detail("renyi_2_m_nats", entropies.0)
        .detail("renyi_2_m_plus_1_nats", entropies.1);
    if omitted > 0 {
        outcome = outcome.detail("omitted", omitted);
    }
    if n < ENOUGH {
        outcome = outcome.warn("too_short", format!("fewer than {ENOUGH} samples"));
    }
    Ok(outcome)
}

/// Bubble entropy.
pub struct Bubble;

impl Measure for Bubble {
    type Params = BubbleParams;
    const ABOUT: About = About {
        id: "bubble",
        title: "Bubble entropy",
        summary: "Entropy gained, when windows grow by one value, in the number of swaps that sort them: nearly free of parameters.",
        equation: "bEn = [H₂(m+1) − H₂(m)] / ln((m+1)/(m−1)), H₂ = −ln Σ p² over the number of inversions of a window",
        tex: &[
            r"\mathrm{bEn} = \frac{H_2(m+1) - H_2(m)}{\ln\frac{m+1}{m-1}}",
            r"H_2 = -\ln \sum_j p_j^2",
            r"p_j \text{ the share of windows with } j \text{ inversions}",
        ],
        source: "Manis, Aktaruzzaman & Sassi, Bubble entropy: an entropy almost free of parameters, IEEE Trans. Biomed. Eng. 64, 2711 (2017)",
        family: Family::Regularity,
        accepts: Accepts::Series,
        cost: "O(N m)",
        gpu: false,
        unit: "1",
        uncertainty: "moving-block bootstrap, blocks of ⌈n^(1/3)⌉ windows; contiguous groups of windows for long series",
        bias: "small from some hundred values on",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let series = input.series()?;
        let mut swaps = Swaps::new(&p, context.resamples > 0);
        count_all(&series, &mut swaps, context.pace).await?;
        let mut outcome = outcome_of(&p, &swaps, series.values.len() as u64, series.omitted)?;
        if let Some(keys) = &swaps.keys {
            let m = swaps.m;
            let statistic = |joint: &[u64]| {
                let mut shorter = vec![0; swaps.last.len()];
                let mut longer = vec![0; shorter.len() + m];
                margins(joint, m, &mut shorter, &mut longer);
                bubble((renyi_2(&shorter), renyi_2(&longer)), p.m)
            };
            outcome.uncertainty = uncertainty::moving_block(keys, swaps.joint.len(), &statistic, context).await?;
        }
        Ok(outcome)
    }

    fn accumulator(p: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        let swaps = Swaps::new(&p, false);
        Ok(Some(WindowStream::boxed(swaps, move |swaps, n, omitted| outcome_of(&p, &swaps, n, omitted))))
    }
}
