//! Words of symbols: block entropies, the entropy rate, the excess entropy.
//!
//! H(L) is the plug-in entropy of overlapping words of length L, h_L = H(L) − H(L−1) (h_1 = H(1)) the gain of the
//! L-th symbol, which falls towards the entropy rate, and E_L = Σ_{l≤L} (h_l − h_L) the excess entropy.
//! Crutchfield & Feldman, Chaos 13, 25 (2003).

use futures_util::future::LocalBoxFuture;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    About, Accepts, Accumulator, Context, Family, Input, Measure, MeasureError, Outcome, ParameterError, Value,
    discrete::plugin_bits, passing_words::PassingWords, stream::Gaps, uncertainty,
};
use crate::{
    compute::{Backend, Ran},
    data::{Chunk, Column, DataError},
    figure::{Axis, Colour, Figure, Mark, Panel},
    pace::Pace,
    quantity::Unit,
};

/// Up to this many possible words a table has one counter for each; above, the words are sorted.
pub const MOST_DENSE_WORDS: u64 = 1 << 22;
/// Longest word that is counted.
const LONGEST: u32 = 16;
/// Up to this many possible words the rate is resampled.
const MOST_RESAMPLED_WORDS: u64 = 1 << 16;
/// Words between two calls of [`Pace::tick`].
const TICK: usize = 1 << 20;

/// All overlapping words of `length` consecutive symbols: `codes.len() - length + 1` of them.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// Symbols below `alphabet`.
    pub codes: &'a [u32],
    /// The size of the alphabet, at least 1.
    pub alphabet: u32,
    /// The length of a word, at least 1.
    pub length: u32,
}

impl Words<'_> {
    /// The number of possible words, `alphabet^length`, if a table of counters may be that large.
    #[must_use]
    pub fn dense(&self) -> Option<usize> {
        let all = u64::from(self.alphabet).checked_pow(self.length)?;
        usize::try_from(all).ok().filter(|_| all <= MOST_DENSE_WORDS)
    }

    /// The number of words.
    #[must_use]
    pub const fn len(&self) -> usize {
        (self.codes.len() + 1).saturating_sub(self.length as usize)
    }

    /// Whether the sequence is shorter than one word.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The non-zero counts of the words in lexicographic order of the words. O(N), or O(N log N · length) where the
    /// words are too many for a table.
    ///
    /// # Errors
    /// [`MeasureError::Cancelled`].
    pub async fn counts(&self, pace: &dyn Pace) -> Result<Vec<u64>, MeasureError> {
        if self.is_empty() {
            return Ok(Vec::new());
        }
        let Some(bins) = self.dense() else {
            return self.sorted_counts(pace).await;
        };
        let mut counts = WordCounts::new(self.alphabet, self.length, bins);
        for (i, chunk) in self.codes.chunks(TICK).enumerate() {
            counts.push(chunk);
            pace.tick((i * TICK) as u64, self.codes.len() as u64).await?;
        }
        Ok(counts.finish().iter().copied().filter(|&c| c > 0).collect())
    }

    /// The number of each word in lexicographic order among all possible words.
    fn keys(&self) -> Vec<u32> {
        let mut key = 0_u64;
        let modulus = u64::from(self.alphabet).pow(self.length);
        let mut keys = Vec::with_capacity(self.len());
        for (i, &code) in self.codes.iter().enumerate() {
            key = (key * u64::from(self.alphabet) + u64::from(code)) % modulus;
            if i + 1 >= self.length as usize {
                keys.push(u32::try_from(key).unwrap_or(u32::MAX));
            }
        }
        keys
    }

    /// Ranks the words symbol by symbol: the rank of a word and the next symbol sort the longer word.
    async fn sorted_counts(&self, pace: &dyn Pace) -> Result<Vec<u64>, MeasureError> {
        let n = self.len();
        let mut ranks: Vec<u32> = self.codes[..n].to_vec();
        let mut pairs: Vec<(u64, u32)> = Vec::with_capacity(n);
        for offset in 1..=self.length as usize {
            pairs.clear();
            // The last round only closes the ranks; every earlier one appends the symbol at `offset`.
            let next = |i: usize| {
                if offset < self.length as usize { self.codes[i + offset] } else { 0 }
            };
            let position = |i: usize| u32::try_from(i).unwrap_or(u32::MAX);
            pairs.extend(
                ranks.iter().enumerate().map(|(i, &r)| ((u64::from(r) << 32) | u64::from(next(i)), position(i))),
            );
            pairs.sort_unstable();
            let mut rank = 0;
            for i in 0..n {
                if i > 0 && pairs[i].0 != pairs[i - 1].0 {
                    rank += 1;
                }
                ranks[pairs[i].1 as usize] = rank;
            }
            pace.tick(offset as u64, u64::from(self.length)).await?;
        }
        ranks.sort_unstable();
        Ok(ranks.chunk_by(|a, b| a == b).map(|run| run.len() as u64).collect())
    }
}

