//! The entropy of bytes, and of windows of bytes.

use std::borrow::Cow;

use futures_util::future::LocalBoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Value,
    discrete::{NoParams, plugin_bits},
    stream::{Accumulator, Gaps},
    uncertainty,
};
use crate::{
    data::{Chunk, Column, DataError},
    figure::{Axis, Colour, Figure, Mark, Panel},
    quantity::Unit,
};

/// Below this many bytes the estimate is dominated by its bias.
const ENOUGH: u64 = 256;
/// More points than this are thinned for the picture, keeping the extremes.
const MOST_POINTS: usize = 2000;

/// Counts of the 256 byte values. Parts may be pushed and merged in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByteCounts([u64; 256]);

impl Default for ByteCounts {
    fn default() -> Self {
        Self([0; 256])
    }
}

impl ByteCounts {
    /// Adds the bytes of `chunk`.
    pub fn push(&mut self, chunk: &[u8]) {
        // Four tables, so that runs of one byte do not wait for their own store.
        let mut tables = [[0_u32; 256]; 4];
        for part in chunk.chunks(1 << 30) {
            let (quads, rest) = part.as_chunks::<4>();
            for quad in quads {
                for (table, byte) in tables.iter_mut().zip(quad) {
                    table[usize::from(*byte)] += 1;
                }
            }
            for byte in rest {
                tables[0][usize::from(*byte)] += 1;
            }
            for (i, count) in self.0.iter_mut().enumerate() {
                *count += tables.iter().map(|t| u64::from(t[i])).sum::<u64>();
            }
            tables = [[0; 256]; 4];
        }
    }

    /// Adds the counts of another part.
    pub fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a += b);
    }

    /// The counts, indexed by byte value.
    #[must_use]
    pub const fn finish(&self) -> &[u64; 256] {
        &self.0
    }
}

fn short(outcome: Outcome) -> Outcome {
    if outcome.n < ENOUGH {
        return outcome.warn("too_short", format!("fewer than {ENOUGH} bytes: biased low"));
    }
    outcome
}

/// The entropy of the bytes of a file.
pub struct ByteEntropy;

impl Measure for ByteEntropy {
    type Params = NoParams;
    const ABOUT: About = About {
        id: "bytes.entropy",
        title: "Byte entropy",
        summary: "Bits per byte, from 0 (one value) to 8: text lies near 4.5, compressed data above 7.8.",
        equation: "H = −Σ p_b log₂ p_b over the 256 byte values b",
        tex: &[r"H = -\sum_{b=0}^{255} p_b \log_2 p_b", r"p_b \text{ the share of byte value } b"],
        source: "Shannon (1948); Lyda & Hamrock, Using entropy analysis to find encrypted and packed malware, IEEE Secur. Priv. 5, 40 (2007)",
        family: Family::Bytes,
        accepts: Accepts::Bytes,
        cost: "O(N)",
        gpu: false,
        unit: "bits/byte",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts",
        bias: "low by about 255/(2 N ln 2) bits",
    };

    async fn measure(_: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let bytes = input.bytes()?;
        if bytes.is_empty() {
            return Err(MeasureError::TooShort { n: 0, what: "an entropy".to_owned(), needed: 1 });
        }
        let mut counts = ByteCounts::default();
        for (i, chunk) in bytes.chunks(1 << 22).enumerate() {
            counts.push(chunk);
            context.pace.tick((i << 22) as u64, bytes.len() as u64).await?;
        }
        entropy_of(counts.finish(), context).await
    }

