//! Neighbours on a line: sorted values.

use std::ops::Range;

use super::Nearest;

/// Values in ascending order.
pub struct Line {
    sorted: Vec<f64>,
    /// Where each sorted value comes from.
    origin: Vec<u32>,
    /// Where each value went.
    rank: Vec<u32>,
}

impl Line {
    /// Sorts `values`, which are finite and fewer than 2^32.
    pub(super) fn new(values: &[f64]) -> Self {
        let mut pairs: Vec<(f64, u32)> = values.iter().copied().zip(0..).collect();
        pairs.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut rank = vec![0; pairs.len()];
        for ((_, from), place) in pairs.iter().zip(0..) {
            rank[*from as usize] = place;
        }
        let (sorted, origin) = pairs.into_iter().unzip();
        Self { sorted, origin, rank }
    }

    /// The k nearest of the points with ranks in `ranks`: the window of k + 1 values around a value that reaches least far.
    pub(super) fn nearest(&self, ranks: Range<usize>, k: usize, found: &mut Nearest) {
        let n = self.sorted.len();
        for rank in ranks {
            let x = self.sorted[rank];
            let point = self.origin[rank] as usize;
            let list = &mut found.neighbours[point * k..(point + 1) * k];
            let (mut left, mut right) = (rank, rank + 1);
            let mut last = 0.0;
            for (i, place) in list.iter_mut().enumerate() {
                let below = if left > 0 { x - self.sorted[left - 1] } else { f64::INFINITY };
                let above = if right < n { self.sorted[right] - x } else { f64::INFINITY };
                let next = if below <= above {
                    left -= 1;
                    last = below;
                    left
                } else {
                    last = above;
                    right += 1;
                    right - 1
                };
                *place = self.origin[next];
                found.tied += u64::from(i == 0 && last == 0.0);
            }
            found.distances[point] = last;
        }
    }

    /// How many other values are at a distance from value `i` of which `near` holds. `near` holds up to some distance: the
    /// very differences are compared, so that a neighbour exactly at the radius is on the side where it belongs.
    pub(super) fn within(&self, i: usize, near: impl Fn(f64) -> bool) -> usize {
        let rank = self.rank[i] as usize;
        let (x, n) = (self.sorted[rank], self.sorted.len());
        let above = gallop(n - 1 - rank, |steps| near(self.sorted[rank + steps] - x));
        let below = gallop(rank, |steps| near(x - self.sorted[rank - steps]));
        above + below
    }
}

/// The largest number of steps up to `most` for which `holds`, which holds up to some number: by doubling, then halving.
fn gallop(most: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut step) = (0, 1);
    while low + step <= most && holds(low + step) {
        low += step;
        step *= 2;
    }
    // It holds for `low`, and not for `high`.
    let mut high = (low + step).min(most + 1);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}
