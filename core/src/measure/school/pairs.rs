//! The one pass over all pairs: distances to the nearest neighbours, and cosines between headings.
//!
//! Coordinates lie in lanes (structure of arrays), a row of N distances or cosines is computed into a buffer that is used
//! again for the next fish, and nothing is allocated for a pair.

use multiversion::multiversion;

use super::{NEIGHBOURS, geometry::Vec3, real};

/// Coordinates in three lanes.
pub(super) struct Lanes {
    x: Vec<f64>,
    y: Vec<f64>,
    z: Vec<f64>,
}

/// A stretch of three lanes.
#[derive(Clone, Copy)]
pub(super) struct Slice<'a> {
    x: &'a [f64],
    y: &'a [f64],
    z: &'a [f64],
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
fn insert(best: &mut [f64; NEIGHBOURS], square: f64) {
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

/// What happens to a cosine that rounding has put outside −1..1.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Outside {
    /// It is left out, as numpy's histogram does.
    Dropped,
    /// It belongs to the nearest bin.
    Clamped,
}

/// For each of `lanes` the bin of (u·v + 1)/2 among `bins` equal bins on [0, 1], the last one closed; `bins` itself for what
/// lies outside (or is NaN) and is dropped. True if one is within [`ROUNDING`] of 0 or 1.
///
/// The edges are those of `numpy.linspace(0, 1, bins + 1)`, k times the rounded 1/bins, and a value is compared with them after
/// the division has guessed its bin, as `numpy.histogram` does: the counts are the same to the last one.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
pub(super) fn cosine_bins(lanes: Slice<'_>, u: Vec3, bins: u32, outside: Outside, out: &mut [u64]) -> bool {
    // An integer below 2^52 added to it is its lowest bits.
    const TO_BITS: f64 = 4_503_599_627_370_496.0;
    let count = f64::from(bins);
    let step = 1.0 / count;
    let clamp = outside == Outside::Clamped;
    let mut edge = false;
    for (((out, x), y), z) in out.iter_mut().zip(lanes.x).zip(lanes.y).zip(lanes.z) {
        let mut t = (u[0] * x + u[1] * y + u[2] * z + 1.0) / 2.0;
        edge |= at_edge(t);
        if clamp {
            t = if t < 0.0 { 0.0 } else { t };
            t = if t > 1.0 { 1.0 } else { t };
        }
        let mut k = (t * count).floor();
        k -= if t < k * step { 1.0 } else { 0.0 };
        k += if t >= (k + 1.0) * step { 1.0 } else { 0.0 };
        k = if k < count - 1.0 { k } else { count - 1.0 };
        // Beyond 1, and NaN. What is below 0 has k < 0 here: it is at an end and told to the caller.
        k = if t <= 1.0 { k } else { count };
        *out = (k + TO_BITS).to_bits() & 0xFFFF_FFFF;
    }
    edge
}

/// Adds `bins` to `counts`, which has one place more for what was dropped.
pub(super) fn tally(bins: &[u64], counts: &mut [[u32; 4]]) {
    let top = counts.len() - 1;
    let mut add = |bin: u64, lane: usize| {
        let bin = usize::try_from(bin).unwrap_or(top).min(top);
        counts[bin][lane] += 1;
    };
    // Four tables: a parallel school has all its pairs in one bin, and one counter would wait for itself.
    let mut quads = bins.chunks_exact(4);
    for quad in &mut quads {
        add(quad[0], 0);
        add(quad[1], 1);
        add(quad[2], 2);
        add(quad[3], 3);
    }
    quads.remainder().iter().for_each(|&bin| add(bin, 0));
}

/// The distances of every fish to its nearest ones.
pub(super) fn nearest(positions: &Lanes, size: f64) -> Vec<[f64; NEIGHBOURS]> {
    let mut row = vec![0.0; positions.len()];
    let mut fish = |i: usize| {
        squares(positions.all(), positions.at(i), size, &mut row);
        row[i] = f64::INFINITY;
        smallest(&row).map(f64::sqrt)
    };
    (0..positions.len()).map(&mut fish).collect()
}

