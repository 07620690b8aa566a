//! Words of symbols that pass by, in a table of bounded size.
//!
//! Only the longest words are counted: the counts of shorter ones are those of their continuations, and of the few at the
//! very end that have none. The alphabet need not be known before: a word's number has as many bits for each symbol as the
//! symbols so far need, and is written anew when there is one more.

use std::collections::HashMap;

use super::input::Sequence;
use crate::{
    data::{Chunk, DataError},
    token::hash::Map,
};

/// Up to so many bits of a word's number a table has one counter for each number: at most 128 MB.
const DENSE_BITS: u32 = 24;
/// So many where the length is free to adapt.
const DENSE_BITS_ADAPTING: u32 = 22;
/// Beyond, so many different words are counted, and no more.
const MOST_WORDS: usize = 1 << 22;
/// What one of them takes.
const BYTES_A_WORD: u64 = 48;
/// Longest word that is counted.
const LONGEST: u32 = 16;

/// How values become symbols.
#[derive(Clone, Debug)]
enum Codes {
    /// Bytes are their own.
    Bytes,
    /// Labels have been numbered by the reader.
    Labels {
        /// One more than the largest so far.
        alphabet: u32,
    },
    /// Numbers in order of first appearance, by a key that orders as in memory.
    Numbers(HashMap<u64, u32>),
}

#[derive(Clone, Debug)]
enum Table {
    Dense(Vec<u64>),
    Sparse(Map<u128, u64>),
}

/// The words so far.
#[derive(Clone, Debug)]
pub(super) struct PassingWords {
    length: u32,
    /// Whether the words may become shorter, so that the table stays small.
    adapting: bool,
    /// Decided by the first chunk.
    codes: Option<Codes>,
    /// Bits of a symbol.
    bits: u32,
    table: Table,
    /// The last `length` symbols, the newest in the lowest bits.
    key: u128,
    n: u64,
}

/// Counts of words of one length, in ascending order of the words.
pub(super) struct Counted {
    words: Vec<(u128, u64)>,
    bits: u32,
    length: u32,
    /// The last symbols, as many as the length.
    last: u128,
    /// The number of symbols that could occur.
    pub(super) alphabet: u32,
    /// The number of symbols that passed by.
    pub(super) n: u64,
}

impl PassingWords {
    /// Words of `length` symbols; `None` lets them be as long as a small table allows, 16 at most.
    pub(super) fn new(length: Option<u32>) -> Self {
        let (adapting, length) = (length.is_none(), length.unwrap_or(LONGEST).clamp(1, LONGEST));
        let mut words = Self { length, adapting, codes: None, bits: 1, table: Table::Dense(Vec::new()), key: 0, n: 0 };
        words.table = words.empty();
        words
    }

    fn empty(&self) -> Table {
        let bits = self.bits * self.length;
        if bits <= DENSE_BITS { Table::Dense(vec![0; 1 << bits]) } else { Table::Sparse(Map::default()) }
    }

    /// Takes the next values.
    ///
    /// # Errors
    /// [`DataError::TooLarge`] where there are more different words than the table may hold.
    pub(super) fn push(&mut self, chunk: Chunk<'_>) -> Result<(), DataError> {
        let codes = self.codes.take().unwrap_or_else(|| match chunk {
            Chunk::Bytes(_) => Codes::Bytes,
            Chunk::Symbols(_) => Codes::Labels { alphabet: 1 },
            Chunk::Integer(_) | Chunk::Real(_) | Chunk::Time(_) => Codes::Numbers(HashMap::new()),
        });
        let pushed = self.push_as(codes, chunk);
        if let Table::Sparse(map) = &self.table
            && map.len() > MOST_WORDS
        {
            return Err(too_many());
        }
        pushed
    }

