//! Runs of bytes: the entropy of n-grams, and of the next byte once those before it are known.

use futures_util::future::LocalBoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    About, Accepts, Context, Family, Input, Measure, MeasureError, Outcome, Value,
    bytes::bytes_of,
    discrete::plugin_bits,
    input::Sequence,
    passing_words::PassingWords,
    stream::{Accumulator, Gaps},
    symbols::Words,
    uncertainty,
};
use crate::{
    data::{Chunk, Column, DataError},
    figure::{Axis, Colour, Figure, Mark, Panel},
    quantity::Unit,
};

/// Parameters of the n-gram entropy.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NgramParams {
    /// Bytes in an n-gram.
    #[schemars(range(min = 1, max = 16))]
    pub n: u32,
}

impl Default for NgramParams {
    fn default() -> Self {
        Self { n: 2 }
    }
}

async fn ngram_counts(
    codes: &Sequence<'_>,
    n: u32,
    context: &Context<'_>,
) -> Result<crate::compute::Done<Vec<u64>>, MeasureError> {
    let words = Words { codes: &codes.codes, alphabet: 256, length: n };
    if words.is_empty() {
        let have = codes.codes.len() as u64;
        return Err(MeasureError::TooShort { n: have, what: format!("an n-gram of {n} bytes"), needed: u64::from(n) });
    }
    context.compute.word_counts(&words, context.pace).await
}

fn saturated(outcome: Outcome, seen: usize) -> Outcome {
    let n = outcome.n;
    let outcome = outcome.detail("ngrams_seen", seen);
    if 10 * seen as u64 > n && seen > 1 {
        return outcome.warn("saturated", format!("{seen} different n-grams among {n} bytes: biased low"));
    }
    outcome
}

/// The entropy of overlapping byte n-grams.
pub struct NgramEntropy;

impl Measure for NgramEntropy {
    type Params = NgramParams;
    const ABOUT: About = About {
        id: "ngram.entropy",
        title: "Entropy of n-grams",
        summary: "The entropy of all overlapping runs of n bytes.",
        equation: "H_n = −Σ p(w) log₂ p(w) over the byte n-grams w",
        tex: &[r"H_n = -\sum_w p(w) \log_2 p(w)", r"w \text{ the byte } n\text{-grams}"],
        source: "Shannon, Prediction and entropy of printed English, Bell Syst. Tech. J. 30, 50 (1951)",
        family: Family::Bytes,
        accepts: Accepts::Bytes,
        cost: "O(N)",
        gpu: true,
        unit: "bits",
        uncertainty: "bootstrap: 95 % interval of multinomial resamples of the counts",
        bias: "low, more so the longer the n-grams: doubtful from a tenth as many different ones as bytes on",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let bytes = input.bytes()?;
        let done = ngram_counts(&Sequence::of_bytes(&bytes), p.n, context).await?;
        let value = Value::Scalar(plugin_bits(&done.value));
        let mut outcome = Outcome::new(value, Unit::Bits, "plug-in", bytes.len() as u64);
        outcome.uncertainty = uncertainty::multinomial(&done.value, &plugin_bits, context).await?;
        Ok(saturated(outcome, done.value.len()).ran(done.ran))
    }

    fn accumulator(p: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        Ok(Some(NgramStream::boxed(p.n, |stream, context| {
            Box::pin(async move {
                let counts = stream.counted(stream.n)?;
                let mut outcome =
                    Outcome::new(Value::Scalar(plugin_bits(&counts)), Unit::Bits, "plug-in", stream.words.len());
                outcome.uncertainty = uncertainty::multinomial(&counts, &plugin_bits, context).await?;
                Ok(saturated(outcome, counts.len()))
            })
        })))
    }
}

type Finish = for<'a> fn(Box<NgramStream>, &'a Context<'a>) -> LocalBoxFuture<'a, Result<Outcome, MeasureError>>;

/// n-grams of bytes that pass by.
struct NgramStream {
    n: u32,
    words: PassingWords,
    finish: Finish,
    gaps: Gaps,
}

impl NgramStream {
    fn boxed(n: u32, finish: Finish) -> Box<dyn Accumulator> {
        Box::new(Self { n, words: PassingWords::new(Some(n)), finish, gaps: Gaps::default() })
    }