/// Counts of (u·v + 1)/2 of all pairs i < j in `bins` bins; what is outside is dropped.
///
/// Parallel and antiparallel headings have a cosine of ±1 up to rounding, and whether they are counted depends on the last
/// bit. Those pairs are computed again in the order of the reference ([`blas_bins`]).
pub(super) fn cosines(headings: &Lanes, bins: u32) -> Vec<u64> {
    let n = headings.len();
    let mut counts = vec![[0_u32; 4]; bins as usize + 1];
    let mut total = vec![0_u64; bins as usize];
    let mut row = vec![0_u64; n];
    let mut pending: u64 = 0;
    for i in 0..n {
        let rest = headings.range(i + 1, n);
        let row = &mut row[..n - i - 1];
        if cosine_bins(rest, headings.at(i), bins, Outside::Dropped, row) {
            blas_bins(rest, headings.at(i), bins, row);
            for j in tiled_columns(i, n) {
                row[j - i - 1] = tiled_bin(headings.at(i), headings.at(j), bins, row[j - i - 1]);
            }
        }
        tally(row, &mut counts);
        pending += row.len() as u64;
        // Before a counter of 32 bits can overflow, and at the end.
        if pending > u64::from(u32::MAX / 2) || i + 1 == n {
            for (total, count) in total.iter_mut().zip(&mut counts) {
                *total += count.iter().map(|&c| u64::from(c)).sum::<u64>();
                *count = [0; 4];
            }
            pending = 0;
        }
    }
    total
}

/// So near to 0 or 1 the order of summation can decide on which side a value is.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// (u·v + 1)/2 is so near to an end, or beyond it, that the last bits of u·v matter.
#[inline(always)]
#[expect(clippy::manual_range_contains, reason = "NaN is at no end")]
fn at_edge(t: f64) -> bool {
    (t < ROUNDING) | (t > 1.0 - ROUNDING)
}

/// The bin of a value that is at an end, or beyond.
#[inline(always)]
fn end_bin(t: f64, bins: u64) -> u64 {
    let inside = if t > 0.5 { bins - 1 } else { 0 };
    if (0.0..=1.0).contains(&t) { inside } else { bins }
}

/// Corrects the bins `out` of cosines at an end to what the reference has.
///
/// It forms U Uᵀ with `numpy.dot`, that is with `dsyrk` of OpenBLAS 0.3, whose Haswell kernel adds the three products by
/// fused multiply-adds from the first to the last (here), but in tiles of 12 rows by 4 columns rounds the first two products and
/// their sum ([`tiled_bin`]). Found by comparing bits, and true for n < 196; beyond, and with other kernels of that library, the
/// tiles lie elsewhere.
#[multiversion(targets("x86_64+avx2+fma", "x86_64+sse4.2"))]
fn blas_bins(lanes: Slice<'_>, u: Vec3, bins: u32, out: &mut [u64]) {
    let bins = u64::from(bins);
    for (((out, x), y), z) in out.iter_mut().zip(lanes.x).zip(lanes.y).zip(lanes.z) {
        let t = (u[0] * x + u[1] * y + u[2] * z + 1.0) / 2.0;
        let fused = (u[2].mul_add(*z, u[1].mul_add(*y, u[0] * x)) + 1.0) / 2.0;
        *out = if at_edge(t) { end_bin(fused, bins) } else { *out };
    }
}

/// The columns j > i in which row i of n has a tile: the four after the last full eight, in the full twelves of each panel of
/// 32 rows.
fn tiled_columns(i: usize, n: usize) -> std::ops::Range<usize> {
    let (column, panel) = (8 * (n / 8), 32 * (i / 32));
    let tiled = n % 8 >= 4 && i - panel < 12 * ((n - panel).min(32) / 12);
    if tiled { column.max(i + 1)..(column + 4).max(i + 1) } else { 0..0 }
}

/// The bin of a pair in a tile; `bin` if it is not at an end.
fn tiled_bin(u: Vec3, v: Vec3, bins: u32, bin: u64) -> u64 {
    let two = u[0] * v[0] + u[1] * v[1];
    let t = (two + u[2] * v[2] + 1.0) / 2.0;
    let half_fused = (u[2].mul_add(v[2], two) + 1.0) / 2.0;
    if at_edge(t) { end_bin(half_fused, u64::from(bins)) } else { bin }
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
