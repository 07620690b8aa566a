//! Counting ordinal patterns: the vectorised CPU kernel and the accumulator built on it.

use std::ops::Range;

use multiversion::multiversion;

use super::patterns;
use crate::{
    measure::{
        MeasureError, Series,
        order::{ascending, key_of},
    },
    pace::Pace,
};

/// Windows that are turned into keys at a time: the buffers stay in the first-level cache.
const BLOCK: usize = 4096;
/// Windows between two calls of [`Pace::tick`].
const TICK: usize = 1 << 19;
/// Up to this many patterns the counters are kept in several copies, so that two equal patterns in a
/// row do not wait for each other's store.
const COPIED_BINS: usize = 1024;
const COPIES: usize = 4;
/// Up to this order a pattern number fits a byte.
const BYTE_ORDER: u32 = 5;
/// Up to this many patterns every byte is compared with every pattern.
const FEW: usize = 6;
/// Values or bytes that are compared together. Written as arrays of this length, a loop over numbers whose masks
/// become bytes is packed by the compiler in a few instructions; without, in wasm, it takes two numbers at a time.
const LANES: usize = 16;

/// All windows of `order` values, `delay` apart, that lie within one stretch of `series`.
#[derive(Clone, Copy, Debug)]
pub struct OrdinalWindows<'a> {
    /// The data.
    pub series: &'a Series<'a>,
    /// The number of values in a window, 2..=8.
    pub order: u32,
    /// The distance of neighbouring values of a window, at least 1.
    pub delay: usize,
}

impl OrdinalWindows<'_> {
    /// The number of samples from the first to the last value of a window.
    #[must_use]
    pub const fn span(&self) -> usize {
        (self.order as usize - 1).saturating_mul(self.delay).saturating_add(1)
    }

    /// The number of windows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.starts().map(|r| r.len()).sum()
    }

    /// Whether no window fits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The first samples of all windows, as ranges of `series.values`, one for each stretch long enough.
    pub fn starts(&self) -> impl Iterator<Item = Range<usize>> + '_ {
        let span = self.span();
        self.series.stretches.iter().filter(move |s| s.len() >= span).map(move |s| s.start..s.end - span + 1)
    }

    /// How often each pattern occurs: `order!` counts indexed by Lehmer code. O(N m).
    ///
    /// # Errors
    /// [`MeasureError::Cancelled`].
    pub async fn counts(&self, pace: &dyn Pace) -> Result<Vec<u64>, MeasureError> {
        let mut counts = vec![0; patterns(self.order)];
        if self.order <= BYTE_ORDER {
            self.for_each_block(pace, |_, keys: &[u8]| Key::add(&mut counts, keys)).await?;
        } else {
            self.for_each_block(pace, |_, keys: &[u16]| Key::add(&mut counts, keys)).await?;
        }
        Ok(counts)
    }

    /// The pattern of every window in order, for resampling.
    ///
    /// # Errors
    /// [`MeasureError::Cancelled`].
    pub async fn keys(&self, pace: &dyn Pace) -> Result<Vec<u16>, MeasureError> {
        let mut all = Vec::with_capacity(self.len());
        self.for_each_block(pace, |_, keys: &[u16]| all.extend_from_slice(keys)).await?;
        Ok(all)
    }

    /// For each pattern the sum of its windows' weights: their population variances.
    ///
    /// # Errors
    /// [`MeasureError::Cancelled`].
    pub async fn weights(&self, pace: &dyn Pace) -> Result<Vec<f64>, MeasureError> {
        let mut weights = vec![0.0; patterns(self.order)];
        let (values, delay, order) = (&self.series.values, self.delay, self.order as usize);
        self.for_each_block(pace, |start, keys: &[u16]| {
            for (offset, key) in keys.iter().enumerate() {
                let window = values[start + offset..].iter().step_by(delay).take(order);
                weights[usize::from(*key)] += variance(window);
            }
        })
        .await?;
        Ok(weights)
    }

    /// The fraction of neighbouring values of windows that are equal.
    #[must_use]
    pub fn tie_fraction(&self) -> f64 {
        let mut pairs = 0_u64;
        let mut ties = 0_u64;
        for stretch in self.series.stretches.iter().filter(|s| s.len() > self.delay) {
            let x = &self.series.values[stretch.clone()];
            pairs += (x.len() - self.delay) as u64;
            ties += equal_pairs(&x[..x.len() - self.delay], &x[self.delay..]);
        }
        #[expect(clippy::cast_precision_loss, reason = "a fraction")]
        if pairs == 0 { 0.0 } else { ties as f64 / pairs as f64 }
    }

    /// Calls `visit(first window, keys)` for consecutive blocks of windows.
    async fn for_each_block<K: Key>(
        &self,
        pace: &dyn Pace,
        mut visit: impl FnMut(usize, &[K]),
    ) -> Result<(), MeasureError> {
        let mut keys = KeyBuffer::<K>::new(self.order, self.delay);
        let total = self.len();
        let mut done = 0;
        let mut next_tick = TICK;
        for starts in self.starts() {
            let mut start = starts.start;
            while start < starts.end {
                let end = starts.end.min(start + keys.block());
                visit(start, keys.fill(&self.series.values[start..end + self.span() - 1], end - start));
                done += end - start;
                start = end;
                if done >= next_tick {
                    pace.tick(done as u64, total as u64).await?;
                    next_tick = done + TICK;
                }
            }
        }
        Ok(())
    }
}

