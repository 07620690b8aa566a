//! Rows of bins: the angles between one heading and others.
//!
//! The library's 20 bins of the cosine are those of numpy and OpenBLAS to the last pair. The corrected family's many bins hold
//! theirs as groups where the edges allow it, so that one row of cosines serves both.

use std::f64::consts::PI;

use multiversion::multiversion;

use super::{
    geometry::{Vec3, dot},
    pairs::{Lanes, Slice},
};

/// Bins of the library's cosines.
pub const COSINE_BINS: usize = 20;
/// The same for kernels.
const COARSE: u32 = 20;

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

/// [`cosine_bins`] with what is outside clamped, for a number of bins that [`COSINE_BINS`] divides. True if a cosine is so near to
/// an edge of the coarser bins, or to an end, that its coarse bin does not follow from its fine one.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
pub(super) fn nested_bins(lanes: Slice<'_>, u: Vec3, bins: u32, out: &mut [u64]) -> bool {
    const TO_BITS: f64 = 4_503_599_627_370_496.0;
    // Edges are rounded products, so those of both grids are within two roundings of k/20, which is 2e-16.
    const NEAR: f64 = 1e-13;
    let count = f64::from(bins);
    let coarse = f64::from(COARSE);
    let step = 1.0 / count;
    let mut edge = false;
    for (((out, x), y), z) in out.iter_mut().zip(lanes.x).zip(lanes.y).zip(lanes.z) {
        let mut t = (u[0] * x + u[1] * y + u[2] * z + 1.0) / 2.0;
        let place = t * coarse;
        let whole = (place + TO_BITS) - TO_BITS;
        // Below 0 and beyond 1 rounding has put it, so it is near; a NaN is at an edge.
        edge |= ((place - whole).abs() <= NEAR) | place.is_nan();
        t = if t < 0.0 { 0.0 } else { t };
        t = if t > 1.0 { 1.0 } else { t };
        let mut k = (t * count).floor();
        k -= if t < k * step { 1.0 } else { 0.0 };
        k += if t >= (k + 1.0) * step { 1.0 } else { 0.0 };
        k = if k < count - 1.0 { k } else { count - 1.0 };
        k = if t <= 1.0 { k } else { count };
        *out = (k + TO_BITS).to_bits() & 0xFFFF_FFFF;
    }
    edge
}

/// The library's bins of heading `i` with headings `start..start + out.len()`, all after `i`; what is outside is in bin
/// [`COSINE_BINS`].
///
/// Parallel and antiparallel headings have a cosine of ±1 up to rounding, and whether they are counted depends on the last
/// bit. Those pairs are computed again in the order of the reference ([`blas_bins`]).
pub(super) fn library_bins(headings: &Lanes, i: usize, start: usize, out: &mut [u64]) {
    let (n, end) = (headings.len(), start + out.len());
    let rest = headings.range(start, end);
    if cosine_bins(rest, headings.at(i), COARSE, Outside::Dropped, out) {
        blas_bins(rest, headings.at(i), COARSE, out);
        let tiled = tiled_columns(i, n);
        for j in tiled.start.max(start)..tiled.end.min(end) {
            out[j - start] = tiled_bin(headings.at(i), headings.at(j), COARSE, out[j - start]);
        }
    }
}

/// What [`angle_bins`] leaves to an exact comparison.
const UNSURE: u64 = 0xFFFF_FFFF;
/// The error in radians that is left to the polynomial below: five times its own, and that of a cosine near ±1.
const POLYNOMIAL: f64 = 1e-7;

/// For each of `lanes` the bin of its angle to `u`, atan2(|u × v|, u·v), among `bins` equal bins on [0, π], in a plane.
///
/// A polynomial, which is arithmetic on lanes, decides for all angles that are farther from an edge than its error; the rest, some
/// in a million, are asked of atan2: the bins are those of atan2 to the last one.
pub(super) fn angle_bins(lanes: Slice<'_>, u: Vec3, bins: u32, out: &mut [u64]) {
    if rough_angles(lanes, u, bins, out) {
        for (k, bin) in out.iter_mut().enumerate().filter(|(_, bin)| **bin == UNSURE) {
            *bin = angle_bin(u, [lanes.x[k], lanes.y[k], lanes.z[k]], bins);
        }
    }
}

/// The bin of one angle.
fn angle_bin(u: Vec3, v: Vec3, bins: u32) -> u64 {
    let angle = f64::atan2((u[0] * v[1] - u[1] * v[0]).abs(), dot(u, v));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0..=bins")]
    let k = (angle / PI * f64::from(bins)) as u64;
    k.min(u64::from(bins) - 1)
}

/// Bins by acos x = √(1 − x) P(x), Abramowitz & Stegun 4.4.46, whose error is 2e-8; [`UNSURE`] near an inner edge. True if
/// there is one.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn rough_angles(lanes: Slice<'_>, u: Vec3, bins: u32, out: &mut [u64]) -> bool {
    const TO_BITS: f64 = 4_503_599_627_370_496.0;
    const P: [f64; 8] = [
        1.570_796_305_0,
        -0.214_598_801_6,
        0.088_978_987_4,
        -0.050_174_304_6,
        0.030_891_881_0,
        -0.017_088_125_6,
        0.006_670_090_1,
        -0.001_262_491_1,
    ];
    let count = f64::from(bins);
    let per_radian = count / PI;
    let near = POLYNOMIAL * per_radian;
    let mut any = false;
    for (((out, x), y), z) in out.iter_mut().zip(lanes.x).zip(lanes.y).zip(lanes.z) {
        let cosine = u[0] * x + u[1] * y + u[2] * z;
        let c = cosine.abs();
        let c = if c < 1.0 { c } else { 1.0 };
        let mut p = P[7];
        for k in (0..7).rev() {
            p = p * c + P[k];
        }
        let acute = (1.0 - c).sqrt() * p;
        let angle = if cosine < 0.0 { PI - acute } else { acute };
        let place = angle * per_radian;
        let edge = (place + TO_BITS) - TO_BITS;
        let unsure = ((place - edge).abs() < near) & (edge > 0.0) & (edge < count);
        any |= unsure;
        let k = place.floor();
        let k = if k < count - 1.0 { k } else { count - 1.0 };
        let k = if k > 0.0 { k } else { 0.0 };
        let bits = (k + TO_BITS).to_bits() & 0xFFFF_FFFF;
        *out = if unsure { UNSURE } else { bits };
    }
    any
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