    fn push_as(&mut self, mut codes: Codes, chunk: Chunk<'_>) -> Result<(), DataError> {
        let pushed = match (&mut codes, chunk) {
            (Codes::Bytes, Chunk::Bytes(v)) => self.widen(8).map(|()| self.count(v.iter().map(|&b| u32::from(b)))),
            (Codes::Labels { alphabet }, Chunk::Symbols(v)) => {
                let largest = v.iter().copied().max().unwrap_or(0);
                *alphabet = (*alphabet).max(largest.saturating_add(1));
                self.widen(bits_of(*alphabet)).map(|()| self.count(v.iter().copied()))
            }
            (Codes::Numbers(known), Chunk::Integer(v)) => {
                self.numbers(known, v.iter().map(|x| x.cast_unsigned() ^ (1 << 63)))
            }
            (Codes::Numbers(known), Chunk::Real(v) | Chunk::Time(v)) => {
                // As in memory: 0.0 and −0.0 are one.
                self.numbers(known, v.iter().map(|x| (x + 0.0).to_bits()))
            }
            _ => Err(DataError::Changed { what: "a column has another type than before".to_owned() }),
        };
        self.codes = Some(codes);
        pushed
    }

    fn numbers(&mut self, known: &mut HashMap<u64, u32>, keys: impl Iterator<Item = u64>) -> Result<(), DataError> {
        let codes: Vec<u32> = keys
            .map(|key| {
                let next = u32::try_from(known.len()).unwrap_or(u32::MAX);
                *known.entry(key).or_insert(next)
            })
            .collect();
        if known.len() > MOST_WORDS {
            return Err(too_many());
        }
        self.widen(bits_of(u32::try_from(known.len()).unwrap_or(u32::MAX)))?;
        self.count(codes.into_iter());
        Ok(())
    }

    /// Makes room for symbols of so many bits.
    fn widen(&mut self, bits: u32) -> Result<(), DataError> {
        if bits <= self.bits {
            return Ok(());
        }
        if self.adapting {
            let longest = (DENSE_BITS_ADAPTING / bits).clamp(1, LONGEST);
            if longest < self.length {
                self.shorten(longest);
            }
        }
        if bits * self.length > u128::BITS {
            let what = format!("a word of {} symbols of {bits} bits", self.length);
            let limit = u64::from(u128::BITS / 8);
            return Err(DataError::TooLarge { what, needed: u64::from(bits * self.length).div_ceil(8), limit });
        }
        let (old, mask, length) = (self.bits, (1_u128 << self.bits) - 1, self.length);
        let wider = |key: u128| (0..length).fold(0, |sum, i| sum | (((key >> (old * i)) & mask) << (bits * i)));
        let words = self.nonzero();
        self.key = wider(self.key);
        self.bits = bits;
        self.table = self.empty();
        words.into_iter().for_each(|(key, count)| self.table.add(wider(key), count));
        Ok(())
    }

    fn nonzero(&self) -> Vec<(u128, u64)> {
        match &self.table {
            Table::Dense(counts) => (0..).zip(counts).filter(|(_, c)| **c > 0).map(|(key, c)| (key, *c)).collect(),
            Table::Sparse(map) => map.iter().map(|(key, c)| (*key, *c)).collect(),
        }
    }

    /// Counts words of `length` symbols, fewer than so far, from those that have been counted.
    fn shorten(&mut self, length: u32) {
        let words = self.nonzero();
        let (before, key) = (self.length, self.key);
        self.length = length;
        self.table = self.empty();
        words.into_iter().for_each(|(word, count)| self.table.add(word >> (self.bits * (before - length)), count));
        for word in uncontinued(key, self.bits, self.n, before, length) {
            self.table.add(word, 1);
        }
        self.key = key & mask(self.bits * length);
    }