    fn accumulator(_: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        Ok(Some(Box::new(EntropyStream::default())))
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are below 2^53")]
async fn entropy_of(counts: &[u64; 256], context: &Context<'_>) -> Result<Outcome, MeasureError> {
    let n = counts.iter().sum();
    if n == 0 {
        return Err(MeasureError::TooShort { n, what: "an entropy".to_owned(), needed: 1 });
    }
    let mut outcome = Outcome::new(Value::Scalar(plugin_bits(counts)), Unit::BitsPerByte, "plug-in", n)
        .detail("observed_symbols", counts.iter().filter(|c| **c > 0).count());
    outcome.uncertainty = uncertainty::multinomial(counts, &plugin_bits, context).await?;
    let edges = (0..=256).map(|i| f64::from(i) - 0.5).collect();
    let heights = counts.iter().map(|&c| c as f64).collect();
    let figure = Figure {
        id: "distribution".to_owned(),
        title: "Byte values".to_owned(),
        description: format!("How often each of the 256 byte values occurs among {n} bytes."),
        panels: vec![Panel {
            x: Axis::new("byte value").within(-0.5, 255.5),
            y: Axis::new("bytes"),
            marks: vec![Mark::Bars { edges, heights, colour: Colour::First }],
            weight: 1.0,
        }],
    };
    Ok(short(outcome).figure(figure))
}

/// The bytes of a chunk; other types have no bytes.
pub(super) fn bytes_of(chunk: Chunk<'_>) -> Result<Cow<'_, [u8]>, DataError> {
    let unsupported = || DataError::Unsupported {
        what: "bytes of a column of numbers or labels".to_owned(),
        instead: "read the file with --kind bytes",
    };
    match chunk {
        Chunk::Bytes(v) => Ok(Cow::Borrowed(v)),
        Chunk::Integer(v) => v.iter().map(|&x| u8::try_from(x)).collect::<Result<_, _>>().map_err(|_| unsupported()),
        _ => Err(unsupported()),
    }
}

#[derive(Default)]
struct EntropyStream {
    counts: ByteCounts,
    gaps: Gaps,
}

impl Accumulator for EntropyStream {
    fn gaps(&mut self) -> &mut Gaps {
        &mut self.gaps
    }

    fn take(&mut self, chunk: Chunk<'_>) -> Result<(), DataError> {
        self.counts.push(&bytes_of(chunk)?);
        Ok(())
    }

    fn finish<'a>(self: Box<Self>, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Outcome, MeasureError>> {
        Box::pin(async move { entropy_of(self.counts.finish(), context).await })
    }
}

/// Parameters of the byte profile.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProfileParams {
    /// Bytes in a window.
    #[schemars(range(min = 16, max = 16_777_216))]
    pub window: u32,
    /// Bytes from one window to the next.
    #[schemars(range(min = 1, max = 16_777_216))]
    pub hop: u32,
}

impl Default for ProfileParams {
    fn default() -> Self {
        Self { window: 1024, hop: 1024 }
    }
}

/// The expected plug-in entropy of `window` independent uniform bytes, in bits: below 8, because a window is finite.
/// Exact: log₂ W − (256/W) Σ_c Binomial(W, 1/256)(c) c log₂ c.
#[must_use]
pub fn expected_of_random_bytes(window: u32) -> f64 {
    let w = f64::from(window);
    let (p, q) = (1.0_f64 / 256.0, 255.0_f64 / 256.0);
    let mut log_probability = w * q.ln();
    let mut sum = 0.0;
    for c in 1..=window {
        let k = f64::from(c);
        log_probability += ((w - k + 1.0) / k * (p / q)).ln();
        let probability = log_probability.exp();
        sum += probability * k * k.log2();
        // Past the mean the law only falls: stop where the rest cannot matter.
        if k > w * p && probability < 1e-18 {
            break;
        }
    }
    w.log2() - sum * 256.0 / w
}

/// The entropy of each window of a file.
pub struct ByteProfile;

impl Measure for ByteProfile {
    type Params = ProfileParams;
    const ABOUT: About = About {
        id: "bytes.profile",
        title: "Byte-entropy profile",
        summary: "Byte entropy along a file, window by window: headers, text, tables and compressed parts show as steps.",
        equation: "H_j = −Σ p_b log₂ p_b over the bytes of window j",
        tex: &[r"H_j = -\sum_b p_b \log_2 p_b", r"p_b \text{ the shares of the bytes of window } j"],
        source: "Lyda & Hamrock, IEEE Secur. Priv. 5, 40 (2007); binwalk's entropy view",
        family: Family::Bytes,
        accepts: Accepts::Bytes,
        cost: "O(N · window / hop)",
        gpu: false,
        unit: "bits/byte",
        uncertainty: "none",
        bias: "low in every window: random bytes lie below 8 by what the details say",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let bytes = input.bytes()?;
        let mut windows = Windows::new(&p);
        for (i, chunk) in bytes.chunks(1 << 20).enumerate() {
            windows.push(chunk);
            context.pace.tick((i << 20) as u64, bytes.len() as u64).await?;
        }
        profile_of(&p, windows.profile, bytes.len() as u64)
    }

