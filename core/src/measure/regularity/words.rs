//! Counts of overlapping words of a few letters.

use multiversion::multiversion;

/// Above this many words resampling costs more memory than its interval is worth.
const MOST_RESAMPLED: usize = 1 << 14;
/// Words that are numbered in one go.
const BLOCK: usize = 4096;

/// How often each word of `length` letters, `step` apart, occurs: letters are `0..letters`, and a word's number is its
/// letters as digits, the first the most significant.
pub(super) struct Vocabulary {
    letters: u32,
    length: usize,
    step: usize,
    counts: Vec<u64>,
    /// The words in order, where they are to be resampled.
    keys: Option<Vec<u32>>,
    block: Vec<u32>,
}

impl Vocabulary {
    /// The most words there may be: a table of 32 MB.
    pub(super) const MOST_WORDS: u64 = 1 << 22;

    /// An empty count; `None` where there are more than [`Vocabulary::MOST_WORDS`] possible words.
    pub(super) fn new(letters: u32, length: u32, step: usize, keep_keys: bool) -> Option<Self> {
        let words = u64::from(letters).checked_pow(length).filter(|&w| w <= Self::MOST_WORDS)?;
        let words = usize::try_from(words).ok()?;
        let keys = (keep_keys && words <= MOST_RESAMPLED).then(Vec::new);
        Some(Self { letters, length: length as usize, step, counts: vec![0; words], keys, block: vec![0; BLOCK] })
    }

    /// Letters from the first to the last of a word.
    pub(super) const fn span(&self) -> usize {
        (self.length - 1).saturating_mul(self.step).saturating_add(1)
    }

    /// Counts every word of `codes`.
    pub(super) fn add(&mut self, codes: &[u8]) {
        let words = (codes.len() + 1).saturating_sub(self.span());
        for start in (0..words).step_by(BLOCK) {
            let block = &mut self.block[..BLOCK.min(words - start)];
            block.fill(0);
            for k in 0..self.length {
                append_letter(block, &codes[start + k * self.step..], self.letters);
            }
            block.iter().for_each(|&word| self.counts[word as usize] += 1);
            if let Some(keys) = &mut self.keys {
                keys.extend_from_slice(block);
            }
        }
    }

    /// The counts by number.
    pub(super) fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// The words in order, if they were kept.
    pub(super) fn keys(&self) -> Option<&[u32]> {
        self.keys.as_deref()
    }
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn append_letter(words: &mut [u32], codes: &[u8], letters: u32) {
    for (word, code) in words.iter_mut().zip(codes) {
        *word = *word * letters + u32::from(*code);
    }
}

/// For each value the number of `bounds` that it exceeds.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
pub(super) fn classify(values: &[f64], bounds: &[f64], codes: &mut [u8]) {
    const LANES: usize = 16;
    let (values, rest) = values.as_chunks::<LANES>();
    let (codes, last) = codes.as_chunks_mut::<LANES>();
    for (values, codes) in values.iter().zip(codes) {
        let mut sums = [0_u8; LANES];
        for bound in bounds {
            for lane in 0..LANES {
                sums[lane] += u8::from(values[lane] > *bound);
            }
        }
        *codes = sums;
    }
    for (value, code) in rest.iter().zip(last) {
        *code = bounds.iter().map(|bound| u8::from(value > bound)).sum();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn words_are_counted_by_their_digits(codes in prop::collection::vec(0_u8..4, 0..300), length in 1_u32..5, step in 1_usize..4) {
            let mut vocabulary = Vocabulary::new(4, length, step, true).unwrap();
            vocabulary.add(&codes);
            let mut expected = BTreeMap::new();
            for start in 0..(codes.len() + 1).saturating_sub(vocabulary.span()) {
                let word = (0..length as usize).fold(0, |word, k| word * 4 + usize::from(codes[start + k * step]));
                *expected.entry(word).or_insert(0) += 1;
            }
            let got: BTreeMap<usize, u64> = vocabulary.counts().iter().copied().enumerate().filter(|(_, c)| *c > 0).collect();
            prop_assert_eq!(vocabulary.keys().unwrap().len() as u64, expected.values().sum::<u64>());
            prop_assert_eq!(got, expected);
        }

        #[test]
        fn classes_are_the_numbers_of_bounds_below(values in prop::collection::vec(-3.0_f64..3.0, 0..70)) {
            let bounds = [-1.0, 0.0, 1.5];
            let mut codes = vec![9; values.len()];
            classify(&values, &bounds, &mut codes);
            for (value, code) in values.iter().zip(codes) {
                prop_assert_eq!(usize::from(code), bounds.iter().filter(|b| value > *b).count());
            }
        }
    }

    #[test]
    fn too_many_words_are_refused() {
        assert!(Vocabulary::new(16, 6, 1, false).is_none());
        assert!(Vocabulary::new(16, 5, 1, false).is_some());
    }
}