    fn count(&mut self, codes: impl Iterator<Item = u32>) {
        let (bits, wanted) = (self.bits, u64::from(self.length));
        let all = mask(bits * self.length);
        if let (Table::Dense(counts), true) = (&mut self.table, self.n + 1 >= wanted) {
            // The common case without a wide number.
            let small = u32::try_from(all).unwrap_or(u32::MAX);
            let mut key = u32::try_from(self.key).unwrap_or(0);
            for code in codes {
                key = ((key << bits) | code) & small;
                counts[key as usize] += 1;
                self.n += 1;
            }
            self.key = u128::from(key);
            return;
        }
        for code in codes {
            self.key = ((self.key << bits) | u128::from(code)) & all;
            self.n += 1;
            if self.n >= wanted {
                self.table.add(self.key, 1);
            }
        }
    }

    /// The number of symbols so far.
    pub(super) const fn len(&self) -> u64 {
        self.n
    }

    /// The longest words that could be counted, with symbols numbered as in memory.
    pub(super) fn finish(&self) -> Counted {
        let alphabet = match &self.codes {
            None => 0,
            Some(Codes::Bytes) => 256,
            Some(Codes::Labels { alphabet }) => *alphabet,
            Some(Codes::Numbers(known)) => u32::try_from(known.len()).unwrap_or(u32::MAX),
        };
        let (mut words, mut last) = (self.nonzero(), self.key);
        if let Some(Codes::Numbers(known)) = &self.codes {
            // By value, not by first appearance.
            let mut by_code: Vec<(u32, u64)> = known.iter().map(|(key, code)| (*code, *key)).collect();
            by_code.sort_unstable();
            let keys: Vec<u64> = by_code.into_iter().map(|(_, key)| key).collect();
            let ranks = Sequence::of_ordered(&keys).codes;
            let (bits, mask) = (self.bits, mask(self.bits));
            let ranked = |word: u128| {
                (0..self.length).fold(0, |sum, i| {
                    let code = usize::try_from((word >> (bits * i)) & mask).unwrap_or(usize::MAX);
                    sum | (u128::from(ranks.get(code).copied().unwrap_or(0)) << (bits * i))
                })
            };
            words.iter_mut().for_each(|(word, _)| *word = ranked(*word));
            last = ranked(last);
        }
        words.sort_unstable();
        Counted { words, bits: self.bits, length: self.length, last, alphabet, n: self.n }
    }
}

impl Counted {
    /// The length of the words.
    pub(super) const fn length(&self) -> u32 {
        self.length
    }

    /// The counts in lexicographic order of the words.
    pub(super) fn counts(&self) -> Vec<u64> {
        self.words.iter().map(|(_, c)| *c).collect()
    }

    /// Words of `length` symbols, at most as many as now.
    pub(super) fn shortened(mut self, length: u32) -> Self {
        let length = length.clamp(1, self.length);
        let shift = self.bits * (self.length - length);
        let tail: Vec<u128> = uncontinued(self.last, self.bits, self.n, self.length, length).collect();
        let mut words: Vec<(u128, u64)> = self.words.iter().map(|(word, count)| (word >> shift, *count)).collect();
        words.extend(tail.into_iter().map(|word| (word, 1)));
        // Stable: in order already but for the last few.
        words.sort_by_key(|(word, _)| *word);
        words.dedup_by(|next, sum| {
            next.0 == sum.0 && {
                sum.1 += next.1;
                true
            }
        });
        self.words = words;
        self.last &= mask(self.bits * length);
        self.length = length;
        self
    }
}

/// The words of `length` symbols at the end of `n` that no word of `before` symbols begins with.
fn uncontinued(key: u128, bits: u32, n: u64, before: u32, length: u32) -> impl Iterator<Item = u128> {
    // Counted from the end: the word that ends `end` symbols before the last.
    let known = u32::try_from(n).unwrap_or(u32::MAX).min(before);
    (0..before - length)
        .filter(move |end| end + length <= known)
        .map(move |end| (key >> (bits * end)) & mask(bits * length))
}

const fn mask(bits: u32) -> u128 {
    if bits >= u128::BITS { u128::MAX } else { (1 << bits) - 1 }
}

