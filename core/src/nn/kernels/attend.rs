//! The softmax of a strip of attention scores: some queries against the keys that they may see.

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
}

const LANES: usize = 16;

#[inline(always)]
pub(super) fn forward<T: Float>(strip: &Strip, scores: &mut [T], scale: T, lse: &mut [T]) {
    for (r, (row, lse)) in scores.chunks_exact_mut(strip.keys).zip(lse).enumerate() {
        let seen = strip.seen(r);
        let most = scale * largest(&row[seen.clone()]);
        row[..seen.start].fill(T::ZERO);
        row[seen.end..].fill(T::ZERO);
        let row = &mut row[seen];
        let mut sums = [T::ZERO; LANES];
        let (chunks, rest) = row.as_chunks_mut::<LANES>();
        for chunk in chunks {
            for l in 0..LANES {
                chunk[l] = (chunk[l] * scale - most).exp();
                sums[l] += chunk[l];
            }
        }
        for (x, sum) in rest.iter_mut().zip(&mut sums) {
            *x = (*x * scale - most).exp();
            *sum += *x;
        }
        let sum = total(sums);
        let share = T::ONE / sum;
        row.iter_mut().for_each(|x| *x *= share);
        *lse = most + sum.ln();
    }
}

#[inline(always)]
pub(super) fn again<T: Float>(strip: &Strip, scores: &mut [T], scale: T, lse: &[T]) {
    for (r, (row, lse)) in scores.chunks_exact_mut(strip.keys).zip(lse).enumerate() {
        let seen = strip.seen(r);
        row[..seen.start].fill(T::ZERO);
        row[seen.end..].fill(T::ZERO);
        row[seen].iter_mut().for_each(|x| *x = (*x * scale - *lse).exp());
    }
}

#[inline(always)]
pub(super) fn backward<T: Float>(probabilities: &[T], slopes: &mut [T], keys: usize, scale: T, inner: &[T]) {
    let rows = probabilities.chunks_exact(keys).zip(slopes.chunks_exact_mut(keys));
    for ((p, slopes), inner) in rows.zip(inner) {
        for (slope, p) in slopes.iter_mut().zip(p) {
            *slope = *p * (*slope - *inner) * scale;
        }
    }
}

/// The largest of `row`; NaN where only NaN is there to find is left to the sum that follows.
#[inline(always)]
pub(super) fn largest<T: Float>(row: &[T]) -> T {
    let mut most = [T::LOWEST; LANES];
    let (chunks, rest) = row.as_chunks::<LANES>();
    let larger = |x: T, y: T| if x > y { x } else { y };
    for chunk in chunks {
        for l in 0..LANES {
            most[l] = larger(chunk[l], most[l]);
        }
    }
    for (x, most) in rest.iter().zip(&mut most) {
        *most = larger(*x, *most);
    }
    most.into_iter().fold(T::LOWEST, larger)
}

#[inline(always)]
pub(super) fn total<T: Float>(mut sums: [T; LANES]) -> T {
    for half in [8, 4, 2, 1] {
        for l in 0..half {
            let other = sums[l + half];
            sums[l] += other;
        }
    }
    sums[0]
}
