//! Fuzzy entropy: sample entropy with a smooth membership in place of the step at r.
//!
//! Templates of m and of m + 1 values have their own mean removed. With Chebyshev distance d and membership
//! μ(d) = exp(−dⁿ / r), φ is the mean of μ over all pairs of different templates, and FuzzyEn = ln φ_m − ln φ_{m+1},
//! both over the n − mτ templates that have m + 1 values. Chen, Wang, Xie & Yu, IEEE Trans. Neural Syst. Rehabil. Eng.
//! 15, 266 (2007).
//!
//! # How the sums are made
//! Every pair has an exponential, and these are the cost. Templates are sorted by their first coordinate, so that those
//! whose memberships could matter are contiguous: a pair further apart than (708 r)^(1/n) contributes exactly 0 in f64. A
//! first pass stops at e^−60 already and is kept if what it leaves out is below 1e-13 of the sum.

use multiversion::multiversion;

use crate::{
    measure::{
        MeasureError, Series,
        exp::{LOWEST, exp_nonpositive},
        order::{ascending, key_of},
    },
    pace::Pace,
};

/// Pairs whose exponent is below this are left out at first.
const NEGLIGIBLE: f64 = -60.0;
/// The share of the sum that may be left out.
const LEFT_OUT: f64 = 1e-13;
/// Templates on one side of a tile: their coordinates stay in the first-level cache.
const TILE: usize = 512;
/// Pairs between two calls of [`Pace::tick`].
const TICK: usize = 1 << 23;

/// The membership function μ(d) = exp(−dⁿ / r).
#[derive(Clone, Copy, Debug)]
pub(super) struct Membership {
    /// The width r, in the units of the values to the power n.
    pub(super) r: f64,
    /// The exponent n.
    pub(super) power: u32,
}

impl Membership {
    /// The distance at which the exponent is `least`.
    fn reach(self, least: f64) -> f64 {
        (-least * self.r).powf(f64::from(self.power).recip())
    }
}

/// For each template, in time order, the sum of its memberships with all others.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Memberships {
    pub(super) shorter: Vec<f64>,
    pub(super) longer: Vec<f64>,
}

impl Memberships {
    /// Twice the sums over pairs, for m and m + 1.
    pub(super) fn totals(&self) -> (f64, f64) {
        (self.shorter.iter().sum(), self.longer.iter().sum())
    }
}

/// ln(b / a): infinite for a = 0, `None` for b = 0.
pub(super) fn fuzzy_entropy((b, a): (f64, f64)) -> Option<f64> {
    (b > 0.0).then(|| b.ln() - if a > 0.0 { a.ln() } else { f64::NEG_INFINITY })
}

/// The memberships of the templates that begin at `starts`, which must all have m + 1 values. Up to O(N²).
///
/// # Errors
/// [`MeasureError::Cancelled`].
pub(super) async fn memberships(
    values: &[f64],
    starts: &[usize],
    m: usize,
    delay: usize,
    of: Membership,
    pace: &dyn Pace,
) -> Result<Memberships, MeasureError> {
    let shorter = sums(&Centred::new(values, starts, m, delay), of, pace).await?;
    let longer = sums(&Centred::new(values, starts, m + 1, delay), of, pace).await?;
    Ok(Memberships { shorter, longer })
}

/// The starts of all templates of m + 1 values that lie within a stretch.
pub(super) fn starts(series: &Series<'_>, m: usize, delay: usize) -> Vec<usize> {
    let span = m.saturating_mul(delay);
    series.stretches.iter().flat_map(|s| s.start..s.end.saturating_sub(span).max(s.start)).collect()
}

/// Templates of one length, each with its mean removed, in ascending order of their first coordinate.
struct Centred {
    /// Coordinate by coordinate.
    columns: Vec<Vec<f64>>,
    /// The place of each in time order.
    order: Vec<u32>,
}

