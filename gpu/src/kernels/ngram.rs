//! How often each word of consecutive symbols occurs. See [`super::count`] for the method, limits and determinism.
//!
//! - **In**: symbols below the size of the alphabet, packed into as few bits as hold them.
//! - **Out**: one count a word, at the word's number in base alphabet: alphabet^length counts, at most 2²².
//! - **Large inputs** go in pieces that overlap by one word less a symbol.

use surprisal_core::pace::Pace;

use super::{
    Kernel,
    count::{self, Job, MAX_BINS, PRIVATE_WORDS, Progress},
    histogram,
};
use crate::{Gpu, GpuError};

pub(crate) static KERNEL: Kernel =
    Kernel { name: "ngram", source: include_str!("ngram.wgsl"), writes: &count::WRITES, parameters: count::PARAMETERS };

/// Symbols in a piece, at most: each count of a piece fits into u32 with room to spare.
const PIECE: u64 = 1 << 30;

/// What is counted.
#[derive(Clone, Copy)]
pub(crate) enum Symbols<'a> {
    Codes(&'a [u32]),
    Bytes(&'a [u8]),
}

/// The number of words, where they are few enough to be counted densely.
pub(crate) fn bins(alphabet: u32, length: u32) -> Option<u32> {
    alphabet.checked_pow(length).filter(|bins| *bins <= MAX_BINS)
}

impl Gpu {
    /// How often each word of `length` symbols occurs, indexed by its number in base `alphabet`.
    ///
    /// # Errors
    /// [`GpuError::Miscounted`] where a symbol is out of range, [`GpuError::TooLarge`] where alphabet^length exceeds
    /// 2²², and what a device may meet.
    pub async fn words(
        &self,
        symbols: &[u32],
        alphabet: u32,
        length: u32,
        pace: &dyn Pace,
    ) -> Result<Vec<u64>, GpuError> {
        count(self, Symbols::Codes(symbols), alphabet, length, pace).await
    }
}

pub(crate) async fn count(
    gpu: &Gpu,
    symbols: Symbols<'_>,
    alphabet: u32,
    length: u32,
    pace: &dyn Pace,
) -> Result<Vec<u64>, GpuError> {
    let kernel = if length == 1 { &histogram::KERNEL } else { &KERNEL };
    let bins = bins(alphabet, length).ok_or(GpuError::TooLarge {
        what: "a dense table of words",
        bytes: u64::from(alphabet).saturating_pow(length).saturating_mul(4),
        limit: u64::from(MAX_BINS) * 4,
    })?;
    let n = match symbols {
        Symbols::Codes(codes) => codes.len(),
        Symbols::Bytes(bytes) => bytes.len(),
    };
    let mut total = vec![0; bins as usize];
    let span = length as usize - usize::from(length > 0);
    let windows = n.saturating_sub(span);
    if windows == 0 || bins == 0 || length == 0 {
        return Ok(total);
    }

    if let Symbols::Codes(codes) = symbols {
        // Packed, a symbol that is too large would change its neighbours.
        let inside = codes.iter().filter(|code| **code < alphabet).count();
        if inside < n {
            return Err(GpuError::Miscounted { kernel: kernel.name, counted: inside as u64, expected: n as u64 });
        }
    }
    let bits = if matches!(symbols, Symbols::Bytes(_)) { 8 } else { bits(alphabet) };
    let per_word = (32 / bits) as usize;
    // Pieces begin at whole words.
    let fitting = usize::try_from((gpu.binding_limit() / 4).saturating_mul(per_word as u64).min(PIECE));
    let piece = fitting.unwrap_or(usize::MAX).saturating_sub(span) / per_word * per_word;
    if piece == 0 {
        return Err(GpuError::TooLarge { what: "one word", bytes: span as u64 * 4, limit: gpu.binding_limit() });
    }
    let mut progress = Progress { pace, done: 0, total: windows as u64 };
    for first in (0..windows).step_by(piece) {
        let here = piece.min(windows - first);
        let input = match symbols {
            Symbols::Codes(codes) => gpu.upload("symbols", &pack(&codes[first..first + here + span], bits))?,
            Symbols::Bytes(bytes) => gpu.upload("bytes", &bytes[first..first + here + span])?,
        };
        let counts = gpu.zeros("counts", u64::from(bins))?;
        let job = Job {
            windows: u32::try_from(here).unwrap_or(u32::MAX),
            bins,
            alphabet,
            length,
            bits,
            log2_per_word: per_word.ilog2(),
            ..Job::default()
        };
        count::run(gpu, kernel, &[PRIVATE_WORDS], &input, &counts, vec![job], &mut progress).await?;
        count::add(&mut total, &gpu.read::<u32>(&counts, 0..u64::from(bins)).await?);
    }
    count::check(kernel, &total, windows as u64)?;
    Ok(total)
}

/// The smallest power of two of bits that holds symbols below `alphabet`.
fn bits(alphabet: u32) -> u32 {
    (u32::BITS - alphabet.saturating_sub(1).leading_zeros()).max(1).next_power_of_two()
}

/// Symbols in order, the first in the lowest bits.
fn pack(codes: &[u32], bits: u32) -> Vec<u32> {
    if bits == 32 {
        return codes.to_vec();
    }
    let pack = |codes: &[u32]| codes.iter().rev().fold(0, |word, code| (word << bits) | code);
    codes.chunks((32 / bits) as usize).map(pack).collect()
}

#[cfg(test)]
mod tests {
    use super::{bins, bits, pack};

    #[test]
    fn symbols_take_the_bits_they_need() {
        assert_eq!(
            [1, 2, 3, 4, 5, 16, 17, 256, 257, 65_536, 65_537, u32::MAX].map(bits),
            [1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 32, 32]
        );
    }

    #[test]
    fn the_first_symbol_is_lowest() {
        assert_eq!(pack(&[1, 2, 3, 4, 5], 8), [0x0403_0201, 5]);
        assert_eq!(pack(&[], 4), [0; 0]);
    }

    #[test]
    fn tables_end_at_two_to_the_22() {
        assert_eq!(bins(2, 22), Some(1 << 22));
        assert_eq!(bins(2, 23), None);
        assert_eq!(bins(u32::MAX, 2), None);
        assert_eq!(bins(1, 1000), Some(1));
    }
}