    /// The counts of n-grams of so many bytes, at most `self.n`.
    fn counted(&self, n: u32) -> Result<Vec<u64>, MeasureError> {
        let have = self.words.len();
        if have < u64::from(self.n) {
            let what = format!("an n-gram of {} bytes", self.n);
            return Err(MeasureError::TooShort { n: have, what, needed: u64::from(self.n) });
        }
        Ok(self.words.finish().shortened(n).counts())
    }
}

impl Accumulator for NgramStream {
    fn gaps(&mut self) -> &mut Gaps {
        &mut self.gaps
    }

    fn take(&mut self, chunk: Chunk<'_>) -> Result<(), DataError> {
        self.words.push(Chunk::Bytes(&bytes_of(chunk)?))
    }

    fn finish<'a>(self: Box<Self>, context: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Outcome, MeasureError>> {
        (self.finish)(self, context)
    }
}

/// Parameters of the conditional entropies.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConditionalParams {
    /// Longest n-gram; the value lists h₂ … hₙ.
    #[schemars(range(min = 2, max = 16))]
    pub n: u32,
}

impl Default for ConditionalParams {
    fn default() -> Self {
        Self { n: 4 }
    }
}

/// The surprise of a byte once the bytes before it are known.
pub struct NgramConditional;

impl Measure for NgramConditional {
    type Params = ConditionalParams;
    const ABOUT: About = About {
        id: "ngram.conditional",
        title: "Conditional entropy of the next byte",
        summary: "How many bits the next byte is worth once the 1, 2, … n−1 bytes before it are known.",
        equation: "h_k = H_k − H_{k−1}, k = 2 … n",
        tex: &[r"h_k = H_k - H_{k-1}, \quad k = 2, \ldots, n"],
        source: "Shannon, Prediction and entropy of printed English, Bell Syst. Tech. J. 30, 50 (1951)",
        family: Family::Bytes,
        accepts: Accepts::Bytes,
        cost: "O(n N)",
        gpu: true,
        unit: "bits/byte",
        uncertainty: "none",
        bias: "low where n-grams are too many for the text",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let bytes = input.bytes()?;
        let codes = Sequence::of_bytes(&bytes);
        let mut entropies = Vec::new();
        let mut last = ngram_counts(&codes, 1, context).await?;
        entropies.push(plugin_bits(&last.value));
        for n in 2..=p.n {
            last = ngram_counts(&codes, n, context).await?;
            entropies.push(plugin_bits(&last.value));
        }
        Ok(conditional_of(&entropies, last.value.len(), bytes.len() as u64).ran(last.ran))
    }

    fn accumulator(p: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        Ok(Some(NgramStream::boxed(p.n, |stream, _| {
            Box::pin(async move {
                let (mut entropies, mut seen) = (Vec::new(), 0);
                for n in 1..=stream.n {
                    let counts = stream.counted(n)?;
                    entropies.push(plugin_bits(&counts));
                    seen = counts.len();
                }
                Ok(conditional_of(&entropies, seen, stream.words.len()))
            })
        })))
    }
}

/// The gains of the entropies of n-grams of 1, 2, … bytes, of which `seen` of the longest among `bytes` differ.
#[expect(clippy::cast_precision_loss, reason = "at most 16 lengths")]
fn conditional_of(entropies: &[f64], seen: usize, bytes: u64) -> Outcome {
    let conditional: Vec<f64> = entropies.windows(2).map(|w| w[1] - w[0]).collect();
    let figure = Figure {
        id: "conditional".to_owned(),
        title: "Entropy of the next byte".to_owned(),
        description: format!(
            "From {:.2} bits with no context to {:.2} bits with {} bytes of context.",
            entropies[0],
            conditional.last().copied().unwrap_or_default(),
            entropies.len() - 1
        ),
        panels: vec![Panel {
            x: Axis::new("context (bytes)"),
            y: Axis::new("conditional entropy (bits/byte)"),
            marks: vec![Mark::Line {
                name: String::new(),
                x: (0..entropies.len()).map(|n| n as f64).collect(),
                y: std::iter::once(entropies[0]).chain(conditional.iter().copied()).collect(),
                colour: Colour::First,
            }],
            weight: 1.0,
        }],
    };
    let outcome = Outcome::new(Value::Vector(conditional), Unit::BitsPerByte, "plug-in", bytes);
    saturated(outcome, seen).figure(figure)
}