fn variance<'a>(window: impl Iterator<Item = &'a f64> + Clone) -> f64 {
    let (n, sum) = window.clone().fold((0.0, 0.0), |(n, s), x| (n + 1.0, s + x));
    let mean = sum / n;
    window.map(|x| (x - mean) * (x - mean)).sum::<f64>() / n
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn equal_pairs(a: &[f64], b: &[f64]) -> u64 {
    // The sum is as wide as the numbers compared: masks need no packing.
    let mut pairs = 0;
    for (x, y) in a.iter().zip(b) {
        pairs += u64::from(x == y);
    }
    pairs
}

/// An integer that holds pattern numbers.
trait Key: Copy + Default {
    /// Adds `digits * weight` to the keys.
    fn weigh(keys: &mut [Self], digits: &[u8], weight: u16);
    /// Counts the keys.
    fn add(counts: &mut [u64], keys: &[Self]);
}

impl Key for u8 {
    fn weigh(keys: &mut [Self], digits: &[u8], weight: u16) {
        weigh_bytes(keys, digits, u8::try_from(weight).unwrap_or_default());
    }

    fn add(counts: &mut [u64], keys: &[Self]) {
        if counts.len() <= FEW {
            return add_few(counts, keys);
        }
        add_copied::<{ 1 << 8 }, Self>(counts, keys);
    }
}

impl Key for u16 {
    fn weigh(keys: &mut [Self], digits: &[u8], weight: u16) {
        weigh_words(keys, digits, weight);
    }

    fn add(counts: &mut [u64], keys: &[Self]) {
        if counts.len() <= COPIED_BINS {
            return add_copied::<COPIED_BINS, Self>(counts, keys);
        }
        for key in keys {
            counts[usize::from(*key)] += 1;
        }
    }
}

/// Turns blocks of samples into pattern numbers.
struct KeyBuffer<K> {
    order: usize,
    delay: usize,
    digits: Vec<u8>,
    keys: Vec<K>,
}

impl<K: Key> KeyBuffer<K> {
    fn new(order: u32, delay: usize) -> Self {
        let order = order as usize;
        // With a long delay a block reads far ahead; a block of that length keeps the overlap below one half.
        let block = BLOCK.max(delay.saturating_mul(order - 1).min(1 << 20));
        Self { order, delay, digits: Vec::new(), keys: vec![K::default(); block] }
    }

    fn block(&self) -> usize {
        self.keys.len()
    }

    /// The keys of the first `windows` windows of `x`.
    fn fill(&mut self, x: &[f64], windows: usize) -> &[K] {
        let keys = &mut self.keys[..windows];
        keys.fill(K::default());
        let reach = (self.order - 2) * self.delay;
        self.digits.clear();
        self.digits.resize(windows + reach, 0);
        let mut weight = 1_u16;
        // digits[p] counts the later values x[p + τ], …, x[p + kτ] below x[p]; after step k it is the Lehmer digit
        // of position s = m − 1 − k of the window that starts at p − sτ.
        for k in 1..self.order {
            let shift = (self.order - 1 - k) * self.delay;
            weight *= u16::try_from(k).unwrap_or(1);
            accumulate(&mut self.digits[..windows + shift], x, &x[k * self.delay..]);
            K::weigh(keys, &self.digits[shift..shift + windows], weight);
        }
        keys
    }
}

/// Adds 1 to each digit where the later value is below the earlier one.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn accumulate(digits: &mut [u8], earlier: &[f64], later: &[f64]) {
    let n = digits.len();
    let (digits, last_digits) = digits.as_chunks_mut::<LANES>();
    let (earlier, last_earlier) = earlier[..n].as_chunks::<LANES>();
    let (later, last_later) = later[..n].as_chunks::<LANES>();
    for ((digits, earlier), later) in digits.iter_mut().zip(earlier).zip(later) {
        for ((d, a), b) in digits.iter_mut().zip(earlier).zip(later) {
            *d += u8::from(b < a);
        }
    }
    for ((d, a), b) in last_digits.iter_mut().zip(last_earlier).zip(last_later) {
        *d += u8::from(b < a);
    }
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn weigh_bytes(keys: &mut [u8], digits: &[u8], weight: u8) {
    for (key, d) in keys.iter_mut().zip(digits) {
        *key += *d * weight;
    }
}

#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn weigh_words(keys: &mut [u16], digits: &[u8], weight: u16) {
    for (key, d) in keys.iter_mut().zip(digits) {
        *key += u16::from(*d) * weight;
    }
}