/// Word counts of a sequence that arrives in chunks.
///
/// Parts of one sequence merge in their order, in any grouping: words across the seam are counted, and the counts
/// equal those of the whole to the bit.
#[derive(Clone, Debug)]
pub struct WordCounts {
    alphabet: u64,
    length: usize,
    counts: Vec<u64>,
    len: u64,
    head: Vec<u32>,
    tail: Vec<u32>,
}

impl WordCounts {
    /// An empty sequence; `bins` is `alphabet^length`.
    fn new(alphabet: u32, length: u32, bins: usize) -> Self {
        let alphabet = u64::from(alphabet);
        Self { alphabet, length: length as usize, counts: vec![0; bins], len: 0, head: Vec::new(), tail: Vec::new() }
    }

    /// An empty sequence over `alphabet` symbols; `None` if a table of `alphabet^length` counters is too large.
    #[must_use]
    pub fn dense(alphabet: u32, length: u32) -> Option<Self> {
        let words = Words { codes: &[], alphabet, length };
        words.dense().map(|bins| Self::new(alphabet, length, bins))
    }

    /// Appends symbols below the alphabet's size.
    pub fn push(&mut self, chunk: &[u32]) {
        self.count_after_tail(chunk);
        let overlap = self.length - 1;
        let wanted = overlap - self.head.len();
        self.head.extend_from_slice(&chunk[..chunk.len().min(wanted)]);
        self.extend_tail(chunk);
        self.len += chunk.len() as u64;
    }

    /// Appends the part that follows this one.
    pub fn merge(&mut self, next: &Self) {
        self.count_after_tail(&next.head);
        for (a, b) in self.counts.iter_mut().zip(&next.counts) {
            *a += b;
        }
        let wanted = self.length - 1 - self.head.len();
        self.head.extend_from_slice(&next.head[..next.head.len().min(wanted)]);
        self.extend_tail(&next.tail);
        self.len += next.len;
    }

    fn extend_tail(&mut self, chunk: &[u32]) {
        let overlap = self.length - 1;
        self.tail.extend_from_slice(&chunk[chunk.len().saturating_sub(overlap)..]);
        let excess = self.tail.len().saturating_sub(overlap);
        self.tail.drain(..excess);
    }

    fn count_after_tail(&mut self, chunk: &[u32]) {
        if self.length == 1 {
            return count_symbols(&mut self.counts, chunk);
        }
        let bins = self.counts.len() as u64;
        let (mut key, mut known) = (0, self.tail.len());
        for &code in &self.tail {
            key = key * self.alphabet + u64::from(code);
        }
        let (first, rest) = chunk.split_at(chunk.len().min(self.length));
        for &code in first {
            key = (key * self.alphabet + u64::from(code)) % bins;
            known += 1;
            if known >= self.length {
                self.counts[usize::try_from(key).unwrap_or(0)] += 1;
            }
        }
        // From here on the symbol that leaves the word is in the chunk: taking it off costs less than a division.
        for (&code, &gone) in rest.iter().zip(chunk) {
            key = key * self.alphabet + u64::from(code) - u64::from(gone) * bins;
            self.counts[usize::try_from(key).unwrap_or(0)] += 1;
        }
    }

    /// The counts so far, indexed by word.
    #[must_use]
    pub fn finish(&self) -> &[u64] {
        &self.counts
    }