impl Centred {
    #[expect(clippy::cast_precision_loss, reason = "a template length")]
    fn new(values: &[f64], starts: &[usize], length: usize, delay: usize) -> Self {
        let mean = |&i: &usize| {
            let template = || (0..length).map(|k| values[i + k * delay]);
            let sum = template().sum::<f64>();
            if sum.is_finite() { sum / length as f64 } else { template().map(|v| v / length as f64).sum() }
        };
        let means: Vec<f64> = starts.iter().map(mean).collect();
        let first: Vec<f64> = starts.iter().zip(&means).map(|(&i, mean)| values[i] - mean).collect();
        let order = ascending(first.iter().map(|&x| key_of(x)));
        // Two values without their mean differ in sign only: one coordinate has the distance.
        let kept = if length == 2 { 1 } else { length };
        let coordinate = |k: usize| {
            let at = |&t: &u32| values[starts[t as usize] + k * delay] - means[t as usize];
            order.iter().map(at).collect()
        };
        Self { columns: (0..kept).map(coordinate).collect(), order }
    }

    fn len(&self) -> usize {
        self.order.len()
    }
}

async fn sums(templates: &Centred, of: Membership, pace: &dyn Pace) -> Result<Vec<f64>, MeasureError> {
    let (sums, left_out) = sums_within(templates, of, NEGLIGIBLE, pace).await?;
    let total: f64 = sums.iter().sum();
    // NaN cannot occur; 0 falls through to the complete sum.
    if left_out == 0 {
        return Ok(sums);
    }
    #[expect(clippy::cast_precision_loss, reason = "a bound")]
    let bound = 2.0 * left_out as f64 * NEGLIGIBLE.exp();
    if bound <= LEFT_OUT * total {
        return Ok(sums);
    }
    Ok(sums_within(templates, of, LOWEST, pace).await?.0)
}

/// The sums over pairs whose exponent is at least `least`, in time order, and how many pairs were left out.
async fn sums_within(
    templates: &Centred,
    of: Membership,
    least: f64,
    pace: &dyn Pace,
) -> Result<(Vec<f64>, u64), MeasureError> {
    let n = templates.len();
    let (first, reach) = (&templates.columns[0], of.reach(least));
    // The end of the templates within reach of each; it only moves up.
    let mut end = 0;
    let ends: Vec<usize> = (0..n)
        .map(|i| {
            while end < n && first[end] - first[i] <= reach {
                end += 1;
            }
            end
        })
        .collect();
    let left_out = ends.iter().map(|&e| (n - e) as u64).sum();
    let mut sums = vec![0.0; n];
    let mut distances = [0.0; TILE];
    let mut anchor = vec![0.0; templates.columns.len()];
    let mut work = 0;
    for top in (0..n).step_by(TILE) {
        let rows = top..(top + TILE).min(n);
        for left in (top..ends[rows.end - 1]).step_by(TILE) {
            for i in rows.clone() {
                let (from, to) = (left.max(i + 1), (left + TILE).min(ends[i]));
                if from >= to {
                    continue;
                }
                for (a, column) in anchor.iter_mut().zip(&templates.columns) {
                    *a = column[i];
                }
                let distances = &mut distances[..to - from];
                for (k, (a, column)) in anchor.iter().zip(&templates.columns).enumerate() {
                    widen(distances, &column[from..to], *a, k == 0);
                }
                let (before, after) = sums.split_at_mut(from);
                before[i] += add_memberships(&mut after[..to - from], distances, of.power, -of.r.recip());
            }
            work += TILE * TILE;
            if work >= TICK {
                work = 0;
                pace.tick(top as u64, n as u64).await?;
            }
        }
    }
    let mut in_time = vec![0.0; n];
    for (&t, sum) in templates.order.iter().zip(sums) {
        in_time[t as usize] = sum;
    }
    Ok((in_time, left_out))
}