/// Counts at most [`FEW`] patterns by comparing, which costs less than a store for each key.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn add_few(counts: &mut [u64], keys: &[u8]) {
    // No byte of a lane's count overflows within a part.
    for part in keys.chunks(LANES * usize::from(u8::MAX)) {
        let mut lanes = [[0_u8; LANES]; FEW];
        let (chunks, rest) = part.as_chunks::<LANES>();
        for chunk in chunks {
            for (pattern, lanes) in (0_u8..).zip(&mut lanes) {
                for (lane, key) in lanes.iter_mut().zip(chunk) {
                    *lane += u8::from(*key == pattern);
                }
            }
        }
        for (count, lanes) in counts.iter_mut().zip(&lanes) {
            *count += lanes.iter().map(|&c| u64::from(c)).sum::<u64>();
        }
        for key in rest {
            counts[usize::from(*key)] += 1;
        }
    }
}

/// Counts keys below `BINS`, a power of two.
fn add_copied<const BINS: usize, K: Key>(counts: &mut [u64], keys: &[K])
where
    usize: From<K>,
{
    let mut copies = [[0_u32; BINS]; COPIES];
    let mask = BINS - 1;
    let (quads, rest) = keys.as_chunks::<COPIES>();
    for quad in quads {
        for (copy, key) in copies.iter_mut().zip(quad) {
            copy[usize::from(*key) & mask] += 1;
        }
    }
    for key in rest {
        copies[0][usize::from(*key) & mask] += 1;
    }
    for (i, count) in counts.iter_mut().enumerate() {
        *count += copies.iter().map(|c| u64::from(c[i])).sum::<u64>();
    }
}

/// Dense ranks: 0 for the smallest value, equal values share one. Patterns of ranks equal patterns of values, ties
/// included, and ranks fit a GPU's u32 exactly. O(N), beyond 2^22 values O(N log N).
///
/// # Panics
/// Never for fewer than 2^32 finite values.
#[must_use]
pub fn dense_ranks(values: &[f64]) -> Vec<u32> {
    let order = ascending(values.iter().map(|&x| key_of(x)));
    let mut ranks = vec![0; values.len()];
    let (mut rank, mut last) = (0, None);
    for i in order {
        let x = values[i as usize];
        // -0.0 and 0.0 have one key, and compare equal here
        rank += u32::from(last.is_some_and(|last| last < x));
        last = Some(x);
        ranks[i as usize] = rank;
    }
    ranks
}