/// Bits of the numbers below `alphabet`.
fn bits_of(alphabet: u32) -> u32 {
    (u32::BITS - alphabet.saturating_sub(1).leading_zeros()).max(1)
}

fn too_many() -> DataError {
    let what = format!("the table of more than {MOST_WORDS} different words of a column that passes by");
    let (needed, limit) = (BYTES_A_WORD * (MOST_WORDS as u64 + 1), BYTES_A_WORD * MOST_WORDS as u64);
    DataError::TooLarge { what, needed, limit }
}

impl Table {
    fn add(&mut self, key: u128, count: u64) {
        match self {
            Self::Dense(counts) => {
                if let Some(slot) = usize::try_from(key).ok().and_then(|key| counts.get_mut(key)) {
                    *slot += count;
                }
            }
            Self::Sparse(map) => *map.entry(key).or_insert(0) += count,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{measure::symbols::Words, pace::Unhurried};

    fn in_memory(codes: &[u32], alphabet: u32, length: u32) -> Vec<u64> {
        pollster::block_on(Words { codes, alphabet, length }.counts(&Unhurried)).unwrap()
    }

    proptest! {
        #[test]
        fn what_passes_by_counts_as_what_is_in_memory_to_the_order(
            raw in prop::collection::vec(-9_i64..9, 0..200), size in 1_usize..50, length in 1_u32..6, shorter in 1_u32..6, late in 0_usize..3,
        ) {
            // The alphabet grows on the way.
            let raw: Vec<i64> = raw.iter().enumerate().map(|(i, x)| if i < 40 * late { x % 2 } else { *x }).collect();
            let codes = Sequence::of_ordered(&raw);
            let mut words = PassingWords::new(Some(length));
            raw.chunks(size).for_each(|c| words.push(Chunk::Integer(c)).unwrap());
            let counted = words.finish();
            prop_assert_eq!(counted.counts(), in_memory(&codes.codes, codes.alphabet.max(1), length));
            prop_assert_eq!((counted.n, counted.alphabet), (raw.len() as u64, codes.alphabet));
            let shorter = shorter.min(length);
            prop_assert_eq!(counted.shortened(shorter).counts(), in_memory(&codes.codes, codes.alphabet.max(1), shorter));
        }

        #[test]
        fn words_that_adapt_count_as_words_of_their_length(
            raw in prop::collection::vec(any::<u8>(), 0..300), size in 1_usize..90, reach in prop::sample::select(vec![2_u8, 3, 9, 255]),
        ) {
            // Labels, few at first, so that words of sixteen become shorter twice.
            let codes: Vec<u32> = raw.iter().enumerate().map(|(i, b)| u32::from(if i < 60 { b % 2 } else { b % reach })).collect();
            let mut words = PassingWords::new(None);
            codes.chunks(size).for_each(|c| words.push(Chunk::Symbols(c)).unwrap());
            let counted = words.finish();
            let length = counted.length();
            prop_assert!((2..=LONGEST).contains(&length));
            prop_assert_eq!(counted.counts(), in_memory(&codes, u32::from(reach).max(2), length));
            prop_assert_eq!(counted.shortened(1).counts(), in_memory(&codes, u32::from(reach).max(2), 1));
        }
    }

    #[test]
    fn too_many_words_are_refused_and_wide_ones_too() {
        let mut words = PassingWords::new(Some(4));
        let mut state = 1_u64;
        let mut bytes = || -> Vec<u8> {
            let mut next = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state.to_le_bytes()[7]
            };
            (0..1 << 20).map(|_| next()).collect()
        };
        // Nearly every one of these words is new.
        let pushed: Vec<bool> = (0..5).map(|_| words.push(Chunk::Bytes(&bytes())).is_ok()).collect();
        assert_eq!(pushed, [true, true, true, true, false]);
        let mut words = PassingWords::new(Some(16));
        let labels: Vec<u32> = (0..1000).collect();
        assert!(matches!(words.push(Chunk::Symbols(&labels)), Err(DataError::TooLarge { .. })));
    }
}