    /// The number of symbols so far.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was pushed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// Counts single symbols: few of them in several copies, so that two equal ones in a row do not wait for each other's store.
fn count_symbols(counts: &mut [u64], codes: &[u32]) {
    const COPIES: usize = 4;
    const FEW: usize = 1024;
    if counts.len() > FEW || codes.len() < 4 * FEW {
        codes.iter().for_each(|&code| counts[code as usize] += 1);
        return;
    }
    let mut copies = vec![[0_u64; COPIES]; counts.len()];
    let (quads, rest) = codes.as_chunks::<COPIES>();
    for quad in quads {
        for (copy, &code) in quad.iter().enumerate() {
            copies[code as usize][copy] += 1;
        }
    }
    rest.iter().for_each(|&code| copies[code as usize][0] += 1);
    counts.iter_mut().zip(copies).for_each(|(count, copies)| *count += copies.iter().sum::<u64>());
}

/// Parameters of the block measures.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BlockParams {
    /// Longest word L, from 1 to 16, or auto: the largest with (alphabet size)^L at most a tenth of the symbols.
    #[serde(rename = "L")]
    pub length: Length,
}

impl Default for BlockParams {
    fn default() -> Self {
        Self { length: Length::Word("auto".to_owned()) }
    }
}

/// A length or `auto`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Length {
    /// A number.
    Number(u32),
    /// `auto`.
    Word(String),
}

impl Length {
    fn resolve(&self, id: &str, n: usize, alphabet: u32) -> Result<u32, ParameterError> {
        match self {
            Self::Number(l) if (1..=LONGEST).contains(l) => Ok(*l),
            Self::Word(w) if w == "auto" => {
                let fits = |l: &u32| u64::from(alphabet).checked_pow(*l).is_some_and(|words| words <= n as u64 / 10);
                Ok((1..=LONGEST).rev().find(fits).unwrap_or(1))
            }
            other => Err(ParameterError::Invalid {
                of: id.to_owned(),
                key: "L".to_owned(),
                given: serde_json::to_string(other).unwrap_or_default(),
                expected: format!("expected a whole number from 1 to {LONGEST}, or auto"),
            }),
        }
    }
}

/// H(1), …, H(L) and what else the block measures share.
struct Blocks {
    entropies: Vec<f64>,
    words_seen: u64,
    n: u64,
    alphabet: u32,
    ran: Ran,
    /// The length that would have been taken, where the table of a column that passes by was too small for it.
    capped: Option<u32>,
}

/// The column as one unbroken sequence, or the error that it has gaps.
pub(super) fn unbroken<'a>(input: &Input<'a>) -> Result<super::input::Sequence<'a>, MeasureError> {
    let sequence = input.symbols()?;
    if sequence.omitted > 0 {
        return Err(MeasureError::Gaps { count: sequence.omitted });
    }
    Ok(sequence)
}

async fn blocks(id: &str, p: &BlockParams, input: &Input<'_>, context: &Context<'_>) -> Result<Blocks, MeasureError> {
    let sequence = unbroken(input)?;
    let alphabet = sequence.alphabet.max(1);
    let longest = p.length.resolve(id, sequence.codes.len(), alphabet)?;
    if sequence.codes.len() < longest as usize {
        return Err(MeasureError::TooShort {
            n: sequence.codes.len() as u64,
            what: format!("a word of length {longest}"),
            needed: u64::from(longest),
        });
    }
    let mut entropies = Vec::with_capacity(longest as usize);
    let mut words_seen = 0;
    let mut ran = Ran::cpu();
    for length in 1..=longest {
        let words = Words { codes: &sequence.codes, alphabet, length };
        let done = context.compute.word_counts(&words, context.pace).await?;
        entropies.push(plugin_bits(&done.value));
        words_seen = done.value.len() as u64;
        if done.ran.backend == Backend::Gpu {
            ran = done.ran;
        }
        context.pace.tick(u64::from(length), u64::from(longest)).await?;
    }
    Ok(Blocks { entropies, words_seen, n: sequence.codes.len() as u64, alphabet, ran, capped: None })
}