/// The pattern numbered `key` as the ranks of its values in time order: `021` rises, then falls half way.
#[must_use]
pub fn pattern_name(key: usize, order: u32) -> String {
    let mut rest = key;
    let mut available = ['0', '1', '2', '3', '4', '5', '6', '7'];
    let mut name = String::with_capacity(available.len());
    for left in (0..order.min(8)).rev() {
        let base = patterns(left);
        let digit = (rest / base).min(left as usize);
        rest %= base;
        name.push(available[digit]);
        available.copy_within(digit + 1.., digit);
    }
    name
}

/// Pattern counts of a series that arrives in chunks.
///
/// Parts of one series merge in their order, in any grouping: `a.merge(b)` is the series of `a` followed by that
/// of `b`, windows across the seam included, and the counts equal those of the whole to the bit.
#[derive(Clone, Debug)]
pub struct OrdinalCounts {
    order: u32,
    delay: usize,
    counts: Vec<u64>,
    len: u64,
    /// The first `span − 1` values, which windows of a part before this one still need.
    head: Vec<f64>,
    /// The last `span − 1` values, which windows of later values still need.
    tail: Vec<f64>,
}

impl OrdinalCounts {
    /// An empty series.
    #[must_use]
    pub fn new(order: u32, delay: usize) -> Self {
        Self { order, delay, counts: vec![0; patterns(order)], len: 0, head: Vec::new(), tail: Vec::new() }
    }

    fn overlap(&self) -> usize {
        (self.order as usize - 1) * self.delay
    }

    /// Appends finite values.
    pub fn push(&mut self, chunk: &[f64]) {
        self.count_after_tail(chunk);
        let overlap = self.overlap();
        let wanted = overlap - self.head.len();
        self.head.extend_from_slice(&chunk[..chunk.len().min(wanted)]);
        extend_tail(&mut self.tail, chunk, overlap);
        self.len += chunk.len() as u64;
    }

    /// Appends the part that follows this one.
    pub fn merge(&mut self, next: &Self) {
        self.count_after_tail(&next.head);
        for (a, b) in self.counts.iter_mut().zip(&next.counts) {
            *a += b;
        }
        let overlap = self.overlap();
        let wanted = overlap - self.head.len();
        self.head.extend_from_slice(&next.head[..next.head.len().min(wanted)]);
        extend_tail(&mut self.tail, &next.tail, overlap);
        self.len += next.len;
    }

    /// Counts the windows that end in `values`, given that `tail` comes before them.
    fn count_after_tail(&mut self, values: &[f64]) {
        if self.order <= BYTE_ORDER {
            self.count_keys_after_tail::<u8>(values);
        } else {
            self.count_keys_after_tail::<u16>(values);
        }
    }

    fn count_keys_after_tail<K: Key>(&mut self, values: &[f64]) {
        let overlap = self.overlap();
        let seam: Vec<f64> = self.tail.iter().chain(values.iter().take(overlap)).copied().collect();
        let windows_at_seam = (seam.len() + 1).saturating_sub(overlap + 1).min(self.tail.len());
        let mut keys = KeyBuffer::<K>::new(self.order, self.delay);
        let mut count = |x: &[f64], windows: usize| {
            let mut start = 0;
            while start < windows {
                let n = keys.block().min(windows - start);
                K::add(&mut self.counts, keys.fill(&x[start..start + n + overlap], n));
                start += n;
            }
        };
        count(&seam, windows_at_seam);
        count(values, values.len().saturating_sub(overlap));
    }

    /// The counts so far, indexed by Lehmer code.
    #[must_use]
    pub fn finish(&self) -> &[u64] {
        &self.counts
    }