/// Chebyshev distances so far, with one more coordinate.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn widen(distances: &mut [f64], column: &[f64], anchor: f64, first: bool) {
    if first {
        for (d, x) in distances.iter_mut().zip(column) {
            *d = (x - anchor).abs();
        }
    } else {
        for (d, x) in distances.iter_mut().zip(column) {
            let along = (x - anchor).abs();
            *d = if along > *d { along } else { *d };
        }
    }
}

/// Adds exp(scale · dⁿ) of each distance to its sum, and returns their total.
#[multiversion(targets("x86_64+avx2", "x86_64+sse4.2"))]
fn add_memberships(sums: &mut [f64], distances: &mut [f64], power: u32, scale: f64) -> f64 {
    const LANES: usize = 8;
    if power == 2 {
        distances.iter_mut().for_each(|d| *d *= *d);
    } else {
        distances.iter_mut().for_each(|d| {
            let base = *d;
            for _ in 1..power {
                *d *= base;
            }
        });
    }
    // A loop of its own: beside the sums below, the compiler leaves it scalar.
    distances.iter_mut().for_each(|d| *d = exp_nonpositive(scale * *d));
    // A sum in one variable would have to be made in order, one term after the other.
    let mut totals = [0.0; LANES];
    let (sums, rest) = sums.as_chunks_mut::<LANES>();
    let (terms, last) = distances.as_chunks::<LANES>();
    for (sums, terms) in sums.iter_mut().zip(terms) {
        for lane in 0..LANES {
            sums[lane] += terms[lane];
            totals[lane] += terms[lane];
        }
    }
    for (sum, term) in rest.iter_mut().zip(last) {
        *sum += term;
        totals[0] += term;
    }
    totals.iter().sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pace::Unhurried;

    fn by_definition(x: &[f64], starts: &[usize], length: usize, delay: usize, of: Membership) -> Vec<f64> {
        let template = |i: usize| {
            let t: Vec<f64> = (0..length).map(|k| x[i + k * delay]).collect();
            let mean = t.iter().sum::<f64>() / length as f64;
            t.into_iter().map(|v| v - mean).collect::<Vec<_>>()
        };
        let all: Vec<_> = starts.iter().map(|&i| template(i)).collect();
        let membership = |a: &[f64], b: &[f64]| {
            let d = a.iter().zip(b).map(|(p, q)| (p - q).abs()).fold(0.0, f64::max);
            (-d.powi(i32::try_from(of.power).unwrap()) / of.r).exp()
        };
        let row = |i: usize| (0..all.len()).filter(|&j| j != i).map(|j| membership(&all[i], &all[j])).sum();
        (0..all.len()).map(row).collect()
    }

    proptest! {
        #[test]
        fn the_kernel_is_the_definition(
            x in prop::collection::vec(-3.0_f64..3.0, 2..90), tiles in 1_usize..9, scale in prop::sample::select(vec![1e-3, 1.0, 40.0]),
            m in 1_usize..5, delay in 1_usize..4, r in 0.01_f64..2.0, power in 1_u32..5,
        ) {
            // Repeated with a drift, so that more than one tile is needed.
            let x: Vec<f64> = (0..tiles).flat_map(|t| x.iter().map(move |v| scale * (v + 0.01 * t as f64))).collect();
            let series = Series::whole(&x[..]);
            let starts = starts(&series, m, delay);
            let of = Membership { r, power };
            let got = pollster::block_on(memberships(&x, &starts, m, delay, of, &Unhurried)).unwrap();
            for (got, length) in [(&got.shorter, m), (&got.longer, m + 1)] {
                let expected = by_definition(&x, &starts, length, delay, of);
                let total: f64 = expected.iter().sum();
                for (g, e) in got.iter().zip(&expected) {
                    prop_assert!((g - e).abs() <= 1e-12 * (e + total / starts.len() as f64) + 1e-300, "{g} {e}");
                }
                prop_assert_eq!(got.len(), starts.len());
            }
        }
    }
}