/// The blocks of a column that passes by.
struct BlockStream {
    id: &'static str,
    p: BlockParams,
    words: PassingWords,
    outcome: fn(&Blocks) -> Outcome,
    gaps: Gaps,
}

impl BlockStream {
    fn boxed(
        id: &'static str,
        p: BlockParams,
        outcome: fn(&Blocks) -> Outcome,
    ) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        let length = match p.length {
            Length::Number(_) => Some(p.length.resolve(id, 0, 1)?),
            Length::Word(_) => {
                p.length.resolve(id, 0, 1)?;
                None
            }
        };
        let words = PassingWords::new(length);
        Ok(Some(Box::new(Self { id, p, words, outcome, gaps: Gaps::default() })))
    }

    fn blocks(&self) -> Result<Blocks, MeasureError> {
        let omitted = self.gaps.check()?;
        if omitted > 0 {
            return Err(MeasureError::Gaps { count: omitted });
        }
        let mut counted = self.words.finish();
        let (n, alphabet) = (counted.n, counted.alphabet.max(1));
        let wanted = self.p.length.resolve(self.id, usize::try_from(n).unwrap_or(usize::MAX), alphabet)?;
        let longest = wanted.min(counted.length());
        if n < u64::from(longest) {
            let what = format!("a word of length {longest}");
            return Err(MeasureError::TooShort { n, what, needed: u64::from(longest) });
        }
        let (mut entropies, mut words_seen) = (Vec::with_capacity(longest as usize), 0);
        for length in (1..=longest).rev() {
            counted = counted.shortened(length);
            let counts = counted.counts();
            if length == longest {
                words_seen = counts.len() as u64;
            }
            entropies.push(plugin_bits(&counts));
        }
        entropies.reverse();
        let capped = (wanted > longest).then_some(wanted);
        Ok(Blocks { entropies, words_seen, n, alphabet, ran: Ran::cpu(), capped })
    }
}

impl Accumulator for BlockStream {
    fn gaps(&mut self) -> &mut Gaps {
        &mut self.gaps
    }

    fn take(&mut self, chunk: Chunk<'_>) -> Result<(), DataError> {
        self.words.push(chunk)
    }

    fn finish<'a>(self: Box<Self>, _: &'a Context<'a>) -> LocalBoxFuture<'a, Result<Outcome, MeasureError>> {
        Box::pin(std::future::ready(self.blocks().map(|b| (self.outcome)(&b))))
    }
}

impl Blocks {
    /// h_1, …, h_L.
    fn gains(&self) -> Vec<f64> {
        let before = std::iter::once(&0.0).chain(&self.entropies);
        self.entropies.iter().zip(before).map(|(h, b)| h - b).collect()
    }

    fn annotate(&self, outcome: Outcome) -> Outcome {
        let outcome = outcome
            .detail("L", self.entropies.len())
            .detail("alphabet", self.alphabet)
            .detail("words_seen", self.words_seen)
            .ran(self.ran.clone())
            .figure(self.picture());
        let outcome = match self.capped {
            Some(wanted) => outcome.warn(
                "capped",
                format!(
                    "words of {wanted} would have been long enough for so many symbols; a column that passes by is counted to {}: set L to choose",
                    self.entropies.len()
                ),
            ),
            None => outcome,
        };
        if 10 * self.words_seen > self.n && self.words_seen > 1 {
            return outcome.warn(
                "saturated",
                format!(
                    "{} different words among {} symbols: the longest blocks are biased low",
                    self.words_seen, self.n
                ),
            );
        }
        outcome
    }