    /// The number of values so far.
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

fn extend_tail(tail: &mut Vec<f64>, chunk: &[f64], overlap: usize) {
    tail.extend_from_slice(&chunk[chunk.len().saturating_sub(overlap)..]);
    let excess = tail.len().saturating_sub(overlap);
    tail.drain(..excess);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pace::Unhurried;

    /// The definition, word for word.
    fn by_definition(x: &[f64], order: usize, delay: usize) -> Vec<u64> {
        let mut counts = vec![0; patterns(u32::try_from(order).unwrap())];
        for i in 0..x.len().saturating_sub((order - 1) * delay) {
            let w: Vec<f64> = (0..order).map(|k| x[i + k * delay]).collect();
            let key: usize = (0..order)
                .map(|s| {
                    let digit = (s + 1..order).filter(|&j| w[j] < w[s]).count();
                    digit * patterns(u32::try_from(order - 1 - s).unwrap())
                })
                .sum();
            counts[key] += 1;
        }
        counts
    }

    proptest! {
        #[test]
        fn the_kernel_is_the_definition(x in prop::collection::vec(-4_i8..4, 0..300), order in 2_u32..=7, delay in 1_usize..20) {
            let x: Vec<f64> = x.into_iter().map(f64::from).collect();
            let series = Series::whole(&x[..]);
            let windows = OrdinalWindows { series: &series, order, delay };
            let counts = pollster::block_on(windows.counts(&Unhurried)).unwrap();
            prop_assert_eq!(counts, by_definition(&x, order as usize, delay));
        }

        #[test]
        fn any_chunking_and_any_grouping_of_parts_count_the_same(
            parts in prop::collection::vec(prop::collection::vec(-3_i8..3, 0..40), 1..8), order in 2_u32..=5, delay in 1_usize..5, split in 0_usize..8
        ) {
            let parts: Vec<Vec<f64>> = parts.into_iter().map(|p| p.into_iter().map(f64::from).collect()).collect();
            let all: Vec<f64> = parts.concat();
            let expected = by_definition(&all, order as usize, delay);

            let mut pushed = OrdinalCounts::new(order, delay);
            parts.iter().for_each(|p| pushed.push(p));
            prop_assert_eq!(pushed.finish(), &expected[..]);

            let fold = |parts: &[Vec<f64>]| parts.iter().fold(OrdinalCounts::new(order, delay), |mut sum, p| {
                let mut one = OrdinalCounts::new(order, delay);
                one.push(p);
                sum.merge(&one);
                sum
            });
            let (left, right) = parts.split_at(split.min(parts.len()));
            let mut merged = fold(left);
            merged.merge(&fold(right));
            prop_assert_eq!(merged.finish(), &expected[..]);
            prop_assert_eq!(merged.len(), all.len() as u64);
        }
    }

    #[test]
    fn windows_do_not_straddle_gaps() {
        let series = Series { values: vec![1.0, 2.0, 3.0, 4.0, 5.0].into(), stretches: vec![0..2, 2..5], omitted: 1 };
        let windows = OrdinalWindows { series: &series, order: 3, delay: 1 };
        assert_eq!(pollster::block_on(windows.counts(&Unhurried)).unwrap().iter().sum::<u64>(), 1);
    }

    #[test]
    fn blocks_meet_without_a_seam() {
        let x: Vec<f64> = (0..3 * BLOCK + 17).map(|i| f64::from(u32::try_from(i * 7919 % 1009).unwrap())).collect();
        let series = Series::whole(&x[..]);
        let windows = OrdinalWindows { series: &series, order: 5, delay: 3 };
        assert_eq!(pollster::block_on(windows.counts(&Unhurried)).unwrap(), by_definition(&x, 5, 3));
    }

    #[test]
    fn negative_zero_ties_with_zero() {
        assert_eq!(dense_ranks(&[0.0, -0.0, -1.0, 2.0, 2.0]), [1, 1, 0, 2, 2]);
    }

    #[test]
    fn pattern_names_are_ranks_in_time_order() {
        assert_eq!(pattern_name(0, 3), "012");
        assert_eq!(pattern_name(5, 3), "210");
        assert_eq!(pattern_name(1, 3), "021");
    }
}
