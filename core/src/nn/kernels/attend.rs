//! The softmax of a strip of attention scores: some queries against the keys that they may see.

use super::rows::sum_of;
use crate::nn::Float;

/// Which queries and keys a strip has; query i sees keys j with i − window < j ≤ i.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Strip {
    /// The first query.
    pub query: usize,
    /// The first key.
    pub key: usize,
    /// Keys.
    pub keys: usize,
    /// Keys that a query sees, itself included.
    pub window: usize,
}

impl Strip {
    /// The keys, in the strip's own numbers, that its row `r` sees.
    #[inline(always)]
    pub(crate) fn seen(&self, r: usize) -> std::ops::Range<usize> {
        let query = self.query + r;
        (query + 1).saturating_sub(self.window).max(self.key) - self.key..query + 1 - self.key
    }

    /// The rows, of so many, that see the key with the strip's own number `k`.
    #[inline(always)]
    fn seen_by(&self, k: usize, rows: usize) -> std::ops::Range<usize> {
        let key = self.key + k;
        let first = key.saturating_sub(self.query).min(rows);
        first..(key + self.window).saturating_sub(self.query).clamp(first, rows)
    }
}

const LANES: usize = 16;

/// What `f` makes of each score in sight, 0 of the others. Whole vectors: half of a row may be out of sight, and a rest that
/// is made one by one costs more than all before it.
#[inline(always)]
fn in_sight<T: Float>(row: &mut [T], seen: &std::ops::Range<usize>, f: impl Fn(T) -> T) {
    let (chunks, rest) = row.as_chunks_mut::<LANES>();
    let rest_at = chunks.len() * LANES;
    for (c, chunk) in chunks.iter_mut().enumerate() {
        for (l, x) in chunk.iter_mut().enumerate() {
            let made = f(*x);
            let at = c * LANES + l;
            *x = if at >= seen.start && at < seen.end { made } else { T::ZERO };
        }
    }
    for (l, x) in rest.iter_mut().enumerate() {
        *x = if seen.contains(&(rest_at + l)) { f(*x) } else { T::ZERO };
    }
}

#[inline(always)]
pub(super) fn forward<T: Float>(strip: &Strip, scores: &mut [T], scale: T, lse: &mut [T]) {
    for (r, (row, lse)) in scores.chunks_exact_mut(strip.keys).zip(lse).enumerate() {
        let seen = strip.seen(r);
        // Beyond the last key in sight a vector may read further, where all that is must be low.
        let whole = seen.end.next_multiple_of(LANES).min(row.len());
        row[..seen.start].fill(T::LOWEST);
        row[seen.end..whole].fill(T::LOWEST);
        let most = scale * largest(&row[..whole]);
        in_sight(row, &seen, |x| (x * scale - most).exp());
        let sum = sum_of(row, |x| x);
        let share = T::ONE / sum;
        row.iter_mut().for_each(|x| *x *= share);
        *lse = most + sum.ln();
    }
}

/// Probabilities and slopes of a strip, both by key and then by query: p = exp(score scale − lse), and
/// p (slope − inner) scale.
#[inline(always)]
pub(super) fn backward<T: Float>(strip: &Strip, scores: &mut [T], slopes: &mut [T], scale: T, [lse, inner]: [&[T]; 2]) {
    let queries = lse.len();
    let rows = scores.chunks_exact_mut(queries).zip(slopes.chunks_exact_mut(queries));
    for (key, (p, slopes)) in rows.enumerate() {
        let seen = strip.seen_by(key, queries);
        for (p, lse) in p.iter_mut().zip(lse) {
            *p = (*p * scale - *lse).exp();
        }
        p[..seen.start].fill(T::ZERO);
        p[seen.end..].fill(T::ZERO);
        for ((slope, p), inner) in slopes.iter_mut().zip(&*p).zip(inner) {
            *slope = *p * (*slope - *inner) * scale;
        }
    }
}

/// The largest of `row`; NaN where only NaN is there to find is left to the sum that follows.
#[inline(always)]
pub(super) fn largest<T: Float>(row: &[T]) -> T {
    let mut most = [T::LOWEST; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    for chunk in chunks {
        for l in 0..LANES {
            most[l] = larger(chunk[l], most[l]);
        }
    }
    let most = folded(most, larger);
    rest.iter().fold(most, |most, x| larger(*x, most))
}

#[inline(always)]
fn larger<T: Float>(x: T, y: T) -> T {
    if x > y { x } else { y }
}

#[inline(always)]
pub(super) fn total<T: Float>(sums: [T; LANES]) -> T {
    folded(sums, |x, y| x + y)
}

/// All lanes in one, by halves. Written out: LLVM does not unroll a loop over them.
#[inline(always)]
fn folded<T: Float>(lanes: [T; LANES], both: impl Fn(T, T) -> T) -> T {
    let (mut eight, mut four) = ([T::ZERO; 8], [T::ZERO; 4]);
    for l in 0..8 {
        eight[l] = both(lanes[l], lanes[l + 8]);
    }
    for l in 0..4 {
        four[l] = both(eight[l], eight[l + 4]);
    }
    both(both(four[0], four[2]), both(four[1], four[3]))
}