    #[expect(clippy::cast_precision_loss, reason = "at most 16 lengths")]
    fn picture(&self) -> Figure {
        let lengths: Vec<f64> = (1..=self.entropies.len()).map(|l| l as f64).collect();
        let line =
            |name: &str, y: Vec<f64>, colour| Mark::Line { name: name.to_owned(), x: lengths.clone(), y, colour };
        let gains = self.gains();
        let last = gains.last().copied().unwrap_or_default();
        Figure {
            id: "blocks".to_owned(),
            title: "Block entropy and its gain over the word length".to_owned(),
            description: format!("The gain falls to {last:.3} bits per symbol at words of {}.", lengths.len()),
            panels: vec![
                Panel {
                    x: Axis::new("word length L"),
                    y: Axis::new("H(L) (bits)"),
                    marks: vec![line("H(L)", self.entropies.clone(), Colour::First)],
                    weight: 1.0,
                },
                Panel {
                    x: Axis::new("word length L"),
                    y: Axis::new("h_L (bits/symbol)"),
                    marks: vec![line("H(L) − H(L−1)", gains, Colour::Second)],
                    weight: 1.0,
                },
            ],
        }
    }
}

/// Block entropies H(1) … H(L).
pub struct BlockEntropy;

impl Measure for BlockEntropy {
    type Params = BlockParams;
    const ABOUT: About = About {
        id: "block_entropy",
        title: "Block entropies",
        summary: "The entropy of words of 1, 2, …, L symbols: straight growth means no memory, bending means structure.",
        equation: "H(L) = −Σ p(w) log₂ p(w) over the overlapping words w of length L",
        tex: &[r"H(L) = -\sum_w p(w) \log_2 p(w)", r"w \text{ the overlapping words of length } L"],
        source: "Crutchfield & Feldman, Regularities unseen, randomness observed, Chaos 13, 25 (2003)",
        family: Family::Symbolic,
        accepts: Accepts::Symbols,
        cost: "O(L N)",
        gpu: true,
        unit: "bits",
        uncertainty: "none",
        bias: "low, more so the longer the words: doubtful from a tenth as many different words as symbols on",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        Ok(entropies_of(&blocks(Self::ABOUT.id, &p, input, context).await?))
    }

    fn accumulator(p: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        BlockStream::boxed(Self::ABOUT.id, p, entropies_of)
    }
}

fn entropies_of(b: &Blocks) -> Outcome {
    b.annotate(Outcome::new(Value::Vector(b.entropies.clone()), Unit::Bits, "plug-in", b.n))
}

fn rate_of(b: &Blocks) -> Outcome {
    let rate = b.gains().last().copied().unwrap_or_default();
    b.annotate(Outcome::new(Value::Scalar(rate), Unit::BitsPerSymbol, "block difference", b.n))
}

fn excess_of(b: &Blocks) -> Outcome {
    let gains = b.gains();
    let last = gains.last().copied().unwrap_or_default();
    let excess = gains.iter().map(|h| h - last).sum();
    b.annotate(Outcome::new(Value::Scalar(excess), Unit::Bits, "block difference", b.n))
}

/// The entropy rate by the last gain of the block entropy.
pub struct EntropyRate;

impl Measure for EntropyRate {
    type Params = BlockParams;
    const ABOUT: About = About {
        id: "entropy_rate",
        title: "Entropy rate, block estimate",
        summary: "The surprise of the next symbol once the L − 1 before it are known.",
        equation: "h_L = H(L) − H(L−1)",
        tex: &[r"h_L = H(L) - H(L-1)"],
        source: "Shannon, A mathematical theory of communication (1948), section 7; Crutchfield & Feldman (2003)",
        family: Family::Symbolic,
        accepts: Accepts::Symbols,
        cost: "O(L N)",
        gpu: true,
        unit: "bits/symbol",
        uncertainty: "moving-block bootstrap, blocks of ⌈n^(1/3)⌉ windows; contiguous groups of windows for long series",
        bias: "high as long as L is shorter than the memory, low where words are too many for the data",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        let b = blocks(Self::ABOUT.id, &p, input, context).await?;
        let mut outcome = rate_of(&b);
        let length = u32::try_from(b.entropies.len()).unwrap_or(LONGEST);
        let sequence = unbroken(input)?;
        let words = Words { codes: &sequence.codes, alphabet: b.alphabet, length };
        if let Some(bins) = words.dense().filter(|&bins| bins as u64 <= MOST_RESAMPLED_WORDS) {
            let alphabet = b.alphabet as usize;
            let statistic = move |counts: &[u64]| {
                let shorter: Vec<u64> = counts.chunks(alphabet).map(|c| c.iter().sum()).collect();
                plugin_bits(counts) - plugin_bits(&shorter)
            };
            let interval = uncertainty::moving_block(&words.keys(), bins, &statistic, context).await?;
            // The prefixes of the words leave out the very last symbol, so the statistic of the data is the rate up to 1/N.
            outcome.uncertainty = interval;
        }
        Ok(outcome)
    }

