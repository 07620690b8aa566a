//! Rows of distances: from one fish to all others, and the smallest of them.
//!
//! Coordinates lie in lanes (structure of arrays), a row of N distances is computed into a buffer that is used again for the
//! next fish, and nothing is allocated for a pair.

use multiversion::multiversion;

use super::{NEIGHBOURS, geometry::Vec3, real};

/// Coordinates in three lanes.
#[derive(Debug)]
pub(super) struct Lanes {
    x: Vec<f64>,
    y: Vec<f64>,
    z: Vec<f64>,
}

/// A stretch of three lanes.
#[derive(Clone, Copy)]
pub(super) struct Slice<'a> {
    pub(super) x: &'a [f64],
    pub(super) y: &'a [f64],
    pub(super) z: &'a [f64],
}

impl Lanes {
    pub(super) fn of(vectors: &[Vec3]) -> Self {
        let lane = |axis: usize| vectors.iter().map(|v| v[axis]).collect();
        Self { x: lane(0), y: lane(1), z: lane(2) }
    }

    pub(super) fn len(&self) -> usize {
        self.x.len()
    }

    pub(super) fn at(&self, i: usize) -> Vec3 {
        [self.x[i], self.y[i], self.z[i]]
    }

    pub(super) fn all(&self) -> Slice<'_> {
        self.range(0, self.len())
    }

    pub(super) fn range(&self, from: usize, to: usize) -> Slice<'_> {
        Slice { x: &self.x[from..to], y: &self.y[from..to], z: &self.z[from..to] }
    }
}

/// Squared distances from `from` to all of `lanes` in a periodic box of side `size`, or in open water if it is infinite.
/// Coordinates must be in 0 <= x < size.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
pub(super) fn squares(lanes: Slice<'_>, from: Vec3, size: f64, out: &mut [f64]) {
    squares_here(lanes, from, size, out);
}

/// [`squares`], compiled into whoever calls it.
#[inline(always)]
pub(super) fn squares_here(lanes: Slice<'_>, from: Vec3, size: f64, out: &mut [f64]) {
    // The if is what min instructions do; f64::min asks for more.
    let image = |d: f64| {
        let (d, other) = (d.abs(), size - d.abs());
        if other < d { other } else { d }
    };
    for (((out, x), y), z) in out.iter_mut().zip(lanes.x).zip(lanes.y).zip(lanes.z) {
        let (dx, dy, dz) = (image(x - from[0]), image(y - from[1]), image(z - from[2]));
        *out = dx * dx + dy * dy + dz * dz;
    }
}

/// The smallest of `squares`, ascending; infinite where there are fewer.
///
/// The minima of sixteen interleaved parts are sixteen of the values, so the fifth of them is not below the fifth of all: a
/// bound that leaves a handful to be sorted in.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
pub(super) fn smallest(squares: &[f64]) -> [f64; NEIGHBOURS] {
    const PARTS: usize = 16;
    let (chunks, rest) = squares.as_chunks::<PARTS>();
    let mut low = [f64::INFINITY; PARTS];
    for chunk in chunks {
        for (low, &s) in low.iter_mut().zip(chunk) {
            *low = if s < *low { s } else { *low };
        }
    }
    let mut best = [f64::INFINITY; NEIGHBOURS];
    low.iter().for_each(|&s| insert(&mut best, s));
    let bound = best[NEIGHBOURS - 1];
    best = [f64::INFINITY; NEIGHBOURS];
    for chunk in chunks {
        if chunk.iter().fold(false, |any, &s| any | (s <= bound)) {
            chunk.iter().for_each(|&s| insert(&mut best, s));
        }
    }
    rest.iter().for_each(|&s| insert(&mut best, s));
    best
}

#[inline(always)]
pub(super) fn insert(best: &mut [f64; NEIGHBOURS], square: f64) {
    if square < best[NEIGHBOURS - 1] {
        let mut k = NEIGHBOURS - 1;
        while k > 0 && square < best[k - 1] {
            best[k] = best[k - 1];
            k -= 1;
        }
        best[k] = square;
    }
}

/// How many of `squares` are at most `limit`.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
pub(super) fn within(squares: &[f64], limit: f64) -> usize {
    let count: u64 = squares.iter().map(|&s| u64::from(s <= limit)).sum();
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Coefficient of variation of a fish's neighbour distances: population standard deviation over (mean + `guard`).
pub(super) fn variation(distances: &[f64; NEIGHBOURS], guard: f64) -> f64 {
    let n = real(NEIGHBOURS);
    let mean = distances.iter().sum::<f64>() / n;
    let variance = distances.iter().map(|d| (d - mean) * (d - mean)).sum::<f64>() / n;
    variance.sqrt() / (mean + guard)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Philox;

    #[test]
    fn the_smallest_are_those_of_sorting() {
        let mut rng = Philox::new(4, 4);
        for n in (0..70).chain([500, 1000]) {
            // Few values, so that there are ties.
            let row: Vec<f64> = (0..n).map(|_| f64::from(rng.below(40))).collect();
            let mut sorted = row.clone();
            sorted.sort_by(f64::total_cmp);
            sorted.resize(sorted.len().max(NEIGHBOURS), f64::INFINITY);
            assert_eq!(smallest(&row)[..], sorted[..NEIGHBOURS], "{n}");
        }
    }
}