    fn accumulator(p: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        Ok(Some(Box::new(ProfileStream { windows: Windows::new(&p), p, n: 0, gaps: Gaps::default() })))
    }
}

/// Windows of a stream of bytes: the bytes that a window still needs, and the entropies of those that are complete.
struct Windows {
    window: usize,
    hop: usize,
    /// From the start of the next window on.
    pending: Vec<u8>,
    /// Bytes to pass over before the next window begins.
    skip: usize,
    profile: Vec<f64>,
}

impl Windows {
    fn new(p: &ProfileParams) -> Self {
        Self { window: p.window as usize, hop: p.hop as usize, pending: Vec::new(), skip: 0, profile: Vec::new() }
    }

    fn push(&mut self, chunk: &[u8]) {
        let passed = self.skip.min(chunk.len());
        self.skip -= passed;
        self.pending.extend_from_slice(&chunk[passed..]);
        let mut start = 0;
        while start + self.window <= self.pending.len() {
            let mut counts = ByteCounts::default();
            counts.push(&self.pending[start..start + self.window]);
            self.profile.push(plugin_bits(counts.finish()));
            start += self.hop;
        }
        self.skip += start.saturating_sub(self.pending.len());
        self.pending.drain(..start.min(self.pending.len()));
    }
}

struct ProfileStream {
    p: ProfileParams,
    windows: Windows,
    n: u64,
    gaps: Gaps,
}

impl Accumulator for ProfileStream {
    fn gaps(&mut self) -> &mut Gaps {
        &mut self.gaps
    }

    fn take(&mut self, chunk: Chunk<'_>) -> Result<(), DataError> {
        let bytes = bytes_of(chunk)?;
        self.n += bytes.len() as u64;
        self.windows.push(&bytes);
        Ok(())
    }

    fn finish<'a>(self: Box<Self>, _: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Outcome, MeasureError>> {
        Box::pin(std::future::ready(profile_of(&self.p, self.windows.profile, self.n)))
    }
}

/// The outcome of a profile over `n` bytes, with its picture.
#[expect(clippy::cast_precision_loss, reason = "a picture")]
fn profile_of(p: &ProfileParams, profile: Vec<f64>, n: u64) -> Result<Outcome, MeasureError> {
    let (window, hop, total) = (p.window, p.hop as usize, profile.len());
    if total == 0 {
        return Err(MeasureError::TooShort {
            n,
            what: format!("one window of {window} bytes"),
            needed: u64::from(window),
        });
    }
    let random = expected_of_random_bytes(window);
    let (mut x, mut low, mut high) = (Vec::new(), Vec::new(), Vec::new());
    let group = total.div_ceil(MOST_POINTS);
    for (g, chunk) in profile.chunks(group).enumerate() {
        x.push((g * group * hop) as f64);
        low.push(chunk.iter().copied().fold(f64::INFINITY, f64::min));
        high.push(chunk.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    }
    let highest = profile.iter().copied().fold(0.0, f64::max);
    let mut marks = vec![Mark::Reference { y: random, label: format!("random bytes, {random:.2}") }];
    if group > 1 {
        let opacity = 0.35;
        marks.push(Mark::Band { x: x.clone(), low, high: high.clone(), colour: Colour::First, opacity });
    }
    marks.push(Mark::Line { name: String::new(), x, y: high, colour: Colour::First });
    let figure = Figure {
        id: "profile".to_owned(),
        title: format!("Byte entropy in windows of {window}"),
        description: format!(
            "{total} windows, highest {highest:.2} bits per byte; random bytes would give {random:.2} in such windows."
        ),
        panels: vec![Panel {
            x: Axis::new("offset (bytes)"),
            y: Axis::new("entropy (bits/byte)").within(0.0, 8.0),
            marks,
            weight: 1.0,
        }],
    };
    let outcome = Outcome::new(Value::Vector(profile), Unit::BitsPerByte, "plug-in", n)
        .detail("windows", total)
        .detail("expected_of_random_bytes", random);
    Ok(short(outcome).figure(figure))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_chunking_and_any_merge_order_count_the_same(parts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..8)) {
            let mut whole = ByteCounts::default();
            whole.push(&parts.concat());
            let mut backwards = ByteCounts::default();
            for part in parts.iter().rev() {
                let mut one = ByteCounts::default();
                one.push(part);
                backwards.merge(&one);
            }
            prop_assert_eq!(backwards, whole);
        }
    }

    #[test]
    fn random_windows_lie_below_eight_bits() {
        // Means over 400 windows of random bytes, measured: 7.809 and 7.592.
        assert!((expected_of_random_bytes(1024) - 7.809).abs() < 0.003);
        assert!((expected_of_random_bytes(512) - 7.592).abs() < 0.003);
    }
}