    fn accumulator(p: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        BlockStream::boxed(Self::ABOUT.id, p, rate_of)
    }
}

/// The excess entropy up to L.
pub struct ExcessEntropy;

impl Measure for ExcessEntropy {
    type Params = BlockParams;
    const ABOUT: About = About {
        id: "excess_entropy",
        title: "Excess entropy",
        summary: "How many bits of the past tell something about the future: 0 without memory.",
        equation: "E_L = Σ_{l≤L} (h_l − h_L)",
        tex: &[r"E_L = \sum_{l \leq L} (h_l - h_L)"],
        source: "Crutchfield & Feldman, Regularities unseen, randomness observed, Chaos 13, 25 (2003)",
        family: Family::Symbolic,
        accepts: Accepts::Symbols,
        cost: "O(L N)",
        gpu: true,
        unit: "bits",
        uncertainty: "none",
        bias: "low as long as L is shorter than the memory, high where words are too many for the data",
    };

    async fn measure(p: Self::Params, input: &Input<'_>, context: &Context<'_>) -> Result<Outcome, MeasureError> {
        Ok(excess_of(&blocks(Self::ABOUT.id, &p, input, context).await?))
    }

    fn accumulator(p: Self::Params, _: &Column) -> Result<Option<Box<dyn Accumulator>>, MeasureError> {
        BlockStream::boxed(Self::ABOUT.id, p, excess_of)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::pace::Unhurried;

    fn by_definition(codes: &[u32], length: usize) -> Vec<u64> {
        let mut counts = BTreeMap::new();
        codes.windows(length).for_each(|w| *counts.entry(w.to_vec()).or_insert(0) += 1);
        counts.into_values().collect()
    }

    proptest! {
        #[test]
        fn words_are_counted_in_lexicographic_order(codes in prop::collection::vec(0_u32..5, 0..200), length in 1_u32..6) {
            let words = Words { codes: &codes, alphabet: 5, length };
            prop_assert_eq!(pollster::block_on(words.counts(&Unhurried)).unwrap(), by_definition(&codes, length as usize));
            if !words.is_empty() {
                prop_assert_eq!(pollster::block_on(words.sorted_counts(&Unhurried)).unwrap(), by_definition(&codes, length as usize));
            }
        }

        #[test]
        fn any_chunking_and_any_grouping_of_parts_count_the_same(
            parts in prop::collection::vec(prop::collection::vec(0_u32..3, 0..20), 1..8), length in 1_u32..5, split in 0_usize..8
        ) {
            let all = parts.concat();
            let mut whole = WordCounts::dense(3, length).unwrap();
            whole.push(&all);
            let mut chunked = WordCounts::dense(3, length).unwrap();
            parts.iter().for_each(|p| chunked.push(p));
            prop_assert_eq!(chunked.finish(), whole.finish());
            let fold = |parts: &[Vec<u32>]| parts.iter().fold(WordCounts::dense(3, length).unwrap(), |mut sum, p| {
                let mut one = WordCounts::dense(3, length).unwrap();
                one.push(p);
                sum.merge(&one);
                sum
            });
            let (left, right) = parts.split_at(split.min(parts.len()));
            let mut merged = fold(left);
            merged.merge(&fold(right));
            prop_assert_eq!(merged.finish(), whole.finish());
            prop_assert_eq!(merged.len(), all.len() as u64);
        }
    }

    #[test]
    fn a_long_word_over_a_large_alphabet_needs_no_table() {
        let codes: Vec<u32> = (0..500).map(|i| i * 7919 % 300).collect();
        let words = Words { codes: &codes, alphabet: 300, length: 16 };
        assert_eq!(words.dense(), None);
        assert_eq!(pollster::block_on(words.counts(&Unhurried)).unwrap(), by_definition(&codes, 16));
    }
}
